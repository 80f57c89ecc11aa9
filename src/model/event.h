/* event - what is told to the business backend (calls.md, "Events"). An event is rendered at the moment
 * it happens, from the call as it is then, and stored with the change that caused it.
 * SPDX-License-Identifier: MIT */
#ifndef MODEL_EVENT_H
#define MODEL_EVENT_H

#include "model/call.h"

enum event_type {
	EVENT_NONE,
	EVENT_ROOM_STARTED, EVENT_ROOM_FINISHED,
	EVENT_ACCEPTED, EVENT_JOINED, EVENT_LEFT, EVENT_REJECTED, EVENT_BUSY, EVENT_MISSED, EVENT_INVITED,
	EVENT_CANCELLED,
	EVENT_TYPE_COUNT
};
const char *event_type_name(enum event_type t);       /* "participant.left"; "" for EVENT_NONE */

/* What a participant event says besides the room. Lists that do not belong to the type stay NULL. */
struct told {
	struct str uid, device_type, device_id;
	const struct str *invited, *missed, *busy;
	size_t n_invited, n_missed, n_busy;
	struct str reason;
};

/* Adds the event to c. told is NULL for room events. */
void event_tell(struct call *c, enum event_type type, const struct told *told);
/* The usual participant event: about p, with its device. */
void event_tell_of(struct call *c, enum event_type type, const struct participant *p);

#endif
