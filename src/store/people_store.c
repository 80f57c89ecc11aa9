/* people_store - statements about people over all calls.
 * SPDX-License-Identifier: MIT */
#include "store/people_store.h"

static const struct sql_stmt USERS_LOCK = {
	.name = "users_lock",
	.text = "INSERT INTO rtc_user (uid, version) VALUES {} ON DUPLICATE KEY UPDATE version = version + 1",
	.unit = "(?,1)",
};
static const struct sql_col ROOM_ID_COLS[] = { SQL_COL(struct room_id_row, room_id) };
static const struct sql_stmt BUSY = {
	.name = "people_busy",
	.text = "SELECT DISTINCT p.uid FROM rtc_participant p JOIN rtc_room r ON r.room_id = p.room_id "
	    "WHERE p.room_id <> ? AND p.status IN (0, 1) AND r.status IN (0, 1) AND p.uid IN ({}) "
	    "ORDER BY p.uid",
	.unit = "?",
	.cols = ROOM_ID_COLS,          /* one text column: the uid */
	.n_cols = 1,
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
static const struct sql_stmt ACTIVE_ROOMS = {
	.name = "people_active_rooms",
	.text = "SELECT p.room_id FROM rtc_participant p JOIN rtc_room r ON r.room_id = p.room_id "
	    "WHERE p.uid = ? AND p.status IN (0, 1) AND r.status IN (0, 1) ORDER BY r.id LIMIT 100",
	.cols = ROOM_ID_COLS,
	.n_cols = 1,
};
const struct sql_stmt *const PEOPLE_STORE_STMTS[] = { &USERS_LOCK, &BUSY, &CALLING, &ACTIVE_ROOMS, NULL };

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

enum err
people_store_busy(struct op *op, struct sql_link *l, const struct str *uids, size_t n,
    struct str except_room, struct str **busy_out, size_t *n_out)
{
	struct sql_arg *args = uid_args(op, uids, n, 1);

	*n_out = 0;
	*busy_out = NULL;
	if (n == 0)
		return ERR_OK;
	args[0] = sql_str(except_room);
	return sql_all(op, l, &BUSY, args, n + 1, sizeof(struct str), busy_out, n_out);
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

enum err
people_store_active_rooms(struct op *op, struct sql_link *l, struct str uid, struct room_id_row **rows_out,
    size_t *n_out)
{
	const struct sql_arg arg = sql_str(uid);

	return sql_all(op, l, &ACTIVE_ROOMS, &arg, 1, sizeof(**rows_out), rows_out, n_out);
}
