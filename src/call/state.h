/* state - what there is at this moment, counted: the calls, the people in them, the nodes, and what waits for the jobs.
 * Ownership: in op->arena.
 * Errors:    ERR_UNAVAILABLE, ERR_INTERNAL: it is not whole, and not to be shown.
 * SPDX-License-Identifier: MIT */
#ifndef CALL_STATE_H
#define CALL_STATE_H

#include "call/node_ops.h"
#include "store/endpoint_store.h"
#include "store/state_store.h"

struct state_endpoint {
	struct str id;
	const char *word;             /* STATE_ENDPOINT_WORDS */
	int64_t n_waiting, age_ms;    /* of the oldest; 0: nothing waits */
};
struct state {
	struct state_calls calls;
	struct state_people people;
	struct state_lags lags;
	struct state_task *tasks;
	size_t n_tasks;
	struct state_endpoint *endpoints;
	size_t n_endpoints;
	struct cluster_view cluster;
	bool calls_counted;           /* in cluster; with very many, or a slow database, that may take too long */
};
extern const char *const STATE_ENDPOINT_WORDS[];       /* NULL at the end */

/* db: what it asks with, a link that is in a hurry (sql_hurry) where somebody waits. */
enum err op_state(struct op *op, struct services *sv, struct sql_link *db, struct state *out) MUST_CHECK;

#endif
