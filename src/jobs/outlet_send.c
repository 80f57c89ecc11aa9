/* outlet_send - heads on their way: as many as may be under way, or a single try while the receiver is down.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/clock.h"
#include "jobs/outlet.h"

enum { CATCH_UP_US = 20000 };         /* what the loop may be late by without losing pace */

static bool
send(struct post *p, struct outlet *o, struct item *i, bool probe)
{
	struct letter *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return false;
	t->from = o;
	t->item = i;
	t->probe = probe;
	t->sent_at_ms = post_now_ms(p);
	/* Receivers refuse what is not of now, and a host's clock may be wrong. */
	t->sent_at_s = t->sent_at_ms / 1000;
	if (!letter_write(t, o->to, p->reach) || !multi_start(p->multi, &t->call)) {
		free(t);
		return false;
	}
	if ((t->next = p->letters) != NULL)
		t->next->prev = t;
	p->letters = t;
	window_fly(o->window, i);
	o->n_flying++;
	return true;
}

/* Of two heads the one whose last single try is longer ago: an event that the receiver cannot digest must
 * not be the only one it is tried with. */
static struct item *
probe_first(struct item *a, struct item *b)
{
	if (a == NULL)
		return b;
	if (a->probed_at_ms != b->probed_at_ms)
		return a->probed_at_ms < b->probed_at_ms ? a : b;
	return a->pos <= b->pos ? a : b;
}

static void
send_probe(struct post *p, struct outlet *o)
{
	int64_t now_ms = post_now_ms(p);
	struct item *best = NULL;

	if (o->probing || now_ms < o->breaker.probe_at_ms)
		return;
	for (struct item *i = window_ready(o->window); i != NULL; i = i->next)
		best = probe_first(best, i);
	for (struct item *i = window_waiting(o->window); i != NULL; i = i->next)
		best = probe_first(best, i);
	if (best == NULL || !outlet_has_room(o) || !send(p, o, best, true))
		return;
	best->probed_at_ms = now_ms;
	o->probing = true;
	o->n_probes++;
}

/* At most `rate` a second, evenly. */
static bool
in_time(struct outlet *o)
{
	int64_t now_us = clock_mono_us();

	if (o->to->rate == 0)
		return true;
	if (now_us < o->send_at_us)
		return false;
	if (o->send_at_us < now_us - CATCH_UP_US)
		o->send_at_us = now_us;
	o->send_at_us += 1000000 / o->to->rate;
	return true;
}

void
outlet_send(struct post *p, struct outlet *o)
{
	struct item *i;

	/* Frozen past its lease, a process must not send before it knows that nobody else does. */
	if (!o->active || o->recovering || clock_mono_us() >= o->held_until_us)
		return;
	if (breaker_is_open(&o->breaker)) {
		send_probe(p, o);
		return;
	}
	while (o->n_flying < p->parallel && outlet_has_room(o) &&
	    (i = window_ready(o->window)) != NULL && in_time(o))
		if (!send(p, o, i, false))
			return;
}
