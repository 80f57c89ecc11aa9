/* once_store - statements on table idempotency.
 * SPDX-License-Identifier: MIT */
#include "store/once_store.h"

/* An update that changes nothing, and not INSERT IGNORE: that would share the lock of a row that is there, and two who
 * share it and then want to write are a deadlock. */
static const struct sql_stmt TAKE = {
	.name = "once_take",
	.text = "INSERT INTO idempotency (id, body_sha256, answer, created_at_ms) VALUES (?, '', '', " SQL_NOW_MS ") "
	    "ON DUPLICATE KEY UPDATE id = VALUES(id)",
};
static const struct sql_col ONCE_COLS[] = {
	SQL_COL(struct once_row, body_sha256),
	SQL_COL(struct once_row, room_id),
	SQL_COL(struct once_row, status),
	SQL_COL(struct once_row, answer),
	SQL_COL(struct once_row, access_at),
	SQL_COL(struct once_row, access_len),
	SQL_COL(struct once_row, age_ms),
};
static const struct sql_stmt GET = {
	.name = "once_get",
	.text = "SELECT body_sha256, room_id, status, answer, access_at, access_len, "
	    SQL_NOW_MS " - created_at_ms FROM idempotency WHERE id = ?",
	.cols = ONCE_COLS,
	.n_cols = N_ELEMS(ONCE_COLS),
};
static const struct sql_stmt KEEP = {
	.name = "once_keep",
	.text = "UPDATE idempotency SET body_sha256 = ?, caller = ?, route = ?, room_id = ?, status = ?, answer = ?, "
	    "access_at = ?, access_len = ?, created_at_ms = " SQL_NOW_MS " WHERE id = ?",
};
static const struct sql_stmt DROP = {
	.name = "once_drop",
	.text = "DELETE FROM idempotency WHERE id = ?",
};
const struct sql_stmt *const ONCE_STORE_STMTS[] = { &TAKE, &GET, &KEEP, &DROP, NULL };

enum err
once_store_take(struct op *op, struct sql_link *l, struct str id, struct once_row *row_out, bool *found_out)
{
	const struct sql_arg arg = sql_str(id);
	struct sql_done done;
	enum err e;

	*found_out = false;
	if ((e = sql_run(op, l, &TAKE, &arg, 1, &done)) != ERR_OK || done.n_affected > 0)
		return e;
	return sql_one(op, l, &GET, &arg, 1, row_out, found_out);
}

enum err
once_store_keep(struct op *op, struct sql_link *l, struct str id, const struct once_row *row)
{
	const struct sql_arg args[] = { sql_str(row->body_sha256), sql_str(row->caller), sql_str(row->route),
		sql_str(row->room_id), sql_i64(row->status), sql_str(row->answer), sql_i64(row->access_at),
		sql_i64(row->access_len), sql_str(id) };

	return sql_run(op, l, &KEEP, args, N_ELEMS(args), NULL);
}

enum err
once_store_drop(struct op *op, struct sql_link *l, struct str id)
{
	const struct sql_arg arg = sql_str(id);

	return sql_run(op, l, &DROP, &arg, 1, NULL);
}
