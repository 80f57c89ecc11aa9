/* top - what `tgo-call top` shows: one reading of the whole system, rates from two of them, and how they look.
 * Whence:    calls, people, nodes, receivers, tasks and what was made, entered and ended between two readings: MySQL and
 *            the nodes' reports. Requests, deliveries a second and workers: /metrics of the worker and of tgo-call-jobs on
 *            this host, where they can be read. Whatever cannot be read is said to be so; nothing here fails.
 * Ownership: a reading lives in its own arena.
 * SPDX-License-Identifier: MIT */
#ifndef CLI_TOP_H
#define CLI_TOP_H

#include <stdio.h>

#include "call/state.h"
#include "cli/command.h"
#include "store/pace_store.h"

struct top_reading {
	struct arena *arena;
	int64_t at_us, at_ms;         /* clock_mono_us, clock_wall_ms */
	bool mysql, redis, livekit;   /* up */
	struct str mysql_why;
	bool has_state;               /* state and mark were read */
	struct state state;
	struct pace_mark mark;
	bool has_pace;                /* since the reading before */
	struct pace pace;
	struct str worker_text, jobs_text;    /* /metrics; "": not read */
};
/* Where /metrics is: "": nowhere. */
struct top_where { struct str worker_url, jobs_url; };
struct top_where top_where(struct cli *c, const char *url);

/* Resets out->arena. before: NULL for the first one. */
void top_read(struct cli *c, const struct top_where *w, const struct top_reading *before, struct top_reading *out);

/* A second; below 0: not known. */
struct top_rates { double created, joined, ended, requests, delivered; };
struct top_rates top_rates(const struct top_reading *before, const struct top_reading *now);
/* Events an endpoint took a second. */
double top_delivered(const struct top_reading *before, const struct top_reading *now, struct str endpoint);
/* Of this host; below 0: not known. */
struct top_workers { int64_t configured, alive; };
struct top_workers top_workers(const struct top_reading *r);
/* Processes of a task, wherever they run. */
int64_t top_n_alive(const struct top_reading *r, struct str task);

/* Lines for people; the first byte of a line may be a TOP_TAG for a terminal. */
#define TOP_TAG_HEAD '\001'
#define TOP_TAG_BAD  '\002'
struct str top_text(struct arena *a, const struct top_reading *before, const struct top_reading *now, bool tags);
void top_json(struct op *op, struct jsonw *w, const struct top_reading *before, const struct top_reading *now);

#endif
