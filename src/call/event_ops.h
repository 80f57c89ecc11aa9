/* event_ops - events and their deliveries, as the API and the command line ask for them: reading the stream,
 * what became of an event, sending it once more, the receivers.
 * Ownership: results live in op->arena.
 * Errors:    ERR_NOT_FOUND, ERR_INVALID_PARAMETERS (op->bad_field); ERR_UNAVAILABLE, ERR_OUTCOME_UNKNOWN, ERR_INTERNAL
 *            from below.
 * SPDX-License-Identifier: MIT */
#ifndef CALL_EVENT_OPS_H
#define CALL_EVENT_OPS_H

#include "call/services.h"
#include "store/delivery_log_store.h"
#include "store/endpoint_store.h"
#include "store/event_store.h"

/* ---- the stream ---- */
enum { EVENTS_MAX = 1000 };
struct event_page {
	struct event_row *rows;
	size_t n;
	int64_t next;                 /* the page after this one is behind it */
};
/* Events behind f->span.after, oldest first, at most f->limit of them and a few MiB of data. Ends early where what is
 * wanted is rare: only an unchanged `next` says that there is no more. f->span.upto is not read. */
enum err op_events(struct op *op, struct services *sv, const struct event_filter *f,
    struct event_page *out) MUST_CHECK;

/* ---- what became of them ---- */
extern const char *const OUTCOME_WORDS[OUTCOME_COUNT];
struct delivery_log_page {
	struct delivery_log_row *rows;
	size_t n;
	bool more;                    /* older ones follow, behind (next_pos, next_endpoint) */
	int64_t next_pos;
	struct str next_endpoint;
};
/* f->from_pos is not read. Ends early where what is wanted is rare. */
enum err op_deliveries(struct op *op, struct services *sv, const struct delivery_log_filter *f,
    struct delivery_log_page *out) MUST_CHECK;

/* ---- receivers ---- */
struct endpoint_view {
	struct endpoint_row row;
	struct waiting waiting;
	const struct endpoint *conf;  /* NULL: not configured here */
};
/* How long the oldest has waited, s. */
int64_t waiting_age_s(const struct endpoint_view *v);
enum err op_endpoints(struct op *op, struct services *sv, struct endpoint_view **out, size_t *n_out) MUST_CHECK;
/* What waits for it is due at once. ERR_NOT_FOUND: no such receiver, or none any more. */
enum err op_endpoint_enable(struct op *op, struct services *sv, struct str id) MUST_CHECK;

struct webhook_stats {
	struct failure_row *failures; /* of business_webhook_log, by type */
	size_t n_failures;
	int64_t max_id, total, pending, oldest_pending_s;
};
enum err op_webhook_stats(struct op *op, struct services *sv, struct webhook_stats *out) MUST_CHECK;
/* Deletes rows of business_webhook_log; *more_out: time ran out before all were gone. */
enum err op_webhook_cleanup(struct op *op, struct services *sv, int64_t retention_days, int64_t *deleted_out,
    bool *more_out) MUST_CHECK;

/* ---- once more ---- */
/* To every receiver that wants its type. An event without a number is on its way anyway. */
enum err op_redeliver(struct op *op, struct services *sv, struct str event_id, int64_t *queued_out) MUST_CHECK;

struct redeliver_req {
	int64_t since_ms, until_ms;   /* made then; until is not included */
	struct str endpoint_id;       /* "": every one */
	const struct str *types;
	size_t n_types;               /* 0: all */
	int64_t most_ms;              /* how long it may take; 0: as long as it takes */
};
/* *next_ms_out: 0; or time ran out, and what was made from then on is left. */
enum err op_redeliver_many(struct op *op, struct services *sv, const struct redeliver_req *rq,
    int64_t *queued_out, int64_t *next_ms_out) MUST_CHECK;

#endif
