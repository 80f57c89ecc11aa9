/* Moments and durations as they are typed.
 * SPDX-License-Identifier: MIT */
#include "cli/when.h"

#include <stdlib.h>
#include <time.h>

#include "support/unit.h"

#define NOW INT64_C(1763674516500)              /* 2025-11-20T21:35:16.500Z */

static const struct { const char *text; int64_t ms; } DURATIONS[] = {
	{ "1s", 1000 }, { "90s", 90000 }, { "5m", 300000 }, { "1h", 3600000 }, { "2d", 172800000 },
	{ "300ms", 300 }, { "1h30m", 5400000 }, { "1d2h3m4s5ms", 93784005 }, { "1.5h", 5400000 },
	{ "0.25s", 250 }, { "1.0005s", 1000 }, { "0s", 0 }, { "10m10m", 1200000 },
	{ "36500d", INT64_C(3153600000000) }, { "007s", 7000 },
};
static const char *const NO_DURATIONS[] = {
	"", "1", "s", "1x", "-1s", "+1s", "1 s", " 1s", "1s ", "1.s", ".5s", "1..5s", "1h30", "h1", "1S",
	"9999999999999s", "999999999999d", "1e3s", "1us",
};
static const struct { const char *text; int64_t at_ms; } MOMENTS[] = {
	{ "1h", NOW - 3600000 }, { "0s", NOW },
	{ "1763674516", INT64_C(1763674516000) }, { "1763674516.25", INT64_C(1763674516250) }, { "0", 0 },
	{ "2025-11-20T21:35:16Z", INT64_C(1763674516000) },
	{ "2025-11-20T21:35:16.5+00:00", INT64_C(1763674516500) },
	{ "2025-11-21T05:35:16+08:00", INT64_C(1763674516000) },
	{ "2025-11-21T05:35:16", INT64_C(1763674516000) },         /* local: Asia/Shanghai */
	{ "2025-11-21 05:35:16", INT64_C(1763674516000) },
	{ "2025-11-21T05:35", INT64_C(1763674500000) },
	{ "2025-11-21", INT64_C(1763654400000) },
};
static const char *const NO_MOMENTS[] = {
	"", "now", "yesterday", "2025-11-31", "2025-13-01", "2025-11", "21.11.2025", "-5", "1763674516.",
	"2025-11-21T", "2025-11-21T25:00", "1h ago", "1763674516.5.5",
};

static void
settle(void)
{
	ck_assert_int_eq(setenv("TZ", "Asia/Shanghai", 1), 0);
	tzset();
}

START_TEST(durations)
{
	int64_t ms = -1;

	ck_assert_msg(when_duration(str_of(DURATIONS[_i].text), &ms), "%s", DURATIONS[_i].text);
	ck_assert_int_eq(ms, DURATIONS[_i].ms);
}
END_TEST

START_TEST(what_is_no_duration)
{
	int64_t ms = -7;

	ck_assert_msg(!when_duration(str_of(NO_DURATIONS[_i]), &ms), "%s", NO_DURATIONS[_i]);
	ck_assert_int_eq(ms, -7);
}
END_TEST

START_TEST(moments)
{
	int64_t at = -1;

	ck_assert_msg(when_parse(str_of(MOMENTS[_i].text), NOW, &at), "%s", MOMENTS[_i].text);
	ck_assert_msg(at == MOMENTS[_i].at_ms, "%s: %lld", MOMENTS[_i].text, (long long)at);
}
END_TEST

START_TEST(what_is_no_moment)
{
	int64_t at;

	ck_assert_msg(!when_parse(str_of(NO_MOMENTS[_i]), NOW, &at), "%s", NO_MOMENTS[_i]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli/when");
	TCase *tc = tcase_create("when");

	tcase_add_checked_fixture(tc, settle, NULL);
	tcase_add_loop_test(tc, durations, 0, (int)N_ELEMS(DURATIONS));
	tcase_add_loop_test(tc, what_is_no_duration, 0, (int)N_ELEMS(NO_DURATIONS));
	tcase_add_loop_test(tc, moments, 0, (int)N_ELEMS(MOMENTS));
	tcase_add_loop_test(tc, what_is_no_moment, 0, (int)N_ELEMS(NO_MOMENTS));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
