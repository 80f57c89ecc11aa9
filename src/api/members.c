/* members - people entering and leaving calls: join, leave, reject, a new token.
 * SPDX-License-Identifier: MIT */
#include "api/handlers.h"
#include "api/input.h"
#include "api/limits.h"
#include "api/views.h"
#include "model/ids.h"

struct member_in {
	struct str room_id, uid, device_type, device_id, name, reason;
	bool takeover, has_takeover;
	int64_t ttl_s;
};
#define AT(field) offsetof(struct member_in, field)
#define UID_FIELD { .name = "uid", .kind = JSON_IN_STR, .offset = AT(uid), .min = 1, .max = ID_MAX, .ok = text_clean }
#define ROOM_FIELD { .name = "room_id", .kind = JSON_IN_STR, .offset = AT(room_id), .min = 1, .max = ID_MAX, .ok = text_clean, .required = true }
#define DEVICE_FIELDS                                                                             \
	{ .name = "device_type", .kind = JSON_IN_STR, .offset = AT(device_type), .min = 1, .max = DEVICE_TYPE_MAX, .ok = text_clean }, \
	{ .name = "device_id", .kind = JSON_IN_STR, .offset = AT(device_id), .min = 1, .max = DEVICE_ID_MAX, .ok = text_clean }
#define TTL_FIELD { .name = "ttl_s", .kind = JSON_IN_INT, .offset = AT(ttl_s), .min = 60, .max = 86400 }
#define JOIN_FIELDS UID_FIELD, DEVICE_FIELDS, TTL_FIELD,                                          \
	{ .name = "name", .kind = JSON_IN_STR, .offset = AT(name), .min = 1, .max = NAME_MAX_CHARS, .ok = text_clean }, \
	{ .name = "takeover", .kind = JSON_IN_BOOL, .offset = AT(takeover), .has_offset = AT(has_takeover) }

static bool
reject_reason_ok(struct str s)
{
	return str_eq(s, S("declined")) || str_eq(s, S("busy"));
}

static const struct json_field JOIN_IN[] = { JOIN_FIELDS };
static const struct json_field JOIN_BODY_IN[] = { ROOM_FIELD, JOIN_FIELDS };
static const struct json_field LEAVE_IN[] = { UID_FIELD, DEVICE_FIELDS };
static const struct json_field LEAVE_BODY_IN[] = { ROOM_FIELD, UID_FIELD, DEVICE_FIELDS };
static const struct json_field REJECT_IN[] = { UID_FIELD, DEVICE_FIELDS,
	{ .name = "reason", .kind = JSON_IN_STR, .offset = AT(reason), .max = 20, .ok = reject_reason_ok } };
static const struct json_field TOKEN_IN[] = { UID_FIELD, TTL_FIELD };
#undef AT

/* Reads a body by a table and says who acts on which call. The path's room wins; a table with room_id
 * has none in its path. */
static enum err
read_member(struct op *op, const struct request *rq, const struct caller *who, const struct json_field *fields,
    size_t n_fields, struct member_in *in)
{
	struct str uid;
	enum err e;

	if ((e = json_read(op, rq->body, fields, n_fields, in)) != ERR_OK)
		return e;
	if ((e = input_uid(op, who, "uid", in->uid, &uid)) != ERR_OK)
		return e;
	in->uid = op->uid = uid;
	if (in->room_id.len == 0)
		in->room_id = rq->args[0];
	if (in->device_id.len == 0)
		in->device_id = who->device_id;
	return id_ok(in->room_id) ? ERR_OK : ERR_ROOM_NOT_FOUND;
}

static struct actor
actor_of(const struct member_in *in)
{
	return (struct actor){ .uid = in->uid, .name = in->name, .device_type = in->device_type,
	    .device_id = in->device_id };
}

static enum err
join(struct op *op, struct services *sv, const struct caller *who, const struct member_in *in, struct reply *rp)
{
	const struct join_req join = {
		.room_id = in->room_id,
		.who = actor_of(in),
		.takeover = !in->has_takeover ? TAKEOVER_BY_DEFAULT : in->takeover ? TAKEOVER_YES : TAKEOVER_NO,
		.ttl_s = in->ttl_s,
		.access = input_access(who, 0),
	};
	struct view v = { 0 };
	const struct answer answer = { &ANSWER_ROOM_RESP, &v };
	enum err e;

	if ((e = limit_check(op, sv, who, RATE_TOKEN, in->uid)) != ERR_OK)
		return e;
	answer_promise(op, &answer);
	e = op_join(op, sv, &join, &v);
	return answer_give(op, &answer, e, rp);
}

HANDLER(api_room_join)
{
	struct member_in in = { .device_type = S(DEVICE_DEFAULT) };
	enum err e;

	if ((e = read_member(op, rq, who, JOIN_IN, N_ELEMS(JOIN_IN), &in)) != ERR_OK)
		return e;
	return join(op, sv, who, &in, rp);
}

HANDLER(api_participants_join)
{
	struct member_in in = { .device_type = S(DEVICE_DEFAULT) };
	enum err e;

	if ((e = read_member(op, rq, who, JOIN_BODY_IN, N_ELEMS(JOIN_BODY_IN), &in)) != ERR_OK)
		return e;
	return join(op, sv, who, &in, rp);
}

static enum err
leave(struct op *op, struct services *sv, const struct caller *who, const struct member_in *in, struct reply *rp)
{
	const struct access access = input_access(who, WHO_TICKET_ROW);
	const struct actor actor = actor_of(in);
	struct view v = { 0 };
	const struct answer answer = { &ANSWER_ROOM, &v };
	enum err e;

	answer_promise(op, &answer);
	e = op_leave(op, sv, in->room_id, &actor, &access, &v);
	return answer_give(op, &answer, e, rp);
}

HANDLER(api_room_leave)
{
	struct member_in in = { 0 };
	enum err e;

	if ((e = read_member(op, rq, who, LEAVE_IN, N_ELEMS(LEAVE_IN), &in)) != ERR_OK)
		return e;
	return leave(op, sv, who, &in, rp);
}

HANDLER(api_participants_leave)
{
	struct member_in in = { 0 };
	enum err e;

	if ((e = read_member(op, rq, who, LEAVE_BODY_IN, N_ELEMS(LEAVE_BODY_IN), &in)) != ERR_OK)
		return e;
	return leave(op, sv, who, &in, rp);
}

HANDLER(api_room_reject)
{
	struct member_in in = { 0 };
	struct view v = { 0 };
	const struct answer answer = { &ANSWER_ROOM, &v };
	enum err e;

	if ((e = read_member(op, rq, who, REJECT_IN, N_ELEMS(REJECT_IN), &in)) != ERR_OK)
		return e;
	const struct reject_req reject = {
		.room_id = in.room_id,
		.who = actor_of(&in),
		.why = str_eq(in.reason, S("busy")) ? REFUSE_BUSY : REFUSE_DECLINED,
		.access = input_access(who, WHO_TICKET_ROW),
	};
	answer_promise(op, &answer);
	e = op_reject(op, sv, &reject, &v);
	return answer_give(op, &answer, e, rp);
}

HANDLER(api_room_token)
{
	struct member_in in = { 0 };
	struct view v = { 0 };
	const struct answer answer = { &ANSWER_ROOM_RESP, &v };
	enum err e;

	if ((e = read_member(op, rq, who, TOKEN_IN, N_ELEMS(TOKEN_IN), &in)) != ERR_OK)
		return e;
	if ((e = limit_check(op, sv, who, RATE_TOKEN, in.uid)) != ERR_OK)
		return e;
	e = op_refresh(op, sv, in.room_id, in.uid, in.ttl_s, &v);
	return answer_give(op, &answer, e, rp);
}
