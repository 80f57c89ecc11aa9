/* call_write - the statements that save calls.
 * SPDX-License-Identifier: MIT */
#include "store/call_store.h"

#include "base/clock.h"
#include "store/chunk.h"
#include "store/outbox_store.h"

static const struct sql_stmt ROOM_INSERT = {
	.name = "room_insert",
	.text = "INSERT INTO rtc_room (room_id, creator, rtc_type, invite_on, status, max_participants, "
	    "created_at, updated_at, source_channel_id, source_channel_type, ring_timeout_s, metadata, "
	    "version, seq, created_at_ms, updated_at_ms, ended_at_ms, end_reason, next_deadline_ms, "
	    "livekit_node, livekit_url, look_at_ms) "
	    "VALUES (?,?,?,?,?,?,?,?,?,?,?,NULLIF(?,''),1,?,?,?,?,?,?,?,?,?)",
};
static const struct sql_stmt ROOM_UPDATE = {
	.name = "room_update",
	.text = "UPDATE rtc_room SET status = ?, seq = ?, updated_at = ?, updated_at_ms = ?, "
	    "started_at_ms = ?, answered_at_ms = ?, ended_at_ms = ?, end_reason = ?, ended_by = ?, "
	    "next_deadline_ms = ?, livekit_sid = ?, host_since_ms = ?, look_at_ms = ?, listed_at_ms = ? "
	    "WHERE id = ?",
};
/* Several rooms that are there, each by its primary key. */
static const struct sql_stmt ROOMS_UPDATE = {
	.name = "rooms_update",
	.text = "INSERT INTO rtc_room (status, seq, updated_at, updated_at_ms, started_at_ms, answered_at_ms, "
	    "ended_at_ms, end_reason, ended_by, next_deadline_ms, livekit_sid, host_since_ms, look_at_ms, "
	    "listed_at_ms, id, room_id) VALUES {} "
	    "ON DUPLICATE KEY UPDATE status = VALUES(status), seq = VALUES(seq), "
	    "updated_at = VALUES(updated_at), updated_at_ms = VALUES(updated_at_ms), "
	    "started_at_ms = VALUES(started_at_ms), answered_at_ms = VALUES(answered_at_ms), "
	    "ended_at_ms = VALUES(ended_at_ms), end_reason = VALUES(end_reason), ended_by = VALUES(ended_by), "
	    "next_deadline_ms = VALUES(next_deadline_ms), livekit_sid = VALUES(livekit_sid), "
	    "host_since_ms = VALUES(host_since_ms), look_at_ms = VALUES(look_at_ms), "
	    "listed_at_ms = VALUES(listed_at_ms)",
	.unit = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
};
enum { N_ROOM_UPDATE = 15, N_ROOMS_UPDATE = 16 };
/* Apart from the rest: most changes of a call leave it where it is. */
static const struct sql_stmt ROOM_PLACE = {
	.name = "room_place",
	.text = "UPDATE rtc_room SET livekit_node = ?, livekit_url = ? WHERE id = ?",
};
/* id 0 makes a new row, in the order given; an id that is there is updated by its primary key. */
#define ROWS_WRITE_COLUMNS                                                                       \
	"(id, room_id, uid, name, status, device_type, device_id, join_time, leave_time, "           \
	"deadline_ms, claimed, removed, left_how, left_at_ms, sid, last_left_sid, sid_at_ms, "       \
	"session_from_ms, missing_at_ms, created_at, updated_at)"
enum { N_ROWS_WRITE = 21 };
static const struct sql_stmt ROWS_INSERT = {
	.name = "participants_insert",
	.text = "INSERT INTO rtc_participant " ROWS_WRITE_COLUMNS " VALUES {}",
	.unit = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
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
	    "session_from_ms = VALUES(session_from_ms), missing_at_ms = VALUES(missing_at_ms), "
	    "created_at = COALESCE(VALUES(created_at), created_at), updated_at = VALUES(updated_at)",
	.unit = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,NULLIF(?,''),?)",
};
const struct sql_stmt *const CALL_WRITE_STMTS[] = { &ROOM_INSERT, &ROOM_UPDATE, &ROOMS_UPDATE, &ROOM_PLACE,
	&ROWS_INSERT, &ROWS_UPDATE, NULL };

/* The calls of one save. */
struct saving {
	struct op *op;
	struct sql_link *l;
	struct call **calls;
	size_t n;
};

static struct str
local_time(const struct call *c)
{
	struct strbuf b;

	strbuf_init_arena(&b, c->arena, 32, 32);
	clock_format_local_ms(&b, c->now_ms);
	return strbuf_str(&b);
}

/* One row's values in the order of ROWS_WRITE_COLUMNS. */
static void
row_args(const struct call *c, const struct participant *p, struct str now, struct sql_arg *a)
{
	const struct sql_arg values[N_ROWS_WRITE] = {
		sql_i64(p->id), sql_str(c->room.room_id), sql_str(p->uid), sql_str(p->name),
		sql_i64(p->status), sql_str(p->device_type), sql_str(p->device_id), sql_i64(p->join_time),
		sql_i64(p->leave_time), sql_i64(p->deadline_ms), sql_i64(p->claimed), sql_i64(p->removed),
		sql_str(p->left_how), sql_i64(p->left_at_ms), sql_str(p->sid), sql_str(p->last_left_sid),
		sql_i64(p->sid_at_ms), sql_i64(p->session_from_ms), sql_i64(p->missing_at_ms),
		sql_str(p->id == 0 || p->invited_anew ? now : S("")), sql_str(now),
	};

	for (size_t i = 0; i < N_ROWS_WRITE; i++)
		a[i] = values[i];
}

/* The dirty rows of a call that are new, or those that are not; how many. */
static size_t
rows_args(const struct call *c, bool fresh, struct sql_arg *a)
{
	struct str now = local_time(c);
	size_t n = 0;

	for (size_t i = 0; i < c->n_rows; i++)
		if (c->rows[i]->dirty && (c->rows[i]->id == 0) == fresh)
			row_args(c, c->rows[i], now, &a[N_ROWS_WRITE * n++]);
	return n;
}

static enum err
write_rows(const struct saving *s, bool fresh)
{
	struct chunk rows = { .n_each = N_ROWS_WRITE };
	struct sql_arg *args;
	size_t n_max = 1;

	for (size_t i = 0; i < s->n; i++)
		n_max += s->calls[i]->n_rows;
	args = arena_array(s->op->arena, n_max * N_ROWS_WRITE, sizeof(*args));
	for (size_t i = 0; i < s->n; i++)
		rows.n += rows_args(s->calls[i], fresh, &args[rows.n * N_ROWS_WRITE]);
	rows.args = args;
	return chunk_run(s->op, s->l, fresh ? &ROWS_INSERT : &ROWS_UPDATE, &rows);
}

static enum err
write_parts(const struct saving *s)
{
	enum err e;

	if ((e = write_rows(s, false)) != ERR_OK)
		return e;
	if ((e = write_rows(s, true)) != ERR_OK)
		return e;
	if ((e = outbox_store_events(s->op, s->l, s->calls, s->n)) != ERR_OK)
		return e;
	return outbox_store_actions(s->op, s->l, s->calls, s->n);
}

static void
set_deadline(struct call *c)
{
	int64_t was = c->room.next_deadline_ms, is = call_next_deadline(c);

	c->room.next_deadline_ms = is;
	c->sooner = is > 0 && (was == 0 || is < was);
}

enum err
call_store_insert(struct op *op, struct sql_link *l, struct call *c)
{
	const struct saving s = { .op = op, .l = l, .calls = &c, .n = 1 };
	const struct room *r = &c->room;
	struct str now = local_time(c);
	enum err e;

	set_deadline(c);
	const struct sql_arg args[] = {
		sql_str(r->room_id), sql_str(r->creator), sql_i64(r->rtc_type), sql_i64(r->invite_on),
		sql_i64(r->status), sql_i64(r->max_participants), sql_str(now), sql_str(now),
		sql_str(r->source_channel_id), sql_i64(r->source_channel_type), sql_i64(r->timeout_s),
		sql_str(r->metadata), sql_i64(r->seq), sql_i64(c->now_ms), sql_i64(c->now_ms),
		sql_i64(r->ended_at_ms), sql_str(r->end_reason), sql_i64(r->next_deadline_ms),
		sql_str(r->livekit_node), sql_str(r->livekit_url), sql_i64(r->look_at_ms),
	};
	if ((e = sql_run(op, l, &ROOM_INSERT, args, N_ELEMS(args), NULL)) != ERR_OK)
		return e;
	return write_parts(&s);
}

/* A room's values in the order of ROOMS_UPDATE; ROOM_UPDATE takes all but the last. */
static void
room_args(struct call *c, struct sql_arg *a)
{
	const struct room *r = &c->room;

	set_deadline(c);
	c->room.updated_at_ms = c->now_ms;
	const struct sql_arg values[N_ROOMS_UPDATE] = {
		sql_i64(r->status), sql_i64(r->seq), sql_str(local_time(c)), sql_i64(c->now_ms),
		sql_i64(r->started_at_ms), sql_i64(r->answered_at_ms), sql_i64(r->ended_at_ms),
		sql_str(r->end_reason), sql_str(r->ended_by), sql_i64(r->next_deadline_ms),
		sql_str(r->livekit_sid), sql_i64(r->host_since_ms), sql_i64(r->look_at_ms),
		sql_i64(r->listed_at_ms), sql_i64(r->id), sql_str(r->room_id),
	};
	for (size_t i = 0; i < N_ROOMS_UPDATE; i++)
		a[i] = values[i];
}

static enum err
write_rooms(const struct saving *s)
{
	struct sql_arg *args = arena_array(s->op->arena, s->n * N_ROOMS_UPDATE, sizeof(*args));
	const struct chunk rooms = { .args = args, .n = s->n, .n_each = N_ROOMS_UPDATE };

	for (size_t i = 0; i < s->n; i++)
		room_args(s->calls[i], &args[i * N_ROOMS_UPDATE]);
	if (s->n == 1)
		return sql_run(s->op, s->l, &ROOM_UPDATE, args, N_ROOM_UPDATE, NULL);
	return chunk_run(s->op, s->l, &ROOMS_UPDATE, &rooms);
}

enum err
call_store_save_many(struct op *op, struct sql_link *l, struct call *calls, size_t n)
{
	struct saving s = { .op = op, .l = l, .calls = arena_array(op->arena, n + 1, sizeof(struct call *)) };
	enum err e;

	for (size_t i = 0; i < n; i++)
		if (calls[i].room.id != 0 && calls[i].changed)
			s.calls[s.n++] = &calls[i];
	if (s.n == 0)
		return ERR_OK;
	if ((e = write_rooms(&s)) != ERR_OK)
		return e;
	return write_parts(&s);
}

enum err
call_store_save(struct op *op, struct sql_link *l, struct call *c)
{
	return call_store_save_many(op, l, c, 1);
}

enum err
call_store_place(struct op *op, struct sql_link *l, const struct call *c)
{
	const struct sql_arg args[] = { sql_str(c->room.livekit_node), sql_str(c->room.livekit_url),
		sql_i64(c->room.id) };

	return sql_run(op, l, &ROOM_PLACE, args, N_ELEMS(args), NULL);
}
