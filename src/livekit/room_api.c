/* room_api - calls to LiveKit's RoomService, one at a time.
 * SPDX-License-Identifier: MIT */
#include "livekit/room_api.h"

#include "livekit/twirp.h"

/* LiveKit takes 3 s to find that no node has a room. */
enum { NO_NODE_MS = 4000 };

static enum err
ask(struct op *op, const struct room_api *a, const char *method, const struct http_call *call,
    const struct json **reply_out)
{
	struct http_answer answer = { 0 };
	enum err e = httpc_call(op, a->http, call, &answer);

	return twirp_read(op, method, e, &answer, reply_out);
}

enum err
room_api_create(struct op *op, const struct room_api *a, struct str room_id)
{
	const struct http_call call = twirp_create_room(op, a->conf, room_id);
	const struct json *reply;

	return ask(op, a, "CreateRoom", &call, &reply);
}

static enum err
get_participant(struct op *op, const struct room_api *a, struct str room_id, struct str uid,
    const struct json **who_out)
{
	const struct http_call call = twirp_get_participant(op, a->conf, room_id, uid);

	return ask(op, a, "GetParticipant", &call, who_out);
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

/* Of one person: where they are and which track. */
struct track {
	struct str room_id, uid, sid;
};

static enum err
mute_track(struct op *op, const struct room_api *a, const struct track *t, bool muted)
{
	const struct json *reply;
	struct http_call call;
	struct strbuf b;
	struct jsonw w;

	twirp_begin(op, &b, &w);
	jsonw_str(&w, "room", t->room_id);
	jsonw_str(&w, "identity", t->uid);
	jsonw_str(&w, "track_sid", t->sid);
	jsonw_bool(&w, "muted", muted);
	jsonw_obj_end(&w);
	call = twirp_call(op, a->conf, "MutePublishedTrack", twirp_admin_of(op, t->room_id), strbuf_str(&b));
	return ask(op, a, "MutePublishedTrack", &call, &reply);
}

enum err
room_api_mute(struct op *op, const struct room_api *a, struct str room_id, struct str uid,
    enum track_source source, bool muted)
{
	const struct json *who, *tracks;
	enum err e;

	/* First: an absent person would make LiveKit wait for three seconds. */
	e = get_participant(op, a, room_id, uid, &who);
	if (e != ERR_OK)
		return e;
	tracks = json_get(who, "tracks");
	for (size_t i = 0; i < json_len(tracks); i++) {
		const struct json *track = json_at(tracks, i);
		const struct track t = { room_id, uid, json_str(json_get(track, "sid")) };

		if (!source_matches(track, source) || json_is_true(json_get(track, "muted")) == muted)
			continue;
		if ((e = mute_track(op, a, &t, muted)) != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err
room_api_session(struct op *op, const struct room_api *a, struct str room_id, struct str uid,
    struct str *sid_out)
{
	const struct json *who;
	enum err e = get_participant(op, a, room_id, uid, &who);

	*sid_out = json_str(e == ERR_OK ? json_get(who, "sid") : NULL);
	return e;
}

enum err
room_api_remove(struct op *op, const struct room_api *a, struct str room_id, struct str uid)
{
	const struct http_call call = twirp_remove_participant(op, a->conf, room_id, uid);
	const struct json *reply;

	return ask(op, a, "RemoveParticipant", &call, &reply);
}

enum err
room_api_delete(struct op *op, const struct room_api *a, struct str room_id)
{
	const struct http_call call = twirp_delete_room(op, a->conf, room_id);
	const struct json *reply;

	return ask(op, a, "DeleteRoom", &call, &reply);
}

enum err
room_api_probe(struct op *op, const struct room_api *a, int *status_out, struct str *why_out)
{
	const struct str nobody = S("tgo-call-check");
	const struct http_call call = twirp_list_rooms(op, a->conf, &nobody, 1);
	struct http_answer answer = { 0 };
	enum err e = httpc_call(op, a->http, &call, &answer);

	*status_out = answer.status;
	*why_out = answer.status == 0 ? answer.why : answer.body;
	return e;
}

enum lists_from
room_api_lists(struct op *op, const struct room_api *a)
{
	struct http_call call = twirp_list_participants(op, a->conf, S("tgo-call-check"));
	struct http_answer answer = { 0 };
	enum err e;

	call.timeout_ms = NO_NODE_MS;
	e = httpc_call(op, a->http, &call, &answer);
	if (twirp_no_node(op, "ListParticipants", e, &answer))
		return LISTS_FROM_NODES;
	return e == ERR_OK && answer.status == 200 ? LISTS_FROM_REDIS : LISTS_UNKNOWN;
}
