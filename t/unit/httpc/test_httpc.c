/* Outbound HTTP against a server of the test's own on loopback.
 * SPDX-License-Identifier: MIT */
#include "httpc/httpc.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "support/unit.h"

enum { MIB = 1 << 20 };

static struct op op;
static struct httpc *h;
static char base_url[64];
static pid_t server_pid;

static void
send_all(int fd, const char *at, size_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, at, n);

		if (k <= 0)
			return;
		at += k;
		n -= (size_t)k;
	}
}

static void
answer(int fd, const char *status, const char *more, size_t n_body)
{
	static char body[MIB + 1];
	char head[512];

	memset(body, 'b', sizeof(body));
	(void)snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n", status, n_body,
	    more);
	send_all(fd, head, strlen(head));
	send_all(fd, body, n_body);
}

/* The request itself as the body, so that the test sees what was sent. */
static void
echo(int fd, const char *request, size_t n)
{
	char head[128];

	(void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
	send_all(fd, head, strlen(head));
	send_all(fd, request, n);
}

/* Reads one whole request; false at the end of the connection. */
static bool
read_request(int fd, char *at, size_t cap, size_t *n_out)
{
	size_t n = 0;

	for (;;) {
		ssize_t k = read(fd, at + n, cap - n - 1);
		const char *body, *length;

		if (k <= 0)
			return false;
		n += (size_t)k;
		at[n] = '\0';
		if ((body = strstr(at, "\r\n\r\n")) == NULL)
			continue;
		length = strstr(at, "Content-Length: ");
		*n_out = n;
		if (length == NULL || strlen(body + 4) >= strtoul(length + 16, NULL, 10))
			return true;
	}
}

static void
serve_connection(int fd)
{
	static char request[65536];
	size_t n;

	while (read_request(fd, request, sizeof(request), &n)) {
		if (strstr(request, " /echo ") != NULL)
			echo(fd, request, n);
		else if (strstr(request, " /redirect ") != NULL)
			answer(fd, "302 Found", "Location: /echo\r\n", 0);
		else if (strstr(request, " /error ") != NULL)
			answer(fd, "503 Service Unavailable", "", 3);
		else if (strstr(request, " /mib ") != NULL)
			answer(fd, "200 OK", "", MIB);
		else if (strstr(request, " /more ") != NULL)
			answer(fd, "200 OK", "", MIB + 1);
		else if (strstr(request, " /pid ") != NULL)
			answer(fd, "200 OK", "", (size_t)getpid());
		else
			(void)pause();                       /* /silent */
	}
	_exit(0);
}

/* A test that fails never comes to its tear-down. */
static void
die_with_parent(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* A process a connection: the pid tells connections apart. */
static void
serve(int listener)
{
	(void)signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fork() == 0) {
			die_with_parent();
			serve_connection(fd);
		}
		(void)close(fd);
	}
}

static void
set_up(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	(void)snprintf(base_url, sizeof(base_url), "http://127.0.0.1:%d", ntohs(a.sin_port));
	if ((server_pid = fork()) == 0) {
		die_with_parent();
		serve(fd);
	}
	(void)close(fd);
	op = (struct op){ .arena = arena_new(16 * MIB), .lang = "en-US" };
	h = httpc_open();
	ck_assert_ptr_nonnull(h);
}

static void
tear_down(void)
{
	httpc_close(h);
	arena_free(op.arena);
	(void)kill(server_pid, SIGKILL);
	(void)waitpid(server_pid, NULL, 0);
}

static struct http_call
call_of(const char *method, const char *path)
{
	return (struct http_call){ .method = method, .timeout_ms = 2000,
	    .url = arena_printf(op.arena, "%s%s", base_url, path) };
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
