/* heal_store - stale rows of the Go server.
 * SPDX-License-Identifier: MIT */
#include "store/heal_store.h"

static const struct sql_col STALE_COLS[] = {
	SQL_COL(struct stale_row, id),
	SQL_COL(struct stale_row, room_id),
	SQL_COL(struct stale_row, no_room),
};
/* Rows by status are few, whatever the history: the index on it is followed, in the order of the rows. */
static const struct sql_stmt STALE = {
	.name = "stale_rows",
	.text = "SELECT p.id, p.room_id, r.id IS NULL FROM rtc_participant p "
	    "LEFT JOIN rtc_room r ON r.room_id = p.room_id "
	    "WHERE p.status = ? AND p.id > ? AND (r.id IS NULL OR r.status > 1) ORDER BY p.id LIMIT ?",
	.cols = STALE_COLS,
	.n_cols = N_ELEMS(STALE_COLS),
};
/* From left to right: status is read before it is set. A call is never made around rows that are there already. */
static const struct sql_stmt CLOSE = {
	.name = "stale_rows_close",
	.text = "UPDATE rtc_participant SET leave_time = IF(status = 1, GREATEST(join_time, leave_time), leave_time), "
	    "status = IF(status = 1, 3, 6), deadline_ms = 0, claimed = 0, sid = '', left_how = 'ended', "
	    "left_at_ms = " SQL_NOW_MS " WHERE status IN (0, 1) AND id IN ({})",
	.unit = "?",
};
const struct sql_stmt *const HEAL_STORE_STMTS[] = { &STALE, &CLOSE, NULL };

enum err
heal_store_find(struct op *op, struct sql_link *l, int status, int64_t after_id, struct stale_row **out,
    size_t *n_out)
{
	const struct sql_arg args[] = { sql_i64(status), sql_i64(after_id), sql_i64(HEAL_ROWS) };

	return sql_all(op, l, &STALE, args, N_ELEMS(args), sizeof(**out), out, n_out);
}

enum err
heal_store_close(struct op *op, struct sql_link *l, const int64_t *ids, size_t n, int64_t *n_closed_out)
{
	struct sql_arg *args = arena_array(op->arena, n + 1, sizeof(*args));
	struct sql_done done = { 0 };
	enum err e;

	for (size_t i = 0; i < n; i++)
		args[i] = sql_i64(ids[i]);
	if (n == 0)
		return ERR_OK;
	e = sql_run(op, l, &CLOSE, args, n, &done);
	*n_closed_out += done.n_affected;
	return e;
}
