/* outlet_answer - what a receiver said, or did not: what becomes of the event, of its call's queue, and of what
 * is thought of the receiver.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/clock.h"
#include "base/rng.h"
#include "jobs/outlet.h"
#include "jobs/verdict.h"

enum { ERROR_CHARS = 240 };

/* One answer while it is dealt with. */
struct answer {
	struct op *op;
	struct post *post;
	struct outlet *o;
	struct letter *letter;
	struct item *item;
	struct multi_done *done;
	enum meaning meaning;
	int64_t now_ms;
};

static void
log_failure(const struct answer *a, const struct result *r)
{
	struct log_line l;

	log_begin(&l, a->op->log, LOG_WARN, "事件投递失败", "delivery_failed", a->op->request_id);
	log_str(&l, "room_id", a->item->room_id);
	log_str(&l, "event_type", a->item->type);
	log_str(&l, "event_id", a->item->event_id);
	log_str(&l, "endpoint", a->o->to->id);
	log_i64(&l, "status", a->done->status);
	log_z(&l, "error", a->o->last_error);
	log_i64(&l, "attempts", a->item->attempts);
	if (r->pause_ms > 0)
		log_i64(&l, "retry_in_ms", r->pause_ms);
	log_end(&l);
}

static void
log_exhausted(const struct answer *a)
{
	struct log_line l;

	log_begin(&l, a->op->log, LOG_ERROR, "事件投递放弃", "delivery_exhausted", a->op->request_id);
	log_str(&l, "room_id", a->item->room_id);
	log_str(&l, "event_type", a->item->type);
	log_str(&l, "event_id", a->item->event_id);
	log_str(&l, "endpoint", a->o->to->id);
	log_i64(&l, "status", a->done->status);
	log_i64(&l, "attempts", a->item->attempts);
	log_end(&l);
}

static void
log_taken(const struct answer *a)
{
	struct log_line l;

	log_begin(&l, a->op->log, LOG_DEBUG, "事件已送达", "delivery_taken", a->op->request_id);
	log_str(&l, "room_id", a->item->room_id);
	log_str(&l, "event_type", a->item->type);
	log_str(&l, "event_id", a->item->event_id);
	log_str(&l, "endpoint", a->o->to->id);
	log_i64(&l, "status", a->done->status);
	log_ms(&l, "ms", a->done->us);
	log_end(&l);
}

static void
note_failure(const struct answer *a)
{
	struct outlet *o = a->o;
	struct strbuf b;

	strbuf_init(&b, o->last_error, sizeof(o->last_error));
	if (a->done->answered)
		strbuf_addf(&b, "HTTP %d", a->done->status);
	else
		letter_clean(&b, str_of(a->done->why), ERROR_CHARS);
	o->note.failed_at_ms = a->now_ms;
	o->note.set_last = true;
	o->note.last_status = a->done->status;
	o->note.last_error = strbuf_str(&b);
	o->noted = true;
}

/* A result that keeps the answer for the log. */
static struct result *
keep(const struct answer *a, enum outcome what)
{
	struct result *r = outlet_result(a->o, a->item, what, a->now_ms);

	r->done = *a->done;
	a->done->memory = NULL;
	r->answered = a->done->answered;
	r->status = a->done->status;
	r->sent_at_s = a->letter->sent_at_s;
	r->retry = a->item->attempts;
	return r;
}

static void
note_down(struct outlet *o)
{
	o->note.set_down = true;
	o->note.down_since_ms = o->breaker.down_since_ms;
	o->note.probe_at_ms = o->breaker.probe_at_ms;
	o->noted = true;
}

static void
taken(const struct answer *a)
{
	struct outlet *o = a->o;
	struct result *r = outlet_result(o, a->item, OUT_TAKEN, a->now_ms);

	r->answered = true;
	r->status = a->done->status;
	o->note.ok_at_ms = a->now_ms;
	o->note.set_last = true;
	o->note.last_status = a->done->status;
	o->noted = true;
	window_let_go(o->window, a->item);
	log_taken(a);
	if (breaker_is_open(&o->breaker))
		outlet_recover(o);
	else
		breaker_ok(&o->breaker);
}

/* Its turn comes again as if it had not been tried. */
static void
uncounted(const struct answer *a)
{
	struct result *r = keep(a, OUT_UNCOUNTED);

	log_failure(a, r);
	window_wait(a->o->window, a->item, a->item->next_try_at_ms);
}

static void
gone(const struct answer *a)
{
	struct outlet *o = a->o;

	note_failure(a);
	uncounted(a);
	if (o->disabled)
		return;
	o->active = false;
	o->disabled = true;
	o->note.disabled = true;
	outlet_log(a->op, o, LOG_ERROR, "事件接收端已停用", "endpoint_disabled");
}

/* A failed try that counts: held, let go, or given up. */
static void
counted(const struct answer *a)
{
	const struct conf *c = a->post->task->sv.conf;
	struct item *i = a->item;
	struct result *r = keep(a, OUT_FAILED);
	int64_t pause_ms, asked_ms = retry_after_ms(a->done->retry_after, clock_wall_ms());

	i->attempts++;
	if (i->first_try_at_ms == 0)
		i->first_try_at_ms = a->letter->sent_at_ms;
	pause_ms = retry_pause_ms(&c->webhook_retry, i->attempts, rng_below(UINT32_MAX));
	if (pause_ms >= 0)
		r->pause_ms = asked_ms > pause_ms ? asked_ms : pause_ms;
	log_failure(a, r);
	r->attempts = i->attempts;
	r->first_try_at_ms = i->first_try_at_ms;
	if (pause_ms < 0) {
		r->state = DELIVERY_EXHAUSTED;
		log_exhausted(a);
		meter_add(a->op->meter, METER_EXHAUSTED, a->o->to->id, S(""), 1);
	} else if (i->loose || a->meaning == MEANS_REFUSED ||
	    a->now_ms >= i->first_try_at_ms + c->webhook_hold_ms) {
		r->state = DELIVERY_AGAIN;
		r->due_at_ms = a->now_ms + r->pause_ms;
	} else {
		r->state = DELIVERY_QUEUED;
		r->next_try_at_ms = a->now_ms + r->pause_ms;
		window_wait(a->o->window, i, r->next_try_at_ms);
		a->o->wake_at_ms = 0;
		return;
	}
	window_let_go(a->o->window, i);
}

/* While it is open, only a refusal tells: somebody is there, who does not want this event. */
static void
failed_while_open(const struct answer *a)
{
	struct outlet *o = a->o;

	if (a->meaning == MEANS_REFUSED && a->letter->probe) {
		counted(a);
		outlet_recover(o);
		return;
	}
	uncounted(a);
	if (!a->letter->probe)
		return;
	breaker_probe_failed(&o->breaker, a->now_ms, retry_after_ms(a->done->retry_after, clock_wall_ms()));
	note_down(o);
}

/* A refusal says nothing about the receiver, nor does an event it is known not to digest. */
static void
failed(const struct answer *a)
{
	struct outlet *o = a->o;
	bool speaks;

	note_failure(a);
	if (breaker_is_open(&o->breaker)) {
		failed_while_open(a);
		return;
	}
	speaks = a->meaning == MEANS_FAILED && !(a->item->loose && a->done->answered);
	counted(a);
	if (!speaks || !breaker_failed(&o->breaker, a->item->pos, a->done->answered, a->now_ms))
		return;
	note_down(o);
	outlet_log(a->op, o, LOG_ERROR, "事件接收端不可用", "endpoint_down");
}

/* A try that was answered counts under its kind of status. */
static struct str
outcome_word(const struct multi_done *done)
{
	static const char *const BY_STATUS[] = { "other", "other", "delivered", "http_3xx", "http_4xx", "http_5xx" };
	size_t hundreds = (size_t)(done->status > 0 ? done->status / 100 : 0);

	if (done->answered)
		return str_of(hundreds < N_ELEMS(BY_STATUS) ? BY_STATUS[hundreds] : "other");
	if (done->refused_address)
		return S("forbidden_address");
	return done->timed_out ? S("timeout") : S("unreachable");
}

static void
count(struct op *op, const struct letter *t, const struct multi_done *done)
{
	meter_add(op->meter, METER_DELIVERIES, t->from->to->id, outcome_word(done), 1);
	meter_time(op->meter, METER_DELIVERY_TIME, t->from->to->id, done->us);
}

static void
letter_end(struct post *p, struct letter *t)
{
	*(t->prev != NULL ? &t->prev->next : &p->letters) = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	free(t);
}

void
outlet_answer(struct op *op, struct post *p, struct letter *t, struct multi_done *done)
{
	struct answer a = { .op = op, .post = p, .o = t->from, .letter = t, .item = t->item, .done = done,
	    .meaning = meaning_of(done->answered, done->status), .now_ms = post_now_ms(p) };

	count(op, t, done);
	if (t->item->orphan) {
		item_free(t->item);
	} else {
		a.o->n_flying--;
		if (t->probe)
			a.o->probing = false;
		if (a.meaning == MEANS_TAKEN)
			taken(&a);
		else if (a.meaning == MEANS_GONE)
			gone(&a);
		else
			failed(&a);
	}
	multi_done_free(done);
	letter_end(p, t);
}

void
post_forget_letters(struct post *p)
{
	while (p->letters != NULL) {
		if (p->letters->item->orphan)
			item_free(p->letters->item);
		letter_end(p, p->letters);
	}
}
