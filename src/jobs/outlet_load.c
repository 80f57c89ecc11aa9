/* outlet_load - from the database into the window, and when a call has waited long enough.
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "jobs/outlet.h"

enum {
	PAGE = 256,
	LARGE_BYTES = 8 << 20,        /* of large events in one go: they pass through the op's memory */
	LOAD_US = 1000000,            /* looks without having been told; */
	DEAF_LOAD_US = 250000,        /* the same while Redis is away; */
	DUE_US = 250000,              /* for those to be tried again */
	WAKE_MS = 250
};

/* False: it has to wait for another time. */
static bool
add(struct op *op, struct post *p, struct outlet *o, struct delivery_row *r, bool loose)
{
	if (!window_has_room(o->window, (size_t)r->n_bytes))
		return false;
	if (r->n_bytes > DELIVERY_INLINE &&
	    delivery_store_data(op, p->task->sv.db, r->event_no, &r->data) != ERR_OK)
		return false;
	return window_add(o->window, r, loose);
}

/* How many rows of the page came in. */
static size_t
add_page(struct op *op, struct post *p, struct outlet *o, const struct delivery_page *page, bool loose)
{
	int64_t large = 0;
	size_t i;

	for (i = 0; i < page->n && large < LARGE_BYTES; i++) {
		if (!add(op, p, o, &page->rows[i], loose))
			break;
		if (page->rows[i].n_bytes > DELIVERY_INLINE)
			large += page->rows[i].n_bytes;
	}
	return i;
}

static void
load_queued(struct op *op, struct post *p, struct outlet *o)
{
	struct delivery_page page = { .limit = PAGE };
	bool deaf = p->task->ear == NULL || kv_ear_fd(p->task->ear) < 0;
	size_t n;

	o->load_at_us = clock_mono_us() + (deaf ? DEAF_LOAD_US : LOAD_US);
	if (delivery_store_queued(op, p->task->sv.db, o->to->id, o->after, &page) != ERR_OK) {
		(void)task_failed(p->task, 0);
		return;
	}
	n = add_page(op, p, o, &page, false);
	if (n > 0) {
		o->after = page.rows[n - 1].pos;
		o->wake_at_ms = 0;
	}
	/* Where not one had room, there is none for a while. */
	o->more = n > 0 && (page.n == PAGE || n < page.n);
}

static void
load_due(struct op *op, struct post *p, struct outlet *o)
{
	struct delivery_page page = { .limit = PAGE };

	o->due_at_us = clock_mono_us() + DUE_US;
	if (delivery_store_due(op, p->task->sv.db, o->to->id, &page) == ERR_OK)
		(void)add_page(op, p, o, &page, true);
}

/* Heads that were tried, and whose call has waited long enough for them. When the next one's time comes. */
static int64_t
let_go(struct post *p, struct outlet *o, int64_t now_ms)
{
	int64_t hold_ms = p->task->sv.conf->webhook_hold_ms, least = INT64_MAX;
	struct item *next;

	for (struct item *i = window_waiting(o->window); i != NULL && outlet_has_room(o); i = next) {
		int64_t until_ms = i->first_try_at_ms + hold_ms;

		next = i->next;
		if (i->loose || i->first_try_at_ms == 0)
			continue;
		if (until_ms > now_ms) {
			least = until_ms < least ? until_ms : least;
			continue;
		}
		(void)outlet_result(o, i, OUT_LET_GO, now_ms);
		window_let_go(o->window, i);
	}
	return least;
}

static void
wake(struct post *p, struct outlet *o)
{
	int64_t now_ms = post_now_ms(p), next, hold = INT64_MAX;

	if (now_ms < o->wake_at_ms)
		return;
	/* An outage is not the event's fault: nothing is let go meanwhile. */
	if (!breaker_is_open(&o->breaker))
		hold = let_go(p, o, now_ms);
	next = window_wake(o->window, now_ms);
	o->wake_at_ms = now_ms + WAKE_MS;
	if (next < o->wake_at_ms)
		o->wake_at_ms = next;
	if (hold < o->wake_at_ms)
		o->wake_at_ms = hold;
}

/* A receiver that is down needs heads to be tried with, not all that waits for it: a page more with each try, as
 * those there are may all be of one call. */
bool
outlet_wants_rows(const struct outlet *o)
{
	size_t most = WINDOW_ROWS - PAGE;

	if (breaker_is_open(&o->breaker) && o->n_probes < most / PAGE)
		most = PAGE * o->n_probes;
	return window_n(o->window) <= most;
}

void
outlet_load(struct op *op, struct post *p, struct outlet *o)
{
	int64_t now_us = clock_mono_us();

	if (!o->active || o->recovering)
		return;
	if (outlet_wants_rows(o) && (o->more || now_us >= o->load_at_us))
		load_queued(op, p, o);
	if (now_us >= o->due_at_us)
		load_due(op, p, o);
	wake(p, o);
}
