/* action_store - the statements that carry an action from open to done or failed.
 * SPDX-License-Identifier: MIT */
#include "store/action_store.h"

/* In the order of idx_due: it is left after `limit` rows. */
static const struct sql_col ID_COLS[] = { SQL_COL(struct action_row, id) };
static const struct sql_stmt DUE = {
	.name = "action_due",
	.text = "SELECT id FROM livekit_action WHERE state = 'open' AND due_at_ms <= " SQL_NOW_MS " "
	    "ORDER BY due_at_ms, id LIMIT ? FOR UPDATE SKIP LOCKED",
	.cols = ID_COLS,
	.n_cols = N_ELEMS(ID_COLS),
};
static const struct sql_stmt CLAIM = {
	.name = "action_claim",
	.text = "UPDATE livekit_action SET due_at_ms = " SQL_NOW_MS " + ?, attempts = attempts + 1 "
	    "WHERE id IN ({})",
	.unit = "?",
};
/* Read after the claim, so that a person who came back meanwhile is seen. */
static const struct sql_col ACTION_COLS[] = {
	SQL_COL(struct action_row, id),
	SQL_COL(struct action_row, kind),
	SQL_COL(struct action_row, room_id),
	SQL_COL(struct action_row, uid),
	SQL_COL(struct action_row, sid),
	SQL_COL(struct action_row, attempts),
	SQL_COL(struct action_row, created_at_ms),
	SQL_COL(struct action_row, now_ms),
	SQL_COL(struct action_row, is_back),
};
static const struct sql_stmt READ = {
	.name = "action_read",
	.text = "SELECT a.id, a.kind, a.room_id, a.uid, a.sid, a.attempts, a.created_at_ms, " SQL_NOW_MS ", "
	    "EXISTS (SELECT 1 FROM rtc_participant p WHERE p.room_id = a.room_id AND p.uid = a.uid "
	    "AND p.status IN (0, 1) AND p.removed = 0) "
	    "FROM livekit_action a WHERE a.state = 'open' AND a.id IN ({}) ORDER BY a.id",
	.unit = "?",
	.cols = ACTION_COLS,
	.n_cols = N_ELEMS(ACTION_COLS),
};
/* -1: none is open. */
struct next_row { int64_t ms; };
static const struct sql_col NEXT_COLS[] = { SQL_COL(struct next_row, ms) };
static const struct sql_stmt NEXT = {
	.name = "action_next",
	.text = "SELECT COALESCE(GREATEST(MIN(due_at_ms) - " SQL_NOW_MS ", 0), -1) FROM livekit_action "
	    "WHERE state = 'open'",
	.cols = NEXT_COLS,
	.n_cols = N_ELEMS(NEXT_COLS),
};
static const struct sql_stmt DONE = {
	.name = "action_done",
	.text = "UPDATE livekit_action SET state = 'done', last_error = '' WHERE state = 'open' AND id IN ({})",
	.unit = "?",
};
static const struct sql_stmt AGAIN = {
	.name = "action_again",
	.text = "UPDATE livekit_action SET due_at_ms = " SQL_NOW_MS " + ?, last_error = ? "
	    "WHERE id = ? AND state = 'open'",
};
static const struct sql_stmt FAILED = {
	.name = "action_failed",
	.text = "UPDATE livekit_action SET state = 'failed', last_error = ? WHERE id = ? AND state = 'open'",
};
static const struct sql_col PAST_COLS[] = {
	SQL_COL(struct action_past, id),
	SQL_COL(struct action_past, created_at_ms),
	SQL_COL(struct action_past, now_ms),
	SQL_COL(struct action_past, room_id),
};
/* By the row number: what is asked for is a time, and no index has it. */
static const struct sql_stmt PAST = {
	.name = "actions_past",
	.text = "SELECT id, created_at_ms, " SQL_NOW_MS ", room_id FROM livekit_action WHERE id < ? ORDER BY id DESC LIMIT ?",
	.cols = PAST_COLS,
	.n_cols = N_ELEMS(PAST_COLS),
};
const struct sql_stmt *const ACTION_STORE_STMTS[] = { &DUE, &CLAIM, &READ, &NEXT, &DONE, &AGAIN, &FAILED, &PAST,
	NULL };

struct claim {
	int64_t limit, ms;
	struct action_row *rows;
	size_t n;
};

static struct sql_arg *
id_args(struct op *op, const struct action_row *rows, size_t n, size_t n_before)
{
	struct sql_arg *args = arena_array(op->arena, n_before + n, sizeof(*args));

	for (size_t i = 0; i < n; i++)
		args[n_before + i] = sql_i64(rows[i].id);
	return args;
}

static enum err
claim_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct claim *c = arg;
	const struct sql_arg limit = sql_i64(c->limit);
	struct sql_arg *args;
	enum err e;

	c->n = 0;
	if ((e = sql_all(op, l, &DUE, &limit, 1, sizeof(*c->rows), &c->rows, &c->n)) != ERR_OK)
		return e;
	if (c->n == 0) {
		*rollback_out = true;
		return ERR_OK;
	}
	args = id_args(op, c->rows, c->n, 1);
	args[0] = sql_i64(c->ms);
	return sql_run(op, l, &CLAIM, args, c->n + 1, NULL);
}

enum err
action_store_claim(struct op *op, struct sql_link *l, int64_t limit, int64_t claim_ms,
    struct action_row **rows_out, size_t *n_out)
{
	struct claim c = { .limit = limit, .ms = claim_ms };
	enum err e = tx_run(op, l, claim_in_tx, &c);

	*rows_out = NULL;
	*n_out = 0;
	if (e != ERR_OK || c.n == 0)
		return e;
	return sql_all(op, l, &READ, id_args(op, c.rows, c.n, 0), c.n, sizeof(**rows_out), rows_out, n_out);
}

enum err
action_store_next(struct op *op, struct sql_link *l, int64_t *ms_out)
{
	struct next_row row = { .ms = -1 };
	bool found;
	enum err e = sql_one(op, l, &NEXT, NULL, 0, &row, &found);

	*ms_out = row.ms;
	return e;
}

enum err
action_store_past(struct op *op, struct sql_link *l, int64_t below, int64_t limit, struct action_past **out,
    size_t *n_out)
{
	const struct sql_arg args[] = { sql_i64(below), sql_i64(limit) };

	return sql_all(op, l, &PAST, args, N_ELEMS(args), sizeof(**out), out, n_out);
}

enum err
action_store_done(struct op *op, struct sql_link *l, const int64_t *ids, size_t n)
{
	struct sql_arg *args = arena_array(op->arena, n, sizeof(*args));

	if (n == 0)
		return ERR_OK;
	for (size_t i = 0; i < n; i++)
		args[i] = sql_i64(ids[i]);
	return sql_run(op, l, &DONE, args, n, NULL);
}

enum err
action_store_again(struct op *op, struct sql_link *l, int64_t id, int64_t in_ms, struct str error)
{
	const struct sql_arg args[] = { sql_i64(in_ms), sql_str(error), sql_i64(id) };

	return sql_run(op, l, &AGAIN, args, N_ELEMS(args), NULL);
}

enum err
action_store_failed(struct op *op, struct sql_link *l, int64_t id, struct str error)
{
	const struct sql_arg args[] = { sql_str(error), sql_i64(id) };

	return sql_run(op, l, &FAILED, args, N_ELEMS(args), NULL);
}
