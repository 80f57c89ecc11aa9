/* change - the transaction every operation shares.
 * SPDX-License-Identifier: MIT */
#include "call/change.h"

#include "call/once.h"
#include "call/tally.h"
#include "store/call_store.h"

struct call_policy
change_policy(const struct services *sv)
{
	return (struct call_policy){ .rejoin_grace_ms = sv->conf->rejoin_grace_ms,
	    .max_call_ms = sv->conf->max_call_s * 1000,
	    .deadline_retry_ms = sv->conf->deadline_retry_ms,
	    .ring_overdue_ms = sv->conf->ring_overdue_ms,
	    .rejoin_overdue_ms = sv->conf->rejoin_overdue_ms,
	    .close_interval_ms = sv->conf->close_interval_ms,
	    .reconcile_ms = sv->conf->reconcile_interval_ms,
	    .join_grace_ms = sv->conf->join_grace_ms,
	    .look_again_ms = sv->conf->look_again_ms };
}

void
change_fill_defaults(const struct services *sv, struct call *c)
{
	if (c->room.timeout_s == 0)
		c->room.timeout_s = sv->conf->livekit_timeout_s;
	if (c->room.livekit_url.len == 0)
		c->room.livekit_url = sv->conf->livekit_client_url;
}

enum err
change_load(struct op *op, struct services *sv, struct str room_id, struct call *c)
{
	bool found;
	enum err e;

	/* Named in every error: a call that is hidden from the asker must look like none. */
	op->room_id = op->err_room_id = room_id;
	call_init(c, op->arena, change_policy(sv));
	if ((e = call_store_load(op, sv->db, room_id, c, &found)) != ERR_OK)
		return e;
	if (!found)
		return ERR_ROOM_NOT_FOUND;
	change_fill_defaults(sv, c);
	return ERR_OK;
}

enum err
change_lock(struct op *op, struct services *sv, struct sql_link *l, struct str room_id, struct call *c)
{
	bool found;
	enum err e;

	call_init(c, op->arena, change_policy(sv));
	if ((e = call_store_lock(op, l, room_id, c, &found)) != ERR_OK)
		return e;
	if (!found) {
		op->err_room_id = room_id;
		return ERR_ROOM_NOT_FOUND;
	}
	change_fill_defaults(sv, c);
	return ERR_OK;
}

struct change {
	struct services *sv;
	struct str room_id;
	change_rule rule;
	void *arg;
	struct call *after;
};

static enum err
change_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	const struct change *ch = arg;
	enum err e;

	if ((e = change_lock(op, ch->sv, l, ch->room_id, ch->after)) != ERR_OK)
		return e;
	if ((e = ch->rule(op, ch->after, ch->arg)) != ERR_OK)
		return e;
	if (!ch->after->changed) {
		*rollback_out = true;
		return ERR_OK;
	}
	return call_store_save(op, l, ch->after);
}

enum err
change_run(struct op *op, struct services *sv, struct str room_id, change_rule rule, void *arg,
    struct call *after)
{
	struct change ch = { .sv = sv, .room_id = room_id, .rule = rule, .arg = arg, .after = after };
	enum err e;

	op->room_id = room_id;
	if ((e = tx_run(op, sv->db, change_in_tx, &ch)) != ERR_OK)
		return change_failed(op, sv, room_id, e);
	if (after->changed)
		change_publish(op, sv, after);
	return ERR_OK;
}

struct showing {
	struct services *sv;
	const struct shown_change *ch;
	struct call after;
};

static enum err
show_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct showing *s = arg;
	struct change ch = { .sv = s->sv, .room_id = s->ch->room_id, .rule = s->ch->rule, .arg = s->ch->arg,
	    .after = &s->after };
	enum err e;

	if ((e = change_in_tx(op, l, &ch, rollback_out)) == ERR_OK)
		view_of(s->sv, &s->after, s->ch->uid, s->ch->out);
	return e;
}

enum err
change_show(struct op *op, struct services *sv, const struct shown_change *ch)
{
	struct showing s = { .sv = sv, .ch = ch };
	enum err e;

	op->room_id = ch->room_id;
	if ((e = once_run(op, sv->db, show_in_tx, &s)) != ERR_OK) {
		op->err_room_id = ch->room_id;
		return change_failed(op, sv, ch->room_id, e);
	}
	change_tell(op, sv, &s.after);
	return ERR_OK;
}

/* Whether somebody waits for what this change leaves behind. */
static bool
is_waited_for(const struct call *c)
{
	bool look_now = c->room.look_at_ms > 0 && c->room.look_at_ms <= c->now_ms;

	return c->n_events > 0 || c->n_actions > 0 || look_now || c->sooner;
}

static struct str
removed_uids(struct arena *a, const struct call *c)
{
	struct strbuf b;
	size_t n_bytes = 1;

	for (size_t i = 0; i < c->n_rows; i++)
		n_bytes += c->rows[i]->removed ? c->rows[i]->uid.len + 1 : 0;
	strbuf_init_arena(&b, a, n_bytes, n_bytes);
	for (size_t i = 0; i < c->n_rows; i++) {
		if (!c->rows[i]->removed)
			continue;
		if (b.len > 0)
			strbuf_addc(&b, '\n');
		strbuf_add(&b, c->rows[i]->uid);
	}
	return strbuf_str(&b);
}

struct kv_room
change_cached(struct op *op, const struct call *c)
{
	return (struct kv_room){ .room_id = c->room.room_id, .node = c->room.livekit_node,
	    .url = c->room.livekit_url, .removed = removed_uids(op->arena, c), .status = c->room.status,
	    .version = c->room.version };
}

void
change_publish_many(struct op *op, struct services *sv, const struct call *calls, size_t n)
{
	struct kv_room *rooms = arena_array(op->arena, n + 1, sizeof(*rooms));
	int64_t wake_ms = KV_NO_DEADLINE;
	size_t n_rooms = 0;
	bool wake = false;

	for (size_t i = 0; i < n; i++) {
		const struct room *r = &calls[i].room;

		if (!calls[i].changed)
			continue;
		tally_change(sv->meter, &calls[i]);
		rooms[n_rooms++] = change_cached(op, &calls[i]);
		wake = wake || is_waited_for(&calls[i]);
		if (r->next_deadline_ms > 0 && r->next_deadline_ms < wake_ms)
			wake_ms = r->next_deadline_ms;
	}
	kv_rooms_changed(op, sv->kv, rooms, n_rooms, wake ? &wake_ms : NULL);
}

void
change_publish(struct op *op, struct services *sv, const struct call *c)
{
	change_publish_many(op, sv, c, 1);
}

static void
retell(struct op *op, struct services *sv, const struct call *c)
{
	struct kv_room cached = change_cached(op, c);

	/* The lock counted one, and that was undone. */
	cached.version--;
	kv_room_changed(op, sv->kv, &cached, false, 0);
}

void
change_tell(struct op *op, struct services *sv, const struct call *c)
{
	if (c->changed)
		change_publish(op, sv, c);
	else
		retell(op, sv, c);
}

enum err
change_failed(struct op *op, struct services *sv, struct str room_id, enum err e)
{
	/* What was replayed is old: if the jobs have work with it, they know. */
	if (e == ERR_OUTCOME_UNKNOWN || e == ERR_REPLAYED)
		kv_room_doubted(op, sv->kv, room_id, e == ERR_OUTCOME_UNKNOWN);
	return e;
}

enum err
access_check(const struct access *a, const struct call *c)
{
	const struct participant *p;

	if (!a->ticket)
		return ERR_OK;
	if ((p = call_find(c, a->uid)) == NULL)
		return ERR_ROOM_NOT_FOUND;
	if (a->row)
		return ERR_OK;
	if (a->active_row && participant_status_active(p->status))
		return ERR_OK;
	/* A call that is over has nothing left to protect: its creator may repeat what ended it. */
	if (a->creator && call_is_creator(c, p) &&
	    (participant_status_active(p->status) || room_status_final(c->room.status)))
		return ERR_OK;
	return ERR_FORBIDDEN;
}

void
view_of(struct services *sv, const struct call *c, struct str uid, struct view *out)
{
	out->call = *c;
	out->me = uid.len > 0 ? call_find(c, uid) : NULL;
	out->url = c->room.livekit_url.len > 0 ? c->room.livekit_url : sv->conf->livekit_client_url;
}

bool
view_may_enter(const struct view *v, const struct actor *who)
{
	if (v->me == NULL || room_status_final(v->call.room.status))
		return false;
	if (v->me->status == P_INVITING)
		return true;
	return v->me->status == P_JOINED &&
	    device_same(v->me->device_type, v->me->device_id, who->device_type, who->device_id);
}
