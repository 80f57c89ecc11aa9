/* tokens - LiveKit's standard token endpoint, and our own tickets for apps.
 * SPDX-License-Identifier: MIT */
#include "api/handlers.h"
#include "api/input.h"
#include "base/clock.h"
#include "base/jsonw.h"
#include "base/rng.h"
#include "model/ids.h"

enum { TOKEN_OBJECT_BYTES = 16 * 1024, TOKEN_METADATA_CHARS = 4096, TICKET_TTL_S = 3600 };

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
	strbuf_init_arena(&b, op->arena, ID_MAX, ID_MAX);
	rng_hex32(&b);
	*uid_out = strbuf_str(&b);
	return ERR_OK;
}

static enum err
write_token(struct reply *rp, const struct view *v, const struct token_json *in)
{
	struct jsonw w;

	rp->status = 201;
	jsonw_init(&w, &rp->body);
	jsonw_obj(&w, NULL);
	jsonw_str(&w, "server_url", v->url);
	jsonw_str(&w, "participant_token", v->token);
	jsonw_str(&w, "room_name", v->call.room.room_id);
	jsonw_str(&w, "participant_name", in->name.len > 0 ? in->name : v->me->name);
	jsonw_obj_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

HANDLER(api_token)
{
	struct join_req join = { .who.device_type = S(DEVICE_DEFAULT), .who.device_id = who->device_id,
	    .access = input_access(who, 0) };
	struct token_json in = { 0 };
	struct view v = { 0 };
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
	if ((e = op_token_source(op, sv, &join, &v)) != ERR_OK)
		return e;
	return write_token(rp, &v, &in);
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
