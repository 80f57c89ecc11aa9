/* A line of the log: its members, who asked for it, how it looks on a terminal.
 * SPDX-License-Identifier: MIT */
#include "cli/logs_line.h"

#include <string.h>

#include "support/unit.h"

#include "base/clock.h"

#define HEAD "{\"level\":\"info\",\"timestamp\":\"2025-11-20T21:35:16.500+00:00\",\"msg\":\"m\""
#define AT INT64_C(1763674516500)

static const struct { const char *line, *members; } LINES[] = {
	{ "{\"a\":1}", "a=1;" },
	{ "{\"a\":\"x,y}\",\"b\":-1.5e3}", "a=\"x,y}\";b=-1.5e3;" },
	{ "{\"a\":\"\\\"\\\\\",\"b\":true}", "a=\"\\\"\\\\\";b=true;" },
	{ "{\"a\":[1,[\"]\",{\"b\":\"}\"}],2],\"c\":null}", "a=[1,[\"]\",{\"b\":\"}\"}],2];c=null;" },
	{ "{\"a\":{},\"b\":[],\"c\":\"\"}", "a={};b=[];c=\"\";" },
	{ "  {\"a\":1}\r", "a=1;" },
	{ "{}", "" }, { "", "" }, { "[1]", "" }, { "text", "" }, { "\"text\"", "" }, { "{", "" },
	{ "{\"a\"", "" }, { "{\"a\":", "" }, { "{\"a\":1", "" }, { "{\"a\":\"1", "" }, { "{\"a\\\"", "" },
	{ "{a:1}", "" }, { "{\"a\":1,", "a=1;" }, { "{\"a\":1,\"b\"", "a=1;" }, { "{\"a\" :1}", "" },
	{ "{\"a\":[1}", "" }, { "{\"a\":}", "" }, { ",\"a\":1}", "a=1;" },
};

START_TEST(members_are_read_in_order)
{
	char text[200];
	struct strbuf b;
	struct str rest = str_of(LINES[_i].line);
	struct log_member m;

	strbuf_init(&b, text, sizeof(text));
	while (log_member_next(&rest, &m))
		strbuf_addf(&b, "%.*s=%.*s;", STR_ARG(m.key), STR_ARG(m.value));
	ck_assert_str_eq(text, LINES[_i].members);
}
END_TEST

static const struct { const char *line, *room, *uid, *node, *request, *level; int64_t since, until; bool wanted; }
WISHES[] = {
	{ .line = HEAD "}", .wanted = true },
	{ .line = HEAD ",\"room_id\":\"r1\"}", .room = "r1", .wanted = true },
	{ .line = HEAD ",\"room_id\":\"r1\"}", .room = "r", .wanted = false },
	{ .line = HEAD ",\"room_id\":\"r1\"}", .room = "R1", .wanted = false },
	{ .line = HEAD ",\"x\":\"r1\"}", .room = "r1", .wanted = false },
	{ .line = HEAD ",\"uid\":\"ann\"}", .uid = "ann", .wanted = true },
	{ .line = HEAD ",\"creator\":\"ann\",\"uid\":\"bob\"}", .uid = "ann", .wanted = true },
	{ .line = HEAD ",\"uid\":\"ann\",\"creator\":\"bob\"}", .uid = "ann", .wanted = true },
	{ .line = HEAD ",\"invited_uids\":[\"bob\",\"ann\"]}", .uid = "ann", .wanted = true },
	{ .line = HEAD ",\"uids\":[\"ann\"]}", .uid = "ann", .wanted = true },
	{ .line = HEAD ",\"uids\":[\"an\",\"nn\",\"anna\"]}", .uid = "ann", .wanted = false },
	{ .line = HEAD ",\"uids\":[\"x\\\",\\\"ann\\\"\"]}", .uid = "ann", .wanted = false },
	{ .line = HEAD ",\"uids\":[\"x\\\"y\"]}", .uid = "x\"y", .wanted = true },
	{ .line = HEAD ",\"uids\":[]}", .uid = "ann", .wanted = false },
	{ .line = HEAD ",\"uids\":\"ann\"}", .uid = "ann", .wanted = false },
	{ .line = HEAD ",\"uids\":[\"ann\"]}", .wanted = true },
	{ .line = HEAD ",\"livekit_node\":\"ND\"}", .node = "ND", .wanted = true },
	{ .line = HEAD ",\"node\":\"ND\"}", .node = "ND", .wanted = true },
	{ .line = HEAD ",\"livekit_node\":\"\"}", .node = "ND", .wanted = false },
	{ .line = HEAD ",\"request_id\":\"q\"}", .request = "q", .wanted = true },
	{ .line = HEAD ",\"request_id\":\"q2\"}", .request = "q", .wanted = false },
	{ .line = HEAD "}", .level = "debug", .wanted = true }, { .line = HEAD "}", .level = "info", .wanted = true },
	{ .line = HEAD "}", .level = "warn", .wanted = false },
	{ .line = "{\"level\":\"error\"}", .level = "warn", .wanted = true },
	{ .line = "{\"level\":\"loud\"}", .level = "debug", .wanted = false },
	{ .line = "{\"msg\":\"m\"}", .level = "debug", .wanted = false },
	{ .line = HEAD "}", .since = AT, .wanted = true }, { .line = HEAD "}", .since = AT + 1, .wanted = false },
	{ .line = HEAD "}", .until = AT, .wanted = false }, { .line = HEAD "}", .until = AT + 1, .wanted = true },
	{ .line = HEAD ",\"room_id\":\"r\",\"uid\":\"u\"}", .room = "r", .uid = "u", .wanted = true },
	{ .line = HEAD ",\"room_id\":\"r\",\"uid\":\"u\"}", .room = "r", .uid = "v", .wanted = false },
};

START_TEST(a_line_is_wanted_or_not)
{
	struct arena *a = arena_new(1 << 20);
	struct log_wish w = { .room = log_quoted(a, WISHES[_i].room), .uid = log_quoted(a, WISHES[_i].uid),
		.node = log_quoted(a, WISHES[_i].node), .request = log_quoted(a, WISHES[_i].request),
		.since_ms = WISHES[_i].since, .until_ms = WISHES[_i].until, .any_level = WISHES[_i].level == NULL };
	struct log_last last = { .wanted = !WISHES[_i].wanted };

	if (!w.any_level)
		ck_assert(log_level_parse(str_of(WISHES[_i].level), &w.least));
	ck_assert_msg(log_wanted(&w, str_of(WISHES[_i].line), &last) == WISHES[_i].wanted, "%s", WISHES[_i].line);
	ck_assert_int_eq(last.wanted, WISHES[_i].wanted);
	/* What follows it without being ours goes with it. */
	ck_assert_int_eq(log_wanted(&w, S("  at frame 3"), &last), WISHES[_i].wanted);
	arena_free(a);
}
END_TEST

/* A line of ours without a time has that of the line before. */
START_TEST(time_goes_on)
{
	struct log_wish w = { .since_ms = AT, .any_level = true };
	struct log_last last = { 0 };

	ck_assert(!log_wanted(&w, S("{\"msg\":\"m\"}"), &last));
	ck_assert(log_wanted(&w, S(HEAD "}"), &last));
	ck_assert(log_wanted(&w, S("{\"msg\":\"m\"}"), &last));
}
END_TEST

static const struct { const char *line, *text; } PRETTY[] = {
	{ HEAD "}", "2025-11-20T21:35:16.500+00:00  info   m " },
	{ HEAD ",\"a\":1,\"b\":\"x y\",\"c\":[\"d\"]}", "2025-11-20T21:35:16.500+00:00  info   m  a=1 b=x y c=[\"d\"]" },
	{ HEAD ",\"esc\":\"\\u001b[0m\"}", "2025-11-20T21:35:16.500+00:00  info   m  esc=\\u001b[0m" },
	{ HEAD ",\"raw\":\"\x1b[0m\xc2\x9b\"}", "2025-11-20T21:35:16.500+00:00  info   m  raw=\\x1b[0m\xc2\\x9b" },
	{ "no json {", "no json {" },
	{ "\tnot ours \x1b]0;x\a\x7f\r", "\tnot ours \\x1b]0;x\\x07\\x7f\\x0d" },
	{ "", "" },
};

START_TEST(for_people)
{
	char text[300];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	log_for_people(str_of(PRETTY[_i].line), &b);
	ck_assert_str_eq(text, PRETTY[_i].text);
}
END_TEST

/* What our own writer makes of odd texts is what a wish looks for. */
START_TEST(a_wish_is_written_as_the_log_writes)
{
	static const char *const IDS[] = { "ann", "张三", "a\"b", "a\\b", "a/b", "<&>", "tab\there", "\x7f", "😀" };
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < N_ELEMS(IDS); i++) {
		struct log_wish w = { .uid = log_quoted(a, IDS[i]), .any_level = true };
		struct log_last last = { 0 };
		struct strbuf b;
		struct jsonw j;

		strbuf_init_arena(&b, a, 256, 4096);
		jsonw_init(&j, &b);
		jsonw_obj(&j, NULL);
		jsonw_z(&j, "uid", IDS[i]);
		jsonw_obj_end(&j);
		ck_assert_msg(log_wanted(&w, strbuf_str(&b), &last), "%s", b.at);
	}
	arena_free(a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli/logs_line");
	TCase *tc = tcase_create("logs_line");

	tcase_add_loop_test(tc, members_are_read_in_order, 0, (int)N_ELEMS(LINES));
	tcase_add_loop_test(tc, a_line_is_wanted_or_not, 0, (int)N_ELEMS(WISHES));
	tcase_add_test(tc, time_goes_on);
	tcase_add_loop_test(tc, for_people, 0, (int)N_ELEMS(PRETTY));
	tcase_add_test(tc, a_wish_is_written_as_the_log_writes);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
