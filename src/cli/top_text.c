/* top_text - a reading as lines for people.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cli/table.h"
#include "cli/top.h"
#include "jobs/task.h"

enum { TEXT_BYTES = 64 * 1024, TEXT_BYTES_MAX = 16 << 20 };

/* One text under construction. */
struct sheet {
	struct arena *arena;
	const struct top_reading *before, *now;
	struct strbuf out;
	bool tags;
};

static void
begin_line(struct sheet *s, char tag)
{
	if (s->tags)
		strbuf_addc(&s->out, tag);
}

static struct str
per_second(const struct sheet *s, double rate)
{
	return rate < 0 ? S("-") : arena_printf(s->arena, "%.1f", rate);
}

static struct str
number(const struct sheet *s, int64_t n)
{
	return n < 0 ? S("-") : arena_printf(s->arena, "%lld", (long long)n);
}

static struct str
seconds(const struct sheet *s, int64_t ms)
{
	return arena_printf(s->arena, "%.1f s", (double)ms / 1000);
}

/* ---- the head ---- */

static void
add_title(struct sheet *s)
{
	begin_line(s, TOP_TAG_HEAD);
	strbuf_addz(&s->out, "tgo-call " PACKAGE_VERSION "  ");
	clock_format_local(&s->out, s->now->at_ms);
	if (s->before != NULL)
		strbuf_addf(&s->out, "  over %.1f s", (double)(s->now->at_us - s->before->at_us) / 1e6);
	strbuf_addc(&s->out, '\n');
}

static void
add_dependencies(struct sheet *s)
{
	const struct top_reading *r = s->now;
	struct top_workers w = top_workers(r);

	if (!r->mysql || !r->redis || !r->livekit)
		begin_line(s, TOP_TAG_BAD);
	strbuf_addf(&s->out, "MySQL %s  Redis %s  LiveKit %s", r->mysql ? "up" : "DOWN", r->redis ? "up" : "DOWN",
	    r->livekit ? "up" : "DOWN");
	if (w.configured >= 0)
		strbuf_addf(&s->out, "  workers %lld of %lld", (long long)w.alive, (long long)w.configured);
	else
		strbuf_addz(&s->out, "  workers - (their /metrics cannot be read: --url)");
	strbuf_addc(&s->out, '\n');
	if (!r->mysql) {
		begin_line(s, TOP_TAG_BAD);
		strbuf_addf(&s->out, "the database cannot be reached: %.*s\n", STR_ARG(r->mysql_why));
	} else if (!r->has_state) {
		begin_line(s, TOP_TAG_BAD);
		strbuf_addz(&s->out, "the database was asked and did not tell: see tgo-call check\n");
	}
}

static void
add_jobs(struct sheet *s)
{
	bool missing = false;

	for (size_t i = 0; i < N_TASKS; i++)
		missing = missing || top_n_alive(s->now, str_of(TASKS[i]->name)) == 0;
	if (missing)
		begin_line(s, TOP_TAG_BAD);
	strbuf_addz(&s->out, "jobs     ");
	for (size_t i = 0; i < N_TASKS; i++)
		strbuf_addf(&s->out, " %s %lld ", TASKS[i]->name,
		    (long long)top_n_alive(s->now, str_of(TASKS[i]->name)));
	if (missing)
		strbuf_addz(&s->out, "  a task without a process: start tgo-call-jobs");
	strbuf_addc(&s->out, '\n');
}

static void
add_rates(struct sheet *s)
{
	struct top_rates r = top_rates(s->before, s->now);

	strbuf_addf(&s->out, "a second  created %.*s  joined %.*s  ended %.*s", STR_ARG(per_second(s, r.created)),
	    STR_ARG(per_second(s, r.joined)), STR_ARG(per_second(s, r.ended)));
	strbuf_addf(&s->out, "  requests %.*s  deliveries %.*s\n", STR_ARG(per_second(s, r.requests)),
	    STR_ARG(per_second(s, r.delivered)));
}

static void
add_state(struct sheet *s)
{
	const struct state *t = &s->now->state;

	strbuf_addf(&s->out, "calls     ringing %lld  in progress %lld  on no node %lld\n", (long long)t->calls.n_ringing,
	    (long long)t->calls.n_in_progress, (long long)t->cluster.n_unassigned);
	strbuf_addf(&s->out, "people    ringing %lld  joined %lld  rejoining %lld\n", (long long)t->people.n_ringing,
	    (long long)t->people.n_joined, (long long)t->people.n_rejoining);
}

static void
add_waiting(struct sheet *s)
{
	const struct state_lags *l = &s->now->state.lags;

	strbuf_addf(&s->out, "waiting   events %lld, the oldest for %.*s  deadlines %lld, the latest by %.*s\n",
	    (long long)l->n_events, STR_ARG(seconds(s, l->event_age_ms)), (long long)l->n_overdue,
	    STR_ARG(seconds(s, l->overdue_ms)));
}

/* ---- tables ---- */

/* A table prints to a stream; here that is memory. */
static void
add_table(struct sheet *s, const struct table *t)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	strbuf_addc(&s->out, '\n');
	if (f == NULL) {
		strbuf_addz(&s->out, "out of memory\n");
		return;
	}
	table_print(t, f);
	(void)fclose(f);
	begin_line(s, TOP_TAG_HEAD);
	strbuf_add(&s->out, (struct str){ text, len });
	free(text);
}

static void
add_node(const struct sheet *s, struct table *t, const struct node_view *v)
{
	const struct node *live = &v->node.live;
	bool reports = live->id.len > 0;
	bool load = reports && isfinite(live->cpu_load) && live->cpu_load >= 0;

	table_add(t, v->node.addr);
	table_add(t, str_of(NODE_STATE_WORDS[v->state]));
	table_add(t, number(s, s->now->state.calls_counted ? v->n_calls : -1));
	table_add(t, reports ? number(s, live->n_rooms) : S("-"));
	table_add(t, reports ? number(s, live->n_clients) : S("-"));
	table_add(t, load ? arena_printf(s->arena, "%.0f %%", (double)live->cpu_load * 100) : S("-"));
	table_add(t, v->age_s < 0 ? S("-") : arena_printf(s->arena, "%lld s", (long long)v->age_s));
	table_add(t, v->node.drained ? cli_or_dash(v->row.drained_by) : S(""));
}

static void
add_nodes(struct sheet *s)
{
	static const char *const HEADS[] = { "NODE", "STATE", "CALLS", "ROOMS", "PEOPLE", "CPU", "AGE", "DRAINED BY" };
	const struct cluster_view *v = &s->now->state.cluster;
	struct table t;

	table_init(&t, s->arena, HEADS, N_ELEMS(HEADS));
	for (size_t i = 0; i < v->n; i++)
		add_node(s, &t, &v->nodes[i]);
	add_table(s, &t);
	if (v->n == 0)
		strbuf_addz(&s->out, "no node is known\n");
	if (!v->partial)
		return;
	begin_line(s, TOP_TAG_BAD);
	strbuf_addz(&s->out, "LiveKit's Redis, or ours, could not be read: this is what is known without it\n");
}

static void
add_endpoints(struct sheet *s)
{
	static const char *const HEADS[] = { "RECEIVER", "STATE", "PENDING", "OLDEST", "A SECOND" };
	const struct state *st = &s->now->state;
	struct table t;

	table_init(&t, s->arena, HEADS, N_ELEMS(HEADS));
	for (size_t i = 0; i < st->n_endpoints; i++) {
		const struct state_endpoint *e = &st->endpoints[i];

		table_add(&t, e->id);
		table_add(&t, str_of(e->word));
		table_add(&t, number(s, e->n_waiting));
		table_add(&t, seconds(s, e->age_ms));
		table_add(&t, per_second(s, top_delivered(s->before, s->now, e->id)));
	}
	if (st->n_endpoints > 0)
		add_table(s, &t);
}

struct str
top_text(struct arena *a, const struct top_reading *before, const struct top_reading *now, bool tags)
{
	struct sheet s = { .arena = a, .before = before, .now = now, .tags = tags };

	strbuf_init_arena(&s.out, a, TEXT_BYTES, TEXT_BYTES_MAX);
	add_title(&s);
	add_dependencies(&s);
	add_rates(&s);
	if (now->has_state) {
		add_state(&s);
		add_waiting(&s);
		add_jobs(&s);
		add_nodes(&s);
		add_endpoints(&s);
	}
	return strbuf_str(&s.out);
}
