/* nodes - watches LiveKit's nodes: asks each of them whether it is there, tells everybody through our Redis, keeps their
 * rows, and clears away what dead ones left. One process does it; without the database each does.
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "jobs/leftovers.h"
#include "jobs/tasks.h"
#include "jobs/watch.h"
#include "kv/kv_livekit.h"
#include "kv/kv_nodes.h"
#include "livekit/versions.h"
#include "store/jobs_store.h"
#include "store/node_store.h"

#define LEASE S("nodes")

enum {
	PARALLEL = 128,
	SECOND_US = 1000000,
	LEASE_US = SECOND_US, DRAINS_US = 2 * SECOND_US, ROW_US = 10 * SECOND_US, SWEEP_US = SECOND_US,
	VERSION_US = 60 * SECOND_US,
	VERSION_BYTES = 32
};
static const int64_t FORGET_US = 3600LL * SECOND_US, FORGOTTEN_MS = 7 * 86400000LL;

struct nodes {
	bool held;
	bool no_database;             /* at the last try */
	int64_t lease_at_us, drains_at_us, sweep_at_us, version_at_us, forget_at_us;    /* when each is due */
	char warned_of[VERSION_BYTES];
	struct watch watch;
	struct sweep sweep;
};

/* One pass. */
struct round {
	struct task *t;
	struct op *op;
	struct nodes *n;
	struct snapshot cluster;
	int64_t now_us;
};

/* Whether it is time; the next time is so much later. */
static bool
is_due(const struct round *r, int64_t *at_us, int64_t every_us)
{
	if (r->now_us < *at_us)
		return false;
	*at_us = r->now_us + every_us;
	return true;
}

/* ---- probes ---- */

static enum probe
probe_of(const struct many_answer *a)
{
	if (a->e == ERR_OK)
		return a->answer.status == 200 ? PROBE_OK : PROBE_ODD;
	return a->answer.refused ? PROBE_REFUSED : PROBE_SILENT;
}

static void
log_change(const struct round *r, const struct cluster_node *n, bool down, enum probe p)
{
	struct log_line l;

	if (down)
		log_begin(&l, r->op->log, LOG_WARN, "节点不可用", "node_down", r->op->request_id);
	else
		log_begin(&l, r->op->log, LOG_INFO, "节点恢复", "node_up", r->op->request_id);
	log_str(&l, "livekit_node", n->addr);
	log_str(&l, "name", n->name);
	if (n->live.id.len > 0)
		log_str(&l, "livekit_id", n->live.id);
	if (down)
		log_z(&l, "found_by", p == PROBE_REFUSED ? "probe refused" : "probe without answer");
	log_end(&l);
}

/* Marks are renewed as long as they hold; a mark somebody else made goes with the first good answer. */
static void
take_probe(const struct round *r, const struct cluster_node *n, struct watched *w, enum probe p)
{
	enum watch_change change = watch_take(w, p);
	struct services *sv = &r->t->sv;

	if (w->down && p != PROBE_ODD)
		kv_nodes_down(r->op, sv->kv, n->addr, clock_wall_ms() + sv->conf->down_ms);
	else if (p == PROBE_OK && (n->down || change == WATCH_UP))
		kv_nodes_up(r->op, sv->kv, n->addr);
	if (change != WATCH_SAME || (p == PROBE_OK && n->down))
		log_change(r, n, w->down, p);
	if (change != WATCH_SAME || n->down != w->down)
		registry_forget(sv->registry);
	if (change != WATCH_SAME)
		w->written_at_us = 0;
}

static void
probe_all(const struct round *r)
{
	struct services *sv = &r->t->sv;
	size_t n = r->cluster.n;
	struct http_call *calls = arena_array(r->op->arena, n, sizeof(*calls));
	struct many_answer *answers = arena_array(r->op->arena, n, sizeof(*answers));

	for (size_t i = 0; i < n; i++)
		calls[i] = (struct http_call){ .method = "GET", .timeout_ms = sv->conf->probe_timeout_ms,
		    .url = arena_printf(r->op->arena, "http://%.*s/", STR_ARG(r->cluster.nodes[i].addr)) };
	multi_all(r->op, sv->multi, calls, n, PARALLEL, answers);
	for (size_t i = 0; i < n; i++) {
		struct watched *w = watch_meet(&r->n->watch, r->cluster.nodes[i].addr);

		if (w != NULL)
			take_probe(r, &r->cluster.nodes[i], w, probe_of(&answers[i]));
	}
	watch_end_round(&r->n->watch);
}

/* ---- the database ---- */

/* Without the port. */
static struct str
host_of(const struct cluster_node *n)
{
	struct str host = n->name;

	if (!n->configured)
		return S("");
	while (host.len > 0 && host.at[host.len - 1] != ':')
		host.len--;
	host.len -= host.len > 0;
	if (str_starts(host, S("[")) && str_ends(host, S("]")))
		host = (struct str){ host.at + 1, host.len - 2 };
	return host;
}

/* A row is written when something changed, and now and then. */
static void
write_rows(const struct round *r)
{
	for (size_t i = 0; i < r->cluster.n; i++) {
		const struct cluster_node *n = &r->cluster.nodes[i];
		struct watched *w = watch_find(&r->n->watch, n->addr);
		struct node_found found = { .addr = n->addr, .host = host_of(n), .livekit_id = n->live.id };
		bool other_id = w != NULL && watch_take_id(w, n->live.id);

		if (w == NULL || (!other_id && w->written_at_us != 0 && r->now_us - w->written_at_us < ROW_US))
			continue;
		found.answered = w->answered;
		found.down = w->down;
		if (node_store_found(r->op, r->t->sv.db, &found) != ERR_OK)
			return;
		w->written_at_us = r->now_us;
	}
}

/* Redis may have come back empty, or with what was true before. */
static void
copy_drains(const struct round *r)
{
	struct node_row *rows;
	struct str *addrs;
	size_t n, n_drained = 0;

	if (node_store_list(r->op, r->t->sv.db, &rows, &n) != ERR_OK)
		return;
	addrs = arena_array(r->op->arena, n, sizeof(*addrs));
	for (size_t i = 0; i < n; i++)
		if (rows[i].drained)
			addrs[n_drained++] = rows[i].addr;
	kv_nodes_drained(r->op, r->t->sv.kv, addrs, n_drained);
}

/* ---- the rest ---- */

static void
look_at_version(const struct round *r)
{
	struct strbuf b;
	struct str version;
	struct log_line l;

	if (!kv_livekit_version(r->op, r->t->sv.livekit_kv, &version) || version.len == 0 ||
	    livekit_version_tested(version) || str_eq(version, str_of(r->n->warned_of)))
		return;
	strbuf_init(&b, r->n->warned_of, sizeof(r->n->warned_of));
	strbuf_add(&b, version);
	log_begin(&l, r->op->log, LOG_WARN, "LiveKit 版本未经测试", "livekit_version_untested", r->op->request_id);
	log_str(&l, "version", version);
	log_z(&l, "tested", LIVEKIT_TESTED);
	log_z(&l, "hint", "LIVEKIT_PLACEMENT=off lets LiveKit place rooms by itself");
	log_end(&l);
}

/* False: another process watches. */
static bool
take_lease(const struct round *r)
{
	struct nodes *n = r->n;
	struct lease lease = { 0 };
	bool watched = n->held || n->no_database;

	if (!is_due(r, &n->lease_at_us, LEASE_US))
		return watched;
	n->no_database = jobs_store_lease(r->op, r->t->sv.db, LEASE, r->t->id, LEASE_MS, &lease) != ERR_OK;
	n->held = lease.held;
	if (n->no_database)
		n->lease_at_us = clock_mono_us() + task_failed(r->t, 2 * LEASE_US);
	/* What was known of the nodes grew old meanwhile. */
	if (n->held && !watched)
		n->watch.n = 0;
	return n->held || n->no_database;
}

static void
with_database(const struct round *r)
{
	struct nodes *n = r->n;

	write_rows(r);
	if (is_due(r, &n->drains_at_us, DRAINS_US))
		copy_drains(r);
	if (is_due(r, &n->sweep_at_us, SWEEP_US))
		leftovers_sweep(r->op, &r->t->sv, &n->watch, &n->sweep);
	if (is_due(r, &n->forget_at_us, FORGET_US))
		(void)!node_store_forget(r->op, r->t->sv.db, FORGOTTEN_MS);
	if (is_due(r, &n->version_at_us, VERSION_US))
		look_at_version(r);
}

static int64_t
nodes_pass(struct task *t, struct op *op, void *state)
{
	struct round r = { .t = t, .op = op, .n = state, .now_us = clock_mono_us() };
	int64_t spent_ms;

	if (!take_lease(&r))
		return LEASE_US / 1000;
	registry_snapshot(op, t->sv.registry, t->sv.kv, t->sv.livekit_kv, &r.cluster);
	probe_all(&r);
	if (r.n->held)
		with_database(&r);
	spent_ms = (clock_mono_us() - r.now_us) / 1000;
	return spent_ms < t->sv.conf->probe_ms ? t->sv.conf->probe_ms - spent_ms : 0;
}

static void
nodes_close(struct task *t, struct op *op, void *state)
{
	const struct nodes *n = state;

	/* At worst others wait until it is over. */
	if (n->held)
		(void)!jobs_store_release(op, t->sv.db, LEASE, t->id);
}

const struct task_kind TASK_NODES = {
	.name = "nodes",
	.hears = EAR_NONE,
	.state_size = sizeof(struct nodes),
	.pass = nodes_pass,
	.close = nodes_close,
};
