/* The worker's command line.
 * SPDX-License-Identifier: MIT */
#include "app/options.h"

#include <stdio.h>
#include <string.h>

#include "support/unit.h"

enum { WORDS_MAX = 8 };

/* argv as main gets it. `line` owns the words: out points at them. */
struct line {
	char text[WORDS_MAX + 1][64];
	char *argv[WORDS_MAX + 2];
};

static bool
parse(struct line *l, const char *const words[WORDS_MAX], struct options *out, char *err,
    size_t err_cap)
{
	int n = 0;

	*l = (struct line){ .text[0] = "tgo-call-worker" };
	l->argv[n++] = l->text[0];
	for (; n <= WORDS_MAX && words[n - 1] != NULL; n++) {
		snprintf(l->text[n], sizeof(l->text[n]), "%s", words[n - 1]);
		l->argv[n] = l->text[n];
	}
	return options_parse(n, l->argv, out, err, err_cap);
}

static const struct {
	const char *words[WORDS_MAX];
	struct options want;
} GOOD[] = {
	{ { NULL }, { 0 } },
	{ { "--listen", "unix:/run/x" }, { .listen = "unix:/run/x" } },
	{ { "--listen=unix:/run/x=y" }, { .listen = "unix:/run/x=y" } },
	{ { "--env-file", "a.env", "--workers", "3" }, { .env_file = "a.env", .workers = 3 } },
	{ { "--workers=1024", "--no-master" }, { .workers = 1024, .no_master = true } },
	{ { "--version" }, { .version = true } },
	{ { "--help" }, { .help = true } },
	{ { "--workers", "1", "--workers", "2" }, { .workers = 2 } },
};

static void
assert_text(const char *got, const char *want)
{
	if (want == NULL)
		ck_assert_ptr_null(got);
	else
		ck_assert_str_eq(got, want);
}

START_TEST(good_lines)
{
	struct options o;
	struct line l;
	char err[200] = "";

	ck_assert_msg(parse(&l, GOOD[_i].words, &o, err, sizeof(err)), "%s", err);
	assert_text(o.listen, GOOD[_i].want.listen);
	assert_text(o.env_file, GOOD[_i].want.env_file);
	ck_assert_int_eq(o.workers, GOOD[_i].want.workers);
	ck_assert_int_eq(o.no_master, GOOD[_i].want.no_master);
	ck_assert_int_eq(o.version, GOOD[_i].want.version);
	ck_assert_int_eq(o.help, GOOD[_i].want.help);
}
END_TEST

static const struct {
	const char *words[WORDS_MAX];
	const char *names;        /* the line must say this */
} BAD[] = {
	{ { "--listen" }, "--listen needs a value" },
	{ { "--listen=" }, "--listen" },
	{ { "--env-file", "" }, "--env-file" },
	{ { "--workers", "0" }, "--workers: 0" },
	{ { "--workers", "-1" }, "--workers: -1" },
	{ { "--workers", "1025" }, "--workers: 1025" },
	{ { "--workers", "4x" }, "--workers: 4x" },
	{ { "--workers" }, "--workers needs a value" },
	{ { "--no-master=yes" }, "--no-master=yes" },
	{ { "--nope" }, "--nope" },
	{ { "--list", "x" }, "--list" },
	{ { "unix:/run/x" }, "unix:/run/x" },
	{ { "-h" }, "-h" },
};

START_TEST(bad_lines_are_named)
{
	struct options o = { .workers = 77 };
	struct line l;
	char err[200] = "";

	ck_assert(!parse(&l, BAD[_i].words, &o, err, sizeof(err)));
	ck_assert_msg(strstr(err, BAD[_i].names) != NULL, "\"%s\" does not say \"%s\"", err,
	    BAD[_i].names);
	ck_assert_int_eq(o.workers, 77);
}
END_TEST

START_TEST(the_help_names_every_option)
{
	static const char *const NAMES[] = { "--listen", "--env-file", "--workers", "--no-master",
	    "--version", "--help" };

	for (size_t i = 0; i < N_ELEMS(NAMES); i++)
		ck_assert_ptr_nonnull(strstr(OPTIONS_HELP, NAMES[i]));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("app/options");
	TCase *tc = tcase_create("options");

	tcase_add_loop_test(tc, good_lines, 0, N_ELEMS(GOOD));
	tcase_add_loop_test(tc, bad_lines_are_named, 0, N_ELEMS(BAD));
	tcase_add_test(tc, the_help_names_every_option);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
