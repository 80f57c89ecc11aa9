/* Outbound HTTP against a server of the test's own on loopback.
 * SPDX-License-Identifier: MIT */
#include "httpc/httpc.h"

#include "base/clock.h"
#include "base/strbuf.h"
#include "support/http_server.h"

static struct op op;
static struct httpc *h;
static struct http_server server;

static void
set_up(void)
{
	http_server_start(&server);
	op = (struct op){ .arena = arena_new(16 * MIB), .lang = "en-US" };
	h = httpc_open();
	ck_assert_ptr_nonnull(h);
}

static void
tear_down(void)
{
	httpc_close(h);
	arena_free(op.arena);
	http_server_stop(&server);
}

static struct http_call
call_of(const char *method, const char *path)
{
	return (struct http_call){ .method = method, .timeout_ms = 2000,
	    .url = arena_printf(op.arena, "%s%s", server.url, path) };
}

static enum err
get(const char *path, struct http_answer *out)
{
	struct http_call c = call_of("GET", path);

	return httpc_call(&op, h, &c, out);
}

static bool
has(struct http_answer a, const char *what)
{
	return memmem(a.body.at, a.body.len, what, strlen(what)) != NULL;
}

START_TEST(a_post_arrives_as_given)
{
	struct http_call c = call_of("POST", "/echo");
	struct http_answer a;

	c.body = S("{\"room\":\"呼叫\"}");
	c.content_type = S("application/json");
	c.bearer = S("a.b.c");
	ck_assert_int_eq(httpc_call(&op, h, &c, &a), ERR_OK);
	ck_assert_int_eq(a.status, 200);
	ck_assert(has(a, "POST /echo HTTP/1.1\r\n"));
	ck_assert(has(a, "Content-Type: application/json\r\n"));
	ck_assert(has(a, "Authorization: Bearer a.b.c\r\n"));
	ck_assert(!has(a, "Expect"));
	ck_assert(has(a, "\r\n\r\n{\"room\":\"呼叫\"}"));
	/* Nothing of it is left for the next call. */
	ck_assert_int_eq(get("/echo", &a), ERR_OK);
	ck_assert(has(a, "GET /echo HTTP/1.1\r\n"));
	ck_assert(!has(a, "Authorization"));
	ck_assert(!has(a, "Content-"));
}
END_TEST

START_TEST(a_body_may_be_empty)
{
	struct http_call c = call_of("POST", "/echo");
	struct http_answer a;

	ck_assert_int_eq(httpc_call(&op, h, &c, &a), ERR_OK);
	ck_assert(has(a, "Content-Length: 0\r\n"));
}
END_TEST

START_TEST(any_status_is_an_answer_and_no_redirect_is_followed)
{
	struct http_answer a;

	ck_assert_int_eq(get("/error", &a), ERR_OK);
	ck_assert_int_eq(a.status, 503);
	ck_assert(str_eq(a.body, S("bbb")));
	ck_assert_int_eq(get("/redirect", &a), ERR_OK);
	ck_assert_int_eq(a.status, 302);
}
END_TEST

START_TEST(answers_up_to_a_mebibyte)
{
	struct http_answer a;

	ck_assert_int_eq(get("/mib", &a), ERR_OK);
	ck_assert_uint_eq(a.body.len, MIB);
	ck_assert_int_eq(get("/more", &a), ERR_UNAVAILABLE);
	ck_assert(str_eq(a.why, S("the answer is larger than 1 MiB")));
	ck_assert_int_eq(get("/mib", &a), ERR_OK);
}
END_TEST

START_TEST(the_connection_is_kept)
{
	struct http_answer a, b;

	ck_assert_int_eq(get("/pid", &a), ERR_OK);
	arena_reset(op.arena);
	ck_assert_int_eq(get("/pid", &b), ERR_OK);
	ck_assert_uint_eq(a.body.len, b.body.len);
}
END_TEST

START_TEST(silence_ends_in_time)
{
	struct http_call c = call_of("GET", "/silent");
	struct http_answer a;
	int64_t start = clock_mono_us();

	c.timeout_ms = 200;
	ck_assert_int_eq(httpc_call(&op, h, &c, &a), ERR_UNAVAILABLE);
	ck_assert_int_ge(clock_mono_us() - start, 190000);
	ck_assert_int_le(clock_mono_us() - start, 1500000);
	ck_assert_uint_gt(a.why.len, 0);
	ck_assert(!a.refused);
}
END_TEST

static const char *const NOWHERE[] = {
	"http://127.0.0.1:1/", "file:///etc/hostname", "gopher://127.0.0.1/", "http://", "",
};

START_TEST(nobody_there_and_other_schemes)
{
	struct http_call c = { .method = "GET", .url = str_of(NOWHERE[_i]), .timeout_ms = 1000 };
	struct http_answer a;

	ck_assert_int_eq(httpc_call(&op, h, &c, &a), ERR_UNAVAILABLE);
	ck_assert_uint_gt(a.why.len, 0);
	ck_assert_int_eq(a.refused, _i == 0);
	c = call_of("GET", "/echo");
	ck_assert_int_eq(httpc_call(&op, h, &c, &a), ERR_OK);
	ck_assert(!a.refused);
}
END_TEST

START_TEST(no_proxy_of_the_environment)
{
	struct http_answer a;

	(void)setenv("http_proxy", "http://127.0.0.1:1", 1);
	ck_assert_int_eq(get("/echo", &a), ERR_OK);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("httpc/httpc");
	TCase *tc = tcase_create("httpc");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_post_arrives_as_given);
	tcase_add_test(tc, a_body_may_be_empty);
	tcase_add_test(tc, any_status_is_an_answer_and_no_redirect_is_followed);
	tcase_add_test(tc, answers_up_to_a_mebibyte);
	tcase_add_test(tc, the_connection_is_kept);
	tcase_add_test(tc, silence_ends_in_time);
	tcase_add_loop_test(tc, nobody_there_and_other_schemes, 0, N_ELEMS(NOWHERE));
	tcase_add_test(tc, no_proxy_of_the_environment);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
