/* endpoint_store - the receivers of events: which there are, how they do, what waits for them.
 * SPDX-License-Identifier: MIT */
#ifndef STORE_ENDPOINT_STORE_H
#define STORE_ENDPOINT_STORE_H

#include "sql/sql.h"

enum { ENDPOINTS_SHOWN = 200, WAITING_MAX = 100000 };

/* The configured ones have a row, a removed one comes back; all others are removed. now_ms: the database's. */
enum err endpoint_store_settle(struct op *op, struct sql_link *l, const struct conf *c, int64_t now_ms) MUST_CHECK;

struct endpoint_row {
	struct str id, url, state, last_error;
	int64_t added_at_ms, down_since_ms, last_ok_at_ms, last_failed_at_ms, last_status;
	int64_t now_ms;
};
/* All of them, oldest first, at most ENDPOINTS_SHOWN. */
enum err endpoint_store_list(struct op *op, struct sql_link *l, struct endpoint_row **rows_out,
    size_t *n_out) MUST_CHECK;
enum err endpoint_store_get(struct op *op, struct sql_link *l, struct str id, struct endpoint_row *row_out,
    bool *found_out) MUST_CHECK;
/* "removed" takes part in nothing. */
bool endpoint_row_removed(const struct endpoint_row *r);

/* What is queued or tried again for it: how many, counted up to WAITING_MAX + 1, and since when the oldest. */
struct waiting { int64_t n, since_ms; };
enum err endpoint_store_waiting(struct op *op, struct sql_link *l, struct str id, struct waiting *out) MUST_CHECK;

/* The receiver is active and held to be well. */
enum err endpoint_store_enable(struct op *op, struct sql_link *l, struct str id) MUST_CHECK;
/* Makes what waits for it due, a few hundred rows; *n_out: how many, 0 when none is left. */
enum err endpoint_store_make_due(struct op *op, struct sql_link *l, struct str id, int64_t now_ms,
    int64_t *n_out) MUST_CHECK;

extern const struct sql_stmt *const ENDPOINT_STORE_STMTS[];

#endif
