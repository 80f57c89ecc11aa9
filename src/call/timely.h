/* timely - the operations that time asks for: which calls are due, and what their deadlines do to them. Any number
 * of processes may do this at the same time, and be killed at any moment.
 * Between op_due and op_fire LiveKit is asked, without a lock: what it says counts for a call that is the same still.
 * SPDX-License-Identifier: MIT */
#ifndef CALL_TIMELY_H
#define CALL_TIMELY_H

#include "call/services.h"
#include "model/seen.h"
#include "store/due_store.h"

struct due {
	int64_t now_ms;              /* the database's clock */
	struct due_row *rooms;       /* due by now, earliest first */
	size_t n;
	int64_t next_ms;             /* the earliest deadline of all, due or not; 0: there is none */
};
/* At most `limit` calls, and so many that their participants fit into memory. */
enum err op_due(struct op *op, struct services *sv, size_t limit, struct due *out) MUST_CHECK;
struct fire_count {
	size_t n_fired;              /* something came of it */
	size_t n_waiting;            /* due again later: LiveKit is silent */
	size_t n_passed;             /* locked by others, or changed since */
	size_t n_failed;             /* pushed back */
};
/* Of each due room seen[i] says what LiveKit said. ERR_UNAVAILABLE: the database is away; what was not done is due
 * still. */
enum err op_fire(struct op *op, struct services *sv, const struct due *d, const struct seen_room *seen,
    struct fire_count *out) MUST_CHECK;

#endif
