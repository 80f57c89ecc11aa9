/* top_json - a reading as one JSON object; what is not known is null.
 * SPDX-License-Identifier: MIT */
#include "api/node_views.h"
#include "cli/top.h"
#include "jobs/task.h"

static void
put_number(struct jsonw *w, const char *key, int64_t n)
{
	if (n < 0)
		jsonw_null(w, key);
	else
		jsonw_i64(w, key, n);
}

static void
put_rate(struct op *op, struct jsonw *w, const char *key, double rate)
{
	if (rate < 0)
		jsonw_null(w, key);
	else
		jsonw_raw(w, key, arena_printf(op->arena, "%.3f", rate));
}

static void
put_up(struct jsonw *w, const char *key, bool up, struct str why)
{
	jsonw_obj(w, key);
	jsonw_bool(w, "up", up);
	if (why.len > 0)
		jsonw_str(w, "why", why);
	jsonw_obj_end(w);
}

static void
put_rates(struct op *op, struct jsonw *w, const struct top_reading *before, const struct top_reading *now)
{
	struct top_rates r = top_rates(before, now);

	jsonw_obj(w, "a_second");
	put_rate(op, w, "created", r.created);
	put_rate(op, w, "joined", r.joined);
	put_rate(op, w, "ended", r.ended);
	put_rate(op, w, "requests", r.requests);
	put_rate(op, w, "deliveries", r.delivered);
	jsonw_obj_end(w);
}

static void
put_counts(struct jsonw *w, const struct state *s)
{
	jsonw_obj(w, "calls");
	jsonw_i64(w, "ringing", s->calls.n_ringing);
	jsonw_i64(w, "in_progress", s->calls.n_in_progress);
	jsonw_i64(w, "unassigned", s->cluster.n_unassigned);
	jsonw_obj_end(w);
	jsonw_obj(w, "people");
	jsonw_i64(w, "ringing", s->people.n_ringing);
	jsonw_i64(w, "joined", s->people.n_joined);
	jsonw_i64(w, "rejoining", s->people.n_rejoining);
	jsonw_obj_end(w);
	jsonw_obj(w, "events");
	jsonw_i64(w, "pending", s->lags.n_events);
	jsonw_i64(w, "oldest_ms", s->lags.event_age_ms);
	jsonw_obj_end(w);
	jsonw_obj(w, "deadlines");
	jsonw_i64(w, "overdue", s->lags.n_overdue);
	jsonw_i64(w, "oldest_ms", s->lags.overdue_ms);
	jsonw_obj_end(w);
}

static void
put_jobs(struct jsonw *w, const struct top_reading *r)
{
	jsonw_obj(w, "jobs");
	for (size_t i = 0; i < N_TASKS; i++)
		jsonw_i64(w, TASKS[i]->name, top_n_alive(r, str_of(TASKS[i]->name)));
	jsonw_obj_end(w);
}

static void
put_nodes(struct op *op, struct jsonw *w, const struct cluster_view *v)
{
	jsonw_arr(w, "nodes");
	for (size_t i = 0; i < v->n; i++)
		view_node(op, w, &v->nodes[i]);
	jsonw_arr_end(w);
	jsonw_bool(w, "nodes_partial", v->partial);
}

static void
put_endpoints(struct op *op, struct jsonw *w, const struct top_reading *before, const struct top_reading *now)
{
	jsonw_arr(w, "endpoints");
	for (size_t i = 0; i < now->state.n_endpoints; i++) {
		const struct state_endpoint *e = &now->state.endpoints[i];

		jsonw_obj(w, NULL);
		jsonw_str(w, "id", e->id);
		jsonw_z(w, "state", e->word);
		jsonw_i64(w, "pending", e->n_waiting);
		jsonw_i64(w, "oldest_ms", e->age_ms);
		put_rate(op, w, "delivered_a_second", top_delivered(before, now, e->id));
		jsonw_obj_end(w);
	}
	jsonw_arr_end(w);
}

void
top_json(struct op *op, struct jsonw *w, const struct top_reading *before, const struct top_reading *now)
{
	struct top_workers workers = top_workers(now);

	jsonw_obj(w, NULL);
	jsonw_i64(w, "at", now->at_ms);
	put_up(w, "mysql", now->mysql, now->mysql_why);
	put_up(w, "redis", now->redis, S(""));
	put_up(w, "livekit", now->livekit, S(""));
	jsonw_obj(w, "workers");
	put_number(w, "configured", workers.configured);
	put_number(w, "alive", workers.alive);
	jsonw_obj_end(w);
	put_rates(op, w, before, now);
	if (now->has_state) {
		put_counts(w, &now->state);
		put_jobs(w, now);
		put_nodes(op, w, &now->state.cluster);
		put_endpoints(op, w, before, now);
	}
	jsonw_obj_end(w);
}
