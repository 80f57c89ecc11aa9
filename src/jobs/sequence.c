/* sequence - gives committed events their numbers, and queues them for every receiver that wants them.
 * Ids are taken when a row is inserted and become visible when its transaction ends: one with a smaller id may come
 * later. So one process at a time, holding a lease, numbers what it sees, after the fact.
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "jobs/tasks.h"
#include "store/endpoint_store.h"
#include "store/event_store.h"
#include "store/jobs_store.h"

#define LEASE S("sequence")

enum {
	BATCH = 500,                  /* events a transaction */
	LOOK_MS = 1000,               /* renews the lease, or asks for it */
	GAP_MS = 2
};

struct sequence {
	bool held;
	int64_t look_at_us;           /* when the lease is to be renewed or asked for */
};

/* What a transaction of this process is about. */
struct batch {
	struct task *t;
	const struct event_no *rows;
	size_t n;
	int64_t pos;                  /* the last number given */
	bool held;
};

static void
log_taken(struct task *t, struct op *op, int64_t pos)
{
	struct log_line l;

	log_begin(&l, t->sv.log, LOG_INFO, "开始事件编号", "sequence_taken", op->request_id);
	log_i64(&l, "pos", pos);
	log_i64(&l, "endpoints", (int64_t)t->sv.conf->n_endpoints);
	log_end(&l);
}

/* The lease may be younger than the events: somebody deleted its row. */
static enum err
settle_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct batch *b = arg;
	struct lease lease;
	enum err e;

	if ((e = jobs_store_hold(op, l, LEASE, b->t->id, &lease)) != ERR_OK)
		return e;
	b->held = lease.held;
	*rollback_out = !lease.held;
	if (!lease.held)
		return ERR_OK;
	if ((e = event_store_newest(op, l, &b->pos)) != ERR_OK)
		return e;
	b->pos = b->pos > lease.value ? b->pos : lease.value;
	if ((e = jobs_store_set_value(op, l, LEASE, b->pos)) != ERR_OK)
		return e;
	return endpoint_store_settle(op, l, b->t->sv.conf, lease.now_ms);
}

static bool
take_over(struct task *t, struct op *op)
{
	struct batch b = { .t = t };

	if (tx_run(op, t->sv.db, settle_in_tx, &b) != ERR_OK || !b.held)
		return false;
	log_taken(t, op, b.pos);
	/* Whoever delivers learns of receivers that came or went. */
	kv_ear_say(op, t->sv.kv, KV_NUMBERED, b.pos);
	return true;
}

/* Whether this process may number. */
static bool
keep_lease(struct task *t, struct op *op, struct sequence *s)
{
	struct lease lease = { 0 };
	int64_t now_us = clock_mono_us();
	enum err e;

	if (now_us < s->look_at_us)
		return s->held;
	s->look_at_us = now_us + LOOK_MS * 1000;
	e = jobs_store_lease(op, t->sv.db, LEASE, t->id, LEASE_MS, &lease);
	if (e != ERR_OK)
		(void)task_failed(t, 0);
	/* Whoever had it in between may know other receivers. */
	s->held = e == ERR_OK && lease.held && ((s->held && lease.kept) || take_over(t, op));
	return s->held;
}

static enum err
number_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	const struct conf *c;
	struct batch *b = arg;
	struct event_span span;
	struct lease lease;
	enum err e;

	if ((e = jobs_store_hold(op, l, LEASE, b->t->id, &lease)) != ERR_OK)
		return e;
	b->held = lease.held;
	*rollback_out = !lease.held;
	if (!lease.held)
		return ERR_OK;
	c = b->t->sv.conf;
	span = (struct event_span){ lease.value, lease.value + (int64_t)b->n };
	if ((e = event_store_number(op, l, b->rows, b->n, span.after)) != ERR_OK)
		return e;
	for (size_t i = 0; i < c->n_endpoints; i++)
		if ((e = event_store_queue(op, l, &c->endpoints[i], &span, lease.now_ms)) != ERR_OK)
			return e;
	b->pos = span.upto;
	return jobs_store_set_value(op, l, LEASE, span.upto);
}

/* Read before the transaction: while this process holds the lease nobody else numbers them. */
static enum err
number_some(struct task *t, struct op *op, struct sequence *s, size_t *n_out)
{
	struct batch b = { .t = t };
	struct event_no *rows;
	enum err e;

	*n_out = 0;
	if ((e = event_store_unnumbered(op, t->sv.db, BATCH, &rows, &b.n)) != ERR_OK || b.n == 0)
		return e;
	b.rows = rows;
	if ((e = tx_run(op, t->sv.db, number_in_tx, &b)) != ERR_OK)
		return e;
	s->held = b.held;
	if (!b.held)
		return ERR_OK;
	*n_out = b.n;
	kv_ear_say(op, t->sv.kv, KV_NUMBERED, b.pos);
	return ERR_OK;
}

static int64_t
sequence_pass(struct task *t, struct op *op, void *state)
{
	struct sequence *s = state;
	enum err e;
	size_t n = 0;

	if (keep_lease(t, op, s)) {
		/* An outcome that is not known, too: what was numbered is not found again. */
		if ((e = number_some(t, op, s, &n)) != ERR_OK)
			(void)task_failed(t, 0);
		if (e != ERR_OK || !s->held)
			s->look_at_us = 0;
		else if (n == BATCH)
			return 0;
	}
	return s->look_at_us == 0 ? LOOK_MS / 10 : (s->look_at_us - clock_mono_us()) / 1000 + 1;
}

static void
sequence_close(struct task *t, struct op *op, void *state)
{
	const struct sequence *s = state;

	/* At worst others wait until it is over. */
	if (s->held)
		(void)!jobs_store_release(op, t->sv.db, LEASE, t->id);
}

const struct task_kind TASK_SEQUENCE = {
	.name = "sequence",
	.hears = EAR_ANY,
	.channel = KV_WAKE,
	.gap_ms = GAP_MS,
	.state_size = sizeof(struct sequence),
	.pass = sequence_pass,
	.close = sequence_close,
};
