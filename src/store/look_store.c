/* look_store - the reconciler's calendar: rtc_room.look_at_ms.
 * SPDX-License-Identifier: MIT */
#include "store/look_store.h"

struct now_row { int64_t now_ms; };
static const struct sql_col NOW_COLS[] = { SQL_COL(struct now_row, now_ms) };
static const struct sql_stmt NOW = {
	.name = "looks_now",
	.text = "SELECT " SQL_NOW_MS,
	.cols = NOW_COLS,
	.n_cols = 1,
};

static const struct sql_col DUE_COLS[] = {
	SQL_COL(struct look, id),
	SQL_COL(struct look, version),
	SQL_COL(struct look, room_id),
	SQL_COL(struct look, status),
	SQL_COL(struct look, look_at_ms),
	SQL_COL(struct look, updated_at_ms),
	SQL_COL(struct look, listed_at_ms),
};
/* Its entries move all the time, and statistics lag behind: the index is not left to them. */
#define DUE(n, which)                                                                            \
	{ .name = (n), .text = "SELECT id, version, room_id, status, look_at_ms, updated_at_ms, "    \
	  "listed_at_ms FROM rtc_room FORCE INDEX (idx_look) WHERE " which                           \
	  " AND look_at_ms <= ? LIMIT ? "                                                            \
	  "FOR UPDATE SKIP LOCKED", .cols = DUE_COLS, .n_cols = N_ELEMS(DUE_COLS) }
static const struct sql_stmt DUE_ACTIVE = DUE("looks_due", "status IN (0, 1)");
/* History has 0: only what ended lately is in this part of the index. */
static const struct sql_stmt DUE_FINAL = DUE("looks_due_final",
    "status IN (2, 3, 4, 5, 6) AND look_at_ms > 0");

static const struct sql_stmt NEXT_ACTIVE = {
	.name = "looks_next",
	.text = "UPDATE rtc_room SET look_at_ms = ? WHERE id IN ({})",
	.unit = "?",
};
/* Each time as long again as it is over already, then never more. */
static const struct sql_stmt NEXT_FINAL = {
	.name = "looks_next_final",
	.text = "UPDATE rtc_room SET look_at_ms = IF(ended_at_ms <= ?, 0, ? + GREATEST(?, ? - ended_at_ms)) "
	    "WHERE id IN ({})",
	.unit = "?",
};

struct count_row {
	struct str room_id;
	int64_t n_active, n_joined, n_without_sid, n_missing, n_doubted, n_waiting, n_adopted;
};
static const struct sql_col COUNT_COLS[] = {
	SQL_COL(struct count_row, room_id),
	SQL_COL(struct count_row, n_active),
	SQL_COL(struct count_row, n_joined),
	SQL_COL(struct count_row, n_without_sid),
	SQL_COL(struct count_row, n_missing),
	SQL_COL(struct count_row, n_doubted),
	SQL_COL(struct count_row, n_waiting),
	SQL_COL(struct count_row, n_adopted),
};
#define JOINED_AND(what) "CAST(SUM(status = 1" what ") AS SIGNED)"
static const struct sql_stmt COUNTS = {
	.name = "looks_counts",
	.text = "SELECT room_id, COUNT(*), " JOINED_AND("") ", " JOINED_AND(" AND sid = ''") ", "
	    JOINED_AND(" AND missing_at_ms > 0") ", "
	    JOINED_AND(" AND missing_at_ms > 0 AND missing_at_ms <= ?") ", "
	    JOINED_AND(" AND deadline_ms > 0 AND sid <> ''") ", "
	    JOINED_AND(" AND deadline_ms > 0 AND session_from_ms = 0")
	    " FROM rtc_participant WHERE status IN (0, 1) AND room_id IN ({}) GROUP BY room_id",
	.unit = "?",
	.cols = COUNT_COLS,
	.n_cols = N_ELEMS(COUNT_COLS),
};
static const struct sql_col DOUBTED_COLS[] = {
	SQL_COL(struct doubted_row, room_id),
	SQL_COL(struct doubted_row, uid),
};
/* Who is not joined any more is not missing either. */
static const struct sql_stmt DOUBTED = {
	.name = "looks_doubted",
	.text = "SELECT room_id, uid FROM rtc_participant WHERE deadline_ms = 0 "
	    "AND missing_at_ms > 0 AND missing_at_ms <= ? AND room_id IN ({}) LIMIT 1000",
	.unit = "?",
	.cols = DOUBTED_COLS,
	.n_cols = N_ELEMS(DOUBTED_COLS),
};
static const struct sql_stmt LISTED = {
	.name = "looks_listed",
	.text = "UPDATE rtc_room SET listed_at_ms = " SQL_NOW_MS " WHERE id IN ({})",
	.unit = "?",
};
const struct sql_stmt *const LOOK_STORE_STMTS[] = { &NOW, &DUE_ACTIVE, &DUE_FINAL, &NEXT_ACTIVE, &NEXT_FINAL,
	&COUNTS, &DOUBTED, &LISTED, NULL };

enum err
look_store_now(struct op *op, struct sql_link *l, int64_t *now_ms_out)
{
	struct now_row row = { 0 };
	bool found;
	enum err e = sql_one(op, l, &NOW, NULL, 0, &row, &found);

	*now_ms_out = row.now_ms;
	return e;
}

/* The statement's own arguments, then the ids of these calls. */
static enum err
schedule(struct op *op, struct sql_link *l, const struct sql_stmt *s, const struct sql_arg *own, size_t n_own,
    const struct look *looks, size_t n)
{
	struct sql_arg *args;

	if (n == 0)
		return ERR_OK;
	args = arena_array(op->arena, n_own + n, sizeof(*args));
	for (size_t i = 0; i < n_own; i++)
		args[i] = own[i];
	for (size_t i = 0; i < n; i++)
		args[n_own + i] = sql_i64(looks[i].id);
	return sql_run(op, l, s, args, n_own + n, NULL);
}

static void
take_counts(struct look *looks, size_t n, const struct count_row *row)
{
	for (size_t i = 0; i < n; i++) {
		struct look *k = &looks[i];

		if (!str_eq(k->room_id, row->room_id))
			continue;
		k->n_active = row->n_active;
		k->n_joined = row->n_joined;
		k->n_without_sid = row->n_without_sid;
		k->n_missing = row->n_missing;
		k->n_doubted = row->n_doubted;
		k->n_waiting = row->n_waiting;
		k->n_adopted = row->n_adopted;
		return;
	}
}

static enum err
count_rows(struct op *op, struct sql_link *l, const struct look_times *t, struct look *looks, size_t n)
{
	struct sql_arg *args = arena_array(op->arena, n + 1, sizeof(*args));
	struct count_row *rows;
	size_t n_rows;
	enum err e;

	if (n == 0)
		return ERR_OK;
	args[0] = sql_i64(t->now_ms - t->look_again_ms);
	for (size_t i = 0; i < n; i++)
		args[1 + i] = sql_str(looks[i].room_id);
	if ((e = sql_all(op, l, &COUNTS, args, n + 1, sizeof(*rows), &rows, &n_rows)) != ERR_OK)
		return e;
	for (size_t i = 0; i < n_rows; i++)
		take_counts(looks, n, &rows[i]);
	return ERR_OK;
}

enum err
look_store_claim(struct op *op, struct sql_link *l, const struct look_times *t, int64_t max, struct look **out,
    size_t *n_out)
{
	int64_t until = t->until_ms > t->now_ms ? t->until_ms : t->now_ms;
	const struct sql_arg due[] = { sql_i64(until), sql_i64(max) };
	const struct sql_arg due_final[] = { sql_i64(t->now_ms), sql_i64(max) };
	const struct sql_arg next = sql_i64(t->now_ms + t->interval_ms);
	const struct sql_arg next_final[] = { sql_i64(t->now_ms - t->final_for_ms), sql_i64(t->now_ms),
		sql_i64(t->interval_ms), sql_i64(t->now_ms) };
	struct look *active, *final, *all;
	size_t n_active, n_final;
	enum err e;

	e = sql_all(op, l, &DUE_ACTIVE, due, N_ELEMS(due), sizeof(*active), &active, &n_active);
	if (e != ERR_OK)
		return e;
	e = sql_all(op, l, &DUE_FINAL, due_final, N_ELEMS(due_final), sizeof(*final), &final, &n_final);
	if (e != ERR_OK)
		return e;
	if ((e = schedule(op, l, &NEXT_ACTIVE, &next, 1, active, n_active)) != ERR_OK)
		return e;
	if ((e = schedule(op, l, &NEXT_FINAL, next_final, N_ELEMS(next_final), final, n_final)) != ERR_OK)
		return e;
	if ((e = count_rows(op, l, t, active, n_active)) != ERR_OK)
		return e;
	all = arena_array(op->arena, n_active + n_final + 1, sizeof(*all));
	for (size_t i = 0; i < n_active; i++)
		all[i] = active[i];
	for (size_t i = 0; i < n_final; i++)
		all[n_active + i] = final[i];
	*out = all;
	*n_out = n_active + n_final;
	return ERR_OK;
}

enum err
look_store_doubted(struct op *op, struct sql_link *l, int64_t before_ms, const struct str *rooms, size_t n,
    struct doubted_row **out, size_t *n_out)
{
	struct sql_arg *args = arena_array(op->arena, n + 1, sizeof(*args));

	*n_out = 0;
	if (n == 0)
		return ERR_OK;
	args[0] = sql_i64(before_ms);
	for (size_t i = 0; i < n; i++)
		args[1 + i] = sql_str(rooms[i]);
	return sql_all(op, l, &DOUBTED, args, n + 1, sizeof(**out), out, n_out);
}

enum err
look_store_listed(struct op *op, struct sql_link *l, const int64_t *ids, size_t n)
{
	struct sql_arg *args = arena_array(op->arena, n + 1, sizeof(*args));

	for (size_t i = 0; i < n; i++)
		args[i] = sql_i64(ids[i]);
	return n > 0 ? sql_run(op, l, &LISTED, args, n, NULL) : ERR_OK;
}
