/* list_store - lists of calls: for backends (GET /rooms) and for a person's history.
 * Newest first; a page is continued after the (created_at_ms, id) of its last row.
 * SPDX-License-Identifier: MIT */
#ifndef STORE_LIST_STORE_H
#define STORE_LIST_STORE_H

#include "sql/sql.h"
#include "store/room_columns.h"

enum { LIST_TOTAL_MAX = 10000 };

struct list_filter {
	struct str uid;                  /* "": anybody's */
	struct str creator;              /* "": anybody's */
	unsigned statuses;               /* bit n: status n; 0: all */
	int64_t since_ms, until_ms;      /* on created_at_ms; 0: open */
	int64_t after_ms, after_id;      /* the row before this page; 0: from the newest */
	int64_t limit, offset;
};
enum err list_store_rooms(struct op *op, struct sql_link *l, const struct list_filter *f,
    struct room_row **rows_out, size_t *n_out) MUST_CHECK;
/* How many match (cursor and limit aside), counted up to LIST_TOTAL_MAX + 1. */
enum err list_store_total(struct op *op, struct sql_link *l, const struct list_filter *f,
    int64_t *total_out) MUST_CHECK;
/* The participants of these rooms, by room and order. */
enum err list_store_participants(struct op *op, struct sql_link *l, const struct room_row *rooms,
    size_t n_rooms, struct participant_row **rows_out, size_t *n_out) MUST_CHECK;

extern const struct sql_stmt *const LIST_STORE_STMTS[];

#endif
