/* moderate - what backends and creators decide about others: end, remove, set a status.
 * SPDX-License-Identifier: MIT */
#include "rules/deadline.h"
#include "rules/moves.h"
#include "rules/settle.h"
#include "rules/verbs.h"

enum err
verb_end(struct call *c, struct str by)
{
	if (!room_status_final(c->room.status))
		call_end(c, call_answered(c) ? ROOM_FINISHED : ROOM_CANCELLED, END_ENDED, by);
	return ERR_OK;
}

enum err
verb_remove(struct call *c, struct str uid, struct str by)
{
	struct participant *p = call_find(c, uid);
	struct str sid;

	if (p == NULL)
		return ERR_PARTICIPANT_NOT_FOUND;
	if (room_status_final(c->room.status) || p->removed)
		return ERR_OK;
	p->removed = true;
	call_touch(c, p);
	sid = p->sid;
	call_act(c, ACTION_REMOVE_PARTICIPANT, p->uid, sid);
	if (!participant_status_active(p->status))
		return ERR_OK;
	move_tell(c, p, MOVE_LEAVE, LEFT_REMOVED);
	call_settle(c, CAUSE_REMOVED, by);
	return ERR_OK;
}

void
verb_start(struct call *c)
{
	if (c->room.status != ROOM_RINGING)
		return;
	c->room.status = ROOM_IN_PROGRESS;
	c->room.started_at_ms = c->now_ms;
	event_tell(c, EVENT_ROOM_STARTED, NULL);
}

enum err
verb_put_room_status(struct call *c, int64_t status, struct str by)
{
	enum room_status to = (enum room_status)status;

	if (status == c->room.status)
		return ERR_OK;
	if (status < 0 || status >= ROOM_STATUS_COUNT || !ROOM_MOVES[c->room.status][to])
		return ERR_ILLEGAL_TRANSITION;
	if (to == ROOM_IN_PROGRESS) {
		verb_start(c);
		return ERR_OK;
	}
	if (to >= ROOM_REJECTED && call_answered(c))
		return ERR_ILLEGAL_TRANSITION;
	call_end(c, to, to == ROOM_FINISHED ? END_ENDED : end_reason_of(to), by);
	return ERR_OK;
}

enum err
verb_put_participant_status(struct call *c, struct str uid, int64_t status)
{
	const struct actor who = { .uid = uid };
	struct participant *p = call_find(c, uid);

	if (status == P_JOINED)
		return verb_join(c, &who, TAKEOVER_BY_DEFAULT);
	if (p == NULL)
		return ERR_PARTICIPANT_NOT_FOUND;
	if (status == P_INVITING)
		return p->status == P_INVITING ? ERR_OK : ERR_ILLEGAL_TRANSITION;
	if (!participant_status_active(p->status) || room_status_final(c->room.status))
		return ERR_OK;
	if (status == P_LEFT)
		return verb_leave(c, &who);
	if (status == P_REJECTED || status == P_BUSY)
		return verb_reject(c, &who, status == P_BUSY ? REFUSE_BUSY : REFUSE_DECLINED);
	if (p->status != P_INVITING)
		return ERR_ILLEGAL_TRANSITION;
	if (status == P_MISSED) {
		call_rang_out(c, &p, 1);
		call_settle(c, CAUSE_RING_DEADLINE, S(""));
		return ERR_OK;
	}
	move_tell(c, p, MOVE_CANCEL, LEFT_CANCELLED);
	call_settle(c, CAUSE_CLIENT, S(""));
	return ERR_OK;
}
