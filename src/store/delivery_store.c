/* delivery_store - reading what is to be delivered, and writing what became of it.
 * SPDX-License-Identifier: MIT */
#include "store/delivery_store.h"

#include "store/room_columns.h"

static const struct sql_col ROW_COLS[] = {
	SQL_COL(struct delivery_row, pos),
	SQL_COL(struct delivery_row, event_no),
	SQL_COL(struct delivery_row, n_bytes),
	SQL_COL(struct delivery_row, event_at_ms),
	SQL_COL(struct delivery_row, room_id),
	SQL_COL(struct delivery_row, type),
	SQL_COL(struct delivery_row, event_id),
	SQL_COL(struct delivery_row, data),
	SQL_COL(struct delivery_row, attempts),
	SQL_COL(struct delivery_row, first_try_at_ms),
	SQL_COL(struct delivery_row, next_try_at_ms),
};
/* Rarely an event is large: a page of such would not fit, so they are asked for one by one. */
#define ROW_SELECT                                                                               \
	"SELECT d.pos, d.event_no, LENGTH(e.data), e.created_at_ms, d.room_id, d.type, e.event_id, " \
	"IF(LENGTH(e.data) <= ?, e.data, ''), d.attempts, d.first_try_at_ms, d.next_try_at_ms "      \
	"FROM event_delivery d FORCE INDEX (idx_queue) STRAIGHT_JOIN event e ON e.id = d.event_no "
/* The index ends in pos: among equal due_at_ms (always 0 while queued) it is in order. */
static const struct sql_stmt QUEUED = {
	.name = "deliveries_queued",
	.text = ROW_SELECT "WHERE d.endpoint_id = ? AND d.state = 0 AND d.due_at_ms = 0 AND d.pos > ? "
	    "ORDER BY d.pos LIMIT ?",
	.cols = ROW_COLS,
	.n_cols = N_ELEMS(ROW_COLS),
};
static const struct sql_stmt DUE = {
	.name = "deliveries_due",
	.text = ROW_SELECT "WHERE d.endpoint_id = ? AND d.state = 1 AND d.due_at_ms <= " SQL_NOW_MS
	    " ORDER BY d.due_at_ms, d.pos LIMIT ?",
	.cols = ROW_COLS,
	.n_cols = N_ELEMS(ROW_COLS),
};
struct data_row { struct str data; };
static const struct sql_col DATA_COLS[] = { SQL_COL(struct data_row, data) };
static const struct sql_stmt DATA = {
	.name = "delivery_data",
	.text = "SELECT data FROM event WHERE id = ?",
	.cols = DATA_COLS,
	.n_cols = N_ELEMS(DATA_COLS),
};

/* One that was told twice (the answer to a COMMIT lost) counts once. */
static const struct sql_stmt TAKEN = {
	.name = "deliveries_taken",
	.text = "UPDATE event_delivery SET state = 2, due_at_ms = 0, next_try_at_ms = 0, attempts = attempts + 1, "
	    "last_try_at_ms = ?, last_status = ?, last_answer = '' "
	    "WHERE endpoint_id = ? AND state IN (0, 1) AND pos IN ({})",
	.unit = "?",
};
/* Whatever its writer believes: what was delivered or given up is not to be tried again. */
static const struct sql_stmt FAILED = {
	.name = "delivery_failed",
	.text = "UPDATE event_delivery SET state = ?, due_at_ms = ?, attempts = ?, first_try_at_ms = ?, "
	    "next_try_at_ms = ?, last_try_at_ms = ?, last_status = ?, last_answer = ? "
	    "WHERE endpoint_id = ? AND pos = ? AND state IN (0, 1)",
};
static const struct sql_stmt LET_GO = {
	.name = "deliveries_let_go",
	.text = "UPDATE event_delivery SET state = 1, due_at_ms = next_try_at_ms "
	    "WHERE endpoint_id = ? AND state = 0 AND pos IN ({})",
	.unit = "?",
};
static const struct sql_stmt LOG_INSERT = {
	.name = "webhook_log_insert",
	.text = "INSERT INTO business_webhook_log (event_type, event_id, url, status, request, response, error, "
	    "retry) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
};
static const struct sql_stmt REQUEUE = {
	.name = "deliveries_requeue",
	.text = "UPDATE event_delivery SET state = 0, due_at_ms = 0, first_try_at_ms = 0, next_try_at_ms = 0 "
	    "WHERE endpoint_id = ? AND state = 1 ORDER BY due_at_ms LIMIT ?",
};
static const struct sql_stmt UNTRIED = {
	.name = "deliveries_untried",
	.text = "UPDATE event_delivery SET first_try_at_ms = 0, next_try_at_ms = 0 "
	    "WHERE endpoint_id = ? AND state = 0 AND pos IN ({})",
	.unit = "?",
};

static const struct sql_col ENDPOINT_COLS[] = {
	SQL_COL(struct delivery_endpoint, state),
	SQL_COL(struct delivery_endpoint, down_since_ms),
	SQL_COL(struct delivery_endpoint, probe_at_ms),
};
static const struct sql_stmt ENDPOINT = {
	.name = "delivery_endpoint",
	.text = "SELECT state, down_since_ms, probe_at_ms FROM webhook_endpoint WHERE id = ?",
	.cols = ENDPOINT_COLS,
	.n_cols = N_ELEMS(ENDPOINT_COLS),
};
static const struct sql_stmt NOTE = {
	.name = "delivery_note",
	.text = "UPDATE webhook_endpoint SET state = IF(? = 1 AND state = 'active', 'disabled', state), "
	    "down_since_ms = IF(? = 1, ?, down_since_ms), probe_at_ms = IF(? = 1, ?, probe_at_ms), "
	    "last_ok_at_ms = GREATEST(last_ok_at_ms, ?), last_failed_at_ms = GREATEST(last_failed_at_ms, ?), "
	    "last_status = IF(? = 1, ?, last_status), last_error = IF(? <> '', ?, last_error) WHERE id = ?",
};
const struct sql_stmt *const DELIVERY_STORE_STMTS[] = { &QUEUED, &DUE, &DATA, &TAKEN, &FAILED, &LET_GO,
	&LOG_INSERT, &REQUEUE, &UNTRIED, &ENDPOINT, &NOTE, NULL };

enum err
delivery_store_queued(struct op *op, struct sql_link *l, struct str endpoint, int64_t after,
    struct delivery_page *page)
{
	const struct sql_arg args[] = { sql_i64(DELIVERY_INLINE), sql_str(endpoint), sql_i64(after),
		sql_i64(page->limit) };

	return sql_all(op, l, &QUEUED, args, N_ELEMS(args), sizeof(*page->rows), &page->rows, &page->n);
}

enum err
delivery_store_due(struct op *op, struct sql_link *l, struct str endpoint, struct delivery_page *page)
{
	const struct sql_arg args[] = { sql_i64(DELIVERY_INLINE), sql_str(endpoint), sql_i64(page->limit) };

	return sql_all(op, l, &DUE, args, N_ELEMS(args), sizeof(*page->rows), &page->rows, &page->n);
}

enum err
delivery_store_data(struct op *op, struct sql_link *l, int64_t event_no, struct str *data_out)
{
	const struct sql_arg arg = sql_i64(event_no);
	struct data_row row = { S("") };
	bool found;
	enum err e;

	if ((e = sql_one(op, l, &DATA, &arg, 1, &row, &found)) == ERR_OK)
		*data_out = row.data;
	return e;
}

/* Arguments: `first` ones, then the numbers. */
static struct sql_arg *
with_numbers(struct op *op, const struct sql_arg *first, size_t n_first, const int64_t *pos, size_t n)
{
	struct sql_arg *args = arena_array(op->arena, n_first + n, sizeof(*args));

	for (size_t i = 0; i < n_first; i++)
		args[i] = first[i];
	for (size_t i = 0; i < n; i++)
		args[n_first + i] = sql_i64(pos[i]);
	return args;
}

enum err
delivery_store_taken(struct op *op, struct sql_link *l, const struct delivery_taken *t)
{
	const struct sql_arg first[] = { sql_i64(t->at_ms), sql_i64(t->status), sql_str(t->endpoint) };
	struct sql_arg *args = with_numbers(op, first, N_ELEMS(first), t->pos, t->n);

	return sql_run(op, l, &TAKEN, args, N_ELEMS(first) + t->n, NULL);
}

enum err
delivery_store_failed(struct op *op, struct sql_link *l, const struct delivery_failed *f)
{
	const struct sql_arg args[] = { sql_i64(f->state), sql_i64(f->due_at_ms), sql_i64(f->attempts),
		sql_i64(f->first_try_at_ms), sql_i64(f->next_try_at_ms), sql_i64(f->last_try_at_ms),
		sql_i64(f->status), sql_str(f->answer), sql_str(f->endpoint), sql_i64(f->pos) };

	return sql_run(op, l, &FAILED, args, N_ELEMS(args), NULL);
}

enum err
delivery_store_let_go(struct op *op, struct sql_link *l, struct str endpoint, const int64_t *pos, size_t n)
{
	const struct sql_arg first = sql_str(endpoint);

	return sql_run(op, l, &LET_GO, with_numbers(op, &first, 1, pos, n), 1 + n, NULL);
}

enum err
delivery_store_log(struct op *op, struct sql_link *l, const struct delivery_log *g)
{
	const struct sql_arg args[] = { sql_str(g->type), sql_str(g->event_id), sql_str(g->url),
		sql_i64(g->status), sql_str(g->request), sql_str(g->response), sql_str(g->error), sql_i64(g->retry) };

	return sql_run(op, l, &LOG_INSERT, args, N_ELEMS(args), NULL);
}

enum err
delivery_store_requeue(struct op *op, struct sql_link *l, struct str endpoint, int64_t limit, int64_t *n_out)
{
	const struct sql_arg args[] = { sql_str(endpoint), sql_i64(limit) };
	struct sql_done done = { 0 };
	enum err e = sql_run(op, l, &REQUEUE, args, N_ELEMS(args), &done);

	*n_out = done.n_affected;
	return e;
}

enum err
delivery_store_untried(struct op *op, struct sql_link *l, struct str endpoint, const int64_t *pos, size_t n)
{
	const struct sql_arg first = sql_str(endpoint);

	return sql_run(op, l, &UNTRIED, with_numbers(op, &first, 1, pos, n), 1 + n, NULL);
}

enum err
delivery_store_endpoint(struct op *op, struct sql_link *l, struct str endpoint, struct delivery_endpoint *out,
    bool *found_out)
{
	const struct sql_arg arg = sql_str(endpoint);

	*out = (struct delivery_endpoint){ .state = S("") };
	return sql_one(op, l, &ENDPOINT, &arg, 1, out, found_out);
}

enum err
delivery_store_note(struct op *op, struct sql_link *l, const struct delivery_note *n)
{
	const struct sql_arg args[] = { sql_i64(n->disabled), sql_i64(n->set_down), sql_i64(n->down_since_ms),
		sql_i64(n->set_down), sql_i64(n->probe_at_ms), sql_i64(n->ok_at_ms), sql_i64(n->failed_at_ms),
		sql_i64(n->set_last), sql_i64(n->last_status), sql_str(n->last_error), sql_str(n->last_error),
		sql_str(n->endpoint) };

	return sql_run(op, l, &NOTE, args, N_ELEMS(args), NULL);
}
