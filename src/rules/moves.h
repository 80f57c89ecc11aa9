/* moves - the state machine as data: what may happen to a participant and to a room in each status, and
 * which event tells of it. A pair that is not in the table is refused.
 * SPDX-License-Identifier: MIT */
#ifndef RULES_MOVES_H
#define RULES_MOVES_H

#include "model/event.h"

/* What can happen to a participant. */
enum move {
	MOVE_JOIN,       /* answers, or comes (back) in, or takes over from another device */
	MOVE_LEAVE,      /* hangs up; an inviting creator or a removed one too */
	MOVE_DECLINE,    /* refuses while it rings */
	MOVE_BE_BUSY,    /* is in another call */
	MOVE_MISS,       /* rang out */
	MOVE_CANCEL,     /* is no longer called */
	MOVE_INVITE,     /* rings (again) */
	MOVE_COUNT
};
struct move_row {
	bool legal;
	enum participant_status to;
	enum event_type event;
};
extern const struct move_row MOVES[P_STATUS_COUNT][MOVE_COUNT];

/* What can happen to a room: the final statuses by name, and the start of the media. */
extern const bool ROOM_MOVES[ROOM_STATUS_COUNT][ROOM_STATUS_COUNT];       /* [from][to] */

/* Inside end(): what becomes of a row that still rings, by the room's final status. */
extern const enum participant_status RINGING_AT_END[ROOM_STATUS_COUNT];

bool move_legal(const struct participant *p, enum move m);
/* Does a legal move: status, times, claim, deadline. Tells nothing; returns the event to tell. */
enum event_type move_do(struct call *c, struct participant *p, enum move m, enum left_how how);
/* The same, and tells it as the event about p alone. */
void move_tell(struct call *c, struct participant *p, enum move m, enum left_how how);
/* Takes a row out of active inside end(), without choosing an event. */
void move_at_end(struct call *c, struct participant *p, enum participant_status to);

#endif
