/* home - asks, chooses, moves, announces.
 * SPDX-License-Identifier: MIT */
#include "call/home.h"

#include "base/clock.h"
#include "base/rng.h"
#include "call/tally.h"
#include "kv/kv_livekit.h"
#include "kv/kv_nodes.h"
#include "livekit/allocator.h"
#include "rules/reconcile.h"
#include "store/call_store.h"

enum { CHOICES_MAX = 4 };

/* ---- nodes ---- */

static void
look(struct home *h)
{
	registry_snapshot(h->op, h->sv->registry, h->sv->kv, h->sv->livekit_kv, &h->nodes);
	h->node = h->addr.len > 0 ? registry_find(&h->nodes, h->addr) : NULL;
}

struct home
home_of(struct op *op, struct services *sv, struct str room_id, struct str region)
{
	struct home h = { .op = op, .sv = sv, .room_id = room_id, .region = region };

	look(&h);
	return h;
}

void
home_set(struct home *h, struct str addr, struct str url)
{
	h->addr = arena_str(h->op->arena, addr);
	h->url = arena_str(h->op->arena, url.len > 0 ? url : h->sv->conf->livekit_client_url);
	look(h);
}

struct str
home_url(const struct home *h, const struct cluster_node *n)
{
	bool its_own = h->sv->conf->url_mode == URL_NODE && n != NULL && n->url.len > 0;

	return arena_str(h->op->arena, its_own ? n->url : h->sv->conf->livekit_client_url);
}

struct pulse_found
home_ask(struct home *h, struct str addr, bool doubted)
{
	struct pulse_found found = pulse_ask(h->op, h->sv->pulse, h->sv->http, addr, doubted);
	const struct cluster_node *n = registry_find(&h->nodes, addr);

	if (found.state != PULSE_ALIVE && (found.asked || (n != NULL && !n->down)))
		registry_found_down(h->op, h->sv->registry, h->sv->kv, addr);
	/* It may have a new id by now, and others need not go on avoiding it. */
	if (found.awoke || (found.asked && found.state == PULSE_ALIVE && n != NULL && n->down)) {
		kv_nodes_up(h->op, h->sv->kv, addr);
		registry_forget(h->sv->registry);
		look(h);
	}
	return found;
}

static uint32_t
draw_below(uint32_t n, void *arg)
{
	(void)arg;
	return rng_below(n);
}

const struct cluster_node *
home_choose(struct home *h, bool sure)
{
	const struct draw draw = { .below = draw_below };
	const struct placing p = { .region = h->region };

	registry_recount(h->op, h->sv->registry, h->sv->kv);
	for (int i = 0; i < CHOICES_MAX; i++) {
		const struct cluster_node *n = allocator_pick(h->op->arena, h->sv->conf, &h->nodes, &p, &draw);

		if (n == NULL)
			return NULL;
		if (sure && home_ask(h, n->addr, false).state != PULSE_ALIVE)
			continue;
		/* The registry may have been read anew for the answer. */
		n = registry_find(&h->nodes, n->addr);
		if (n == NULL)
			continue;
		kv_nodes_given(h->op, h->sv->kv, n->addr, clock_wall_ms());
		return n;
	}
	return NULL;
}

/* ---- moving ---- */

struct moving {
	struct home *h;
	struct str to, url;
	bool torn;                    /* the node before is gone, and whoever was connected there with it */
	bool won;
	struct call call;
};

static enum err
move_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct moving *m = arg;
	enum err e;

	m->won = false;
	if ((e = change_lock(op, m->h->sv, l, m->h->room_id, &m->call)) != ERR_OK)
		return e;
	*rollback_out = true;
	if (room_status_final(m->call.room.status))
		return ERR_ROOM_NOT_ACTIVE;
	if (!str_eq(m->call.room.livekit_node, m->h->addr))
		return ERR_OK;
	if (m->torn)
		call_rehosted(&m->call);
	m->call.changed = true;
	*rollback_out = false;
	if ((e = call_store_save(op, l, &m->call)) != ERR_OK)
		return e;
	/* Without a rejoin grace it may have ended with its node. */
	if (room_status_final(m->call.room.status))
		return ERR_OK;
	m->won = true;
	m->call.room.livekit_node = m->to;
	m->call.room.livekit_url = m->url;
	return call_store_place(op, l, &m->call);
}

static void
log_moved(const struct home *h, const struct moving *m, struct str from, const char *why)
{
	struct log_line l;

	log_begin(&l, h->op->log, LOG_INFO, "房间已改派", "room_moved", h->op->request_id);
	log_str(&l, "room_id", h->room_id);
	log_str(&l, "from", from);
	log_str(&l, "livekit_url", m->url);
	log_str(&l, "livekit_node", m->to);
	log_z(&l, "reason", why);
	log_end(&l);
}

/* h->addr is the room's node afterwards, whoever won. */
static enum err
move_to(struct home *h, const struct cluster_node *to, const char *why, bool torn)
{
	struct moving m = { .h = h, .to = arena_str(h->op->arena, to->addr), .url = home_url(h, to), .torn = torn };
	struct str from = h->addr;
	enum err e;

	if ((e = tx_run(h->op, h->sv->db, move_in_tx, &m)) != ERR_OK)
		return change_failed(h->op, h->sv, h->room_id, e);
	/* Whoever comes second comes because Redis does not know yet. */
	change_tell(h->op, h->sv, &m.call);
	if (m.won) {
		log_moved(h, &m, from, why);
		tally_assigned(h->sv->meter, m.to, from);
	}
	home_set(h, m.call.room.livekit_node, m.call.room.livekit_url);
	return room_status_final(m.call.room.status) ? ERR_ROOM_NOT_ACTIVE : ERR_OK;
}

/* ---- LiveKit's map ---- */

/* Some ids stand in no record that can be told from another: one that is not known may be such a node's. */
static bool
any_twin(const struct snapshot *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->nodes[i].twin)
			return true;
	return false;
}

/* The node that the map names, if it lives; the registry is read anew for an id it has not heard of. */
static const struct cluster_node *
living_of_id(struct home *h, struct str id)
{
	const struct cluster_node *n = registry_find_id(&h->nodes, id);

	if (n == NULL && id.len > 0) {
		registry_forget(h->sv->registry);
		look(h);
		n = registry_find_id(&h->nodes, id);
	}
	h->nameless = n == NULL && id.len > 0 && any_twin(&h->nodes);
	if (n == NULL || !n->fresh || home_ask(h, n->addr, false).state != PULSE_ALIVE)
		return NULL;
	return registry_find_id(&h->nodes, id);
}

static struct str
id_of(const struct cluster_node *n)
{
	return n != NULL && !n->twin ? n->live.id : S("");
}

/* LiveKit has the room on a node that lives: the row follows. */
static enum err
follow(struct home *h, const struct cluster_node *n, bool *moved_out)
{
	enum err e = move_to(h, n, "map", false);

	*moved_out = e == ERR_OK;
	return e;
}

enum err
home_announce(struct home *h, bool *moved_out)
{
	struct str id = id_of(h->node), has, now;
	const struct cluster_node *other;

	*moved_out = false;
	h->nameless = false;
	if (id.len == 0 || !kv_livekit_announce(h->op, h->sv->livekit_kv, h->room_id, id, &has) || str_eq(has, id))
		return ERR_OK;
	other = living_of_id(h, has);
	/* Its own, started anew since the registry was read. */
	id = id_of(h->node);
	if (h->nameless || str_eq(has, id))
		return ERR_OK;
	if (other != NULL && !str_eq(other->addr, h->addr))
		return follow(h, other, moved_out);
	/* Where somebody else moves the room at this moment, the next who asks sees it. */
	if (id.len > 0)
		(void)!kv_livekit_move(h->op, h->sv->livekit_kv, h->room_id, has, id, &now);
	return ERR_OK;
}

bool
home_by_map(struct home *h)
{
	const struct cluster_node *n;
	struct str id;

	if (!kv_livekit_map(h->op, h->sv->livekit_kv, &h->room_id, 1, &id) || id.len == 0)
		return false;
	n = living_of_id(h, id);
	if (n == NULL)
		return false;
	home_set(h, n->addr, home_url(h, n));
	return true;
}

enum err
home_move(struct home *h, const char *why, bool torn, bool *moved_out)
{
	struct str id = S(""), from = h->addr, now;
	const struct cluster_node *to = NULL;
	bool known = kv_livekit_map(h->op, h->sv->livekit_kv, &h->room_id, 1, &id);
	enum err e;

	*moved_out = false;
	if (known && (to = living_of_id(h, id)) != NULL && !str_eq(to->addr, h->addr))
		return follow(h, to, moved_out);
	if (h->nameless || (to = home_choose(h, true)) == NULL || str_eq(to->addr, h->addr))
		return ERR_OK;
	if ((e = move_to(h, to, why, torn)) != ERR_OK)
		return e;
	*moved_out = !str_eq(h->addr, from);
	to = h->node;
	if (known && id_of(to).len > 0)
		(void)!kv_livekit_move(h->op, h->sv->livekit_kv, h->room_id, id, id_of(to), &now);
	return ERR_OK;
}
