/* test_utf8.c - strict UTF-8: each border of RFC 3629 from both sides.
 * SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include "support/unit.h"

static const struct { struct str in; size_t n; uint32_t cp; } SEQUENCES[] = {
	{ { "a", 1 }, 1, 'a' },
	{ { "\0", 1 }, 1, 0 },
	{ { "\x7f", 1 }, 1, 0x7f },
	{ { "\xc2\x80", 2 }, 2, 0x80 },
	{ { "\xdf\xbf", 2 }, 2, 0x7ff },
	{ { "\xe0\xa0\x80", 3 }, 3, 0x800 },
	{ { "\xe6\x88\xbf", 3 }, 3, 0x623f },
	{ { "\xed\x9f\xbf", 3 }, 3, 0xd7ff },
	{ { "\xee\x80\x80", 3 }, 3, 0xe000 },
	{ { "\xef\xbf\xbf", 3 }, 3, 0xffff },
	{ { "\xf0\x90\x80\x80", 4 }, 4, 0x10000 },
	{ { "\xf4\x8f\xbf\xbf", 4 }, 4, 0x10ffff },
	{ { "", 0 }, 0, 0 },
	{ { "\x80", 1 }, 0, 0 },                      /* continues nothing */
	{ { "\xc0\x80", 2 }, 0, 0 },                  /* overlong */
	{ { "\xc1\xbf", 2 }, 0, 0 },
	{ { "\xe0\x9f\xbf", 3 }, 0, 0 },
	{ { "\xf0\x8f\xbf\xbf", 4 }, 0, 0 },
	{ { "\xed\xa0\x80", 3 }, 0, 0 },              /* surrogates */
	{ { "\xed\xbf\xbf", 3 }, 0, 0 },
	{ { "\xf4\x90\x80\x80", 4 }, 0, 0 },          /* over U+10FFFF */
	{ { "\xf5\x80\x80\x80", 4 }, 0, 0 },
	{ { "\xff", 1 }, 0, 0 },
	{ { "\xc2", 1 }, 0, 0 },                      /* cut off */
	{ { "\xe6\x88", 2 }, 0, 0 },
	{ { "\xf0\x90\x80", 3 }, 0, 0 },
	{ { "\xc2" "a", 2 }, 0, 0 },
	{ { "\xe6\x88\xc0", 3 }, 0, 0 },
};
START_TEST(sequences_as_the_table_says)
{
	uint32_t cp = 0;

	ck_assert_uint_eq(utf8_next(SEQUENCES[_i].in, &cp), SEQUENCES[_i].n);
	ck_assert_uint_eq(cp, SEQUENCES[_i].cp);
}
END_TEST

START_TEST(length_counts_characters)
{
	ck_assert_int_eq(utf8_length(S("")), 0);
	ck_assert_int_eq(utf8_length(S("房间 a\xf0\x9f\x98\x80")), 5);
	ck_assert_int_eq(utf8_length(S("ab\xff")), -1);
	ck_assert_int_eq(utf8_length(S("房\xe6\x88")), -1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/utf8");
	TCase *tc = tcase_create("utf8");

	tcase_add_loop_test(tc, sequences_as_the_table_says, 0, N_ELEMS(SEQUENCES));
	tcase_add_test(tc, length_counts_characters);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
