/* redeliver - events once more to those who want them.
 * SPDX-License-Identifier: MIT */
#include "call/event_ops.h"
#include "call/once.h"
#include "call/piecemeal.h"
#include "kv/kv_ear.h"
#include "store/redeliver_store.h"

/* The receivers that take part: configured here, and not removed. */
struct targets {
	const struct endpoint **at;
	size_t n;
};

static enum err
find_targets(struct op *op, struct services *sv, struct str only, struct targets *out)
{
	struct endpoint_row *rows;
	size_t n_rows;
	enum err e;

	if ((e = endpoint_store_list(op, sv->db, &rows, &n_rows)) != ERR_OK)
		return e;
	*out = (struct targets){ .at = arena_array(op->arena, n_rows + 1, sizeof(*out->at)) };
	for (size_t i = 0; i < n_rows; i++) {
		const struct endpoint *one = endpoint_find(sv->conf, rows[i].id);

		if (one == NULL || endpoint_row_removed(&rows[i]))
			continue;
		if (only.len == 0 || str_eq(only, one->id))
			out->at[out->n++] = one;
	}
	return ERR_OK;
}

static void
log_redelivered(struct op *op, struct str event_id, int64_t queued)
{
	struct log_line l;

	log_begin(&l, op->log, LOG_INFO, "事件重新投递", "redelivered", op->request_id);
	if (event_id.len > 0)
		log_str(&l, "event_id", event_id);
	log_i64(&l, "queued", queued);
	log_end(&l);
}

struct again {
	struct services *sv;
	struct str event_id;
	struct past_event ev;
	int64_t *queued_out;
};

static enum err
again_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct again *a = arg;
	struct targets to;
	bool found;
	enum err e;

	*a->queued_out = 0;
	if ((e = redeliver_store_find(op, l, a->event_id, &a->ev, &found)) != ERR_OK)
		return e;
	if (!found)
		return ERR_NOT_FOUND;
	if ((e = find_targets(op, a->sv, S(""), &to)) != ERR_OK)
		return e;
	for (size_t i = 0; i < to.n && a->ev.pos > 0; i++) {
		if (!endpoint_wants(to.at[i], a->ev.type))
			continue;
		if ((e = redeliver_store_queue(op, l, to.at[i]->id, &a->ev.id, 1)) != ERR_OK)
			return e;
		(*a->queued_out)++;
	}
	*rollback_out = *a->queued_out == 0;
	return ERR_OK;
}

enum err
op_redeliver(struct op *op, struct services *sv, struct str event_id, int64_t *queued_out)
{
	struct again a = { .sv = sv, .event_id = event_id, .queued_out = queued_out };
	enum err e;

	if ((e = once_run(op, sv->db, again_in_tx, &a)) != ERR_OK)
		return e;
	kv_ear_say(op, sv->kv, KV_NUMBERED, a.ev.pos);
	log_redelivered(op, event_id, *queued_out);
	return ERR_OK;
}

/* ---- many ---- */

struct walk {
	struct services *sv;
	const struct redeliver_req *rq;
	struct targets to;
	struct past_span span;        /* since_ms and after_id: where it stands */
	int64_t queued;
};

static bool
asked_for(const struct redeliver_req *rq, struct str type)
{
	for (size_t i = 0; i < rq->n_types; i++)
		if (str_eq(rq->types[i], type))
			return true;
	return rq->n_types == 0;
}

static enum err
queue_for(struct op *op, struct walk *w, const struct endpoint *to, const struct past_event *events,
    size_t n_events)
{
	int64_t ids[REDELIVER_CHUNK];
	size_t n = 0;

	for (size_t i = 0; i < n_events; i++)
		if (asked_for(w->rq, events[i].type) && endpoint_wants(to, events[i].type))
			ids[n++] = events[i].id;
	w->queued += (int64_t)n;
	return n > 0 ? redeliver_store_queue(op, w->sv->db, to->id, ids, n) : ERR_OK;
}

static enum err
walk_on(struct op *op, void *arg, bool *end_out)
{
	struct walk *w = arg;
	struct past_event *events;
	size_t n;
	enum err e;

	if ((e = redeliver_store_list(op, w->sv->db, &w->span, &events, &n)) != ERR_OK)
		return e;
	for (size_t i = 0; i < w->to.n; i++)
		if ((e = queue_for(op, w, w->to.at[i], events, n)) != ERR_OK)
			return e;
	*end_out = n < REDELIVER_CHUNK;
	if (n == 0)
		return ERR_OK;
	w->span.since_ms = events[n - 1].created_at_ms;
	w->span.after_id = events[n - 1].id;
	kv_ear_say(op, w->sv->kv, KV_NUMBERED, events[n - 1].pos);
	return ERR_OK;
}

/* Whoever goes on with the second it stopped in gets ahead: that second's events are done first. */
static enum err
finish_second(struct op *op, struct walk *w, bool *end)
{
	enum err e = ERR_OK;

	while (e == ERR_OK && !*end && w->span.since_ms / 1000 == w->rq->since_ms / 1000)
		e = piecemeal(op, walk_on, w, 1, end);
	return e;
}

enum err
op_redeliver_many(struct op *op, struct services *sv, const struct redeliver_req *rq, int64_t *queued_out,
    int64_t *next_ms_out)
{
	struct walk w = { .sv = sv, .rq = rq, .span = { rq->since_ms, rq->until_ms, 0 } };
	bool end = true;
	enum err e;

	if ((e = find_targets(op, sv, rq->endpoint_id, &w.to)) != ERR_OK)
		return e;
	if (rq->endpoint_id.len > 0 && w.to.n == 0) {
		op->bad_field = "endpoint";
		return ERR_INVALID_PARAMETERS;
	}
	if (w.to.n > 0 && (e = piecemeal(op, walk_on, &w, rq->most_ms, &end)) != ERR_OK)
		return e;
	if ((e = finish_second(op, &w, &end)) != ERR_OK)
		return e;
	*queued_out = w.queued;
	*next_ms_out = end ? 0 : w.span.since_ms;
	log_redelivered(op, S(""), w.queued);
	return ERR_OK;
}
