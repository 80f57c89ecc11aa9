/* The "{}" of a statement, and whether the arguments fit it.
 * SPDX-License-Identifier: MIT */
#include "sql/sql_private.h"

#include "support/unit.h"

static const struct {
	const char *text, *unit;
	size_t n_args;
	const char *want;             /* NULL: refused */
	size_t n_units;
} CASES[] = {
	{ "SELECT 1", NULL, 0, "SELECT 1", 0 },
	{ "SELECT ?", NULL, 1, "SELECT ?", 0 },
	{ "SELECT ?", NULL, 0, NULL, 0 },
	{ "SELECT ?", NULL, 2, NULL, 0 },
	{ "SELECT ?", "?", 1, NULL, 0 },                     /* a unit nobody asks for */
	{ "x IN ({})", "?", 1, "x IN (?)", 1 },
	{ "x IN ({})", "?", 3, "x IN (?,?,?)", 3 },
	{ "x IN ({})", "?", 0, NULL, 0 },                    /* an empty list is not SQL */
	{ "x IN ({})", NULL, 1, NULL, 0 },
	{ "x IN ({})", "1", 1, NULL, 0 },                    /* would repeat for ever */
	{ "VALUES {}", "(?,?)", 4, "VALUES (?,?),(?,?)", 2 },
	{ "VALUES {}", "(?,?)", 3, NULL, 0 },
	{ "a = ? AND b IN ({}) AND c = ?", "?", 4, "a = ? AND b IN (?,?) AND c = ?", 2 },
	{ "a = ? AND b IN ({}) AND c = ?", "?", 2, NULL, 0 },
	{ "a = '?' AND b = ?", NULL, 1, "a = '?' AND b = ?", 0 },
	{ "a = 'it''s {}?' AND b IN ({})", "?", 2, "a = 'it''s {}?' AND b IN (?,?)", 2 },
	{ "a = '\\'?' AND b = ?", NULL, 1, "a = '\\'?' AND b = ?", 0 },
	{ "`?` = \"{}\" AND b = ?", NULL, 1, "`?` = \"{}\" AND b = ?", 0 },
	{ "VALUES {}", "(?,'?',?)", 2, "VALUES (?,'?',?)", 1 },
	{ "VALUES {} {}", "(?)", 1, "VALUES (?) {}", 1 },    /* only the first; the server refuses it */
};

START_TEST(expands_as_the_table_says)
{
	struct sql_stmt s = { .name = "t", .text = CASES[_i].text, .unit = CASES[_i].unit };
	char storage[256];
	struct strbuf b;
	size_t n_units = 99;

	strbuf_init(&b, storage, sizeof(storage));
	if (CASES[_i].want == NULL) {
		ck_assert(!sql_expand(&s, CASES[_i].n_args, &b, &n_units));
		return;
	}
	ck_assert(sql_expand(&s, CASES[_i].n_args, &b, &n_units));
	ck_assert_str_eq(storage, CASES[_i].want);
	ck_assert_uint_eq(n_units, CASES[_i].n_units);
}
END_TEST

START_TEST(a_text_that_does_not_fit_is_refused_and_not_cut)
{
	struct sql_stmt s = { .name = "t", .text = "x IN ({})", .unit = "?" };
	char storage[32];
	struct strbuf b;
	size_t n_units;

	strbuf_init(&b, storage, sizeof(storage));
	ck_assert(!sql_expand(&s, 100, &b, &n_units));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sql/expand");
	TCase *tc = tcase_create("expand");

	tcase_add_loop_test(tc, expands_as_the_table_says, 0, N_ELEMS(CASES));
	tcase_add_test(tc, a_text_that_does_not_fit_is_refused_and_not_cut);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
