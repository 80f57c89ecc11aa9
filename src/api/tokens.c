/* tokens - LiveKit's standard token endpoint, and our own tickets for apps.
 * SPDX-License-Identifier: MIT */
#include "api/handlers.h"
#include "api/input.h"
#include "api/limits.h"
#include "api/replay.h"
#include "base/clock.h"
#include "base/jsonw.h"
#include "base/rng.h"
#include "model/ids.h"

enum { TOKEN_OBJECT_BYTES = 16 * 1024, TOKEN_METADATA_CHARS = 4096, TICKET_TTL_S = 3600,
	MADE_ID_LEN = 32 };

struct token_json {
	struct str room_name, identity, name, metadata, attributes, room_config;
};
#define AT(field) offsetof(struct token_json, field)
static const struct json_field TOKEN_IN[] = {
	{ .name = "room_name", .kind = JSON_IN_STR, .offset = AT(room_name), .min = 1, .max = ID_MAX, .ok = room_id_ok, .required = true },
	{ .name = "participant_identity", .kind = JSON_IN_STR, .offset = AT(identity), .min = 1, .max = ID_MAX, .ok = text_clean },
	{ .name = "participant_name", .kind = JSON_IN_STR, .offset = AT(name), .min = 1, .max = NAME_MAX_CHARS, .ok = text_clean },
	{ .name = "participant_metadata", .kind = JSON_IN_STR, .offset = AT(metadata), .max = TOKEN_METADATA_CHARS },
	{ .name = "participant_attributes", .kind = JSON_IN_OBJECT, .offset = AT(attributes), .max = TOKEN_OBJECT_BYTES },
	{ .name = "room_config", .kind = JSON_IN_OBJECT, .offset = AT(room_config), .max = TOKEN_OBJECT_BYTES },
};
#undef AT

/* The device, out of attributes whose values must all be text, as LiveKit takes them. */
static enum err
read_attributes(struct op *op, struct str text, struct actor *who)
{
	const struct json *attributes = text.len > 0 ? json_parse(op->arena, text, NULL) : NULL;
	struct str type, id;

	if (!json_all_strings(attributes))
		return input_refuse(op, "participant_attributes");
	type = json_str(json_get(attributes, "device_type"));
	id = json_str(json_get(attributes, "device_id"));
	if ((type.len > 0 && !input_device_type_ok(type)) || (id.len > 0 && !input_device_id_ok(id)))
		return input_refuse(op, "participant_attributes");
	if (type.len > 0)
		who->device_type = type;
	if (id.len > 0)
		who->device_id = id;
	return ERR_OK;
}

/* Who it is for: the ticket's person; with a key whoever is named, or somebody new. */
static enum err
identity_of(struct op *op, const struct caller *who, struct str given, struct str *uid_out)
{
	struct strbuf b;

	if (who->kind == CALLER_TICKET || given.len > 0)
		return input_uid(op, who, "participant_identity", given, uid_out);
	/* The same one for a repeat: it may find the call that the first try made, and no answer. */
	if (op->once != NULL) {
		*uid_out = (struct str){ op->once->id.at, MADE_ID_LEN };
		return ERR_OK;
	}
	strbuf_init_arena(&b, op->arena, MADE_ID_LEN + 1, MADE_ID_LEN + 1);
	rng_hex32(&b);
	*uid_out = strbuf_str(&b);
	return ERR_OK;
}

struct token_out {
	struct view v;
	struct str name;              /* asked for; "": the one that is stored */
};

static bool
write_access(struct jsonw *w, const void *what)
{
	const struct token_out *out = what;

	jsonw_str(w, "server_url", out->v.url);
	jsonw_str(w, "participant_token", out->v.token);
	return out->v.token.len > 0;
}

static enum err
write_token(struct op *op, struct reply *rp, const void *what)
{
	const struct token_out *out = what;
	struct jsonw w;

	(void)op;
	rp->status = 201;
	jsonw_init(&w, &rp->body);
	jsonw_obj(&w, NULL);
	rp->access_at = rp->body.len;
	(void)write_access(&w, out);
	rp->access_len = rp->body.len - rp->access_at;
	jsonw_str(&w, "room_name", out->v.call.room.room_id);
	jsonw_str(&w, "participant_name", out->name.len > 0 ? out->name : out->v.me->name);
	jsonw_obj_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

static const struct answer_kind ANSWER_TOKEN = { write_token, write_access };

/* TOKEN_CREATES_ROOM: an unknown room is an open call of who asked, which counts as making one. acting: the identity that
 * was asked for. */
static enum err
open_call(struct op *op, struct services *sv, const struct caller *who, const struct join_req *join,
    struct str acting, struct view *out)
{
	enum err e;

	if (!sv->conf->token_creates_room)
		return ERR_ROOM_NOT_FOUND;
	if (join->access.ticket && !sv->conf->ticket_open_join)
		return ERR_FORBIDDEN;
	if ((e = limit_check(op, sv, who, RATE_CREATE, acting)) != ERR_OK)
		return e;
	return op_open_call(op, sv, join, out);
}

HANDLER(api_token)
{
	struct join_req join = { .who.device_type = S(DEVICE_DEFAULT), .who.device_id = who->device_id,
	    .access = input_access(who, 0) };
	struct token_json in = { 0 };
	struct token_out out = { .name = S("") };
	const struct answer answer = { &ANSWER_TOKEN, &out };
	enum err e;

	if ((e = json_read(op, rq->body, TOKEN_IN, N_ELEMS(TOKEN_IN), &in)) != ERR_OK)
		return e;
	if ((e = identity_of(op, who, in.identity, &join.who.uid)) != ERR_OK)
		return e;
	/* A room's configuration is the backend's to choose. */
	if (who->kind == CALLER_TICKET && in.room_config.len > 0 && !str_eq(in.room_config, S("{}")))
		return ERR_FORBIDDEN;
	if ((e = read_attributes(op, in.attributes, &join.who)) != ERR_OK)
		return e;
	join.room_id = in.room_name;
	join.who.name = in.name;
	join.token_metadata = in.metadata;
	join.token_attributes = in.attributes;
	join.token_room_config = str_eq(in.room_config, S("{}")) ? S("") : in.room_config;
	out.name = in.name;
	if ((e = limit_check(op, sv, who, RATE_TOKEN, in.identity)) != ERR_OK)
		return e;
	answer_promise(op, &answer);
	e = op_join(op, sv, &join, &out.v);
	if (e == ERR_ROOM_NOT_FOUND)
		e = open_call(op, sv, who, &join, in.identity, &out.v);
	return answer_give(op, &answer, e, rp);
}

struct ticket_json {
	struct str uid, device_id;
	int64_t ttl_s;
};
static const struct json_field TICKET_IN[] = {
	{ .name = "uid", .kind = JSON_IN_STR, .offset = offsetof(struct ticket_json, uid), .min = 1,
	  .max = ID_MAX, .ok = text_clean, .required = true },
	{ .name = "device_id", .kind = JSON_IN_STR, .offset = offsetof(struct ticket_json, device_id), .min = 1,
	  .max = DEVICE_ID_MAX, .ok = text_clean },
	{ .name = "ttl_s", .kind = JSON_IN_INT, .offset = offsetof(struct ticket_json, ttl_s), .min = 60,
	  .max = 86400 },
};

HANDLER(api_tickets)
{
	struct ticket_json in = { .ttl_s = TICKET_TTL_S };
	int64_t now_ms = clock_wall_ms();
	struct jsonw w;
	enum err e;

	(void)who;
	if ((e = json_read(op, rq->body, TICKET_IN, N_ELEMS(TICKET_IN), &in)) != ERR_OK)
		return e;
	if (sv->conf->ticket_secret.len == 0) {
		log_note(op->log, LOG_ERROR, "未配置 TICKET_SECRET，无法签发票据", "ticket_secret_missing",
		    "set TICKET_SECRET");
		return ERR_UNAVAILABLE;
	}
	op->uid = in.uid;
	jsonw_init(&w, &rp->body);
	jsonw_obj(&w, NULL);
	jsonw_str(&w, "ticket", ticket_mint(op, sv->conf, in.uid, in.device_id, now_ms, in.ttl_s));
	jsonw_i64(&w, "expires_at", now_ms / 1000 + in.ttl_s);
	jsonw_obj_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}
