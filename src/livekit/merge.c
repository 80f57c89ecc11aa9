/* merge - who is who among the sources.
 * SPDX-License-Identifier: MIT */
#include "livekit/merge.h"

#include <stdlib.h>

#include "livekit/address.h"

enum { WEIGHT = 100 };

/* What is being made. */
struct making {
	struct arena *a;
	const struct sources *s;
	struct str *ips;              /* of the records, spelt as ours; "" = none that could be routed to */
	struct str *listed;           /* of LIVEKIT_NODES; "" = not known */
	struct cluster_node *nodes;
	size_t n, n_lost;
};

/* ---- records ---- */

static bool
is_fresh(const struct sources *s, const struct node *record)
{
	return node_is_fresh(record, s->records_at_s);
}

static bool
is_newer(const struct node *a, const struct node *b)
{
	if (a->updated_at_s != b->updated_at_s)
		return a->updated_at_s > b->updated_at_s;
	return a->started_at_s > b->started_at_s;
}

/* Of a node that was started anew two records may look fresh for a while. Only where the older one was written again
 * after the newer one started do two nodes live on that address; both speak by the same clock. */
static bool
both_live(const struct node *a, const struct node *b)
{
	const struct node *older = a->started_at_s < b->started_at_s ? a : b;
	const struct node *newer = older == a ? b : a;

	return older->updated_at_s > newer->started_at_s;
}

/* The record of the node at that ip; NULL: there is none. */
static const struct node *
find_record(const struct making *m, struct str ip, bool *twin_out)
{
	const struct node *best = NULL;

	*twin_out = false;
	for (size_t i = 0; i < m->s->n_records; i++) {
		const struct node *r = &m->s->records[i];

		if (!str_eq(m->ips[i], ip))
			continue;
		if (best != NULL && is_fresh(m->s, r) && is_fresh(m->s, best) && both_live(r, best))
			*twin_out = true;
		if (best == NULL || is_newer(r, best))
			best = r;
	}
	return best;
}

/* A hash without any record is no LiveKit's: then the list has to do. */
static bool
records_to_be_had(const struct sources *s)
{
	return s->records_known && s->n_records > 0;
}

/* ---- one node ---- */

static const struct remembered *
remembered_as(const struct sources *s, struct str addr)
{
	for (size_t i = 0; i < s->n_memory; i++)
		if (str_eq(s->memory[i].addr, addr))
			return &s->memory[i];
	return NULL;
}

static struct cluster_node *
node_at(struct cluster_node *nodes, size_t n, struct str addr)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(nodes[i].addr, addr))
			return &nodes[i];
	return NULL;
}

/* recorded_ip: where its record is looked for. NULL: it is there already. */
static struct cluster_node *
add_node(struct making *m, struct str ip, int64_t port, struct str recorded_ip)
{
	struct str addr = address_of(m->a, ip, port);
	const struct remembered *memory = remembered_as(m->s, addr);
	struct cluster_node *n;
	const struct node *record;

	if (node_at(m->nodes, m->n, addr) != NULL)
		return NULL;
	n = &m->nodes[m->n++];
	*n = (struct cluster_node){ .addr = addr, .name = addr, .weight = WEIGHT, .serving = true };
	record = find_record(m, recorded_ip, &n->twin);
	if (record != NULL) {
		n->live = *record;
		n->region = record->region;
		n->fresh = is_fresh(m->s, record);
		n->serving = record->state == NODE_SERVING;
	} else {
		n->fresh = !records_to_be_had(m->s);
		if (!m->s->records_known && memory != NULL)
			n->live.id = memory->livekit_id;
	}
	n->drained = m->s->drains_from_memory && memory != NULL && memory->drained;
	return n;
}

/* ---- the sources, one after the other ---- */

static struct str
remembered_ip(const struct making *m, const struct static_node *c)
{
	for (size_t i = 0; i < m->s->n_memory; i++) {
		const struct remembered *r = &m->s->memory[i];
		struct str ip, spelt;
		int64_t port;

		if (str_eq_nocase(r->host, c->host) && address_split(r->addr, &ip, &port) && port == c->port &&
		    address_spell(m->a, ip, &spelt))
			return spelt;
	}
	return S("");
}

/* Where its record says it is. */
static struct str
recorded_ip(const struct making *m, const struct static_node *c, struct str ip)
{
	struct str spelt;

	return c->ip.len > 0 && address_spell(m->a, c->ip, &spelt) ? spelt : ip;
}

static struct str
configured_name(struct arena *a, const struct static_node *c, const struct cluster_node *n)
{
	struct str ip;

	return address_spell(a, c->host, &ip) ? n->addr : address_of(a, c->host, c->port);
}

static void
add_configured(struct making *m)
{
	for (size_t i = 0; i < m->s->conf->n_nodes; i++) {
		const struct static_node *c = &m->s->conf->nodes[i];
		struct str ip = m->s->ips[i].len > 0 ? m->s->ips[i] : remembered_ip(m, c);
		struct cluster_node *n = ip.len > 0 ? add_node(m, ip, c->port, recorded_ip(m, c, ip)) : NULL;

		m->listed[i] = ip;
		if (ip.len == 0)
			m->n_lost++;
		if (n == NULL)
			continue;
		n->configured = true;
		n->name = configured_name(m->a, c, n);
		n->url = c->url;
		n->weight = c->weight;
		if (c->region.len > 0)
			n->region = c->region;
	}
}

/* Whether one of the list has its record there. */
static bool
is_listed(const struct making *m, struct str ip)
{
	const struct conf *c = m->s->conf;

	for (size_t i = 0; i < c->n_nodes; i++)
		if (str_eq(recorded_ip(m, &c->nodes[i], m->listed[i]), ip))
			return true;
	return false;
}

/* Those the list leaves out: LiveKit may have placed rooms there, and there they are. */
static void
add_recorded(struct making *m)
{
	for (size_t i = 0; i < m->s->n_records; i++) {
		struct cluster_node *n;

		if (m->ips[i].len == 0 || is_listed(m, m->ips[i]))
			continue;
		n = add_node(m, m->ips[i], m->s->conf->node_port, m->ips[i]);
		if (n != NULL)
			n->spare = m->s->conf->n_nodes > 0;
	}
}

static void
add_remembered(struct making *m)
{
	for (size_t i = 0; i < m->s->n_memory; i++) {
		const struct remembered *r = &m->s->memory[i];
		struct str ip, spelt;
		int64_t port;

		if (r->seen_lately && address_split(r->addr, &ip, &port) && address_spell(m->a, ip, &spelt))
			(void)add_node(m, spelt, port, spelt);
	}
}

static int
compare_nodes(const void *a, const void *b)
{
	const struct cluster_node *x = a, *y = b;

	return str_cmp(x->addr, y->addr);
}

void
merge_marks(const struct sources *s, struct cluster_node *nodes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		nodes[i].down = false;
		nodes[i].n_assigned = 0;
		nodes[i].drained = nodes[i].drained && s->drains_from_memory;
	}
	for (size_t i = 0; i < s->n_marks; i++) {
		const struct kv_node *mark = &s->marks[i];
		struct cluster_node *to = node_at(nodes, n, mark->addr);

		if (to == NULL)
			continue;
		to->down = mark->down;
		to->n_assigned = mark->n_given;
		to->drained = s->drains_from_memory ? to->drained : mark->drained;
	}
}

void
merge_nodes(struct arena *a, const struct sources *s, struct merged *out)
{
	struct making m = { .a = a, .s = s };

	m.ips = arena_array(a, s->n_records, sizeof(*m.ips));
	for (size_t i = 0; i < s->n_records; i++)
		if (!address_spell(a, s->records[i].ip, &m.ips[i]))
			m.ips[i] = S("");
	m.listed = arena_array(a, s->conf->n_nodes, sizeof(*m.listed));
	m.nodes = arena_array(a, s->conf->n_nodes + s->n_records + s->n_memory, sizeof(*m.nodes));
	add_configured(&m);
	add_recorded(&m);
	if (!s->records_known && s->conf->n_nodes == 0)
		add_remembered(&m);
	merge_marks(s, m.nodes, m.n);
	qsort(m.nodes, m.n, sizeof(*m.nodes), compare_nodes);
	*out = (struct merged){ .nodes = m.nodes, .n = m.n, .n_lost = m.n_lost };
}
