/* takeover - what the migrations cannot say in SQL files about rows of the Go server: their local times
 * become ours in UTC ms, their ringing rows and active calls get deadlines (calls.md, I7). Idempotent and
 * run at every migrate: the Go server may have written since (the way back, and forth again).
 * Changes:   created_at_ms and updated_at_ms where created_at_ms is 0; deadline_ms of ringing rows of
 *            active calls where it is 0; next_deadline_ms (and version) of active calls. Nothing else: no
 *            status, no column of the Go server's.
 * Locks:     a few hundred rows for some milliseconds each, under the call's own lock where a worker might
 *            change the same; two at once are harmless.
 * Errors:    said in words through `print`.
 * SPDX-License-Identifier: MIT */
#ifndef SCHEMA_TAKEOVER_H
#define SCHEMA_TAKEOVER_H

#include "base/op.h"
#include "sql/sql.h"

struct takeover {
	int64_t ring_timeout_ms, max_call_ms;         /* LIVEKIT_TIMEOUT; MAX_CALL_S, 0: off */
	struct str zone;                              /* TZ by name, "": the system's */
	void (*print)(void *arg, struct str line);
	void *arg;
};

/* Before anything is changed, read-only, also on a database without our columns: names the time zone
 * assumed and the age of the newest row waiting. ERR_INTERNAL: that row would lie in the future. */
enum err takeover_check(struct op *op, struct sql_link *l, const struct takeover *t) MUST_CHECK;
/* After the migrations. */
enum err takeover_run(struct op *op, struct sql_link *l, const struct takeover *t) MUST_CHECK;
/* The dry run of takeover_run: rows per table, and what is locked how long. */
enum err takeover_plan(struct op *op, struct sql_link *l, const struct takeover *t) MUST_CHECK;

extern const struct sql_stmt *const TAKEOVER_STMTS[];         /* both: NULL at the end */
extern const struct sql_stmt *const TAKEOVER_STEP_STMTS[];

#endif
