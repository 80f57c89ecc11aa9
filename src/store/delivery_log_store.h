/* delivery_log_store - what became of events: the deliveries as an operator lists them, and the failures
 * the Go server counted. SPDX-License-Identifier: MIT */
#ifndef STORE_DELIVERY_LOG_STORE_H
#define STORE_DELIVERY_LOG_STORE_H

#include "sql/sql.h"

enum { DELIVERY_WINDOW = 2000 };                       /* events looked at in one go, whatever of them is wanted */

enum outcome {
	OUTCOME_PENDING,                               /* not tried yet */
	OUTCOME_RETRYING, OUTCOME_DELIVERED, OUTCOME_EXHAUSTED,
	OUTCOME_COUNT
};

#define BEFORE_ALL_ENDPOINTS S("~")                    /* no id is greater */

struct delivery_log_filter {
	struct str room_id, endpoint_id, type;         /* "": any */
	unsigned outcomes;                             /* bit n: outcome n; 0: all */
	/* The page begins behind this one; before_pos INT64_MAX: with the newest. */
	int64_t before_pos;
	struct str before_endpoint;
	int64_t from_pos;                              /* none older than this; 0: all */
	int64_t limit;
};
struct delivery_log_row {
	struct str event_id, type, room_id, endpoint_id, url, answer;
	int64_t pos, seq, outcome, attempts, status;
	int64_t created_at_ms, last_try_at_ms, next_try_at_ms;
};
/* Newest event first, those of one event by receiver, backwards. */
enum err delivery_log_store_list(struct op *op, struct sql_link *l, const struct delivery_log_filter *f,
    struct delivery_log_row **rows_out, size_t *n_out) MUST_CHECK;
/* The number of the oldest of the DELIVERY_WINDOW events up to `upto`; 0: there is none older. */
enum err delivery_log_store_window(struct op *op, struct sql_link *l, int64_t upto, int64_t *first_out) MUST_CHECK;

/* ---- business_webhook_log ---- */
struct failure_row { struct str type; int64_t n; };
enum err delivery_log_store_failures(struct op *op, struct sql_link *l, struct failure_row **rows_out,
    size_t *n_out) MUST_CHECK;
enum err delivery_log_store_max_id(struct op *op, struct sql_link *l, int64_t *id_out) MUST_CHECK;

extern const struct sql_stmt *const DELIVERY_LOG_STORE_STMTS[];

#endif
