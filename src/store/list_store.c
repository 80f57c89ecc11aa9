/* list_store - the lists. What is asked for picks the statement, so that each has its index: a person's
 * rows, a creator's rooms, or rooms by time.
 * SPDX-License-Identifier: MIT */
#include "store/list_store.h"

#include <stdlib.h>

#define BY_TIME    "rtc_room r WHERE 1 = 1"
#define BY_CREATOR "rtc_room r WHERE r.creator = ?"
#define BY_UID     "rtc_participant p JOIN rtc_room r ON r.room_id = p.room_id WHERE p.uid = ?"
/* Both a person and a creator: the person's rows are fewer. */
#define BY_BOTH    "rtc_participant p JOIN rtc_room r ON r.room_id = p.room_id WHERE p.uid = ? AND r.creator = ?"

#define MATCHES                                                                                  \
	" AND ((? >> r.status) & 1) = 1 AND r.created_at_ms >= ? AND r.created_at_ms < ?"
#define PAGE                                                                                     \
	" AND (r.created_at_ms < ? OR (r.created_at_ms = ? AND r.id < ?))"                           \
	" ORDER BY r.created_at_ms DESC, r.id DESC LIMIT ? OFFSET ?"

#define LIST_STMT(n, from)                                                                       \
	{ .name = (n), .text = "SELECT " ROOM_SELECT " FROM " from MATCHES PAGE,                     \
	  .cols = ROOM_COLS, .n_cols = N_ROOM_COLS }
#define TOTAL_STMT(n, from)                                                                      \
	{ .name = (n), .text = "SELECT COUNT(*) FROM (SELECT 1 FROM " from MATCHES " LIMIT ?) few",  \
	  .cols = TOTAL_COLS, .n_cols = N_ELEMS(TOTAL_COLS) }

enum by { BY_TIME_ROW, BY_CREATOR_ROW, BY_UID_ROW, BY_BOTH_ROW, BY_COUNT };

struct total_row { int64_t total; };
static const struct sql_col TOTAL_COLS[] = { SQL_COL(struct total_row, total) };

static const struct sql_stmt LIST[BY_COUNT] = {
	[BY_TIME_ROW] = LIST_STMT("rooms_by_time", BY_TIME),
	[BY_CREATOR_ROW] = LIST_STMT("rooms_by_creator", BY_CREATOR),
	[BY_UID_ROW] = LIST_STMT("rooms_by_uid", BY_UID),
	[BY_BOTH_ROW] = LIST_STMT("rooms_by_uid_creator", BY_BOTH),
};
static const struct sql_stmt TOTAL[BY_COUNT] = {
	[BY_TIME_ROW] = TOTAL_STMT("rooms_total_by_time", BY_TIME),
	[BY_CREATOR_ROW] = TOTAL_STMT("rooms_total_by_creator", BY_CREATOR),
	[BY_UID_ROW] = TOTAL_STMT("rooms_total_by_uid", BY_UID),
	[BY_BOTH_ROW] = TOTAL_STMT("rooms_total_by_uid_creator", BY_BOTH),
};
static const struct sql_stmt PARTICIPANTS = {
	.name = "participants_of_rooms",
	.text = "SELECT " PARTICIPANT_SELECT " FROM rtc_participant p FORCE INDEX (uk_room_uid) "
	    "WHERE p.room_id IN ({})",
	.unit = "?",
	.cols = PARTICIPANT_COLS,
	.n_cols = N_PARTICIPANT_COLS,
};
const struct sql_stmt *const LIST_STORE_STMTS[] = {
	&LIST[BY_TIME_ROW], &LIST[BY_CREATOR_ROW], &LIST[BY_UID_ROW], &LIST[BY_BOTH_ROW],
	&TOTAL[BY_TIME_ROW], &TOTAL[BY_CREATOR_ROW], &TOTAL[BY_UID_ROW], &TOTAL[BY_BOTH_ROW],
	&PARTICIPANTS, NULL
};

enum { N_FILTER_ARGS_MAX = 5, N_PAGE_ARGS = 5 };

static enum by
by_of(const struct list_filter *f)
{
	if (f->uid.len > 0)
		return f->creator.len > 0 ? BY_BOTH_ROW : BY_UID_ROW;
	return f->creator.len > 0 ? BY_CREATOR_ROW : BY_TIME_ROW;
}

/* The arguments of `from` and MATCHES; returns how many. */
static size_t
filter_args(const struct list_filter *f, struct sql_arg *a)
{
	size_t n = 0;

	if (f->uid.len > 0)
		a[n++] = sql_str(f->uid);
	if (f->creator.len > 0)
		a[n++] = sql_str(f->creator);
	a[n++] = sql_i64(f->statuses == 0 ? 0xff : f->statuses);
	a[n++] = sql_i64(f->since_ms);
	a[n++] = sql_i64(f->until_ms == 0 ? INT64_MAX : f->until_ms);
	return n;
}

enum err
list_store_rooms(struct op *op, struct sql_link *l, const struct list_filter *f, struct room_row **rows_out,
    size_t *n_out)
{
	struct sql_arg args[N_FILTER_ARGS_MAX + N_PAGE_ARGS];
	size_t n = filter_args(f, args);
	int64_t after_ms = f->after_ms == 0 ? INT64_MAX : f->after_ms;

	args[n++] = sql_i64(after_ms);
	args[n++] = sql_i64(after_ms);
	args[n++] = sql_i64(f->after_id);
	args[n++] = sql_i64(f->limit);
	args[n++] = sql_i64(f->offset);
	return sql_all(op, l, &LIST[by_of(f)], args, n, sizeof(**rows_out), rows_out, n_out);
}

enum err
list_store_total(struct op *op, struct sql_link *l, const struct list_filter *f, int64_t *total_out)
{
	struct sql_arg args[N_FILTER_ARGS_MAX + 1];
	struct total_row row = { 0 };
	size_t n = filter_args(f, args);
	bool found;
	enum err e;

	args[n++] = sql_i64(LIST_TOTAL_MAX + 1);
	if ((e = sql_one(op, l, &TOTAL[by_of(f)], args, n, &row, &found)) != ERR_OK)
		return e;
	*total_out = row.total;
	return ERR_OK;
}

/* Here and not by the server, which would have to sort them apart from its index. */
static int
by_room_and_id(const void *a, const void *b)
{
	const struct participant_row *x = a, *y = b;
	int order = str_cmp(x->room_id, y->room_id);

	return order != 0 ? order : (x->p.id > y->p.id) - (x->p.id < y->p.id);
}

enum err
list_store_participants(struct op *op, struct sql_link *l, const struct room_row *rooms, size_t n_rooms,
    struct participant_row **rows_out, size_t *n_out)
{
	struct sql_arg *args = arena_array(op->arena, n_rooms + 1, sizeof(*args));

	enum err e;

	*n_out = 0;
	if (n_rooms == 0)
		return ERR_OK;
	for (size_t i = 0; i < n_rooms; i++)
		args[i] = sql_str(rooms[i].room.room_id);
	e = sql_all(op, l, &PARTICIPANTS, args, n_rooms, sizeof(**rows_out), rows_out, n_out);
	if (e == ERR_OK && *n_out > 1)
		qsort(*rows_out, *n_out, sizeof(**rows_out), by_room_and_id);
	return e;
}
