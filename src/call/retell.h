/* retell - Redis is told from the database what is true of some calls. A call that is over and a person who was removed are
 * kept out by what Redis has of the call (call/place.h), and the word of that may have been lost: its process died, or Redis
 * could not be reached, or came back with what it once knew. Either always leaves an action for LiveKit in the same commit,
 * which is where the jobs learn of it.
 * SPDX-License-Identifier: MIT */
#ifndef CALL_RETELL_H
#define CALL_RETELL_H

#include "call/services.h"

/* What Redis has that is newer stays. Redis away: nothing is told. ERR_UNAVAILABLE: the database is. */
enum err op_retell(struct op *op, struct services *sv, const struct str *room_ids, size_t n) MUST_CHECK;

/* How far those are through that Redis was told of lately; zeroed at first. */
struct retelling {
	int64_t connection;           /* kv_connection: another one begins anew */
	int64_t below;                /* livekit_action.id: those before it are still to be told; 0: it is done */
};
/* With every new connection to Redis, a part at a time: all calls with an action as young as an entry in Redis can be old.
 * *more_out: there are more to tell now. */
enum err op_retell_lately(struct op *op, struct services *sv, struct retelling *r, bool *more_out) MUST_CHECK;

#endif
