/* test_conf_table.c - the option table holds together: names, defaults, ranges, and its prints.
 * SPDX-License-Identifier: MIT */
#include "conf/conf.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf_endpoints.h"
#include "conf/conf_file.h"
#include "conf/conf_parse.h"
#include "model/event.h"
#include "support/unit.h"

enum { TEXT_MAX = 64 * 1024 };

START_TEST(each_row_is_whole)
{
	const struct conf_option *o = &CONF_OPTIONS[_i];
	struct conf c = { .own = arena_new(1024 * 1024) };

	ck_assert_uint_eq(strspn(o->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"), strlen(o->name));
	ck_assert(o->group != NULL && o->def != NULL);
	ck_assert_msg(strlen(o->help) > 2 && o->help[strlen(o->help) - 1] == '.', "%s", o->name);
	ck_assert_int_le(o->min, o->max);
	ck_assert(o->offset < sizeof(struct conf));
	if (o->def[0] != '\0')
		ck_assert_msg(conf_parse(&c, o, str_of(o->def)), "%s: its own default", o->name);
	for (size_t i = 0; i < (size_t)_i; i++) {
		const struct conf_option *b = &CONF_OPTIONS[i];

		ck_assert_str_ne(b->name, o->name);
		/* two rows must not fill one field */
		ck_assert_msg(o->type == CONF_IGNORED || b->type == CONF_IGNORED ||
		    b->offset != o->offset, "%s and %s", b->name, o->name);
		/* a group stands together */
		if (strcmp(b->group, o->group) == 0)
			ck_assert_str_eq(CONF_OPTIONS[_i - 1].group, o->group);
	}
	arena_free(c.own);
}
END_TEST

/* What the Go server reads (its names and defaults). */
static const struct { const char *name, *def; } GO_NAMES[] = {
	{ "PORT", "8080" }, { "ENV", "development" }, { "LOG_LEVEL", "info" },
	{ "DB_HOST", "localhost" }, { "DB_PORT", "3306" }, { "DB_USER", "root" },
	{ "DB_PASSWORD", "" }, { "DB_NAME", "tgo_rtc" }, { "REDIS_HOST", "localhost" },
	{ "REDIS_PORT", "6379" }, { "REDIS_PASSWORD", "" }, { "REDIS_DB", "0" },
	{ "LIVEKIT_URL", "http://localhost:7880" }, { "LIVEKIT_CLIENT_URL", "" },
	{ "LIVEKIT_API_KEY", "" }, { "LIVEKIT_API_SECRET", "" }, { "LIVEKIT_TIMEOUT", "60" },
	{ "PARTICIPANT_TIMEOUT_CHECK_INTERVAL", "" }, { "BUSINESS_WEBHOOK_ENDPOINTS", "" },
	{ "BUSINESS_WEBHOOK_URLS", "" }, { "BUSINESS_WEBHOOK_SECRET", "" },
	{ "BUSINESS_WEBHOOK_TIMEOUT", "10" }, { "BUSINESS_WEBHOOK_LOG_CLEANUP_ENABLED", "false" },
	{ "BUSINESS_WEBHOOK_LOG_RETENTION_DAYS", "7" },
	{ "BUSINESS_WEBHOOK_LOG_CLEANUP_INTERVAL", "86400" }, { "TZ", "" }, { "GIN_MODE", "" },
};
START_TEST(the_go_servers_names_are_known)
{
	for (size_t i = 0; i < N_CONF_OPTIONS; i++) {
		if (strcmp(CONF_OPTIONS[i].name, GO_NAMES[_i].name) != 0)
			continue;
		ck_assert_str_eq(CONF_OPTIONS[i].def, GO_NAMES[_i].def);
		return;
	}
	ck_abort_msg("%s is not in the table", GO_NAMES[_i].name);
}
END_TEST

static const char *const SECRETS[] = {
	"DB_PASSWORD", "REDIS_PASSWORD", "LIVEKIT_API_SECRET", "LIVEKIT_KEYS", "API_KEYS",
	"TICKET_SECRET", "LIVEKIT_REDIS_PASSWORD", "BUSINESS_WEBHOOK_SECRET", "BUSINESS_WEBHOOK_ENDPOINTS",
	"METRICS_PASSWORD_SHA256",
};
START_TEST(secrets_are_marked)
{
	size_t n = 0;

	for (size_t i = 0; i < N_CONF_OPTIONS; i++) {
		bool listed = false;

		for (size_t k = 0; k < N_ELEMS(SECRETS); k++)
			listed = listed || strcmp(CONF_OPTIONS[i].name, SECRETS[k]) == 0;
		ck_assert_msg(CONF_OPTIONS[i].secret == listed, "%s", CONF_OPTIONS[i].name);
		n += listed;
	}
	ck_assert_uint_eq(n, N_ELEMS(SECRETS));
}
END_TEST

/* With every # taken away before a name, the example is the table's defaults again. */
START_TEST(the_example_reads_back)
{
	static char text[TEXT_MAX], live[TEXT_MAX];
	struct arena *a = arena_new(1024 * 1024);
	struct str rest, line;
	struct conf_file f;
	struct strbuf b, out;
	size_t bad = 0;

	strbuf_init(&b, text, sizeof(text));
	strbuf_init(&out, live, sizeof(live));
	conf_print_example(&b);
	ck_assert(strbuf_ok(&b));
	ck_assert(conf_file_parse(a, strbuf_str(&b), &f, &bad));
	ck_assert_uint_eq(f.n_pairs, 0);
	rest = strbuf_str(&b);
	while (str_split(&rest, '\n', &line)) {
		ck_assert_uint_le(line.len, 100);
		if (line.len > 1 && line.at[0] == '#' && isupper((unsigned char)line.at[1])) {
			line.at++;
			line.len--;
		}
		strbuf_add(&out, line);
		strbuf_addc(&out, '\n');
	}
	ck_assert_msg(conf_file_parse(a, strbuf_str(&out), &f, &bad), "line %zu", bad);
	ck_assert_uint_eq(f.n_pairs, N_CONF_OPTIONS);
	for (size_t i = 0; i < N_CONF_OPTIONS; i++) {
		ck_assert(str_eq(f.pairs[i].name, str_of(CONF_OPTIONS[i].name)));
		ck_assert(str_eq(f.pairs[i].value, str_of(CONF_OPTIONS[i].def)));
	}
	ck_assert(strstr(text, "## Database\n") != NULL);
	ck_assert(strstr(text, "Takes a whole number from 1 to 86400.") != NULL);
	arena_free(a);
}
END_TEST

START_TEST(the_manual_page_names_every_option)
{
	static char text[TEXT_MAX];
	struct strbuf b;
	struct str rest, line;

	strbuf_init(&b, text, sizeof(text));
	conf_print_roff(&b);
	ck_assert(strbuf_ok(&b));
	ck_assert(str_starts(strbuf_str(&b), S(".SH OPTIONS\n.SS General\n.TP\n.B ENV\n")));
	for (size_t i = 0; i < N_CONF_OPTIONS; i++) {
		char head[128];

		(void)snprintf(head, sizeof(head), "\n.TP\n.B %s\n", CONF_OPTIONS[i].name);
		ck_assert_msg(strstr(text, head) != NULL, "%s", CONF_OPTIONS[i].name);
	}
	rest = strbuf_str(&b);
	while (str_split(&rest, '\n', &line)) {
		if (line.len == 0 || line.at[0] != '.')
			continue;
		ck_assert_msg(str_starts(line, S(".TP")) || str_starts(line, S(".B ")) ||
		    str_starts(line, S(".S")), "%.*s is no request of ours", STR_ARG(line));
	}
}
END_TEST

/* The names a receiver may ask for are those that are told. */
START_TEST(events_have_the_models_names)
{
	size_t n = 0;

	for (int t = EVENT_NONE + 1; t < EVENT_TYPE_COUNT; t++)
		for (size_t i = 0; i < EVENT_TYPES; i++)
			n += strcmp(CONF_EVENT_TYPES[i], event_type_name((enum event_type)t)) == 0;
	ck_assert_uint_eq(n, EVENT_TYPES);
	ck_assert_int_eq(EVENT_TYPE_COUNT - 1, EVENT_TYPES);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("conf/conf_table");
	TCase *tc = tcase_create("conf_table");

	tcase_add_loop_test(tc, each_row_is_whole, 0, (int)N_CONF_OPTIONS);
	tcase_add_loop_test(tc, the_go_servers_names_are_known, 0, N_ELEMS(GO_NAMES));
	tcase_add_test(tc, secrets_are_marked);
	tcase_add_test(tc, the_example_reads_back);
	tcase_add_test(tc, the_manual_page_names_every_option);
	tcase_add_test(tc, events_have_the_models_names);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
