/* cache_store - reads rooms, then who was removed from them.
 * SPDX-License-Identifier: MIT */
#include "store/cache_store.h"

static const struct sql_col ROOM_COLS[] = {
	SQL_COL(struct cache_row, room_id),
	SQL_COL(struct cache_row, node),
	SQL_COL(struct cache_row, url),
	SQL_COL(struct cache_row, status),
	SQL_COL(struct cache_row, version),
};
static const struct sql_stmt ROOMS = {
	.name = "cache_rooms",
	.text = "SELECT room_id, livekit_node, livekit_url, status, version FROM rtc_room WHERE room_id IN ({})",
	.unit = "?",
	.cols = ROOM_COLS,
	.n_cols = N_ELEMS(ROOM_COLS),
};
static const struct sql_col REMOVED_COLS[] = {
	SQL_COL(struct cache_removed, room_id),
	SQL_COL(struct cache_removed, uid),
};
static const struct sql_stmt REMOVED = {
	.name = "cache_removed",
	.text = "SELECT room_id, uid FROM rtc_participant WHERE removed = 1 AND room_id IN ({})",
	.unit = "?",
	.cols = REMOVED_COLS,
	.n_cols = N_ELEMS(REMOVED_COLS),
};
const struct sql_stmt *const CACHE_STORE_STMTS[] = { &ROOMS, &REMOVED, NULL };

enum err
cache_store_read(struct op *op, struct sql_link *l, const struct str *room_ids, size_t n, struct cache_rows *out)
{
	struct sql_arg *args = arena_array(op->arena, n + 1, sizeof(*args));
	enum err e;

	*out = (struct cache_rows){ 0 };
	if (n == 0)
		return ERR_OK;
	for (size_t i = 0; i < n; i++)
		args[i] = sql_str(room_ids[i]);
	e = sql_all(op, l, &ROOMS, args, n, sizeof(*out->rooms), &out->rooms, &out->n_rooms);
	if (e != ERR_OK || out->n_rooms == 0)
		return e;
	return sql_all(op, l, &REMOVED, args, n, sizeof(*out->removed), &out->removed, &out->n_removed);
}
