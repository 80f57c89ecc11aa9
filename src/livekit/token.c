/* token - mints LiveKit access tokens.
 * SPDX-License-Identifier: MIT */
#include "livekit/token.h"

#include "base/clock.h"
#include "base/jsonw.h"
#include "base/rng.h"
#include "crypto/jwt.h"

enum { CLAIMS_BYTES = 1024, CLAIMS_MAX_BYTES = 64 * 1024, API_LIFE_S = 60 };

static void
put_standard(struct jsonw *w, const struct op *op, const struct conf *c, int64_t life_s)
{
	/* It is a node that will look at its clock. */
	int64_t now_s = clock_wall_ms() / 1000 + op->nodes_ahead_s;

	jsonw_str(w, "iss", c->livekit_keys[0].name);
	jsonw_i64(w, "nbf", now_s);
	jsonw_i64(w, "iat", now_s);
	jsonw_i64(w, "exp", now_s + life_s);
}

/* Tells this token from the person's next one. */
static void
put_unique_id(struct jsonw *w, struct op *op)
{
	struct strbuf b;

	strbuf_init_arena(&b, op->arena, 33, 33);
	rng_hex32(&b);
	jsonw_str(w, "jti", strbuf_str(&b));
}

static struct str
default_metadata(struct op *op, const struct token_for *t)
{
	struct strbuf b;
	struct jsonw w;

	strbuf_init_arena(&b, op->arena, 128, 1024);
	jsonw_init(&w, &b);
	jsonw_obj(&w, NULL);
	jsonw_str(&w, "device_type", t->device_type);
	jsonw_obj_end(&w);
	return strbuf_str(&b);
}

/* The device travels with the media session: LiveKit's events bring it back. Attributes that a caller
 * chose are where its device was read from, so they say it already. */
static void
put_attributes(struct jsonw *w, const struct token_for *t)
{
	if (t->attributes.len > 2) {
		jsonw_raw(w, "attributes", t->attributes);
		return;
	}
	jsonw_obj(w, "attributes");
	if (t->device_type.len > 0)
		jsonw_str(w, "device_type", t->device_type);
	if (t->device_id.len > 0)
		jsonw_str(w, "device_id", t->device_id);
	jsonw_obj_end(w);
}

static void
put_grants(struct jsonw *w, const struct token_for *t)
{
	jsonw_obj(w, "video");
	jsonw_str(w, "room", t->room_id);
	jsonw_bool(w, "roomJoin", true);
	jsonw_bool(w, "canPublish", true);
	jsonw_bool(w, "canSubscribe", true);
	jsonw_bool(w, "canPublishData", true);
	jsonw_obj_end(w);
}

static void
log_minted(struct op *op, const struct conf *c, const struct token_for *t, int64_t life_s)
{
	struct log_line l;

	log_begin(&l, op->log, LOG_INFO, "LiveKit Token 生成成功", "token_minted", op->request_id);
	log_str(&l, "room_id", t->room_id);
	log_str(&l, "uid", t->uid);
	log_str(&l, "device_type", t->device_type);
	log_str(&l, "livekit_url", t->livekit_url);
	log_str(&l, "backend_url", c->livekit_url);
	log_i64(&l, "timeout", life_s);
	log_str(&l, "livekit_node", t->livekit_node);
	log_end(&l);
}

struct str
token_mint(struct op *op, const struct conf *c, const struct token_for *t)
{
	int64_t life_s = t->ttl_s > 0 ? t->ttl_s : c->token_ttl_s;
	struct strbuf b;
	struct jsonw w;

	strbuf_init_arena(&b, op->arena, CLAIMS_BYTES, CLAIMS_MAX_BYTES);
	jsonw_init(&w, &b);
	jsonw_obj(&w, NULL);
	put_standard(&w, op, c, life_s);
	jsonw_str(&w, "sub", t->uid);
	put_unique_id(&w, op);
	if (t->name.len > 0)
		jsonw_str(&w, "name", t->name);
	jsonw_str(&w, "metadata", t->metadata.len > 0 ? t->metadata : default_metadata(op, t));
	put_attributes(&w, t);
	put_grants(&w, t);
	if (t->room_config.len > 0)
		jsonw_raw(&w, "roomConfig", t->room_config);
	jsonw_obj_end(&w);

	log_minted(op, c, t, life_s);
	meter_add(op->meter, METER_TOKENS, t->livekit_node, S(""), 1);
	op->livekit_url = t->livekit_url;
	op->livekit_node = t->livekit_node;
	return jwt_sign(op->arena, c->livekit_keys[0].value, strbuf_str(&b));
}

struct str
token_for_api(struct op *op, const struct conf *c, struct str grants)
{
	struct strbuf b;
	struct jsonw w;

	strbuf_init_arena(&b, op->arena, CLAIMS_BYTES, CLAIMS_BYTES);
	jsonw_init(&w, &b);
	jsonw_obj(&w, NULL);
	put_standard(&w, op, c, API_LIFE_S);
	jsonw_raw(&w, "video", grants);
	jsonw_obj_end(&w);
	return jwt_sign(op->arena, c->livekit_keys[0].value, strbuf_str(&b));
}
