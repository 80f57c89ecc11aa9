/* pace_store - counts what lies between two row numbers.
 * SPDX-License-Identifier: MIT */
#include "store/pace_store.h"

static const struct sql_col MARK_COLS[] = {
	SQL_COL(struct pace_mark, room_id),
	SQL_COL(struct pace_mark, event_id),
};
static const struct sql_stmt MARK = {
	.name = "pace_mark",
	.text = "SELECT (SELECT MAX(id) FROM rtc_room), (SELECT MAX(id) FROM event)",
	.cols = MARK_COLS,
	.n_cols = N_ELEMS(MARK_COLS),
};
static const struct sql_col PACE_COLS[] = {
	SQL_COL(struct pace, n_created),
	SQL_COL(struct pace, n_joined),
	SQL_COL(struct pace, n_ended),
};
static const struct sql_stmt BETWEEN = {
	.name = "pace_between",
	.text = "SELECT (SELECT COUNT(*) FROM rtc_room WHERE id > ? AND id <= ?), "
	    "COUNT(IF(type = 'participant.accepted', 1, NULL)), COUNT(IF(type = 'room.finished', 1, NULL)) "
	    "FROM event WHERE id > ? AND id <= ?",
	.cols = PACE_COLS,
	.n_cols = N_ELEMS(PACE_COLS),
};
const struct sql_stmt *const PACE_STORE_STMTS[] = { &MARK, &BETWEEN, NULL };

enum err
pace_store_mark(struct op *op, struct sql_link *l, struct pace_mark *out)
{
	bool found;

	*out = (struct pace_mark){ 0 };
	return sql_one(op, l, &MARK, NULL, 0, out, &found);
}

enum err
pace_store_between(struct op *op, struct sql_link *l, const struct pace_mark *from, const struct pace_mark *to,
    struct pace *out)
{
	const struct sql_arg args[] = { sql_i64(from->room_id), sql_i64(to->room_id), sql_i64(from->event_id),
		sql_i64(to->event_id) };
	bool found;

	*out = (struct pace){ 0 };
	return sql_one(op, l, &BETWEEN, args, N_ELEMS(args), out, &found);
}
