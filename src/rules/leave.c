/* leave - going out and refusing, through the API.
 * SPDX-License-Identifier: MIT */
#include "rules/moves.h"
#include "rules/settle.h"
#include "rules/verbs.h"

/* Joined from a known device, and the caller named another one: not this person's call to end. */
static bool
joined_from_other_device(const struct participant *p, const struct actor *who)
{
	return p->status == P_JOINED &&
	    !device_same(p->device_type, p->device_id, who->device_type, who->device_id);
}

enum err
verb_leave(struct call *c, const struct actor *who)
{
	struct participant *p = call_find(c, who->uid);

	if (room_status_final(c->room.status))
		return ERR_OK;
	if (p == NULL)
		return ERR_PARTICIPANT_NOT_FOUND;
	if (!participant_status_active(p->status) || joined_from_other_device(p, who))
		return ERR_OK;
	if (p->status == P_INVITING && !call_is_creator(c, p))
		move_tell(c, p, MOVE_DECLINE, LEFT_REJECT);
	else
		move_tell(c, p, MOVE_LEAVE, LEFT_LEAVE);
	call_settle(c, CAUSE_CLIENT, p->uid);
	return ERR_OK;
}

static void
tell_busy(struct call *c, const struct participant *p)
{
	const struct told told = { .uid = p->uid, .device_type = p->device_type,
	    .device_id = p->device_id, .busy = &p->uid, .n_busy = 1 };

	event_tell(c, EVENT_BUSY, &told);
}

enum err
verb_reject(struct call *c, const struct actor *who, enum refusal why)
{
	struct participant *p = call_find(c, who->uid);

	if (room_status_final(c->room.status))
		return ERR_OK;
	if (p == NULL)
		return ERR_PARTICIPANT_NOT_FOUND;
	if (call_is_creator(c, p))
		return verb_leave(c, who);
	if (joined_from_other_device(p, who))
		return ERR_OK;
	if (p->status == P_JOINED)
		return ERR_ILLEGAL_TRANSITION;
	if (p->status != P_INVITING)
		return ERR_OK;
	if (why == REFUSE_BUSY) {
		(void)move_do(c, p, MOVE_BE_BUSY, LEFT_BUSY);
		tell_busy(c, p);
	} else {
		move_tell(c, p, MOVE_DECLINE, LEFT_REJECT);
	}
	call_settle(c, CAUSE_CLIENT, p->uid);
	return ERR_OK;
}
