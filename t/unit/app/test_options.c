/* The command lines of worker and jobs.
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
parse(enum program p, struct line *l, const char *const words[WORDS_MAX], struct options *out,
    char *err, size_t err_cap)
{
	int n = 0;

	*l = (struct line){ .text[0] = "tgo-call" };
	l->argv[n++] = l->text[0];
	for (; n <= WORDS_MAX && words[n - 1] != NULL; n++) {
		snprintf(l->text[n], sizeof(l->text[n]), "%s", words[n - 1]);
		l->argv[n] = l->text[n];
	}
	return options_parse(p, n, l->argv, out, err, err_cap);
}

static const struct {
	enum program p;
	const char *words[WORDS_MAX];
	struct options want;
} GOOD[] = {
	{ PROGRAM_WORKER, { NULL }, { 0 } },
	{ PROGRAM_WORKER, { "--listen", "unix:/run/x" }, { .listen = "unix:/run/x" } },
	{ PROGRAM_WORKER, { "--listen=unix:/run/x=y" }, { .listen = "unix:/run/x=y" } },
	{ PROGRAM_WORKER, { "--env-file", "a.env", "--workers", "3" }, { .env_file = "a.env", .workers = 3 } },
	{ PROGRAM_WORKER, { "--workers=1024", "--no-master" }, { .workers = 1024, .no_master = true } },
	{ PROGRAM_WORKER, { "--only", "route", "--workers", "2" }, { .part = PART_ROUTE, .workers = 2 } },
	{ PROGRAM_WORKER, { "--user", "tgo-call:www-data" }, { .user = "tgo-call:www-data" } },
	{ PROGRAM_JOBS, { "--user=tgo-call" }, { .user = "tgo-call" } },
	{ PROGRAM_WORKER, { "--version" }, { .version = true } },
	{ PROGRAM_WORKER, { "--help" }, { .help = true } },
	{ PROGRAM_JOBS, { NULL }, { 0 } },
	{ PROGRAM_JOBS, { "--env-file", "a.env" }, { .env_file = "a.env" } },
	{ PROGRAM_JOBS, { "--task=deliver" }, { .task = "deliver" } },
	{ PROGRAM_JOBS, { "--version" }, { .version = true } },
	{ PROGRAM_JOBS, { "--help" }, { .help = true } },
	{ PROGRAM_WORKER, { "--workers", "1", "--workers", "2" }, { .workers = 2 } },
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

	ck_assert_msg(parse(GOOD[_i].p, &l, GOOD[_i].words, &o, err, sizeof(err)), "%s", err);
	assert_text(o.listen, GOOD[_i].want.listen);
	assert_text(o.env_file, GOOD[_i].want.env_file);
	assert_text(o.task, GOOD[_i].want.task);
	assert_text(o.user, GOOD[_i].want.user);
	ck_assert_int_eq(o.program, GOOD[_i].p);
	ck_assert_int_eq(o.workers, GOOD[_i].want.workers);
	ck_assert_int_eq(o.part, GOOD[_i].want.part);
	ck_assert_int_eq(o.no_master, GOOD[_i].want.no_master);
	ck_assert_int_eq(o.version, GOOD[_i].want.version);
	ck_assert_int_eq(o.help, GOOD[_i].want.help);
}
END_TEST

static const struct {
	enum program p;
	const char *words[WORDS_MAX];
	const char *names;        /* the line must say this */
} BAD[] = {
	{ PROGRAM_WORKER, { "--listen" }, "--listen needs a value" },
	{ PROGRAM_WORKER, { "--listen=" }, "--listen" },
	{ PROGRAM_WORKER, { "--env-file", "" }, "--env-file" },
	{ PROGRAM_WORKER, { "--user=" }, "--user" }, { PROGRAM_JOBS, { "--user" }, "--user needs a value" },
	{ PROGRAM_WORKER, { "--workers", "0" }, "--workers: 0" },
	{ PROGRAM_WORKER, { "--workers", "-1" }, "--workers: -1" },
	{ PROGRAM_WORKER, { "--workers", "1025" }, "--workers: 1025" },
	{ PROGRAM_WORKER, { "--workers", "4x" }, "--workers: 4x" },
	{ PROGRAM_WORKER, { "--workers" }, "--workers needs a value" },
	{ PROGRAM_WORKER, { "--no-master=yes" }, "--no-master=yes" },
	{ PROGRAM_WORKER, { "--only" }, "--only needs a value" },
	{ PROGRAM_WORKER, { "--only", "api" }, "--only: api" },
	{ PROGRAM_JOBS, { "--only", "route" }, "--only" },
	{ PROGRAM_WORKER, { "--nope" }, "--nope" },
	{ PROGRAM_WORKER, { "--list", "x" }, "--list" },
	{ PROGRAM_WORKER, { "unix:/run/x" }, "unix:/run/x" },
	{ PROGRAM_WORKER, { "--task", "deliver" }, "--task" },
	{ PROGRAM_JOBS, { "--task" }, "--task needs a value" },
	{ PROGRAM_JOBS, { "--task=" }, "--task" },
	{ PROGRAM_JOBS, { "--listen", "unix:/run/x" }, "--listen" },
	{ PROGRAM_JOBS, { "--workers", "3" }, "--workers" },
	{ PROGRAM_JOBS, { "--no-master" }, "--no-master" },
	{ PROGRAM_WORKER, { "-h" }, "-h" },
};

START_TEST(bad_lines_are_named)
{
	struct options o = { .workers = 77 };
	struct line l;
	char err[200] = "";

	ck_assert(!parse(BAD[_i].p, &l, BAD[_i].words, &o, err, sizeof(err)));
	ck_assert_msg(strstr(err, BAD[_i].names) != NULL, "\"%s\" does not say \"%s\"", err,
	    BAD[_i].names);
	ck_assert_int_eq(o.workers, 77);
}
END_TEST

START_TEST(the_help_names_every_option)
{
	static const struct { enum program p; const char *name; } NAMES[] = {
		{ PROGRAM_WORKER, "--listen" }, { PROGRAM_WORKER, "--env-file" },
		{ PROGRAM_WORKER, "--workers" }, { PROGRAM_WORKER, "--no-master" },
		{ PROGRAM_WORKER, "--only" }, { PROGRAM_WORKER, "--user" }, { PROGRAM_JOBS, "--user" },
		{ PROGRAM_WORKER, "--version" }, { PROGRAM_WORKER, "--help" },
		{ PROGRAM_JOBS, "--env-file" }, { PROGRAM_JOBS, "--task" },
		{ PROGRAM_JOBS, "--version" }, { PROGRAM_JOBS, "--help" },
	};

	for (size_t i = 0; i < N_ELEMS(NAMES); i++) {
		ck_assert_ptr_nonnull(strstr(options_help(NAMES[i].p), NAMES[i].name));
		ck_assert_ptr_nonnull(strstr(options_help(NAMES[i].p), options_name(NAMES[i].p)));
	}
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
