/* moderation - what backends and creators decide: invite, end, remove, mute, set a status.
 * SPDX-License-Identifier: MIT */
#include "api/handlers.h"
#include "api/input.h"
#include "api/limits.h"
#include "api/views.h"
#include "model/ids.h"

struct invite_json {
	struct json_strs uids;
	struct str by;
	int64_t timeout;
};
static const struct json_field INVITE_IN[] = {
	{ .name = "uids", .kind = JSON_IN_STRS, .offset = offsetof(struct invite_json, uids), .max = 999,
	  .ok = text_clean, .required = true },
	{ .name = "by", .kind = JSON_IN_STR, .offset = offsetof(struct invite_json, by), .min = 1,
	  .max = ID_MAX, .ok = text_clean },
	{ .name = "timeout", .kind = JSON_IN_INT, .offset = offsetof(struct invite_json, timeout), .min = 5,
	  .max = 600 },
};

HANDLER(api_room_invite)
{
	const struct access access = input_access(who, WHO_TICKET_ACTIVE);
	struct invite_json in = { 0 };
	struct invite_in invite = { 0 };
	struct view v = { 0 };
	const struct answer answer = { &ANSWER_ROOM_INVITED, &v };
	enum err e;

	if (!id_ok(rq->args[0]))
		return ERR_ROOM_NOT_FOUND;
	if ((e = json_read(op, rq->body, INVITE_IN, N_ELEMS(INVITE_IN), &in)) != ERR_OK)
		return e;
	invite.by = in.by;
	if (who->kind == CALLER_TICKET && (e = input_uid(op, who, "by", in.by, &invite.by)) != ERR_OK)
		return e;
	invite.uids = in.uids.at;
	invite.n_uids = in.uids.n;
	invite.timeout_s = in.timeout;
	if ((e = limit_check(op, sv, who, RATE_INVITE, invite.by)) != ERR_OK)
		return e;
	answer_promise(op, &answer);
	e = op_invite(op, sv, rq->args[0], &invite, &access, &v);
	return answer_give(op, &answer, e, rp);
}

HANDLER(api_room_end)
{
	const struct access access = input_access(who, WHO_CREATOR);
	struct view v = { 0 };
	const struct answer answer = { &ANSWER_ROOM, &v };
	enum err e;

	if (!id_ok(rq->args[0]))
		return ERR_ROOM_NOT_FOUND;
	answer_promise(op, &answer);
	e = op_end(op, sv, rq->args[0], &access, &v);
	return answer_give(op, &answer, e, rp);
}

HANDLER(api_room_remove)
{
	const struct access access = input_access(who, WHO_CREATOR);
	struct view v = { 0 };
	const struct answer answer = { &ANSWER_ROOM, &v };
	enum err e;

	if (!id_ok(rq->args[0]))
		return ERR_ROOM_NOT_FOUND;
	e = op_remove(op, sv, rq->args[0], rq->args[1], &access, &v);
	return answer_give(op, &answer, e, rp);
}

static bool
source_ok(struct str s)
{
	return str_eq(s, S("camera")) || str_eq(s, S("microphone")) || str_eq(s, S("screen_share"));
}

static enum track_source
source_of(struct str s)
{
	if (str_eq(s, S("camera")))
		return TRACK_CAMERA;
	if (str_eq(s, S("microphone")))
		return TRACK_MICROPHONE;
	return str_eq(s, S("screen_share")) ? TRACK_SCREEN_SHARE : TRACK_ALL;
}

struct mute_json {
	struct str source;
	bool muted;
};
static const struct json_field MUTE_IN[] = {
	{ .name = "source", .kind = JSON_IN_STR, .offset = offsetof(struct mute_json, source), .max = 20, .ok = source_ok },
	{ .name = "muted", .kind = JSON_IN_BOOL, .offset = offsetof(struct mute_json, muted) },
};

HANDLER(api_room_mute)
{
	/* A person may mute itself; the creator anybody. */
	bool own = who->kind == CALLER_TICKET && str_eq(who->uid, rq->args[1]);
	const struct access access = input_access(who, own ? WHO_TICKET_ROW : WHO_CREATOR);
	struct mute_json in = { .muted = true };
	struct view v = { 0 };
	enum err e;

	if (!id_ok(rq->args[0]))
		return ERR_ROOM_NOT_FOUND;
	if (rq->body.len > 0 && (e = json_read(op, rq->body, MUTE_IN, N_ELEMS(MUTE_IN), &in)) != ERR_OK)
		return e;
	e = op_mute(op, sv, rq->args[0], rq->args[1], source_of(in.source), in.muted, &access, &v);
	return e != ERR_OK ? e : reply_participant(rp, &v);
}

struct status_json { int64_t status; };
static const struct json_field STATUS_IN[] = {
	{ .name = "status", .kind = JSON_IN_INT, .offset = offsetof(struct status_json, status),
	  .max = ROOM_STATUS_COUNT - 1, .required = true },
};

HANDLER(api_room_status)
{
	struct status_json in = { 0 };
	struct view v = { 0 };
	const struct answer answer = { &ANSWER_ROOM, &v };
	enum err e;

	(void)who;
	if (!id_ok(rq->args[0]))
		return ERR_ROOM_NOT_FOUND;
	if ((e = json_read(op, rq->body, STATUS_IN, N_ELEMS(STATUS_IN), &in)) != ERR_OK)
		return e;
	e = op_put_room_status(op, sv, rq->args[0], in.status, &v);
	return answer_give(op, &answer, e, rp);
}

HANDLER(api_participant_status)
{
	struct status_json in = { 0 };
	struct view v = { 0 };
	enum err e;

	(void)who;
	if (!id_ok(rq->args[0]))
		return ERR_ROOM_NOT_FOUND;
	if (!id_ok(rq->args[1]))
		return ERR_PARTICIPANT_NOT_FOUND;
	if ((e = json_read(op, rq->body, STATUS_IN, N_ELEMS(STATUS_IN), &in)) != ERR_OK)
		return e;
	if ((e = op_put_participant_status(op, sv, rq->args[0], rq->args[1], in.status, &v)) != ERR_OK)
		return e;
	return reply_participant(rp, &v);
}

struct calling_json { struct json_strs uids; };
static const struct json_field CALLING_IN[] = {
	{ .name = "uids", .kind = JSON_IN_STRS, .offset = offsetof(struct calling_json, uids), .max = 999,
	  .ok = text_clean, .required = true },
};

HANDLER(api_calling)
{
	struct calling_json in = { 0 };
	struct calling_row *rows = NULL;
	struct jsonw w;
	size_t n;
	enum err e;

	(void)who;
	if ((e = json_read(op, rq->body, CALLING_IN, N_ELEMS(CALLING_IN), &in)) != ERR_OK)
		return e;
	if ((e = op_calling(op, sv, in.uids.at, in.uids.n, &rows, &n)) != ERR_OK)
		return e;
	jsonw_init(&w, &rp->body);
	jsonw_obj(&w, NULL);
	jsonw_arr(&w, "data");
	for (size_t i = 0; i < n; i++) {
		jsonw_obj(&w, NULL);
		jsonw_str(&w, "room_id", rows[i].room_id);
		jsonw_str(&w, "uid", rows[i].uid);
		jsonw_i64(&w, "status", rows[i].status);
		jsonw_obj_end(&w);
	}
	jsonw_arr_end(&w);
	jsonw_obj_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}
