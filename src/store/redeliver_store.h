/* redeliver_store - sending events once more: finding them, and making their deliveries due.
 * SPDX-License-Identifier: MIT */
#ifndef STORE_REDELIVER_STORE_H
#define STORE_REDELIVER_STORE_H

#include "sql/sql.h"

enum { REDELIVER_CHUNK = 500 };

struct past_event {
	int64_t id, pos, created_at_ms;
	struct str type;
};
enum err redeliver_store_find(struct op *op, struct sql_link *l, struct str event_id, struct past_event *row_out,
    bool *found_out) MUST_CHECK;

/* Made at since_ms or later and before until_ms; of those made at since_ms, ids above after_id. */
struct past_span { int64_t since_ms, until_ms, after_id; };
/* The oldest of the span that have a number, at most REDELIVER_CHUNK. */
enum err redeliver_store_list(struct op *op, struct sql_link *l, const struct past_span *span,
    struct past_event **rows_out, size_t *n_out) MUST_CHECK;

/* These events (n >= 1) go to the receiver again, at once; those that wait for their first try wait on. */
enum err redeliver_store_queue(struct op *op, struct sql_link *l, struct str endpoint_id, const int64_t *ids,
    size_t n) MUST_CHECK;

extern const struct sql_stmt *const REDELIVER_STORE_STMTS[];

#endif
