/* outlet - one receiver of events as this process serves it, while it holds the receiver's lease: only one
 * process serves a receiver at a time, so its order, breaker, concurrency and rate hold for all of them.
 * Files:     outlet.c lease and the receiver's row; outlet_load.c rows into the window; outlet_send.c out;
 *            outlet_answer.c what an answer means; outlet_write.c what became of it, into the database.
 * Crash:     what was sent and not yet written is sent again by the next holder, with the same event id.
 * Fence:     everything is written in transactions that hold the lease; a process that was frozen past it
 *            drops what it holds as soon as another one had it, even if it is free again.
 * SPDX-License-Identifier: MIT */
#ifndef JOBS_OUTLET_H
#define JOBS_OUTLET_H

#include "jobs/breaker.h"
#include "jobs/letter.h"
#include "jobs/task.h"
#include "jobs/window.h"

/* What all outlets of a process share. */
struct post {
	struct task *task;
	struct httpc_multi *multi;
	enum reach reach;
	size_t parallel;              /* under way at one receiver */
	struct letter *letters;       /* all under way */
	int64_t db_ms, db_us;         /* the database's clock, and clock_mono_us when it said so */
};

/* What became of one, as it is to be written. */
enum outcome {
	OUT_TAKEN,
	OUT_FAILED,                   /* state and times as in the result */
	OUT_UNCOUNTED,                /* while the receiver is down: only the log */
	OUT_LET_GO                    /* not tried: its call no longer waits for it */
};
struct result {
	struct item *item;
	enum outcome outcome;
	bool answered;
	int status;
	struct multi_done done;       /* its memory, until it is written; OUT_TAKEN: none */
	int64_t at_ms, sent_at_s;
	int64_t state, attempts, first_try_at_ms, next_try_at_ms, due_at_ms;   /* OUT_FAILED */
	int64_t retry, pause_ms;      /* for the log: tries before, and until the next */
};

struct outlet {
	const struct endpoint *to;
	char lease[40];               /* its name */
	bool held;
	int64_t held_until_us, renew_at_us;

	bool known, active, disabled; /* the receiver's row */
	struct breaker breaker;
	bool probing;                 /* a single try is under way */
	size_t n_probes;              /* since it is down */
	bool recovering;              /* everything is being made due; nothing is sent meanwhile */
	struct delivery_note note;
	char last_error[1024];        /* of note */
	bool noted;                   /* note is to be written */

	struct window *window;        /* NULL: not held */
	int64_t after;                /* the last number read */
	bool more;                    /* the last page was full */
	int64_t load_at_us, due_at_us;/* next looks */
	int64_t wake_at_ms;           /* next look at those that wait */
	int64_t send_at_us;           /* rate: not before */
	size_t n_flying;
	struct result *results;
	size_t n_results, results_cap;
	int64_t write_at_us;          /* when there are results */
};

/* The database's clock as far as this process knows it. */
int64_t post_now_ms(const struct post *p);
/* What the database said, in answer to a question asked at asked_us. */
void post_clock(struct post *p, int64_t now_ms, int64_t asked_us);

/* False: no memory. */
bool outlet_open(struct outlet *o, const struct post *p, const struct endpoint *to,
    const struct conf *c) MUST_CHECK;
void outlet_close(struct outlet *o);
/* Takes the lease if it is free. True: taken by this call. */
bool outlet_take(struct op *op, struct post *p, struct outlet *o);
/* Renews it when it is time, and reads the receiver's row; starts over when somebody else had it in between. */
void outlet_renew(struct op *op, struct post *p, struct outlet *o);
void outlet_release(struct op *op, struct post *p, struct outlet *o);
/* The lease is somebody else's, or given back. */
void outlet_drop(struct op *op, struct outlet *o, const char *why);

/* Whether there is room for another page. */
bool outlet_wants_rows(const struct outlet *o);
/* Reads what is to be sent, and lets those go that held their call long enough. */
void outlet_load(struct op *op, struct post *p, struct outlet *o);
void outlet_send(struct post *p, struct outlet *o);
/* Frees the letter. */
void outlet_answer(struct op *op, struct post *p, struct letter *t, struct multi_done *done);
/* What is still under way when multi was closed is freed; after outlet_close. */
void post_forget_letters(struct post *p);
/* Writes results when it is time, or at once; a step of recovery when there is one to do. */
void outlet_write(struct op *op, struct post *p, struct outlet *o, bool at_once);
/* When it next wants attention without being told, clock_mono_us. */
int64_t outlet_next_us(const struct post *p, const struct outlet *o);

/* Room for one more result besides those of what is under way. */
bool outlet_has_room(const struct outlet *o);
struct result *outlet_result(struct outlet *o, struct item *i, enum outcome what, int64_t now_ms);
/* Everything becomes due at once. */
void outlet_recover(struct outlet *o);
void outlet_log(struct op *op, const struct outlet *o, enum log_level level, const char *msg,
    const char *event);

#endif
