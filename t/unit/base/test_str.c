/* test_str.c - borrowed text: comparing, trimming, splitting, reading numbers.
 * SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <stdlib.h>

#include "support/unit.h"

static const struct { const char *in; int64_t min, max; bool ok; int64_t out; } NUMBERS[] = {
	{ "0", 0, 10, true, 0 },
	{ "10", 0, 10, true, 10 },
	{ "11", 0, 10, false, 0 },
	{ "-1", 0, 10, false, 0 },
	{ "-5", -5, 5, true, -5 },
	{ "-6", -5, 5, false, 0 },
	{ "007", 0, 10, true, 7 },
	{ "", 0, 10, false, 0 },
	{ "-", -5, 5, false, 0 },
	{ "+1", 0, 10, false, 0 },
	{ " 1", 0, 10, false, 0 },
	{ "1 ", 0, 10, false, 0 },
	{ "1.0", 0, 10, false, 0 },
	{ "0x1", 0, 10, false, 0 },
	{ "--1", -5, 5, false, 0 },
	{ "9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MAX },
	{ "9223372036854775808", INT64_MIN, INT64_MAX, false, 0 },
	{ "-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN },
	{ "-9223372036854775809", INT64_MIN, INT64_MAX, false, 0 },
	{ "99999999999999999999999", INT64_MIN, INT64_MAX, false, 0 },
};
START_TEST(numbers_as_the_table_says)
{
	int64_t v = 4711;

	ck_assert(parse_i64(str_of(NUMBERS[_i].in), NUMBERS[_i].min, NUMBERS[_i].max, &v) ==
	    NUMBERS[_i].ok);
	ck_assert_int_eq(v, NUMBERS[_i].ok ? NUMBERS[_i].out : 4711);
}
END_TEST

START_TEST(equal_and_order)
{
	ck_assert(str_eq(S("ab"), S("ab")));
	ck_assert(!str_eq(S("ab"), S("aB")));
	ck_assert(!str_eq(S("ab"), S("abc")));
	ck_assert(str_eq(S(""), str_of(NULL)));
	ck_assert(str_eq_nocase(S("Content-TYPE"), S("content-type")));
	ck_assert(!str_eq_nocase(S("a["), S("A{")));          /* 0x20 apart, but no letters */
	ck_assert(!str_eq_nocase(S("\xc3\x84"), S("\xc3\xa4")));
	ck_assert_int_lt(str_cmp(S("a"), S("b")), 0);
	ck_assert_int_gt(str_cmp(S("b"), S("abc")), 0);
	ck_assert_int_lt(str_cmp(S("ab"), S("abc")), 0);
	ck_assert_int_gt(str_cmp(S("\xff"), S("a")), 0);      /* bytes are unsigned */
	ck_assert_int_eq(str_cmp(S(""), str_of(NULL)), 0);
}
END_TEST

START_TEST(ends_and_trim)
{
	ck_assert(str_starts(S("export x"), S("export ")));
	ck_assert(!str_starts(S("exp"), S("export ")));
	ck_assert(str_ends(S("a.gz"), S(".gz")));
	ck_assert(!str_ends(S("gz"), S(".gz")));
	ck_assert(str_ends(S("x"), S("")) && str_starts(str_of(NULL), S("")));
	ck_assert(str_eq(str_trim(S(" \t\r\n a b \n")), S("a b")));
	ck_assert_uint_eq(str_trim(S(" \t ")).len, 0);
}
END_TEST

START_TEST(split_gives_every_part_once)
{
	struct str rest = S("a,,b,"), part;

	ck_assert(str_split(&rest, ',', &part) && str_eq(part, S("a")));
	ck_assert(str_split(&rest, ',', &part) && str_eq(part, S("")));
	ck_assert(str_split(&rest, ',', &part) && str_eq(part, S("b")));
	ck_assert(str_split(&rest, ',', &part) && str_eq(part, S("")));
	ck_assert(!str_split(&rest, ',', &part));
	rest = S("");
	ck_assert(str_split(&rest, ',', &part) && part.len == 0);
	ck_assert(!str_split(&rest, ',', &part));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/str");
	TCase *tc = tcase_create("str");

	tcase_add_loop_test(tc, numbers_as_the_table_says, 0, N_ELEMS(NUMBERS));
	tcase_add_test(tc, equal_and_order);
	tcase_add_test(tc, ends_and_trim);
	tcase_add_test(tc, split_gives_every_part_once);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
