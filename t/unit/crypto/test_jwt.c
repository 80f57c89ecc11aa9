/* JSON Web Tokens: known vectors, and everything that is not exactly HS256.
 * SPDX-License-Identifier: MIT */
#include "crypto/jwt.h"

#include <string.h>

#include "base/codec.h"
#include "base/strbuf.h"
#include "crypto/digest.h"
#include "support/unit.h"

/* RFC 7515, appendix A.1; its header has a line break and a space between the members */
#define RFC_KEY "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
#define RFC_SIGNED "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RFC_TOKEN RFC_SIGNED ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define RFC_CLAIMS "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"

/* What the libraries of other languages write */
#define KEY "your-256-bit-secret"
#define SIGNED "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." \
	"eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ"
#define SIGNATURE "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
#define TOKEN SIGNED "." SIGNATURE
#define CLAIMS "{\"sub\":\"1234567890\",\"name\":\"John Doe\",\"iat\":1516239022}"

static struct arena *arena;

static void
setup(void)
{
	arena = arena_new(1 << 24);
}

static void
teardown(void)
{
	arena_free(arena);
}

/* A token with that header and claims, really signed with key as HS256. */
static struct str
token_of(struct str header, struct str claims, struct str key)
{
	uint8_t mac[SHA256_BYTES];
	struct strbuf b;

	strbuf_init_arena(&b, arena, 256, 1 << 20);
	base64url_encode(&b, header.at, header.len);
	strbuf_addc(&b, '.');
	base64url_encode(&b, claims.at, claims.len);
	digest_hmac_sha256(key, strbuf_str(&b), mac);
	strbuf_addc(&b, '.');
	base64url_encode(&b, mac, sizeof(mac));
	return strbuf_str(&b);
}

START_TEST(rfc_7515_verifies)
{
	uint8_t key[64];
	size_t n = sizeof(key);
	struct str claims;

	ck_assert(base64url_decode(S(RFC_KEY), key, &n));
	ck_assert(jwt_verify(arena, S(RFC_TOKEN), (struct str){ (char *)key, n }, &claims));
	ck_assert(str_eq(claims, S(RFC_CLAIMS)));
	key[63] ^= 1;
	ck_assert(!jwt_verify(arena, S(RFC_TOKEN), (struct str){ (char *)key, n }, &claims));
}
END_TEST

START_TEST(signs_what_others_sign)
{
	struct str token = jwt_sign(arena, S(KEY), S(CLAIMS));
	struct str claims;

	ck_assert_str_eq(token.at, TOKEN);
	ck_assert(jwt_verify(arena, token, S(KEY), &claims));
	ck_assert_str_eq(claims.at, CLAIMS);
}
END_TEST

START_TEST(signs_claims_of_any_length)
{
	static char text[3000];
	struct str in = { text, (size_t)_i * 37 }, token, out;

	memset(text, 'x', sizeof(text));
	token = jwt_sign(arena, S(KEY), in);
	ck_assert_uint_gt(token.len, 0);
	ck_assert(jwt_verify(arena, token, S(KEY), &out));
	ck_assert(str_eq(in, out));
}
END_TEST

START_TEST(peek_reads_without_the_key)
{
	struct str claims;

	ck_assert(jwt_peek(arena, S(TOKEN), &claims));
	ck_assert(str_eq(claims, S(CLAIMS)));
}
END_TEST

static const struct { const char *why, *token; } BAD[] = {
	{ "empty", "" },
	{ "no dot", "abc" },
	{ "two parts", SIGNED },
	{ "two parts and a dot", SIGNED "." },
	{ "four parts", TOKEN ".abc" },
	{ "a dot more", TOKEN "." },
	{ "a dot before", "." TOKEN },
	{ "a space behind", TOKEN " " },
	{ "a line break behind", TOKEN "\n" },
	{ "padded signature", TOKEN "=" },
	{ "padded claims", SIGNED "==." SIGNATURE },
	{ "signature of another alphabet", SIGNED ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV/adQssw5c" },
	/* the last letter carries two bits that no byte has: c = ..00 */
	{ "trailing bits 01", SIGNED ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5d" },
	{ "trailing bits 10", SIGNED ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5e" },
	{ "trailing bits 11", SIGNED ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5f" },
	{ "signature cut short", SIGNED ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5" },
	{ "signature cut to one byte", SIGNED ".Sf" },
	{ "signature with a tail", TOKEN "AA" },
	{ "signature's first letter", SIGNED ".TflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c" },
	{ "signature's last letter", SIGNED ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5g" },
	{ "other claims", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
	  "eyJzdWIiOiIxMjM0NTY3ODkxIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ." SIGNATURE },
	{ "header says the same otherwise", "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9."
	  "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ." SIGNATURE },
	{ "no header", ".eyJzdWIiOiIxIn0." SIGNATURE },
};

START_TEST(refuses_tokens)
{
	struct str claims;

	ck_assert_msg(!jwt_verify(arena, str_of(BAD[_i].token), S(KEY), &claims), "%s",
	    BAD[_i].why);
}
END_TEST

START_TEST(refuses_another_key)
{
	struct str claims;

	ck_assert(!jwt_verify(arena, S(TOKEN), S(KEY "x"), &claims));
	ck_assert(!jwt_verify(arena, S(TOKEN), S(""), &claims));
}
END_TEST

/* Each is signed rightly as HS256 with the right key: only what the header says differs. */
static const struct { bool good; const char *header; } HEADERS[] = {
	{ true,  "{\"alg\":\"HS256\",\"typ\":\"JWT\"}" },
	{ true,  "{\"alg\":\"HS256\"}" },
	{ true,  " { \"typ\" : \"JWT\" ,\t\"alg\" :\n\"HS256\" } " },
	{ true,  "{\"kid\":\"a.b/c\",\"alg\":\"HS256\",\"cty\":\"\"}" },
	{ false, "{\"alg\":\"none\"}" },
	{ false, "{\"alg\":\"None\",\"typ\":\"JWT\"}" },
	{ false, "{\"alg\":\"HS384\",\"typ\":\"JWT\"}" },
	{ false, "{\"alg\":\"HS512\",\"typ\":\"JWT\"}" },
	{ false, "{\"alg\":\"RS256\",\"typ\":\"JWT\"}" },
	{ false, "{\"alg\":\"ES256\",\"typ\":\"JWT\"}" },
	{ false, "{\"alg\":\"hs256\"}" },
	{ false, "{\"alg\":\"HS256 \"}" },
	{ false, "{\"alg\":\"\"}" },
	{ false, "{\"alg\":null}" },
	{ false, "{\"alg\":[\"HS256\"]}" },
	{ false, "{\"ALG\":\"HS256\"}" },
	{ false, "{\"alg\":\"\\u0048S256\"}" },
	{ false, "{\"alg\":\"HS256\",\"x\\\":\"y\"}" },
	{ false, "{\"typ\":\"JWT\"}" },
	{ false, "{}" },
	{ false, "" },
	{ false, "\"HS256\"" },
	{ false, "[\"alg\",\"HS256\"]" },
	{ false, "{\"alg\":\"HS256\",\"alg\":\"none\"}" },
	{ false, "{\"alg\":\"none\",\"alg\":\"HS256\"}" },
	{ false, "{\"alg\":\"HS256\",\"alg\":\"HS256\"}" },
	{ false, "{\"alg\":\"HS256\",}" },
	{ false, "{\"alg\":\"HS256\"" },
	{ false, "{\"alg\":\"HS256" },
	{ false, "{\"alg\":\"HS256\"}}" },
	{ false, "{\"alg\":\"HS256\"} x" },
	{ false, "{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}" },
	{ false, "{\"alg\":\"HS256\",\"crit\":\"b64\"}" },
	{ false, "{\"alg\":\"HS256\",\"jwk\":{\"alg\":\"none\"}}" },
	{ false, "{'alg':'HS256'}" },
};

START_TEST(only_hs256_by_the_header)
{
	struct str token = token_of(str_of(HEADERS[_i].header), S("{}"), S(KEY)), claims;

	ck_assert_msg(jwt_verify(arena, token, S(KEY), &claims) == HEADERS[_i].good, "%s",
	    HEADERS[_i].header);
	ck_assert_msg(jwt_peek(arena, token, &claims) == HEADERS[_i].good, "%s",
	    HEADERS[_i].header);
}
END_TEST

/* As other libraries sign them, with their own digests. */
static const char *const OTHERS[] = {
	"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiIxIn0.",
	"eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0"
	".sp-EnQtywmEqH0GEWbfIuI6fa2XDtceSncJhwHSj-UmK_daO0bufPd9-5DE-Ype9",
	"eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0"
	".MyKy6s2_mXqh2Mykd8USGB8blgzjLfhJTipY2LWaoD6aeEY_Ynp-AlqXWxYXpAq_88KEr9HvY30QcwFChMk6xA",
};

START_TEST(refuses_other_algorithms)
{
	struct str claims;

	ck_assert(!jwt_verify(arena, str_of(OTHERS[_i]), S(KEY), &claims));
	ck_assert(!jwt_peek(arena, str_of(OTHERS[_i]), &claims));
}
END_TEST

START_TEST(every_changed_letter_is_seen)
{
	static const char token[] = TOKEN;
	char changed[sizeof(token)];
	struct str claims;

	memcpy(changed, token, sizeof(token));
	changed[_i] = changed[_i] == 'A' ? 'B' : 'A';
	ck_assert(!jwt_verify(arena, str_of(changed), S(KEY), &claims));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("crypto/jwt");
	TCase *tc = tcase_create("jwt");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, rfc_7515_verifies);
	tcase_add_test(tc, signs_what_others_sign);
	tcase_add_loop_test(tc, signs_claims_of_any_length, 0, 80);
	tcase_add_test(tc, peek_reads_without_the_key);
	tcase_add_loop_test(tc, refuses_tokens, 0, N_ELEMS(BAD));
	tcase_add_test(tc, refuses_another_key);
	tcase_add_loop_test(tc, only_hs256_by_the_header, 0, N_ELEMS(HEADERS));
	tcase_add_loop_test(tc, refuses_other_algorithms, 0, N_ELEMS(OTHERS));
	tcase_add_loop_test(tc, every_changed_letter_is_seen, 0, sizeof(TOKEN) - 1);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
