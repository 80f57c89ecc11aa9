/* twirp - builds requests to LiveKit's RoomService and reads what it answers.
 * SPDX-License-Identifier: MIT */
#include "livekit/twirp.h"

#include "livekit/token.h"

/* The longest request names CENSUS_NAMES_MAX rooms. */
enum { REQUEST_BYTES = 512, REQUEST_MAX_BYTES = 256 * 1024 };

void
twirp_begin(struct op *op, struct strbuf *b, struct jsonw *w)
{
	strbuf_init_arena(b, op->arena, REQUEST_BYTES, REQUEST_MAX_BYTES);
	jsonw_init(w, b);
	jsonw_obj(w, NULL);
}

struct http_call
twirp_call(struct op *op, const struct conf *c, const char *method, struct str grants, struct str body)
{
	return (struct http_call){
		.method = "POST",
		.url = arena_printf(op->arena, "%.*s/twirp/livekit.RoomService/%s", STR_ARG(c->livekit_url), method),
		.body = body,
		.content_type = S("application/json"),
		.bearer = token_for_api(op, c, grants),
		.timeout_ms = TWIRP_MS,
	};
}

struct str
twirp_admin_of(struct op *op, struct str room_id)
{
	struct strbuf b;
	struct jsonw w;

	twirp_begin(op, &b, &w);
	jsonw_bool(&w, "roomAdmin", true);
	jsonw_str(&w, "room", room_id);
	jsonw_obj_end(&w);
	return strbuf_str(&b);
}

/* uid "": about the room. */
static struct http_call
admin_call(struct op *op, const struct conf *c, const char *method, struct str room_id, struct str uid)
{
	struct strbuf b;
	struct jsonw w;

	twirp_begin(op, &b, &w);
	jsonw_str(&w, "room", room_id);
	if (uid.len > 0)
		jsonw_str(&w, "identity", uid);
	jsonw_obj_end(&w);
	return twirp_call(op, c, method, twirp_admin_of(op, room_id), strbuf_str(&b));
}

/* The room's name is `key` of the request. */
static struct http_call
creator_call(struct op *op, const struct conf *c, const char *method, const char *key, struct str room_id)
{
	struct strbuf b;
	struct jsonw w;

	twirp_begin(op, &b, &w);
	jsonw_str(&w, key, room_id);
	jsonw_obj_end(&w);
	return twirp_call(op, c, method, S("{\"roomCreate\":true}"), strbuf_str(&b));
}

struct http_call
twirp_create_room(struct op *op, const struct conf *c, struct str room_id)
{
	return creator_call(op, c, "CreateRoom", "name", room_id);
}

struct http_call
twirp_list_rooms(struct op *op, const struct conf *c, const struct str *names, size_t n)
{
	struct strbuf b;
	struct jsonw w;

	twirp_begin(op, &b, &w);
	jsonw_strs(&w, "names", names, n);
	jsonw_obj_end(&w);
	return twirp_call(op, c, "ListRooms", S("{\"roomList\":true}"), strbuf_str(&b));
}

struct http_call
twirp_list_participants(struct op *op, const struct conf *c, struct str room_id)
{
	return admin_call(op, c, "ListParticipants", room_id, S(""));
}

struct http_call
twirp_get_participant(struct op *op, const struct conf *c, struct str room_id, struct str uid)
{
	return admin_call(op, c, "GetParticipant", room_id, uid);
}

struct http_call
twirp_remove_participant(struct op *op, const struct conf *c, struct str room_id, struct str uid)
{
	return admin_call(op, c, "RemoveParticipant", room_id, uid);
}

struct http_call
twirp_ask_for(struct op *op, const struct conf *c, struct str room_id, struct str uid)
{
	return admin_call(op, c, "UpdateSubscriptions", room_id, uid);
}

struct http_call
twirp_delete_room(struct op *op, const struct conf *c, struct str room_id)
{
	return creator_call(op, c, "DeleteRoom", "room", room_id);
}

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

static void
count(struct op *op, const char *method, const struct http_answer *a, bool failed)
{
	meter_time(op->meter, METER_LIVEKIT_TIME, str_of(method), a->us);
	if (failed)
		meter_add(op->meter, METER_LIVEKIT_ERRORS, str_of(method), S(""), 1);
}

/* What an answer says, whatever it costs us; ERR_UNAVAILABLE: nothing. */
static enum err
meaning_of(const struct http_answer *a, const struct json *reply)
{
	if (a->status == 200)
		return ERR_OK;
	if (a->status == 404 && str_eq(json_str(json_get(reply, "code")), S("not_found")))
		return ERR_PARTICIPANT_NOT_FOUND;
	return a->status == 412 ? ERR_ILLEGAL_TRANSITION : ERR_UNAVAILABLE;
}

enum err
twirp_read(struct op *op, const char *method, enum err e, const struct http_answer *a,
    const struct json **reply_out)
{
	const struct json *reply = e == ERR_OK ? json_parse(op->arena, a->body, NULL) : NULL;

	*reply_out = reply;
	e = json_type(reply) == JSON_OBJECT ? meaning_of(a, reply) : ERR_UNAVAILABLE;
	count(op, method, a, e == ERR_UNAVAILABLE);
	if (e == ERR_UNAVAILABLE)
		log_refused(op, method, a);
	return e;
}

bool
twirp_no_node(struct op *op, const char *method, enum err e, const struct http_answer *a)
{
	const struct json *reply;
	bool none;

	if (e != ERR_OK || a->status != 503)
		return false;
	reply = json_parse(op->arena, a->body, NULL);
	none = json_type(reply) == JSON_OBJECT && str_eq(json_str(json_get(reply, "code")), S("unavailable"));
	if (none)
		count(op, method, a, false);
	return none;
}
