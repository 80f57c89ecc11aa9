/* state_text - one function a family, or a few that belong together.
 * SPDX-License-Identifier: MIT */
#include "api/state_text.h"

#include <math.h>

#include "base/prom.h"

static void
put_one(struct strbuf *to, const char *name, const char *label, const char *word, int64_t value)
{
	const struct prom_label l = { label, str_of(word) };

	prom_i64(to, name, &l, 1, value);
}

static void
put_plain(struct strbuf *to, const char *name, const char *help, int64_t value)
{
	prom_family(to, name, "gauge", help);
	prom_i64(to, name, NULL, 0, value);
}

static void
put_age(struct strbuf *to, const char *name, const char *help, int64_t ms)
{
	prom_family(to, name, "gauge", help);
	prom_milli(to, name, NULL, 0, ms);
}

static void
put_calls(struct strbuf *to, const struct state *s)
{
	static const char CALLS[] = "tgo_calls", PEOPLE[] = "tgo_participants";

	prom_family(to, CALLS, "gauge", "Calls that are not over, by status.");
	put_one(to, CALLS, "status", "ringing", s->calls.n_ringing);
	put_one(to, CALLS, "status", "in_progress", s->calls.n_in_progress);
	prom_family(to, PEOPLE, "gauge",
	    "People in calls that are not over: who is rung, who is joined, who lost the media and has to come back.");
	put_one(to, PEOPLE, "status", "ringing", s->people.n_ringing);
	put_one(to, PEOPLE, "status", "joined", s->people.n_joined);
	put_one(to, PEOPLE, "status", "rejoining", s->people.n_rejoining);
}

/* ---- nodes ---- */

static int64_t
calls_of(const struct node_view *v)
{
	return v->n_calls;
}

static int64_t
rooms_of(const struct node_view *v)
{
	return v->node.live.n_rooms;
}

static int64_t
people_of(const struct node_view *v)
{
	return v->node.live.n_clients;
}

static int64_t
drained_of(const struct node_view *v)
{
	return v->node.drained;
}

static const struct node_family {
	const char *name, *help;
	int64_t (*value)(const struct node_view *v);
	bool reported;                /* by the node itself */
	bool counted;                 /* calls_counted has to say yes */
} NODE_FAMILIES[] = {
	{ "tgo_node_calls", "Calls that are not over, by the node they were given to.", calls_of, false, true },
	{ "tgo_node_drained", "1: an operator drained the node.", drained_of, false, false },
	{ "tgo_node_rooms", "Rooms on the node, as it reports.", rooms_of, true, false },
	{ "tgo_node_participants", "Participants on the node, as it reports.", people_of, true, false },
};

static struct prom_label
label_of(const struct node_view *v)
{
	return (struct prom_label){ "node", v->node.addr };
}

static size_t
n_shown(const struct state *s)
{
	return s->cluster.n < STATE_NODES_MAX ? s->cluster.n : STATE_NODES_MAX;
}

static void
put_node_family(struct strbuf *to, const struct state *s, const struct node_family *f)
{
	prom_family(to, f->name, "gauge", f->help);
	for (size_t i = 0; i < n_shown(s); i++) {
		const struct node_view *v = &s->cluster.nodes[i];
		const struct prom_label l = label_of(v);

		if ((!f->reported || v->age_s >= 0) && (!f->counted || s->calls_counted))
			prom_i64(to, f->name, &l, 1, f->value(v));
	}
}

static void
put_node_states(struct strbuf *to, const struct state *s)
{
	static const char NAME[] = "tgo_node_state";

	prom_family(to, NAME, "gauge", "The state of the node, as in GET /nodes; always 1.");
	for (size_t i = 0; i < n_shown(s); i++) {
		const struct node_view *v = &s->cluster.nodes[i];
		const struct prom_label l[] = { label_of(v), { "state", str_of(NODE_STATE_WORDS[v->state]) } };

		prom_i64(to, NAME, l, N_ELEMS(l), 1);
	}
}

/* Somebody else's figure: it may be no number. */
static int64_t
milli_of(double x)
{
	return isfinite(x) && x >= 0 && x < 1e6 ? (int64_t)(x * 1000) : 0;
}

static void
put_node_reports(struct strbuf *to, const struct state *s)
{
	static const char AGE[] = "tgo_node_report_age_seconds", CPU[] = "tgo_node_cpu_ratio";

	prom_family(to, AGE, "gauge", "How old the node's last report is.");
	for (size_t i = 0; i < n_shown(s); i++) {
		const struct prom_label l = label_of(&s->cluster.nodes[i]);

		if (s->cluster.nodes[i].age_s >= 0)
			prom_i64(to, AGE, &l, 1, s->cluster.nodes[i].age_s);
	}
	prom_family(to, CPU, "gauge", "The node's CPU load, 0 to 1, as it reports.");
	for (size_t i = 0; i < n_shown(s); i++) {
		const struct prom_label l = label_of(&s->cluster.nodes[i]);

		if (s->cluster.nodes[i].age_s >= 0)
			prom_milli(to, CPU, &l, 1, milli_of(s->cluster.nodes[i].node.live.cpu_load));
	}
}

static void
put_nodes(struct strbuf *to, const struct state *s)
{
	static const char UNASSIGNED[] = "tgo_calls_unassigned";

	put_node_states(to, s);
	put_node_reports(to, s);
	for (size_t i = 0; i < N_ELEMS(NODE_FAMILIES); i++)
		put_node_family(to, s, &NODE_FAMILIES[i]);
	prom_family(to, UNASSIGNED, "gauge", "Calls that are not over and on no node of ours.");
	if (s->calls_counted)
		prom_i64(to, UNASSIGNED, NULL, 0, s->cluster.n_unassigned);
}

/* ---- what waits for the jobs ---- */

static void
put_endpoints(struct strbuf *to, const struct state *s)
{
	static const char PENDING[] = "tgo_deliveries_pending", AGE[] = "tgo_delivery_oldest_seconds",
	    STATE[] = "tgo_endpoint_state";

	prom_family(to, PENDING, "gauge", "Events that wait for their receiver; counted up to 100001.");
	for (size_t i = 0; i < s->n_endpoints; i++) {
		const struct prom_label l = { "endpoint", s->endpoints[i].id };

		prom_i64(to, PENDING, &l, 1, s->endpoints[i].n_waiting);
	}
	prom_family(to, AGE, "gauge", "Age of the oldest of them, 0: none waits.");
	for (size_t i = 0; i < s->n_endpoints; i++) {
		const struct prom_label l = { "endpoint", s->endpoints[i].id };

		prom_milli(to, AGE, &l, 1, s->endpoints[i].age_ms);
	}
	prom_family(to, STATE, "gauge", "1: the receiver is ok, down (its breaker is open), or disabled (it answered 410).");
	for (size_t i = 0; i < s->n_endpoints; i++)
		for (const char *const *word = STATE_ENDPOINT_WORDS; *word != NULL; word++) {
			const struct prom_label l[] = { { "endpoint", s->endpoints[i].id }, { "state", str_of(*word) } };

			prom_i64(to, STATE, l, N_ELEMS(l), *word == s->endpoints[i].word);
		}
}

static void
put_jobs(struct strbuf *to, const struct state *s)
{
	static const char PROCESSES[] = "tgo_jobs_processes";

	put_plain(to, "tgo_events_pending", "Events that have no number yet; counted up to 100000.", s->lags.n_events);
	put_age(to, "tgo_event_oldest_seconds", "Age of the oldest of them, 0: there is none.", s->lags.event_age_ms);
	put_plain(to, "tgo_deadlines_overdue", "Calls whose deadline has passed; counted up to 100000.", s->lags.n_overdue);
	put_age(to, "tgo_deadline_oldest_seconds", "How long ago the first of them passed, 0: there is none.",
	    s->lags.overdue_ms);
	prom_family(to, PROCESSES, "gauge", "Processes of tgo-call-jobs that are alive, by task, wherever they run.");
	for (size_t i = 0; i < s->n_tasks; i++) {
		const struct prom_label l = { "task", s->tasks[i].name };

		prom_i64(to, PROCESSES, &l, 1, s->tasks[i].n_alive);
	}
}

void
state_text(struct strbuf *to, const struct state *s)
{
	put_calls(to, s);
	put_nodes(to, s);
	put_jobs(to, s);
	put_endpoints(to, s);
}
