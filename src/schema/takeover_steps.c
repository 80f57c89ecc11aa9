/* takeover_steps - one step of the take-over, a transaction on a few hundred rows by primary key. A step
 * may run several times (deadlock retry): it begins at step->last_id each time and counts anew.
 * SPDX-License-Identifier: MIT */
#include "schema/takeover_private.h"

#include "schema/local_time.h"
#include "schema/schema_private.h"

/* Clients are given that long at least to answer a call that rang too long already. */
#define MIN_RING_MS "5000"
/* What a column that was never written falls back to. */
#define CREATED "COALESCE(created_at, updated_at)"
#define UPDATED "COALESCE(updated_at, created_at)"
#define NEVER "9223372036854775807"

enum { N_FIXED_MAX = 3 };

static const struct sql_col DATED_COLS[] = {
	SQL_COL(struct dated, id),
	SQL_COL(struct dated, created_civil_ms),
	SQL_COL(struct dated, updated_civil_ms),
};
static const struct sql_stmt ROOMS_UNDATED = {
	.name = "takeover_rooms_undated",
	.text = "SELECT id, " CIVIL_MS(CREATED) ", " CIVIL_MS(UPDATED) " FROM rtc_room"
	    " WHERE created_at_ms = 0 AND id > ? ORDER BY id LIMIT ?",
	.cols = DATED_COLS, .n_cols = N_ELEMS(DATED_COLS),
};
/* A row that knows no time at all is dated now: anything older would end a call that is under way. */
static const struct sql_stmt ROOMS_DATE = {
	.name = "takeover_rooms_date",
	.text = "UPDATE rtc_room SET"
	    " created_at_ms = COALESCE(GREATEST(1, " CIVIL_MS(CREATED) " - ?), " SQL_NOW_MS "),"
	    " updated_at_ms = COALESCE(GREATEST(1, " CIVIL_MS(UPDATED) " - ?), " SQL_NOW_MS ")"
	    " WHERE created_at_ms = 0 AND id IN ({})",
	.unit = "?",
};

struct active_row { int64_t id; };
static const struct sql_col ACTIVE_COLS[] = { SQL_COL(struct active_row, id) };
static const struct sql_stmt CALLS_WITHOUT = {
	.name = "takeover_calls_without_deadline",
	.text = "SELECT r.id FROM rtc_room r WHERE r.status IN (0, 1) AND r.id > ?"
	    " AND ((r.next_deadline_ms = 0 AND ? > 0) OR EXISTS (SELECT 1 FROM rtc_participant p"
	    " WHERE p.room_id = r.room_id AND p.status = 0 AND p.deadline_ms = 0)) ORDER BY r.id LIMIT ?",
	.cols = ACTIVE_COLS, .n_cols = N_ELEMS(ACTIVE_COLS),
};
static const struct sql_stmt CALLS_LOCK = {
	.name = "takeover_calls_lock",
	.text = "UPDATE rtc_room SET version = version + 1 WHERE status IN (0, 1) AND id IN ({})",
	.unit = "?",
};
static const struct sql_stmt ROWS_WITHOUT = {
	.name = "takeover_rows_without_deadline",
	.text = "SELECT p.id, " CIVIL_MS("p.created_at") ", 0 FROM rtc_participant p"
	    " JOIN rtc_room r ON r.room_id = p.room_id WHERE r.status IN (0, 1) AND p.status = 0"
	    " AND p.deadline_ms = 0 AND r.id IN ({}) ORDER BY p.id",
	.unit = "?",
	.cols = DATED_COLS, .n_cols = N_ELEMS(DATED_COLS),
};
static const struct sql_stmt ROWS_RING = {
	.name = "takeover_rows_ring",
	.text = "UPDATE rtc_participant p JOIN rtc_room r ON r.room_id = p.room_id SET"
	    " p.deadline_ms = GREATEST(" SQL_NOW_MS " + " MIN_RING_MS ", COALESCE("
	    CIVIL_MS("p.created_at") " - ? + IF(r.ring_timeout_s > 0, r.ring_timeout_s * 1000, ?), 0))"
	    " WHERE p.status = 0 AND p.deadline_ms = 0 AND p.id IN ({})",
	.unit = "?",
};
/* calls.md, I7: the least of what is to come for the call. */
static const struct sql_stmt CALLS_NEXT = {
	.name = "takeover_calls_next",
	.text = "UPDATE rtc_room r SET r.next_deadline_ms = COALESCE(NULLIF(LEAST("
	    "COALESCE((SELECT MIN(p.deadline_ms) FROM rtc_participant p WHERE p.room_id = r.room_id"
	    " AND p.status IN (0, 1) AND p.deadline_ms > 0), " NEVER "),"
	    " IF(? > 0, r.created_at_ms + ?, " NEVER ")), " NEVER "), 0)"
	    " WHERE r.status IN (0, 1) AND r.id IN ({})",
	.unit = "?",
};
const struct sql_stmt *const TAKEOVER_STEP_STMTS[] = { &ROOMS_UNDATED, &ROOMS_DATE, &CALLS_WITHOUT,
	&CALLS_LOCK, &ROWS_WITHOUT, &ROWS_RING, &CALLS_NEXT, NULL };

/* A statement on rows by id, with what stands before the list. */
struct by_id {
	const struct sql_stmt *stmt;
	struct sql_arg fixed[N_FIXED_MAX];
	size_t n_fixed;
	const int64_t *ids;
	size_t n;
};

static const struct sql_arg *
by_id_args(struct op *op, const struct by_id *b)
{
	struct sql_arg *args = arena_array(op->arena, b->n_fixed + b->n, sizeof(*args));

	for (size_t i = 0; i < b->n_fixed; i++)
		args[i] = b->fixed[i];
	for (size_t i = 0; i < b->n; i++)
		args[b->n_fixed + i] = sql_i64(b->ids[i]);
	return args;
}

static enum err
by_id_run(struct op *op, struct sql_link *l, const struct by_id *b, int64_t *n_changed)
{
	struct sql_done done = { 0 };
	enum err e = sql_run(op, l, b->stmt, by_id_args(op, b), b->n_fixed + b->n, &done);

	*n_changed += done.n_affected;
	return e;
}

/* Runs `b` once for each pair of offsets among the rows: one, but around a change of the clocks. The
 * offsets of created and updated go into its first arguments, as many as `n_offsets` says. */
static enum err
by_offset(struct op *op, struct sql_link *l, struct by_id *b, const struct dated *rows, size_t n,
    size_t n_offsets, int64_t *n_changed)
{
	int64_t *ids = arena_array(op->arena, n + 1, sizeof(*ids));
	int64_t (*offsets)[2] = arena_array(op->arena, n + 1, sizeof(*offsets));
	bool *done = arena_array(op->arena, n + 1, sizeof(*done));

	for (size_t i = 0; i < n; i++) {
		offsets[i][0] = local_time_offset_ms(rows[i].created_civil_ms);
		offsets[i][1] = n_offsets > 1 ? local_time_offset_ms(rows[i].updated_civil_ms) : 0;
	}
	for (size_t i = 0; i < n; i++) {
		enum err e;

		if (done[i])
			continue;
		b->n = 0;
		for (size_t k = i; k < n; k++) {
			if (offsets[k][0] != offsets[i][0] || offsets[k][1] != offsets[i][1])
				continue;
			done[k] = true;
			ids[b->n++] = rows[k].id;
		}
		for (size_t k = 0; k < n_offsets; k++)
			b->fixed[k] = sql_i64(offsets[i][k]);
		b->ids = ids;
		if ((e = by_id_run(op, l, b, n_changed)) != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err
takeover_step_times(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct takeover_step *s = arg;
	const struct sql_arg from[] = { sql_i64(s->last_id), sql_i64(TAKEOVER_ROOMS) };
	struct by_id b = { .stmt = &ROOMS_DATE, .n_fixed = 2 };
	struct dated *rows;
	enum err e;

	s->n_rooms = 0;
	e = sql_all(op, l, &ROOMS_UNDATED, from, N_ELEMS(from), sizeof(*rows), &rows, &s->n_seen);
	if (e != ERR_OK)
		return e;
	if (s->n_seen == 0) {
		*rollback_out = true;
		return ERR_OK;
	}
	s->end_id = rows[s->n_seen - 1].id;
	return by_offset(op, l, &b, rows, s->n_seen, 2, &s->n_rooms);
}

/* The calls are locked. */
static enum err
ring(struct op *op, struct sql_link *l, struct takeover_step *s, const struct by_id *calls)
{
	struct by_id rows_of = *calls, write = { .stmt = &ROWS_RING, .n_fixed = 2 };
	struct dated *rows;
	size_t n = 0;
	enum err e;

	rows_of.stmt = &ROWS_WITHOUT;
	rows_of.n_fixed = 0;
	e = sql_all(op, l, &ROWS_WITHOUT, by_id_args(op, &rows_of), rows_of.n, sizeof(*rows), &rows, &n);
	if (e != ERR_OK)
		return e;
	write.fixed[1] = sql_i64(s->t->ring_timeout_ms);
	return by_offset(op, l, &write, rows, n, 1, &s->n_rows);
}

enum err
takeover_step_deadlines(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct takeover_step *s = arg;
	const struct sql_arg max_call = sql_i64(s->t->max_call_ms);
	const struct sql_arg from[] = { sql_i64(s->last_id), max_call, sql_i64(TAKEOVER_CALLS) };
	struct by_id lock = { .stmt = &CALLS_LOCK };
	struct by_id next = { .stmt = &CALLS_NEXT, .fixed = { max_call, max_call }, .n_fixed = 2 };
	struct active_row *calls;
	int64_t *ids, n_locked = 0;
	enum err e;

	s->n_rooms = s->n_rows = 0;
	e = sql_all(op, l, &CALLS_WITHOUT, from, N_ELEMS(from), sizeof(*calls), &calls, &s->n_seen);
	if (e != ERR_OK)
		return e;
	if (s->n_seen == 0) {
		*rollback_out = true;
		return ERR_OK;
	}
	ids = arena_array(op->arena, s->n_seen, sizeof(*ids));
	for (size_t i = 0; i < s->n_seen; i++)
		ids[i] = calls[i].id;
	lock.ids = next.ids = ids;
	lock.n = next.n = s->n_seen;
	s->end_id = ids[s->n_seen - 1];
	if ((e = by_id_run(op, l, &lock, &n_locked)) != ERR_OK)
		return e;
	if ((e = ring(op, l, s, &lock)) != ERR_OK)
		return e;
	return by_id_run(op, l, &next, &s->n_rooms);
}
