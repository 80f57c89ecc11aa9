/* endpoint_store - rows of webhook_endpoint, and what of event_delivery belongs to one.
 * SPDX-License-Identifier: MIT */
#include "store/endpoint_store.h"

enum { CHUNK = 500 };

/* Assignments work from left to right: state last. */
static const struct sql_stmt ADD = {
	.name = "endpoints_add",
	.text = "INSERT INTO webhook_endpoint (id, url, added_at_ms) VALUES {} ON DUPLICATE KEY UPDATE "
	    "added_at_ms = IF(state = 'removed', VALUES(added_at_ms), added_at_ms), "
	    "down_since_ms = IF(state = 'removed', 0, down_since_ms), "
	    "probe_at_ms = IF(state = 'removed', 0, probe_at_ms), "
	    "state = IF(state = 'removed', 'active', state)",
	.unit = "(?,?,?)",
};
static const struct sql_stmt REMOVE = {
	.name = "endpoints_remove",
	.text = "UPDATE webhook_endpoint SET state = 'removed' WHERE state <> 'removed' AND id NOT IN ({})",
	.unit = "?",
};

#define ENDPOINT_SELECT                                                                          \
	"SELECT id, url, state, last_error, added_at_ms, down_since_ms, last_ok_at_ms, "             \
	"last_failed_at_ms, last_status, " SQL_NOW_MS " FROM webhook_endpoint "
static const struct sql_col ENDPOINT_COLS[] = {
	SQL_COL(struct endpoint_row, id),
	SQL_COL(struct endpoint_row, url),
	SQL_COL(struct endpoint_row, state),
	SQL_COL(struct endpoint_row, last_error),
	SQL_COL(struct endpoint_row, added_at_ms),
	SQL_COL(struct endpoint_row, down_since_ms),
	SQL_COL(struct endpoint_row, last_ok_at_ms),
	SQL_COL(struct endpoint_row, last_failed_at_ms),
	SQL_COL(struct endpoint_row, last_status),
	SQL_COL(struct endpoint_row, now_ms),
};
static const struct sql_stmt LIST = {
	.name = "endpoints_list",
	.text = ENDPOINT_SELECT "ORDER BY added_at_ms, id LIMIT ?",
	.cols = ENDPOINT_COLS,
	.n_cols = N_ELEMS(ENDPOINT_COLS),
};
static const struct sql_stmt GET = {
	.name = "endpoint_get",
	.text = ENDPOINT_SELECT "WHERE id = ?",
	.cols = ENDPOINT_COLS,
	.n_cols = N_ELEMS(ENDPOINT_COLS),
};

static const struct sql_col WAITING_COLS[] = {
	SQL_COL(struct waiting, n),
	SQL_COL(struct waiting, since_ms),
};
/* The queued ones stand in the index by number, oldest first; those tried again are few. The index is named
 * because the primary key has the wanted order, too, and all that was ever delivered. */
static const struct sql_stmt WAITING = {
	.name = "endpoint_waiting",
	.text = "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM event_delivery WHERE endpoint_id = ? "
	    "AND state IN (0, 1) LIMIT ?) few), LEAST("
	    "COALESCE((SELECT d.created_at_ms FROM event_delivery d FORCE INDEX (idx_queue) "
	    "WHERE d.endpoint_id = ? AND d.state = 0 "
	    "AND d.due_at_ms = 0 ORDER BY d.pos LIMIT 1), ?), "
	    "COALESCE((SELECT MIN(again.created_at_ms) FROM (SELECT d.created_at_ms FROM event_delivery d "
	    "WHERE d.endpoint_id = ? AND d.state = 1 LIMIT ?) again), ?))",
	.cols = WAITING_COLS,
	.n_cols = N_ELEMS(WAITING_COLS),
};

static const struct sql_stmt ENABLE = {
	.name = "endpoint_enable",
	.text = "UPDATE webhook_endpoint SET state = 'active', down_since_ms = 0, probe_at_ms = 0 "
	    "WHERE id = ? AND state <> 'removed'",
};
struct pos_row { int64_t pos; };
static const struct sql_col POS_COLS[] = { SQL_COL(struct pos_row, pos) };
static const struct sql_stmt LATER_QUEUED = {
	.name = "endpoint_later_queued",
	.text = "SELECT pos FROM event_delivery FORCE INDEX (idx_queue) "
	    "WHERE endpoint_id = ? AND state = 0 AND due_at_ms = 0 "
	    "AND next_try_at_ms > ? ORDER BY pos LIMIT ?",
	.cols = POS_COLS,
	.n_cols = N_ELEMS(POS_COLS),
};
static const struct sql_stmt LATER_AGAIN = {
	.name = "endpoint_later_again",
	.text = "SELECT pos FROM event_delivery WHERE endpoint_id = ? AND state = 1 AND due_at_ms > ? "
	    "ORDER BY due_at_ms LIMIT ?",
	.cols = POS_COLS,
	.n_cols = N_ELEMS(POS_COLS),
};
static const struct sql_stmt MAKE_DUE = {
	.name = "endpoint_make_due",
	.text = "UPDATE event_delivery SET next_try_at_ms = 0, due_at_ms = IF(state = 1, ?, 0) "
	    "WHERE endpoint_id = ? AND state IN (0, 1) AND pos IN ({})",
	.unit = "?",
};
const struct sql_stmt *const ENDPOINT_STORE_STMTS[] = { &ADD, &REMOVE, &LIST, &GET, &WAITING, &ENABLE,
	&LATER_QUEUED, &LATER_AGAIN, &MAKE_DUE, NULL };

static enum err
add(struct op *op, struct sql_link *l, const struct conf *c, int64_t now_ms)
{
	struct sql_arg *args = arena_array(op->arena, 3 * c->n_endpoints + 1, sizeof(*args));

	if (c->n_endpoints == 0)
		return ERR_OK;
	for (size_t i = 0; i < c->n_endpoints; i++) {
		args[3 * i] = sql_str(c->endpoints[i].id);
		args[3 * i + 1] = sql_str(c->endpoints[i].url);
		args[3 * i + 2] = sql_i64(now_ms);
	}
	return sql_run(op, l, &ADD, args, 3 * c->n_endpoints, NULL);
}

enum err
endpoint_store_settle(struct op *op, struct sql_link *l, const struct conf *c, int64_t now_ms)
{
	struct sql_arg *args = arena_array(op->arena, c->n_endpoints + 1, sizeof(*args));
	enum err e;

	if ((e = add(op, l, c, now_ms)) != ERR_OK)
		return e;
	/* No receiver has the id "": with none configured all are removed. */
	args[0] = sql_str(S(""));
	for (size_t i = 0; i < c->n_endpoints; i++)
		args[1 + i] = sql_str(c->endpoints[i].id);
	return sql_run(op, l, &REMOVE, args, c->n_endpoints + 1, NULL);
}

enum err
endpoint_store_list(struct op *op, struct sql_link *l, struct endpoint_row **rows_out, size_t *n_out)
{
	const struct sql_arg arg = sql_i64(ENDPOINTS_SHOWN);

	return sql_all(op, l, &LIST, &arg, 1, sizeof(**rows_out), rows_out, n_out);
}

enum err
endpoint_store_get(struct op *op, struct sql_link *l, struct str id, struct endpoint_row *row_out,
    bool *found_out)
{
	const struct sql_arg arg = sql_str(id);

	return sql_one(op, l, &GET, &arg, 1, row_out, found_out);
}

bool
endpoint_row_removed(const struct endpoint_row *r)
{
	return str_eq(r->state, S("removed"));
}

enum err
endpoint_store_waiting(struct op *op, struct sql_link *l, struct str id, struct waiting *out)
{
	const struct sql_arg args[] = { sql_str(id), sql_i64(WAITING_MAX + 1), sql_str(id), sql_i64(INT64_MAX),
		sql_str(id), sql_i64(WAITING_MAX), sql_i64(INT64_MAX) };
	bool found;
	enum err e;

	if ((e = sql_one(op, l, &WAITING, args, N_ELEMS(args), out, &found)) != ERR_OK)
		return e;
	if (out->since_ms == INT64_MAX)
		out->since_ms = 0;
	return ERR_OK;
}

enum err
endpoint_store_enable(struct op *op, struct sql_link *l, struct str id)
{
	const struct sql_arg arg = sql_str(id);

	return sql_run(op, l, &ENABLE, &arg, 1, NULL);
}

enum err
endpoint_store_make_due(struct op *op, struct sql_link *l, struct str id, int64_t now_ms, int64_t *n_out)
{
	const struct sql_arg later[] = { sql_str(id), sql_i64(now_ms), sql_i64(CHUNK) };
	struct sql_arg *args = arena_array(op->arena, CHUNK + 2, sizeof(*args));
	struct pos_row *rows;
	size_t n;
	enum err e;

	*n_out = 0;
	if ((e = sql_all(op, l, &LATER_QUEUED, later, N_ELEMS(later), sizeof(*rows), &rows, &n)) != ERR_OK)
		return e;
	if (n == 0 && (e = sql_all(op, l, &LATER_AGAIN, later, N_ELEMS(later), sizeof(*rows), &rows, &n)) != ERR_OK)
		return e;
	if (n == 0)
		return ERR_OK;
	args[0] = sql_i64(now_ms);
	args[1] = sql_str(id);
	for (size_t i = 0; i < n; i++)
		args[2 + i] = sql_i64(rows[i].pos);
	*n_out = (int64_t)n;
	return sql_run(op, l, &MAKE_DUE, args, n + 2, NULL);
}
