/* node_ops - puts together what the registry and the database say of the nodes; drains them.
 * SPDX-License-Identifier: MIT */
#include "call/node_ops.h"

#include "base/clock.h"
#include "call/once.h"
#include "kv/kv_livekit.h"
#include "kv/kv_nodes.h"
#include "livekit/address.h"

const char *const NODE_STATE_WORDS[NODE_STATE_COUNT] = {
	[NODE_OK] = "ok", [NODE_DRAINED] = "drained", [NODE_DRAINING] = "draining", [NODE_SPARE] = "spare",
	[NODE_STALE] = "stale", [NODE_DOWN] = "down", [NODE_TWIN] = "twin",
};

static enum node_state
state_of(const struct cluster_node *n)
{
	if (n->twin)
		return NODE_TWIN;
	if (n->down)
		return NODE_DOWN;
	if (!n->fresh)
		return NODE_STALE;
	if (!n->serving)
		return NODE_DRAINING;
	if (n->drained)
		return NODE_DRAINED;
	return n->spare ? NODE_SPARE : NODE_OK;
}

/* ---- the list ---- */

/* The texts outlive the registry's next reading. */
static struct cluster_node
keep(struct op *op, const struct cluster_node *n)
{
	struct cluster_node kept = *n;

	kept.addr = arena_str(op->arena, n->addr);
	kept.name = arena_str(op->arena, n->name);
	kept.url = arena_str(op->arena, n->url);
	kept.region = arena_str(op->arena, n->region);
	kept.live.id = arena_str(op->arena, n->live.id);
	kept.live.ip = arena_str(op->arena, n->live.ip);
	kept.live.region = arena_str(op->arena, n->live.region);
	return kept;
}

static const struct node_row *
row_of(const struct node_row *rows, size_t n, struct str addr)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(rows[i].addr, addr))
			return &rows[i];
	return NULL;
}

static int64_t
age_of(const struct node *live)
{
	int64_t age_s = clock_wall_ms() / 1000 - live->updated_at_s;

	if (live->id.len == 0)
		return -1;
	return age_s > 0 ? age_s : 0;
}

static void
add_known(struct op *op, struct cluster_view *v, const struct cluster_node *n, const struct node_row *row)
{
	struct node_view *one = &v->nodes[v->n++];

	one->node = keep(op, n);
	one->state = state_of(n);
	one->age_s = age_of(&n->live);
	if (row != NULL)
		one->row = *row;
}

/* One that was drained and is gone since: it can be undrained. */
static void
add_remembered(struct cluster_view *v, const struct node_row *row)
{
	struct node_view *one = &v->nodes[v->n++];

	one->node = (struct cluster_node){ .addr = row->addr, .name = row->addr, .drained = true, .weight = 1 };
	one->state = NODE_STALE;
	one->age_s = -1;
	one->row = *row;
}

static void
count_calls(struct cluster_view *v, const struct node_calls *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct node_view *one = NULL;

		for (size_t j = 0; j < v->n && one == NULL; j++)
			if (str_eq(v->nodes[j].node.addr, calls[i].addr))
				one = &v->nodes[j];
		if (one != NULL)
			one->n_calls = calls[i].n;
		else
			v->n_unassigned += calls[i].n;
	}
}

enum err
op_nodes_seen(struct op *op, struct services *sv, struct cluster_view *out)
{
	struct snapshot s;
	struct node_row *rows;
	size_t n_rows;
	enum err e;

	*out = (struct cluster_view){ .version = S("") };
	if ((e = node_store_list(op, sv->db, &rows, &n_rows)) != ERR_OK)
		return e;
	registry_snapshot(op, sv->registry, sv->kv, sv->livekit_kv, &s);
	out->partial = s.partial;
	out->nodes = arena_array(op->arena, s.n + n_rows + 1, sizeof(*out->nodes));
	for (size_t i = 0; i < s.n; i++)
		add_known(op, out, &s.nodes[i], row_of(rows, n_rows, s.nodes[i].addr));
	for (size_t i = 0; i < n_rows; i++)
		if (rows[i].drained && registry_find(&s, rows[i].addr) == NULL)
			add_remembered(out, &rows[i]);
	if (!kv_livekit_version(op, sv->livekit_kv, &out->version))
		out->version = S("");
	return ERR_OK;
}

enum err
op_nodes_count(struct op *op, struct services *sv, struct cluster_view *v)
{
	struct node_calls *calls;
	size_t n;
	enum err e = node_store_calls(op, sv->db, &calls, &n);

	if (e == ERR_OK)
		count_calls(v, calls, n);
	return e;
}

enum err
op_nodes(struct op *op, struct services *sv, struct cluster_view *out)
{
	enum err e = op_nodes_seen(op, sv, out);

	return e == ERR_OK ? op_nodes_count(op, sv, out) : e;
}

/* ---- one ---- */

static struct str
without_port(struct str name)
{
	while (name.len > 0 && name.at[name.len - 1] != ':')
		name.len--;
	return (struct str){ name.at, name.len > 0 ? name.len - 1 : 0 };
}

static bool
is_called(const struct node_view *v, struct str id)
{
	struct str ip;
	int64_t port;

	return str_eq(v->node.addr, id) || str_eq(v->node.name, id) || str_eq(v->node.live.id, id) ||
	    str_eq(without_port(v->node.name), id) ||
	    (address_split(v->node.addr, &ip, &port) && str_eq(ip, id));
}

enum err
op_node(struct op *op, struct services *sv, struct str id, struct node_view *out)
{
	const struct node_view *found = NULL;
	struct cluster_view v;
	size_t n = 0;
	enum err e;

	if (id.len == 0)
		return ERR_NOT_FOUND;
	if ((e = op_nodes(op, sv, &v)) != ERR_OK)
		return e;
	for (size_t i = 0; i < v.n; i++) {
		if (str_eq(v.nodes[i].node.addr, id)) {
			*out = v.nodes[i];
			return ERR_OK;
		}
		if (is_called(&v.nodes[i], id)) {
			found = &v.nodes[i];
			n++;
		}
	}
	if (n != 1)
		return ERR_NOT_FOUND;
	*out = *found;
	return ERR_OK;
}

/* ---- drains ---- */

/* For everybody at once; the node watch does the same now and then, so a Redis that is away is no failure. */
static enum err
publish(struct op *op, struct services *sv)
{
	struct node_row *rows;
	struct str *addrs;
	size_t n, n_drained = 0;
	enum err e = node_store_list(op, sv->db, &rows, &n);

	if (e != ERR_OK)
		return e;
	addrs = arena_array(op->arena, n + 1, sizeof(*addrs));
	for (size_t i = 0; i < n; i++)
		if (rows[i].drained)
			addrs[n_drained++] = rows[i].addr;
	kv_nodes_drained(op, sv->kv, addrs, n_drained);
	registry_forget(sv->registry);
	return ERR_OK;
}

static void
log_drain(struct op *op, struct str addr, bool drained, struct str by)
{
	struct log_line l;

	log_begin(&l, op->log, LOG_INFO, drained ? "节点开始排空" : "节点恢复接收新房间",
	    drained ? "node_drained" : "node_undrained", op->request_id);
	log_str(&l, "livekit_node", addr);
	log_str(&l, "by", by);
	log_end(&l);
}

struct draining {
	struct services *sv;
	struct str id, by;
	bool drained;
	struct str addr;              /* of the node, once it is found */
	struct node_view *out;
};

static enum err
drain_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct draining *d = arg;
	struct node_view *out = d->out;
	enum err e;

	(void)rollback_out;
	if ((e = op_node(op, d->sv, d->id, out)) != ERR_OK)
		return e;
	d->addr = out->node.addr;
	e = d->drained ? node_store_drain(op, l, d->addr, d->by) : node_store_undrain(op, l, d->addr);
	if (e != ERR_OK)
		return e;
	if ((e = op_node(op, d->sv, d->addr, out)) == ERR_NOT_FOUND && !d->drained) {
		/* It was remembered for its drain only: as it was, but for that. */
		out->row = (struct node_row){ .addr = d->addr, .host = S(""), .livekit_id = S(""),
		    .drained_by = S("") };
		e = ERR_OK;
	}
	/* The registry learns of it when it is published. */
	out->node.drained = d->drained;
	out->state = state_of(&out->node);
	return e;
}

enum err
op_node_drain(struct op *op, struct services *sv, struct str id, bool drained, struct str by, struct node_view *out)
{
	struct draining d = { .sv = sv, .id = id, .by = by, .drained = drained, .out = out };
	enum err e;

	if ((e = once_run(op, sv->db, drain_in_tx, &d)) != ERR_OK)
		return e;
	log_drain(op, d.addr, drained, by);
	return publish(op, sv);
}
