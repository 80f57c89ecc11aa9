/* list_store - the lists. What is asked for picks the statement, so that each has its index: a person's
 * rows, a creator's rooms, rooms by time, or rooms of some statuses by time.
 * SPDX-License-Identifier: MIT */
#include "store/list_store.h"

#include <stdlib.h>

#define STATUSES   " AND ((? >> r.status) & 1) = 1 AND "
#define BY_TIME    "rtc_room r WHERE "
#define BY_CREATOR "rtc_room r WHERE r.creator = ?" STATUSES
#define BY_UID     "rtc_participant p JOIN rtc_room r ON r.room_id = p.room_id WHERE p.uid = ?" STATUSES
/* Both a person and a creator: the person's rows are fewer. */
#define BY_BOTH                                                                                  \
	"rtc_participant p JOIN rtc_room r ON r.room_id = p.room_id WHERE p.uid = ? AND r.creator = ?" STATUSES

#define MATCHES "r.created_at_ms >= ? AND r.created_at_ms < ?"
#define PAGE                                                                                     \
	" AND (r.created_at_ms < ? OR (r.created_at_ms = ? AND r.id < ?))"                           \
	" ORDER BY r.created_at_ms DESC, r.id DESC LIMIT ? OFFSET ?"

/* By status and time, without any other wish. The few calls under way among millions that are over are found by asking
 * for each status apart: whichever is not wanted has LIMIT 0. One IN (...) would be read as one range and sorted. */
#define OF_STATUS(what, status)                                                                  \
	"(SELECT " what " FROM rtc_room FORCE INDEX (idx_status_created) WHERE status = " #status    \
	" AND created_at_ms >= ? AND created_at_ms < ?"
#define PAGE_OF(status)                                                                          \
	OF_STATUS("id, created_at_ms", status)                                                       \
	" AND (created_at_ms < ? OR (created_at_ms = ? AND id < ?))"                                 \
	" ORDER BY created_at_ms DESC, id DESC LIMIT ?)"
#define TOTAL_OF(status) OF_STATUS("1", status) " LIMIT ?)"
#define EACH_STATUS(x) x(0) " UNION ALL " x(1) " UNION ALL " x(2) " UNION ALL " x(3) " UNION ALL " \
	x(4) " UNION ALL " x(5) " UNION ALL " x(6)

#define LIST_STMT(n, from)                                                                       \
	{ .name = (n), .text = "SELECT " ROOM_SELECT " FROM " from MATCHES PAGE,                     \
	  .cols = ROOM_COLS, .n_cols = N_ROOM_COLS }
#define TOTAL_STMT(n, from)                                                                      \
	{ .name = (n), .text = "SELECT COUNT(*) FROM (SELECT 1 FROM " from MATCHES " LIMIT ?) few",  \
	  .cols = TOTAL_COLS, .n_cols = N_ELEMS(TOTAL_COLS) }

enum by { BY_TIME_ROW, BY_STATUS_ROW, BY_CREATOR_ROW, BY_UID_ROW, BY_BOTH_ROW, BY_COUNT };

struct total_row { int64_t total; };
static const struct sql_col TOTAL_COLS[] = { SQL_COL(struct total_row, total) };

static const struct sql_stmt LIST[BY_COUNT] = {
	[BY_TIME_ROW] = LIST_STMT("rooms_by_time", BY_TIME),
	[BY_STATUS_ROW] = { .name = "rooms_by_status",
	    .text = "SELECT " ROOM_SELECT " FROM (SELECT id FROM (" EACH_STATUS(PAGE_OF) ") few"
	        " ORDER BY created_at_ms DESC, id DESC LIMIT ? OFFSET ?) page JOIN rtc_room r ON r.id = page.id"
	        " ORDER BY r.created_at_ms DESC, r.id DESC",
	    .cols = ROOM_COLS, .n_cols = N_ROOM_COLS },
	[BY_CREATOR_ROW] = LIST_STMT("rooms_by_creator", BY_CREATOR),
	[BY_UID_ROW] = LIST_STMT("rooms_by_uid", BY_UID),
	[BY_BOTH_ROW] = LIST_STMT("rooms_by_uid_creator", BY_BOTH),
};
static const struct sql_stmt TOTAL[BY_COUNT] = {
	[BY_TIME_ROW] = TOTAL_STMT("rooms_total_by_time", BY_TIME),
	[BY_STATUS_ROW] = { .name = "rooms_total_by_status",
	    .text = "SELECT COUNT(*) FROM (" EACH_STATUS(TOTAL_OF) ") few",
	    .cols = TOTAL_COLS, .n_cols = N_ELEMS(TOTAL_COLS) },
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
	&LIST[BY_TIME_ROW], &LIST[BY_STATUS_ROW], &LIST[BY_CREATOR_ROW], &LIST[BY_UID_ROW], &LIST[BY_BOTH_ROW],
	&TOTAL[BY_TIME_ROW], &TOTAL[BY_STATUS_ROW], &TOTAL[BY_CREATOR_ROW], &TOTAL[BY_UID_ROW], &TOTAL[BY_BOTH_ROW],
	&PARTICIPANTS, NULL
};

enum { N_ARGS_MAX = ROOM_STATUS_COUNT * 6 + 2 };

static enum by
by_of(const struct list_filter *f)
{
	if (f->uid.len > 0)
		return f->creator.len > 0 ? BY_BOTH_ROW : BY_UID_ROW;
	if (f->creator.len > 0)
		return BY_CREATOR_ROW;
	return f->statuses != 0 ? BY_STATUS_ROW : BY_TIME_ROW;
}

static size_t
time_args(const struct list_filter *f, struct sql_arg *a)
{
	a[0] = sql_i64(f->since_ms);
	a[1] = sql_i64(f->until_ms == 0 ? INT64_MAX : f->until_ms);
	return 2;
}

static size_t
after_args(const struct list_filter *f, struct sql_arg *a)
{
	int64_t after_ms = f->after_ms == 0 ? INT64_MAX : f->after_ms;

	a[0] = a[1] = sql_i64(after_ms);
	a[2] = sql_i64(f->after_id);
	return 3;
}

/* The arguments of `from` and MATCHES, but for BY_STATUS_ROW; returns how many. */
static size_t
filter_args(const struct list_filter *f, struct sql_arg *a)
{
	size_t n = 0;

	if (f->uid.len > 0)
		a[n++] = sql_str(f->uid);
	if (f->creator.len > 0)
		a[n++] = sql_str(f->creator);
	if (n > 0)
		a[n++] = sql_i64(f->statuses == 0 ? 0xff : f->statuses);
	return n + time_args(f, &a[n]);
}

/* Those of EACH_STATUS: of each that is wanted `limit` rows at most. */
static size_t
status_args(const struct list_filter *f, bool page, int64_t limit, struct sql_arg *a)
{
	size_t n = 0;

	for (int s = 0; s < ROOM_STATUS_COUNT; s++) {
		n += time_args(f, &a[n]);
		if (page)
			n += after_args(f, &a[n]);
		a[n++] = sql_i64(f->statuses >> s & 1 ? limit : 0);
	}
	return n;
}

enum err
list_store_rooms(struct op *op, struct sql_link *l, const struct list_filter *f, struct room_row **rows_out,
    size_t *n_out)
{
	struct sql_arg args[N_ARGS_MAX];
	enum by by = by_of(f);
	size_t n;

	if (by == BY_STATUS_ROW) {
		n = status_args(f, true, f->offset + f->limit, args);
	} else {
		n = filter_args(f, args);
		n += after_args(f, &args[n]);
	}
	args[n++] = sql_i64(f->limit);
	args[n++] = sql_i64(f->offset);
	return sql_all(op, l, &LIST[by], args, n, sizeof(**rows_out), rows_out, n_out);
}

enum err
list_store_total(struct op *op, struct sql_link *l, const struct list_filter *f, int64_t *total_out)
{
	const int64_t most = LIST_TOTAL_MAX + 1;
	struct sql_arg args[N_ARGS_MAX];
	struct total_row row = { 0 };
	enum by by = by_of(f);
	bool found;
	size_t n;
	enum err e;

	if (by == BY_STATUS_ROW) {
		n = status_args(f, false, most, args);
	} else {
		n = filter_args(f, args);
		args[n++] = sql_i64(most);
	}
	if ((e = sql_one(op, l, &TOTAL[by], args, n, &row, &found)) != ERR_OK)
		return e;
	*total_out = row.total < most ? row.total : most;
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
