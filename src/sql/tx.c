/* tx - a transaction: START TRANSACTION, the body, COMMIT; repeated as a whole where the server asks.
 * SPDX-License-Identifier: MIT */
#include "sql/sql_private.h"

#include <assert.h>
#include <time.h>

#include "base/clock.h"
#include "base/rng.h"

enum {
	MAX_REPEATS = 5,
	MAX_LOST = 1,
	BUDGET_US = 2 * 1000 * 1000,  /* a request has 4 s in all: no repeat begins after half of them */
	JITTER_US = 4000,             /* for the first repeat; more for each further one */
};

struct tx_tries {
	int64_t started_us;
	unsigned n_again, n_lost;
};

/* The rest of the transaction is void once this fails: the server undoes it with the connection. */
static void
roll_back(struct op *op, struct sql_link *l)
{
	struct sql_fault f;

	if (l->db != NULL && !link_query(op, l, S("ROLLBACK"), &f))
		link_drop(l);
}

static enum err
begin(struct op *op, struct sql_link *l)
{
	struct sql_fault f;
	enum err e;

	if ((e = link_need(op, l)) != ERR_OK)
		return e;
	l->last_name = "START TRANSACTION";
	if (link_query(op, l, S("START TRANSACTION"), &f))
		return ERR_OK;
	return link_fault(op, l, l->last_name, &f);
}

static enum err
commit(struct op *op, struct sql_link *l)
{
	struct sql_fault f;
	enum err e;

	l->last_name = "COMMIT";
	/* Never sent on a new connection: nothing of ours would be in it. */
	if (l->db == NULL)
		return ERR_SQL_LOST;
	if (link_query(op, l, S("COMMIT"), &f)) {
		link_log_back(op, l);
		return ERR_OK;
	}
	if (fault_is_lost(f.number)) {
		fault_count(op, ERR_OUTCOME_UNKNOWN);
		link_log_down(op, l, &f);
		link_drop(l);
		return ERR_OUTCOME_UNKNOWN;
	}
	e = link_fault(op, l, l->last_name, &f);
	roll_back(op, l);
	return e;
}

static enum err
tx_once(struct op *op, struct sql_link *l, tx_body body, void *arg)
{
	bool rollback = false;
	enum err e;

	if ((e = begin(op, l)) != ERR_OK)
		return e;
	l->tx_err = ERR_OK;
	l->in_tx = true;
	e = body(op, l, arg, &rollback);
	l->in_tx = false;
	/* A body that went on after the server had undone its work must not commit the rest. */
	if (l->tx_err != ERR_OK)
		e = l->tx_err;
	if (e == ERR_OK && !rollback)
		return commit(op, l);
	roll_back(op, l);
	return e;
}

static void
log_try(struct op *op, const struct sql_link *l, const struct tx_tries *t, bool given_up)
{
	struct log_line line;

	if (given_up)
		log_begin(&line, op->log, LOG_WARN, "事务放弃", "tx_given_up", op->request_id);
	else
		log_begin(&line, op->log, LOG_DEBUG, "事务重试", "tx_again", op->request_id);
	log_z(&line, "statement", l->last_name);
	log_i64(&line, "again", t->n_again);
	log_i64(&line, "lost", t->n_lost);
	log_ms(&line, "ms", clock_mono_us() - t->started_us);
	log_end(&line);
}

static void
pause_a_moment(unsigned n_again)
{
	long us = (long)rng_below(JITTER_US * n_again) + 500;
	struct timespec t = { .tv_nsec = us * 1000 };

	(void)nanosleep(&t, NULL);
}

static bool
may_repeat(struct tx_tries *t, enum err e)
{
	if (e == ERR_SQL_AGAIN)
		t->n_again++;
	else
		t->n_lost++;
	return t->n_again <= MAX_REPEATS && t->n_lost <= MAX_LOST &&
	    clock_mono_us() - t->started_us < BUDGET_US;
}

enum err
tx_run(struct op *op, struct sql_link *l, tx_body body, void *arg)
{
	struct tx_tries t = { .started_us = clock_mono_us() };
	enum err e;

	assert(!l->in_tx);
	for (;;) {
		e = tx_once(op, l, body, arg);
		if (e != ERR_SQL_AGAIN && e != ERR_SQL_LOST)
			return e;
		if (!may_repeat(&t, e))
			break;
		log_try(op, l, &t, false);
		if (e == ERR_SQL_AGAIN)
			pause_a_moment(t.n_again);
	}
	log_try(op, l, &t, true);
	return ERR_UNAVAILABLE;
}
