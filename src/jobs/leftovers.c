/* leftovers - finds what is left, asks the database, clears it.
 * SPDX-License-Identifier: MIT */
#include "jobs/leftovers.h"

#include "kv/kv_leftovers.h"
#include "livekit/address.h"
#include "livekit/ghost.h"
#include "livekit/nodes.h"
#include "store/node_store.h"

enum {
	MAP_PART = 1000,
	ROOMS_PART = 1000,            /* calls looked at in a part */
	MOVED_PART = 100,             /* of them, those whose people are read */
	SHOWN_MAX = 50
};

/* LiveKit's nodes as they are this moment. */
struct cluster {
	struct kv_pair *records;
	struct node *nodes;
	bool *decoded;
	size_t n;
	int64_t now_s;
	bool any_fresh;
};

static bool
read_cluster(struct op *op, struct services *sv, struct cluster *c)
{
	*c = (struct cluster){ 0 };
	if (!kv_livekit_nodes(op, sv->livekit_kv, &c->records, &c->n))
		return false;
	/* What cannot be decoded has a stamp of 0: it is never fresh. */
	c->nodes = arena_array(op->arena, c->n, sizeof(*c->nodes));
	c->decoded = arena_array(op->arena, c->n, sizeof(*c->decoded));
	for (size_t i = 0; i < c->n; i++)
		c->decoded[i] = node_decode(op->arena, c->records[i].value, &c->nodes[i]);
	c->now_s = node_clock_now_s(registry_clock(sv->registry), c->nodes, c->n);
	for (size_t i = 0; i < c->n; i++)
		c->any_fresh = c->any_fresh || (c->decoded[i] && node_is_fresh(&c->nodes[i], c->now_s));
	return true;
}

/* The last probe of every address this node may have had was refused. */
static bool
refuses(struct op *op, struct watch *w, struct str ip)
{
	struct str spelt, at;
	int64_t port;
	bool refused = false;

	if (!address_spell(op->arena, ip, &spelt))
		return false;
	for (size_t i = 0; i < w->n; i++) {
		if (!address_split(str_of(w->nodes[i].addr), &at, &port) || !str_eq(at, spelt))
			continue;
		if (!w->nodes[i].refused)
			return false;
		refused = true;
	}
	return refused;
}

/* Provably. *record_out: its record, "" = it has none. */
static bool
is_gone(struct op *op, const struct cluster *c, struct watch *w, struct str id, struct str *record_out)
{
	*record_out = S("");
	for (size_t i = 0; i < c->n; i++) {
		if (!str_eq(c->records[i].field, id))
			continue;
		*record_out = c->records[i].value;
		return c->decoded[i] && c->nodes[i].updated_at_s < c->now_s - LEFT_STALE_S &&
		    refuses(op, w, c->nodes[i].ip);
	}
	return true;
}

static bool
lives(const struct cluster *c, struct str id)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->records[i].field, id))
			return c->decoded[i] && node_is_fresh(&c->nodes[i], c->now_s);
	return false;
}

static void
log_cleared(struct op *op, const char *what, const struct str *rooms, size_t n)
{
	struct log_line l;

	if (n == 0)
		return;
	log_begin(&l, op->log, LOG_INFO, "媒体节点残留已清理", "leftovers_cleared", op->request_id);
	log_z(&l, "what", what);
	log_i64(&l, "n", (int64_t)n);
	log_strs(&l, "rooms", rooms, n < SHOWN_MAX ? n : SHOWN_MAX);
	log_end(&l);
}

/* ---- rooms ---- */

static size_t
keep_final(struct left_room *rooms, size_t n, const struct str *final, size_t n_final)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n_final; k++) {
			if (!str_eq(rooms[i].room, final[k]))
				continue;
			rooms[kept++] = rooms[i];
			break;
		}
	}
	return kept;
}

static void
clear_rooms(struct op *op, struct services *sv, struct left_room *rooms, size_t n)
{
	struct str *names = arena_array(op->arena, n, sizeof(*names)), *final;
	size_t n_final, n_cleared = 0;

	for (size_t i = 0; i < n; i++)
		names[i] = rooms[i].room;
	if (n == 0 || node_store_final_rooms(op, sv->db, names, n, &final, &n_final) != ERR_OK)
		return;
	n = keep_final(rooms, n, final, n_final);
	/* What could not be cleared has its turn again. */
	(void)!kv_leftovers_clear(op, sv->livekit_kv, rooms, n);
	for (size_t i = 0; i < n; i++)
		if (rooms[i].cleared)
			names[n_cleared++] = rooms[i].room;
	log_cleared(op, "rooms", names, n_cleared);
}

/* The map first, the nodes after it: one that appears between the two readings must not look gone. */
static void
sweep_rooms(struct op *op, struct services *sv, struct watch *w, struct sweep *s)
{
	struct left_room *left;
	struct cluster c;
	struct kv_pair *map;
	size_t n_map, n = 0;

	if (!kv_leftovers_scan(op, sv->livekit_kv, &s->cursor, MAP_PART, &map, &n_map) || n_map == 0)
		return;
	/* Where nobody lives, it is the records that are missing, not the nodes. */
	if (!read_cluster(op, sv, &c) || !c.any_fresh)
		return;
	left = arena_array(op->arena, n_map, sizeof(*left));
	for (size_t i = 0; i < n_map; i++) {
		struct str record;

		if (is_gone(op, &c, w, map[i].value, &record))
			left[n++] = (struct left_room){ .room = map[i].field, .node = map[i].value, .record = record };
	}
	clear_rooms(op, sv, left, n);
}

/* ---- ghosts ---- */

static bool
is_in(const struct str *uids, size_t n, struct str uid)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(uids[i], uid))
			return true;
	return false;
}

/* Whether one was found. */
static bool
drop_ghosts(struct op *op, struct services *sv, const struct hosted_room *room, struct str node)
{
	struct kv_pair *people;
	struct str *active;
	size_t n, n_active;
	bool any = false;

	if (!kv_leftovers_people(op, sv->livekit_kv, room->room_id, &people, &n))
		return false;
	if (node_store_active_people(op, sv->db, room->room_id, &active, &n_active) != ERR_OK)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool dropped;

		if (is_in(active, n_active, people[i].field) ||
		    !ghost_is(op->arena, people[i].value, room->host_since_ms))
			continue;
		if (!kv_leftovers_drop_person(op, sv->livekit_kv, &people[i], room->room_id, node, &dropped))
			return any;
		any = any || dropped;
	}
	return any;
}

static void
look_for_ghosts(struct op *op, struct services *sv, const struct hosted_room *rooms, size_t n)
{
	struct str *names = arena_array(op->arena, n, sizeof(*names)), *at = arena_array(op->arena, n, sizeof(*at));
	struct cluster c;
	size_t n_cleared = 0;

	for (size_t i = 0; i < n; i++)
		names[i] = rooms[i].room_id;
	if (!kv_livekit_map(op, sv->livekit_kv, names, n, at) || !read_cluster(op, sv, &c))
		return;
	for (size_t i = 0; i < n; i++)
		if (lives(&c, at[i]) && drop_ghosts(op, sv, &rooms[i], at[i]))
			names[n_cleared++] = rooms[i].room_id;
	log_cleared(op, "people", names, n_cleared);
}

static void
sweep_people(struct op *op, struct services *sv, struct sweep *s)
{
	struct hosted_room *rooms, *moved;
	size_t n, n_moved = 0;
	bool whole = true;

	if (node_store_hosted_rooms(op, sv->db, s->room_id, ROOMS_PART, &rooms, &n) != ERR_OK)
		return;
	moved = arena_array(op->arena, n, sizeof(*moved));
	for (size_t i = 0; i < n && whole; i++) {
		s->room_id = rooms[i].id;
		if (rooms[i].moved)
			moved[n_moved++] = rooms[i];
		whole = n_moved < MOVED_PART;
	}
	if (whole && n < ROOMS_PART)
		s->room_id = 0;
	if (n_moved > 0)
		look_for_ghosts(op, sv, moved, n_moved);
}

void
leftovers_sweep(struct op *op, struct services *sv, struct watch *w, struct sweep *s)
{
	sweep_rooms(op, sv, w, s);
	sweep_people(op, sv, s);
}
