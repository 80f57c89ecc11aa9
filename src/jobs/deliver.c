/* deliver - the task that brings events to the business backend: it takes the receivers' leases, one after the
 * other so that other processes get some too, and waits for answers, words and times all in one place.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/clock.h"
#include "jobs/outlet.h"
#include "jobs/tasks.h"

enum {
	PARALLEL_MAX = 512,           /* under way in all */
	TAKE_US = 1000000,            /* between two looks whether a lease is free */
	SHARE_US = 20000,             /* and before the next one is taken, for each that is held */
	SHARE_MAX_US = 200000,
	WAIT_MAX_MS = 500,
	DRAIN_US = 5000000            /* a graceful end waits so long for answers */
};

struct deliver {
	struct post post;
	struct outlet *outlets;
	size_t n, n_held;
	int64_t take_at_us;
};

/* ---- opening ---- */

static size_t
parallel_in_all(const struct conf *c)
{
	size_t n = (size_t)c->webhook_parallel * (c->n_endpoints > 0 ? c->n_endpoints : 1);

	return n < PARALLEL_MAX ? n : PARALLEL_MAX;
}

/* The limit in all is shared out beforehand: a receiver that hangs must not take the others' places. */
static size_t
parallel_at_one(const struct conf *c)
{
	size_t share = PARALLEL_MAX / (c->n_endpoints > 0 ? c->n_endpoints : 1);

	if ((size_t)c->webhook_parallel < share || c->n_endpoints <= 1)
		return (size_t)c->webhook_parallel < PARALLEL_MAX ? (size_t)c->webhook_parallel : PARALLEL_MAX;
	return share > 0 ? share : 1;
}

static bool
open_all(struct deliver *d, struct task *t)
{
	const struct conf *c = t->sv.conf;

	d->post = (struct post){ .task = t, .parallel = parallel_at_one(c), .multi = multi_open(parallel_in_all(c)),
	    .reach = c->webhook_allow_private ? REACH_NOT_LINK_LOCAL : REACH_PUBLIC };
	d->outlets = calloc(c->n_endpoints + 1, sizeof(*d->outlets));
	if (d->post.multi == NULL || d->outlets == NULL)
		return false;
	for (; d->n < c->n_endpoints; d->n++)
		if (!outlet_open(&d->outlets[d->n], &d->post, &c->endpoints[d->n], c))
			return false;
	return true;
}

static void
close_all(struct deliver *d)
{
	for (size_t i = 0; i < d->n; i++)
		outlet_close(&d->outlets[i]);
	multi_close(d->post.multi);
	post_forget_letters(&d->post);
	free(d->outlets);
	d->outlets = NULL;
	d->n = 0;
}

/* ---- leases ---- */

static void
count_held(struct deliver *d)
{
	d->n_held = 0;
	for (size_t i = 0; i < d->n; i++)
		d->n_held += d->outlets[i].held;
}

/* At most one, and then a pause that grows with what is held. */
static void
take_one(struct deliver *d)
{
	int64_t share_us = SHARE_US * (int64_t)(d->n_held + 1);
	struct op op;

	if (clock_mono_us() < d->take_at_us || d->n_held == d->n)
		return;
	d->take_at_us = clock_mono_us() + TAKE_US;
	task_begin(d->post.task, &op);
	for (size_t i = 0; i < d->n; i++) {
		if (d->outlets[i].held || !outlet_take(&op, &d->post, &d->outlets[i]))
			continue;
		d->take_at_us = clock_mono_us() + (share_us < SHARE_MAX_US ? share_us : SHARE_MAX_US);
		return;
	}
}

/* ---- one round ---- */

static void
take_answers(struct deliver *d)
{
	struct multi_done done;
	struct op op;

	task_begin(d->post.task, &op);
	while (multi_take(d->post.multi, &done))
		outlet_answer(&op, &d->post, done.tag, &done);
}

/* Each with the whole of the op's memory. */
static void
serve(struct deliver *d, struct outlet *o)
{
	struct op op;

	task_begin(d->post.task, &op);
	outlet_renew(&op, &d->post, o);
	if (o->held)
		outlet_write(&op, &d->post, o, false);
	if (o->held)
		outlet_load(&op, &d->post, o);
	if (o->held)
		outlet_send(&d->post, o);
}

static void
hear(struct deliver *d)
{
	int64_t least;

	if (d->post.task->ear == NULL || kv_ear_hear(d->post.task->ear, &least) == 0)
		return;
	for (size_t i = 0; i < d->n; i++)
		d->outlets[i].load_at_us = d->outlets[i].due_at_us = 0;
}

static void
wait_for_something(struct deliver *d)
{
	struct task *t = d->post.task;
	struct pollfd fds[2] = { { .fd = t->signal_fd, .events = POLLIN },
		{ .fd = t->ear != NULL ? kv_ear_fd(t->ear) : -1, .events = POLLIN } };
	int64_t now_us = clock_mono_us(), at_us = now_us + WAIT_MAX_MS * 1000, ms;

	for (size_t i = 0; i < d->n; i++) {
		int64_t next_us = d->outlets[i].held ? outlet_next_us(&d->post, &d->outlets[i]) : at_us;

		at_us = next_us < at_us ? next_us : at_us;
	}
	if (d->n_held < d->n && d->take_at_us < at_us)
		at_us = d->take_at_us;
	ms = (at_us - now_us + 999) / 1000;
	multi_wait(d->post.multi, fds, N_ELEMS(fds), (int)(ms > 1 ? ms : 1));
	task_signals(t);
}

static void
round_once(struct deliver *d)
{
	struct op op;

	task_begin(d->post.task, &op);
	task_beat(d->post.task, &op);
	hear(d);
	take_answers(d);
	for (size_t i = 0; i < d->n; i++)
		if (d->outlets[i].held)
			serve(d, &d->outlets[i]);
	count_held(d);
	take_one(d);
	count_held(d);
	task_passed(d->post.task);
}

/* ---- the end ---- */

/* Nothing new is sent; what is under way is answered and written. True: nothing is left. */
static bool
drain_once(struct deliver *d)
{
	bool empty = true;
	struct op op;

	take_answers(d);
	for (size_t i = 0; i < d->n; i++) {
		struct outlet *o = &d->outlets[i];

		task_begin(d->post.task, &op);
		if (o->held)
			outlet_renew(&op, &d->post, o);
		if (o->held)
			outlet_write(&op, &d->post, o, true);
		empty = empty && (!o->held || (o->n_flying == 0 && o->n_results == 0));
	}
	return empty;
}

static void
drain(struct deliver *d)
{
	int64_t until_us = clock_mono_us() + DRAIN_US;

	for (size_t i = 0; i < d->n; i++)
		d->outlets[i].recovering = false;
	while (!drain_once(d) && clock_mono_us() < until_us)
		multi_wait(d->post.multi, NULL, 0, 50);
}

static void
deliver_run(struct task *t, void *state)
{
	struct deliver *d = state;

	if (!open_all(d, t)) {
		log_note(t->sv.log, LOG_ERROR, "后台任务无法启动", "task_failed", t->kind->name);
		return;
	}
	while (!t->stopping) {
		round_once(d);
		wait_for_something(d);
	}
	drain(d);
}

static void
deliver_close(struct task *t, struct op *op, void *state)
{
	struct deliver *d = state;

	(void)t;
	for (size_t i = 0; i < d->n; i++)
		outlet_release(op, &d->post, &d->outlets[i]);
	close_all(d);
}

const struct task_kind TASK_DELIVER = {
	.name = "deliver",
	.hears = EAR_ANY,
	.channel = KV_NUMBERED,
	.state_size = sizeof(struct deliver),
	.run = deliver_run,
	.close = deliver_close,
};
