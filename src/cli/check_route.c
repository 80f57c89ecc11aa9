/* check_route - the proof that clients get to the node their call is on: for each node a room of the doctor's own is said
 * to be there, its signalling is opened through nginx as a client would, and the node that answers says who it is.
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/rng.h"
#include "cli/doctor.h"
#include "httpc/websocket.h"
#include "kv/kv_livekit.h"
#include "livekit/room_api.h"
#include "livekit/signal.h"
#include "livekit/token.h"

#define UID S("tgo-check")

enum { NODES_MAX = 8, OPEN_MS = 5000, SAID_BYTES = 2048 };

struct proof {
	struct doctor *d;
	struct snapshot nodes;
	struct str origin;
	struct strbuf said;
	enum verdict verdict;
	const char *cure;
	size_t n;
};

/* The worst of all counts. */
static void
note(struct proof *p, enum verdict v, const char *cure, struct str said)
{
	if (p->n++ > 0)
		strbuf_add(&p->said, S("; "));
	strbuf_add(&p->said, said);
	if (v > p->verdict) {
		p->verdict = v;
		p->cure = cure;
	}
}

static const char *
cure_of_status(int status)
{
	if (status == 401 || status == 403)
		return "let LIVEKIT_KEYS be those of LiveKit's configuration, in the workers and here, and the clocks agree";
	if (status == 404)
		return "let LIVEKIT_CLIENT_URL lead to the nginx of `tgo-call nginx`, and LiveKit's auto_create be on";
	return "see nginx's livekit-cluster-error.log; are the nodes and the route workers (--only route) up?";
}

static struct str
name_of(struct proof *p, struct str id)
{
	const struct cluster_node *n = registry_find_id(&p->nodes, id);

	return n != NULL ? n->addr : id;
}

static void
note_answer(struct proof *p, const struct cluster_node *n, struct str message, int64_t us)
{
	struct signal_server server;
	struct arena *a = p->d->c->arena;

	if (!signal_read_join(a, message, &server)) {
		note(p, FAILURE, "let LIVEKIT_CLIENT_URL lead to LiveKit", S("what answers is no LiveKit node"));
		return;
	}
	if (n != NULL && !str_eq(n->live.id, server.node_id)) {
		note(p, WARNING, "let nginx ask the route workers for /rtc: see `tgo-call nginx`, and whether they run",
		    arena_printf(a, "a room on %.*s was led to %.*s, which relays", STR_ARG(n->addr),
		    STR_ARG(name_of(p, server.node_id))));
		return;
	}
	note(p, WELL, "", arena_printf(a, "%.*s answered (%.*s, %lld ms)", STR_ARG(name_of(p, server.node_id)),
	    STR_ARG(server.node_id), (long long)(us / 1000)));
}

static void
open_room(struct proof *p, const struct cluster_node *n, struct str room)
{
	struct cli *c = p->d->c;
	const struct token_for who = { .room_id = room, .uid = UID, .livekit_url = p->origin };
	struct str token = token_mint(&c->op, c->conf, &who);
	struct str url = arena_printf(c->arena, "%.*s/rtc?access_token=%.*s&auto_subscribe=0&protocol=16&sdk=go",
	    STR_ARG(p->origin), STR_ARG(token));
	int64_t began_us = clock_mono_us();
	struct websocket_answer answer;
	struct str to = n != NULL ? n->addr : S("any node");

	if (websocket_first(&c->op, url, OPEN_MS, &answer) != ERR_OK)
		note(p, FAILURE, "see LIVEKIT_CLIENT_URL, and nginx -t", arena_printf(c->arena, "%.*s, for %.*s: %.*s",
		    STR_ARG(p->origin), STR_ARG(to), STR_ARG(answer.why)));
	else if (answer.status != 101)
		note(p, FAILURE, cure_of_status(answer.status), arena_printf(c->arena, "%.*s, for %.*s: status %d",
		    STR_ARG(p->origin), STR_ARG(to), answer.status));
	else
		note_answer(p, n, answer.message, clock_mono_us() - began_us);
}

/* n NULL: a room of no node. Nothing of the room is left. */
static void
prove(struct proof *p, const struct cluster_node *n)
{
	struct cli *c = p->d->c;
	const struct room_api api = { .conf = c->conf, .http = c->sv.http };
	struct str room = arena_printf(c->arena, "tgo-check-%08x%08x", rng_below(UINT32_MAX), rng_below(UINT32_MAX));
	struct str node;

	if (n != NULL && (!kv_livekit_announce(&c->op, c->sv.livekit_kv, room, n->live.id, &node) ||
	    !str_eq(node, n->live.id)))
		n = NULL;
	if (c->conf->livekit_create_room)
		(void)!room_api_create(&c->op, &api, room);
	open_room(p, n, room);
	(void)!room_api_delete(&c->op, &api, room);
	(void)!kv_livekit_unmap(&c->op, c->sv.livekit_kv, room);
}

/* Where LiveKit places by itself, and where nodes have no name we know, one room will do. */
static size_t
prove_all(struct proof *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->nodes.n && p->d->c->conf->placement == PLACEMENT_ON; i++) {
		const struct cluster_node *one = &p->nodes.nodes[i];

		if (n == NODES_MAX || !node_keeps_rooms(one) || !one->serving || one->twin || one->live.id.len == 0)
			continue;
		prove(p, one);
		n++;
	}
	if (n == 0)
		prove(p, NULL);
	return n;
}

void
check_route(struct doctor *d)
{
	const struct services *sv = &d->c->sv;
	struct proof p = { .d = d, .verdict = WELL, .cure = "" };
	size_t n;

	if (d->c->conf->n_livekit_keys == 0)
		return;
	registry_snapshot(&d->c->op, sv->registry, sv->kv, sv->livekit_kv, &p.nodes);
	/* Then there is nobody to answer; `livekit` and `nodes` have said so. */
	if (p.nodes.n == 0)
		return;
	p.origin = doctor_origin(d->c, d->c->conf->livekit_client_url);
	strbuf_init_arena(&p.said, d->c->arena, SAID_BYTES, SAID_BYTES * NODES_MAX);
	n = prove_all(&p);
	if (p.nodes.n > NODES_MAX && n == NODES_MAX)
		strbuf_addf(&p.said, "; the others were not tried");
	doctor_finds(d, "route", p.verdict, p.cure, strbuf_str(&p.said));
}
