/* Access tokens as LiveKit reads them: which hold, and in what words the others are refused.
 * SPDX-License-Identifier: MIT */
#include "livekit/join_token.h"

#include <string.h>

#include "base/codec.h"
#include "crypto/digest.h"
#include "crypto/jwt.h"
#include "support/unit.h"

#define NOW_S 1800000000LL
#define SECRET "a-secret-of-at-least-32-characters"
#define OTHER "another-secret-of-32-characters..."
#define VIDEO "\"video\":{\"roomJoin\":true,\"room\":\"r1\"}"
#define GOOD_CLAIMS "{\"iss\":\"key\",\"sub\":\"ann\",\"exp\":1800000100," VIDEO "}"

static struct name_value keys[] = {
	{ { "old", 3 }, { OTHER, sizeof(OTHER) - 1 } },
	{ { "key", 3 }, { SECRET, sizeof(SECRET) - 1 } },
};
static const struct conf CONF = { .livekit_keys = keys, .n_livekit_keys = 2 };
static struct op op;

static void
set_up(void)
{
	op = (struct op){ .arena = arena_new(16 << 20) };
}

static void
tear_down(void)
{
	arena_free(op.arena);
}

static struct str
signed_with(const char *secret, const char *claims)
{
	return jwt_sign(op.arena, str_of(secret), str_of(claims));
}

static bool
read_query(struct str token, struct join_token *out, struct token_refusal *no)
{
	return join_token_read(&op, &CONF, S(""), token, NOW_S * 1000, out, no);
}

static void
assert_text(struct str got, const char *want)
{
	ck_assert_msg(str_eq(got, str_of(want)), "\"%.*s\" is not \"%s\"", STR_ARG(got), want);
}

/* ---- those that hold, and what stands in them ---- */

static const struct {
	const char *claims, *identity, *room;
	bool grants, joins;
} HOLD[] = {
	{ GOOD_CLAIMS, "ann", "r1", true, true },
	{ "{\"iss\":\"key\"}", "", "", false, false },
	{ "{\"iss\":\"key\",\"jti\":\"bob\"," VIDEO "}", "bob", "r1", true, true },
	{ "{\"iss\":\"key\",\"sub\":\"ann\",\"jti\":\"bob\",\"identity\":\"eve\"," VIDEO "}", "ann", "r1", true, true },
	{ "{\"iss\":\"key\",\"sub\":\"ann\",\"room\":\"r2\",\"video\":{\"room\":\"r1\"}}", "ann", "r1", true, false },
	{ "{\"iss\":\"key\",\"sub\":\"ann\",\"video\":{\"roomJoin\":\"true\",\"room\":7}}", "ann", "", true, false },
	{ "{\"iss\":\"key\",\"sub\":\"ann\",\"video\":null}", "ann", "", false, false },
	/* 60 s either way; numbers, fractions, texts; iat and aud are nobody's business */
	{ "{\"iss\":\"key\",\"exp\":1799999941}", "", "", false, false },
	{ "{\"iss\":\"key\",\"exp\":1799999941.9}", "", "", false, false },
	{ "{\"iss\":\"key\",\"exp\":\"1799999941\"}", "", "", false, false },
	{ "{\"iss\":\"key\",\"nbf\":1800000060}", "", "", false, false },
	{ "{\"iss\":\"key\",\"exp\":9223372036854775807,\"nbf\":-9223372036854775808}", "", "", false, false },
	{ "{\"iss\":\"key\",\"iat\":1900000000,\"aud\":[\"x\"],\"exp\":null}", "", "", false, false },
};

START_TEST(tokens_that_hold)
{
	struct join_token t;
	struct token_refusal no;

	ck_assert(read_query(signed_with(SECRET, HOLD[_i].claims), &t, &no));
	ck_assert_int_eq(no.status, 0);
	ck_assert(t.given);
	assert_text(t.identity, HOLD[_i].identity);
	assert_text(t.room, HOLD[_i].room);
	ck_assert_int_eq(t.grants, HOLD[_i].grants);
	ck_assert_int_eq(t.joins, HOLD[_i].joins);
}
END_TEST

/* ---- those that do not ---- */

#define EXPIRED "invalid token, error: token has invalid claims: token is expired"
#define EARLY "invalid token, error: token has invalid claims: token is not valid yet"
#define FORGED "invalid token, error: token signature is invalid: signature is invalid"

static const struct {
	const char *secret, *claims, *text;
} REFUSED[] = {
	{ SECRET, "{\"iss\":\"key\",\"exp\":1799999940}", EXPIRED },
	{ SECRET, "{\"iss\":\"key\",\"exp\":0}", EXPIRED },
	{ SECRET, "{\"iss\":\"key\",\"exp\":-9223372036854775808}", EXPIRED },
	{ SECRET, "{\"iss\":\"key\",\"nbf\":1800000061}", EARLY },
	{ SECRET, "{\"iss\":\"key\",\"nbf\":9223372036854775807}", EARLY },
	{ SECRET, "{\"iss\":\"key\",\"exp\":5,\"nbf\":1800000061}", EXPIRED ", token is not valid yet" },
	{ SECRET, "{\"iss\":\"key\",\"exp\":\"soon\"}", "invalid authorization token" },
	{ SECRET, "{\"iss\":\"key\",\"exp\":true}", "invalid authorization token" },
	{ SECRET, "{\"iss\":\"key\",\"iss\":\"old\"}", "invalid authorization token" },
	{ SECRET, "[]", "invalid authorization token" },
	{ SECRET, "null", "invalid authorization token" },
	{ SECRET, "not json", "invalid authorization token" },
	/* The name of a key picks its secret and no other. */
	{ OTHER, GOOD_CLAIMS, FORGED },
	{ SECRET, "{\"iss\":\"old\"}", FORGED },
	{ "", GOOD_CLAIMS, FORGED },
	{ SECRET, "{\"sub\":\"ann\"," VIDEO "}", "invalid API key: " },
	{ SECRET, "{\"iss\":\"kez\"}", "invalid API key: kez" },
	{ SECRET, "{\"iss\":\"a\\r\\nX-Evil: \\u0007\\u00e9\"}", "invalid API key: a??X-Evil:????" },
	{ SECRET, "{\"iss\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"}",
	    "invalid API key: 0123456789012345678901234567890123456789012345678901234567890123" },
};

START_TEST(tokens_that_do_not)
{
	struct join_token t = { .given = true };
	struct token_refusal no;

	ck_assert(!read_query(signed_with(REFUSED[_i].secret, REFUSED[_i].claims), &t, &no));
	ck_assert_int_eq(no.status, 401);
	assert_text(no.text, REFUSED[_i].text);
	ck_assert(!t.given && t.identity.len == 0 && t.room.len == 0);
}
END_TEST

/* Another algorithm, no signature, one byte of it changed, more parts, none. */
START_TEST(odd_tokens)
{
	static const char *const ODD[] = { "x", ".", "..", "a.b.c", "a.b.c.d", " ", "Bearer x" };
	static const char NONE[] = "{\"alg\":\"none\",\"typ\":\"JWT\"}", HS384[] = "{\"alg\":\"HS384\"}";
	struct str good = signed_with(SECRET, GOOD_CLAIMS), rest, header;
	struct token_refusal no;
	struct join_token t;
	struct strbuf b;
	char *changed;

	for (size_t i = 0; i < N_ELEMS(ODD); i++) {
		ck_assert(!read_query(str_of(ODD[i]), &t, &no));
		assert_text(no.text, "invalid authorization token");
	}
	for (size_t i = 0; i < 2; i++) {
		const char *text = i == 0 ? NONE : HS384;

		strbuf_init_arena(&b, op.arena, 1024, 1024);
		base64url_encode(&b, text, strlen(text));
		rest = good;
		ck_assert(str_split(&rest, '.', &header));
		strbuf_addc(&b, '.');
		strbuf_add(&b, rest);
		ck_assert(!read_query(strbuf_str(&b), &t, &no));
		assert_text(no.text, "invalid authorization token");
	}
	changed = arena_alloc(op.arena, good.len);
	memcpy(changed, good.at, good.len);
	changed[good.len - 10] = changed[good.len - 10] == 'A' ? 'B' : 'A';
	ck_assert(!read_query((struct str){ changed, good.len }, &t, &no));
	assert_text(no.text, FORGED);
	ck_assert(!read_query((struct str){ good.at, good.len - 43 }, &t, &no));
	ck_assert(read_query(good, &t, &no));
}
END_TEST

/* ---- where it stands ---- */

START_TEST(the_header_wins)
{
	struct str good = signed_with(SECRET, GOOD_CLAIMS);
	struct str bearer = arena_printf(op.arena, "Bearer %.*s", STR_ARG(good));
	struct str lower = arena_printf(op.arena, "bearer %.*s", STR_ARG(good));
	struct str twice = arena_printf(op.arena, "Bearer  %.*s", STR_ARG(good));
	struct token_refusal no;
	struct join_token t;

	ck_assert(join_token_read(&op, &CONF, bearer, S("nonsense"), NOW_S * 1000, &t, &no));
	assert_text(t.identity, "ann");
	ck_assert(!join_token_read(&op, &CONF, S("Bearer nonsense"), good, NOW_S * 1000, &t, &no));
	assert_text(no.text, "invalid authorization token");
	ck_assert(!join_token_read(&op, &CONF, lower, good, NOW_S * 1000, &t, &no));
	assert_text(no.text, "invalid authorization header. Must start with Bearer");
	ck_assert(!join_token_read(&op, &CONF, good, good, NOW_S * 1000, &t, &no));
	ck_assert(!join_token_read(&op, &CONF, twice, good, NOW_S * 1000, &t, &no));
	/* None at all, and a header that is there and holds none. */
	ck_assert(join_token_read(&op, &CONF, S(""), S(""), NOW_S * 1000, &t, &no));
	ck_assert(!t.given);
	ck_assert(join_token_read(&op, &CONF, S("Bearer "), good, NOW_S * 1000, &t, &no));
	ck_assert(!t.given);
}
END_TEST

/* ---- what /rtc asks ---- */

static const struct {
	const char *claims;
	int status;
	const char *text;
} JOINS[] = {
	{ GOOD_CLAIMS, 0, "" },
	{ "{\"iss\":\"key\",\"sub\":\"ann\"}", 401, "no permissions to access the room" },
	{ "{\"iss\":\"key\",\"sub\":\"ann\",\"video\":{}}", 401, "permissions denied" },
	{ "{\"iss\":\"key\",\"sub\":\"ann\",\"video\":{\"room\":\"r1\"}}", 401, "permissions denied" },
	{ "{\"iss\":\"key\",\"sub\":\"ann\",\"video\":{\"room\":\"r1\",\"roomAdmin\":true}}", 401, "permissions denied" },
	{ "{\"iss\":\"key\"," VIDEO "}", 400, "identity cannot be empty" },
	{ "{\"iss\":\"key\",\"sub\":\"ann\",\"video\":{\"roomJoin\":true}}", 400, "no room name" },
	{ NULL, 401, "no permissions to access the room" },
};

START_TEST(what_a_join_takes)
{
	struct str token = JOINS[_i].claims != NULL ? signed_with(SECRET, JOINS[_i].claims) : S("");
	struct token_refusal no = { 0 };
	struct join_token t;

	ck_assert(read_query(token, &t, &no));
	ck_assert_int_eq(join_token_joins(&t, &no), JOINS[_i].status == 0);
	ck_assert_int_eq(no.status, JOINS[_i].status);
	assert_text(no.text, JOINS[_i].text);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("join_token");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, tokens_that_hold, 0, N_ELEMS(HOLD));
	tcase_add_loop_test(t, tokens_that_do_not, 0, N_ELEMS(REFUSED));
	tcase_add_test(t, odd_tokens);
	tcase_add_test(t, the_header_wins);
	tcase_add_loop_test(t, what_a_join_takes, 0, N_ELEMS(JOINS));
	suite_add_tcase(s, t);
	return unit_main(s);
}
