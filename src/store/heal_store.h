/* heal_store - rows that are active although their call is over or not there, as the Go server leaves them when it
 * dies. They keep nobody busy (busy counts active calls only), but every report counts them.
 * Errors:    those of the sql room. SPDX-License-Identifier: MIT */
#ifndef STORE_HEAL_STORE_H
#define STORE_HEAL_STORE_H

#include "sql/sql.h"

enum { HEAL_ROWS = 200 };

struct stale_row {
	int64_t id;
	struct str room_id;
	bool no_room;
};
/* The first HEAL_ROWS of that status (0 or 1) after a row number. */
enum err heal_store_find(struct op *op, struct sql_link *l, int status, int64_t after_id, struct stale_row **out,
    size_t *n_out) MUST_CHECK;
/* Rows without a call, by number: who rang was cancelled, who was joined is gone. */
enum err heal_store_close(struct op *op, struct sql_link *l, const int64_t *ids, size_t n, int64_t *n_closed_out)
    MUST_CHECK;

extern const struct sql_stmt *const HEAL_STORE_STMTS[];

#endif
