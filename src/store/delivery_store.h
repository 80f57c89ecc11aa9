/* delivery_store - one receiver's rows of event_delivery, for the process that delivers to it.
 * state 0 is queued: its call's later events wait behind it. state 1 waits for its next try and holds nobody.
 * Whoever writes here holds the receiver's lease in the same transaction (jobs_store_hold).
 * SPDX-License-Identifier: MIT */
#ifndef STORE_DELIVERY_STORE_H
#define STORE_DELIVERY_STORE_H

#include "sql/sql.h"

enum { DELIVERY_QUEUED, DELIVERY_AGAIN, DELIVERY_DONE, DELIVERY_EXHAUSTED };
enum { DELIVERY_INLINE = 16 * 1024 };

struct delivery_row {
	int64_t pos, event_no, n_bytes, event_at_ms;
	struct str room_id, type, event_id;
	struct str data;               /* "" when n_bytes is over DELIVERY_INLINE: asked for with delivery_store_data */
	int64_t attempts, first_try_at_ms, next_try_at_ms;
};
struct delivery_page { int64_t limit; struct delivery_row *rows; size_t n; };
/* Queued ones after a number, by number. */
enum err delivery_store_queued(struct op *op, struct sql_link *l, struct str endpoint, int64_t after,
    struct delivery_page *page) MUST_CHECK;
/* Those to be tried again that are due by now, the longest due first. */
enum err delivery_store_due(struct op *op, struct sql_link *l, struct str endpoint, struct delivery_page *page)
    MUST_CHECK;
/* The event's body; "" when the event is gone. */
enum err delivery_store_data(struct op *op, struct sql_link *l, int64_t event_no, struct str *data_out) MUST_CHECK;

/* ---- what became of them ---- */
/* These were taken, all with this status. n >= 1. */
struct delivery_taken { struct str endpoint; int64_t status, at_ms; const int64_t *pos; size_t n; };
enum err delivery_store_taken(struct op *op, struct sql_link *l, const struct delivery_taken *t) MUST_CHECK;
/* This one was not; one that is through already stays so. */
struct delivery_failed {
	struct str endpoint, answer;
	int64_t pos, state, due_at_ms, attempts, first_try_at_ms, next_try_at_ms, last_try_at_ms, status;
};
enum err delivery_store_failed(struct op *op, struct sql_link *l, const struct delivery_failed *f) MUST_CHECK;
/* Their calls no longer wait for these; they are due when their next try was. n >= 1. */
enum err delivery_store_let_go(struct op *op, struct sql_link *l, struct str endpoint, const int64_t *pos,
    size_t n) MUST_CHECK;
/* A row of business_webhook_log, as the Go server wrote them. */
struct delivery_log { struct str type, event_id, url, request, response, error; int64_t status, retry; };
enum err delivery_store_log(struct op *op, struct sql_link *l, const struct delivery_log *g) MUST_CHECK;

/* ---- after an outage: everything is due at once, its calls in order ---- */
/* Up to `limit` of those to be tried again are queued anew; *n_out: how many. */
enum err delivery_store_requeue(struct op *op, struct sql_link *l, struct str endpoint, int64_t limit,
    int64_t *n_out) MUST_CHECK;
/* These queued ones are as if never tried, but for the count. n >= 1. */
enum err delivery_store_untried(struct op *op, struct sql_link *l, struct str endpoint, const int64_t *pos,
    size_t n) MUST_CHECK;

/* ---- the receiver's own row ---- */
struct delivery_endpoint { struct str state; int64_t down_since_ms, probe_at_ms; };
enum err delivery_store_endpoint(struct op *op, struct sql_link *l, struct str endpoint,
    struct delivery_endpoint *out, bool *found_out) MUST_CHECK;
/* What is to be noted there; what is not set stays. */
struct delivery_note {
	struct str endpoint;
	bool disabled, set_down, set_last;
	int64_t down_since_ms, probe_at_ms;            /* set_down */
	int64_t ok_at_ms, failed_at_ms;                /* 0: stays */
	int64_t last_status;                           /* set_last */
	struct str last_error;                         /* set_last; "": stays */
};
enum err delivery_store_note(struct op *op, struct sql_link *l, const struct delivery_note *n) MUST_CHECK;

extern const struct sql_stmt *const DELIVERY_STORE_STMTS[];

#endif
