/* read - answers about calls, without a lock.
 * SPDX-License-Identifier: MIT */
#include "call/change.h"

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

enum err
op_sync(struct op *op, struct services *sv, const struct actor *who, struct view **out, size_t *n_out)
{
	const struct join_req rq = { .who = *who };
	struct room_id_row *ids;
	struct view *views;
	size_t n_ids, n = 0;
	enum err e;

	op->uid = who->uid;
	if ((e = people_store_active_rooms(op, sv->db, who->uid, &ids, &n_ids)) != ERR_OK)
		return e;
	views = arena_array(op->arena, n_ids + 1, sizeof(*views));
	for (size_t i = 0; i < n_ids; i++) {
		struct call c;

		e = change_load(op, sv, ids[i].room_id, &c);
		if (e == ERR_ROOM_NOT_FOUND)
			continue;
		if (e != ERR_OK)
			return e;
		view_of(sv, &c, who->uid, &views[n]);
		if (!can_enter(&views[n], who))
			continue;
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

/* Hands each call its rows: both lists were read apart, the rows are ordered by room. */
static void
join_rows(struct op *op, struct services *sv, const struct room_row *room, struct participant_row *rows,
    size_t n_rows, struct call *c)
{
	call_init(c, op->arena, change_policy(sv));
	c->room = room->room;
	c->now_ms = room->now_ms;
	change_fill_defaults(sv, c);
	c->rows = arena_array(op->arena, n_rows + 1, sizeof(struct participant *));
	for (size_t i = 0; i < n_rows; i++)
		if (str_eq(rows[i].room_id, room->room.room_id))
			c->rows[c->n_rows++] = &rows[i].p;
	c->cap_rows = c->n_rows;
}

enum err
op_list(struct op *op, struct services *sv, const struct list_filter *f, struct call **out, size_t *n_out,
    int64_t *total_out)
{
	struct participant_row *rows;
	struct room_row *rooms;
	size_t n_rooms, n_rows;
	struct call *calls;
	enum err e;

	if ((e = list_store_rooms(op, sv->db, f, &rooms, &n_rooms)) != ERR_OK)
		return e;
	if ((e = list_store_participants(op, sv->db, rooms, n_rooms, &rows, &n_rows)) != ERR_OK)
		return e;
	if (total_out != NULL && (e = list_store_total(op, sv->db, f, total_out)) != ERR_OK)
		return e;
	calls = arena_array(op->arena, n_rooms + 1, sizeof(*calls));
	for (size_t i = 0; i < n_rooms; i++)
		join_rows(op, sv, &rooms[i], rows, n_rows, &calls[i]);
	*out = calls;
	*n_out = n_rooms;
	return ERR_OK;
}
