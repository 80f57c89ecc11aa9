/* test_conf_load.c - from sources to struct conf: files, precedence, every type, what is refused.
 * SPDX-License-Identifier: MIT */
#include "conf/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/conf_file.h"
#include "support/unit.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF"
#define HASH_LOW "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char dir[64];
static char err[1024];

static void
write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	ck_assert(f != NULL);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void
clean_start(void)
{
	ck_assert_int_eq(clearenv(), 0);
	(void)snprintf(dir, sizeof(dir), "/tmp/tgo-test-conf-XXXXXX");
	ck_assert(mkdtemp(dir) != NULL);
	ck_assert_int_eq(chdir(dir), 0);
	write_file(".env", "");               /* or an installed file would be read */
}

static void
clean_end(void)
{
	(void)unlink("other.env");
	(void)unlink(".env");
	(void)rmdir(".env");
	(void)rmdir(dir);
}

static struct conf *
load(const char *text)
{
	struct conf *c;

	write_file(".env", text);
	c = conf_load(NULL, err, sizeof(err));
	ck_assert_msg(c != NULL, "%s", err);
	ck_assert_str_eq(err, "");
	return c;
}

static const struct conf_option *
option(const char *name)
{
	for (size_t i = 0; i < N_CONF_OPTIONS; i++)
		if (strcmp(CONF_OPTIONS[i].name, name) == 0)
			return &CONF_OPTIONS[i];
	ck_abort_msg("no option %s", name);
}

static void
ck_shows(const struct conf *c, const char *name, const char *want)
{
	char text[512];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	conf_show(c, option(name), &b);
	ck_assert(strbuf_ok(&b));
	ck_assert_str_eq(text, want);
}

START_TEST(defaults)
{
	struct conf *c = load("");

	ck_assert_str_eq(c->env.at, "development");
	ck_assert_int_eq(c->log_level, LOG_INFO);
	ck_assert_str_eq(c->log_file.at, "");
	ck_assert_int_eq(c->workers, 0);
	ck_assert_str_eq(c->db_host.at, "localhost");
	ck_assert_int_eq(c->db_port, 3306);
	ck_assert_str_eq(c->db_password.at, "");
	ck_assert_int_eq(c->redis_port, 6379);
	ck_assert_str_eq(c->livekit_url.at, "http://localhost:7880");
	ck_assert_str_eq(c->livekit_client_url.at, "http://localhost:7880");
	ck_assert_uint_eq(c->n_livekit_keys, 0);
	ck_assert_int_eq(c->livekit_timeout_s, 60);
	ck_assert(!c->livekit_create_room);
	ck_assert_int_eq(c->token_ttl_s, 3600);
	ck_assert_int_eq(c->rejoin_grace_ms, 15000);
	ck_assert_int_eq(c->max_call_s, 86400);
	ck_assert_int_eq(c->auth_mode, AUTH_MODE_KEY);
	ck_assert(c->ticket_open_join && c->token_creates_room && !c->legacy_status);
	ck_assert_str_eq(c->cors_origins.at, "");
	ck_assert_uint_eq(c->n_endpoints, 0);
	ck_assert_uint_eq(c->webhook_retry.n, 10);
	ck_assert_int_eq(c->webhook_retry.at[9], 86400000);
	ck_assert_int_eq(c->webhook_hold_ms, 60000);
	conf_free(c);
	conf_free(NULL);
}
END_TEST

/* The Go server's .env, as its example and its deploy script write it. */
START_TEST(the_go_servers_env_starts_us)
{
	struct conf *c = load(
	    "# server\r\n"
	    "PORT=8080\r\n"
	    "ENV=production\r\n"
	    "\r\n"
	    "DB_HOST=mysql\nDB_PORT=3306\nDB_USER=root\nDB_PASSWORD=pa$s#word\nDB_NAME=tgo_rtc\n"
	    "REDIS_HOST=redis\nREDIS_PORT=6379\nREDIS_PASSWORD=\nREDIS_DB=0\n"
	    "LIVEKIT_URL=ws://livekit:7880/\nLIVEKIT_CLIENT_URL=\n"
	    "LIVEKIT_API_KEY=devkey\nLIVEKIT_API_SECRET=secret # short\n"
	    "LIVEKIT_TIMEOUT=3600\nLIVEKIT_NODES=10.0.0.2:7880,10.0.0.3:7880\n"
	    "PARTICIPANT_TIMEOUT_CHECK_INTERVAL=10\n"
	    "BUSINESS_WEBHOOK_ENDPOINTS=[{\"url\":\"http://b/hook\",\"secret\":\"s\",\"timeout\":10}]\n"
	    "BUSINESS_WEBHOOK_LOG_CLEANUP_ENABLED=true\nBUSINESS_WEBHOOK_LOG_RETENTION_DAYS=30\n"
	    "DOMAIN=rtc.example.com\nNGINX_IMAGE_VERSION=1.25\n");

	ck_assert_str_eq(c->env.at, "production");
	ck_assert_str_eq(c->db_password.at, "pa$s#word");
	ck_assert_str_eq(c->livekit_url.at, "http://livekit:7880");
	ck_assert_str_eq(c->livekit_client_url.at, "ws://livekit:7880");
	ck_assert_int_eq(c->livekit_timeout_s, 3600);
	ck_assert_uint_eq(c->n_livekit_keys, 1);
	ck_assert_str_eq(c->livekit_keys[0].name.at, "devkey");
	ck_assert_str_eq(c->livekit_keys[0].value.at, "secret");
	ck_assert_uint_eq(c->n_endpoints, 1);
	ck_assert_int_eq(c->endpoints[0].timeout_ms, 10000);
	ck_assert(c->webhook_log_cleanup);
	ck_assert_int_eq(c->webhook_log_days, 30);
	conf_free(c);
}
END_TEST

START_TEST(the_environment_wins_name_by_name)
{
	struct conf *c;

	ck_assert_int_eq(setenv("DB_HOST", "from-environment", 1), 0);
	ck_assert_int_eq(setenv("DB_USER", "", 1), 0);          /* empty is unset */
	c = load("DB_HOST=from-file\nDB_USER=file-user\nDB_NAME=first\nDB_NAME=last\n");
	ck_assert_str_eq(c->db_host.at, "from-environment");
	ck_assert_str_eq(c->db_user.at, "file-user");
	ck_assert_str_eq(c->db_name.at, "last");
	conf_free(c);
}
END_TEST

START_TEST(exactly_one_file_is_read)
{
	struct conf *c;

	write_file(".env", "DB_HOST=dot\nDB_USER=dot\n");
	write_file("other.env", "DB_HOST=other\n");
	c = conf_load("other.env", err, sizeof(err));
	ck_assert(c != NULL);
	ck_assert_str_eq(c->db_host.at, "other");
	ck_assert_str_eq(c->db_user.at, "root");
	conf_free(c);
	ck_assert(conf_load("missing.env", err, sizeof(err)) == NULL);
	ck_assert_str_eq(err, "missing.env: No such file or directory");
	ck_assert(conf_load(".", err, sizeof(err)) == NULL);
	ck_assert_str_eq(err, ".: Is a directory");
	ck_assert_int_eq(unlink(".env"), 0);
	if (access("/etc/tgo-call/tgo-call.env", F_OK) == 0)
		return;                            /* would be read next */
	ck_assert_int_eq(mkdir(".env", 0700), 0);             /* a folder of that name is not ours */
	c = conf_load(NULL, err, sizeof(err));
	ck_assert_msg(c != NULL, "%s", err);
	conf_free(c);
}
END_TEST

static const struct { const char *line, *name, *value; } LINES[] = {
	{ "A=b", "A", "b" },
	{ "A=b\r\n", "A", "b" },
	{ "\xef\xbb\xbf" "A=b\n", "A", "b" },
	{ "  export A=b\n", "A", "b" },
	{ "export\tA=b\n", "A", "b" },
	{ "export=b\n", "export", "b" },
	{ "A = b \n", "A", "b" },
	{ "A=\n", "A", "" },
	{ "A= # nothing\n", "A", "" },
	{ "A=b # comment\n", "A", "b" },
	{ "A=b#c\n", "A", "b#c" },
	{ "A=#b\n", "A", "#b" },
	{ "A=b=c\n", "A", "b=c" },
	{ "A=b c\n", "A", "b c" },
	{ "A=$B${C}\\n\n", "A", "$B${C}\\n" },
	{ "A='b # \"c\" $d \\n'  # comment\n", "A", "b # \"c\" $d \\n" },
	{ "A=\"b # 'c'\\n\\t\\\"\\\\\\$\\x\"\r\n", "A", "b # 'c'\n\t\"\\$\\x" },
	{ "A=' b '\n", "A", " b " },
	{ "A=\"\"\n", "A", "" },
	{ "A='[\n  {}\n]'\n", "A", "[\n  {}\n]" },
	{ "A=b'c'\n", "A", "b'c'" },
	{ "# x\n\n \t\n#A=c\nA=b", "A", "b" },
	{ "A=b\n  # end\n   ", "A", "b" },
};
START_TEST(lines_as_the_table_says)
{
	struct arena *a = arena_new(1024 * 1024);
	struct conf_file f;
	size_t bad = 0;

	ck_assert_msg(conf_file_parse(a, str_of(LINES[_i].line), &f, &bad), "line %zu", bad);
	ck_assert_uint_eq(f.n_pairs, 1);
	ck_assert_str_eq(f.pairs[0].name.at, LINES[_i].name);
	ck_assert_str_eq(f.pairs[0].value.at, LINES[_i].value);
	ck_assert(str_eq(conf_file_find(&f, LINES[_i].name), str_of(LINES[_i].value)));
	ck_assert(conf_file_find(&f, "Z").at == NULL);
	arena_free(a);
}
END_TEST

static const struct { struct str text; size_t line; } BAD_FILES[] = {
	{ { "A=1\nB\n", 6 }, 2 },
	{ { "=b\n", 3 }, 1 },
	{ { "A=1\n\n#\nA B=1\n", 13 }, 4 },
	{ { "A='b\nc\n", 7 }, 1 },
	{ { "\nA=\"b\n", 6 }, 2 },
	{ { "A='1\n2'\nB=\"x\" y\n", 16 }, 3 },
	{ { "export A\n", 9 }, 1 },
	{ { "A=1\0\n", 5 }, 1 },
	{ { "!A=1\n", 5 }, 1 },
};
START_TEST(bad_files_name_the_line)
{
	struct arena *a = arena_new(1024 * 1024);
	struct conf_file f;
	size_t bad = 0;

	ck_assert(!conf_file_parse(a, BAD_FILES[_i].text, &f, &bad));
	ck_assert_uint_eq(bad, BAD_FILES[_i].line);
	arena_free(a);
}
END_TEST

START_TEST(a_bad_file_stops_the_load)
{
	write_file(".env", "DB_HOST=x\nnonsense\n");
	ck_assert(conf_load(NULL, err, sizeof(err)) == NULL);
	ck_assert_str_eq(err, "./.env, line 2: not NAME=VALUE, or a quote without its end");
}
END_TEST

/* name, value, what it shows as */
static const struct { const char *name, *value, *shown; } GOOD[] = {
	{ "LOG_LEVEL", "WARNING", "warn" },
	{ "LOG_LEVEL", " debug ", "debug" },
	{ "LIVEKIT_TIMEOUT", "1", "1" },
	{ "LIVEKIT_TIMEOUT", "86400", "86400" },
	{ "DB_PORT", "65535", "65535" },
	{ "MAX_CALL_S", "0", "0" },
	{ "REJOIN_GRACE", "0", "0" },
	{ "REJOIN_GRACE", "0.25", "0.25" },
	{ "REJOIN_GRACE", "1.050", "1.05" },
	{ "REJOIN_GRACE", "600", "600" },
	{ "TOKEN_TTL", "60", "60" },
	{ "LEGACY_STATUS", "TRUE", "true" },
	{ "LEGACY_STATUS", "1", "true" },
	{ "LEGACY_STATUS", "yes", "true" },
	{ "LEGACY_STATUS", "on", "true" },
	{ "TICKET_OPEN_JOIN", "off", "false" },
	{ "TICKET_OPEN_JOIN", "no", "false" },
	{ "TICKET_OPEN_JOIN", "0", "false" },
	{ "AUTH_MODE", "Open", "open" },
	{ "AUTH_MODE", "key", "key" },
	{ "LIVEKIT_URL", "https://lk.example.com/", "https://lk.example.com" },
	{ "LIVEKIT_URL", "WS://lk:7880//", "http://lk:7880" },
	{ "LIVEKIT_URL", "wss://lk/path/", "https://lk/path" },
	{ "LIVEKIT_URL", "http://[::1]:7880", "http://[::1]:7880" },
	{ "LIVEKIT_CLIENT_URL", "wss://lk.example.com/", "wss://lk.example.com" },
	{ "LIVEKIT_CLIENT_URL", "http://lk", "http://lk" },
	{ "TZ", "UTC", "UTC" },
	{ "TZ", "CST-8", "CST-8" },
	{ "TZ", "EST5EDT,M3.2.0/2,M11.1.0/2", "EST5EDT,M3.2.0/2,M11.1.0/2" },
	{ "API_KEYS", "web:" HASH ", ops-me : " HASH ",", "web:***,ops-me:***" },
	{ "LIVEKIT_KEYS", "k1: s1,k2:s:2", "k1:***,k2:***" },
	{ "AUTH_OPEN_NETWORKS", "10.0.0.0/8, 127.0.0.1,fd00::/8,::1",
	    "10.0.0.0/8,127.0.0.1/32,fd00::/8,::1/128" },
	{ "AUTH_OPEN_NETWORKS", "0.0.0.0/0,::/0", "0.0.0.0/0,::/0" },
	{ "TICKET_SECRET", "short", "***" },
	{ "DB_PASSWORD", " a b ", "***" },
	{ "PORT", "not a number", "" },
	{ "WEBHOOK_RETRY_S", "0.1, 5,30.25,", "0.1,5,30.25" },
	{ "WEBHOOK_RETRY_S", "", "5,30,120,600,1800,7200,18000,36000,50400,86400" },
	{ "BUSINESS_WEBHOOK_URLS", "http://u:p@b/h?x=1, https://c", "http://***@b/h?***,https://c" },
	{ "BUSINESS_WEBHOOK_ENDPOINTS", "[]", "[]" },
	{ "BUSINESS_WEBHOOK_ENDPOINTS", "[{\"url\":\"http://me:pw@b/h?k=v\",\"secret\":\"s\","
	    "\"secret_old\":\"o\",\"timeout\":0.5,\"events\":[\"*\"],\"rate\":7,\"what\":{}}]",
	    "[{\"url\":\"http://***@b/h?***\",\"secret\":\"***\",\"secret_old\":\"***\","
	    "\"timeout_ms\":500,\"rate\":7,\"events\":[\"*\"]}]" },
	{ "LIVEKIT_REDIS_PASSWORD", "pw", "***" },
	{ "ENV", "  ", "development" },
};
START_TEST(good_values)
{
	struct conf *c;

	ck_assert_int_eq(setenv(GOOD[_i].name, GOOD[_i].value, 1), 0);
	c = conf_load(NULL, err, sizeof(err));
	ck_assert_msg(c != NULL, "%s", err);
	ck_shows(c, GOOD[_i].name, GOOD[_i].shown);
	conf_free(c);
}
END_TEST

static const struct { const char *name, *value; } BAD[] = {
	{ "LOG_LEVEL", "verbose" },
	{ "LIVEKIT_NODES", "10.0.0.2,10.0.0.2:7880" },       /* one node, by LIVEKIT_NODE_PORT */
	{ "LIVEKIT_TIMEOUT", "0" },
	{ "LIVEKIT_TIMEOUT", "86401" },
	{ "LIVEKIT_TIMEOUT", "60s" },
	{ "LIVEKIT_TIMEOUT", "-1" },
	{ "DB_PORT", "0" },
	{ "DB_PORT", "65536" },
	{ "DB_HOST", "a\nb" },
	{ "REDIS_DB", "x" },
	{ "WORKERS", "-1" },
	{ "TOKEN_TTL", "59" },
	{ "TOKEN_TTL", "86401" },
	{ "REJOIN_GRACE", "600.001" },
	{ "REJOIN_GRACE", "-1" },
	{ "REJOIN_GRACE", "1.0005" },
	{ "REJOIN_GRACE", "1." },
	{ "REJOIN_GRACE", "1.-5" },
	{ "REJOIN_GRACE", ".5" },
	{ "LEGACY_STATUS", "maybe" },
	{ "AUTH_MODE", "none" },
	{ "LIVEKIT_URL", "livekit:7880" },
	{ "LIVEKIT_URL", "ftp://lk" },
	{ "LIVEKIT_URL", "http://" },
	{ "LIVEKIT_URL", "http:///x" },
	{ "LIVEKIT_URL", "http://lk:0" },
	{ "LIVEKIT_URL", "http://lk:99999" },
	{ "LIVEKIT_URL", "http://lk:" },
	{ "LIVEKIT_URL", "http://a b" },
	{ "LIVEKIT_URL", "http://::1" },
	{ "LIVEKIT_URL", "http://lk?x=1" },
	{ "LIVEKIT_URL", "http://user:pw@lk" },
	{ "LIVEKIT_CLIENT_URL", "wss:/lk" },
	{ "TZ", "Asia/Nowhere" },
	{ "TZ", "Nonsense" },
	{ "TZ", "+8" },
	{ "TZ", "8" },
	{ "TZ", "Asia" },
	{ "TZ", "../../../etc/passwd" },
	{ "API_KEYS", "web" },
	{ "API_KEYS", "web:" },
	{ "API_KEYS", ":" HASH },
	{ "API_KEYS", "web:" HASH "00" },
	{ "API_KEYS", "web:secret-key" },
	{ "API_KEYS", "we b:" HASH },
	{ "LIVEKIT_KEYS", "k1" },
	{ "LIVEKIT_KEYS", "k1:s1\nk2: s2" },
	{ "LIVEKIT_API_KEY", "k" },
	{ "LIVEKIT_API_SECRET", "the-secret" },
	{ "AUTH_OPEN_NETWORKS", "10.0.0.0/33" },
	{ "AUTH_OPEN_NETWORKS", "::1/129" },
	{ "AUTH_OPEN_NETWORKS", "10.0.0/8" },
	{ "AUTH_OPEN_NETWORKS", "10.0.0.0/" },
	{ "AUTH_OPEN_NETWORKS", "10.0.0.0/-1" },
	{ "AUTH_OPEN_NETWORKS", "10.0.0.0/8/8" },
	{ "AUTH_OPEN_NETWORKS", "localhost" },
	{ "WEBHOOK_RETRY_S", "5,x" },
	{ "WEBHOOK_RETRY_S", "," },
	{ "WEBHOOK_RETRY_S", "0.01" },
	{ "WEBHOOK_RETRY_S", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1" },
	{ "BUSINESS_WEBHOOK_URLS", "http://a,http://a" },
	{ "BUSINESS_WEBHOOK_URLS", "ws://a" },
	{ "BUSINESS_WEBHOOK_URLS", "http://u:pw@" },
	{ "BUSINESS_WEBHOOK_URLS", "http://a@b@c/" },
	{ "BUSINESS_WEBHOOK_URLS", "http://a*b/" },
	{ "BUSINESS_WEBHOOK_URLS", "http://[::g]/" },
	{ "BUSINESS_WEBHOOK_URLS", "http://[127.0.0.1]/" },
	{ "BUSINESS_WEBHOOK_ENDPOINTS", "[{]" },
	{ "BUSINESS_WEBHOOK_ENDPOINTS", "{\"url\":\"http://a\"}" },
	{ "BUSINESS_WEBHOOK_ENDPOINTS", "[\"http://a\"]" },
	{ "BUSINESS_WEBHOOK_ENDPOINTS", "[{\"secret\":\"s3cret-text\"}]" },
	{ "BUSINESS_WEBHOOK_ENDPOINTS", "null" },
};
START_TEST(bad_values_stop_with_one_line)
{
	ck_assert_int_eq(setenv(BAD[_i].name, BAD[_i].value, 1), 0);
	ck_assert_msg(conf_load(NULL, err, sizeof(err)) == NULL, "%s=%s", BAD[_i].name,
	    BAD[_i].value);
	ck_assert_msg(strstr(err, BAD[_i].name) != NULL, "%s", err);
	ck_assert(strchr(err, '\n') == NULL);
	ck_assert_uint_gt(strlen(err), strlen(BAD[_i].name) + 10);
	if (option(BAD[_i].name)->secret && strlen(BAD[_i].value) > 8)
		ck_assert_msg(strstr(err, BAD[_i].value) == NULL, "tells a secret: %s", err);
}
END_TEST

START_TEST(the_line_says_what_and_where)
{
	write_file(".env", "LIVEKIT_TIMEOUT=\"a \\\"x\\\"\\n\"\n");
	ck_assert(conf_load(NULL, err, sizeof(err)) == NULL);
	ck_assert_str_eq(err, "LIVEKIT_TIMEOUT (./.env): \"a \\\"x\\\"\\n\" will not do; "
	    "LIVEKIT_TIMEOUT takes a whole number from 1 to 86400");
	ck_assert_int_eq(setenv("API_KEYS", "web:the-key-itself", 1), 0);
	ck_assert_int_eq(setenv("LIVEKIT_TIMEOUT", "5", 1), 0);
	ck_assert(conf_load(NULL, err, sizeof(err)) == NULL);
	ck_assert_str_eq(err, "API_KEYS (environment): "
	    "API_KEYS takes a comma list of name:sha-256 of the key in hex");
	ck_assert(conf_load(NULL, err, 10) == NULL);
	ck_assert_str_eq(err, "API_KEYS ");
}
END_TEST

/* a receiver, and the end of the line that refuses it */
static const struct { const char *value, *why; } BAD_RECEIVERS[] = {
	{ "{\"url\":\"ftp://a\"}", "url takes http or https, then ://host, maybe a port, a path and a query" },
	{ "{\"url\":\"http://a#f\"}", "url takes http or https, then ://host, maybe a port, a path and a query" },
	{ "{\"url\":\"http://a b\"}", "url takes http or https, then ://host, maybe a port, a path and a query" },
	{ "{\"url\":\"http://a:0/\"}", "url takes http or https, then ://host, maybe a port, a path and a query" },
	{ "{\"url\":\"http://?x\"}", "url takes http or https, then ://host, maybe a port, a path and a query" },
	{ "{\"url\":7}", "url takes http or https, then ://host, maybe a port, a path and a query" },
	{ "{\"url\":\"http://first\"}", "url: it was named before" },
	{ "{\"url\":\"http://a\",\"secret\":5}", "secret takes a text" },
	{ "{\"url\":\"http://a\",\"secret_old\":[]}", "secret_old takes a text" },
	{ "{\"url\":\"http://a\",\"timeout\":\"5\"}", "timeout takes a number" },
	{ "{\"url\":\"http://a\",\"timeout\":301}", "timeout takes seconds from 0.1 to 300" },
	{ "{\"url\":\"http://a\",\"timeout\":0.05}", "timeout takes seconds from 0.1 to 300" },
	{ "{\"url\":\"http://a\",\"rate\":-1}",
	    "rate takes a whole number of events a second, 0 for no limit" },
	{ "{\"url\":\"http://a\",\"events\":[]}", "events takes an array of types, or [\"*\"]" },
	{ "{\"url\":\"http://a\",\"events\":\"*\"}", "events takes an array of types, or [\"*\"]" },
	{ "{\"url\":\"http://a\",\"events\":[\"room.begun\"]}", "events: no event has such a name" },
};
START_TEST(a_bad_receiver_is_named)
{
	char text[512], want[512];

	(void)snprintf(text, sizeof(text), "[{\"url\":\"http://first\"},%s]", BAD_RECEIVERS[_i].value);
	(void)snprintf(want, sizeof(want), "BUSINESS_WEBHOOK_ENDPOINTS (environment): receiver 2: %s",
	    BAD_RECEIVERS[_i].why);
	ck_assert_int_eq(setenv("BUSINESS_WEBHOOK_ENDPOINTS", text, 1), 0);
	ck_assert(conf_load(NULL, err, sizeof(err)) == NULL);
	ck_assert_str_eq(err, want);
}
END_TEST

START_TEST(bad_json_names_the_field)
{
	write_file(".env", "BUSINESS_WEBHOOK_ENDPOINTS=[{\"url\":\"http://a\",\"url\":\"http://b\"}]\n");
	ck_assert(conf_load(NULL, err, sizeof(err)) == NULL);
	ck_assert_str_eq(err, "BUSINESS_WEBHOOK_ENDPOINTS (./.env): "
	    "not a JSON array of objects; look at url");
}
END_TEST

START_TEST(receivers_as_json)
{
	struct conf *c = load("BUSINESS_WEBHOOK_TIMEOUT=7\nBUSINESS_WEBHOOK_SECRET=not-for-these\n"
	    "BUSINESS_WEBHOOK_URLS=http://not-read\n"
	    "BUSINESS_WEBHOOK_ENDPOINTS='[\n {\"url\":\"http://a/x?y=1\",\"secret\":\"whsec_not base64\",\n"
	    "  \"timeout\":3,\"events\":[\"room.started\",\"participant.busy\"],\"rate\":100},\n"
	    " {\"url\":\"HTTPS://[::1]:9/\",\"timeout\":-1,\"secret\":null}]'\n");
	const struct endpoint *e = c->endpoints;

	ck_assert_uint_eq(c->n_endpoints, 2);
	ck_assert_str_eq(e[0].url.at, "http://a/x?y=1");
	ck_assert_str_eq(e[0].id.at, "7ada47314ce51300");
	ck_assert_str_eq(e[0].secret.at, "whsec_not base64");
	ck_assert_str_eq(e[0].secret_old.at, "");
	ck_assert_int_eq(e[0].timeout_ms, 3000);
	ck_assert(!e[0].all);
	ck_assert_uint_eq(e[0].n_events, 2);
	ck_assert_str_eq(e[0].events[1].at, "participant.busy");
	ck_assert_int_eq(e[0].rate, 100);
	ck_assert_str_eq(e[1].secret.at, "");
	ck_assert_int_eq(e[1].timeout_ms, 7000);
	ck_assert(!e[1].all);
	ck_assert_uint_eq(e[1].n_events, 8);
	ck_assert_str_eq(e[1].events[7].at, "participant.invited");
	ck_assert_int_eq(e[1].rate, 0);
	conf_free(c);
}
END_TEST

START_TEST(receivers_as_a_list)
{
	struct conf *c = load("BUSINESS_WEBHOOK_ENDPOINTS=[]\nBUSINESS_WEBHOOK_SECRET=s\n"
	    "BUSINESS_WEBHOOK_URLS=http://a , https://b/?q\n");

	ck_assert_uint_eq(c->n_endpoints, 2);
	ck_assert_str_eq(c->endpoints[0].url.at, "http://a");
	ck_assert_str_eq(c->endpoints[1].url.at, "https://b/?q");
	ck_assert_str_eq(c->endpoints[1].secret.at, "s");
	ck_assert_int_eq(c->endpoints[1].timeout_ms, 10000);
	ck_assert_uint_eq(c->endpoints[1].n_events, 8);
	conf_free(c);
}
END_TEST

START_TEST(livekits_redis_is_ours_unless_named)
{
	struct conf *c = load("REDIS_HOST=r\nREDIS_PORT=7\nREDIS_SOCKET=/s\nREDIS_PASSWORD=p\nREDIS_DB=3\n");

	ck_assert_str_eq(c->lk_redis_host.at, "r");
	ck_assert_int_eq(c->lk_redis_port, 7);
	ck_assert_str_eq(c->lk_redis_socket.at, "/s");
	ck_assert_str_eq(c->lk_redis_password.at, "p");
	ck_assert_int_eq(c->lk_redis_db, 0);
	conf_free(c);
	c = load("REDIS_HOST=r\nREDIS_SOCKET=/s\nREDIS_PASSWORD=p\nLIVEKIT_REDIS_HOST=l\nLIVEKIT_REDIS_DB=2\n");
	ck_assert_str_eq(c->lk_redis_host.at, "l");
	ck_assert_int_eq(c->lk_redis_port, 6379);
	ck_assert_str_eq(c->lk_redis_socket.at, "");
	ck_assert_str_eq(c->lk_redis_password.at, "");
	ck_assert_int_eq(c->lk_redis_db, 2);
	conf_free(c);
}
END_TEST

START_TEST(lists_are_taken_apart)
{
	struct conf *c = load("API_KEYS=web:" HASH ",ops-me:" HASH_LOW "\n"
	    "LIVEKIT_KEYS=k1:s1,k2:s2\nLIVEKIT_API_KEY=k0\nLIVEKIT_API_SECRET=s0\n");

	ck_assert_uint_eq(c->n_api_keys, 2);
	ck_assert_str_eq(c->api_keys[0].name.at, "web");
	ck_assert_str_eq(c->api_keys[0].value.at, HASH_LOW);
	ck_assert_str_eq(c->api_keys[1].name.at, "ops-me");
	ck_assert_uint_eq(c->n_livekit_keys, 2);
	ck_assert_str_eq(c->livekit_keys[0].name.at, "k1");
	ck_assert_str_eq(c->livekit_keys[1].value.at, "s2");
	conf_free(c);
}
END_TEST

START_TEST(a_password_keeps_its_blanks)
{
	struct conf *c = load("DB_PASSWORD=' p w '\nDB_USER=' u '\n");

	ck_assert_str_eq(c->db_password.at, " p w ");
	ck_assert_str_eq(c->db_user.at, "u");
	conf_free(c);
}
END_TEST

static const struct { const char *net, *address; bool in; } NETWORKS[] = {
	{ "10.0.0.0/8", "10.255.0.1", true },
	{ "10.0.0.0/8", "11.0.0.1", false },
	{ "10.1.2.3/8", "10.9.9.9", true },
	{ "10.0.0.0/8", "::ffff:10.1.1.1", true },
	{ "::ffff:10.0.0.0/104", "10.1.1.1", true },
	{ "192.168.4.0/23", "192.168.5.255", true },
	{ "192.168.4.0/23", "192.168.6.0", false },
	{ "127.0.0.1", "127.0.0.1", true },
	{ "127.0.0.1", "127.0.0.2", false },
	{ "0.0.0.0/0", "8.8.8.8", true },
	{ "0.0.0.0/0", "2001:db8::1", false },
	{ "::/0", "2001:db8::1", true },
	{ "fd00::/8", "fdff::1", true },
	{ "fd00::/8", "fe80::1", false },
	{ "2001:db8::/33", "2001:db8:7fff::1", true },
	{ "2001:db8::/33", "2001:db8:8000::1", false },
	{ "::1", "::1", true },
	{ "0.0.0.0/0", "", false },
	{ "0.0.0.0/0", "unix:", false },
	{ "::/0", "fe80::1%eth0", false },
	{ "0.0.0.0/0", "10.0.0.1 ", false },
};
START_TEST(networks_contain)
{
	struct conf *c;

	ck_assert_int_eq(setenv("AUTH_OPEN_NETWORKS", NETWORKS[_i].net, 1), 0);
	c = conf_load(NULL, err, sizeof(err));
	ck_assert_msg(c != NULL, "%s", err);
	ck_assert_uint_eq(c->n_open_networks, 1);
	ck_assert(cidr_contains(&c->open_networks[0], str_of(NETWORKS[_i].address)) ==
	    NETWORKS[_i].in);
	conf_free(c);
}
END_TEST

START_TEST(who_may_call)
{
	static const char *const LINES_TO_PASTE[] = {
		"API_KEYS=", "AUTH_OPEN_NETWORKS=", "AUTH_MODE=open", "sha256sum",
	};
	static const char *const ENOUGH[] = {
		"API_KEYS=a:" HASH "\n", "AUTH_OPEN_NETWORKS=::1\n", "AUTH_MODE=open\n",
	};
	char hint[2048];
	struct conf *c = load("TICKET_SECRET=not-enough\n");

	ck_assert(!conf_can_authorise(c, hint, sizeof(hint)));
	for (size_t i = 0; i < N_ELEMS(LINES_TO_PASTE); i++)
		ck_assert_msg(strstr(hint, LINES_TO_PASTE[i]) != NULL, "%s", hint);
	conf_free(c);
	for (size_t i = 0; i < N_ELEMS(ENOUGH); i++) {
		c = load(ENOUGH[i]);
		ck_assert(conf_can_authorise(c, hint, sizeof(hint)));
		ck_assert_str_eq(hint, "");
		conf_free(c);
	}
}
END_TEST

static void
ck_noon_utc_is(const char *local)
{
	char text[32];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	clock_format_local(&b, INT64_C(1795262400000));       /* 2026-11-21 12:00 UTC */
	ck_assert_str_eq(text, local);
}

/* A reload must follow the file, though the load before it had to put TZ into the environment. */
START_TEST(tz_is_applied_and_follows_the_file)
{
	conf_free(load("TZ=CST-8\n"));
	ck_noon_utc_is("2026-11-21 20:00:00");
	conf_free(load("TZ=EST5\n"));
	ck_noon_utc_is("2026-11-21 07:00:00");
	conf_free(load(""));
	ck_assert(getenv("TZ") == NULL);
	ck_assert_int_eq(setenv("TZ", "JST-9", 1), 0);
	conf_free(load("TZ=CST-8\n"));
	ck_noon_utc_is("2026-11-21 21:00:00");
	conf_free(load("TZ=CST-8\n"));
	ck_noon_utc_is("2026-11-21 21:00:00");
}
END_TEST

START_TEST(what_is_unset_shows_empty)
{
	struct conf *c = load("");

	ck_shows(c, "DB_PASSWORD", "");
	ck_shows(c, "API_KEYS", "");
	ck_shows(c, "TZ", "");
	ck_shows(c, "LIVEKIT_CLIENT_URL", "http://localhost:7880");
	conf_free(c);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("conf/conf_load");
	TCase *tc = tcase_create("conf_load");

	tcase_add_checked_fixture(tc, clean_start, clean_end);
	tcase_add_test(tc, defaults);
	tcase_add_test(tc, the_go_servers_env_starts_us);
	tcase_add_test(tc, the_environment_wins_name_by_name);
	tcase_add_test(tc, exactly_one_file_is_read);
	tcase_add_loop_test(tc, lines_as_the_table_says, 0, N_ELEMS(LINES));
	tcase_add_loop_test(tc, bad_files_name_the_line, 0, N_ELEMS(BAD_FILES));
	tcase_add_test(tc, a_bad_file_stops_the_load);
	tcase_add_loop_test(tc, good_values, 0, N_ELEMS(GOOD));
	tcase_add_loop_test(tc, bad_values_stop_with_one_line, 0, N_ELEMS(BAD));
	tcase_add_test(tc, the_line_says_what_and_where);
	tcase_add_loop_test(tc, a_bad_receiver_is_named, 0, N_ELEMS(BAD_RECEIVERS));
	tcase_add_test(tc, bad_json_names_the_field);
	tcase_add_test(tc, receivers_as_json);
	tcase_add_test(tc, receivers_as_a_list);
	tcase_add_test(tc, livekits_redis_is_ours_unless_named);
	tcase_add_test(tc, lists_are_taken_apart);
	tcase_add_test(tc, a_password_keeps_its_blanks);
	tcase_add_loop_test(tc, networks_contain, 0, N_ELEMS(NETWORKS));
	tcase_add_test(tc, who_may_call);
	tcase_add_test(tc, tz_is_applied_and_follows_the_file);
	tcase_add_test(tc, what_is_unset_shows_empty);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
