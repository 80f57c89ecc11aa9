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

/* Still ringing for the person, or joined from the device that asks. */
static bool
can_enter(const struct view *v, const struct actor *who)
{
	if (v->me == NULL || room_status_final(v->call.room.status))
		return false;
	if (v->me->status == P_INVITING)
		return true;
	return v->me->status == P_JOINED &&
	    device_same(v->me->device_type, v->me->device_id, who->device_type, who->device_id);
}

/* Their ids were read a moment before: one that is gone since keeps room.id 0. */
static enum err
active_calls(struct op *op, struct services *sv, struct str uid, struct call **out, size_t *n_out)
{
	struct room_id_row *found;
	struct call *calls;
	struct str *ids;
	size_t n;
	enum err e;

	if ((e = people_store_active_rooms(op, sv->db, uid, &found, &n)) != ERR_OK)
		return e;
	ids = arena_array(op->arena, n + 1, sizeof(*ids));
	calls = arena_array(op->arena, n + 1, sizeof(*calls));
	for (size_t i = 0; i < n; i++) {
		ids[i] = found[i].room_id;
		call_init(&calls[i], op->arena, change_policy(sv));
	}
	if ((e = call_store_load_many(op, sv->db, ids, n, calls)) != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++)
		change_fill_defaults(sv, &calls[i]);
	*out = calls;
	*n_out = n;
	return ERR_OK;
}

enum err
op_sync(struct op *op, struct services *sv, const struct actor *who, struct view **out, size_t *n_out)
{
	const struct join_req rq = { .who = *who };
	struct call *calls;
	struct view *views;
	size_t n_calls, n = 0;
	enum err e;

	op->uid = who->uid;
	if ((e = active_calls(op, sv, who->uid, &calls, &n_calls)) != ERR_OK)
		return e;
	views = arena_array(op->arena, n_calls + 1, sizeof(*views));
	for (size_t i = 0; i < n_calls; i++) {
		view_of(sv, &calls[i], who->uid, &views[n]);
		if (!can_enter(&views[n], who))
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
	struct participant_row *rows;
	struct room_row *rooms;
	size_t n_rooms, n_rows;
	struct call *calls, **at;
	enum err e;

	if ((e = list_store_rooms(op, sv->db, f, &rooms, &n_rooms)) != ERR_OK)
		return e;
	if ((e = list_store_participants(op, sv->db, rooms, n_rooms, &rows, &n_rows)) != ERR_OK)
		return e;
	if (total_out != NULL && (e = list_store_total(op, sv->db, f, total_out)) != ERR_OK)
		return e;
	calls = arena_array(op->arena, n_rooms + 1, sizeof(*calls));
	at = arena_array(op->arena, n_rooms + 1, sizeof(struct call *));
	for (size_t i = 0; i < n_rooms; i++) {
		call_init(&calls[i], op->arena, change_policy(sv));
		calls[i].room = rooms[i].room;
		calls[i].now_ms = rooms[i].now_ms;
		change_fill_defaults(sv, &calls[i]);
		at[i] = &calls[i];
	}
	participant_rows_give(rows, n_rows, at, n_rooms);
	*out = calls;
	*n_out = n_rooms;
	return ERR_OK;
}
