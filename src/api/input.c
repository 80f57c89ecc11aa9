/* input - reads what requests have in common.
 * SPDX-License-Identifier: MIT */
#include "api/input.h"

#include <string.h>

#include "base/codec.h"
#include "model/ids.h"

enum { CURSOR_BYTES = 64, EVENT_TYPE_MAX = 40, ENDPOINT_ID_LEN = 16, TYPES_MAX = 50 };

enum err
input_refuse(struct op *op, const char *field)
{
	op->bad_field = field;
	return ERR_INVALID_PARAMETERS;
}

enum err
input_uid(struct op *op, const struct caller *who, const char *field, struct str given, struct str *uid_out)
{
	if (who->kind == CALLER_TICKET) {
		if (given.len > 0 && !str_eq(given, who->uid))
			return ERR_FORBIDDEN;
		*uid_out = who->uid;
		return ERR_OK;
	}
	if (given.len == 0)
		return input_refuse(op, field);
	*uid_out = given;
	return ERR_OK;
}

struct access
input_access(const struct caller *who, unsigned route_who)
{
	return (struct access){
		.ticket = who->kind == CALLER_TICKET,
		.uid = who->uid,
		.row = (route_who & WHO_TICKET_ROW) != 0,
		.active_row = (route_who & WHO_TICKET_ACTIVE) != 0,
		.creator = (route_who & WHO_CREATOR) != 0,
	};
}

bool
input_device_type_ok(struct str s)
{
	return text_ok(s, 1, DEVICE_TYPE_MAX);
}

bool
input_device_id_ok(struct str s)
{
	return text_ok(s, 1, DEVICE_ID_MAX);
}

static bool
only(struct str s, const char *allowed)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] == '\0' || strchr(allowed, s.at[i]) == NULL)
			return false;
	return true;
}

bool
input_event_type_ok(struct str s)
{
	return s.len >= 1 && s.len <= EVENT_TYPE_MAX && only(s, "abcdefghijklmnopqrstuvwxyz.");
}

bool
input_endpoint_id_ok(struct str s)
{
	return s.len == ENDPOINT_ID_LEN && only(s, "0123456789abcdef");
}

enum err
input_query_types(struct op *op, const struct request *rq, struct json_strs *out)
{
	struct str text, part;
	bool bad = false;

	*out = (struct json_strs){ 0 };
	if (!request_query(op->arena, rq, "types", &text, &bad) || (text.len == 0 && !bad))
		return ERR_OK;
	out->at = arena_array(op->arena, TYPES_MAX, sizeof(*out->at));
	while (!bad && str_split(&text, ',', &part)) {
		bad = out->n == TYPES_MAX || !input_event_type_ok(part);
		if (!bad)
			out->at[out->n++] = part;
	}
	return bad ? input_refuse(op, "types") : ERR_OK;
}

enum err
input_query_i64(struct op *op, const struct request *rq, const char *name, int64_t min, int64_t max, int64_t *out)
{
	struct str text;
	bool bad = false;

	if (!request_query(op->arena, rq, name, &text, &bad))
		return ERR_OK;
	if (bad)
		return input_refuse(op, name);
	if (text.len > 0 && !parse_i64(text, min, max, out))
		return input_refuse(op, name);
	return ERR_OK;
}

enum err
input_query_str(struct op *op, const struct request *rq, const char *name, bool (*ok)(struct str),
    struct str *out)
{
	bool bad = false;

	*out = S("");
	if (!request_query(op->arena, rq, name, out, &bad))
		return ERR_OK;
	if (bad)
		return input_refuse(op, name);
	if (out->len > 0 && !ok(*out))
		return input_refuse(op, name);
	return ERR_OK;
}

struct str
cursor_make(struct op *op, const struct call *last)
{
	struct str plain = arena_printf(op->arena, "%lld.%lld", (long long)last->room.created_at_ms,
	    (long long)last->room.id);
	struct strbuf b;

	strbuf_init_arena(&b, op->arena, CURSOR_BYTES, CURSOR_BYTES);
	base64url_encode(&b, plain.at, plain.len);
	return strbuf_str(&b);
}

enum err
cursor_read(struct op *op, const struct request *rq, struct list_filter *f)
{
	uint8_t bytes[CURSOR_BYTES];
	size_t n = sizeof(bytes);
	struct str text, rest, ms;
	bool bad = false;

	if (!request_query(op->arena, rq, "cursor", &text, &bad))
		return ERR_OK;
	if (bad)
		return input_refuse(op, "cursor");
	if (text.len == 0)
		return ERR_OK;
	if (text.len > CURSOR_BYTES || !base64url_decode(text, bytes, &n))
		return input_refuse(op, "cursor");
	rest = (struct str){ (const char *)bytes, n };
	if (!str_split(&rest, '.', &ms) || !parse_i64(ms, 0, INT64_MAX, &f->after_ms) || rest.at == NULL ||
	    !parse_i64(rest, 0, INT64_MAX, &f->after_id))
		return input_refuse(op, "cursor");
	return ERR_OK;
}
