/* outlet_write - what became of events, in one transaction that holds the receiver's lease; and recovery after
 * an outage, a part at a time.
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "conf/conf_url.h"
#include "jobs/outlet.h"
#include "store/endpoint_store.h"
#include "store/jobs_store.h"

enum {
	AT_ONCE_ROWS = 200,           /* results that are written without waiting for more */
	WRITE_US = 20000,             /* how long they may wait */
	AGAIN_US = 200000,            /* after a transaction that failed */
	WRITE_BYTES = 8 << 20,        /* of logged failures in one transaction */
	REQUEUE_ROWS = 1000,
	ANSWER_CHARS = 255, ERROR_CHARS = 500, URL_CHARS = 500, RESPONSE_BYTES = 64 * 1024
};

struct writing {
	struct post *post;
	struct outlet *o;
	size_t n;                     /* results */
	int64_t *pos;                 /* room for as many numbers */
	size_t n_pos;
	bool lost;                    /* the lease is somebody else's */
};

/* ---- parts of the transaction ---- */

static enum err
hold(struct op *op, struct sql_link *l, struct writing *w, bool *rollback_out)
{
	int64_t asked_us = clock_mono_us();
	struct lease lease;
	enum err e = jobs_store_hold(op, l, str_of(w->o->lease), w->post->task->id, &lease);

	if (e != ERR_OK)
		return e;
	post_clock(w->post, lease.now_ms, asked_us);
	w->lost = *rollback_out = !lease.held;
	return ERR_OK;
}

static struct str
cleaned(struct op *op, struct str s, size_t max)
{
	struct strbuf b;

	/* A byte that is no character becomes one of three. */
	strbuf_init_arena(&b, op->arena, s.len + 1, 3 * s.len + 1);
	letter_clean(&b, s, max);
	return strbuf_str(&b);
}

static struct str
error_of(struct op *op, const struct result *r)
{
	if (r->answered)
		return arena_printf(op->arena, "HTTP %d", r->status);
	return cleaned(op, str_of(r->done.why), ERROR_CHARS);
}

static enum err
write_log(struct op *op, struct sql_link *l, const struct outlet *o, const struct result *r)
{
	const struct item *i = r->item;
	struct delivery_log g = { .type = i->type, .event_id = i->event_id, .status = r->status,
	    .retry = r->retry, .error = error_of(op, r), .response = cleaned(op, r->done.body, RESPONSE_BYTES) };
	struct strbuf url, masked, request;

	strbuf_init_arena(&url, op->arena, 1024, 4096);
	letter_url(&url, o->to->url, i);
	strbuf_init_arena(&masked, op->arena, 1024, 4096);
	/* The Go server's table: reports read the event out of the query. */
	url_mask_user(strbuf_str(&url), &masked);
	g.url = cleaned(op, strbuf_str(&masked), URL_CHARS);
	strbuf_init_arena(&request, op->arena, i->data.len + 512, i->data.len + 1024);
	letter_envelope(&request, i, r->sent_at_s, r->retry, r->pause_ms / 1000);
	g.request = strbuf_str(&request);
	return delivery_store_log(op, l, &g);
}

static enum err
write_failed(struct op *op, struct sql_link *l, const struct outlet *o, const struct result *r)
{
	const struct delivery_failed f = { .endpoint = o->to->id, .pos = r->item->pos, .state = r->state,
	    .due_at_ms = r->due_at_ms, .attempts = r->attempts, .first_try_at_ms = r->first_try_at_ms,
	    .next_try_at_ms = r->next_try_at_ms, .last_try_at_ms = r->at_ms, .status = r->status,
	    .answer = r->answered ? cleaned(op, r->done.body, ANSWER_CHARS) :
	        cleaned(op, str_of(r->done.why), ANSWER_CHARS) };

	return delivery_store_failed(op, l, &f);
}

static enum err
write_failures(struct op *op, struct sql_link *l, const struct writing *w)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < w->n && e == ERR_OK; i++) {
		const struct result *r = &w->o->results[i];

		if (r->outcome != OUT_FAILED && r->outcome != OUT_UNCOUNTED)
			continue;
		if (r->outcome == OUT_FAILED)
			e = write_failed(op, l, w->o, r);
		if (e == ERR_OK)
			e = write_log(op, l, w->o, r);
	}
	return e;
}

/* Those that were taken with this status. */
static enum err
write_taken(struct op *op, struct sql_link *l, struct writing *w, int status)
{
	struct delivery_taken t = { .endpoint = w->o->to->id, .status = status, .pos = w->pos };

	for (size_t i = 0; i < w->n; i++) {
		const struct result *r = &w->o->results[i];

		if (r->outcome != OUT_TAKEN || r->status != status)
			continue;
		w->pos[t.n++] = r->item->pos;
		t.at_ms = r->at_ms;
	}
	return t.n > 0 ? delivery_store_taken(op, l, &t) : ERR_OK;
}

static enum err
write_all_taken(struct op *op, struct sql_link *l, struct writing *w)
{
	bool seen[300] = { false };       /* a taken one's status is below that (meaning_of) */
	enum err e = ERR_OK;

	for (size_t i = 0; i < w->n && e == ERR_OK; i++) {
		const struct result *r = &w->o->results[i];

		if (r->outcome != OUT_TAKEN || seen[r->status])
			continue;
		seen[r->status] = true;
		e = write_taken(op, l, w, r->status);
	}
	return e;
}

static enum err
write_let_go(struct op *op, struct sql_link *l, struct writing *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		if (w->o->results[i].outcome == OUT_LET_GO)
			w->pos[n++] = w->o->results[i].item->pos;
	return n > 0 ? delivery_store_let_go(op, l, w->o->to->id, w->pos, n) : ERR_OK;
}

static enum err
write_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct writing *w = arg;
	enum err e;

	if ((e = hold(op, l, w, rollback_out)) != ERR_OK || w->lost)
		return e;
	if ((e = write_failures(op, l, w)) != ERR_OK || (e = write_all_taken(op, l, w)) != ERR_OK ||
	    (e = write_let_go(op, l, w)) != ERR_OK)
		return e;
	w->o->note.endpoint = w->o->to->id;
	return w->o->noted ? delivery_store_note(op, l, &w->o->note) : ERR_OK;
}

/* ---- results ---- */

/* As many as fit one transaction; large ones take several. */
static size_t
n_to_write(const struct outlet *o)
{
	size_t bytes = 0, n;

	for (n = 0; n < o->n_results && (n == 0 || bytes < WRITE_BYTES); n++) {
		const struct result *r = &o->results[n];

		if (r->outcome == OUT_FAILED || r->outcome == OUT_UNCOUNTED)
			bytes += r->item->data.len + 4 * r->done.body.len;
	}
	return n;
}

static void
forget_written(struct outlet *o, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct result *r = &o->results[i];

		multi_done_free(&r->done);
		/* One that is tried again stays in the window. */
		if (r->outcome != OUT_UNCOUNTED && !(r->outcome == OUT_FAILED && r->state == DELIVERY_QUEUED))
			window_remove(o->window, r->item);
	}
	for (size_t i = n; i < o->n_results; i++)
		o->results[i - n] = o->results[i];
	o->n_results -= n;
}

static bool
write_results(struct op *op, struct post *p, struct outlet *o)
{
	struct writing w = { .post = p, .o = o, .n = n_to_write(o) };
	enum err e;

	w.pos = arena_array(op->arena, w.n + 1, sizeof(*w.pos));
	e = tx_run(op, p->task->sv.db, write_in_tx, &w);
	if (e == ERR_OK && w.lost) {
		outlet_drop(op, o, "endpoint_lost");
		return false;
	}
	if (e != ERR_OK) {
		o->write_at_us = clock_mono_us() + task_failed(p->task, AGAIN_US);
		return false;
	}
	forget_written(o, w.n);
	o->note = (struct delivery_note){ .endpoint = o->to->id };
	o->noted = false;
	o->write_at_us = o->n_results > 0 ? clock_mono_us() - WRITE_US : 0;
	return true;
}

/* ---- recovery ---- */

struct recovery { struct writing w; bool done; struct waiting waiting; };

static enum err
recover_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct recovery *r = arg;
	struct outlet *o = r->w.o;
	const struct delivery_note well = { .endpoint = o->to->id, .set_down = true };
	int64_t n;
	enum err e;

	if ((e = hold(op, l, &r->w, rollback_out)) != ERR_OK || r->w.lost)
		return e;
	if (r->w.n_pos > 0 &&
	    (e = delivery_store_untried(op, l, o->to->id, r->w.pos, r->w.n_pos)) != ERR_OK)
		return e;
	if ((e = delivery_store_requeue(op, l, o->to->id, REQUEUE_ROWS, &n)) != ERR_OK)
		return e;
	r->done = n < REQUEUE_ROWS;
	return r->done ? delivery_store_note(op, l, &well) : ERR_OK;
}

static void
log_back(struct op *op, const struct outlet *o, const struct waiting *waiting, int64_t now_ms)
{
	struct log_line l;

	log_begin(&l, op->log, LOG_INFO, "事件接收端恢复", "endpoint_up", op->request_id);
	log_str(&l, "endpoint", o->to->id);
	log_i64(&l, "pending", waiting->n);
	if (breaker_is_open(&o->breaker))
		log_i64(&l, "down_s", (now_ms - o->breaker.down_since_ms) / 1000);
	log_end(&l);
}

/* Down until the last row is due again: whoever goes on after a crash in between, tries once and goes on. */
static void
recover_step(struct op *op, struct post *p, struct outlet *o)
{
	struct recovery r = { .w = { .post = p, .o = o } };
	enum err e;

	r.w.pos = arena_array(op->arena, WINDOW_ROWS, sizeof(*r.w.pos));
	r.w.n_pos = window_untried(o->window, r.w.pos, WINDOW_ROWS);
	e = tx_run(op, p->task->sv.db, recover_in_tx, &r);
	if (e == ERR_OK && r.w.lost) {
		outlet_drop(op, o, "endpoint_lost");
		return;
	}
	if (e != ERR_OK)
		o->due_at_us = clock_mono_us() + task_failed(p->task, AGAIN_US);
	if (e != ERR_OK || !r.done)
		return;
	if (endpoint_store_waiting(op, p->task->sv.db, o->to->id, &r.waiting) != ERR_OK)
		r.waiting.n = 0;
	log_back(op, o, &r.waiting, post_now_ms(p));
	breaker_ok(&o->breaker);
	o->n_probes = 0;
	window_clear(o->window);
	o->after = 0;
	o->load_at_us = o->due_at_us = 0;
	o->recovering = false;
}

void
outlet_write(struct op *op, struct post *p, struct outlet *o, bool at_once)
{
	int64_t now_us = clock_mono_us();
	bool hurry = at_once || o->n_results >= AT_ONCE_ROWS || o->recovering;
	bool due = now_us >= o->write_at_us + (hurry ? 0 : WRITE_US);

	if ((o->n_results > 0 || o->noted) && due && !write_results(op, p, o))
		return;
	if (o->held && o->recovering && o->n_results == 0 && now_us >= o->due_at_us)
		recover_step(op, p, o);
}
