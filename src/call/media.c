/* media - LiveKit's events: recorded and applied in one transaction.
 * SPDX-License-Identifier: MIT */
#include "rules/media.h"

#include "base/clock.h"
#include "call/change.h"
#include "model/ids.h"
#include "store/call_store.h"
#include "store/outbox_store.h"

/* LiveKit sends at once; what comes later than this waited behind others, of which some were dropped. */
enum { LATE_MS = 10 * 1000 };

struct hint {
	struct services *sv;
	const struct webhook *hook;
	struct call call;
};

static enum media_left
left_of(struct str reason)
{
	if (str_eq(reason, S("CLIENT_INITIATED")))
		return MEDIA_LEFT_CLIENT;
	if (str_eq(reason, S("PARTICIPANT_REMOVED")) || str_eq(reason, S("ROOM_DELETED")) ||
	    str_eq(reason, S("ROOM_CLOSED")))
		return MEDIA_LEFT_PUT_OUT;
	return MEDIA_LEFT_OTHER;
}

static void
apply(struct call *c, const struct webhook *h)
{
	const struct media_room room = { .sid = h->room_sid, .created_at_ms = h->created_at_ms };
	const struct media_session session = { .uid = h->uid, .sid = h->sid, .joined_at_ms = h->joined_at_ms,
	    .device_type = h->device_type, .device_id = h->device_id };

	switch (h->kind) {
	case WEBHOOK_ROOM_STARTED:
		media_room_started(c, &room);
		break;
	case WEBHOOK_ROOM_FINISHED:
		media_room_finished(c, &room);
		break;
	case WEBHOOK_PARTICIPANT_JOINED:
		if (h->is_person)
			media_participant_joined(c, &room, &session);
		break;
	case WEBHOOK_PARTICIPANT_LEFT:
		if (h->is_person)
			media_participant_left(c, &session, left_of(h->disconnect_reason));
		break;
	case WEBHOOK_PARTICIPANT_ABORTED:
	case WEBHOOK_OTHER:
		break;
	}
}

static enum err
media_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct hint *hi = arg;
	const struct webhook *h = hi->hook;
	const struct media_event_row seen = { .id = h->id, .event = h->event, .room_id = h->room_id,
	    .uid = id_ok(h->uid) ? h->uid : S("") };
	enum err e;

	(void)rollback_out;
	hi->call.changed = false;
	if ((e = outbox_store_media_event(op, l, &seen)) != ERR_OK)
		return e;
	if ((e = change_lock(op, hi->sv, l, h->room_id, &hi->call)) != ERR_OK)
		return e;
	apply(&hi->call, h);
	return hi->call.changed ? call_store_save(op, l, &hi->call) : ERR_OK;
}

/* Repeats and rooms that are not ours are daily life, and no error of who asked. */
static const char *
outcome_of(enum err e, bool changed)
{
	if (e == ERR_OK)
		return changed ? "applied" : "unchanged";
	if (e == ERR_SQL_DUPLICATE)
		return "repeated";
	return e == ERR_ROOM_NOT_FOUND ? "not_ours" : "failed";
}

static void
log_hint(struct op *op, const struct webhook *h, struct str node)
{
	struct log_line l;

	log_begin(&l, op->log, LOG_INFO, "LiveKit 事件", NULL, op->request_id);
	log_str(&l, "event", h->event);
	log_str(&l, "room_id", h->room_id);
	log_str(&l, "uid", h->uid);
	log_str(&l, "node", node);
	log_end(&l);
}

enum err
op_media(struct op *op, struct services *sv, const struct webhook *hook)
{
	struct hint hi = { .sv = sv, .hook = hook };
	enum err e;

	op->room_id = hook->room_id;
	op->uid = hook->uid;
	if (hook->created_at_ms > 0 && clock_wall_ms() - hook->created_at_ms > LATE_MS)
		kv_hook_trouble_set(op, sv->kv);
	if (hook->kind == WEBHOOK_OTHER) {
		log_hint(op, hook, S(""));
		/* Their names are LiveKit's to choose. */
		meter_add(sv->meter, METER_HOOKS, S("other"), S("ignored"), 1);
		return ERR_OK;
	}
	e = tx_run(op, sv->db, media_in_tx, &hi);
	log_hint(op, hook, hi.call.room.livekit_node);
	meter_add(sv->meter, METER_HOOKS, hook->event, str_of(outcome_of(e, hi.call.changed)), 1);
	/* Applied before, or not one of our rooms. */
	if (e == ERR_SQL_DUPLICATE || e == ERR_ROOM_NOT_FOUND)
		return ERR_OK;
	if (e == ERR_OK && hi.call.changed)
		change_publish(op, sv, &hi.call);
	return change_failed(op, sv, hook->room_id, e);
}
