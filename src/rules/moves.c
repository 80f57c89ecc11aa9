/* moves - the transition tables, and the one function that carries a move out.
 * SPDX-License-Identifier: MIT */
#include "rules/moves.h"

#include <assert.h>

#define TO(status, tells) { .legal = true, .to = (status), .event = (tells) }

const struct move_row MOVES[P_STATUS_COUNT][MOVE_COUNT] = {
	[P_INVITING] = {
		[MOVE_JOIN]    = TO(P_JOINED, EVENT_ACCEPTED),
		[MOVE_LEAVE]   = TO(P_LEFT, EVENT_LEFT),
		[MOVE_DECLINE] = TO(P_REJECTED, EVENT_REJECTED),
		[MOVE_BE_BUSY] = TO(P_BUSY, EVENT_BUSY),
		[MOVE_MISS]    = TO(P_MISSED, EVENT_MISSED),
		[MOVE_CANCEL]  = TO(P_CANCELLED, EVENT_CANCELLED),
	},
	[P_JOINED] = {
		[MOVE_JOIN]    = TO(P_JOINED, EVENT_ACCEPTED),      /* a takeover */
		[MOVE_LEAVE]   = TO(P_LEFT, EVENT_LEFT),
	},
	[P_REJECTED]  = {
		[MOVE_JOIN]    = TO(P_JOINED, EVENT_ACCEPTED),
		[MOVE_INVITE]  = TO(P_INVITING, EVENT_INVITED),
		[MOVE_BE_BUSY] = TO(P_BUSY, EVENT_BUSY),
	},
	[P_LEFT]      = {
		[MOVE_JOIN]    = TO(P_JOINED, EVENT_ACCEPTED),
		[MOVE_INVITE]  = TO(P_INVITING, EVENT_INVITED),
		[MOVE_BE_BUSY] = TO(P_BUSY, EVENT_BUSY),
	},
	[P_MISSED]    = {
		[MOVE_JOIN]    = TO(P_JOINED, EVENT_ACCEPTED),
		[MOVE_INVITE]  = TO(P_INVITING, EVENT_INVITED),
		[MOVE_BE_BUSY] = TO(P_BUSY, EVENT_BUSY),
	},
	[P_BUSY]      = {
		[MOVE_JOIN]    = TO(P_JOINED, EVENT_ACCEPTED),
		[MOVE_INVITE]  = TO(P_INVITING, EVENT_INVITED),
		[MOVE_BE_BUSY] = TO(P_BUSY, EVENT_BUSY),            /* rung again, busy again */
	},
	[P_CANCELLED] = {
		[MOVE_JOIN]    = TO(P_JOINED, EVENT_ACCEPTED),
		[MOVE_INVITE]  = TO(P_INVITING, EVENT_INVITED),
		[MOVE_BE_BUSY] = TO(P_BUSY, EVENT_BUSY),
	},
};

const bool ROOM_MOVES[ROOM_STATUS_COUNT][ROOM_STATUS_COUNT] = {
	[ROOM_RINGING] = {
		[ROOM_IN_PROGRESS] = true, [ROOM_FINISHED] = true, [ROOM_CANCELLED] = true,
		[ROOM_REJECTED] = true, [ROOM_BUSY] = true, [ROOM_MISSED] = true,
	},
	[ROOM_IN_PROGRESS] = {
		[ROOM_FINISHED] = true, [ROOM_CANCELLED] = true, [ROOM_REJECTED] = true,
		[ROOM_BUSY] = true, [ROOM_MISSED] = true,
	},
};

const enum participant_status RINGING_AT_END[ROOM_STATUS_COUNT] = {
	[ROOM_FINISHED]  = P_CANCELLED,
	[ROOM_CANCELLED] = P_CANCELLED,
	[ROOM_REJECTED]  = P_REJECTED,
	[ROOM_BUSY]      = P_CANCELLED,
	[ROOM_MISSED]    = P_MISSED,
};

bool
move_legal(const struct participant *p, enum move m)
{
	return MOVES[p->status][m].legal;
}

static void
enter_joined(struct call *c, struct participant *p)
{
	p->status = P_JOINED;
	p->join_time = c->now_ms / 1000;
	p->leave_time = 0;
	p->deadline_ms = 0;
	p->left_how = S("");
	p->session_from_ms = c->now_ms;
	p->missing_at_ms = 0;
	if (!call_answered(c) && call_count(c, P_JOINED) >= 2)
		c->room.answered_at_ms = c->now_ms;
}

static void
enter_inviting(struct call *c, struct participant *p)
{
	p->status = P_INVITING;
	p->claimed = true;
	p->removed = false;
	p->left_how = S("");
	p->deadline_ms = c->now_ms + c->room.timeout_s * 1000;
	p->device_type = p->device_id = S("");
	p->invited_anew = true;
}

/* Its media session, if one is known, is over with it: what LiveKit still says of it is old news. */
static void
leave_active(struct call *c, struct participant *p, enum participant_status to, enum left_how how)
{
	if (to == P_LEFT)
		p->leave_time = c->now_ms / 1000;
	if (p->sid.len > 0)
		p->last_left_sid = p->sid;
	p->sid = S("");
	p->status = (int)to;
	p->deadline_ms = 0;
	p->claimed = false;
	p->missing_at_ms = 0;
	p->left_at_ms = c->now_ms;
	p->left_how = str_of(left_how_name(how));
}

enum event_type
move_do(struct call *c, struct participant *p, enum move m, enum left_how how)
{
	const struct move_row *row = &MOVES[p->status][m];

	assert(row->legal);
	call_touch(c, p);
	if (row->to == P_JOINED) {
		/* Whatever session was known belongs to the device before. */
		if (p->sid.len > 0)
			p->last_left_sid = p->sid;
		p->sid = S("");
		enter_joined(c, p);
	} else if (row->to == P_INVITING) {
		enter_inviting(c, p);
	} else {
		leave_active(c, p, row->to, how);
	}
	return row->event;
}

void
move_tell(struct call *c, struct participant *p, enum move m, enum left_how how)
{
	event_tell_of(c, move_do(c, p, m, how), p);
}

void
move_at_end(struct call *c, struct participant *p, enum participant_status to)
{
	call_touch(c, p);
	leave_active(c, p, to, LEFT_ENDED);
}
