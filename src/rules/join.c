/* join - coming in, through the API.
 * SPDX-License-Identifier: MIT */
#include "rules/moves.h"
#include "rules/verbs.h"

enum err
verb_join_check(const struct call *c, struct str uid)
{
	const struct participant *p = call_find(c, uid);
	size_t others;

	if (room_status_final(c->room.status))
		return ERR_ROOM_NOT_ACTIVE;
	if (p != NULL && p->removed)
		return ERR_PARTICIPANT_REMOVED;
	if (p == NULL && c->room.invite_on == 1)
		return ERR_PARTICIPANT_NOT_INVITED;
	if (p == NULL && !call_has_room_for(c, &uid, 1))
		return ERR_ROOM_FULL;
	others = call_count_active(c) - (p != NULL && participant_status_active(p->status));
	return (int64_t)others >= c->room.max_participants ? ERR_ROOM_FULL : ERR_OK;
}

static void
take_name(struct participant *p, const struct actor *who)
{
	if (who->name.len > 0)
		p->name = who->name;
}

/* Joined already. The same device: a reload, its new media session is on the way. Another one may take
 * over when it says so, or when no media session would be cut by it. */
static enum err
join_again(struct call *c, struct participant *p, const struct actor *who, enum takeover takeover)
{
	if (device_same(p->device_type, p->device_id, who->device_type, who->device_id)) {
		take_name(p, who);
		p->session_from_ms = c->now_ms;
		p->missing_at_ms = 0;
		/* Back while it was waited for: its media has as long to come as that of somebody who just dropped out. */
		if (p->deadline_ms > 0)
			p->deadline_ms = c->now_ms + c->policy.rejoin_grace_ms;
		call_touch(c, p);
		return ERR_OK;
	}
	if (takeover == TAKEOVER_NO || (takeover == TAKEOVER_BY_DEFAULT && p->sid.len > 0))
		return ERR_JOINED_ELSEWHERE;
	take_name(p, who);
	p->device_type = who->device_type;
	p->device_id = who->device_id;
	move_tell(c, p, MOVE_JOIN, LEFT_NOT);
	return ERR_OK;
}

enum err
verb_join(struct call *c, const struct actor *who, enum takeover takeover)
{
	struct participant *p = call_find(c, who->uid);
	enum err e;

	if ((e = verb_join_check(c, who->uid)) != ERR_OK)
		return e;
	if (p == NULL)
		p = call_add_row(c, who->uid);
	if (p->status == P_JOINED)
		return join_again(c, p, who, takeover);
	take_name(p, who);
	p->device_type = who->device_type;
	p->device_id = who->device_id;
	move_tell(c, p, MOVE_JOIN, LEFT_NOT);
	return ERR_OK;
}
