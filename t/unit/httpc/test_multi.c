/* Many outbound calls at once, against a server of the test's own on loopback.
 * SPDX-License-Identifier: MIT */
#include "httpc/multi.h"

#include <sys/timerfd.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "support/http_server.h"

enum { PARALLEL = 20 };

static struct op op;
static struct httpc_multi *m;
static struct http_server server;

static void
set_up(void)
{
	http_server_start(&server);
	op = (struct op){ .arena = arena_new(64 * MIB), .lang = "en-US" };
	m = multi_open(PARALLEL);
	ck_assert_ptr_nonnull(m);
}

static void
tear_down(void)
{
	multi_close(m);
	arena_free(op.arena);
	http_server_stop(&server);
}

static struct multi_call
call_of(const char *path)
{
	return (struct multi_call){ .answer_max = 1000, .call = { .method = "GET", .timeout_ms = 3000,
	    .url = arena_printf(op.arena, "%s%s", server.url, path) } };
}

static void
start(const struct multi_call *c)
{
	ck_assert(multi_start(m, c));
}

/* The next answer; there must be one within five seconds. */
static struct multi_done
next(void)
{
	struct multi_done d;

	multi_wait(m, NULL, 0, 5000);
	ck_assert(multi_take(m, &d));
	return d;
}

static struct multi_done
get(const char *path)
{
	const struct multi_call c = call_of(path);

	start(&c);
	return next();
}

static bool
has(struct multi_done d, const char *what)
{
	return memmem(d.body.at, d.body.len, what, strlen(what)) != NULL;
}

START_TEST(a_post_arrives_as_given)
{
	struct multi_call c = call_of("/echo");
	struct multi_done d;
	int tag;

	c.tag = &tag;
	c.call.method = "POST";
	c.call.body = S("{\"room\":\"呼叫\"}");
	c.call.content_type = S("application/json");
	c.headers[0] = S("X-Event-Type: room.started");
	c.headers[1] = S("webhook-id: 0198");
	c.n_headers = 2;
	start(&c);
	d = next();
	ck_assert_ptr_eq(d.tag, &tag);
	ck_assert(d.answered);
	ck_assert_int_eq(d.status, 200);
	ck_assert(has(d, "POST /echo HTTP/1.1\r\n"));
	ck_assert(has(d, "Content-Type: application/json\r\n"));
	ck_assert(has(d, "X-Event-Type: room.started\r\n"));
	ck_assert(has(d, "webhook-id: 0198\r\n"));
	ck_assert(!has(d, "Expect"));
	ck_assert(has(d, "\r\n\r\n{\"room\":\"呼叫\"}"));
	multi_done_free(&d);
	/* Nothing of it is left for the next call. */
	d = get("/echo");
	ck_assert(has(d, "GET /echo HTTP/1.1\r\n"));
	ck_assert(!has(d, "webhook-id") && !has(d, "Content-"));
	multi_done_free(&d);
}
END_TEST

START_TEST(calls_do_not_wait_for_each_other)
{
	const struct multi_call slow = call_of("/slow");
	int64_t start_us = clock_mono_us();

	for (size_t i = 0; i < PARALLEL; i++)
		start(&slow);
	ck_assert(!multi_start(m, &slow));
	ck_assert_uint_eq(multi_n_under_way(m), PARALLEL);
	for (size_t i = 0; i < PARALLEL; i++) {
		struct multi_done d = next();

		ck_assert(d.answered && d.status == 200);
		ck_assert_int_ge(d.us, 190000);
		multi_done_free(&d);
	}
	ck_assert_uint_eq(multi_n_under_way(m), 0);
	/* One after the other they would take four seconds. */
	ck_assert_int_le(clock_mono_us() - start_us, 2000000);
}
END_TEST

START_TEST(connections_are_kept)
{
	struct multi_done a = get("/pid"), b = get("/pid");
	size_t pid = a.body.len;

	ck_assert_uint_gt(pid, 0);
	ck_assert_uint_eq(pid, b.body.len);
	multi_done_free(&a);
	multi_done_free(&b);
}
END_TEST

static const struct {
	const char *path;
	bool answered;
	int status;
	size_t body;                  /* how much of it is kept */
	const char *retry_after;
} ENDS[] = {
	{ "/error", true, 503, 3, "" },
	{ "/retry", true, 503, 3, "7" },
	{ "/redirect", true, 302, 0, "" },
	{ "/mib", true, 200, 1000, "" },
	{ "/ten", true, 200, 1000, "" },
	{ "/close", false, 0, 0, "" },
	{ "/half", false, 0, 0, "" },
	{ "/silent", false, 0, 0, "" },
};

START_TEST(every_end_is_told)
{
	struct multi_call c = call_of(ENDS[_i].path);
	struct multi_done d;

	c.call.timeout_ms = 500;
	start(&c);
	d = next();
	ck_assert_int_eq(d.answered, ENDS[_i].answered);
	ck_assert_int_eq(d.status, ENDS[_i].status);
	ck_assert_uint_eq(d.body.len, ENDS[_i].body);
	ck_assert(str_eq(d.retry_after, str_of(ENDS[_i].retry_after)));
	ck_assert_int_eq(d.why[0] == '\0', ENDS[_i].answered);
	ck_assert(!d.refused_address);
	multi_done_free(&d);
	/* And it spoils nothing for the next. */
	d = get("/error");
	ck_assert_int_eq(d.status, 503);
	ck_assert(str_eq(d.retry_after, S("")));
	multi_done_free(&d);
}
END_TEST

START_TEST(where_nobody_listens_is_told_from_silence)
{
	const struct http_call calls[] = {
		{ .method = "GET", .timeout_ms = 500, .url = S("http://127.0.0.1:1/") },
		{ .method = "GET", .timeout_ms = 300, .url = arena_printf(op.arena, "%s/silent", server.url) },
		{ .method = "GET", .timeout_ms = 500, .url = arena_printf(op.arena, "%s/close", server.url) },
		{ .method = "GET", .timeout_ms = 500, .url = arena_printf(op.arena, "%s/echo", server.url) },
	};
	struct many_answer answers[N_ELEMS(calls)];
	struct multi_call c = call_of("/echo");
	struct multi_done d;

	multi_all(&op, m, calls, N_ELEMS(calls), PARALLEL, answers);
	for (size_t i = 0; i < N_ELEMS(calls); i++)
		ck_assert_int_eq(answers[i].answer.refused, i == 0);
	/* A handle that was refused once is as good as new. */
	for (size_t i = 0; i < PARALLEL; i++) {
		start(&c);
		d = next();
		ck_assert(d.answered && !d.refused);
		multi_done_free(&d);
	}
	c.call.url = S("http://127.0.0.1:1/");
	start(&c);
	d = next();
	ck_assert(!d.answered && d.refused && !d.refused_address);
	multi_done_free(&d);
}
END_TEST

START_TEST(a_large_answer_is_not_read_to_its_end)
{
	struct multi_done d = get("/ten"), e;

	/* 64 KiB are little enough to be read for the sake of the connection; 10 MiB are not. */
	ck_assert_int_le(d.us, 1000000);
	e = get("/pid");
	ck_assert(e.answered);
	multi_done_free(&d);
	multi_done_free(&e);
}
END_TEST

START_TEST(a_time_limit_is_a_limit)
{
	struct multi_call c = call_of("/silent");
	int64_t start_us = clock_mono_us();
	struct multi_done d;

	c.call.timeout_ms = 200;
	start(&c);
	d = next();
	ck_assert(!d.answered);
	ck_assert_int_ge(clock_mono_us() - start_us, 190000);
	ck_assert_int_le(clock_mono_us() - start_us, 1500000);
	multi_done_free(&d);
}
END_TEST

/* Names and spellings of this host, all of which end at the server. */
static const struct { const char *host; enum reach reach; bool refused; } REACHED[] = {
	{ "127.0.0.1", REACH_ALL, false },
	{ "127.0.0.1", REACH_NOT_LINK_LOCAL, false },
	{ "127.0.0.1", REACH_PUBLIC, true },
	{ "localhost", REACH_PUBLIC, true },
	{ "2130706433", REACH_PUBLIC, true },
	{ "0x7f000001", REACH_PUBLIC, true },
	{ "127.1", REACH_PUBLIC, true },
	{ "[::ffff:127.0.0.1]", REACH_PUBLIC, true },
	{ "0", REACH_NOT_LINK_LOCAL, true },
	{ "0.0.0.0", REACH_NOT_LINK_LOCAL, true },
	{ "[::ffff:0.0.0.0]", REACH_NOT_LINK_LOCAL, true },
	{ "169.254.169.254", REACH_NOT_LINK_LOCAL, true },
	{ "[fe80::1]", REACH_NOT_LINK_LOCAL, true },
	{ "100.100.100.200", REACH_NOT_LINK_LOCAL, true },
	{ "[fd00:ec2::254]", REACH_NOT_LINK_LOCAL, true },
	{ "10.0.0.1", REACH_PUBLIC, true },
};

static struct multi_call
call_to(const char *host, enum reach reach)
{
	return (struct multi_call){ .answer_max = 1000, .reach = reach, .call = { .method = "GET",
	    .timeout_ms = 2000, .url = arena_printf(op.arena, "http://%s:%d/error", host, server.port) } };
}

START_TEST(an_address_out_of_reach_is_refused)
{
	const struct multi_call c = call_to(REACHED[_i].host, REACHED[_i].reach);
	struct multi_done d;

	start(&c);
	d = next();
	ck_assert_int_eq(d.refused_address, REACHED[_i].refused);
	ck_assert_int_eq(d.answered, !REACHED[_i].refused);
	if (REACHED[_i].refused)
		ck_assert_ptr_nonnull(strstr(d.why, "not allowed"));
	multi_done_free(&d);
}
END_TEST

START_TEST(a_kept_connection_is_no_way_around)
{
	const struct multi_call far = call_to("127.0.0.1", REACH_ALL), near = call_to("127.0.0.1", REACH_PUBLIC);
	struct multi_done d;

	start(&far);
	d = next();
	ck_assert(d.answered);
	multi_done_free(&d);
	start(&near);
	d = next();
	ck_assert(d.refused_address);
	multi_done_free(&d);
}
END_TEST

START_TEST(other_schemes_are_none)
{
	static const char *const URLS[] = { "file:///etc/hostname", "gopher://127.0.0.1/", "http://", "" };

	for (size_t i = 0; i < N_ELEMS(URLS); i++) {
		struct multi_call c = call_of("");
		struct multi_done d;

		c.call.url = str_of(URLS[i]);
		start(&c);
		d = next();
		ck_assert(!d.answered && d.why[0] != '\0');
		multi_done_free(&d);
	}
}
END_TEST

START_TEST(no_proxy_of_the_environment)
{
	struct multi_done d;

	(void)setenv("http_proxy", "http://127.0.0.1:1", 1);
	d = get("/error");
	ck_assert(d.answered);
	multi_done_free(&d);
}
END_TEST

START_TEST(a_foreign_descriptor_wakes)
{
	const struct multi_call silent = call_of("/silent");
	struct pollfd fds[3] = { { .fd = -1, .events = POLLIN }, { .events = POLLIN }, { .events = POLLIN } };
	int64_t start_us = clock_mono_us();
	struct multi_done d;
	int a[2], b[2];

	ck_assert(pipe(a) == 0 && pipe(b) == 0);
	fds[1].fd = a[0];
	fds[2].fd = b[0];
	if (_i == 1)
		start(&silent);
	multi_wait(m, fds, 3, 100);
	ck_assert_int_ge(clock_mono_us() - start_us, 95000);
	ck_assert(fds[1].revents == 0 && fds[2].revents == 0);
	ck_assert_int_eq(write(b[1], "x", 1), 1);
	multi_wait(m, fds, 3, 5000);
	ck_assert(fds[1].revents == 0 && fds[2].revents == POLLIN);
	(void)!read(b[0], &d, 1);
	(void)close(a[1]);
	multi_wait(m, fds, 3, 5000);
	ck_assert(fds[1].revents == POLLHUP && fds[2].revents == 0);
	ck_assert_int_le(clock_mono_us() - start_us, 2000000);
	ck_assert(!multi_take(m, &d));
}
END_TEST

START_TEST(a_descriptor_wakes_from_the_midst_of_waiting)
{
	const struct multi_call silent = call_of("/silent");
	const struct itimerspec in_100_ms = { .it_value = { .tv_nsec = 100000000 } };
	struct pollfd timer = { .fd = timerfd_create(CLOCK_MONOTONIC, 0), .events = POLLIN };
	int64_t start_us = clock_mono_us();

	start(&silent);
	ck_assert_int_eq(timerfd_settime(timer.fd, 0, &in_100_ms, NULL), 0);
	multi_wait(m, &timer, 1, 2500);
	ck_assert_int_eq(timer.revents, POLLIN);
	ck_assert_int_ge(clock_mono_us() - start_us, 95000);
	ck_assert_int_le(clock_mono_us() - start_us, 1500000);
	(void)close(timer.fd);
}
END_TEST

START_TEST(closed_under_way_nothing_is_left)
{
	const struct multi_call silent = call_of("/silent"), error = call_of("/error");

	/* The sanitizers watch: one under way, one answered and not taken. */
	start(&error);
	multi_wait(m, NULL, 0, 5000);
	start(&silent);
	multi_wait(m, NULL, 0, 20);
}
END_TEST

static struct http_call
plain(const char *path)
{
	return (struct http_call){ .method = "GET", .timeout_ms = 3000,
	    .url = arena_printf(op.arena, "%s%s", server.url, path) };
}

START_TEST(all_answers_stand_in_order)
{
	static const char *const PATHS[] = { "/slow", "/error", "/close", "/mib", "/redirect" };
	enum { N = 15 };
	struct http_call calls[N];
	struct many_answer answers[N];

	for (size_t i = 0; i < N; i++)
		calls[i] = plain(PATHS[i % N_ELEMS(PATHS)]);
	multi_all(&op, m, calls, N, 4, answers);
	for (size_t i = 0; i < N; i += N_ELEMS(PATHS)) {
		ck_assert_int_eq(answers[i].e, ERR_OK);
		ck_assert_int_eq(answers[i].answer.status, 200);
		ck_assert_int_eq(answers[i + 1].answer.status, 503);
		ck_assert(str_eq(answers[i + 1].answer.body, S("bbb")));
		ck_assert_int_eq(answers[i + 2].e, ERR_UNAVAILABLE);
		ck_assert_uint_gt(answers[i + 2].answer.why.len, 0);
		ck_assert_uint_eq(answers[i + 3].answer.body.len, MIB);
		ck_assert_int_eq(answers[i + 4].answer.status, 302);
	}
}
END_TEST

/* Eight calls of 200 ms: how long all of them take says how many were under way at once. */
START_TEST(no_more_than_asked_for_at_once)
{
	struct http_call calls[8];
	struct many_answer answers[8];
	int64_t start_us = clock_mono_us(), us;

	for (size_t i = 0; i < 8; i++)
		calls[i] = plain("/slow");
	multi_all(&op, m, calls, 8, 2, answers);
	us = clock_mono_us() - start_us;
	ck_assert_int_ge(us, 790000);
	ck_assert_int_le(us, 1550000);
	multi_all(&op, m, calls, 0, 2, answers);
}
END_TEST

START_TEST(what_is_wanted_whole_is_not_cut)
{
	struct http_call calls[] = { plain("/more"), plain("/ten"), plain("/error") };
	struct many_answer answers[3];

	multi_all(&op, m, calls, 3, 3, answers);
	ck_assert_int_eq(answers[0].e, ERR_OK);
	ck_assert_uint_eq(answers[0].answer.body.len, MIB + 1);
	ck_assert_int_eq(answers[1].e, ERR_UNAVAILABLE);
	ck_assert(str_eq(answers[1].answer.why, S("the answer is too large")));
	ck_assert_int_eq(answers[2].e, ERR_OK);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("httpc/multi");
	TCase *tc = tcase_create("multi");

	tcase_set_timeout(tc, 20);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_post_arrives_as_given);
	tcase_add_test(tc, calls_do_not_wait_for_each_other);
	tcase_add_test(tc, connections_are_kept);
	tcase_add_loop_test(tc, every_end_is_told, 0, N_ELEMS(ENDS));
	tcase_add_test(tc, where_nobody_listens_is_told_from_silence);
	tcase_add_test(tc, a_large_answer_is_not_read_to_its_end);
	tcase_add_test(tc, a_time_limit_is_a_limit);
	tcase_add_loop_test(tc, an_address_out_of_reach_is_refused, 0, N_ELEMS(REACHED));
	tcase_add_test(tc, a_kept_connection_is_no_way_around);
	tcase_add_test(tc, other_schemes_are_none);
	tcase_add_test(tc, no_proxy_of_the_environment);
	tcase_add_loop_test(tc, a_foreign_descriptor_wakes, 0, 2);
	tcase_add_test(tc, a_descriptor_wakes_from_the_midst_of_waiting);
	tcase_add_test(tc, closed_under_way_nothing_is_left);
	tcase_add_test(tc, all_answers_stand_in_order);
	tcase_add_test(tc, no_more_than_asked_for_at_once);
	tcase_add_test(tc, what_is_wanted_whole_is_not_cut);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
