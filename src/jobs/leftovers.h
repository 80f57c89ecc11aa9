/* leftovers - clears LiveKit's Redis of what dead nodes left there, a part at a time.
 * Rooms: those whose node is provably gone (LiveKit knows no such id any more, or its record is older than LEFT_STALE_S
 * and its address refuses connections) and whose call is final; calls that go on are moved by whoever comes back to them.
 * Ghosts: of calls that moved on, people who joined before their node had the call and are in it no more.
 * SPDX-License-Identifier: MIT */
#ifndef JOBS_LEFTOVERS_H
#define JOBS_LEFTOVERS_H

#include "call/services.h"
#include "jobs/watch.h"

enum { LEFT_STALE_S = 60 };

/* Where the last part ended. */
struct sweep {
	int64_t cursor;               /* in room_node_map */
	int64_t room_id;              /* rtc_room.id, among the calls under way */
};
void leftovers_sweep(struct op *op, struct services *sv, struct watch *w, struct sweep *s);

#endif
