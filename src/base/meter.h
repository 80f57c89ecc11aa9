/* meter - counters and histograms that many processes add to and one of them prints (GET /metrics).
 * Shape:     families in one table (METER_ROWS); a family has up to two labels, each from a label set whose values
 *            are interned when first seen. A set that is full counts what else comes as "other".
 * Memory:    one anonymous shared mapping, made by the master before it forks. Every process adds to the cells of
 *            its own slot (relaxed atomics: several may share one and stay exact); printing sums all slots, so
 *            what a dead process counted stays counted.
 * Errors:    none: a NULL meter counts nothing, so whoever has none (a command, a test) passes NULL.
 * Fork:      meter_new before fork, meter_use in each child. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_METER_H
#define BASE_METER_H

#include <stdint.h>

#include "base/strbuf.h"

struct meter;

/* label set, its name in the text, how many values it holds ("other" among them) */
#define METER_LABELS(X)        \
	X(NONE,     "",         1) \
	X(ROUTE,    "route",   96) \
	X(STATUS,   "status",  24) \
	X(KIND,     "kind",    48) \
	X(OUTCOME,  "outcome", 48) \
	X(REASON,   "reason",  16) \
	X(METHOD,   "method",  16) \
	X(STEP,     "step",     4) \
	X(STATE,    "state",    4) \
	X(RELEASE,  "version",  4) \
	X(NODE,     "node",   128) \
	X(ENDPOINT, "endpoint", 64) \
	X(TASK,     "task",    16)

/* family, its name in the text, type, two label sets, what it counts; times are seconds. SPAN: a histogram of what
 * takes seconds to hours. The label set of a GAUGE is its own: each of its values is printed, 0 too. */
#define METER_ROWS(X)                                                                                           \
	X(BUILD,            "tgo_build_info",                       GAUGE,     RELEASE, NONE,                           \
	  "The program's version; always 1.")                                                                       \
	X(START_TIME,       "tgo_start_time_seconds",               GAUGE,     NONE,  NONE,                             \
	  "When the program started, Unix time.")                                                                   \
	X(WORKERS,          "tgo_workers",                          GAUGE,     STATE, NONE,                             \
	  "Processes of the program: those configured, and those alive.")                                           \
	X(REQUESTS,         "tgo_http_requests_total",              COUNTER,   ROUTE, STATUS,                           \
	  "Requests answered, by route (its pattern) and status.")                                                  \
	X(REQUEST_TIME,     "tgo_http_request_seconds",             HISTOGRAM, ROUTE, NONE,                             \
	  "From taking a request to its answer.")                                                                   \
	X(RATE_LIMITED,     "tgo_rate_limited_total",               COUNTER,   KIND,  NONE,                             \
	  "Requests refused by RATE_LIMITS, by what they asked for.")                                               \
	X(RATE_UNCHECKED,   "tgo_rate_unchecked_total",             COUNTER,   NONE,  NONE,                             \
	  "Requests let pass unchecked because Redis was away.")                                                    \
	X(REPLAYED,         "tgo_idempotent_replays_total",         COUNTER,   NONE,  NONE,                             \
	  "Answers repeated for an Idempotency-Key.")                                                               \
	X(TOKENS,           "tgo_tokens_total",                     COUNTER,   NODE,  NONE,                             \
	  "Media tokens minted, by the node of their room.")                                                        \
	X(ASSIGNMENTS,      "tgo_node_assignments_total",           COUNTER,   NODE,  KIND,                             \
	  "Rooms given to a node: kind new, or moved from another.")                                                \
	X(ROUTED,           "tgo_routed_total",                     COUNTER,   NODE,  OUTCOME,                          \
	  "Answers of /_route to nginx: allowed, or why a join was refused.")                                       \
	X(CALLS_CREATED,    "tgo_calls_created_total",              COUNTER,   KIND,  NONE,                             \
	  "Calls created: kind voice or video.")                                                                    \
	X(CALLS_ANSWERED,   "tgo_calls_answered_total",             COUNTER,   NONE,  NONE,                             \
	  "Calls in which two people were joined at the same time.")                                                \
	X(CALLS_ENDED,      "tgo_calls_ended_total",                COUNTER,   KIND,  REASON,                           \
	  "Calls over, by final status and end_reason.")                                                            \
	X(RING_TIME,        "tgo_call_ring_seconds",                SPAN,      NONE,  NONE,                             \
	  "From the creation of a call to its first answer.")                                                       \
	X(CALL_TIME,        "tgo_call_duration_seconds",            SPAN,      NONE,  NONE,                             \
	  "From the first answer to the end.")                                                                      \
	X(HOOKS,            "tgo_livekit_events_total",             COUNTER,   KIND,  OUTCOME,                          \
	  "LiveKit's webhooks, by event and what became of them.")                                                  \
	X(SQL_TIME,         "tgo_sql_seconds",                      HISTOGRAM, STEP,  NONE,                             \
	  "From sending a statement, or a COMMIT, to its answer.")                                                  \
	X(SQL_ERRORS,       "tgo_sql_errors_total",                 COUNTER,   KIND,  NONE,                             \
	  "Statements that failed: unavailable, lost, again (deadlock or lock wait), duplicate, other.")            \
	X(REDIS_TIME,       "tgo_redis_seconds",                    HISTOGRAM, NONE,  NONE,                             \
	  "One exchange with Redis, a pipeline counts as one.")                                                     \
	X(REDIS_ERRORS,     "tgo_redis_errors_total",               COUNTER,   NONE,  NONE,                             \
	  "Exchanges with Redis that failed.")                                                                      \
	X(LIVEKIT_TIME,     "tgo_livekit_api_seconds",              HISTOGRAM, METHOD, NONE,                            \
	  "One call of LiveKit's API, by method.")                                                                  \
	X(LIVEKIT_ERRORS,   "tgo_livekit_api_errors_total",         COUNTER,   METHOD, NONE,                            \
	  "Calls of LiveKit's API that failed, by method.")                                                         \
	X(DELIVERIES,       "tgo_deliveries_total",                 COUNTER,   ENDPOINT, OUTCOME,                       \
	  "Tries to deliver an event: endpoint is its id in GET /webhooks/endpoints.")                              \
	X(EXHAUSTED,        "tgo_deliveries_exhausted_total",       COUNTER,   ENDPOINT, NONE,                          \
	  "Events given up after the last try.")                                                                    \
	X(DELIVERY_TIME,    "tgo_delivery_seconds",                 HISTOGRAM, ENDPOINT, NONE,                          \
	  "One try to deliver an event.")                                                                           \
	X(DEADLINE_LATE,    "tgo_deadline_lateness_seconds",        HISTOGRAM, NONE,  NONE,                             \
	  "How long after its time a deadline was applied.")                                                        \
	X(ACTIONS,          "tgo_livekit_actions_total",            COUNTER,   KIND,  OUTCOME,                          \
	  "Decisions carried out at LiveKit: kind of action, and its outcome.")                                     \
	X(RECONCILED,       "tgo_reconciled_total",                 COUNTER,   OUTCOME, NONE,                           \
	  "Calls held against LiveKit's lists: agreed, changed, failed, unheard (LiveKit was silent).")             \
	X(PASSES,           "tgo_task_passes_total",                COUNTER,   TASK,  OUTCOME,                          \
	  "Passes of each background task: ok or failed.")                                                          \
	X(LAST_PASS,        "tgo_task_last_pass_timestamp_seconds", GAUGE,     TASK,  NONE,                             \
	  "When the last pass of each background task ended, Unix time.")                                           \
	X(LOG_LOST,         "tgo_log_lines_lost_total",             COUNTER,   NONE,  NONE,                             \
	  "Lines that could not be written to the log.")                                                            \
	X(PROCESS_DEATHS,   "tgo_process_deaths_total",             COUNTER,   KIND,  NONE,                             \
	  "Processes that died: crashed, stuck (replaced by the watchdog), failed.")

enum meter_label_set {
#define X(name, text, cap) LABEL_##name,
	METER_LABELS(X)
#undef X
	LABEL_COUNT
};
enum meter_id {
#define X(id, name, type, l1, l2, help) METER_##id,
	METER_ROWS(X)
#undef X
	METER_COUNT
};
enum meter_type { METER_COUNTER, METER_GAUGE, METER_HISTOGRAM, METER_SPAN };
struct meter_family {
	const char *name;
	enum meter_type type;
	enum meter_label_set labels[2];
	const char *help;
};
extern const struct meter_family METER_FAMILIES[METER_COUNT];
extern const char *const METER_LABEL_NAMES[LABEL_COUNT];

/* Upper bounds of the histograms' buckets, in microseconds; one more bucket holds what is above. */
enum { METER_BUCKETS = 17 };
extern const int64_t METER_BOUNDS_US[METER_BUCKETS];
extern const int64_t METER_SPAN_BOUNDS_US[METER_BUCKETS];

/* NULL with errno. n_slots >= 1 processes add; meter_use takes any number and folds it. */
struct meter *meter_new(size_t n_slots);
void meter_free(struct meter *m);
void meter_use(struct meter *m, size_t slot);

/* The index of a value of a set, for callers that count it often: the first one that a set learns has 0, the next 1.
 * "" is a value like any other. What is longer than 63 bytes is cut, at a NUL too. */
size_t meter_label(struct meter *m, enum meter_label_set set, struct str value);

/* Labels a family does not have are "". */
void meter_add(struct meter *m, enum meter_id id, struct str l1, struct str l2, int64_t n);
void meter_time(struct meter *m, enum meter_id id, struct str l1, int64_t us);
/* The same by index (meter_label). */
void meter_add_at(struct meter *m, enum meter_id id, size_t l1, size_t l2, int64_t n);
void meter_time_at(struct meter *m, enum meter_id id, size_t l1, int64_t us);
/* Of a gauge, each value of its label for one process only: what others set would be added to it. */
void meter_set(struct meter *m, enum meter_id id, struct str l1, int64_t value);

/* The sum of a counter over all slots and labels; of a histogram: how many times it was observed. */
int64_t meter_total(const struct meter *m, enum meter_id id);
/* Every family that has counted something, in Prometheus' text format; the others with their HELP and TYPE alone. */
void meter_print(const struct meter *m, struct strbuf *out);

#endif
