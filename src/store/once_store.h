/* once_store - answers kept for their Idempotency-Key: table idempotency. The row is the first lock of a transaction, so
 * that a twin of its request waits for all of it.
 * Errors:    those of the sql room.
 * SPDX-License-Identifier: MIT */
#ifndef STORE_ONCE_STORE_H
#define STORE_ONCE_STORE_H

#include "sql/sql.h"

struct once_row {
	struct str body_sha256;       /* 64 hex digits */
	struct str caller, route, room_id;
	int status;
	struct str answer;
	int64_t access_at, access_len;
	int64_t age_ms;               /* when read */
};

/* First in a transaction: takes the row, waiting for whoever else holds it. *found_out: it was there, committed, and
 * row_out (without caller and route) is what it says; else it is new and empty. */
enum err once_store_take(struct op *op, struct sql_link *l, struct str id, struct once_row *row_out,
    bool *found_out) MUST_CHECK;
/* Last in the same transaction; its age begins anew. */
enum err once_store_keep(struct op *op, struct sql_link *l, struct str id, const struct once_row *row) MUST_CHECK;
/* First in a transaction that undoes what was answered. */
enum err once_store_drop(struct op *op, struct sql_link *l, struct str id) MUST_CHECK;

extern const struct sql_stmt *const ONCE_STORE_STMTS[];

#endif
