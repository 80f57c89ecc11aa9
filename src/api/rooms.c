/* rooms - creating calls and answering about them.
 * SPDX-License-Identifier: MIT */
#include "api/handlers.h"
#include "api/input.h"
#include "api/limits.h"
#include "api/views.h"
#include "model/ids.h"

enum { SEATS_MAX = 1000, INVITEES_MAX = 999, METADATA_BYTES = 4096, REGION_MAX = 64, LIST_MAX = 100, LIST_DEFAULT = 10,
	OFFSET_MAX = 1000000,
	/* A page of large calls ends early. With one more call, of as many people as one can have, it still is an answer. */
	PAGE_BYTES = 4 << 20 };
static const int64_t UNIX_S_MAX = 4102444800;         /* the year 2100 */

struct create_in_json {
	struct str creator, device_type, device_id, name, room_id, source_channel_id, metadata, region;
	int64_t rtc_type, call_type, invite_on, max_participants, timeout, source_channel_type;
	bool has_rtc_type;
	struct json_strs uids;
};
#define AT(field) offsetof(struct create_in_json, field)
static const struct json_field CREATE_IN[] = {
	{ .name = "creator", .kind = JSON_IN_STR, .offset = AT(creator), .min = 1, .max = ID_MAX, .ok = text_clean },
	{ .name = "device_type", .kind = JSON_IN_STR, .offset = AT(device_type), .min = 1, .max = DEVICE_TYPE_MAX, .ok = text_clean },
	{ .name = "device_id", .kind = JSON_IN_STR, .offset = AT(device_id), .min = 1, .max = DEVICE_ID_MAX, .ok = text_clean },
	{ .name = "name", .kind = JSON_IN_STR, .offset = AT(name), .min = 1, .max = NAME_MAX_CHARS, .ok = text_clean },
	{ .name = "room_id", .kind = JSON_IN_STR, .offset = AT(room_id), .min = 1, .max = ID_MAX, .ok = room_id_ok },
	{ .name = "rtc_type", .kind = JSON_IN_INT, .offset = AT(rtc_type), .has_offset = AT(has_rtc_type), .max = 1 },
	{ .name = "call_type", .kind = JSON_IN_INT, .offset = AT(call_type), .max = 1 },
	{ .name = "invite_on", .kind = JSON_IN_INT, .offset = AT(invite_on), .max = 1 },
	{ .name = "max_participants", .kind = JSON_IN_INT, .offset = AT(max_participants), .min = INT32_MIN, .max = SEATS_MAX },
	{ .name = "uids", .kind = JSON_IN_STRS, .offset = AT(uids), .max = INVITEES_MAX, .ok = text_clean },
	{ .name = "timeout", .kind = JSON_IN_INT, .offset = AT(timeout), .min = 5, .max = 600 },
	{ .name = "source_channel_id", .kind = JSON_IN_STR, .offset = AT(source_channel_id), .max = 100, .ok = text_clean },
	{ .name = "source_channel_type", .kind = JSON_IN_INT, .offset = AT(source_channel_type), .max = 255 },
	{ .name = "metadata", .kind = JSON_IN_OBJECT, .offset = AT(metadata), .max = METADATA_BYTES },
	{ .name = "region", .kind = JSON_IN_STR, .offset = AT(region), .max = REGION_MAX, .ok = text_clean },
};
#undef AT

HANDLER(api_rooms_create)
{
	struct create_in_json in = { .device_type = S(DEVICE_DEFAULT), .device_id = who->device_id };
	struct view v = { 0 };
	const struct answer answer = { &ANSWER_ROOM_RESP, &v };
	struct str creator;
	enum err e;

	if ((e = json_read(op, rq->body, CREATE_IN, N_ELEMS(CREATE_IN), &in)) != ERR_OK)
		return e;
	if ((e = input_uid(op, who, "creator", in.creator, &creator)) != ERR_OK)
		return e;
	const struct create_req create = {
		.creator = { .uid = creator, .name = in.name, .device_type = in.device_type,
		    .device_id = in.device_id },
		.room_id = in.room_id,
		.rtc_type = in.has_rtc_type ? in.rtc_type : in.call_type,
		.invite_on = in.invite_on,
		.max_participants = in.max_participants,
		.timeout_s = in.timeout,
		.source_channel_id = in.source_channel_id,
		.source_channel_type = in.source_channel_type,
		.metadata = in.metadata,
		.uids = in.uids.at,
		.n_uids = in.uids.n,
	};
	if (in.region.len > 0)
		op->region = in.region;
	if ((e = limit_check(op, sv, who, RATE_CREATE, creator)) != ERR_OK)
		return e;
	answer_promise(op, &answer);
	e = op_create(op, sv, &create, &v);
	return answer_give(op, &answer, e, rp);
}

HANDLER(api_rooms_sync)
{
	struct actor me = { 0 };
	struct view *views;
	struct jsonw w;
	struct str uid;
	size_t n;
	enum err e;

	if ((e = input_query_str(op, rq, "uid", id_ok, &uid)) != ERR_OK)
		return e;
	if ((e = input_uid(op, who, "uid", uid, &me.uid)) != ERR_OK)
		return e;
	if ((e = input_query_str(op, rq, "device_type", input_device_type_ok, &me.device_type)) != ERR_OK)
		return e;
	if ((e = input_query_str(op, rq, "device_id", input_device_id_ok, &me.device_id)) != ERR_OK)
		return e;
	if (me.device_id.len == 0)
		me.device_id = who->device_id;
	if ((e = op_sync(op, sv, &me, &views, &n)) != ERR_OK)
		return e;
	jsonw_init(&w, &rp->body);
	jsonw_arr(&w, NULL);
	for (size_t i = 0; i < n && rp->body.len < PAGE_BYTES; i++)
		view_room_resp(&w, NULL, &views[i], true);
	jsonw_arr_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

/* The call named in the path, for who may see it. An id that no call can have is no call. */
static enum err
get_room(struct op *op, struct services *sv, const struct request *rq, const struct caller *who, struct view *v)
{
	const struct access access = input_access(who, WHO_TICKET_ROW);

	if (!id_ok(rq->args[0]))
		return ERR_ROOM_NOT_FOUND;
	return op_get(op, sv, rq->args[0], &access, v);
}

HANDLER(api_room_get)
{
	struct view v = { 0 };
	const struct answer answer = { &ANSWER_ROOM, &v };
	enum err e;

	e = get_room(op, sv, rq, who, &v);
	return answer_give(op, &answer, e, rp);
}

HANDLER(api_room_participants)
{
	struct view v = { 0 };
	struct jsonw w;
	enum err e;

	if ((e = get_room(op, sv, rq, who, &v)) != ERR_OK)
		return e;
	jsonw_init(&w, &rp->body);
	jsonw_arr(&w, NULL);
	for (size_t i = 0; i < v.call.n_rows; i++)
		view_participant(&w, NULL, &v.call, v.call.rows[i]);
	jsonw_arr_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

HANDLER(api_room_participant)
{
	struct view v = { 0 };
	enum err e;

	if ((e = get_room(op, sv, rq, who, &v)) != ERR_OK)
		return e;
	v.me = call_find(&v.call, rq->args[1]);
	return reply_participant(rp, &v);
}

/* "0,1" -> bits */
static enum err
read_statuses(struct op *op, const struct request *rq, unsigned *bits_out)
{
	struct str text, part;
	bool bad = false;
	int64_t status;

	if (!request_query(op->arena, rq, "status", &text, &bad))
		return ERR_OK;
	if (bad)
		return input_refuse(op, "status");
	if (text.len == 0)
		return ERR_OK;
	while (str_split(&text, ',', &part)) {
		if (!parse_i64(part, 0, ROOM_STATUS_COUNT - 1, &status))
			return input_refuse(op, "status");
		*bits_out |= 1u << status;
	}
	return ERR_OK;
}

static enum err
read_filter(struct op *op, const struct request *rq, struct list_filter *f)
{
	int64_t since_s = 0, until_s = 0;
	enum err e;

	f->limit = LIST_DEFAULT;
	if ((e = input_query_str(op, rq, "uid", id_ok, &f->uid)) != ERR_OK ||
	    (e = input_query_str(op, rq, "creator", id_ok, &f->creator)) != ERR_OK ||
	    (e = input_query_i64(op, rq, "since", 0, UNIX_S_MAX, &since_s)) != ERR_OK ||
	    (e = input_query_i64(op, rq, "until", 0, UNIX_S_MAX, &until_s)) != ERR_OK ||
	    (e = input_query_i64(op, rq, "limit", 1, LIST_MAX, &f->limit)) != ERR_OK ||
	    (e = input_query_i64(op, rq, "offset", 0, OFFSET_MAX, &f->offset)) != ERR_OK ||
	    (e = cursor_read(op, rq, f)) != ERR_OK)
		return e;
	f->since_ms = since_s * 1000;
	f->until_ms = until_s * 1000;
	return read_statuses(op, rq, &f->statuses);
}

/* Where the next page goes on: n of the n_found calls were written. */
static struct str
next_cursor(struct op *op, const struct list_filter *f, const struct call *calls, size_t n, size_t n_found)
{
	bool more = n < n_found || (int64_t)n_found == f->limit;

	return more && n > 0 ? cursor_make(op, &calls[n - 1]) : S("");
}

HANDLER(api_rooms_list)
{
	struct list_filter f = { 0 };
	struct call *calls;
	struct jsonw w;
	size_t n, n_found;
	int64_t total;
	enum err e;

	(void)who;
	if ((e = read_filter(op, rq, &f)) != ERR_OK)
		return e;
	if ((e = op_list(op, sv, &f, &calls, &n_found, &total)) != ERR_OK)
		return e;
	jsonw_init(&w, &rp->body);
	jsonw_obj(&w, NULL);
	jsonw_arr(&w, "rooms");
	for (n = 0; n < n_found && rp->body.len < PAGE_BYTES; n++) {
		jsonw_obj(&w, NULL);
		view_room_fields(&w, &calls[n], calls[n].room.livekit_url);
		jsonw_strs(&w, "busy_uids", NULL, 0);
		jsonw_obj_end(&w);
	}
	jsonw_arr_end(&w);
	jsonw_i64(&w, "total", total);
	jsonw_str(&w, "next_cursor", next_cursor(op, &f, calls, n, n_found));
	jsonw_obj_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

HANDLER(api_user_calls)
{
	struct list_filter f = { .limit = LIST_DEFAULT };
	struct call *calls;
	struct jsonw w;
	size_t n, n_found;
	enum err e;

	if (!id_ok(rq->args[0]))
		return input_refuse(op, "uid");
	if ((e = input_uid(op, who, "uid", rq->args[0], &f.uid)) != ERR_OK ||
	    (e = input_query_i64(op, rq, "limit", 1, LIST_MAX, &f.limit)) != ERR_OK ||
	    (e = cursor_read(op, rq, &f)) != ERR_OK)
		return e;
	op->uid = f.uid;
	if ((e = op_list(op, sv, &f, &calls, &n_found, NULL)) != ERR_OK)
		return e;
	jsonw_init(&w, &rp->body);
	jsonw_obj(&w, NULL);
	jsonw_arr(&w, "calls");
	for (n = 0; n < n_found && rp->body.len < PAGE_BYTES; n++) {
		const struct participant *me = call_find(&calls[n], f.uid);

		jsonw_obj(&w, NULL);
		view_room_fields(&w, &calls[n], calls[n].room.livekit_url);
		jsonw_strs(&w, "busy_uids", NULL, 0);
		jsonw_i64(&w, "my_status", me != NULL ? me->status : P_LEFT);
		jsonw_obj_end(&w);
	}
	jsonw_arr_end(&w);
	jsonw_str(&w, "next_cursor", next_cursor(op, &f, calls, n, n_found));
	jsonw_obj_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}
