/* task - one process of tgo-call-jobs and its loop: a pass of work, then sleep until the next is due, somebody wakes
 * it through Redis, or a signal comes. tgo-call-jobs runs one process for each row of TASKS, so that what waits for
 * LiveKit or a receiver never keeps a deadline waiting.
 * Ownership: t->arena is reset before every pass.
 * Crash:     a task keeps nothing in memory that is not in the database: whatever it dies of, another goes on.
 * SPDX-License-Identifier: MIT */
#ifndef JOBS_TASK_H
#define JOBS_TASK_H

#include "call/services.h"
#include "kv/kv_ear.h"
#include "livekit/census.h"

enum { TASK_POLL_MS = 5000, TASK_DEAF_POLL_MS = 250, TASK_BEAT_MS = 5000 };

struct task {
	const struct task_kind *kind;
	struct services sv;           /* all of it open, multi and livekit_kv too */
	struct arena *arena;
	struct kv_ear *ear;           /* NULL with EAR_NONE */
	struct str id, instance;      /* holder of leases; what /readyz counts */
	int signal_fd;                /* TERM, INT, USR1 */
	int64_t db_ahead_ms;          /* the database's clock minus this host's, as the last pass saw it (EAR_DEADLINE) */
	int64_t beat_at_us;           /* clock_mono_us of the last heartbeat */
	int64_t awake_at_ms;          /* when the last pass began, by the same clock: gap_ms counts from there */
	bool failed;                  /* the pass under way could not do its work */
	bool stopping;
};

/* What a pass returns: how long there is nothing to do, ms (0: go on at once; at most TASK_POLL_MS is slept). */
typedef int64_t (*task_pass)(struct task *t, struct op *op, void *state);
/* Which words wake it from its sleep, at most once in gap_ms: none; every one on its channel; on KV_WAKE only those that
 * name an earlier deadline than it sleeps to. */
enum task_ear { EAR_NONE, EAR_ANY, EAR_DEADLINE };
struct task_kind {
	const char *name;
	enum task_ear hears;
	enum kv_channel channel;
	int64_t gap_ms;
	size_t state_size;            /* zeroed memory for `state`, kept between passes */
	task_pass pass;
	void (*close)(struct task *t, struct op *op, void *state);    /* NULL: nothing; at a graceful end: give leases back */
	/* Instead of pass: a loop of its own (deliver waits in libcurl). Returns when t->stopping. */
	void (*run)(struct task *t, void *state);
};
extern const struct task_kind *const TASKS[];          /* tasks.c */
extern const size_t N_TASKS;

/* What LiveKit is asked with. */
struct census task_census(const struct task *t);
/* An op for one pass: arena reset, request_id "jobs-<task>". */
void task_begin(struct task *t, struct op *op);
/* Reads pending signals (TERM: t->stopping; USR1: reopens the log). */
void task_signals(struct task *t);
/* The pass could not do its work: returns the pause that is given, for the pass to return. */
int64_t task_failed(struct task *t, int64_t pause);
/* Counts the pass that ends here; for tasks with a loop of their own. */
void task_passed(struct task *t);
/* Writes the heartbeat when it is due. */
void task_beat(struct task *t, struct op *op);
/* Sleeps up to ms (TASK_DEAF_POLL_MS at most while Redis is away and the task listens), until a signal or a word comes. */
void task_sleep(struct task *t, int64_t ms);
/* In the child, after fork, TERM, INT and USR1 blocked: runs the task to its end: the exit status. `sv` is all open, and
 * stays the caller's. */
int task_main(const struct task_kind *k, const struct services *sv, struct str instance);

#endif
