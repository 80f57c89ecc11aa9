/* caller - reads the Authorization header, or its absence.
 * SPDX-License-Identifier: MIT */
#include "http/caller.h"

#include "base/codec.h"
#include "crypto/digest.h"
#include "crypto/jwt.h"
#include "json/json.h"
#include "model/ids.h"

enum { LEEWAY_S = 60 };

static const unsigned WHO_TICKET_ANY =
    WHO_TICKET_SELF | WHO_TICKET_ROW | WHO_TICKET_ACTIVE | WHO_TICKET_OWN | WHO_CREATOR;

/* "Bearer token"; the scheme's case does not matter (RFC 9110, 11.1). */
static bool
bearer_token(struct str header, struct str *token_out)
{
	struct str token = header, scheme;

	if (!str_split(&token, ' ', &scheme) || !str_eq_nocase(scheme, S("Bearer")))
		return false;
	*token_out = str_trim(token);
	return token_out->len > 0;
}

static bool
times_ok(const struct json *claims, int64_t now_s)
{
	const struct json *nbf = json_get(claims, "nbf");
	int64_t exp_s, nbf_s;

	if (!json_i64(json_get(claims, "exp"), &exp_s) || exp_s <= now_s - LEEWAY_S)
		return false;
	return nbf == NULL || (json_i64(nbf, &nbf_s) && nbf_s <= now_s + LEEWAY_S);
}

static enum err
ticket_caller(struct arena *a, struct str claims_text, int64_t now_ms, struct caller *out)
{
	const struct json *claims = json_parse(a, claims_text, NULL);
	const struct json *device_id = json_get(claims, "device_id");
	struct str uid = json_str(json_get(claims, "sub"));

	if (!id_ok(uid) || !times_ok(claims, now_ms / 1000))
		return ERR_UNAUTHORIZED;
	if (device_id != NULL && !text_ok(json_str(device_id), 1, DEVICE_ID_MAX))
		return ERR_UNAUTHORIZED;
	*out = (struct caller){ .kind = CALLER_TICKET, .uid = uid, .device_id = json_str(device_id) };
	return ERR_OK;
}

/* Every key is compared, and all of it: how long this takes tells nothing about the keys. */
static const struct name_value *
key_of(const struct conf *c, struct str token)
{
	uint8_t given[SHA256_BYTES], ours[SHA256_BYTES];
	const struct name_value *found = NULL;

	digest_sha256(token, given);
	for (size_t i = 0; i < c->n_api_keys; i++) {
		bool readable = hex_decode(c->api_keys[i].value, ours, sizeof(ours));
		bool same = readable && digest_equal(given, ours, sizeof(ours));

		if (same && found == NULL)
			found = &c->api_keys[i];
	}
	return found;
}

static enum err
token_caller(struct arena *a, const struct conf *c, struct str token, int64_t now_ms, struct caller *out)
{
	const struct name_value *key;
	struct str claims;

	/* An unset secret is an empty one, which anybody can sign with. */
	if (c->ticket_secret.len > 0 && jwt_verify(a, token, c->ticket_secret, &claims))
		return ticket_caller(a, claims, now_ms, out);
	key = key_of(c, token);
	if (key == NULL)
		return ERR_UNAUTHORIZED;
	*out = (struct caller){ .kind = CALLER_KEY, .name = key->name };
	if (str_starts(key->name, S("ops-")))
		out->kind = CALLER_OPS;
	return ERR_OK;
}

static bool
in_open_network(const struct conf *c, struct str address)
{
	for (size_t i = 0; i < c->n_open_networks; i++) {
		if (cidr_contains(&c->open_networks[i], address))
			return true;
	}
	return false;
}

enum err
caller_identify(struct op *op, const struct conf *c, const struct request *rq, int64_t now_ms,
    struct caller *out)
{
	struct str token;

	if (rq->duplicate_header != NULL) {
		op->bad_field = rq->duplicate_header;
		return ERR_INVALID_PARAMETERS;
	}
	*out = (struct caller){ .kind = CALLER_NONE };
	if (rq->authorization.len > 0) {
		if (!bearer_token(rq->authorization, &token))
			return ERR_UNAUTHORIZED;
		return token_caller(op->arena, c, token, now_ms, out);
	}
	if (in_open_network(c, rq->remote_addr))
		*out = (struct caller){ .kind = CALLER_KEY, .name = S("lan") };
	else if (c->auth_mode == AUTH_MODE_OPEN)
		*out = (struct caller){ .kind = CALLER_OPEN, .name = S("open"), .address = rq->remote_addr };
	return ERR_OK;
}

/* The bits of a route that let this kind of caller in. */
static unsigned
passes(enum caller_kind kind)
{
	switch (kind) {
	case CALLER_NONE:   return 0;
	case CALLER_OPEN:   return WHO_KEY;
	case CALLER_TICKET: return WHO_TICKET_ANY;
	case CALLER_KEY:    return WHO_KEY | WHO_REAL_KEY;
	case CALLER_OPS:    return WHO_KEY | WHO_REAL_KEY | WHO_OPS;
	}
	return 0;
}

enum err
caller_may(const struct caller *who, unsigned route_who)
{
	if (route_who & (passes(who->kind) | WHO_PUBLIC))
		return ERR_OK;
	return who->kind == CALLER_NONE ? ERR_UNAUTHORIZED : ERR_FORBIDDEN;
}
