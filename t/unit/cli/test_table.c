/* Columns for a terminal. SPDX-License-Identifier: MIT */
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

#include "support/unit.h"

START_TEST(columns_are_as_wide_as_their_widest_text)
{
	static const char *const HEADS[] = { "A", "LONG", "C" };
	struct arena *a = arena_new(1 << 20);
	struct table t;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	table_init(&t, a, HEADS, N_ELEMS(HEADS));
	table_add(&t, S("wide one"));
	table_add(&t, S("x"));
	table_add(&t, S("end"));
	table_add(&t, S("é"));
	table_add(&t, S(""));
	table_add(&t, S("\x1b[0m\n\x7f"));
	table_print(&t, f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_str_eq(text,
	    "A         LONG  C\n"
	    "wide one  x     end\n"
	    "é               ?[0m??\n");
	free(text);
	arena_free(a);
}
END_TEST

/* More cells than the table begins with. */
START_TEST(it_grows)
{
	static const char *const HEADS[] = { "N" };
	struct arena *a = arena_new(1 << 20);
	struct table t;

	table_init(&t, a, HEADS, 1);
	for (int i = 0; i < 1000; i++)
		table_add(&t, arena_printf(a, "%d", i));
	ck_assert_uint_eq(t.n_cells, 1001);
	ck_assert(str_eq(t.cells[0], S("N")));
	ck_assert(str_eq(t.cells[1000], S("999")));
	arena_free(a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli/table");
	TCase *tc = tcase_create("table");

	tcase_add_test(tc, columns_are_as_wide_as_their_widest_text);
	tcase_add_test(tc, it_grows);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
