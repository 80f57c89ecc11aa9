/* call_store - the statements that lock and read calls.
 * SPDX-License-Identifier: MIT */
#include "store/call_store.h"

#include "store/list_store.h"
#include "store/room_columns.h"

static const struct sql_stmt ROOM_LOCK = {
	.name = "room_lock",
	.text = "UPDATE rtc_room SET version = version + 1 WHERE room_id = ?",
};
static const struct sql_stmt ROOMS_GET = {
	.name = "rooms_get",
	.text = "SELECT " ROOM_SELECT " FROM rtc_room r WHERE r.room_id IN ({})",
	.unit = "?",
	.cols = ROOM_COLS,
	.n_cols = N_ROOM_COLS,
};
/* Who is locked out is busy with the room, and whoever asks comes again. */
struct free_row { int64_t id, version; struct str room_id; };
static const struct sql_col FREE_COLS[] = {
	SQL_COL(struct free_row, id),
	SQL_COL(struct free_row, version),
	SQL_COL(struct free_row, room_id),
};
static const struct sql_stmt ROOMS_FREE = {
	.name = "rooms_free",
	.text = "SELECT id, version, room_id FROM rtc_room WHERE id IN ({}) ORDER BY id FOR UPDATE SKIP LOCKED",
	.unit = "?",
	.cols = FREE_COLS,
	.n_cols = N_ELEMS(FREE_COLS),
};
static const struct sql_stmt ROOMS_LOCK = {
	.name = "rooms_lock",
	.text = "UPDATE rtc_room SET version = version + 1 WHERE id IN ({})",
	.unit = "?",
};
const struct sql_stmt *const CALL_STORE_STMTS[] = { &ROOM_LOCK, &ROOMS_GET, &ROOMS_FREE, &ROOMS_LOCK, NULL };

/* The rooms and their rows into the calls they belong to: calls[i] is that of room_ids[i]. */
static enum err
load(struct op *op, struct sql_link *l, const struct str *room_ids, size_t n, struct call *const *calls)
{
	struct sql_arg *args = arena_array(op->arena, n + 1, sizeof(*args));
	struct participant_row *rows;
	struct room_row *rooms;
	size_t n_rooms, n_rows;
	enum err e;

	if (n == 0)
		return ERR_OK;
	for (size_t i = 0; i < n; i++)
		args[i] = sql_str(room_ids[i]);
	if ((e = sql_all(op, l, &ROOMS_GET, args, n, sizeof(*rooms), &rooms, &n_rooms)) != ERR_OK)
		return e;
	if ((e = list_store_participants(op, l, rooms, n_rooms, &rows, &n_rows)) != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n_rooms; k++)
			if (str_eq(rooms[k].room.room_id, room_ids[i])) {
				calls[i]->room = rooms[k].room;
				calls[i]->now_ms = rooms[k].now_ms;
			}
	participant_rows_give(rows, n_rows, calls, n);
	for (size_t i = 0; i < n; i++) {
		if (calls[i]->room.id == 0)
			continue;
		call_mend_statuses(calls[i]);
		calls[i]->was.stored = true;
		calls[i]->was.answered = call_answered(calls[i]);
		calls[i]->was.final = room_status_final(calls[i]->room.status);
	}
	return ERR_OK;
}

enum err
call_store_load(struct op *op, struct sql_link *l, struct str room_id, struct call *c, bool *found_out)
{
	enum err e = load(op, l, &room_id, 1, &c);

	*found_out = e == ERR_OK && c->room.id != 0;
	return e;
}

enum err
call_store_lock(struct op *op, struct sql_link *l, struct str room_id, struct call *c, bool *found_out)
{
	const struct sql_arg id = sql_str(room_id);
	struct sql_done done;
	enum err e;

	*found_out = false;
	if ((e = sql_run(op, l, &ROOM_LOCK, &id, 1, &done)) != ERR_OK || done.n_affected == 0)
		return e;
	return call_store_load(op, l, room_id, c, found_out);
}

/* Which of refs this row is, unchanged; n: none. */
static size_t
ref_of(const struct free_row *row, const struct room_ref *refs, size_t n)
{
	size_t i = 0;

	while (i < n && (refs[i].id != row->id || refs[i].version != row->version))
		i++;
	return i;
}

enum err
call_store_lock_many(struct op *op, struct sql_link *l, const struct room_ref *refs, size_t n, struct call *calls)
{
	struct sql_arg *args = arena_array(op->arena, n + 1, sizeof(*args));
	struct str *ids = arena_array(op->arena, n + 1, sizeof(*ids));
	struct call **at = arena_array(op->arena, n + 1, sizeof(struct call *));
	struct free_row *found;
	size_t n_found, n_ours = 0;
	enum err e;

	if (n == 0)
		return ERR_OK;
	for (size_t i = 0; i < n; i++)
		args[i] = sql_i64(refs[i].id);
	if ((e = sql_all(op, l, &ROOMS_FREE, args, n, sizeof(*found), &found, &n_found)) != ERR_OK)
		return e;
	for (size_t i = 0; i < n_found; i++) {
		size_t ref = ref_of(&found[i], refs, n);

		if (ref == n)
			continue;
		args[n_ours] = sql_i64(found[i].id);
		ids[n_ours] = found[i].room_id;
		at[n_ours++] = &calls[ref];
	}
	if (n_ours == 0)
		return ERR_OK;
	if ((e = sql_run(op, l, &ROOMS_LOCK, args, n_ours, NULL)) != ERR_OK)
		return e;
	return load(op, l, ids, n_ours, at);
}
