/* place - chooses, keeps and finds the node of a room.
 * SPDX-License-Identifier: MIT */
#include "call/place.h"

#include "call/home.h"
#include "kv/kv_livekit.h"

/* Moves in one request, each because another node turned out not to answer. */
enum { ROUNDS_MAX = 4 };

/* Nodes or not: a room that has one is looked after. */
static bool
places(const struct home *h)
{
	return h->sv->conf->placement == PLACEMENT_ON && (h->nodes.n > 0 || h->addr.len > 0);
}

static void
tell(const struct home *h, struct call *c)
{
	c->room.livekit_node = h->addr;
	c->room.livekit_url = h->url;
}

/* ---- a new room ---- */

void
place_new(struct op *op, struct services *sv, struct call *c, struct str region)
{
	struct home h = home_of(op, sv, c->room.room_id, region);
	/* Where nginx leads clients to their node it asks first; a client that goes there by itself cannot. */
	const struct cluster_node *n = places(&h) ? home_choose(&h, sv->conf->url_mode == URL_NODE) : NULL;

	c->room.livekit_node = n != NULL ? arena_str(op->arena, n->addr) : S("");
	c->room.livekit_url = home_url(&h, n);
}

void
place_announce(struct op *op, struct services *sv, struct call *c)
{
	struct home h = home_of(op, sv, c->room.room_id, S(""));
	bool moved;

	if (c->room.livekit_node.len == 0)
		return;
	home_set(&h, c->room.livekit_node, c->room.livekit_url);
	if (places(&h) && home_announce(&h, &moved) == ERR_OK && moved)
		tell(&h, c);
}

/* ---- a room that is there ---- */

/* Who is in it, as far as we were told. */
static void
look_inside(const struct call *c, struct standing *s)
{
	for (size_t i = 0; i < c->n_rows; i++) {
		const struct participant *p = c->rows[i];

		s->people = s->people || (p->status == P_JOINED && p->sid.len > 0);
		s->visited = s->visited || p->sid_at_ms > 0;
	}
}

/* Somebody may have come whom no webhook told of yet. */
static bool
livekit_has(const struct home *h)
{
	bool there;

	return !kv_livekit_has_room(h->op, h->sv->livekit_kv, h->room_id, &there) || there;
}

static void
ask_node(struct home *h, bool doubted, struct standing *s)
{
	struct pulse_found found = home_ask(h, h->addr, doubted);

	s->pulse = found.state;
	s->silent_ms = found.silent_ms;
	s->fresh = h->node != NULL && h->node->fresh;
}

static void
look_at_node(struct home *h, struct standing *s)
{
	const struct cluster_node *n = h->node;

	s->assigned = h->addr.len > 0;
	if (!s->assigned)
		return;
	s->leaving = n != NULL && (n->drained || !n->serving);
	s->visited = s->visited || (s->leaving && livekit_has(h));
	/* What the registry calls well is asked when a client is sent there, unless it goes there by itself. */
	if (n == NULL || !node_keeps_rooms(n) || h->sv->conf->url_mode == URL_NODE)
		ask_node(h, false, s);
}

enum err
place_check(struct op *op, struct services *sv, struct call *c, struct str region)
{
	struct home h = home_of(op, sv, c->room.room_id, region);
	struct standing s = { 0 };
	enum err e = ERR_OK;
	const char *why;
	bool moved = false;

	home_set(&h, c->room.livekit_node, c->room.livekit_url);
	if (!places(&h))
		return ERR_OK;
	look_inside(c, &s);
	look_at_node(&h, &s);
	switch (standing_judge(&s, &why)) {
	case STAND_STAYS:
		e = home_announce(&h, &moved);
		break;
	case STAND_MOVES:
		e = home_move(&h, why, s.assigned && s.pulse != PULSE_ALIVE, &moved);
		break;
	case STAND_WAITS:
		break;
	}
	if (e == ERR_OK && moved)
		tell(&h, c);
	return e;
}

/* ---- for nginx ---- */

/* From the database, which Redis learns from. */
static struct kv_room
learn(struct home *h, const struct call *c)
{
	struct kv_room cached = change_cached(h->op, c);

	kv_room_changed(h->op, h->sv->kv, &cached, false, 0);
	home_set(h, cached.node, cached.url);
	return cached;
}

/* Redis, else MySQL. */
static enum err
find_home(struct home *h, struct str *removed_out)
{
	struct kv_room cached;
	struct call c;
	enum err e;

	if (kv_room_find(h->op, h->sv->kv, h->room_id, &cached)) {
		*removed_out = cached.removed;
		home_set(h, cached.node, cached.url);
		return room_status_final(cached.status) ? ERR_ROOM_NOT_ACTIVE : ERR_OK;
	}
	if ((e = change_load(h->op, h->sv, h->room_id, &c)) != ERR_OK)
		return e;
	cached = learn(h, &c);
	*removed_out = cached.removed;
	return room_status_final(cached.status) ? ERR_ROOM_NOT_ACTIVE : ERR_OK;
}

/* Its node is silent, or there is none: may the room go? Only here the database is asked. Redis may have been behind it:
 * then h has what it says, and *again is set. */
static enum err
judge(struct home *h, struct standing *s, enum stand *out, const char **why_out, bool *again)
{
	struct call c;
	enum err e;

	*again = false;
	if (s->pulse == PULSE_SILENT) {
		if ((e = change_load(h->op, h->sv, h->room_id, &c)) != ERR_OK)
			return e;
		*again = !str_eq(c.room.livekit_node, h->addr);
		if (*again)
			(void)learn(h, &c);
		look_inside(&c, s);
	}
	*out = standing_judge(s, why_out);
	return ERR_OK;
}

/* One round: *done_out when the room's node lives and LiveKit agrees. */
static enum err
settle(struct home *h, bool doubted, bool *done_out)
{
	struct standing s = { .assigned = h->addr.len > 0 };
	enum stand stand;
	const char *why;
	bool moved, again;
	enum err e;

	*done_out = false;
	if (s.assigned)
		ask_node(h, doubted, &s);
	if (s.assigned && s.pulse == PULSE_ALIVE) {
		e = home_announce(h, &moved);
		*done_out = e == ERR_OK && !moved;
		return e;
	}
	if ((e = judge(h, &s, &stand, &why, &again)) != ERR_OK || again)
		return e;
	if (stand == STAND_WAITS)
		return ERR_UNAVAILABLE;
	if ((e = home_move(h, why, s.assigned, &moved)) != ERR_OK || moved)
		return e;
	return s.assigned && !h->nameless ? ERR_UNAVAILABLE : ERR_ROOM_NOT_FOUND;
}

static enum err
answer(struct home *h, struct routed *out)
{
	bool named = h->node != NULL && !h->node->twin;

	if (h->nameless)
		return ERR_ROOM_NOT_FOUND;
	out->addr = h->addr;
	out->url = h->url;
	out->node_id = named ? arena_str(h->op->arena, h->node->live.id) : S("");
	h->op->livekit_node = out->addr;
	h->op->livekit_url = out->url;
	return ERR_OK;
}

/* A room that is none of ours, or that we do not place: where LiveKit has it. */
static enum err
answer_by_map(struct home *h, struct routed *out)
{
	return home_by_map(h) ? answer(h, out) : ERR_ROOM_NOT_FOUND;
}

bool
routed_keeps_out(const struct routed *r, struct str uid)
{
	struct str rest = r->removed, one;

	while (uid.len > 0 && rest.len > 0 && str_split(&rest, '\n', &one))
		if (str_eq(one, uid))
			return true;
	return false;
}

enum err
place_route(struct op *op, struct services *sv, struct str room_id, struct str bad_node, struct routed *out)
{
	struct home h = home_of(op, sv, room_id, S(""));
	enum err e;

	op->room_id = room_id;
	*out = (struct routed){ .removed = S("") };
	e = find_home(&h, &out->removed);
	if (e == ERR_ROOM_NOT_ACTIVE)
		return e;
	/* A database that is away keeps nobody out of a room that LiveKit knows. */
	if (e != ERR_OK || !places(&h))
		return answer_by_map(&h, out);
	for (int i = 0; i < ROUNDS_MAX; i++) {
		bool doubted = h.addr.len > 0 && str_eq(h.addr, bad_node), done;

		if ((e = settle(&h, doubted && i == 0, &done)) != ERR_OK)
			return e;
		if (done)
			return answer(&h, out);
	}
	return ERR_UNAVAILABLE;
}
