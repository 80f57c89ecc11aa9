/* event - renders events: the Go server's keys first and in its order, ours after them.
 * SPDX-License-Identifier: MIT */
#include "model/event.h"

#include "base/jsonw.h"
#include "base/rng.h"

static const char *const NAMES[EVENT_TYPE_COUNT] = {
	[EVENT_NONE] = "",
	[EVENT_ROOM_STARTED] = "room.started",
	[EVENT_ROOM_FINISHED] = "room.finished",
	[EVENT_ACCEPTED] = "participant.accepted",
	[EVENT_JOINED] = "participant.joined",
	[EVENT_LEFT] = "participant.left",
	[EVENT_REJECTED] = "participant.rejected",
	[EVENT_BUSY] = "participant.busy",
	[EVENT_MISSED] = "participant.missed",
	[EVENT_INVITED] = "participant.invited",
	[EVENT_CANCELLED] = "participant.cancelled",
};

/* Of calls made here none comes near (call_has_room_for); one that was taken over may have had any number of people. */
enum { EVENT_BYTES = 1536, EVENT_MAX_BYTES = 8 << 20 };

const char *
event_type_name(enum event_type t)
{
	return NAMES[t];
}

static void
put_list(struct jsonw *w, const char *key, const struct str *list, size_t n)
{
	if (list == NULL)
		jsonw_null(w, key);
	else
		jsonw_strs(w, key, list, n);
}

/* As the Go server does, an invitation lists who had joined before it; all others list everybody. */
static void
put_uids(struct jsonw *w, const struct call *c, enum event_type type)
{
	jsonw_arr(w, "uids");
	for (size_t i = 0; i < c->n_rows; i++)
		if (type != EVENT_INVITED || c->rows[i]->status == P_JOINED)
			jsonw_str(w, NULL, c->rows[i]->uid);
	jsonw_arr_end(w);
}

static void
put_go_room(struct jsonw *w, const struct call *c, enum event_type type)
{
	const struct room *r = &c->room;

	jsonw_str(w, "room_id", r->room_id);
	jsonw_str(w, "creator", r->creator);
	jsonw_i64(w, "rtc_type", r->rtc_type);
	jsonw_i64(w, "invite_on", r->invite_on);
	jsonw_i64(w, "status", r->status);
	jsonw_i64(w, "max_participants", r->max_participants);
	jsonw_i64(w, "duration", call_duration_s(c));
	put_uids(w, c, type);
	jsonw_i64(w, "created_at", r->created_at_ms / 1000);
	jsonw_i64(w, "updated_at", c->now_ms / 1000);
}

static void
put_our_room(struct jsonw *w, const struct call *c, const struct call_event *e)
{
	const struct room *r = &c->room;

	jsonw_str(w, "event_id", e->event_id);
	jsonw_i64(w, "seq", e->seq);
	jsonw_str(w, "source_channel_id", r->source_channel_id);
	jsonw_i64(w, "source_channel_type", r->source_channel_type);
	jsonw_str(w, "end_reason", r->end_reason);
	jsonw_str(w, "ended_by", r->ended_by);
	jsonw_i64(w, "answered_at", r->answered_at_ms / 1000);
	jsonw_raw(w, "metadata", r->metadata.len > 0 ? r->metadata : S("{}"));
}

static void
put_participants(struct jsonw *w, const struct call *c)
{
	jsonw_arr(w, "participants");
	for (size_t i = 0; i < c->n_rows; i++) {
		jsonw_obj(w, NULL);
		jsonw_str(w, "uid", c->rows[i]->uid);
		jsonw_i64(w, "status", c->rows[i]->status);
		jsonw_obj_end(w);
	}
	jsonw_arr_end(w);
}

/* About what the event's text takes: when a call of a thousand ends, it is told a thousand times of all of them. */
static size_t
event_size(const struct call *c, enum event_type type)
{
	bool has_rows = type == EVENT_ROOM_FINISHED || type == EVENT_INVITED;
	size_t size = EVENT_BYTES + c->room.metadata.len;

	for (size_t i = 0; i < c->n_rows; i++)
		size += (c->rows[i]->uid.len + 4) + (has_rows ? c->rows[i]->uid.len + 24 : 0);
	return size < EVENT_MAX_BYTES ? size : EVENT_MAX_BYTES;
}

void
event_tell(struct call *c, enum event_type type, const struct told *told)
{
	struct call_event *e = call_add_event(c);
	struct strbuf id, body;
	struct jsonw w;

	strbuf_init_arena(&id, c->arena, 37, 37);
	rng_uuid7(&id, c->now_ms);
	e->type = event_type_name(type);
	e->event_id = strbuf_str(&id);
	e->uid = told != NULL ? told->uid : S("");

	strbuf_init_arena(&body, c->arena, event_size(c, type), EVENT_MAX_BYTES);
	jsonw_init(&w, &body);
	jsonw_obj(&w, NULL);
	put_go_room(&w, c, type);
	if (told != NULL) {
		jsonw_str(&w, "uid", told->uid);
		jsonw_str(&w, "device_type", told->device_type);
		put_list(&w, "invited_uids", told->invited, told->n_invited);
		put_list(&w, "missed_uids", told->missed, told->n_missed);
	}
	put_our_room(&w, c, e);
	if (told != NULL) {
		put_list(&w, "busy_uids", told->busy, told->n_busy);
		jsonw_str(&w, "device_id", told->device_id);
		jsonw_str(&w, "reason", told->reason);
	}
	if (type == EVENT_ROOM_FINISHED || type == EVENT_INVITED)
		put_participants(&w, c);
	jsonw_obj_end(&w);
	e->data = strbuf_str(&body);
}

void
event_tell_of(struct call *c, enum event_type type, const struct participant *p)
{
	const struct told told = { .uid = p->uid, .device_type = p->device_type, .device_id = p->device_id };

	event_tell(c, type, &told);
}
