/* keeper - throws away what was kept long enough, in small bites: a round through all of it, then a pause.
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "jobs/tasks.h"
#include "model/status.h"
#include "store/jobs_store.h"
#include "store/retention_store.h"

#define LEASE S("keeper")

enum {
	BITES = 8,                    /* of each kind in a pass, so that the lease is renewed in time */
	BETWEEN_MS = 20,              /* between two passes of a round: others want the disk too */
	LOOK_MS = 2000,               /* renews the lease, or asks for it */
	TROUBLE_MS = 2000
};
static const int64_t DAY_MS = 86400000;

enum chore {
	CHORE_EVENTS, CHORE_LIVEKIT_EVENTS, CHORE_ACTIONS_DONE, CHORE_ACTIONS_FAILED, CHORE_PROCESSES,
	CHORE_WEBHOOK_LOG, CHORE_ANSWERS, CHORE_ROOMS, CHORE_COUNT
};
static const char *const NAMES[CHORE_COUNT] = {
	[CHORE_EVENTS] = "events", [CHORE_LIVEKIT_EVENTS] = "livekit_events", [CHORE_ACTIONS_DONE] = "actions_done",
	[CHORE_ACTIONS_FAILED] = "actions_failed", [CHORE_PROCESSES] = "processes",
	[CHORE_WEBHOOK_LOG] = "webhook_log", [CHORE_ANSWERS] = "answers", [CHORE_ROOMS] = "rooms",
};

struct keeper {
	bool held;
	bool in_round;
	int64_t next_at_us;           /* the next round */
	int64_t log_at_us;            /* business_webhook_log goes by an interval of its own */
	bool log_in_round;
	bool done[CHORE_COUNT];       /* in this round */
	int64_t n[CHORE_COUNT];       /* rows */
	struct event_walk walk;
};

struct bite {
	struct task *t;
	struct op *op;
	struct keeper *k;
	int64_t now_ms;               /* the database's */
};

static enum err
bite_rows(const struct bite *b, enum kept what, int64_t age_ms, bool *end, int64_t *n)
{
	size_t found = 0;
	enum err e = retention_store_rows(b->op, b->t->sv.db, what, b->now_ms - age_ms, &found);

	*n = (int64_t)found;
	*end = found < KEEP_CHUNK;
	return e;
}

static enum err
bite_events(const struct bite *b, bool *end, int64_t *n)
{
	struct event_bite bite = { 0 };
	int64_t before_ms = b->now_ms - b->t->sv.conf->event_days * DAY_MS;
	enum err e = retention_store_events(b->op, b->t->sv.db, before_ms, &b->k->walk, &bite);

	*n = (int64_t)bite.n_dropped;
	*end = bite.n_found < KEEP_CHUNK;
	return e;
}

static enum err
bite_rooms(const struct bite *b, bool *end, int64_t *n)
{
	int64_t before_ms = b->now_ms - b->t->sv.conf->call_days * DAY_MS;
	enum err e;

	*end = true;
	if (b->t->sv.conf->call_days == 0)
		return ERR_OK;
	for (int status = 0; status < ROOM_STATUS_COUNT; status++) {
		size_t found = 0;

		if (!room_status_final(status))
			continue;
		if ((e = retention_store_rooms(b->op, b->t->sv.db, status, before_ms, &found)) != ERR_OK)
			return e;
		*n += (int64_t)found;
		*end = *end && found < KEEP_ROOMS_CHUNK;
	}
	return ERR_OK;
}

static enum err
bite_of(const struct bite *b, enum chore c, bool *end, int64_t *n)
{
	const struct conf *conf = b->t->sv.conf;

	*n = 0;
	*end = true;
	switch (c) {
	case CHORE_EVENTS:         return bite_events(b, end, n);
	case CHORE_LIVEKIT_EVENTS: return bite_rows(b, KEPT_LIVEKIT_EVENTS, conf->livekit_event_days * DAY_MS, end, n);
	case CHORE_ACTIONS_DONE:   return bite_rows(b, KEPT_ACTIONS_DONE, conf->action_days * DAY_MS, end, n);
	case CHORE_ACTIONS_FAILED: return bite_rows(b, KEPT_ACTIONS_FAILED, conf->action_days * DAY_MS, end, n);
	case CHORE_PROCESSES:      return bite_rows(b, KEPT_PROCESSES, DAY_MS, end, n);
	case CHORE_WEBHOOK_LOG:
		if (!b->k->log_in_round)
			return ERR_OK;
		return bite_rows(b, KEPT_WEBHOOK_LOG, conf->webhook_log_days * DAY_MS, end, n);
	case CHORE_ANSWERS:        return bite_rows(b, KEPT_ANSWERS, conf->idempotency_s * 1000, end, n);
	case CHORE_ROOMS:          return bite_rooms(b, end, n);
	case CHORE_COUNT:          break;
	}
	return ERR_OK;
}

static void
begin_round(struct task *t, struct keeper *k)
{
	int64_t log_at_us = k->log_at_us, now_us = clock_mono_us();

	*k = (struct keeper){ .held = true, .in_round = true, .log_at_us = log_at_us };
	if (!t->sv.conf->webhook_log_cleanup || now_us < log_at_us)
		return;
	k->log_in_round = true;
	k->log_at_us = now_us + t->sv.conf->webhook_log_interval_s * 1000000;
}

static void
end_round(struct task *t, struct op *op, struct keeper *k)
{
	struct log_line l;
	int64_t sum = 0;

	k->in_round = false;
	k->next_at_us = clock_mono_us() + t->sv.conf->keep_interval_ms * 1000;
	for (size_t i = 0; i < CHORE_COUNT; i++)
		sum += k->n[i];
	if (sum == 0)
		return;
	log_begin(&l, t->sv.log, LOG_INFO, "过期数据已清理", "kept_long_enough", op->request_id);
	for (size_t i = 0; i < CHORE_COUNT; i++)
		if (k->n[i] > 0)
			log_i64(&l, NAMES[i], k->n[i]);
	log_end(&l);
}

static int64_t
pause_ms(const struct keeper *k)
{
	int64_t ms = (k->next_at_us - clock_mono_us()) / 1000 + 1;

	return k->held && ms < LOOK_MS ? ms : LOOK_MS;
}

/* A few bites of each kind that is not done; whether all are. */
static enum err
bite_on(const struct bite *b, bool *all_done_out)
{
	struct keeper *k = b->k;
	int64_t n;
	enum err e;

	*all_done_out = true;
	for (enum chore c = 0; c < CHORE_COUNT; c++) {
		for (int i = 0; i < BITES && !k->done[c] && !b->t->stopping; i++) {
			if ((e = bite_of(b, c, &k->done[c], &n)) != ERR_OK)
				return e;
			k->n[c] += n;
			task_signals(b->t);
		}
		*all_done_out = *all_done_out && k->done[c];
	}
	return ERR_OK;
}

static int64_t
keeper_pass(struct task *t, struct op *op, void *state)
{
	struct keeper *k = state;
	struct lease lease = { 0 };
	struct bite b = { .t = t, .op = op, .k = k };
	bool all_done = false;

	/* Held between two rounds, too: another process would begin one of its own. */
	if (jobs_store_lease(op, t->sv.db, LEASE, t->id, LEASE_MS, &lease) != ERR_OK)
		return task_failed(t, TROUBLE_MS);
	k->held = lease.held;
	if (!lease.held || (!k->in_round && clock_mono_us() < k->next_at_us))
		return pause_ms(k);
	if (!k->in_round)
		begin_round(t, k);
	b.now_ms = lease.now_ms;
	if (bite_on(&b, &all_done) != ERR_OK)
		return task_failed(t, TROUBLE_MS);
	if (!all_done)
		return BETWEEN_MS;
	end_round(t, op, k);
	return pause_ms(k);
}

static void
keeper_close(struct task *t, struct op *op, void *state)
{
	const struct keeper *k = state;

	/* At worst others wait until it is over. */
	if (k->held)
		(void)!jobs_store_release(op, t->sv.db, LEASE, t->id);
}

const struct task_kind TASK_KEEPER = {
	.name = "keeper",
	.hears = EAR_NONE,
	.state_size = sizeof(struct keeper),
	.pass = keeper_pass,
	.close = keeper_close,
};
