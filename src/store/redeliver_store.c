/* redeliver_store - events made due again.
 * SPDX-License-Identifier: MIT */
#include "store/redeliver_store.h"

#define EVENT_SELECT "SELECT id, pos, created_at_ms, type FROM event "
static const struct sql_col EVENT_COLS[] = {
	SQL_COL(struct past_event, id),
	SQL_COL(struct past_event, pos),
	SQL_COL(struct past_event, created_at_ms),
	SQL_COL(struct past_event, type),
};
static const struct sql_stmt FIND = {
	.name = "redeliver_find",
	.text = EVENT_SELECT "WHERE event_id = ?",
	.cols = EVENT_COLS,
	.n_cols = N_ELEMS(EVENT_COLS),
};
static const struct sql_stmt LIST = {
	.name = "redeliver_list",
	.text = EVENT_SELECT "WHERE created_at_ms >= ? AND created_at_ms < ? AND (created_at_ms > ? OR id > ?) "
	    "AND pos > 0 ORDER BY created_at_ms, id LIMIT ?",
	.cols = EVENT_COLS,
	.n_cols = N_ELEMS(EVENT_COLS),
};
/* Assignments work from left to right: state decides on the old attempts, due_at_ms on the new state. */
static const struct sql_stmt QUEUE = {
	.name = "redeliver_queue",
	.text = "INSERT INTO event_delivery "
	    "(endpoint_id, pos, event_no, room_id, type, state, due_at_ms, created_at_ms) "
	    "SELECT ?, e.pos, e.id, e.room_id, e.type, 1, " SQL_NOW_MS ", " SQL_NOW_MS " FROM event e "
	    "WHERE e.pos > 0 AND e.id IN ({}) ON DUPLICATE KEY UPDATE "
	    "state = IF(event_delivery.state = 0 AND event_delivery.attempts = 0, 0, 1), "
	    "due_at_ms = IF(event_delivery.state = 1, VALUES(due_at_ms), 0), "
	    "attempts = 0, first_try_at_ms = 0, next_try_at_ms = 0",
	.unit = "?",
};
const struct sql_stmt *const REDELIVER_STORE_STMTS[] = { &FIND, &LIST, &QUEUE, NULL };

enum err
redeliver_store_find(struct op *op, struct sql_link *l, struct str event_id, struct past_event *row_out,
    bool *found_out)
{
	const struct sql_arg arg = sql_str(event_id);

	return sql_one(op, l, &FIND, &arg, 1, row_out, found_out);
}

enum err
redeliver_store_list(struct op *op, struct sql_link *l, const struct past_span *span,
    struct past_event **rows_out, size_t *n_out)
{
	const struct sql_arg args[] = { sql_i64(span->since_ms), sql_i64(span->until_ms),
		sql_i64(span->since_ms), sql_i64(span->after_id), sql_i64(REDELIVER_CHUNK) };

	return sql_all(op, l, &LIST, args, N_ELEMS(args), sizeof(**rows_out), rows_out, n_out);
}

enum err
redeliver_store_queue(struct op *op, struct sql_link *l, struct str endpoint_id, const int64_t *ids, size_t n)
{
	struct sql_arg *args = arena_array(op->arena, n + 1, sizeof(*args));

	args[0] = sql_str(endpoint_id);
	for (size_t i = 0; i < n; i++)
		args[1 + i] = sql_i64(ids[i]);
	return sql_run(op, l, &QUEUE, args, n + 1, NULL);
}
