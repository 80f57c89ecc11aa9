/* retention_store - old rows are found without a lock and deleted by their keys.
 * SPDX-License-Identifier: MIT */
#include "store/retention_store.h"

/* A key is a number or a text; the other half stays empty. */
struct key_row { int64_t n; struct str s; };
static const struct sql_col KEY_COLS[] = {
	SQL_COL(struct key_row, n),
	SQL_COL(struct key_row, s),
};
#define FIND(stmt_name, key, table, where, by)                                                   \
	{ .name = stmt_name, .text = "SELECT " key " FROM " table " WHERE " where " < ? ORDER BY " by " LIMIT ?", \
	  .cols = KEY_COLS, .n_cols = N_ELEMS(KEY_COLS) }
#define DROP(stmt_name, table)                                                                   \
	{ .name = stmt_name, .text = "DELETE FROM " table " WHERE id IN ({})", .unit = "?" }
#define NUMBER "id, ''"
#define TEXT   "0, id"

static const struct sql_stmt FINDS[KEPT_COUNT] = {
	[KEPT_LIVEKIT_EVENTS] = FIND("keep_livekit_events", TEXT, "livekit_event", "received_at_ms", "received_at_ms"),
	[KEPT_ACTIONS_DONE] = FIND("keep_actions_done", NUMBER, "livekit_action", "state = 'done' AND due_at_ms",
	    "due_at_ms"),
	[KEPT_ACTIONS_FAILED] = FIND("keep_actions_failed", NUMBER, "livekit_action",
	    "state = 'failed' AND due_at_ms", "due_at_ms"),
	[KEPT_PROCESSES] = FIND("keep_processes", TEXT, "jobs_process", "beat_at_ms", "beat_at_ms"),
	/* The Go server's table has no time of ours. A TIMESTAMP is a moment, whatever TZ is; before 1970 there is none. */
	[KEPT_WEBHOOK_LOG] = { .name = "keep_webhook_log",
	  .text = "SELECT " NUMBER " FROM business_webhook_log WHERE created_at < FROM_UNIXTIME(? DIV 1000) "
	      "ORDER BY created_at LIMIT ?",
	  .cols = KEY_COLS, .n_cols = N_ELEMS(KEY_COLS) },
	[KEPT_ANSWERS] = FIND("keep_answers", TEXT, "idempotency", "created_at_ms", "created_at_ms"),
};
static const struct sql_stmt DROP_LIVEKIT_EVENTS = DROP("drop_livekit_events", "livekit_event");
static const struct sql_stmt DROP_ACTIONS = DROP("drop_actions", "livekit_action");
static const struct sql_stmt DROP_PROCESSES = DROP("drop_processes", "jobs_process");
static const struct sql_stmt DROP_WEBHOOK_LOG = DROP("drop_webhook_log", "business_webhook_log");
/* A key that is used again when its answer is too old becomes young under the same id. */
static const struct sql_stmt DROP_ANSWERS = {
	.name = "drop_answers",
	.text = "DELETE FROM idempotency WHERE created_at_ms < ? AND id IN ({})",
	.unit = "?",
};

static const struct { const struct sql_stmt *drop; bool text, dated; } KEYS[KEPT_COUNT] = {
	[KEPT_LIVEKIT_EVENTS] = { &DROP_LIVEKIT_EVENTS, .text = true },
	[KEPT_ACTIONS_DONE] = { &DROP_ACTIONS, .text = false },
	[KEPT_ACTIONS_FAILED] = { &DROP_ACTIONS, .text = false },
	[KEPT_PROCESSES] = { &DROP_PROCESSES, .text = true },
	[KEPT_WEBHOOK_LOG] = { &DROP_WEBHOOK_LOG, .text = false },
	[KEPT_ANSWERS] = { &DROP_ANSWERS, .text = true, .dated = true },
};

struct old_event { int64_t id, created_at_ms; };
static const struct sql_col EVENT_COLS[] = {
	SQL_COL(struct old_event, id),
	SQL_COL(struct old_event, created_at_ms),
};
static const struct sql_stmt FIND_EVENTS = {
	.name = "keep_events",
	.text = "SELECT id, created_at_ms FROM event WHERE created_at_ms >= ? AND created_at_ms < ? "
	    "AND (created_at_ms > ? OR id > ?) AND pos > 0 ORDER BY created_at_ms, id LIMIT ?",
	.cols = EVENT_COLS,
	.n_cols = N_ELEMS(EVENT_COLS),
};
struct id_row { int64_t id; };
static const struct sql_col ID_COLS[] = { SQL_COL(struct id_row, id) };
static const struct sql_stmt WAITING = {
	.name = "keep_events_waited_for",
	.text = "SELECT DISTINCT d.event_no FROM event_delivery d JOIN webhook_endpoint w ON w.id = d.endpoint_id "
	    "WHERE w.state <> 'removed' AND d.state IN (0, 1) AND d.event_no IN ({})",
	.unit = "?",
	.cols = ID_COLS,
	.n_cols = N_ELEMS(ID_COLS),
};
static const struct sql_stmt DROP_DELIVERIES = {
	.name = "drop_deliveries",
	.text = "DELETE FROM event_delivery WHERE event_no IN ({})",
	.unit = "?",
};
static const struct sql_stmt DROP_EVENTS = DROP("drop_events", "event");

struct old_room { int64_t id; struct str room_id; };
static const struct sql_col ROOM_COLS_OLD[] = {
	SQL_COL(struct old_room, id),
	SQL_COL(struct old_room, room_id),
};
/* created_at_ms 0 is a call of the Go server whose time is not known yet. */
static const struct sql_stmt FIND_ROOMS = {
	.name = "keep_rooms",
	.text = "SELECT id, room_id FROM rtc_room WHERE status = ? AND created_at_ms > 0 AND created_at_ms < ? "
	    "AND ended_at_ms < ? ORDER BY created_at_ms, id LIMIT ?",
	.cols = ROOM_COLS_OLD,
	.n_cols = N_ELEMS(ROOM_COLS_OLD),
};
static const struct sql_stmt DROP_ROOMS = {
	.name = "drop_rooms",
	.text = "DELETE FROM rtc_room WHERE status > 1 AND id IN ({})",
	.unit = "?",
};
static const struct sql_stmt DROP_PEOPLE = {
	.name = "drop_participants",
	.text = "DELETE FROM rtc_participant WHERE room_id IN ({})",
	.unit = "?",
};
const struct sql_stmt *const RETENTION_STORE_STMTS[] = {
	&FINDS[KEPT_LIVEKIT_EVENTS], &FINDS[KEPT_ACTIONS_DONE], &FINDS[KEPT_ACTIONS_FAILED], &FINDS[KEPT_PROCESSES],
	&FINDS[KEPT_WEBHOOK_LOG], &FINDS[KEPT_ANSWERS], &DROP_LIVEKIT_EVENTS, &DROP_ACTIONS, &DROP_PROCESSES,
	&DROP_WEBHOOK_LOG, &DROP_ANSWERS, &FIND_EVENTS, &WAITING, &DROP_DELIVERIES, &DROP_EVENTS, &FIND_ROOMS, &DROP_ROOMS, &DROP_PEOPLE, NULL
};

enum err
retention_store_rows(struct op *op, struct sql_link *l, enum kept what, int64_t before_ms, size_t *n_out)
{
	const struct sql_arg old[] = { sql_i64(before_ms), sql_i64(KEEP_CHUNK) };
	struct sql_arg *keys;
	struct key_row *rows;
	size_t n_keys = 0;
	enum err e;

	if ((e = sql_all(op, l, &FINDS[what], old, N_ELEMS(old), sizeof(*rows), &rows, n_out)) != ERR_OK)
		return e;
	if (*n_out == 0)
		return ERR_OK;
	keys = arena_array(op->arena, *n_out + 1, sizeof(*keys));
	if (KEYS[what].dated)
		keys[n_keys++] = old[0];
	for (size_t i = 0; i < *n_out; i++)
		keys[n_keys++] = KEYS[what].text ? sql_str(rows[i].s) : sql_i64(rows[i].n);
	return sql_run(op, l, KEYS[what].drop, keys, n_keys, NULL);
}

/* ---- events ---- */

/* The ids of those nobody waits for any more. */
static size_t
pick_unwanted(const struct old_event *events, size_t n, const struct id_row *waited, size_t n_waited,
    struct sql_arg *ids)
{
	size_t n_ids = 0;

	for (size_t i = 0; i < n; i++) {
		bool wanted = false;

		for (size_t k = 0; k < n_waited && !wanted; k++)
			wanted = waited[k].id == events[i].id;
		if (!wanted)
			ids[n_ids++] = sql_i64(events[i].id);
	}
	return n_ids;
}

struct drop { const struct sql_arg *ids; size_t n; };

static enum err
drop_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	const struct drop *d = arg;
	enum err e;

	(void)rollback_out;
	if ((e = sql_run(op, l, &DROP_DELIVERIES, d->ids, d->n, NULL)) != ERR_OK)
		return e;
	return sql_run(op, l, &DROP_EVENTS, d->ids, d->n, NULL);
}

enum err
retention_store_events(struct op *op, struct sql_link *l, int64_t before_ms, struct event_walk *walk,
    struct event_bite *out)
{
	const struct sql_arg old[] = { sql_i64(walk->at_ms), sql_i64(before_ms), sql_i64(walk->at_ms),
		sql_i64(walk->id), sql_i64(KEEP_CHUNK) };
	struct old_event *events;
	struct id_row *waited;
	struct sql_arg *ids;
	size_t n, n_waited;
	struct drop d;
	enum err e;

	*out = (struct event_bite){ 0 };
	if ((e = sql_all(op, l, &FIND_EVENTS, old, N_ELEMS(old), sizeof(*events), &events, &n)) != ERR_OK || n == 0)
		return e;
	ids = arena_array(op->arena, n, sizeof(*ids));
	for (size_t i = 0; i < n; i++)
		ids[i] = sql_i64(events[i].id);
	if ((e = sql_all(op, l, &WAITING, ids, n, sizeof(*waited), &waited, &n_waited)) != ERR_OK)
		return e;
	d = (struct drop){ ids, pick_unwanted(events, n, waited, n_waited, ids) };
	if (d.n > 0 && (e = tx_run(op, l, drop_in_tx, &d)) != ERR_OK)
		return e;
	*out = (struct event_bite){ n, d.n };
	*walk = (struct event_walk){ events[n - 1].created_at_ms, events[n - 1].id };
	return ERR_OK;
}

/* ---- calls ---- */

struct drop_rooms { const struct sql_arg *ids, *room_ids; size_t n; };

/* The rooms first: that is the order of locks. */
static enum err
drop_rooms_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	const struct drop_rooms *d = arg;
	enum err e;

	(void)rollback_out;
	if ((e = sql_run(op, l, &DROP_ROOMS, d->ids, d->n, NULL)) != ERR_OK)
		return e;
	return sql_run(op, l, &DROP_PEOPLE, d->room_ids, d->n, NULL);
}

enum err
retention_store_rooms(struct op *op, struct sql_link *l, int status, int64_t before_ms, size_t *n_out)
{
	const struct sql_arg old[] = { sql_i64(status), sql_i64(before_ms), sql_i64(before_ms),
		sql_i64(KEEP_ROOMS_CHUNK) };
	struct sql_arg *ids, *room_ids;
	struct old_room *rooms;
	struct drop_rooms d;
	enum err e;

	if ((e = sql_all(op, l, &FIND_ROOMS, old, N_ELEMS(old), sizeof(*rooms), &rooms, n_out)) != ERR_OK)
		return e;
	if (*n_out == 0)
		return ERR_OK;
	ids = arena_array(op->arena, *n_out, sizeof(*ids));
	room_ids = arena_array(op->arena, *n_out, sizeof(*room_ids));
	for (size_t i = 0; i < *n_out; i++) {
		ids[i] = sql_i64(rooms[i].id);
		room_ids[i] = sql_str(rooms[i].room_id);
	}
	d = (struct drop_rooms){ ids, room_ids, *n_out };
	return tx_run(op, l, drop_rooms_in_tx, &d);
}
