/* takeover_private - what the files of the take-over share; nobody else includes it.
 * SPDX-License-Identifier: MIT */
#ifndef SCHEMA_TAKEOVER_PRIVATE_H
#define SCHEMA_TAKEOVER_PRIVATE_H

#include "schema/takeover.h"

/* A DATETIME column as local_time.h counts it; SQL's NULL when it is NULL. */
#define CIVIL_MS(column) "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', " column ") DIV 1000)"
/* Rows of one step. A step is a transaction. */
enum { TAKEOVER_ROOMS = 500, TAKEOVER_CALLS = 100 };

/* A row and its local times (local_time.h); 0: not known. */
struct dated {
	int64_t id, created_civil_ms, updated_civil_ms;
};

void takeover_say(const struct takeover *t, const char *fmt, ...) PRINTF(2, 3);
/* Whether there is a Go table at all, and whether it has our columns yet. */
struct takeover_look { bool tables, columns; };
enum err takeover_look(struct op *op, struct sql_link *l, struct takeover_look *out) MUST_CHECK;

/* takeover_steps.c: one step each, inside tx_run. *last_id is where the step began and then where it
 * ended; *n_out rows looked at, 0: there are no more. */
struct takeover_step {
	const struct takeover *t;
	int64_t last_id, end_id;
	size_t n_seen;
	int64_t n_rooms, n_rows;                      /* changed */
};
enum err takeover_step_times(struct op *op, struct sql_link *l,
    void *step, bool *rollback_out) MUST_CHECK;
enum err takeover_step_deadlines(struct op *op, struct sql_link *l,
    void *step, bool *rollback_out) MUST_CHECK;

#endif
