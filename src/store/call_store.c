/* call_store - the statements that read and write one call.
 * SPDX-License-Identifier: MIT */
#include "store/call_store.h"

#include "base/clock.h"
#include "store/outbox_store.h"
#include "store/room_columns.h"

static const struct sql_stmt ROOM_LOCK = {
	.name = "room_lock",
	.text = "UPDATE rtc_room SET version = version + 1 WHERE room_id = ?",
};
static const struct sql_stmt ROOM_GET = {
	.name = "room_get",
	.text = "SELECT " ROOM_SELECT " FROM rtc_room r WHERE r.room_id = ?",
	.cols = ROOM_COLS,
	.n_cols = N_ROOM_COLS,
};
static const struct sql_stmt ROWS_GET = {
	.name = "participants_get",
	.text = "SELECT " PARTICIPANT_SELECT " FROM rtc_participant p WHERE p.room_id = ? ORDER BY p.id",
	.cols = PARTICIPANT_COLS,
	.n_cols = N_PARTICIPANT_COLS,
};
static const struct sql_stmt ROOM_INSERT = {
	.name = "room_insert",
	.text = "INSERT INTO rtc_room (room_id, creator, rtc_type, invite_on, status, max_participants, "
	    "created_at, updated_at, source_channel_id, source_channel_type, ring_timeout_s, metadata, "
	    "version, seq, created_at_ms, updated_at_ms, ended_at_ms, end_reason, next_deadline_ms, "
	    "livekit_node, livekit_url) "
	    "VALUES (?,?,?,?,?,?,?,?,?,?,?,NULLIF(?,''),1,?,?,?,?,?,?,?,?)",
};
static const struct sql_stmt ROOM_UPDATE = {
	.name = "room_update",
	.text = "UPDATE rtc_room SET status = ?, seq = ?, updated_at = ?, updated_at_ms = ?, "
	    "started_at_ms = ?, answered_at_ms = ?, ended_at_ms = ?, end_reason = ?, ended_by = ?, "
	    "next_deadline_ms = ?, livekit_sid = ?, host_since_ms = ?, look_at_ms = ? WHERE id = ?",
};
/* id 0 makes a new row, in the order given; an id that is there is updated by its primary key. */
#define ROWS_WRITE_COLUMNS                                                                       \
	"(id, room_id, uid, name, status, device_type, device_id, join_time, leave_time, "           \
	"deadline_ms, claimed, removed, left_how, left_at_ms, sid, last_left_sid, sid_at_ms, "       \
	"session_from_ms, created_at, updated_at)"
enum { N_ROWS_WRITE = 20 };
static const struct sql_stmt ROWS_INSERT = {
	.name = "participants_insert",
	.text = "INSERT INTO rtc_participant " ROWS_WRITE_COLUMNS " VALUES {}",
	.unit = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
};
static const struct sql_stmt ROWS_UPDATE = {
	.name = "participants_update",
	.text = "INSERT INTO rtc_participant " ROWS_WRITE_COLUMNS " VALUES {} "
	    "ON DUPLICATE KEY UPDATE name = VALUES(name), status = VALUES(status), "
	    "device_type = VALUES(device_type), device_id = VALUES(device_id), "
	    "join_time = VALUES(join_time), leave_time = VALUES(leave_time), "
	    "deadline_ms = VALUES(deadline_ms), claimed = VALUES(claimed), removed = VALUES(removed), "
	    "left_how = VALUES(left_how), left_at_ms = VALUES(left_at_ms), sid = VALUES(sid), "
	    "last_left_sid = VALUES(last_left_sid), sid_at_ms = VALUES(sid_at_ms), "
	    "session_from_ms = VALUES(session_from_ms), "
	    "created_at = COALESCE(VALUES(created_at), created_at), updated_at = VALUES(updated_at)",
	.unit = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,NULLIF(?,''),?)",
};
struct probe_row { int64_t now_ms; int64_t n_taken; };
static const struct sql_col PROBE_COLS[] = {
	SQL_COL(struct probe_row, now_ms),
	SQL_COL(struct probe_row, n_taken),
};
static const struct sql_stmt PROBE = {
	.name = "room_probe",
	.text = "SELECT " SQL_NOW_MS ", (SELECT COUNT(*) FROM rtc_room r WHERE r.room_id = ?)",
	.cols = PROBE_COLS,
	.n_cols = N_ELEMS(PROBE_COLS),
};
const struct sql_stmt *const CALL_STORE_STMTS[] = { &ROOM_LOCK, &ROOM_GET, &ROWS_GET, &ROOM_INSERT,
	&ROOM_UPDATE, &ROWS_INSERT, &ROWS_UPDATE, &PROBE, NULL };

enum err
call_store_load(struct op *op, struct sql_link *l, struct str room_id, struct call *c, bool *found_out)
{
	const struct sql_arg id = sql_str(room_id);
	struct participant_row *rows;
	struct room_row room = { 0 };
	size_t n;
	enum err e;

	if ((e = sql_one(op, l, &ROOM_GET, &id, 1, &room, found_out)) != ERR_OK || !*found_out)
		return e;
	if ((e = sql_all(op, l, &ROWS_GET, &id, 1, sizeof(*rows), &rows, &n)) != ERR_OK)
		return e;
	c->room = room.room;
	c->now_ms = room.now_ms;
	c->rows = arena_array(c->arena, n + 8, sizeof(struct participant *));
	c->cap_rows = n + 8;
	c->n_rows = n;
	for (size_t i = 0; i < n; i++)
		c->rows[i] = &rows[i].p;
	return ERR_OK;
}

enum err
call_store_lock(struct op *op, struct sql_link *l, struct str room_id, struct call *c, bool *found_out)
{
	const struct sql_arg id = sql_str(room_id);
	struct sql_done done;
	enum err e;

	*found_out = false;
	if ((e = sql_run(op, l, &ROOM_LOCK, &id, 1, &done)) != ERR_OK || done.n_affected == 0)
		return e;
	return call_store_load(op, l, room_id, c, found_out);
}

enum err
call_store_probe(struct op *op, struct sql_link *l, struct str room_id, int64_t *now_ms_out, bool *taken_out)
{
	const struct sql_arg id = sql_str(room_id);
	struct probe_row row = { 0 };
	bool found;
	enum err e;

	if ((e = sql_one(op, l, &PROBE, &id, 1, &row, &found)) != ERR_OK)
		return e;
	*now_ms_out = row.now_ms;
	*taken_out = row.n_taken > 0;
	return ERR_OK;
}

static struct str
local_time(struct call *c, int64_t at_ms)
{
	struct strbuf b;

	strbuf_init_arena(&b, c->arena, 32, 32);
	clock_format_local_ms(&b, at_ms);
	return strbuf_str(&b);
}

/* One row's values in the order of ROWS_WRITE_COLUMNS. */
static void
row_args(struct call *c, const struct participant *p, struct str now, struct sql_arg *a)
{
	const struct sql_arg values[N_ROWS_WRITE] = {
		sql_i64(p->id), sql_str(c->room.room_id), sql_str(p->uid), sql_str(p->name),
		sql_i64(p->status), sql_str(p->device_type), sql_str(p->device_id), sql_i64(p->join_time),
		sql_i64(p->leave_time), sql_i64(p->deadline_ms), sql_i64(p->claimed), sql_i64(p->removed),
		sql_str(p->left_how), sql_i64(p->left_at_ms), sql_str(p->sid), sql_str(p->last_left_sid),
		sql_i64(p->sid_at_ms), sql_i64(p->session_from_ms),
		sql_str(p->id == 0 || p->invited_anew ? now : S("")), sql_str(now),
	};

	for (size_t i = 0; i < N_ROWS_WRITE; i++)
		a[i] = values[i];
}

/* Writes the dirty rows that are new, or those that are not. */
static enum err
write_rows(struct op *op, struct sql_link *l, struct call *c, bool fresh, struct str now)
{
	struct sql_arg *args = arena_array(c->arena, (c->n_rows + 1) * N_ROWS_WRITE, sizeof(*args));
	size_t n = 0;

	for (size_t i = 0; i < c->n_rows; i++) {
		const struct participant *p = c->rows[i];

		if (p->dirty && (p->id == 0) == fresh)
			row_args(c, p, now, &args[N_ROWS_WRITE * n++]);
	}
	if (n == 0)
		return ERR_OK;
	return sql_run(op, l, fresh ? &ROWS_INSERT : &ROWS_UPDATE, args, n * N_ROWS_WRITE, NULL);
}

static enum err
write_parts(struct op *op, struct sql_link *l, struct call *c, struct str now)
{
	enum err e;

	if ((e = write_rows(op, l, c, false, now)) != ERR_OK)
		return e;
	if ((e = write_rows(op, l, c, true, now)) != ERR_OK)
		return e;
	if ((e = outbox_store_events(op, l, c)) != ERR_OK)
		return e;
	return outbox_store_actions(op, l, c);
}

enum err
call_store_insert(struct op *op, struct sql_link *l, struct call *c)
{
	const struct room *r = &c->room;
	struct str now = local_time(c, c->now_ms);
	const struct sql_arg args[] = {
		sql_str(r->room_id), sql_str(r->creator), sql_i64(r->rtc_type), sql_i64(r->invite_on),
		sql_i64(r->status), sql_i64(r->max_participants), sql_str(now), sql_str(now),
		sql_str(r->source_channel_id), sql_i64(r->source_channel_type), sql_i64(r->timeout_s),
		sql_str(r->metadata), sql_i64(r->seq), sql_i64(c->now_ms), sql_i64(c->now_ms),
		sql_i64(r->ended_at_ms), sql_str(r->end_reason), sql_i64(call_next_deadline(c)),
		sql_str(r->livekit_node), sql_str(r->livekit_url),
	};
	enum err e;

	c->room.next_deadline_ms = call_next_deadline(c);
	if ((e = sql_run(op, l, &ROOM_INSERT, args, N_ELEMS(args), NULL)) != ERR_OK)
		return e;
	return write_parts(op, l, c, now);
}

enum err
call_store_save(struct op *op, struct sql_link *l, struct call *c)
{
	struct room *r = &c->room;
	struct str now = local_time(c, c->now_ms);
	enum err e;

	r->next_deadline_ms = call_next_deadline(c);
	r->updated_at_ms = c->now_ms;
	const struct sql_arg args[] = {
		sql_i64(r->status), sql_i64(r->seq), sql_str(now), sql_i64(c->now_ms),
		sql_i64(r->started_at_ms), sql_i64(r->answered_at_ms), sql_i64(r->ended_at_ms),
		sql_str(r->end_reason), sql_str(r->ended_by), sql_i64(r->next_deadline_ms),
		sql_str(r->livekit_sid), sql_i64(r->host_since_ms), sql_i64(r->look_at_ms), sql_i64(r->id),
	};
	if ((e = sql_run(op, l, &ROOM_UPDATE, args, N_ELEMS(args), NULL)) != ERR_OK)
		return e;
	return write_parts(op, l, c, now);
}
