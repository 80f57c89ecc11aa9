/* status - names of statuses and reasons.
 * SPDX-License-Identifier: MIT */
#include "model/status.h"

static const char *const REASONS[END_REASON_COUNT] = {
	[END_NONE] = "",
	[END_HANGUP] = "hangup",
	[END_CANCELLED] = "cancelled",
	[END_REJECTED] = "rejected",
	[END_BUSY] = "busy",
	[END_MISSED] = "missed",
	[END_ENDED] = "ended",
	[END_EMPTIED] = "emptied",
	[END_LOST] = "lost",
	[END_MAX_DURATION] = "max_duration",
};

static const char *const ROOM_WORDS[ROOM_STATUS_COUNT] = {
	[ROOM_RINGING] = "ringing",
	[ROOM_IN_PROGRESS] = "in_progress",
	[ROOM_FINISHED] = "finished",
	[ROOM_CANCELLED] = "cancelled",
	[ROOM_REJECTED] = "rejected",
	[ROOM_BUSY] = "busy",
	[ROOM_MISSED] = "missed",
};

static const char *const LEFT[LEFT_HOW_COUNT] = {
	[LEFT_NOT] = "",
	[LEFT_LEAVE] = "leave",
	[LEFT_REJECT] = "reject",
	[LEFT_REMOVED] = "removed",
	[LEFT_CANCELLED] = "cancelled",
	[LEFT_MISSED] = "missed",
	[LEFT_LOST] = "lost",
	[LEFT_BUSY] = "busy",
	[LEFT_ENDED] = "ended",
};

static const enum end_reason USUAL[ROOM_STATUS_COUNT] = {
	[ROOM_FINISHED] = END_HANGUP,
	[ROOM_CANCELLED] = END_CANCELLED,
	[ROOM_REJECTED] = END_REJECTED,
	[ROOM_BUSY] = END_BUSY,
	[ROOM_MISSED] = END_MISSED,
};

bool
room_status_final(int status)
{
	return status >= ROOM_FINISHED;
}

bool
participant_status_active(int status)
{
	return status == P_INVITING || status == P_JOINED;
}

const char *
room_status_name(int status)
{
	return status >= 0 && status < ROOM_STATUS_COUNT ? ROOM_WORDS[status] : "";
}

const char *
end_reason_name(enum end_reason r)
{
	return REASONS[r];
}

const char *
left_how_name(enum left_how h)
{
	return LEFT[h];
}

enum end_reason
end_reason_of(enum room_status s)
{
	return USUAL[s];
}
