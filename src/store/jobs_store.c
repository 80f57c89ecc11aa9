/* jobs_store - leases, heartbeats and lag of tgo-call-jobs.
 * SPDX-License-Identifier: MIT */
#include "store/jobs_store.h"

#include "store/room_columns.h"

enum { ALIVE_MS = 15000 };

struct lease_row {
	struct str holder;
	int64_t until_ms, value, now_ms;
};
static const struct sql_col LEASE_COLS[] = {
	SQL_COL(struct lease_row, holder),
	SQL_COL(struct lease_row, until_ms),
	SQL_COL(struct lease_row, value),
	SQL_COL(struct lease_row, now_ms),
};
static const struct sql_stmt LEASE_READ = {
	.name = "lease_read",
	.text = "SELECT holder, until_ms, value, " SQL_NOW_MS " FROM jobs_lease WHERE name = ?",
	.cols = LEASE_COLS,
	.n_cols = N_ELEMS(LEASE_COLS),
};
/* Past its time, too, as long as nobody else has taken it. A millisecond more, so that each changes something. */
static const struct sql_stmt LEASE_RENEW = {
	.name = "lease_renew",
	.text = "UPDATE jobs_lease SET until_ms = " SQL_NOW_MS " + ? + IF(until_ms = " SQL_NOW_MS " + ?, 1, 0) "
	    "WHERE name = ? AND holder = ?",
};
/* Assignments work from left to right: the second one sees the new holder. */
static const struct sql_stmt LEASE_TAKE = {
	.name = "lease_take",
	.text = "INSERT INTO jobs_lease (name, holder, until_ms) VALUES (?, ?, " SQL_NOW_MS " + ?) "
	    "ON DUPLICATE KEY UPDATE "
	    "holder = IF(holder = VALUES(holder) OR until_ms <= " SQL_NOW_MS ", VALUES(holder), holder), "
	    "until_ms = IF(holder = VALUES(holder), VALUES(until_ms), until_ms)",
};
/* A write that changes something, so that every member of a cluster sees the lock; a millisecond more
 * harms nobody. Whether its time is over does not matter: nobody else has taken it, nor can now. */
static const struct sql_stmt LEASE_HOLD = {
	.name = "lease_hold",
	.text = "UPDATE jobs_lease SET until_ms = until_ms + 1 WHERE name = ? AND holder = ?",
};
static const struct sql_stmt LEASE_SET = {
	.name = "lease_set_value",
	.text = "UPDATE jobs_lease SET value = ? WHERE name = ?",
};
static const struct sql_stmt LEASE_RELEASE = {
	.name = "lease_release",
	.text = "UPDATE jobs_lease SET holder = '', until_ms = 0 WHERE name = ? AND holder = ?",
};
static const struct sql_stmt BEAT = {
	.name = "jobs_beat",
	.text = "INSERT INTO jobs_process (id, instance, task, host, pid, version, started_at_ms, beat_at_ms) "
	    "VALUES (?, ?, ?, ?, ?, ?, " SQL_NOW_MS ", " SQL_NOW_MS ") "
	    "ON DUPLICATE KEY UPDATE beat_at_ms = VALUES(beat_at_ms)",
};
static const struct sql_stmt GONE = {
	.name = "jobs_gone",
	.text = "DELETE FROM jobs_process WHERE id = ?",
};
static const struct sql_col LAG_COLS[] = {
	SQL_COL(struct jobs_lag, alive),
	SQL_COL(struct jobs_lag, oldest_deadline_s),
	SQL_COL(struct jobs_lag, oldest_event_s),
};
/* Each part reads the first entry of an index, however much waits. */
static const struct sql_stmt LAG = {
	.name = "jobs_lag",
	.text = "SELECT "
	    "(SELECT COUNT(DISTINCT instance) FROM jobs_process WHERE beat_at_ms > " SQL_NOW_MS " - ?), "
	    "COALESCE((SELECT (" SQL_NOW_MS " - r.next_deadline_ms) DIV 1000 FROM rtc_room r "
	    "WHERE r.next_deadline_ms BETWEEN 1 AND " SQL_NOW_MS " AND r.status IN (0, 1) "
	    "ORDER BY r.next_deadline_ms LIMIT 1), 0), "
	    "GREATEST(0, COALESCE((SELECT (" SQL_NOW_MS " - e.created_at_ms) DIV 1000 FROM event e "
	    "WHERE e.pos = 0 ORDER BY e.id LIMIT 1), 0), "
	    "COALESCE((SELECT MAX((SELECT (" SQL_NOW_MS " - d.created_at_ms) DIV 1000 FROM event_delivery d "
	    "WHERE d.endpoint_id = webhook_endpoint.id AND d.state = 0 AND d.due_at_ms = 0 "
	    "ORDER BY d.pos LIMIT 1)) FROM webhook_endpoint WHERE state = 'active' AND down_since_ms = 0), 0))",
	.cols = LAG_COLS,
	.n_cols = N_ELEMS(LAG_COLS),
};
const struct sql_stmt *const JOBS_STORE_STMTS[] = { &LEASE_READ, &LEASE_RENEW, &LEASE_TAKE, &LEASE_HOLD, &LEASE_SET,
	&LEASE_RELEASE, &BEAT, &GONE, &LAG, NULL };

struct wish { struct str name, holder; int64_t ttl_ms; };

static enum err
read_lease(struct op *op, struct sql_link *l, struct str name, struct lease_row *row, bool *found)
{
	const struct sql_arg arg = sql_str(name);

	*row = (struct lease_row){ 0 };
	return sql_one(op, l, &LEASE_READ, &arg, 1, row, found);
}

static enum err
renew(struct op *op, struct sql_link *l, const struct wish *w, bool *kept_out)
{
	const struct sql_arg args[] = { sql_i64(w->ttl_ms), sql_i64(w->ttl_ms), sql_str(w->name), sql_str(w->holder) };
	struct sql_done done = { 0 };
	enum err e = sql_run(op, l, &LEASE_RENEW, args, N_ELEMS(args), &done);

	*kept_out = done.n_affected == 1;
	return e;
}

static enum err
take(struct op *op, struct sql_link *l, const struct wish *w)
{
	const struct sql_arg args[] = { sql_str(w->name), sql_str(w->holder), sql_i64(w->ttl_ms) };

	return sql_run(op, l, &LEASE_TAKE, args, N_ELEMS(args), NULL);
}

/* Whoever cannot have it only reads: waiting processes cost the holder no lock. Nobody but the holder writes its name:
 * a row that bears it has been its all along. */
enum err
jobs_store_lease(struct op *op, struct sql_link *l, struct str name, struct str holder, int64_t ttl_ms,
    struct lease *out)
{
	const struct wish w = { name, holder, ttl_ms };
	bool found, mine, kept = false;
	struct lease_row row;
	enum err e;

	if ((e = read_lease(op, l, name, &row, &found)) != ERR_OK)
		return e;
	mine = found && str_eq(row.holder, holder);
	if (mine || !found || row.until_ms <= row.now_ms) {
		if ((e = mine ? renew(op, l, &w, &kept) : take(op, l, &w)) != ERR_OK)
			return e;
		if ((e = read_lease(op, l, name, &row, &found)) != ERR_OK)
			return e;
	}
	*out = (struct lease){ .held = str_eq(row.holder, holder) && row.until_ms > row.now_ms, .kept = kept,
	    .value = row.value, .now_ms = row.now_ms };
	return ERR_OK;
}

enum err
jobs_store_hold(struct op *op, struct sql_link *l, struct str name, struct str holder, struct lease *out)
{
	const struct sql_arg args[] = { sql_str(name), sql_str(holder) };
	struct sql_done done;
	struct lease_row row;
	bool found;
	enum err e;

	if ((e = sql_run(op, l, &LEASE_HOLD, args, N_ELEMS(args), &done)) != ERR_OK)
		return e;
	if ((e = read_lease(op, l, name, &row, &found)) != ERR_OK)
		return e;
	*out = (struct lease){ .held = done.n_affected == 1, .value = row.value, .now_ms = row.now_ms };
	return ERR_OK;
}

enum err
jobs_store_set_value(struct op *op, struct sql_link *l, struct str name, int64_t value)
{
	const struct sql_arg args[] = { sql_i64(value), sql_str(name) };

	return sql_run(op, l, &LEASE_SET, args, N_ELEMS(args), NULL);
}

enum err
jobs_store_release(struct op *op, struct sql_link *l, struct str name, struct str holder)
{
	const struct sql_arg args[] = { sql_str(name), sql_str(holder) };

	return sql_run(op, l, &LEASE_RELEASE, args, N_ELEMS(args), NULL);
}

enum err
jobs_store_beat(struct op *op, struct sql_link *l, const struct beat *b)
{
	const struct sql_arg args[] = { sql_str(b->id), sql_str(b->instance), sql_str(b->task),
		sql_str(b->host), sql_i64(b->pid), sql_str(b->version) };

	return sql_run(op, l, &BEAT, args, N_ELEMS(args), NULL);
}

enum err
jobs_store_gone(struct op *op, struct sql_link *l, struct str id)
{
	const struct sql_arg arg = sql_str(id);

	return sql_run(op, l, &GONE, &arg, 1, NULL);
}

enum err
jobs_store_lag(struct op *op, struct sql_link *l, struct jobs_lag *out)
{
	const struct sql_arg arg = sql_i64(ALIVE_MS);
	bool found;

	*out = (struct jobs_lag){ 0 };
	return sql_one(op, l, &LAG, &arg, 1, out, &found);
}
