/* read - answers about calls, without a lock.
 * SPDX-License-Identifier: MIT */
#include "call/change.h"

#include "call/place.h"
#include "store/call_store.h"

enum err
op_get(struct op *op, struct services *sv, struct str room_id, const struct access *access, struct view *out)
{
	struct call c;
	enum err e;

	if ((e = change_load(op, sv, room_id, &c)) != ERR_OK)
		return e;
	if ((e = access_check(access, &c)) != ERR_OK)
		return e;
	view_of(sv, &c, S(""), out);
	return ERR_OK;
}

/* The calls of these rooms, with their people. */
static enum err
calls_of(struct op *op, struct services *sv, const struct room_row *rooms, size_t n, struct call **out)
{
	struct call *calls = arena_array(op->arena, n + 1, sizeof(*calls));
	struct call **at = arena_array(op->arena, n + 1, sizeof(struct call *));
	struct participant_row *rows;
	size_t n_rows;
	enum err e;

	if ((e = list_store_participants(op, sv->db, rooms, n, &rows, &n_rows)) != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++) {
		call_init(&calls[i], op->arena, change_policy(sv));
		calls[i].room = rooms[i].room;
		calls[i].now_ms = rooms[i].now_ms;
		change_fill_defaults(sv, &calls[i]);
		at[i] = &calls[i];
	}
	participant_rows_give(rows, n_rows, at, n);
	for (size_t i = 0; i < n; i++)
		call_mend_statuses(&calls[i]);
	*out = calls;
	return ERR_OK;
}

enum err
op_sync(struct op *op, struct services *sv, const struct actor *who, struct view **out, size_t *n_out)
{
	const struct join_req rq = { .who = *who };
	struct room_row *rooms;
	struct call *calls;
	struct view *views;
	size_t n_calls, n = 0;
	enum err e;

	op->uid = who->uid;
	if ((e = people_store_active_rooms(op, sv->db, who->uid, &rooms, &n_calls)) != ERR_OK)
		return e;
	if ((e = calls_of(op, sv, rooms, n_calls, &calls)) != ERR_OK)
		return e;
	views = arena_array(op->arena, n_calls + 1, sizeof(*views));
	for (size_t i = 0; i < n_calls; i++) {
		view_of(sv, &calls[i], who->uid, &views[n]);
		if (!view_may_enter(&views[n], who))
			continue;
		op->room_id = op->err_room_id = calls[i].room.room_id;
		e = place_check(op, sv, &calls[i], op->region);
		/* It ended a moment ago. */
		if (e == ERR_ROOM_NOT_ACTIVE)
			continue;
		if (e != ERR_OK)
			return e;
		view_of(sv, &calls[i], who->uid, &views[n]);
		if ((e = view_add_token(op, sv, &views[n], &rq)) != ERR_OK)
			return e;
		n++;
	}
	*out = views;
	*n_out = n;
	return ERR_OK;
}

enum err
op_calling(struct op *op, struct services *sv, const struct str *uids, size_t n, struct calling_row **rows_out,
    size_t *n_out)
{
	return people_store_calling(op, sv->db, uids, n, rows_out, n_out);
}

enum err
op_list(struct op *op, struct services *sv, const struct list_filter *f, struct call **out, size_t *n_out,
    int64_t *total_out)
{
	struct room_row *rooms;
	enum err e;

	if ((e = list_store_rooms(op, sv->db, f, &rooms, n_out)) != ERR_OK)
		return e;
	if (total_out != NULL && (e = list_store_total(op, sv->db, f, total_out)) != ERR_OK)
		return e;
	return calls_of(op, sv, rooms, *n_out, out);
}
