/* retell - reads calls from the database, writes their entries.
 * SPDX-License-Identifier: MIT */
#include "call/retell.h"

#include "store/action_store.h"
#include "store/cache_store.h"

enum {
	PART = 200,                   /* actions looked back at in one go */
	MARGIN_MS = 60 * 1000         /* a commit comes later than its time; clocks differ */
};

static struct str
removed_from(struct op *op, const struct cache_rows *rows, struct str room_id)
{
	struct strbuf b;
	size_t n_bytes = 1;

	for (size_t i = 0; i < rows->n_removed; i++)
		n_bytes += str_eq(rows->removed[i].room_id, room_id) ? rows->removed[i].uid.len + 1 : 0;
	strbuf_init_arena(&b, op->arena, n_bytes, n_bytes);
	for (size_t i = 0; i < rows->n_removed; i++) {
		if (!str_eq(rows->removed[i].room_id, room_id))
			continue;
		if (b.len > 0)
			strbuf_addc(&b, '\n');
		strbuf_add(&b, rows->removed[i].uid);
	}
	return strbuf_str(&b);
}

enum err
op_retell(struct op *op, struct services *sv, const struct str *room_ids, size_t n)
{
	struct kv_room *rooms;
	struct cache_rows rows;
	enum err e;

	if ((e = cache_store_read(op, sv->db, room_ids, n, &rows)) != ERR_OK)
		return e;
	rooms = arena_array(op->arena, rows.n_rooms + 1, sizeof(*rooms));
	for (size_t i = 0; i < rows.n_rooms; i++) {
		const struct cache_row *r = &rows.rooms[i];

		rooms[i] = (struct kv_room){ .room_id = r->room_id, .node = r->node,
		    .url = r->url.len > 0 ? r->url : sv->conf->livekit_client_url, .status = r->status,
		    .version = r->version, .removed = removed_from(op, &rows, r->room_id) };
	}
	kv_rooms_changed(op, sv->kv, rooms, rows.n_rooms, NULL);
	return ERR_OK;
}

/* An older entry has left Redis by itself. */
static bool
is_recent(const struct action_past *a)
{
	return a->now_ms - a->created_at_ms < kv_room_ttl_s() * 1000 + MARGIN_MS;
}

static enum err
retell_part(struct op *op, struct services *sv, struct retelling *r)
{
	struct str *rooms = arena_array(op->arena, PART, sizeof(*rooms));
	struct action_past *past;
	size_t n_past, n = 0;
	enum err e;

	if ((e = action_store_past(op, sv->db, r->below, PART, &past, &n_past)) != ERR_OK)
		return e;
	for (size_t i = 0; i < n_past; i++)
		if (is_recent(&past[i]))
			rooms[n++] = past[i].room_id;
	if ((e = op_retell(op, sv, rooms, n)) != ERR_OK)
		return e;
	/* Ids and times grow together, nearly: one that is too old ends nothing, a part of them does. */
	r->below = n > 0 && n_past == PART ? past[n_past - 1].id : 0;
	return ERR_OK;
}

enum err
op_retell_lately(struct op *op, struct services *sv, struct retelling *r, bool *more_out)
{
	int64_t connection = kv_connection(op, sv->kv);
	enum err e;

	*more_out = false;
	if (connection == 0) {
		/* It may have taken no word meanwhile, whichever connection is the next. */
		r->connection = 0;
		return ERR_OK;
	}
	if (connection != r->connection)
		*r = (struct retelling){ .connection = connection, .below = INT64_MAX };
	if (r->below == 0)
		return ERR_OK;
	e = retell_part(op, sv, r);
	*more_out = e == ERR_OK && r->below > 0;
	return e;
}
