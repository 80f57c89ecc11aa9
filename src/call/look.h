/* look - the reconciler's operations: which calls are to be looked at, and what LiveKit's lists do to them. Any number
 * of processes share the calls, and may be killed at any moment.
 * Between op_look_claim and op_look_apply LiveKit is asked, without a lock: what it says counts for a call that is the
 * same still.
 * SPDX-License-Identifier: MIT */
#ifndef CALL_LOOK_H
#define CALL_LOOK_H

#include "call/services.h"
#include "model/seen.h"
#include "store/look_store.h"

enum { LOOKS_MAX = 200, LOOK_FINAL_FOR_MS = 10 * 60 * 1000 };

/* After a start all calls are looked at once, whenever their turn is. Zeroed at first. */
struct look_sweep {
	bool begun, done;
	int64_t until_ms;
	int64_t now_ms;              /* the database's clock at the last claim */
};
/* At most LOOKS_MAX calls under way, and as many that ended lately. *full_out: there may be more. */
enum err op_look_claim(struct op *op, struct services *sv, struct look_sweep *sweep, struct look **out,
    size_t *n_out, bool *full_out) MUST_CHECK;

/* Whether LiveKit is to be asked who is in the call, now that it said how many. trouble: its webhooks are late or
 * refused. */
bool look_wants_list(const struct look *k, const struct seen_room *seen, const struct conf *c, int64_t now_ms,
    bool trouble);

/* What was claimed and what LiveKit said of it; listed[i]: it was asked who is there, and answered. */
struct looks {
	const struct look *at;
	const struct seen_room *seen;
	const bool *listed;
	size_t n;
};
/* Who was missing before and is missing in these lists, too: to be asked for by name. now_ms: of the claim. */
enum err op_look_doubted(struct op *op, struct services *sv, const struct looks *looks, int64_t now_ms,
    struct doubted_row **out, size_t *n_out) MUST_CHECK;
/* A call that fails is looked at again in its turn; ERR_UNAVAILABLE: the database is away. */
enum err op_look_apply(struct op *op, struct services *sv, const struct looks *looks, size_t *n_changed_out) MUST_CHECK;

#endif
