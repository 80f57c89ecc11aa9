/* nodes, drain, undrain - the LiveKit nodes, and taking one out of service without hurting a call.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>

#include "api/node_views.h"
#include "cli/command.h"
#include "cli/table.h"

#define BY S("cli")

static struct str
number(struct cli *c, int64_t n)
{
	return arena_printf(c->arena, "%lld", (long long)n);
}

/* "812 B", "3.1 MB", a second. */
static struct str
rate(struct cli *c, double x)
{
	static const char *const UNITS[] = { "B", "kB", "MB", "GB" };
	size_t i = 0;

	if (!isfinite(x) || x < 0)
		return S("-");
	for (; x >= 1000 && i < N_ELEMS(UNITS) - 1; i++)
		x /= 1000;
	return arena_printf(c->arena, i == 0 ? "%.0f %s" : "%.1f %s", x, UNITS[i]);
}

static struct str
span(struct cli *c, int64_t s)
{
	if (s < 0)
		return S("-");
	if (s < 120)
		return arena_printf(c->arena, "%lld s", (long long)s);
	if (s < 7200)
		return arena_printf(c->arena, "%lld min", (long long)(s / 60));
	return arena_printf(c->arena, "%lld h", (long long)(s / 3600));
}

static struct str
drain_text(struct cli *c, const struct node_view *v)
{
	int64_t s = (v->row.now_ms - v->row.drained_at_ms) / 1000;

	if (!v->node.drained)
		return S("-");
	return arena_printf(c->arena, "%.*s by %.*s", STR_ARG(span(c, s < 0 ? 0 : s)),
	    STR_ARG(cli_or_dash(v->row.drained_by)));
}

static void
add_node(struct cli *c, struct table *t, const struct node_view *v)
{
	const struct cluster_node *n = &v->node;
	bool reports = n->live.id.len > 0;

	table_add(t, n->addr);
	table_add(t, str_eq(n->name, n->addr) ? S("-") : n->name);
	table_add(t, str_of(NODE_STATE_WORDS[v->state]));
	table_add(t, cli_or_dash(n->region));
	table_add(t, number(c, v->n_calls));
	table_add(t, reports ? number(c, n->live.n_rooms) : S("-"));
	table_add(t, reports ? number(c, n->live.n_clients) : S("-"));
	table_add(t, reports ? arena_printf(c->arena, "%.0f %%", n->live.cpu_load * 100) : S("-"));
	table_add(t, reports ? arena_printf(c->arena, "%.2f", n->live.load_1min) : S("-"));
	table_add(t, reports ? rate(c, n->live.bytes_in_per_s) : S("-"));
	table_add(t, reports ? rate(c, n->live.bytes_out_per_s) : S("-"));
	table_add(t, span(c, v->age_s));
	table_add(t, drain_text(c, v));
}

static int
print_nodes(struct cli *c, const struct cluster_view *v)
{
	static const char *const HEADS[] = { "NODE", "NAME", "STATE", "REGION", "CALLS", "ROOMS", "PEOPLE", "CPU", "LOAD",
		"IN/S", "OUT/S", "AGE", "DRAINED" };
	struct table t;

	table_init(&t, c->arena, HEADS, N_ELEMS(HEADS));
	for (size_t i = 0; i < v->n; i++)
		add_node(c, &t, &v->nodes[i]);
	table_print(&t, stdout);
	if (v->n == 0)
		(void)printf("no node is known: set LIVEKIT_NODES, or LIVEKIT_REDIS_* to LiveKit's Redis\n");
	if (v->n_unassigned > 0)
		(void)printf("%lld calls on none of these nodes\n", (long long)v->n_unassigned);
	if (v->partial)
		(void)printf("LiveKit's Redis, or ours, could not be read: this is what is known without it\n");
	return CLI_OK;
}

int
cmd_nodes(struct cli *c, const struct args *a)
{
	struct cluster_view v;
	struct strbuf b;
	struct jsonw w;
	enum err e;

	(void)a;
	if (!cli_open_services(c))
		return CLI_FAILED;
	if ((e = op_nodes(&c->op, &c->sv, &v)) != ERR_OK)
		return cli_failed_with(c, e, "nodes");
	if (!c->json)
		return print_nodes(c, &v);
	cli_document(c, &b, &w);
	view_cluster(&c->op, &w, &v, c->conf);
	return cli_print(&b);
}

static int
set_drain(struct cli *c, const char *id, bool drained)
{
	struct node_view v;
	struct strbuf b;
	struct jsonw w;
	enum err e;

	if (!cli_open_services(c))
		return CLI_FAILED;
	e = op_node_drain(&c->op, &c->sv, str_of(id), drained, BY, &v);
	if (e == ERR_NOT_FOUND)
		return cli_fail("%s: no such node, or several (see tgo-call nodes)", id);
	if (e != ERR_OK)
		return cli_failed_with(c, e, id);
	if (c->json) {
		cli_document(c, &b, &w);
		view_node(&c->op, &w, &v);
		return cli_print(&b);
	}
	if (drained)
		(void)printf("%.*s gets no new calls; %lld are on it (tgo-call nodes shows when they are over)\n",
		    STR_ARG(v.node.addr), (long long)v.n_calls);
	else
		(void)printf("%.*s gets new calls again (state: %s)\n", STR_ARG(v.node.addr), NODE_STATE_WORDS[v.state]);
	return CLI_OK;
}

int
cmd_drain(struct cli *c, const struct args *a)
{
	return set_drain(c, a->words[0], true);
}

int
cmd_undrain(struct cli *c, const struct args *a)
{
	return set_drain(c, a->words[0], false);
}
