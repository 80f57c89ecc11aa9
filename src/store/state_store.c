/* state_store - the statements that count what is there.
 * SPDX-License-Identifier: MIT */
#include "store/state_store.h"

#include "model/status.h"

/* A process that has not beaten for so long is none (jobs_store.c, tasks beat every second). */
enum { ALIVE_MS = 15000 };

struct count_row { int64_t status, n; };
static const struct sql_col COUNT_COLS[] = {
	SQL_COL(struct count_row, status),
	SQL_COL(struct count_row, n),
};
static const struct sql_stmt CALLS = {
	.name = "state_calls",
	.text = "SELECT status, COUNT(*) FROM rtc_room WHERE status IN (0, 1) GROUP BY status",
	.cols = COUNT_COLS,
	.n_cols = N_ELEMS(COUNT_COLS),
};
static const struct sql_stmt PEOPLE = {
	.name = "state_people",
	.text = "SELECT status, COUNT(*) FROM rtc_participant WHERE status IN (0, 1) GROUP BY status",
	.cols = COUNT_COLS,
	.n_cols = N_ELEMS(COUNT_COLS),
};
/* By way of their calls' deadlines, which stand in an index: people's do not. */
struct rejoin_row { int64_t n; };
static const struct sql_col REJOINING_COLS[] = { SQL_COL(struct rejoin_row, n) };
static const struct sql_stmt REJOINING = {
	.name = "state_rejoining",
	.text = "SELECT COUNT(*) FROM rtc_room r JOIN rtc_participant p ON p.room_id = r.room_id "
	    "WHERE r.next_deadline_ms BETWEEN 1 AND " SQL_NOW_MS " + ? AND r.status = 1 "
	    "AND p.status = 1 AND p.deadline_ms > 0",
	.cols = REJOINING_COLS,
	.n_cols = N_ELEMS(REJOINING_COLS),
};

struct lags_row { int64_t now_ms, n_events, event_at_ms, n_overdue, overdue_at_ms; };
static const struct sql_col LAGS_COLS[] = {
	SQL_COL(struct lags_row, now_ms),
	SQL_COL(struct lags_row, n_events),
	SQL_COL(struct lags_row, event_at_ms),
	SQL_COL(struct lags_row, n_overdue),
	SQL_COL(struct lags_row, overdue_at_ms),
};
#define OVERDUE "rtc_room r WHERE r.next_deadline_ms BETWEEN 1 AND " SQL_NOW_MS " AND r.status IN (0, 1)"
static const struct sql_stmt LAGS = {
	.name = "state_lags",
	.text = "SELECT " SQL_NOW_MS ", "
	    "(SELECT COUNT(*) FROM (SELECT 1 FROM event WHERE pos = 0 LIMIT ?) few), "
	    "(SELECT e.created_at_ms FROM event e WHERE e.pos = 0 ORDER BY e.id LIMIT 1), "
	    "(SELECT COUNT(*) FROM (SELECT 1 FROM " OVERDUE " LIMIT ?) late), "
	    "(SELECT r.next_deadline_ms FROM " OVERDUE " ORDER BY r.next_deadline_ms LIMIT 1)",
	.cols = LAGS_COLS,
	.n_cols = N_ELEMS(LAGS_COLS),
};

static const struct sql_col TASKS_COLS[] = {
	SQL_COL(struct state_task, name),
	SQL_COL(struct state_task, n_alive),
};
static const struct sql_stmt TASKS = {
	.name = "state_tasks",
	.text = "SELECT task, COUNT(IF(beat_at_ms > " SQL_NOW_MS " - ?, 1, NULL)) FROM jobs_process GROUP BY task",
	.cols = TASKS_COLS,
	.n_cols = N_ELEMS(TASKS_COLS),
};
const struct sql_stmt *const STATE_STORE_STMTS[] = { &CALLS, &PEOPLE, &REJOINING, &LAGS, &TASKS, NULL };

enum err
state_store_calls(struct op *op, struct sql_link *l, struct state_calls *out)
{
	struct count_row *rows;
	size_t n;
	enum err e;

	*out = (struct state_calls){ 0 };
	if ((e = sql_all(op, l, &CALLS, NULL, 0, sizeof(*rows), &rows, &n)) != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++) {
		if (rows[i].status == ROOM_RINGING)
			out->n_ringing = rows[i].n;
		else
			out->n_in_progress = rows[i].n;
	}
	return ERR_OK;
}

enum err
state_store_people(struct op *op, struct sql_link *l, int64_t soon_ms, struct state_people *out)
{
	const struct sql_arg soon = sql_i64(soon_ms);
	struct rejoin_row rejoining = { 0 };
	struct count_row *rows;
	bool found;
	size_t n;
	enum err e;

	*out = (struct state_people){ 0 };
	if ((e = sql_all(op, l, &PEOPLE, NULL, 0, sizeof(*rows), &rows, &n)) != ERR_OK)
		return e;
	if ((e = sql_one(op, l, &REJOINING, &soon, 1, &rejoining, &found)) != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++) {
		if (rows[i].status == P_INVITING)
			out->n_ringing = rows[i].n;
		else
			out->n_joined = rows[i].n;
	}
	/* They are joined still; and the two statements looked one after the other. */
	out->n_rejoining = rejoining.n;
	out->n_joined = out->n_joined > rejoining.n ? out->n_joined - rejoining.n : 0;
	return ERR_OK;
}

static int64_t
age_of(int64_t at_ms, int64_t now_ms)
{
	return at_ms > 0 && at_ms < now_ms ? now_ms - at_ms : 0;
}

enum err
state_store_lags(struct op *op, struct sql_link *l, struct state_lags *out)
{
	const struct sql_arg args[] = { sql_i64(STATE_COUNT_MAX), sql_i64(STATE_COUNT_MAX) };
	struct lags_row row = { 0 };
	bool found;
	enum err e;

	if ((e = sql_one(op, l, &LAGS, args, N_ELEMS(args), &row, &found)) != ERR_OK)
		return e;
	*out = (struct state_lags){ .n_events = row.n_events, .event_age_ms = age_of(row.event_at_ms, row.now_ms),
	    .n_overdue = row.n_overdue, .overdue_ms = age_of(row.overdue_at_ms, row.now_ms) };
	return ERR_OK;
}

enum err
state_store_tasks(struct op *op, struct sql_link *l, struct state_task **out, size_t *n_out)
{
	const struct sql_arg arg = sql_i64(ALIVE_MS);

	return sql_all(op, l, &TASKS, &arg, 1, sizeof(**out), out, n_out);
}
