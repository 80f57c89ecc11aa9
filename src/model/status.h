/* status - the numbers of rooms and participants as they stand on the wire and in MySQL (calls.md), and
 * the closed lists of words beside them.
 * SPDX-License-Identifier: MIT */
#ifndef MODEL_STATUS_H
#define MODEL_STATUS_H

#include <stdbool.h>

enum room_status {
	ROOM_RINGING, ROOM_IN_PROGRESS, ROOM_FINISHED, ROOM_CANCELLED, ROOM_REJECTED, ROOM_BUSY, ROOM_MISSED,
	ROOM_STATUS_COUNT
};
enum participant_status {
	P_INVITING, P_JOINED, P_REJECTED, P_LEFT, P_MISSED, P_BUSY, P_CANCELLED,
	P_STATUS_COUNT
};

/* Why a call is over. */
enum end_reason {
	END_NONE, END_HANGUP, END_CANCELLED, END_REJECTED, END_BUSY, END_MISSED, END_ENDED, END_EMPTIED,
	END_LOST, END_MAX_DURATION,
	END_REASON_COUNT
};
/* How a participant stopped being active: the reconciler asks whether it was somebody's wish. */
enum left_how {
	LEFT_NOT, LEFT_LEAVE, LEFT_REJECT, LEFT_REMOVED, LEFT_CANCELLED, LEFT_MISSED, LEFT_LOST, LEFT_BUSY,
	LEFT_ENDED,
	LEFT_HOW_COUNT
};

bool room_status_final(int status);
bool participant_status_active(int status);
const char *room_status_name(int status);             /* "ringing", "in_progress", ...; "" for what is none */
const char *end_reason_name(enum end_reason r);       /* "" for END_NONE */
const char *left_how_name(enum left_how h);           /* "" for LEFT_NOT */
/* The reason that goes with a final status when nothing more special is known. */
enum end_reason end_reason_of(enum room_status s);

#endif
