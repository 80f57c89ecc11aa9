/* What answers mean, how long until the next try, and what Retry-After may say.
 * SPDX-License-Identifier: MIT */
#include "jobs/verdict.h"

#include "support/unit.h"

static const struct { bool answered; int status; enum meaning meaning; } ANSWERS[] = {
	{ false, 0, MEANS_FAILED }, { true, 200, MEANS_TAKEN }, { true, 204, MEANS_TAKEN },
	{ true, 299, MEANS_TAKEN }, { true, 301, MEANS_FAILED }, { true, 307, MEANS_FAILED },
	{ true, 100, MEANS_FAILED }, { true, 400, MEANS_REFUSED }, { true, 401, MEANS_REFUSED },
	{ true, 404, MEANS_REFUSED }, { true, 408, MEANS_FAILED }, { true, 410, MEANS_GONE },
	{ true, 422, MEANS_REFUSED }, { true, 425, MEANS_FAILED }, { true, 429, MEANS_FAILED },
	{ true, 500, MEANS_FAILED }, { true, 503, MEANS_FAILED }, { false, 200, MEANS_FAILED },
};
START_TEST(answers_mean)
{
	ck_assert_int_eq(meaning_of(ANSWERS[_i].answered, ANSWERS[_i].status), ANSWERS[_i].meaning);
}
END_TEST

START_TEST(pauses_with_chance)
{
	const struct ms_list pauses = { .at = { 5000, 30000, 3 }, .n = 3 };

	ck_assert_int_eq(retry_pause_ms(&pauses, 1, 0), 5000);
	ck_assert_int_eq(retry_pause_ms(&pauses, 2, 0), 30000);
	ck_assert_int_eq(retry_pause_ms(&pauses, 1, 500), 5500);
	ck_assert_int_eq(retry_pause_ms(&pauses, 1, 501), 5000);
	ck_assert_int_eq(retry_pause_ms(&pauses, 3, 4294967295U), 3);
	ck_assert_int_eq(retry_pause_ms(&pauses, 4, 0), -1);
	ck_assert_int_eq(retry_pause_ms(&pauses, 0, 0), -1);
}
END_TEST

#define NOW_MS INT64_C(784111777000)                  /* Sun, 06 Nov 1994 08:49:37 GMT */
#define DAY_MS INT64_C(86400000)
static const struct { const char *value; int64_t ms; } AFTERS[] = {
	{ "", 0 }, { "0", 0 }, { "7", 7000 }, { "86400", DAY_MS }, { "999999999999", DAY_MS },
	{ "9223372036854775807", DAY_MS }, { "-1", 0 }, { "1.5", 0 }, { "soon", 0 },
	{ "Sun, 06 Nov 1994 08:49:47 GMT", 10000 }, { "Sun, 06 Nov 1994 08:49:27 GMT", 0 },
	{ "Tue, 08 Nov 1994 09:00:00 GMT", DAY_MS }, { "Sun, 06 Nov 1994 08:49:47 CET", 0 },
	{ "Sun, 06 Nov 1994 08:49:47 GMT and more than fits into any date", 0 },
};
START_TEST(retry_after_says)
{
	ck_assert_int_eq(retry_after_ms(str_of(AFTERS[_i].value), NOW_MS), AFTERS[_i].ms);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("jobs/verdict");
	TCase *tc = tcase_create("verdict");

	tcase_add_loop_test(tc, answers_mean, 0, N_ELEMS(ANSWERS));
	tcase_add_test(tc, pauses_with_chance);
	tcase_add_loop_test(tc, retry_after_says, 0, N_ELEMS(AFTERS));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
