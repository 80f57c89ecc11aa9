/* actions - what LiveKit was to be told: closes rooms that are over, puts people out who are to be out. Redis is told the
 * same before, so that the route lets nobody in again.
 * Each action is claimed for a while, carried out, and recorded; one that fails is tried again, one whose
 * process died is free when the claim runs out. Doing one twice harms nobody.
 * SPDX-License-Identifier: MIT */
#include "jobs/tasks.h"

#include "base/rng.h"
#include "call/retell.h"
#include "jobs/action.h"
#include "kv/kv_livekit.h"

enum { NO_DATABASE_MS = 1000 };

static void
log_action(const struct batch *b, const struct action *a, enum log_level level, const char *msg,
    const char *event)
{
	struct log_line l;

	log_begin(&l, b->op->log, level, msg, event, b->op->request_id);
	log_str(&l, "kind", a->row.kind);
	log_str(&l, "room_id", a->row.room_id);
	if (a->row.uid.len > 0)
		log_str(&l, "uid", a->row.uid);
	log_i64(&l, "attempts", a->row.attempts);
	log_str(&l, a->outcome == DONE ? "outcome" : "error", a->said);
	log_end(&l);
}

/* A fifth more or less, so that what failed together does not come back together. */
static int64_t
pause_ms(const struct conf *c, int64_t attempts)
{
	size_t i = attempts > 0 ? (size_t)attempts - 1 : 0;
	int64_t ms = c->action_retry.at[i < c->action_retry.n ? i : c->action_retry.n - 1];

	return ms - ms / 5 + (int64_t)rng_below((uint32_t)(2 * ms / 5 + 1));
}

static void
count_action(const struct batch *b, const struct action *a, struct str outcome)
{
	meter_add(b->op->meter, METER_ACTIONS, a->row.kind, outcome, 1);
}

static enum err
record_failure(const struct batch *b, const struct action *a)
{
	const struct conf *c = b->t->sv.conf;

	if (a->row.now_ms - a->row.created_at_ms < c->action_give_up_ms) {
		count_action(b, a, S("again"));
		return action_store_again(b->op, b->t->sv.db, a->row.id, pause_ms(c, a->row.attempts), a->said);
	}
	count_action(b, a, S("given_up"));
	log_action(b, a, LOG_ERROR, "LiveKit 操作放弃", "livekit_action_failed");
	return action_store_failed(b->op, b->t->sv.db, a->row.id, a->said);
}

static enum err
record(const struct batch *b)
{
	int64_t done[ACTIONS_A_PASS];
	size_t n_done = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; i < b->n; i++) {
		const struct action *a = &b->all[i];
		enum err failed;

		if (a->outcome == DONE) {
			log_action(b, a, LOG_INFO, "LiveKit 操作完成", "livekit_action_done");
			count_action(b, a, str_eq(a->said, S("done")) ? S("done") : S("not_needed"));
			done[n_done++] = a->row.id;
		} else if ((failed = record_failure(b, a)) != ERR_OK) {
			e = failed;
		}
	}
	return e == ERR_OK ? action_store_done(b->op, b->t->sv.db, done, n_done) : e;
}

/* LiveKit leaves the place of a room in its map where a join failed half way: it would attract the next. */
static void
unmap_closed(const struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->all[i].closes && b->all[i].outcome == DONE)
			(void)!kv_livekit_unmap(b->op, b->t->sv.livekit_kv, b->all[i].row.room_id);
}

/* Without it they are carried out all the same. */
static void
tell_redis(const struct batch *b)
{
	struct str *rooms = arena_array(b->op->arena, b->n, sizeof(*rooms));

	for (size_t i = 0; i < b->n; i++)
		rooms[i] = b->all[i].row.room_id;
	(void)!op_retell(b->op, &b->t->sv, rooms, b->n);
}

/* While nothing is heard of Redis it is away, which need not be found out here. */
static bool
tell_redis_of_lately(struct task *t, struct op *op, struct retelling *r)
{
	bool more = false;

	return kv_ear_fd(t->ear) >= 0 && op_retell_lately(op, &t->sv, r, &more) == ERR_OK && more;
}

static int64_t
until_next(struct task *t, struct op *op)
{
	int64_t ms;

	if (action_store_next(op, t->sv.db, &ms) != ERR_OK)
		return task_failed(t, NO_DATABASE_MS);
	return ms >= 0 && ms < TASK_POLL_MS ? ms : TASK_POLL_MS;
}

static int64_t
pass(struct task *t, struct op *op, void *state)
{
	struct batch b = { .t = t, .op = op };
	struct action_row *rows;
	bool more;

	more = tell_redis_of_lately(t, op, state);
	if (action_store_claim(op, t->sv.db, ACTIONS_A_PASS, ACTION_CLAIM_MS, &rows, &b.n) != ERR_OK)
		return task_failed(t, NO_DATABASE_MS);
	if (b.n == 0)
		return more ? 0 : until_next(t, op);
	b.all = arena_array(op->arena, b.n, sizeof(*b.all));
	for (size_t i = 0; i < b.n; i++)
		b.all[i] = (struct action){ .row = rows[i], .closes = str_eq(rows[i].kind, S("delete_room")) };
	tell_redis(&b);
	action_ask(&b);
	unmap_closed(&b);
	return record(&b) == ERR_OK ? 0 : task_failed(t, NO_DATABASE_MS);
}

const struct task_kind TASK_ACTIONS = {
	.name = "actions",
	.hears = EAR_ANY,
	.channel = KV_WAKE,
	.gap_ms = 100,
	.state_size = sizeof(struct retelling),
	.pass = pass,
};
