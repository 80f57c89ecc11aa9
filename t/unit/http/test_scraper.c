/* Who may read the metrics: the table is the specification.
 * SPDX-License-Identifier: MIT */
#include "http/scraper.h"

#include "base/codec.h"
#include "crypto/digest.h"
#include "support/unit.h"

#define PASSWORD "p:ss wörd"

static const struct {
	const char *from, *credentials;      /* NULL: no header; "=x": the header itself */
	bool configured;
	enum err wanted;
} CASES[] = {
	{ "127.0.0.1", NULL, false, ERR_OK },
	{ "127.255.3.4", NULL, false, ERR_OK },
	{ "::1", NULL, true, ERR_OK },
	{ "::ffff:127.0.0.1", NULL, true, ERR_OK },
	{ "127.0.0.1", "scraper:wrong", true, ERR_OK },
	{ "10.0.0.1", NULL, false, ERR_FORBIDDEN },
	{ "10.0.0.1", "scraper:" PASSWORD, false, ERR_FORBIDDEN },
	{ "", NULL, false, ERR_FORBIDDEN },
	{ "localhost", NULL, false, ERR_FORBIDDEN },
	{ "128.0.0.1", NULL, true, ERR_UNAUTHORIZED },
	{ "::2", NULL, true, ERR_UNAUTHORIZED },
	{ "::127.0.0.1", NULL, true, ERR_UNAUTHORIZED },
	{ "unix:", NULL, true, ERR_UNAUTHORIZED },
	{ "10.0.0.1", "scraper:" PASSWORD, true, ERR_OK },
	{ "10.0.0.1", "scraper:p", true, ERR_UNAUTHORIZED },
	{ "10.0.0.1", "scraper:" PASSWORD " ", true, ERR_UNAUTHORIZED },
	{ "10.0.0.1", "scrape:" PASSWORD, true, ERR_UNAUTHORIZED },
	{ "10.0.0.1", "Scraper:" PASSWORD, true, ERR_UNAUTHORIZED },
	{ "10.0.0.1", ":" PASSWORD, true, ERR_UNAUTHORIZED },
	{ "10.0.0.1", ":", true, ERR_UNAUTHORIZED },
	{ "10.0.0.1", "scraper", true, ERR_UNAUTHORIZED },
	{ "10.0.0.1", "scraper:", true, ERR_UNAUTHORIZED },
	{ "10.0.0.1", "", true, ERR_UNAUTHORIZED },
	{ "10.0.0.1", "=Basic", true, ERR_UNAUTHORIZED },
	{ "10.0.0.1", "=Basic ***", true, ERR_UNAUTHORIZED },
	{ "10.0.0.1", "=Bearer c2NyYXBlcjpwOnNzIHfDtnJk", true, ERR_UNAUTHORIZED },
	{ "10.0.0.1", "=bAsIc  c2NyYXBlcjpwOnNzIHfDtnJk", true, ERR_OK },
};

static struct str
header(struct arena *a, const char *credentials)
{
	struct strbuf b;

	if (credentials == NULL)
		return S("");
	if (credentials[0] == '=')
		return str_of(credentials + 1);
	strbuf_init_arena(&b, a, 64, 4096);
	strbuf_addz(&b, "Basic ");
	base64_encode(&b, credentials, str_of(credentials).len);
	return strbuf_str(&b);
}

static void
configure(struct conf *c, struct arena *a)
{
	uint8_t digest[SHA256_BYTES];
	struct strbuf hex;

	digest_sha256(S(PASSWORD), digest);
	strbuf_init_arena(&hex, a, 128, 128);
	hex_encode(&hex, digest, sizeof(digest));
	c->metrics_user = S("scraper");
	c->metrics_sha256 = strbuf_str(&hex);
}

START_TEST(as_the_table_says)
{
	struct arena *a = arena_new(1 << 20);
	struct request rq = { .remote_addr = str_of(CASES[_i].from), .authorization = header(a, CASES[_i].credentials) };
	struct conf c = { 0 };

	if (CASES[_i].configured)
		configure(&c, a);
	ck_assert_int_eq(scraper_may(&c, &rq), CASES[_i].wanted);
	arena_free(a);
}
END_TEST

START_TEST(half_a_configuration_lets_nobody_in)
{
	struct arena *a = arena_new(1 << 20);
	struct request rq = { .remote_addr = S("10.0.0.1"), .authorization = header(a, ":" PASSWORD) };
	struct conf c = { 0 };

	configure(&c, a);
	c.metrics_user = S("");
	ck_assert_int_eq(scraper_may(&c, &rq), ERR_FORBIDDEN);
	configure(&c, a);
	c.metrics_sha256 = S("");
	rq.authorization = header(a, "scraper:");
	ck_assert_int_eq(scraper_may(&c, &rq), ERR_FORBIDDEN);
	arena_free(a);
}
END_TEST

START_TEST(two_headers_are_none)
{
	struct arena *a = arena_new(1 << 20);
	struct request rq = { .remote_addr = S("10.0.0.1"), .duplicate_header = "Authorization",
		.authorization = header(a, "scraper:" PASSWORD) };
	struct conf c = { 0 };

	configure(&c, a);
	ck_assert_int_eq(scraper_may(&c, &rq), ERR_UNAUTHORIZED);
	arena_free(a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("scraper");
	TCase *tc = tcase_create("scraper");

	tcase_add_loop_test(tc, as_the_table_says, 0, N_ELEMS(CASES));
	tcase_add_test(tc, half_a_configuration_lets_nobody_in);
	tcase_add_test(tc, two_headers_are_none);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
