/* standing - may a room stay on its node? A table of what is known of the node and of who is in the room; nothing is asked
 * here. A room with people in it is torn off a node that only seems dead at the price of splitting the call.
 * SPDX-License-Identifier: MIT */
#ifndef CALL_STANDING_H
#define CALL_STANDING_H

#include "livekit/pulse.h"
#include "livekit/registry.h"

/* So long a node has to be silent before people who are connected there are believed to be lost. */
enum { STANDING_SILENT_MS = 2000 };

struct standing {
	bool assigned;                /* the room has a node */
	bool fresh;                   /* its record */
	bool leaving;                 /* drained by an operator, or shutting down */
	enum pulse_state pulse;
	int64_t silent_ms;
	bool people;                  /* somebody is connected, as far as we were told */
	bool visited;                 /* somebody ever was */
};
enum stand { STAND_STAYS, STAND_MOVES, STAND_WAITS };

/* why_out: a word for the log; "" where it stays. */
enum stand standing_judge(const struct standing *s, const char **why_out);

#endif
