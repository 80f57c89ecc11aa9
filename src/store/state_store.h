/* state_store - how much of what there is at this moment, for /metrics. Each statement follows an index, and what may pile up
 * without limit is counted up to STATE_COUNT_MAX.
 * Cost:      as many index entries as there are active calls and people, and rows of those only whose call has a deadline soon.
 * Errors:    those of the sql room.
 * SPDX-License-Identifier: MIT */
#ifndef STORE_STATE_STORE_H
#define STORE_STATE_STORE_H

#include "sql/sql.h"

enum { STATE_COUNT_MAX = 100000 };

struct state_calls { int64_t n_ringing, n_in_progress; };
enum err state_store_calls(struct op *op, struct sql_link *l, struct state_calls *out) MUST_CHECK;

struct state_people { int64_t n_ringing, n_joined, n_rejoining; };        /* who rejoins is not among the joined */
/* soon_ms: whoever rejoins is in a call whose deadline comes within so long. */
enum err state_store_people(struct op *op, struct sql_link *l, int64_t soon_ms, struct state_people *out) MUST_CHECK;

/* Events without a number, deadlines that have passed; how old the oldest of each is, ms, 0 = there is none. */
struct state_lags { int64_t n_events, event_age_ms, n_overdue, overdue_ms; };
enum err state_store_lags(struct op *op, struct sql_link *l, struct state_lags *out) MUST_CHECK;

/* The tasks of tgo-call-jobs that were ever heard of lately, and how many processes of each are alive. */
struct state_task { struct str name; int64_t n_alive; };
enum err state_store_tasks(struct op *op, struct sql_link *l, struct state_task **out, size_t *n_out) MUST_CHECK;

extern const struct sql_stmt *const STATE_STORE_STMTS[];

#endif
