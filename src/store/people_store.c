/* people_store - statements about people over all calls.
 * SPDX-License-Identifier: MIT */
#include "store/people_store.h"

#include <stdlib.h>

static const struct sql_stmt USERS_LOCK = {
	.name = "users_lock",
	.text = "INSERT INTO rtc_user (uid, version) VALUES {} ON DUPLICATE KEY UPDATE version = version + 1",
	.unit = "(?,1)",
};
/* The indexes are named because the optimizer, which thinks anew at each execution, takes longer to find them than
 * the server to read them. */
#define BUSY_FROM                                                                                \
	"FROM rtc_participant p FORCE INDEX (idx_uid_status) "                                       \
	"STRAIGHT_JOIN rtc_room r FORCE INDEX (uk_room_id) ON r.room_id = p.room_id "                \
	"WHERE p.status IN (0, 1) AND r.status IN (0, 1) AND p.uid IN ({})"
struct uid_row { struct str uid; };
static const struct sql_col UID_COLS[] = { SQL_COL(struct uid_row, uid) };
static const struct sql_stmt BUSY = {
	.name = "people_busy",
	.text = "SELECT p.uid " BUSY_FROM " AND p.room_id <> ?",
	.unit = "?",
	.cols = UID_COLS,
	.n_cols = N_ELEMS(UID_COLS),
};
struct look_row { int64_t now_ms; int64_t n_taken; struct str uid; };
static const struct sql_col LOOK_COLS[] = {
	SQL_COL(struct look_row, now_ms),
	SQL_COL(struct look_row, n_taken),
	SQL_COL(struct look_row, uid),
};
/* The first row is about the room, the others are of people. */
static const struct sql_stmt LOOK = {
	.name = "create_look",
	.text = "SELECT " SQL_NOW_MS ", (SELECT COUNT(*) FROM rtc_room t WHERE t.room_id = ?), '' "
	    "UNION ALL SELECT 0, 0, p.uid " BUSY_FROM,
	.unit = "?",
	.cols = LOOK_COLS,
	.n_cols = N_ELEMS(LOOK_COLS),
};
static const struct sql_col CALLING_COLS[] = {
	SQL_COL(struct calling_row, room_id),
	SQL_COL(struct calling_row, uid),
	SQL_COL(struct calling_row, status),
};
static const struct sql_stmt CALLING = {
	.name = "people_calling",
	.text = "SELECT p.room_id, p.uid, p.status FROM rtc_participant p "
	    "JOIN rtc_room r ON r.room_id = p.room_id "
	    "WHERE p.status IN (0, 1) AND r.status IN (0, 1) AND p.uid IN ({}) ORDER BY p.id LIMIT 2000",
	.unit = "?",
	.cols = CALLING_COLS,
	.n_cols = N_ELEMS(CALLING_COLS),
};
/* Not sorted here: a row has texts of any length, and the server sorts such rows in a file. */
static const struct sql_stmt ACTIVE_ROOMS = {
	.name = "people_active_rooms",
	.text = "SELECT " ROOM_SELECT " FROM rtc_participant p FORCE INDEX (idx_uid_status) "
	    "STRAIGHT_JOIN rtc_room r FORCE INDEX (uk_room_id) ON r.room_id = p.room_id "
	    "WHERE p.uid = ? AND p.status IN (0, 1) AND r.status IN (0, 1) LIMIT 100",
	.cols = ROOM_COLS,
	.n_cols = N_ROOM_COLS,
};
const struct sql_stmt *const PEOPLE_STORE_STMTS[] = { &USERS_LOCK, &BUSY, &LOOK, &CALLING, &ACTIVE_ROOMS, NULL };

static struct sql_arg *
uid_args(struct op *op, const struct str *uids, size_t n, size_t n_before)
{
	struct sql_arg *args = arena_array(op->arena, n + n_before, sizeof(*args));

	for (size_t i = 0; i < n; i++)
		args[n_before + i] = sql_str(uids[i]);
	return args;
}

enum err
people_store_lock(struct op *op, struct sql_link *l, const struct str *sorted, size_t n)
{
	return sql_run(op, l, &USERS_LOCK, uid_args(op, sorted, n, 0), n, NULL);
}

static int
by_bytes(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Sorted, each once: somebody may be in several calls. How many are left. */
static size_t
sort_unique(struct str *uids, size_t n)
{
	size_t n_kept = 0;

	if (n == 0)
		return 0;
	qsort(uids, n, sizeof(*uids), by_bytes);
	for (size_t i = 0; i < n; i++) {
		if (n_kept == 0 || !str_eq(uids[i], uids[n_kept - 1]))
			uids[n_kept++] = uids[i];
	}
	return n_kept;
}

enum err
people_store_busy(struct op *op, struct sql_link *l, const struct str *uids, size_t n,
    struct str except_room, struct str **busy_out, size_t *n_out)
{
	struct sql_arg *args = arena_array(op->arena, n + 1, sizeof(*args));
	enum err e;

	*n_out = 0;
	*busy_out = NULL;
	if (n == 0)
		return ERR_OK;
	for (size_t i = 0; i < n; i++)
		args[i] = sql_str(uids[i]);
	args[n] = sql_str(except_room);
	if ((e = sql_all(op, l, &BUSY, args, n + 1, sizeof(struct uid_row), busy_out, n_out)) != ERR_OK)
		return e;
	*n_out = sort_unique(*busy_out, *n_out);
	return ERR_OK;
}

enum err
people_store_look(struct op *op, struct sql_link *l, struct str room_id, const struct str *uids, size_t n,
    struct create_look *out)
{
	struct sql_arg *args = uid_args(op, uids, n, 1);
	struct look_row *rows;
	size_t n_rows;
	enum err e;

	*out = (struct create_look){ 0 };
	args[0] = sql_str(room_id);
	if ((e = sql_all(op, l, &LOOK, args, n + 1, sizeof(*rows), &rows, &n_rows)) != ERR_OK)
		return e;
	out->busy = arena_array(op->arena, n_rows, sizeof(struct str));
	for (size_t i = 0; i < n_rows; i++) {
		if (rows[i].now_ms == 0) {
			out->busy[out->n_busy++] = rows[i].uid;
			continue;
		}
		out->now_ms = rows[i].now_ms;
		out->taken = rows[i].n_taken > 0;
	}
	out->n_busy = sort_unique(out->busy, out->n_busy);
	return ERR_OK;
}

enum err
people_store_calling(struct op *op, struct sql_link *l, const struct str *uids, size_t n,
    struct calling_row **rows_out, size_t *n_out)
{
	*n_out = 0;
	if (n == 0)
		return ERR_OK;
	return sql_all(op, l, &CALLING, uid_args(op, uids, n, 0), n, sizeof(**rows_out), rows_out, n_out);
}

static int
by_age(const void *a, const void *b)
{
	const struct room_row *x = a, *y = b;

	return (x->room.id > y->room.id) - (x->room.id < y->room.id);
}

enum err
people_store_active_rooms(struct op *op, struct sql_link *l, struct str uid, struct room_row **rows_out,
    size_t *n_out)
{
	const struct sql_arg arg = sql_str(uid);
	enum err e;

	if ((e = sql_all(op, l, &ACTIVE_ROOMS, &arg, 1, sizeof(**rows_out), rows_out, n_out)) != ERR_OK)
		return e;
	if (*n_out > 0)
		qsort(*rows_out, *n_out, sizeof(**rows_out), by_age);
	return ERR_OK;
}
