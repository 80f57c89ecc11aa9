/* top_read - one reading, and what two of them say.
 * SPDX-License-Identifier: MIT */
#include "cli/top.h"

#include "base/clock.h"
#include "cli/prom_read.h"

enum { ASK_MS = 1000 };

/* ---- where from ---- */

/* An address that means "every one" is asked on loopback; a port of 0 is known to tgo-call-jobs alone. */
static struct str
jobs_url(struct cli *c)
{
	struct str a = c->conf->jobs_metrics_listen;

	if (a.len == 0 || str_ends(a, S(":0")))
		return S("");
	if (str_starts(a, S("0.0.0.0:")))
		a = arena_printf(c->arena, "127.0.0.1%s", a.at + sizeof("0.0.0.0") - 1);
	else if (str_starts(a, S("[::]:")))
		a = arena_printf(c->arena, "[::1]%s", a.at + sizeof("[::]") - 1);
	return arena_printf(c->arena, "http://%.*s/metrics", STR_ARG(a));
}

struct top_where
top_where(struct cli *c, const char *url)
{
	struct str base = url != NULL ? str_of(url) : c->conf->livekit_url;

	while (str_ends(base, S("/")))
		base.len--;
	return (struct top_where){ .worker_url = arena_printf(c->arena, "%.*s/metrics", STR_ARG(base)),
	    .jobs_url = jobs_url(c) };
}

/* ---- one reading ---- */

static struct http_answer
get(struct cli *c, struct op *op, struct str url)
{
	const struct http_call call = { .method = "GET", .url = url, .timeout_ms = ASK_MS };
	struct http_answer answer = { 0 };

	if (httpc_call(op, c->sv.http, &call, &answer) != ERR_OK)
		answer.status = 0;
	return answer;
}

/* "" where what answers there is not ours. */
static struct str
metrics_of(struct cli *c, struct op *op, struct str url, const char *proof)
{
	const struct prom_ask ask = { .name = proof };
	struct http_answer answer;
	double n;

	if (url.len == 0)
		return S("");
	answer = get(c, op, url);
	return answer.status == 200 && prom_sum(answer.body, &ask, &n) ? answer.body : S("");
}

static void
read_database(struct cli *c, struct op *op, const struct top_reading *before, struct top_reading *r)
{
	struct sql_link *db = c->sv.db;

	r->mysql = sql_ping(op, db);
	if (!r->mysql)
		r->mysql_why = arena_str(r->arena, str_of(sql_why_down(db)));
	r->has_state = r->mysql && pace_store_mark(op, db, &r->mark) == ERR_OK &&
	    op_state(op, &c->sv, db, &r->state) == ERR_OK;
	if (r->has_state && before != NULL && before->has_state)
		r->has_pace = pace_store_between(op, db, &before->mark, &r->mark, &r->pace) == ERR_OK;
}

void
top_read(struct cli *c, const struct top_where *w, const struct top_reading *before, struct top_reading *out)
{
	struct op op = c->op;

	arena_reset(out->arena);
	*out = (struct top_reading){ .arena = out->arena, .at_us = clock_mono_us(), .at_ms = clock_wall_ms() };
	op.arena = out->arena;
	read_database(c, &op, before, out);
	out->redis = kv_ping(&op, c->sv.kv);
	out->livekit = get(c, &op, c->conf->livekit_url).status == 200;
	out->worker_text = metrics_of(c, &op, w->worker_url, "tgo_workers");
	out->jobs_text = metrics_of(c, &op, w->jobs_url, "tgo_task_passes_total");
}

/* ---- what it says ---- */

static double
seconds_between(const struct top_reading *before, const struct top_reading *now)
{
	return (double)(now->at_us - before->at_us) / 1e6;
}

/* -1: the text was not read. Before something happens for the first time it has no series. */
static double
count_of(struct str text, const struct prom_ask *ask)
{
	double n = 0;

	if (text.len == 0)
		return -1;
	return prom_sum(text, ask, &n) ? n : 0;
}

/* A program that was started anew counts from 0: then it is not known. */
static double
rate_of(struct str before, struct str now, const struct prom_ask *ask, double seconds)
{
	double a = count_of(before, ask), b = count_of(now, ask);

	return seconds <= 0 || a < 0 || b < a ? -1 : (b - a) / seconds;
}

struct top_rates
top_rates(const struct top_reading *before, const struct top_reading *now)
{
	static const struct prom_ask REQUESTS = { .name = "tgo_http_requests_total" };
	struct top_rates r = { -1, -1, -1, -1, -1 };
	double s;

	if (before == NULL || (s = seconds_between(before, now)) <= 0)
		return r;
	r.requests = rate_of(before->worker_text, now->worker_text, &REQUESTS, s);
	r.delivered = top_delivered(before, now, S(""));
	if (!now->has_pace)
		return r;
	r.created = (double)now->pace.n_created / s;
	r.joined = (double)now->pace.n_joined / s;
	r.ended = (double)now->pace.n_ended / s;
	return r;
}

double
top_delivered(const struct top_reading *before, const struct top_reading *now, struct str endpoint)
{
	struct prom_ask ask = { .name = "tgo_deliveries_total", .labels = { { "outcome", S("delivered") } } };

	if (before == NULL)
		return -1;
	if (endpoint.len > 0) {
		ask.labels[1].name = "endpoint";
		ask.labels[1].value = endpoint;
	}
	return rate_of(before->jobs_text, now->jobs_text, &ask, seconds_between(before, now));
}

struct top_workers
top_workers(const struct top_reading *r)
{
	static const struct prom_ask CONFIGURED = { .name = "tgo_workers", .labels = { { "state", { "configured", 10 } } } },
	    ALIVE = { .name = "tgo_workers", .labels = { { "state", { "alive", 5 } } } };

	return (struct top_workers){ .configured = (int64_t)count_of(r->worker_text, &CONFIGURED),
	    .alive = (int64_t)count_of(r->worker_text, &ALIVE) };
}

int64_t
top_n_alive(const struct top_reading *r, struct str task)
{
	for (size_t i = 0; i < r->state.n_tasks; i++)
		if (str_eq(r->state.tasks[i].name, task))
			return r->state.tasks[i].n_alive;
	return 0;
}
