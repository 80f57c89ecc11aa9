/* registry - reads what each source says of the nodes, when it is time, and keeps it until the next reading.
 * SPDX-License-Identifier: MIT */
#include "livekit/registry.h"

#include <string.h>

#include "base/clock.h"
#include "livekit/merge.h"
#include "livekit/names.h"

enum {
	READ_BYTES = 64 << 20,        /* bounds one reading of one source */
	OWN_BYTES = 256 * 1024,
	LOCAL_MAX = 64, ADDR_BYTES = 64,
	COUNTS_US = 2 * GIVEN_S * 1000000,
	NO_MEMORY_US = 5 * 1000000    /* a database that is away is not asked at every reading */
};

/* Memory of a reading, and of the next: what was handed out of one survives the one that follows. */
struct pages { struct arena *now, *next; };

/* What this process itself found to be down. */
struct local_mark {
	char addr[ADDR_BYTES];
	int64_t until_us;             /* 0: unused */
};
struct registry {
	const struct conf *conf;
	struct arena *own;            /* this struct lives in it */
	struct names *names;
	registry_memory ask;          /* NULL: nobody remembers anything */
	void *ask_arg;
	struct str *ips;

	struct pages record_pages, mark_pages, memory_pages, view_pages;
	struct node *records;
	size_t n_records;
	bool records_known;
	int64_t records_at_s;
	struct node_clock clock;
	struct kv_node *marks;
	size_t n_marks;
	bool drains_known;
	int64_t marks_at_us;          /* 0: never read */
	struct remembered *memory;
	size_t n_memory;
	int64_t memory_at_us;         /* 0: never read */
	int64_t memory_retry_at_us;
	struct local_mark local[LOCAL_MAX];

	struct merged view;
	bool partial;
	int64_t read_at_us;           /* 0: the next snapshot reads anew */
};

/* ---- memory ---- */

static struct pages
pages_open(void)
{
	return (struct pages){ arena_new(READ_BYTES), arena_new(READ_BYTES) };
}

static void
pages_close(struct pages *p)
{
	arena_free(p->now);
	arena_free(p->next);
}

/* An op whose memory is the next page; page_done settles it. */
static struct op
page_begin(struct op *op, struct pages *p)
{
	struct op own = *op;

	arena_reset(p->next);
	own.arena = p->next;
	return own;
}

static void
page_done(struct op *op, const struct op *own, struct pages *p, bool keep)
{
	struct arena *was = p->now;

	op->n_sql = own->n_sql;
	op->db_us = own->db_us;
	if (!keep)
		return;
	p->now = p->next;
	p->next = was;
}

struct registry *
registry_open(const struct conf *c)
{
	struct arena *own = arena_new(OWN_BYTES);
	struct registry *r = arena_alloc(own, sizeof(*r));

	r->own = own;
	r->conf = c;
	r->names = names_open(c);
	r->ips = arena_array(own, c->n_nodes, sizeof(*r->ips));
	r->record_pages = pages_open();
	r->mark_pages = pages_open();
	r->memory_pages = pages_open();
	r->view_pages = pages_open();
	return r;
}

void
registry_close(struct registry *r)
{
	if (r == NULL)
		return;
	names_close(r->names);
	pages_close(&r->record_pages);
	pages_close(&r->mark_pages);
	pages_close(&r->memory_pages);
	pages_close(&r->view_pages);
	arena_free(r->own);
}

void
registry_remembers(struct registry *r, registry_memory ask, void *arg)
{
	r->ask = ask;
	r->ask_arg = arg;
}

struct node_clock *
registry_clock(struct registry *r)
{
	return &r->clock;
}

void
registry_forget(struct registry *r)
{
	r->read_at_us = 0;
}

/* ---- reading ---- */

static bool
read_records(struct op *op, struct registry *r, struct kv *livekit_kv)
{
	struct op own = page_begin(op, &r->record_pages);
	struct node *records;
	size_t n;
	bool ok = livekit_kv != NULL && nodes_read(&own, livekit_kv, &records, &n);

	page_done(op, &own, &r->record_pages, ok);
	if (!ok)
		return false;
	r->records = records;
	r->n_records = n;
	r->records_known = true;
	r->records_at_s = node_clock_now_s(&r->clock, records, n);
	return true;
}

static bool
read_marks(struct op *op, struct registry *r, struct kv *kv)
{
	struct op own = page_begin(op, &r->mark_pages);
	struct kv_node *marks;
	bool known;
	size_t n;
	bool ok = kv != NULL && kv_nodes_read(&own, kv, clock_wall_ms(), &marks, &n, &known);

	page_done(op, &own, &r->mark_pages, ok);
	if (!ok)
		return false;
	r->marks = marks;
	r->n_marks = n;
	r->drains_known = known;
	r->marks_at_us = clock_mono_us();
	/* What this process found is among them, unless a probe found better since. */
	memset(r->local, 0, sizeof(r->local));
	return true;
}

static void
read_memory(struct op *op, struct registry *r)
{
	struct op own;
	struct remembered *memory;
	size_t n;
	bool ok;

	if (r->ask == NULL || clock_mono_us() < r->memory_retry_at_us)
		return;
	own = page_begin(op, &r->memory_pages);
	ok = r->ask(&own, r->ask_arg, &memory, &n);
	page_done(op, &own, &r->memory_pages, ok);
	if (ok) {
		r->memory = memory;
		r->n_memory = n;
		r->memory_at_us = clock_mono_us();
	} else {
		r->memory_retry_at_us = clock_mono_us() + NO_MEMORY_US;
	}
}

/* Whether all names have addresses. */
static bool
read_names(struct registry *r)
{
	bool all = true;

	names_look(r->names);
	for (size_t i = 0; i < r->conf->n_nodes; i++) {
		r->ips[i] = names_ip(r->names, i);
		all = all && r->ips[i].len > 0;
	}
	return all;
}

/* Marks that could not be read again lose their meaning one by one. */
static void
age_marks(struct registry *r)
{
	int64_t age_us = clock_mono_us() - r->marks_at_us;

	for (size_t i = 0; i < r->n_marks; i++) {
		if (age_us > r->conf->down_ms * 1000)
			r->marks[i].down = false;
		if (age_us > COUNTS_US)
			r->marks[i].n_given = 0;
	}
}

/* ---- what this process found ---- */

static struct cluster_node *
find_in(struct cluster_node *nodes, size_t n, struct str addr)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(nodes[i].addr, addr))
			return &nodes[i];
	return NULL;
}

static void
put_local_marks(struct registry *r)
{
	int64_t now_us = clock_mono_us();

	for (size_t i = 0; i < LOCAL_MAX; i++) {
		const struct local_mark *m = &r->local[i];
		struct cluster_node *n = m->until_us > now_us ? find_in(r->view.nodes, r->view.n, str_of(m->addr)) : NULL;

		if (n != NULL)
			n->down = true;
	}
}

/* The place of that address, a free one, or that of the oldest. */
static struct local_mark *
local_mark_for(struct registry *r, struct str addr)
{
	struct local_mark *best = &r->local[0];

	for (size_t i = 0; i < LOCAL_MAX; i++) {
		if (str_eq(str_of(r->local[i].addr), addr))
			return &r->local[i];
		if (r->local[i].until_us < best->until_us)
			best = &r->local[i];
	}
	return best;
}

static void
log_down(struct op *op, const struct cluster_node *n)
{
	struct log_line l;

	log_begin(&l, op->log, LOG_WARN, "节点不可用", "node_down", op->request_id);
	log_str(&l, "livekit_node", n->addr);
	log_str(&l, "name", n->name);
	log_z(&l, "found_by", "request");
	log_end(&l);
}

void
registry_found_down(struct op *op, struct registry *r, struct kv *kv, struct str addr)
{
	struct cluster_node *n = find_in(r->view.nodes, r->view.n, addr);
	struct local_mark *m;

	if (kv != NULL)
		kv_nodes_down(op, kv, addr, clock_wall_ms() + r->conf->down_ms);
	if (n != NULL && !n->down)
		log_down(op, n);
	if (n != NULL)
		n->down = true;
	if (addr.len >= ADDR_BYTES)
		return;
	m = local_mark_for(r, addr);
	memcpy(m->addr, addr.at, addr.len);
	m->addr[addr.len] = '\0';
	m->until_us = clock_mono_us() + r->conf->down_ms * 1000;
}

/* ---- the whole ---- */

static struct sources
sources_of(const struct registry *r)
{
	return (struct sources){ .conf = r->conf, .ips = r->ips, .records = r->records, .n_records = r->n_records,
	    .records_known = r->records_known, .records_at_s = r->records_at_s, .marks = r->marks,
	    .n_marks = r->n_marks, .memory = r->memory, .n_memory = r->n_memory,
	    /* Whoever spoke last; marks only where they are whole. */
	    .drains_from_memory = r->memory_at_us > 0 &&
	        (!r->drains_known || r->memory_at_us > r->marks_at_us) };
}

static void
read_all(struct op *op, struct registry *r, struct kv *kv, struct kv *livekit_kv)
{
	bool named = read_names(r);
	bool records = read_records(op, r, livekit_kv);
	bool marks = read_marks(op, r, kv);
	struct sources s;

	if (!marks)
		age_marks(r);
	if (!named || !r->records_known || !marks || !r->drains_known)
		read_memory(op, r);
	s = sources_of(r);
	arena_reset(r->view_pages.next);
	merge_nodes(r->view_pages.next, &s, &r->view);
	page_done(op, op, &r->view_pages, true);
	put_local_marks(r);
	r->partial = !records || !marks;
	r->read_at_us = clock_mono_us();
}

void
registry_snapshot(struct op *op, struct registry *r, struct kv *kv, struct kv *livekit_kv, struct snapshot *out)
{
	if (r->read_at_us == 0 || clock_mono_us() - r->read_at_us >= REGISTRY_MS * 1000)
		read_all(op, r, kv, livekit_kv);
	*out = (struct snapshot){ .nodes = r->view.nodes, .n = r->view.n, .n_lost = r->view.n_lost,
	    .partial = r->partial, .read_at_us = r->read_at_us };
}

void
registry_recount(struct op *op, struct registry *r, struct kv *kv)
{
	struct sources s;

	if (!read_marks(op, r, kv))
		return;
	s = sources_of(r);
	/* What memory said of drains may be older than these marks, and then has no say any more. */
	merge_marks(&s, r->view.nodes, r->view.n);
}

const struct cluster_node *
registry_find(const struct snapshot *s, struct str addr)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->nodes[i].addr, addr))
			return &s->nodes[i];
	return NULL;
}

/* Of two that are told to be one (two ports of one ip, one record) that which answers. */
const struct cluster_node *
registry_find_id(const struct snapshot *s, struct str livekit_id)
{
	const struct cluster_node *found = NULL;

	for (size_t i = 0; livekit_id.len > 0 && i < s->n; i++) {
		const struct cluster_node *n = &s->nodes[i];

		if (!n->twin && str_eq(n->live.id, livekit_id) && (found == NULL || found->down))
			found = n;
	}
	return found;
}

bool
node_takes_rooms(const struct cluster_node *n)
{
	return n->fresh && n->serving && !n->drained && !n->down && !n->twin && !n->spare;
}

bool
node_keeps_rooms(const struct cluster_node *n)
{
	return n->fresh && !n->down;
}
