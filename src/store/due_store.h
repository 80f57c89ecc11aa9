/* due_store - which calls are due. Read without a lock: what is done about them looks again.
 * SPDX-License-Identifier: MIT */
#ifndef STORE_DUE_STORE_H
#define STORE_DUE_STORE_H

#include "sql/sql.h"

struct due_row {
	int64_t id, version;
	struct str room_id;
	int64_t next_deadline_ms;
	int64_t n_rows, n_joined;
	bool has_media;              /* its media room was told of */
};
/* The database's clock, and the earliest deadline of an active call; 0: there is none. */
struct due_next { int64_t now_ms, at_ms; };
enum err due_store_next(struct op *op, struct sql_link *l, struct due_next *out) MUST_CHECK;
/* Active calls that are due at now_ms, earliest first, at most `limit`. */
struct due_ask { int64_t now_ms, limit; };
enum err due_store_rooms(struct op *op, struct sql_link *l, const struct due_ask *ask, struct due_row **rows_out,
    size_t *n_out) MUST_CHECK;
/* Nothing else of the call is touched: it is due again in ms, if nobody changed it since. */
enum err due_store_push(struct op *op, struct sql_link *l, const struct due_row *r, int64_t ms) MUST_CHECK;

extern const struct sql_stmt *const DUE_STORE_STMTS[];

#endif
