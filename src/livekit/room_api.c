/* room_api - calls to LiveKit's RoomService.
 * SPDX-License-Identifier: MIT */
#include "livekit/room_api.h"

#include "base/jsonw.h"
#include "json/json.h"
#include "livekit/token.h"

enum { CALL_MS = 1500, REQUEST_BYTES = 512, REQUEST_MAX_BYTES = 8192 };

static void
log_refused(struct op *op, const char *method, const struct http_answer *a)
{
	struct log_line l;

	log_begin(&l, op->log, LOG_WARN, "LiveKit API 调用失败", "livekit_api_failed", op->request_id);
	log_z(&l, "method", method);
	log_i64(&l, "status", a->status);
	log_str(&l, "why", a->status == 0 ? a->why : a->body);
	log_end(&l);
}

/* grants: the "video" object of the token. The answer's body is parsed into *reply_out. */
static enum err
twirp(struct op *op, const struct room_api *a, const char *method, struct str grants, struct str body,
    const struct json **reply_out)
{
	const struct http_call call = {
		.method = "POST",
		.url = arena_printf(op->arena, "%.*s/twirp/livekit.RoomService/%s", STR_ARG(a->conf->livekit_url), method),
		.body = body,
		.content_type = S("application/json"),
		.bearer = token_for_api(op, a->conf, grants),
		.timeout_ms = CALL_MS,
	};
	struct http_answer answer = { 0 };
	enum err e = httpc_call(op, a->http, &call, &answer);

	if (e == ERR_OK && answer.status == 200) {
		*reply_out = json_parse(op->arena, answer.body, NULL);
		return ERR_OK;
	}
	if (e == ERR_OK && answer.status == 404)
		return ERR_PARTICIPANT_NOT_FOUND;
	if (e == ERR_OK && answer.status == 412)
		return ERR_ILLEGAL_TRANSITION;
	log_refused(op, method, &answer);
	return ERR_UNAVAILABLE;
}

static void
begin(struct op *op, struct strbuf *b, struct jsonw *w)
{
	strbuf_init_arena(b, op->arena, REQUEST_BYTES, REQUEST_MAX_BYTES);
	jsonw_init(w, b);
	jsonw_obj(w, NULL);
}

static struct str
grants_for_room(struct op *op, struct str room_id)
{
	struct strbuf b;
	struct jsonw w;

	begin(op, &b, &w);
	jsonw_bool(&w, "roomAdmin", true);
	jsonw_str(&w, "room", room_id);
	jsonw_obj_end(&w);
	return strbuf_str(&b);
}

enum err
room_api_create(struct op *op, const struct room_api *a, struct str room_id)
{
	const struct json *reply;
	struct strbuf b;
	struct jsonw w;

	begin(op, &b, &w);
	jsonw_str(&w, "name", room_id);
	jsonw_obj_end(&w);
	return twirp(op, a, "CreateRoom", S("{\"roomCreate\":true}"), strbuf_str(&b), &reply);
}

static bool
source_matches(const struct json *track, enum track_source wanted)
{
	struct str is = json_str(json_get(track, "source"));

	switch (wanted) {
	case TRACK_CAMERA:
		return str_eq(is, S("CAMERA"));
	case TRACK_MICROPHONE:
		return str_eq(is, S("MICROPHONE"));
	case TRACK_SCREEN_SHARE:
		return str_starts(is, S("SCREEN_SHARE"));
	case TRACK_ALL:
	default:
		return true;
	}
}

static enum err
mute_track(struct op *op, const struct room_api *a, struct str room_id, struct str uid, struct str track,
    bool muted)
{
	const struct json *reply;
	struct strbuf b;
	struct jsonw w;

	begin(op, &b, &w);
	jsonw_str(&w, "room", room_id);
	jsonw_str(&w, "identity", uid);
	jsonw_str(&w, "track_sid", track);
	jsonw_bool(&w, "muted", muted);
	jsonw_obj_end(&w);
	return twirp(op, a, "MutePublishedTrack", grants_for_room(op, room_id), strbuf_str(&b), &reply);
}

enum err
room_api_mute(struct op *op, const struct room_api *a, struct str room_id, struct str uid,
    enum track_source source, bool muted)
{
	const struct json *who, *tracks;
	struct strbuf b;
	struct jsonw w;
	enum err e;

	begin(op, &b, &w);
	jsonw_str(&w, "room", room_id);
	jsonw_str(&w, "identity", uid);
	jsonw_obj_end(&w);
	/* First: an absent person would make LiveKit wait for three seconds. */
	e = twirp(op, a, "GetParticipant", grants_for_room(op, room_id), strbuf_str(&b), &who);
	if (e != ERR_OK)
		return e;
	tracks = json_get(who, "tracks");
	for (size_t i = 0; i < json_len(tracks); i++) {
		const struct json *track = json_at(tracks, i);

		if (!source_matches(track, source) || json_is_true(json_get(track, "muted")) == muted)
			continue;
		e = mute_track(op, a, room_id, uid, json_str(json_get(track, "sid")), muted);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err
room_api_probe(struct op *op, const struct room_api *a, int *status_out, struct str *why_out)
{
	const struct http_call call = {
		.method = "POST",
		.url = arena_printf(op->arena, "%.*s/twirp/livekit.RoomService/ListRooms", STR_ARG(a->conf->livekit_url)),
		.body = S("{\"names\":[\"tgo-call-check\"]}"),
		.content_type = S("application/json"),
		.bearer = token_for_api(op, a->conf, S("{\"roomList\":true}")),
		.timeout_ms = CALL_MS,
	};
	struct http_answer answer = { 0 };
	enum err e = httpc_call(op, a->http, &call, &answer);

	*status_out = answer.status;
	*why_out = answer.status == 0 ? answer.why : answer.body;
	return e;
}
