/* Who a request comes from, what that caller may use, and tickets there and back.
 * SPDX-License-Identifier: MIT */
#include "http/caller.h"

#include "base/codec.h"
#include "crypto/digest.h"
#include "crypto/jwt.h"
#include "support/unit.h"

#define SECRET "a ticket secret of 32 characters"
#define NOW_S INT64_C(1800000000)
#define NOW_MS (NOW_S * 1000 + 999)

static struct name_value keys[3];
static struct cidr networks[] = {
	{ .bytes = { [10] = 0xff, 0xff, 10, 0, 0, 0 }, .bits = 96 + 8 },
	{ .bytes = { 0xfd, 0x12 }, .bits = 16 },
};

static struct conf conf;
static struct op op;
static struct caller who;

static struct name_value
key_pair(struct str name, struct str key)
{
	uint8_t hash[SHA256_BYTES];
	struct strbuf b;

	digest_sha256(key, hash);
	strbuf_init_arena(&b, op.arena, 65, 65);
	hex_encode(&b, hash, sizeof(hash));
	return (struct name_value){ name, strbuf_str(&b) };
}

static void
setup(void)
{
	op = (struct op){ .arena = arena_new(1 << 22), .lang = "zh-CN" };
	keys[0] = key_pair(S("backend"), S("backend-key"));
	keys[1] = key_pair(S("dots"), S("a.key.withdots"));
	keys[2] = key_pair(S("ops-alice"), S("operator-key"));
	conf = (struct conf){ .api_keys = keys, .n_api_keys = N_ELEMS(keys), .ticket_secret = S(SECRET) };
	who = (struct caller){ .kind = CALLER_OPS, .name = S("left over") };
}

static void
teardown(void)
{
	arena_free(op.arena);
}

static enum err
identify(struct str authorization, struct str address)
{
	struct request rq = { .authorization = authorization, .remote_addr = address };

	return caller_identify(&op, &conf, &rq, NOW_MS, &who);
}

static enum err
identify_bearer(struct str token)
{
	return identify(arena_printf(op.arena, "Bearer %.*s", STR_ARG(token)), S("192.0.2.1"));
}

static const struct { const char *header; enum caller_kind kind; const char *name; } KEYS[] = {
	{ "Bearer backend-key", CALLER_KEY, "backend" },
	{ "bearer backend-key", CALLER_KEY, "backend" },
	{ "BEARER   backend-key ", CALLER_KEY, "backend" },
	{ "Bearer a.key.withdots", CALLER_KEY, "dots" },
	{ "Bearer operator-key", CALLER_OPS, "ops-alice" },
	/* NONE: refused */
	{ "Bearer backend-kez", CALLER_NONE, "" },
	{ "Bearer backend-key2", CALLER_NONE, "" },
	{ "Bearer backend-ke", CALLER_NONE, "" },
	{ "Bearer Backend-Key", CALLER_NONE, "" },
	{ "Bearer backend-key x", CALLER_NONE, "" },
	{ "Bearer backend", CALLER_NONE, "" },
	{ "Bearer", CALLER_NONE, "" },
	{ "Bearer ", CALLER_NONE, "" },
	{ "Bearerbackend-key", CALLER_NONE, "" },
	{ "backend-key", CALLER_NONE, "" },
	{ "Basic YmFja2VuZC1rZXk=", CALLER_NONE, "" },
	{ " Bearer backend-key", CALLER_NONE, "" },
	{ " ", CALLER_NONE, "" },
	{ "Bearer a.b.c", CALLER_NONE, "" },
};

START_TEST(keys_by_their_hash)
{
	enum err e = identify(str_of(KEYS[_i].header), S("192.0.2.1"));

	ck_assert_int_eq(e, KEYS[_i].kind == CALLER_NONE ? ERR_UNAUTHORIZED : ERR_OK);
	ck_assert_int_eq(who.kind, KEYS[_i].kind);
	ck_assert(str_eq(who.name, str_of(KEYS[_i].name)));
	ck_assert_uint_eq(who.uid.len, 0);
}
END_TEST

/* The hash itself is no key: it stands in the environment. */
START_TEST(the_hash_is_no_key)
{
	ck_assert_int_eq(identify_bearer(keys[0].value), ERR_UNAUTHORIZED);
}
END_TEST

START_TEST(wrong_credentials_are_wrong_also_where_none_are_needed)
{
	conf.auth_mode = AUTH_MODE_OPEN;
	conf.open_networks = networks;
	conf.n_open_networks = N_ELEMS(networks);
	ck_assert_int_eq(identify(S("Bearer nonsense"), S("10.1.2.3")), ERR_UNAUTHORIZED);
	ck_assert_int_eq(identify(S("Bearer backend-key"), S("10.1.2.3")), ERR_OK);
	ck_assert(str_eq(who.name, S("backend")));
}
END_TEST

START_TEST(two_headers_are_one_too_many)
{
	struct request rq = { .authorization = S("Bearer backend-key"), .duplicate_header = "Authorization" };

	ck_assert_int_eq(caller_identify(&op, &conf, &rq, NOW_MS, &who), ERR_INVALID_PARAMETERS);
	ck_assert_pstr_eq(op.bad_field, "Authorization");
}
END_TEST

static const struct { const char *address; bool open_mode; enum caller_kind kind; const char *name; } NOBODY[] = {
	{ "192.0.2.1", false, CALLER_NONE, "" },
	{ "192.0.2.1", true, CALLER_OPEN, "open" },
	{ "10.0.0.1", false, CALLER_KEY, "lan" },
	{ "10.255.255.255", true, CALLER_KEY, "lan" },
	{ "11.0.0.1", false, CALLER_NONE, "" },
	{ "fd12::1", false, CALLER_KEY, "lan" },
	{ "fd13::1", false, CALLER_NONE, "" },
	{ "::1", false, CALLER_NONE, "" },
	{ "", false, CALLER_NONE, "" },
	{ "10.0.0", false, CALLER_NONE, "" },
	{ "unix:", false, CALLER_NONE, "" },
	{ "", true, CALLER_OPEN, "open" },
};

START_TEST(without_a_header_the_address_or_the_mode_decides)
{
	conf.open_networks = networks;
	conf.n_open_networks = N_ELEMS(networks);
	conf.auth_mode = NOBODY[_i].open_mode ? AUTH_MODE_OPEN : AUTH_MODE_KEY;
	ck_assert_int_eq(identify(S(""), str_of(NOBODY[_i].address)), ERR_OK);
	ck_assert_int_eq(who.kind, NOBODY[_i].kind);
	ck_assert(str_eq(who.name, str_of(NOBODY[_i].name)));
}
END_TEST

#define CH39 "012345678901234567890123456789012345678"
#define CH64 "0123456789012345678901234567890123456789012345678901234567890123"

/* claims with "now" written as a difference: {"exp":@60} is sixty seconds from now */
static const struct { bool good; const char *claims; } TICKETS[] = {
	{ true,  "{\"sub\":\"u1\",\"exp\":@60}" },
	{ true,  "{\"sub\":\"u1\",\"exp\":@60,\"iat\":@0,\"device_id\":\"d1\"}" },
	{ true,  "{\"sub\":\"\\u5f20 \\u4e09\",\"exp\":@60}" },
	{ true,  "{\"sub\":\"" CH39 "\xe4\xb8\xad\",\"exp\":@60}" },
	{ true,  "{\"sub\":\"u1\",\"exp\":@60,\"device_id\":\"" CH64 "\"}" },
	{ true,  "{\"sub\":\"u1\",\"exp\":@60,\"device_id\":null}" },
	{ true,  "{\"sub\":\"u1\",\"exp\":@60.5}" },
	/* 60 s of leeway, both ways */
	{ true,  "{\"sub\":\"u1\",\"exp\":@0}" },
	{ true,  "{\"sub\":\"u1\",\"exp\":@-59}" },
	{ false, "{\"sub\":\"u1\",\"exp\":@-60}" },
	{ false, "{\"sub\":\"u1\",\"exp\":@-61}" },
	{ true,  "{\"sub\":\"u1\",\"exp\":@900,\"nbf\":@0}" },
	{ true,  "{\"sub\":\"u1\",\"exp\":@900,\"nbf\":@60}" },
	{ false, "{\"sub\":\"u1\",\"exp\":@900,\"nbf\":@61}" },
	{ false, "{\"sub\":\"u1\",\"exp\":@900,\"nbf\":\"soon\"}" },
	/* exp is a must */
	{ false, "{\"sub\":\"u1\"}" },
	{ false, "{\"sub\":\"u1\",\"exp\":null}" },
	{ false, "{\"sub\":\"u1\",\"exp\":true}" },
	{ false, "{\"sub\":\"u1\",\"exp\":\"never\"}" },
	{ false, "{\"sub\":\"u1\",\"exp\":-1}" },
	{ false, "{\"sub\":\"u1\",\"exp\":1e999}" },
	/* sub is a uid */
	{ false, "{\"exp\":@60}" },
	{ false, "{\"sub\":\"\",\"exp\":@60}" },
	{ false, "{\"sub\":null,\"exp\":@60}" },
	{ false, "{\"sub\":1,\"exp\":@60}" },
	{ false, "{\"sub\":[\"u1\"],\"exp\":@60}" },
	{ false, "{\"sub\":\" u1\",\"exp\":@60}" },
	{ false, "{\"sub\":\"u1 \",\"exp\":@60}" },
	{ false, "{\"sub\":\"u\\n1\",\"exp\":@60}" },
	{ false, "{\"sub\":\"u\\u007f\",\"exp\":@60}" },
	{ false, "{\"sub\":\"" CH39 "01\",\"exp\":@60}" },
	{ false, "{\"sub\":\"u1\",\"exp\":@60,\"device_id\":\"\"}" },
	{ false, "{\"sub\":\"u1\",\"exp\":@60,\"device_id\":7}" },
	{ false, "{\"sub\":\"u1\",\"exp\":@60,\"device_id\":\"" CH64 "0\"}" },
	/* claims that are no object, or that two readers would read differently */
	{ false, "" }, { false, "[]" }, { false, "\"u1\"" },
	{ false, "{\"sub\":\"u1\",\"exp\":@60" },
	{ false, "{\"sub\":\"u1\",\"sub\":\"u2\",\"exp\":@60}" },
	{ false, "{\"sub\":\"u1\\u0000\",\"exp\":@60}" },
};

static struct str
with_times(const char *claims)
{
	struct strbuf b;

	strbuf_init_arena(&b, op.arena, 512, 512);
	while (*claims != '\0') {
		int64_t sign = 1, n = 0;

		if (*claims != '@') {
			strbuf_addc(&b, *claims++);
			continue;
		}
		if (*++claims == '-') {
			sign = -1;
			claims++;
		}
		while (*claims >= '0' && *claims <= '9')
			n = n * 10 + (*claims++ - '0');
		strbuf_addf(&b, "%lld", (long long)(NOW_S + sign * n));
	}
	ck_assert(strbuf_ok(&b));
	return strbuf_str(&b);
}

START_TEST(tickets_by_their_claims)
{
	struct str token = jwt_sign(op.arena, S(SECRET), with_times(TICKETS[_i].claims));
	enum err e = identify_bearer(token);

	ck_assert_msg(e == (TICKETS[_i].good ? ERR_OK : ERR_UNAUTHORIZED), "%s",
	    TICKETS[_i].claims);
	ck_assert_int_eq(who.kind, TICKETS[_i].good ? CALLER_TICKET : CALLER_NONE);
	ck_assert_uint_eq(who.uid.len > 0, TICKETS[_i].good);
	ck_assert_uint_eq(who.name.len, 0);
}
END_TEST

START_TEST(minted_tickets_are_taken)
{
	struct str uid = S("\xe5\xbc\xa0 \"3\"\\"), claims;
	struct str token = ticket_mint(&op, &conf, uid, S("d/1"), NOW_MS, 600);

	ck_assert(jwt_verify(op.arena, token, S(SECRET), &claims));
	ck_assert_str_eq(claims.at, "{\"sub\":\"\xe5\xbc\xa0 \\\"3\\\"\\\\\",\"exp\":1800000600,"
	    "\"iat\":1800000000,\"device_id\":\"d/1\"}");
	ck_assert_int_eq(identify_bearer(token), ERR_OK);
	ck_assert_int_eq(who.kind, CALLER_TICKET);
	ck_assert(str_eq(who.uid, uid));
	ck_assert(str_eq(who.device_id, S("d/1")));
	token = ticket_mint(&op, &conf, S("u"), S(""), NOW_MS, 600);
	ck_assert(jwt_verify(op.arena, token, S(SECRET), &claims));
	ck_assert_str_eq(claims.at, "{\"sub\":\"u\",\"exp\":1800000600,\"iat\":1800000000}");
}
END_TEST

START_TEST(tickets_of_another_secret_are_refused)
{
	struct str claims = with_times("{\"sub\":\"u1\",\"exp\":@60}");

	ck_assert_int_eq(identify_bearer(jwt_sign(op.arena, S(SECRET "2"), claims)),
	    ERR_UNAUTHORIZED);
	ck_assert_int_eq(identify_bearer(jwt_sign(op.arena, S(""), claims)), ERR_UNAUTHORIZED);
}
END_TEST

START_TEST(without_a_secret_there_are_no_tickets)
{
	struct str claims = with_times("{\"sub\":\"u1\",\"exp\":@60}");

	conf.ticket_secret = S("");
	ck_assert_uint_eq(ticket_mint(&op, &conf, S("u1"), S(""), NOW_MS, 600).len, 0);
	ck_assert_int_eq(identify_bearer(jwt_sign(op.arena, S(""), claims)), ERR_UNAUTHORIZED);
}
END_TEST

/* Per kind of caller: what it gets from a route with one bit. O: ok, U: unauthorized, F: forbidden. */
static const struct { unsigned bits; const char *none, *open, *ticket, *key, *ops; } MAY[] = {
	/*                    none open tick key  ops */
	{ WHO_PUBLIC,         "O", "O", "O", "O", "O" },
	{ WHO_TICKET_SELF,    "U", "F", "O", "F", "F" },
	{ WHO_TICKET_ROW,     "U", "F", "O", "F", "F" },
	{ WHO_TICKET_ACTIVE,  "U", "F", "O", "F", "F" },
	{ WHO_TICKET_OWN,     "U", "F", "O", "F", "F" },
	{ WHO_CREATOR,        "U", "F", "O", "F", "F" },
	{ WHO_KEY,            "U", "O", "F", "O", "O" },
	{ WHO_OPS,            "U", "F", "F", "F", "O" },
	{ WHO_REAL_KEY,       "U", "F", "F", "O", "O" },
	{ WHO_KEY | WHO_TICKET_SELF,                  "U", "O", "O", "O", "O" },
	{ WHO_KEY | WHO_TICKET_OWN | WHO_CREATOR,     "U", "O", "O", "O", "O" },
	{ WHO_REAL_KEY | WHO_OPS,                     "U", "F", "F", "O", "O" },
	{ 0,                                          "U", "F", "F", "F", "F" },
};

START_TEST(what_each_kind_may)
{
	const struct { enum caller_kind kind; const char *want; } ROW[] = {
		    { CALLER_NONE, MAY[_i].none }, { CALLER_OPEN, MAY[_i].open },
		{ CALLER_TICKET, MAY[_i].ticket },
		{ CALLER_KEY, MAY[_i].key }, { CALLER_OPS, MAY[_i].ops },
	};

	for (size_t i = 0; i < N_ELEMS(ROW); i++) {
		struct caller c = { .kind = ROW[i].kind };
		enum err want = ROW[i].want[0] == 'O' ? ERR_OK : ERR_FORBIDDEN;

		if (ROW[i].want[0] == 'U')
			want = ERR_UNAUTHORIZED;
		ck_assert_msg(caller_may(&c, MAY[_i].bits) == want, "bits %u, kind %zu",
		    MAY[_i].bits, i);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("http/caller");
	TCase *tc = tcase_create("caller");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, keys_by_their_hash, 0, N_ELEMS(KEYS));
	tcase_add_test(tc, the_hash_is_no_key);
	tcase_add_test(tc, wrong_credentials_are_wrong_also_where_none_are_needed);
	tcase_add_test(tc, two_headers_are_one_too_many);
	tcase_add_loop_test(tc, without_a_header_the_address_or_the_mode_decides, 0,
	    N_ELEMS(NOBODY));
	tcase_add_loop_test(tc, tickets_by_their_claims, 0, N_ELEMS(TICKETS));
	tcase_add_test(tc, minted_tickets_are_taken);
	tcase_add_test(tc, tickets_of_another_secret_are_refused);
	tcase_add_test(tc, without_a_secret_there_are_no_tickets);
	tcase_add_loop_test(tc, what_each_kind_may, 0, N_ELEMS(MAY));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
