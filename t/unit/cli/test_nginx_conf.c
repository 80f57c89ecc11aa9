/* The nginx configuration as one file: everything is filled in, nothing is left to include.
 * SPDX-License-Identifier: MIT */
#include "cli/nginx_conf.h"

#include <ctype.h>
#include <string.h>

#include "support/unit.h"

static struct arena *mem;
static const struct str NODES[] = { { "10.0.0.11:7880", 14 }, { "[fd00::1]:7880", 14 } };

static void
set_up(void)
{
	mem = arena_new(16 << 20);
}

static void
tear_down(void)
{
	arena_free(mem);
}

static const char *
written(const struct nginx_site *s)
{
	struct strbuf b;

	strbuf_init_arena(&b, mem, 4096, 1 << 20);
	nginx_conf_write(&b, s);
	ck_assert(strbuf_ok(&b));
	return b.at;
}

static struct nginx_site
site(void)
{
	return (struct nginx_site){ .listen = S("127.0.0.1:8080"), .fcgi_socket = S("/a/fcgi.sock"),
	    .route_socket = S("/a/route.sock"), .log_dir = S("/a/log"), .swagger_ui = S("/a/ui"), .nodes = NODES,
	    .n_nodes = N_ELEMS(NODES), .cors_origins = S("https://a.example, https://b.example") };
}

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what))
		n++;
	return n;
}

/* Lines that are no comment, each without the tabs before it. */
static bool
has_line(const char *text, const char *line)
{
	size_t n = strlen(line);

	for (const char *at = text; (at = strstr(at, line)) != NULL; at += n) {
		const char *from = at;

		while (from > text && from[-1] == '\t')
			from--;
		if ((from == text || from[-1] == '\n') && at[n] == '\n')
			return true;
	}
	return false;
}

START_TEST(all_of_it_is_there)
{
	struct nginx_site s = site();
	const char *text = written(&s);

	for (const char *at = text; (at = strchr(at, '@')) != NULL; at++)
		ck_assert_msg(!isupper((unsigned char)at[1]), "not filled in: %.20s", at);
	ck_assert(!has_line(text, "include tgo-call/errors.conf;"));
	ck_assert_uint_eq(count(text, "include "), 0);
	ck_assert(has_line(text, "server 10.0.0.11:7880 max_fails=2 fail_timeout=5s;"));
	ck_assert(has_line(text, "server [fd00::1]:7880 max_fails=2 fail_timeout=5s;"));
	ck_assert(!has_line(text, "server 127.0.0.1:1 down;"));
	ck_assert(has_line(text, "server unix:/a/fcgi.sock;"));
	ck_assert(has_line(text, "server unix:/a/route.sock;"));
	ck_assert(has_line(text, "listen 127.0.0.1:8080;"));
	ck_assert(has_line(text, "access_log /a/log/livekit-cluster-access.log livekit_cluster;"));
	ck_assert(has_line(text, "alias /a/ui/;"));
	ck_assert(has_line(text, "location @livekit_again {"));
	ck_assert(has_line(text, "location = /_tgo/error {"));
	ck_assert(has_line(text, "\"https://a.example\" $http_origin;"));
	ck_assert(has_line(text, "\"https://b.example\" $http_origin;"));
	/* As deep as the place it stands in, and as many opened as closed. */
	ck_assert_ptr_nonnull(strstr(text, "\n\tlocation = /_tgo/error {\n\t\tinternal;\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n\t\tproxy_http_version 1.1;\n"));
	ck_assert_uint_eq(count(text, " {\n"), count(text, "\t}\n") + count(text, "\n}\n"));
}
END_TEST

START_TEST(tls_only_where_it_is_listened_to)
{
	static const struct { const char *listen; bool tls; } ROWS[] = {
		{ "443 ssl http2", true }, { "443 ssl", true }, { "80", false }, { "10.0.0.1:80 sslx", false },
	};

	for (size_t i = 0; i < N_ELEMS(ROWS); i++) {
		struct nginx_site s = site();

		s.listen = str_of(ROWS[i].listen);
		ck_assert_int_eq(strstr(written(&s), "\n\tssl_certificate ") != NULL, ROWS[i].tls);
	}
}
END_TEST

START_TEST(origins)
{
	struct nginx_site s = site();

	s.cors_origins = S(" * ");
	ck_assert(has_line(written(&s), "\"~.\" \"*\";"));
	s.cors_origins = S("");
	ck_assert(!has_line(written(&s), "\"~.\" \"*\";"));
	s.cors_origins = S("https://ok.example,\"; evil;,a$b,~.,,x\\");
	ck_assert(has_line(written(&s), "\"https://ok.example\" $http_origin;"));
	ck_assert_ptr_null(strstr(written(&s), "evil"));
	ck_assert_uint_eq(count(written(&s), "\" $http_origin;"), 1);
}
END_TEST

START_TEST(no_node_is_no_server)
{
	struct nginx_site s = site();

	s.n_nodes = 0;
	ck_assert(has_line(written(&s), "server 127.0.0.1:1 down;"));
}
END_TEST

START_TEST(the_usual_places)
{
	const struct conf c = { .cors_origins = S("*") };
	struct nginx_site s = nginx_site_usual(&c);
	const char *text = written(&s);

	ck_assert(has_line(text, "server unix:/run/tgo-call/fcgi.sock;"));
	ck_assert(has_line(text, "server unix:/run/tgo-call/route.sock;"));
	ck_assert(has_line(text, "listen 80;"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("nginx_conf");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, all_of_it_is_there);
	tcase_add_test(t, tls_only_where_it_is_listened_to);
	tcase_add_test(t, origins);
	tcase_add_test(t, no_node_is_no_server);
	tcase_add_test(t, the_usual_places);
	suite_add_tcase(s, t);
	return unit_main(s);
}
