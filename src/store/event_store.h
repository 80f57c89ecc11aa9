/* event_store - events in the order of the stream: given their numbers, queued for receivers, read.
 * Numbers (event.pos) are given by one process at a time, in transactions of their own, so whoever reads up
 * to a number has seen all there will ever be below it. Ids are not like that: one that was taken first
 * may be committed last.
 * SPDX-License-Identifier: MIT */
#ifndef STORE_EVENT_STORE_H
#define STORE_EVENT_STORE_H

#include "sql/sql.h"

/* ---- numbering ---- */
struct event_no { int64_t id; };
/* Events without a number, oldest id first. */
enum err event_store_unnumbered(struct op *op, struct sql_link *l, int64_t limit, struct event_no **rows_out,
    size_t *n_out) MUST_CHECK;
/* rows[i] gets after + 1 + i. n >= 1. */
enum err event_store_number(struct op *op, struct sql_link *l, const struct event_no *rows, size_t n,
    int64_t after) MUST_CHECK;
/* The greatest number given; 0: none yet. */
enum err event_store_newest(struct op *op, struct sql_link *l, int64_t *pos_out) MUST_CHECK;

/* Numbers after `after` up to `upto`. */
struct event_span { int64_t after, upto; };
/* Queues those of the span that the receiver wants. */
enum err event_store_queue(struct op *op, struct sql_link *l, const struct endpoint *to,
    const struct event_span *span, int64_t now_ms) MUST_CHECK;

/* ---- reading ---- */
enum { EVENT_WINDOW = 2000 };                          /* looked at in one go, whatever of it is wanted */

struct event_filter {
	struct str room_id;                            /* "": any */
	const struct str *types;
	size_t n_types;                                /* 0: all */
	struct event_span span;
	int64_t limit;
};
/* The last of the EVENT_WINDOW numbers after `after`; `after` itself when there are none. */
enum err event_store_window(struct op *op, struct sql_link *l, int64_t after, int64_t *last_out) MUST_CHECK;

struct event_size { int64_t pos, n_bytes; };
struct event_row { int64_t pos, seq, created_at_ms; struct str event_id, type, room_id, uid, data; };
/* Both by number: how large each is, and the events themselves. */
enum err event_store_sizes(struct op *op, struct sql_link *l, const struct event_filter *f,
    struct event_size **rows_out, size_t *n_out) MUST_CHECK;
enum err event_store_list(struct op *op, struct sql_link *l, const struct event_filter *f,
    struct event_row **rows_out, size_t *n_out) MUST_CHECK;

extern const struct sql_stmt *const EVENT_STORE_STMTS[];

#endif
