/* The pauses between a worker's death and the next birth.
 * SPDX-License-Identifier: MIT */
#include "app/backoff.h"

#include "support/unit.h"

#include "base/attrs.h"

/* The pause after the nth quick death in a row. */
static const struct {
	unsigned nth;
	int64_t pause_ms;
} QUICK[] = {
	{ 1, 0 },    { 2, 0 },    { 5, 0 },     { 6, 100 },    { 7, 200 },    { 8, 400 },
	{ 9, 800 },  { 10, 1600 }, { 11, 3200 }, { 12, 5000 }, { 13, 5000 }, { 100000, 5000 },
};

START_TEST(pauses_grow_to_five_seconds)
{
	struct backoff b = { 0 };
	int64_t pause_ms = -1;

	for (unsigned i = 0; i < QUICK[_i].nth; i++)
		pause_ms = backoff_died(&b, 3, false);
	ck_assert_int_eq(pause_ms, QUICK[_i].pause_ms);
}
END_TEST

START_TEST(a_long_life_clears_the_account)
{
	struct backoff b = { 0 };

	for (int i = 0; i < 20; i++)
		(void)backoff_died(&b, 0, false);
	ck_assert_int_eq(backoff_died(&b, BACKOFF_QUICK_MS, false), 0);
	for (int i = 0; i < BACKOFF_FREE; i++)
		ck_assert_int_eq(backoff_died(&b, 0, false), 0);
	ck_assert_int_eq(backoff_died(&b, 0, false), BACKOFF_FIRST_MS);
}
END_TEST

START_TEST(just_under_ten_seconds_is_quick)
{
	struct backoff b = { 0 };

	for (int i = 0; i < BACKOFF_FREE; i++)
		ck_assert_int_eq(backoff_died(&b, BACKOFF_QUICK_MS - 1, false), 0);
	ck_assert_int_eq(backoff_died(&b, BACKOFF_QUICK_MS - 1, false), BACKOFF_FIRST_MS);
}
END_TEST

/* A child that dies the moment it is born: at most so many births in ten seconds. */
START_TEST(a_crashing_loop_is_bounded)
{
	struct backoff b = { 0 };
	int64_t now_ms = 0;
	int n_births = 1;

	while (now_ms < 10000) {
		now_ms += backoff_died(&b, 0, false);
		n_births++;
	}
	ck_assert_int_ge(n_births, BACKOFF_FREE + 1);
	ck_assert_int_le(n_births, 14);
}
END_TEST

/* Peers that kill whoever takes their request keep no place empty; a child that dies before it works does. */
START_TEST(who_worked_is_back_at_once)
{
	struct backoff b = { 0 };

	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(backoff_died(&b, 0, true), 0);
	for (int i = 0; i <= BACKOFF_FREE; i++)
		(void)backoff_died(&b, 0, false);
	ck_assert_int_gt(backoff_died(&b, 0, false), 0);
	ck_assert_int_eq(backoff_died(&b, 0, true), 0);
	ck_assert_int_eq(backoff_died(&b, 0, false), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("app/backoff");
	TCase *tc = tcase_create("backoff");

	tcase_add_loop_test(tc, pauses_grow_to_five_seconds, 0, N_ELEMS(QUICK));
	tcase_add_test(tc, a_long_life_clears_the_account);
	tcase_add_test(tc, just_under_ten_seconds_is_quick);
	tcase_add_test(tc, a_crashing_loop_is_bounded);
	tcase_add_test(tc, who_worked_is_back_at_once);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
