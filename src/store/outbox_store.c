/* outbox_store - events, actions, and the ids of LiveKit's events.
 * SPDX-License-Identifier: MIT */
#include "store/outbox_store.h"

#include "store/chunk.h"

static const struct sql_stmt EVENT_INSERT = {
	.name = "event_insert",
	.text = "INSERT INTO event (event_id, room_id, seq, type, uid, data, created_at_ms) VALUES {}",
	.unit = "(?,?,?,?,?,?,?)",
};
enum { N_EVENT_ARGS = 7 };
/* At most one open action for the same session; the room's lock is held. */
static const struct sql_stmt REMOVE_INSERT = {
	.name = "action_remove",
	.text = "INSERT INTO livekit_action (kind, room_id, uid, sid, due_at_ms, created_at_ms) "
	    "SELECT 'remove_participant', r.room_id, ?, ?, ?, ? FROM rtc_room r WHERE r.room_id = ? AND NOT EXISTS "
	    "(SELECT 1 FROM livekit_action a WHERE a.room_id = ? AND a.kind = 'remove_participant' "
	    "AND a.state = 'open' AND a.uid = ? AND a.sid = ?)",
};
static const struct sql_stmt CLOSE_INSERT = {
	.name = "action_close",
	.text = "INSERT INTO livekit_action (kind, room_id, due_at_ms, created_at_ms) "
	    "SELECT 'delete_room', r.room_id, ?, ? FROM rtc_room r WHERE r.room_id IN ({}) AND NOT EXISTS "
	    "(SELECT 1 FROM livekit_action a WHERE a.room_id = r.room_id AND a.kind = 'delete_room' "
	    "AND (a.state = 'open' OR a.created_at_ms > ?))",
	.unit = "?",
};
static const struct sql_stmt ACTION_FORGET = {
	.name = "action_forget",
	.text = "UPDATE livekit_action SET state = 'done', last_error = 'invited again' "
	    "WHERE room_id = ? AND kind = 'remove_participant' AND state = 'open' AND uid IN ({})",
	.unit = "?",
};
static const struct sql_stmt MEDIA_EVENT_INSERT = {
	.name = "livekit_event_insert",
	.text = "INSERT INTO livekit_event (id, event, room_id, uid, received_at_ms) "
	    "VALUES (?, ?, ?, ?, " SQL_NOW_MS ")",
};
const struct sql_stmt *const OUTBOX_STORE_STMTS[] = { &EVENT_INSERT, &REMOVE_INSERT, &CLOSE_INSERT,
	&ACTION_FORGET, &MEDIA_EVENT_INSERT, NULL };

static void
event_args(const struct call *c, const struct call_event *e, struct sql_arg *a)
{
	a[0] = sql_str(e->event_id);
	a[1] = sql_str(c->room.room_id);
	a[2] = sql_i64(e->seq);
	a[3] = sql_str(str_of(e->type));
	a[4] = sql_str(e->uid);
	a[5] = sql_str(e->data);
	a[6] = sql_i64(c->now_ms);
}

enum err
outbox_store_events(struct op *op, struct sql_link *l, struct call *const *calls, size_t n)
{
	struct chunk rows = { .n_each = N_EVENT_ARGS };
	struct sql_arg *args, *a;

	for (size_t i = 0; i < n; i++)
		rows.n += calls[i]->n_events;
	rows.args = args = a = arena_array(op->arena, rows.n * N_EVENT_ARGS + 1, sizeof(*args));
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < calls[i]->n_events; k++, a += N_EVENT_ARGS)
			event_args(calls[i], &calls[i]->events[k], a);
	return chunk_run(op, l, &EVENT_INSERT, &rows);
}

static enum err
add_removal(struct op *op, struct sql_link *l, const struct call *c, const struct call_action *act)
{
	struct sql_arg room = sql_str(c->room.room_id), uid = sql_str(act->uid), sid = sql_str(act->sid);
	const struct sql_arg args[] = { uid, sid, sql_i64(c->now_ms), sql_i64(c->now_ms), room, room, uid, sid };

	return sql_run(op, l, &REMOVE_INSERT, args, N_ELEMS(args), NULL);
}

/* All people to be spared in one statement: an invitation may name a thousand. */
static enum err
forget_removals(struct op *op, struct sql_link *l, const struct call *c)
{
	struct sql_arg *args = arena_array(c->arena, c->n_actions + 1, sizeof(*args));
	size_t n = 0;

	args[n++] = sql_str(c->room.room_id);
	for (size_t i = 0; i < c->n_actions; i++)
		if (c->actions[i].kind == ACTION_FORGET_REMOVE)
			args[n++] = sql_str(c->actions[i].uid);
	return n > 1 ? sql_run(op, l, &ACTION_FORGET, args, n, NULL) : ERR_OK;
}

static enum err
person_actions(struct op *op, struct sql_link *l, const struct call *c)
{
	enum err e = forget_removals(op, l, c);

	for (size_t i = 0; i < c->n_actions && e == ERR_OK; i++)
		if (c->actions[i].kind == ACTION_REMOVE_PARTICIPANT)
			e = add_removal(op, l, c, &c->actions[i]);
	return e;
}

static bool
is_to_close(const struct call *c)
{
	for (size_t i = 0; i < c->n_actions; i++)
		if (c->actions[i].kind == ACTION_DELETE_ROOM)
			return true;
	return false;
}

static enum err
close_rooms(struct op *op, struct sql_link *l, struct call *const *calls, size_t n)
{
	struct sql_arg *args = arena_array(op->arena, n + 3, sizeof(*args));
	size_t n_args = 2;

	for (size_t i = 0; i < n; i++) {
		if (!is_to_close(calls[i]))
			continue;
		args[0] = args[1] = sql_i64(calls[i]->now_ms);
		args[n_args++] = sql_str(calls[i]->room.room_id);
	}
	if (n_args == 2)
		return ERR_OK;
	args[n_args++] = sql_i64(args[0].i - calls[0]->policy.close_interval_ms);
	return sql_run(op, l, &CLOSE_INSERT, args, n_args, NULL);
}

enum err
outbox_store_actions(struct op *op, struct sql_link *l, struct call *const *calls, size_t n)
{
	enum err e;

	for (size_t i = 0; i < n; i++)
		if ((e = person_actions(op, l, calls[i])) != ERR_OK)
			return e;
	return close_rooms(op, l, calls, n);
}

enum err
outbox_store_media_event(struct op *op, struct sql_link *l, const struct media_event_row *r)
{
	const struct sql_arg args[] = { sql_str(r->id), sql_str(r->event), sql_str(r->room_id),
		sql_str(r->uid) };

	return sql_run(op, l, &MEDIA_EVENT_INSERT, args, N_ELEMS(args), NULL);
}
