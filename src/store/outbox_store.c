/* outbox_store - events, actions, and the ids of LiveKit's events.
 * SPDX-License-Identifier: MIT */
#include "store/outbox_store.h"

#include "store/room_columns.h"

static const struct sql_stmt EVENT_INSERT = {
	.name = "event_insert",
	.text = "INSERT INTO event (event_id, room_id, seq, type, uid, data, created_at_ms) VALUES {}",
	.unit = "(?,?,?,?,?,?,?)",
};
enum { N_EVENT_ARGS = 7 };
/* At most one open action of a kind for the same room and person; the room's lock is held. */
static const struct sql_stmt ACTION_INSERT = {
	.name = "action_insert",
	.text = "INSERT INTO livekit_action (kind, room_id, uid, sid, due_at_ms, created_at_ms) "
	    "SELECT ?, r.room_id, ?, ?, ?, ? FROM rtc_room r WHERE r.room_id = ? AND NOT EXISTS "
	    "(SELECT 1 FROM livekit_action a WHERE a.room_id = ? AND a.kind = ? AND a.uid = ? AND a.sid = ? "
	    "AND a.state = 'open')",
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
const struct sql_stmt *const OUTBOX_STORE_STMTS[] = { &EVENT_INSERT, &ACTION_INSERT, &ACTION_FORGET,
	&MEDIA_EVENT_INSERT, NULL };

enum err
outbox_store_events(struct op *op, struct sql_link *l, const struct call *c)
{
	struct sql_arg *args;

	if (c->n_events == 0)
		return ERR_OK;
	args = arena_array(c->arena, c->n_events * N_EVENT_ARGS, sizeof(*args));
	for (size_t i = 0; i < c->n_events; i++) {
		const struct call_event *e = &c->events[i];
		struct sql_arg *a = &args[i * N_EVENT_ARGS];

		a[0] = sql_str(e->event_id);
		a[1] = sql_str(c->room.room_id);
		a[2] = sql_i64(e->seq);
		a[3] = sql_str(str_of(e->type));
		a[4] = sql_str(e->uid);
		a[5] = sql_str(e->data);
		a[6] = sql_i64(c->now_ms);
	}
	return sql_run(op, l, &EVENT_INSERT, args, c->n_events * N_EVENT_ARGS, NULL);
}

static enum err
add_action(struct op *op, struct sql_link *l, const struct call *c, const struct call_action *act)
{
	struct sql_arg kind = sql_str(act->kind == ACTION_DELETE_ROOM ? S("delete_room")
	                                                               : S("remove_participant"));
	struct sql_arg room = sql_str(c->room.room_id);
	const struct sql_arg args[] = { kind, sql_str(act->uid), sql_str(act->sid), sql_i64(c->now_ms),
		sql_i64(c->now_ms), room, room, kind, sql_str(act->uid), sql_str(act->sid) };

	return sql_run(op, l, &ACTION_INSERT, args, N_ELEMS(args), NULL);
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

enum err
outbox_store_actions(struct op *op, struct sql_link *l, const struct call *c)
{
	enum err e = forget_removals(op, l, c);

	for (size_t i = 0; i < c->n_actions && e == ERR_OK; i++)
		if (c->actions[i].kind != ACTION_FORGET_REMOVE)
			e = add_action(op, l, c, &c->actions[i]);
	return e;
}

enum err
outbox_store_media_event(struct op *op, struct sql_link *l, const struct media_event_row *r)
{
	const struct sql_arg args[] = { sql_str(r->id), sql_str(r->event), sql_str(r->room_id),
		sql_str(r->uid) };

	return sql_run(op, l, &MEDIA_EVENT_INSERT, args, N_ELEMS(args), NULL);
}
