/* outlet - a receiver's lease, its row, and its memory.
 * SPDX-License-Identifier: MIT */
#include "jobs/outlet.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "conf/conf_url.h"
#include "store/jobs_store.h"

enum { RENEW_US = 1000000, WRITE_ROWS = 256, SPARE_US = 500000 };

int64_t
post_now_ms(const struct post *p)
{
	return p->db_ms + (clock_mono_us() - p->db_us) / 1000;
}

void
post_clock(struct post *p, int64_t now_ms, int64_t asked_us)
{
	p->db_ms = now_ms;
	p->db_us = asked_us;
}

void
outlet_log(struct op *op, const struct outlet *o, enum log_level level, const char *msg, const char *event)
{
	char text[600];
	struct strbuf url;
	struct log_line l;

	strbuf_init(&url, text, sizeof(text));
	url_mask(o->to->url, &url);
	log_begin(&l, op->log, level, msg, event, op->request_id);
	log_str(&l, "endpoint", o->to->id);
	log_str(&l, "url", strbuf_str(&url));
	if (o->last_error[0] != '\0' && level >= LOG_WARN)
		log_z(&l, "error", o->last_error);
	log_end(&l);
}

bool
outlet_open(struct outlet *o, const struct post *p, const struct endpoint *to, const struct conf *c)
{
	*o = (struct outlet){ .to = to, .results_cap = p->parallel + WRITE_ROWS };
	(void)snprintf(o->lease, sizeof(o->lease), "endpoint:%s", to->id.at);
	breaker_init(&o->breaker, c->webhook_probe_min_ms, c->webhook_probe_max_ms);
	o->results = calloc(o->results_cap, sizeof(*o->results));
	return o->results != NULL;
}

static void
forget(struct outlet *o)
{
	for (size_t i = 0; i < o->n_results; i++)
		multi_done_free(&o->results[i].done);
	o->n_results = 0;
	window_abandon(o->window);
	o->window = NULL;
	o->held = o->known = o->active = o->disabled = false;
	o->probing = o->recovering = o->noted = o->more = false;
	o->n_flying = o->n_probes = 0;
	o->after = 0;
	o->load_at_us = o->due_at_us = o->wake_at_ms = o->send_at_us = 0;
}

void
outlet_close(struct outlet *o)
{
	forget(o);
	free(o->results);
}

void
outlet_drop(struct op *op, struct outlet *o, const char *why)
{
	if (o->held)
		outlet_log(op, o, LOG_INFO, "事件接收端已交出", why);
	forget(o);
}

bool
outlet_has_room(const struct outlet *o)
{
	return o->n_results + o->n_flying < o->results_cap;
}

struct result *
outlet_result(struct outlet *o, struct item *i, enum outcome what, int64_t now_ms)
{
	struct result *r = &o->results[o->n_results++];

	*r = (struct result){ .item = i, .outcome = what, .at_ms = now_ms };
	if (o->write_at_us == 0)
		o->write_at_us = clock_mono_us();
	return r;
}

void
outlet_recover(struct outlet *o)
{
	o->recovering = true;
	o->due_at_us = 0;
}

/* The row as the API or another process left it. What this process has still to write there counts more. */
static void
read_row(struct op *op, struct post *p, struct outlet *o)
{
	bool was_disabled = o->disabled, found = false;
	struct delivery_endpoint row;

	if (o->noted || o->n_results > 0 || o->recovering)
		return;
	if (delivery_store_endpoint(op, p->task->sv.db, o->to->id, &row, &found) != ERR_OK)
		return;
	o->active = found && str_eq(row.state, S("active"));
	o->disabled = found && str_eq(row.state, S("disabled"));
	if (!o->known)
		breaker_resume(&o->breaker, row.down_since_ms, row.probe_at_ms);
	else if (o->active && (was_disabled || (breaker_is_open(&o->breaker) && row.down_since_ms == 0)))
		outlet_recover(o);                 /* enabled by an operator */
	o->known = true;
}

/* Asks for the lease, free or one's own; the answer's age counts against it. */
static enum err
ask(struct op *op, struct post *p, struct outlet *o, struct lease *out)
{
	int64_t asked_us = clock_mono_us();
	enum err e = jobs_store_lease(op, p->task->sv.db, str_of(o->lease), p->task->id, LEASE_MS, out);

	if (e != ERR_OK) {
		(void)task_failed(p->task, 0);
		return e;
	}
	post_clock(p, out->now_ms, asked_us);
	o->held_until_us = asked_us + LEASE_MS * 1000LL - SPARE_US;
	o->renew_at_us = asked_us + RENEW_US;
	return ERR_OK;
}

/* The lease is this process's, and nothing is known yet. False: no memory. */
static bool
start(struct op *op, struct post *p, struct outlet *o)
{
	if ((o->window = window_new()) == NULL)
		return false;
	o->held = true;
	outlet_log(op, o, LOG_DEBUG, "事件接收端已接管", "endpoint_taken");
	read_row(op, p, o);
	return true;
}

bool
outlet_take(struct op *op, struct post *p, struct outlet *o)
{
	struct lease lease;

	return ask(op, p, o, &lease) == ERR_OK && lease.held && start(op, p, o);
}

void
outlet_renew(struct op *op, struct post *p, struct outlet *o)
{
	struct lease lease;

	if (clock_mono_us() < o->renew_at_us)
		return;
	/* A database that is away may come back before somebody else takes it. */
	o->renew_at_us = clock_mono_us() + RENEW_US;
	if (ask(op, p, o, &lease) != ERR_OK)
		return;
	if (lease.held && lease.kept) {
		read_row(op, p, o);
		return;
	}
	outlet_drop(op, o, "endpoint_lost");
	/* Free again after somebody else had it, who may have delivered what the window held. */
	if (lease.held)
		(void)start(op, p, o);
}

void
outlet_release(struct op *op, struct post *p, struct outlet *o)
{
	if (!o->held)
		return;
	(void)!jobs_store_release(op, p->task->sv.db, str_of(o->lease), p->task->id);
	outlet_drop(op, o, "endpoint_released");
}

/* ---- when it wants attention ---- */

static int64_t
least_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
us_of_db(const struct post *p, int64_t at_ms)
{
	return p->db_us + (at_ms - p->db_ms) * 1000;
}

int64_t
outlet_next_us(const struct post *p, const struct outlet *o)
{
	int64_t at = o->renew_at_us;

	if (o->n_results > 0 || o->noted)
		at = least_of(at, o->write_at_us + 20000);
	if (o->recovering)
		return o->due_at_us;
	if (!o->active)
		return at;
	at = least_of(at, o->due_at_us);
	if (outlet_wants_rows(o))
		at = least_of(at, o->more ? 0 : o->load_at_us);
	if (window_waiting(o->window) != NULL)
		at = least_of(at, us_of_db(p, o->wake_at_ms));
	if (breaker_is_open(&o->breaker)) {
		if (!o->probing && (window_ready(o->window) != NULL || window_waiting(o->window) != NULL))
			at = least_of(at, us_of_db(p, o->breaker.probe_at_ms));
	} else if (o->to->rate > 0 && window_ready(o->window) != NULL && o->n_flying < p->parallel) {
		at = least_of(at, o->send_at_us);
	}
	return at;
}
