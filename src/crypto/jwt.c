/* jwt - signs and verifies HS256 tokens; the header is read by a scanner of its own, so that this
 * room needs no JSON parser and nothing in a header can do more than be refused.
 * SPDX-License-Identifier: MIT */
#include "crypto/jwt.h"

#include "base/codec.h"
#include "base/strbuf.h"
#include "crypto/digest.h"

/* {"alg":"HS256","typ":"JWT"} */
#define HEADER_HS256 "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"

enum { SIGNATURE_CHARS = 43 };

struct parts {
	struct str header, claims, signature;
	struct str signed_part;       /* header '.' claims, as sent */
};

static bool
split(struct str token, struct parts *out)
{
	struct str rest = token, extra;

	if (!str_split(&rest, '.', &out->header) || !str_split(&rest, '.', &out->claims))
		return false;
	if (!str_split(&rest, '.', &out->signature) || str_split(&rest, '.', &extra))
		return false;
	out->signed_part = (struct str){ token.at, out->header.len + 1 + out->claims.len };
	return true;
}

static bool
decode(struct arena *a, struct str part, struct str *out)
{
	size_t n = part.len / 4 * 3 + 3;
	uint8_t *bytes = arena_alloc(a, n + 1);

	if (!base64url_decode(part, bytes, &n))
		return false;
	bytes[n] = '\0';
	*out = (struct str){ (const char *)bytes, n };
	return true;
}

static void
skip_space(struct str *s)
{
	while (s->len > 0 && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r')) {
		s->at++;
		s->len--;
	}
}

static bool
take(struct str *s, char c)
{
	skip_space(s);
	if (s->len == 0 || *s->at != c)
		return false;
	s->at++;
	s->len--;
	return true;
}

/* A text without escapes: no header of an HS256 token has a need for them. */
static bool
take_text(struct str *s, struct str *out)
{
	size_t n = 0;

	if (!take(s, '"'))
		return false;
	while (n < s->len && s->at[n] != '"') {
		if (s->at[n] == '\\' || (unsigned char)s->at[n] < 0x20)
			return false;
		n++;
	}
	if (n == s->len)
		return false;
	*out = (struct str){ s->at, n };
	s->at += n + 1;
	s->len -= n + 1;
	return true;
}

/* True for a flat object of texts with exactly one alg, "HS256". Extensions that must be understood
 * (crit, b64) hold arrays or booleans and fall through the same sieve; their names are refused too. */
static bool
header_is_hs256(struct str json)
{
	struct str name, value;
	int n_alg = 0;

	if (!take(&json, '{'))
		return false;
	do {
		if (!take_text(&json, &name) || !take(&json, ':') || !take_text(&json, &value))
			return false;
		if (str_eq(name, S("crit")) || str_eq(name, S("b64")))
			return false;
		if (!str_eq(name, S("alg")))
			continue;
		if (!str_eq(value, S("HS256")))
			return false;
		n_alg++;
	} while (take(&json, ','));
	if (n_alg != 1 || !take(&json, '}'))
		return false;
	skip_space(&json);
	return json.len == 0;
}

static bool
open_token(struct arena *a, struct str token, struct parts *parts, struct str *claims_out)
{
	struct str header;

	return split(token, parts) && parts->signature.len == SIGNATURE_CHARS
	    && decode(a, parts->header, &header) && header_is_hs256(header)
	    && decode(a, parts->claims, claims_out);
}

struct str
jwt_sign(struct arena *a, struct str key, struct str claims)
{
	size_t cap = sizeof(HEADER_HS256) + 1 + (claims.len + 2) / 3 * 4 + 1 + SIGNATURE_CHARS + 1;
	uint8_t mac[SHA256_BYTES];
	struct strbuf b;

	strbuf_init_arena(&b, a, cap, cap);
	strbuf_addz(&b, HEADER_HS256 ".");
	base64url_encode(&b, claims.at, claims.len);
	digest_hmac_sha256(key, strbuf_str(&b), mac);
	strbuf_addc(&b, '.');
	base64url_encode(&b, mac, sizeof(mac));
	return strbuf_str(&b);
}

bool
jwt_peek(struct arena *a, struct str token, struct str *claims_out)
{
	struct parts parts;
	struct str claims;

	if (!open_token(a, token, &parts, &claims))
		return false;
	*claims_out = claims;
	return true;
}

bool
jwt_verify(struct arena *a, struct str token, struct str key, struct str *claims_out)
{
	struct parts parts;
	struct str claims;
	uint8_t mac[SHA256_BYTES], given[SHA256_BYTES + 1];
	size_t n = sizeof(given);

	if (!open_token(a, token, &parts, &claims))
		return false;
	if (!base64url_decode(parts.signature, given, &n) || n != SHA256_BYTES)
		return false;
	digest_hmac_sha256(key, parts.signed_part, mac);
	if (!digest_equal(mac, given, SHA256_BYTES))
		return false;
	*claims_out = claims;
	return true;
}
