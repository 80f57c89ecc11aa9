/* retention_store - what was kept long enough goes, a few hundred rows at a time, found by an index and
 * deleted by primary key, so that nobody waits for it.
 * SPDX-License-Identifier: MIT */
#ifndef STORE_RETENTION_STORE_H
#define STORE_RETENTION_STORE_H

#include "sql/sql.h"

enum { KEEP_CHUNK = 500, KEEP_ROOMS_CHUNK = 100 };

enum kept {
	KEPT_LIVEKIT_EVENTS,                           /* by received_at_ms */
	KEPT_ACTIONS_DONE, KEPT_ACTIONS_FAILED,        /* by due_at_ms */
	KEPT_PROCESSES,                                /* by beat_at_ms */
	KEPT_WEBHOOK_LOG,                              /* business_webhook_log, by created_at */
	KEPT_ANSWERS,                                  /* idempotency, by created_at_ms */
	KEPT_COUNT
};
/* Deletes at most KEEP_CHUNK rows older than before_ms (Unix ms). *n_out: how many were found. */
enum err retention_store_rows(struct op *op, struct sql_link *l, enum kept what, int64_t before_ms,
    size_t *n_out) MUST_CHECK;

/* Where a walk through the old events stands; zeroed: at the oldest. */
struct event_walk { int64_t at_ms, id; };
/* Of the next KEEP_CHUNK events older than before_ms go those, with their deliveries, that no receiver waits for.
 * Fewer than KEEP_CHUNK found: the walk is at its end. */
struct event_bite { size_t n_found, n_dropped; };
enum err retention_store_events(struct op *op, struct sql_link *l, int64_t before_ms, struct event_walk *walk,
    struct event_bite *out) MUST_CHECK;

/* At most KEEP_ROOMS_CHUNK calls of that final status, made and ended before before_ms, go with their participants. */
enum err retention_store_rooms(struct op *op, struct sql_link *l, int status, int64_t before_ms,
    size_t *n_out) MUST_CHECK;

extern const struct sql_stmt *const RETENTION_STORE_STMTS[];

#endif
