/* due_store - the statements that find what is due.
 * SPDX-License-Identifier: MIT */
#include "store/due_store.h"

static const struct sql_col DUE_COLS[] = {
	SQL_COL(struct due_row, id),
	SQL_COL(struct due_row, version),
	SQL_COL(struct due_row, room_id),
	SQL_COL(struct due_row, next_deadline_ms),
	SQL_COL(struct due_row, n_rows),
	SQL_COL(struct due_row, n_joined),
	SQL_COL(struct due_row, has_media),
};
#define ACTIVE_BY_TIME "rtc_room r WHERE r.next_deadline_ms > 0 AND r.status IN (0, 1)"

/* In the index's order: it is left after `limit` rows. */
static const struct sql_stmt ROOMS = {
	.name = "due_rooms",
	.text = "SELECT r.id, r.version, r.room_id, r.next_deadline_ms, "
	    "(SELECT COUNT(*) FROM rtc_participant p WHERE p.room_id = r.room_id), "
	    "(SELECT COUNT(*) FROM rtc_participant p WHERE p.room_id = r.room_id AND p.status = 1), "
	    "r.livekit_sid <> '' FROM " ACTIVE_BY_TIME " AND r.next_deadline_ms <= ? "
	    "ORDER BY r.next_deadline_ms LIMIT ?",
	.cols = DUE_COLS,
	.n_cols = N_ELEMS(DUE_COLS),
};
static const struct sql_col NEXT_COLS[] = {
	SQL_COL(struct due_next, now_ms),
	SQL_COL(struct due_next, at_ms),
};
static const struct sql_stmt NEXT = {
	.name = "due_next",
	.text = "SELECT " SQL_NOW_MS ", (SELECT r.next_deadline_ms FROM " ACTIVE_BY_TIME
	    " ORDER BY r.next_deadline_ms LIMIT 1)",
	.cols = NEXT_COLS,
	.n_cols = N_ELEMS(NEXT_COLS),
};
static const struct sql_stmt PUSH = {
	.name = "due_push",
	.text = "UPDATE rtc_room SET next_deadline_ms = " SQL_NOW_MS " + ? "
	    "WHERE id = ? AND version = ? AND next_deadline_ms > 0",
};
const struct sql_stmt *const DUE_STORE_STMTS[] = { &NEXT, &ROOMS, &PUSH, NULL };

enum err
due_store_next(struct op *op, struct sql_link *l, struct due_next *out)
{
	bool found;

	*out = (struct due_next){ 0 };
	return sql_one(op, l, &NEXT, NULL, 0, out, &found);
}

enum err
due_store_rooms(struct op *op, struct sql_link *l, const struct due_ask *ask, struct due_row **rows_out,
    size_t *n_out)
{
	const struct sql_arg args[] = { sql_i64(ask->now_ms), sql_i64(ask->limit) };

	return sql_all(op, l, &ROOMS, args, N_ELEMS(args), sizeof(**rows_out), rows_out, n_out);
}

enum err
due_store_push(struct op *op, struct sql_link *l, const struct due_row *r, int64_t ms)
{
	const struct sql_arg args[] = { sql_i64(ms), sql_i64(r->id), sql_i64(r->version) };

	return sql_run(op, l, &PUSH, args, N_ELEMS(args), NULL);
}
