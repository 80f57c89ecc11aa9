/* join_token - verifies the tokens with which clients come to LiveKit.
 * SPDX-License-Identifier: MIT */
#include "livekit/join_token.h"

#include "crypto/jwt.h"
#include "json/json.h"

enum { LEEWAY_S = 60, KEY_SHOWN_MAX = 64 };

static bool
refuse(struct token_refusal *no, int status, struct str text)
{
	*no = (struct token_refusal){ .status = status, .text = text };
	return false;
}

/* Anybody may write anything there, and it becomes a header of ours. */
static bool
refuse_key(struct op *op, struct str name, struct token_refusal *no)
{
	struct strbuf b;

	strbuf_init_arena(&b, op->arena, 128, 128);
	strbuf_add(&b, S("invalid API key: "));
	for (size_t i = 0; i < name.len && i < KEY_SHOWN_MAX; i++)
		strbuf_addc(&b, name.at[i] > 0x20 && name.at[i] < 0x7f ? name.at[i] : '?');
	return refuse(no, 401, strbuf_str(&b));
}

static const struct name_value *
key_of(const struct conf *c, struct str name)
{
	for (size_t i = 0; i < c->n_livekit_keys; i++)
		if (str_eq(c->livekit_keys[i].name, name))
			return &c->livekit_keys[i];
	return NULL;
}

/* exp and nbf may be absent; numbers and texts of numbers, also with a fraction, are times. */
static bool
read_time(const struct json *claims, const char *name, bool *there_out, int64_t *out)
{
	const struct json *v = json_get(claims, name);

	*there_out = v != NULL;
	return v == NULL || json_i64(v, out);
}

static bool
times_hold(const struct json *claims, int64_t now_s, struct token_refusal *no)
{
	bool ends, begins, late, early;
	int64_t exp = 0, nbf = 0;

	if (!read_time(claims, "exp", &ends, &exp) || !read_time(claims, "nbf", &begins, &nbf))
		return refuse(no, 401, S("invalid authorization token"));
	/* Not exp + LEEWAY_S: a time may be any number. */
	late = ends && now_s - LEEWAY_S >= exp;
	early = begins && now_s + LEEWAY_S < nbf;
	if (late && early)
		return refuse(no, 401, S("invalid token, error: token has invalid claims: token is expired, "
		    "token is not valid yet"));
	if (late)
		return refuse(no, 401, S("invalid token, error: token has invalid claims: token is expired"));
	if (early)
		return refuse(no, 401, S("invalid token, error: token has invalid claims: token is not valid yet"));
	return true;
}

static void
read_claims(const struct json *claims, struct join_token *out)
{
	const struct json *video = json_get(claims, "video");

	out->given = true;
	out->identity = json_str(json_get(claims, "sub"));
	if (out->identity.len == 0)
		out->identity = json_str(json_get(claims, "jti"));
	out->grants = json_type(video) == JSON_OBJECT;
	out->joins = json_is_true(json_get(video, "roomJoin"));
	out->room = json_str(json_get(video, "room"));
}

static bool
verify(struct op *op, const struct conf *c, struct str token, int64_t now_ms, struct join_token *out,
    struct token_refusal *no)
{
	const struct name_value *key;
	const struct json *claims;
	struct str text, name;

	if (!jwt_peek(op->arena, token, &text) ||
	    json_type(claims = json_parse(op->arena, text, NULL)) != JSON_OBJECT)
		return refuse(no, 401, S("invalid authorization token"));
	name = json_str(json_get(claims, "iss"));
	if ((key = key_of(c, name)) == NULL)
		return refuse_key(op, name, no);
	if (!jwt_verify(op->arena, token, key->value, &text))
		return refuse(no, 401, S("invalid token, error: token signature is invalid: signature is invalid"));
	if (!times_hold(claims, now_ms / 1000, no))
		return false;
	read_claims(claims, out);
	return true;
}

bool
join_token_read(struct op *op, const struct conf *c, struct str authorization, struct str access_token,
    int64_t now_ms, struct join_token *out, struct token_refusal *no)
{
	struct str bearer = S("Bearer "), token = access_token;

	*out = (struct join_token){ 0 };
	*no = (struct token_refusal){ 0 };
	if (authorization.len > 0) {
		if (!str_starts(authorization, bearer))
			return refuse(no, 401, S("invalid authorization header. Must start with Bearer"));
		token = (struct str){ authorization.at + bearer.len, authorization.len - bearer.len };
	}
	return token.len == 0 || verify(op, c, token, now_ms, out, no);
}

bool
join_token_joins(const struct join_token *t, struct token_refusal *no)
{
	if (!t->grants)
		return refuse(no, 401, S("no permissions to access the room"));
	if (!t->joins)
		return refuse(no, 401, S("permissions denied"));
	if (t->identity.len == 0)
		return refuse(no, 400, S("identity cannot be empty"));
	if (t->room.len == 0)
		return refuse(no, 400, S("no room name"));
	return true;
}
