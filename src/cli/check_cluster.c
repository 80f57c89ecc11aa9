/* check_cluster - the LiveKit nodes as the registry has them, their version, and the Redis they share.
 * SPDX-License-Identifier: MIT */
#include "call/node_ops.h"
#include "cli/doctor.h"
#include "kv/kv_livekit.h"
#include "livekit/versions.h"

enum { SHOWN_NODES = 8, LIST_BYTES = 2048 };

/* Another server than ours: there LiveKit keeps which node has which room, without a time to live. */
void
check_livekit_redis(struct doctor *d)
{
	const struct conf *c = d->c->conf;
	struct kv *kv = d->c->sv.livekit_kv;
	struct str policy;

	if (str_eq(c->lk_redis_host, c->redis_host) && str_eq(c->lk_redis_socket, c->redis_socket) &&
	    c->lk_redis_port == c->redis_port)
		return;
	if (!kv_ping(&d->c->op, kv)) {
		doctor_finds(d, "livekit redis", WARNING, "see LIVEKIT_REDIS_*: it has to be the redis of LiveKit's own configuration",
		    S("does not answer: nodes are known from LIVEKIT_NODES and the database only"));
		return;
	}
	policy = kv_eviction_policy(&d->c->op, kv);
	if (policy.len == 0 || str_eq(policy, S("noeviction")) || str_starts(policy, S("volatile-")))
		doctor_finds(d, "livekit redis", WELL, "", S("answers, and keeps its keys"));
	else
		doctor_finds(d, "livekit redis", WARNING,
		    "set maxmemory-policy to noeviction or volatile-lru: room_node_map has no time to live, and must stay",
		    arena_printf(d->c->arena, "answers; maxmemory-policy %.*s", STR_ARG(policy)));
}

/* ---- nodes ---- */

static bool
is_trouble(const struct cluster_node *n)
{
	return n->twin || n->down || !n->fresh;
}

static const char *
trouble(const struct cluster_node *n)
{
	return n->twin ? "two live nodes on this ip" : n->down ? "does not answer" : "reports nothing";
}

/* "10.0.0.11:7880 does not answer, ..." */
static struct str
list_troubles(struct doctor *d, const struct snapshot *s)
{
	struct strbuf b;
	size_t n = 0;

	strbuf_init_arena(&b, d->c->arena, LIST_BYTES, LIST_BYTES);
	for (size_t i = 0; i < s->n; i++) {
		const struct cluster_node *one = &s->nodes[i];

		if (!is_trouble(one) || n++ >= SHOWN_NODES)
			continue;
		strbuf_addf(&b, "%s%.*s %s", n > 1 ? ", " : "", STR_ARG(one->addr), trouble(one));
	}
	if (n > SHOWN_NODES)
		strbuf_addf(&b, ", and %zu more", n - SHOWN_NODES);
	return strbuf_str(&b);
}

static const char *
cure_for(const struct snapshot *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->nodes[i].twin)
			return "give each node an ip of its own (rtc.node_ip): nodes on one ip cannot be told apart, so "
			    "nobody is routed to them";
	return "start them, or take them out of LIVEKIT_NODES; see `tgo-call nodes`";
}

void
check_nodes(struct doctor *d)
{
	const struct services *sv = &d->c->sv;
	size_t n_taking = 0, n_drained = 0, n_trouble = 0;
	struct snapshot s;

	registry_snapshot(&d->c->op, sv->registry, sv->kv, sv->livekit_kv, &s);
	for (size_t i = 0; i < s.n; i++) {
		n_taking += node_takes_rooms(&s.nodes[i]);
		n_drained += s.nodes[i].drained;
		n_trouble += is_trouble(&s.nodes[i]);
	}
	if (s.n == 0)
		doctor_finds(d, "nodes", WARNING, "set LIVEKIT_NODES, or LIVEKIT_REDIS_* to LiveKit's Redis",
		    S("none is known: LiveKit places calls by itself"));
	else if (n_trouble > 0)
		doctor_finds(d, "nodes", WARNING, cure_for(&s), list_troubles(d, &s));
	else if (n_taking == 0)
		doctor_finds(d, "nodes", WARNING, "tgo-call undrain NODE", S("none takes new calls"));
	else
		doctor_finds(d, "nodes", WELL, "", arena_printf(d->c->arena, "%zu, of which %zu take new calls%s", s.n,
		    n_taking, n_drained > 0 ? "; the others are drained" : ""));
}

void
check_livekit_version(struct doctor *d)
{
	struct str version;

	if (!kv_livekit_version(&d->c->op, d->c->sv.livekit_kv, &version) || version.len == 0)
		return;
	if (livekit_version_tested(version))
		doctor_finds(d, "livekit version", WELL, "", version);
	else
		doctor_finds(d, "livekit version", WARNING,
		    "use a tested version, or set LIVEKIT_PLACEMENT=off: then LiveKit places calls by itself",
		    arena_printf(d->c->arena, "%.*s; tested are %s", STR_ARG(version), LIVEKIT_TESTED));
}
