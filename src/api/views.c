/* views - encodes calls.
 * SPDX-License-Identifier: MIT */
#include "api/views.h"

#include "base/clock.h"

static void
put_created_at(struct jsonw *w, const struct call *c)
{
	char text[32];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	clock_format_local(&b, c->room.created_at_ms);
	jsonw_str(w, "created_at", strbuf_str(&b));
}

/* What RoomResp and Room have in common. */
static void
put_common(struct jsonw *w, const struct call *c, bool active_only)
{
	const struct room *r = &c->room;
	size_t n;
	struct str *uids = call_uids(c, active_only, &n);

	jsonw_i64(w, "status", r->status);
	put_created_at(w, c);
	jsonw_i64(w, "max_participants", r->max_participants);
	jsonw_i64(w, "timeout", r->timeout_s);
	jsonw_strs(w, "uids", uids, n);
	jsonw_i64(w, "rtc_type", r->rtc_type);
	jsonw_str(w, "source_channel_id", r->source_channel_id);
	jsonw_i64(w, "source_channel_type", r->source_channel_type);
	jsonw_i64(w, "invite_on", r->invite_on);
	jsonw_i64(w, "seq", r->seq);
	jsonw_i64(w, "server_time", c->now_ms);
	jsonw_raw(w, "metadata", r->metadata.len > 0 ? r->metadata : S("{}"));
}

/* RoomResp up to its token. */
static void
begin_room_resp(struct jsonw *w, const char *key, const struct view *v)
{
	jsonw_obj(w, key);
	jsonw_str(w, "room_id", v->call.room.room_id);
	jsonw_str(w, "creator", v->call.room.creator);
}

/* What lets its reader in. */
static void
put_access(struct jsonw *w, const struct view *v)
{
	jsonw_str(w, "token", v->token);
	jsonw_str(w, "url", v->url);
}

static void
end_room_resp(struct jsonw *w, const struct view *v, bool active_only)
{
	put_common(w, &v->call, active_only);
	jsonw_i64(w, "my_status", v->me->status);
	jsonw_i64(w, "deadline", v->me->deadline_ms);
	jsonw_strs(w, "busy_uids", v->invited.busy, v->invited.n_busy);
	jsonw_obj_end(w);
}

void
view_room_resp(struct jsonw *w, const char *key, const struct view *v, bool active_only)
{
	begin_room_resp(w, key, v);
	put_access(w, v);
	end_room_resp(w, v, active_only);
}

void
view_participant(struct jsonw *w, const char *key, const struct call *c, const struct participant *p)
{
	jsonw_obj(w, key);
	jsonw_str(w, "room_id", c->room.room_id);
	jsonw_str(w, "uid", p->uid);
	jsonw_str(w, "name", p->name);
	jsonw_i64(w, "status", p->status);
	jsonw_str(w, "device_type", p->device_type);
	jsonw_str(w, "device_id", p->device_id);
	jsonw_i64(w, "join_time", p->join_time);
	jsonw_i64(w, "leave_time", p->leave_time);
	jsonw_i64(w, "deadline", p->deadline_ms);
	jsonw_bool(w, "reconnecting", p->status == P_JOINED && p->deadline_ms > 0);
	jsonw_i64(w, "room_status", c->room.status);
	jsonw_obj_end(w);
}

void
view_room_fields(struct jsonw *w, const struct call *c, struct str url)
{
	const struct room *r = &c->room;

	jsonw_str(w, "room_id", r->room_id);
	jsonw_str(w, "creator", r->creator);
	jsonw_str(w, "url", url);
	put_common(w, c, false);
	jsonw_i64(w, "started_at", r->started_at_ms / 1000);
	jsonw_i64(w, "answered_at", r->answered_at_ms / 1000);
	jsonw_i64(w, "ended_at", r->ended_at_ms / 1000);
	jsonw_i64(w, "updated_at", r->updated_at_ms / 1000);
	jsonw_i64(w, "duration", call_duration_s(c));
	jsonw_str(w, "end_reason", r->end_reason);
	jsonw_str(w, "ended_by", r->ended_by);
	jsonw_str(w, "livekit_node", r->livekit_node);
	jsonw_arr(w, "participants");
	for (size_t i = 0; i < c->n_rows; i++)
		view_participant(w, NULL, c, c->rows[i]);
	jsonw_arr_end(w);
}

static enum err
write_room_resp(struct op *op, struct reply *rp, const void *what)
{
	const struct view *v = what;
	struct jsonw w;

	(void)op;
	jsonw_init(&w, &rp->body);
	begin_room_resp(&w, NULL, v);
	rp->access_at = rp->body.len;
	put_access(&w, v);
	rp->access_len = rp->body.len - rp->access_at;
	end_room_resp(&w, v, false);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

static bool
write_access(struct jsonw *w, const void *what)
{
	const struct view *v = what;

	put_access(w, v);
	return v->token.len > 0;
}

const struct answer_kind ANSWER_ROOM_RESP = { write_room_resp, write_access };

static enum err
write_room(struct op *op, struct reply *rp, const void *what)
{
	const struct view *v = what;
	struct jsonw w;

	(void)op;
	jsonw_init(&w, &rp->body);
	jsonw_obj(&w, NULL);
	view_room_fields(&w, &v->call, v->url);
	jsonw_strs(&w, "busy_uids", v->invited.busy, v->invited.n_busy);
	jsonw_obj_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

const struct answer_kind ANSWER_ROOM = { write_room, NULL };

static enum err
write_room_invited(struct op *op, struct reply *rp, const void *what)
{
	const struct view *v = what;
	struct jsonw w;

	(void)op;
	jsonw_init(&w, &rp->body);
	jsonw_obj(&w, NULL);
	view_room_fields(&w, &v->call, v->url);
	jsonw_strs(&w, "already", v->invited.already, v->invited.n_already);
	jsonw_strs(&w, "busy_uids", v->invited.busy, v->invited.n_busy);
	jsonw_obj_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

const struct answer_kind ANSWER_ROOM_INVITED = { write_room_invited, NULL };

enum err
reply_participant(struct reply *rp, const struct view *v)
{
	struct jsonw w;

	if (v->me == NULL)
		return ERR_PARTICIPANT_NOT_FOUND;
	jsonw_init(&w, &rp->body);
	view_participant(&w, NULL, &v->call, v->me);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}
