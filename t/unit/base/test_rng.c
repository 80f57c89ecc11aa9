/* test_rng.c - ids: their shape, and that they do not repeat.
 * SPDX-License-Identifier: MIT */
#include "base/rng.h"

#include <string.h>

#include "support/unit.h"

enum { ROUNDS = 2000 };

START_TEST(bytes_differ_and_stay_inside)
{
	uint8_t a[34] = { 0 }, b[34] = { 0 };

	rng_bytes(a + 1, 32);
	rng_bytes(b + 1, 32);
	ck_assert_mem_ne(a, b, 34);
	ck_assert_uint_eq(a[0] + a[33], 0);
	rng_bytes(a, 0);
}
END_TEST

START_TEST(hex32_is_a_uuid_of_version_4)
{
	char before[40] = "", text[40];
	struct strbuf b;

	for (int i = 0; i < ROUNDS; i++) {
		strbuf_init(&b, text, sizeof(text));
		rng_hex32(&b);
		ck_assert_uint_eq(b.len, 32);
		ck_assert_uint_eq(strspn(text, "0123456789abcdef"), 32);
		ck_assert_int_eq(text[12], '4');
		ck_assert(strchr("89ab", text[16]) != NULL);
		ck_assert_str_ne(text, before);
		memcpy(before, text, sizeof(before));
	}
}
END_TEST

START_TEST(uuid7_begins_with_its_time)
{
	char text[40];
	struct strbuf b;

	for (int i = 0; i < ROUNDS; i++) {
		strbuf_init(&b, text, sizeof(text));
		rng_uuid7(&b, INT64_C(0x0123456789ab));
		ck_assert_uint_eq(b.len, 36);
		ck_assert(str_starts(strbuf_str(&b), S("01234567-89ab-7")));
		ck_assert_uint_eq(strspn(text, "0123456789abcdef-"), 36);
		ck_assert(text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-');
		ck_assert(strchr("89ab", text[19]) != NULL);
	}
}
END_TEST

/* 7 values, 7000 draws: each comes 1000 times, give or take six standard deviations. */
START_TEST(below_is_even)
{
	int seen[7] = { 0 };

	for (int i = 0; i < 7000; i++) {
		uint32_t v = rng_below(7);

		ck_assert_uint_lt(v, 7);
		seen[v]++;
	}
	for (int i = 0; i < 7; i++) {
		ck_assert_int_gt(seen[i], 820);
		ck_assert_int_lt(seen[i], 1180);
	}
	ck_assert_uint_eq(rng_below(1), 0);
	ck_assert_uint_lt(rng_below(UINT32_MAX), UINT32_MAX);
}
END_TEST

/* Two thirds of 2^32: without the correction the lower half would come twice as often. */
START_TEST(below_has_no_bias)
{
	int low = 0;

	for (int i = 0; i < 6000; i++)
		low += rng_below(0xaaaaaaaau) < 0x55555555u;
	ck_assert_int_gt(low, 2760);
	ck_assert_int_lt(low, 3240);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/rng");
	TCase *tc = tcase_create("rng");

	tcase_add_test(tc, bytes_differ_and_stay_inside);
	tcase_add_test(tc, hex32_is_a_uuid_of_version_4);
	tcase_add_test(tc, uuid7_begins_with_its_time);
	tcase_add_test(tc, below_is_even);
	tcase_add_test(tc, below_has_no_bias);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
