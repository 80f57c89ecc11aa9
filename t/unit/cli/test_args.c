/* Command lines: values behind a space, an equals sign or a letter, words, and what is refused.
 * SPDX-License-Identifier: MIT */
#include "cli/args.h"

#include <string.h>

#include "support/unit.h"

enum { FOLLOW, TAIL, UID };
static const struct flag FLAGS[] = {
	[FOLLOW] = { "follow", 'f', NULL, "" }, [TAIL] = { "tail", 'n', "N", "" }, [UID] = { "uid", '\0', "UID", "" },
	{ NULL, '\0', NULL, NULL }
};
enum { JSON, FILE_NAME };
static const struct flag COMMON[] = {
	[JSON] = { "json", '\0', NULL, "" }, [FILE_NAME] = { "env-file", '\0', "FILE", "" }, { NULL, '\0', NULL, NULL }
};

#define LINE_MAX 6
static const struct {
	const char *line[LINE_MAX];
	const char *follow, *tail, *uid, *json, *file;
	const char *words[ARGS_WORDS_MAX];
} GOOD[] = {
	{ .line = { NULL } },
	{ .line = { "-f" }, .follow = "" },
	{ .line = { "--follow", "--json" }, .follow = "", .json = "" },
	{ .line = { "--tail", "5" }, .tail = "5" },
	{ .line = { "--tail=5" }, .tail = "5" },
	{ .line = { "-n", "5" }, .tail = "5" },
	{ .line = { "-n5" }, .tail = "5" },
	{ .line = { "--tail", "5", "--tail", "6" }, .tail = "6" },
	{ .line = { "--uid", "-x" }, .uid = "-x" },
	{ .line = { "--uid=a=b" }, .uid = "a=b" },
	{ .line = { "--uid", "--json" }, .uid = "--json" },
	{ .line = { "a", "--env-file", "e", "b" }, .file = "e", .words = { "a", "b" } },
	{ .line = { "--", "-f", "--json" }, .words = { "-f", "--json" } },
	{ .line = { "a", "--", "--", "c" }, .words = { "a", "--", "c" } },
	{ .line = { "-" }, .words = { "-" } },
	{ .line = { "" }, .words = { "" } },
};
static const struct { const char *line[LINE_MAX], *why; } BAD[] = {
	{ { "--nothing" }, "unknown option: --nothing" },
	{ { "-x" }, "unknown option: -x" },
	{ { "--tai", "5" }, "unknown option: --tai" },
	{ { "--tail" }, "--tail needs a value: N" },
	{ { "--tail", "" }, "--tail needs a value: N" },
	{ { "--tail=" }, "--tail needs a value: N" },
	{ { "--env-file" }, "--env-file needs a value: FILE" },
	{ { "--follow=yes" }, "--follow takes no value" },
	{ { "-fx" }, "--follow takes no value" },
	{ { "--json=1" }, "--json takes no value" },
	{ { "a", "b", "c", "d" }, "one word too many: d" },
	{ { "--=x" }, "unknown option: --=x" },
};

static bool
parse(const char *const *line, struct args_line *l, struct strbuf *err, char *text, size_t cap)
{
	char *argv[LINE_MAX];
	int n = 0;

	for (; n < LINE_MAX && line[n] != NULL; n++)
		argv[n] = (char *)(uintptr_t)line[n];
	strbuf_init(err, text, cap);
	*l = (struct args_line){ .flags = FLAGS, .common = COMMON, .err = err };
	return args_parse(l, n, argv);
}

static void
same(const char *is, const char *wanted)
{
	ck_assert_int_eq(is == NULL, wanted == NULL);
	if (wanted != NULL)
		ck_assert_str_eq(is, wanted);
}

START_TEST(a_line_is_read)
{
	struct args_line l;
	struct strbuf err;
	char text[200];

	ck_assert_msg(parse(GOOD[_i].line, &l, &err, text, sizeof(text)), "%s", text);
	same(l.own.values[FOLLOW], GOOD[_i].follow);
	same(l.own.values[TAIL], GOOD[_i].tail);
	same(l.own.values[UID], GOOD[_i].uid);
	same(l.shared.values[JSON], GOOD[_i].json);
	same(l.shared.values[FILE_NAME], GOOD[_i].file);
	for (size_t i = 0; i < ARGS_WORDS_MAX; i++)
		same(i < l.own.n_words ? l.own.words[i] : NULL, GOOD[_i].words[i]);
}
END_TEST

START_TEST(a_bad_line_is_named)
{
	struct args_line l;
	struct strbuf err;
	char text[200];

	ck_assert(!parse(BAD[_i].line, &l, &err, text, sizeof(text)));
	ck_assert_str_eq(text, BAD[_i].why);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli/args");
	TCase *tc = tcase_create("args");

	tcase_add_loop_test(tc, a_line_is_read, 0, (int)N_ELEMS(GOOD));
	tcase_add_loop_test(tc, a_bad_line_is_named, 0, (int)N_ELEMS(BAD));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
