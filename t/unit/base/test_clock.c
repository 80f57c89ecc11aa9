/* test_clock.c - times as text and back, in zones that make it hard.
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <stdlib.h>
#include <time.h>

#include "support/unit.h"

#define CHINA "CST-8"
#define NEW_YORK "EST5EDT,M3.2.0,M11.1.0"
#define KABUL "<+0430>-4:30"

static void
zone(const char *tz)
{
	ck_assert_int_eq(setenv("TZ", tz, 1), 0);
	tzset();
}

static const struct { const char *tz; int64_t at_ms; const char *local, *iso; } TIMES[] = {
	{ CHINA, INT64_C(1795232116123), "2026-11-21 11:35:16.123", "2026-11-21T11:35:16.123+08:00" },
	{ "UTC", INT64_C(1795232116000), "2026-11-21 03:35:16.000", "2026-11-21T03:35:16.000+00:00" },
	{ NEW_YORK, INT64_C(1795232116007), "2026-11-20 22:35:16.007",
	    "2026-11-20T22:35:16.007-05:00" },
	{ NEW_YORK, INT64_C(1783000000000), "2026-07-02 09:46:40.000",
	    "2026-07-02T09:46:40.000-04:00" },
	{ KABUL, 0, "1970-01-01 04:30:00.000", "1970-01-01T04:30:00.000+04:30" },
	{ "UTC", -1, "1969-12-31 23:59:59.999", "1969-12-31T23:59:59.999+00:00" },
};
START_TEST(formats_and_reads_back)
{
	char text[3][64];
	struct strbuf b[3];
	int64_t at_ms;

	zone(TIMES[_i].tz);
	for (int i = 0; i < 3; i++)
		strbuf_init(&b[i], text[i], sizeof(text[i]));
	clock_format_local(&b[0], TIMES[_i].at_ms);
	clock_format_local_ms(&b[1], TIMES[_i].at_ms);
	clock_format_iso(&b[2], TIMES[_i].at_ms);
	ck_assert(str_eq(strbuf_str(&b[0]), (struct str){ TIMES[_i].local, 19 }));
	ck_assert_str_eq(text[1], TIMES[_i].local);
	ck_assert_str_eq(text[2], TIMES[_i].iso);
	ck_assert(clock_parse(strbuf_str(&b[1]), &at_ms));
	ck_assert_int_eq(at_ms, TIMES[_i].at_ms);
	ck_assert(clock_parse(strbuf_str(&b[2]), &at_ms));
	ck_assert_int_eq(at_ms, TIMES[_i].at_ms);
}
END_TEST

static const struct { const char *in; int64_t at_ms; } READS[] = {   /* in China */
	{ "2026-11-21 11:35", INT64_C(1795232100000) },
	{ "2026-11-21T11:35:16", INT64_C(1795232116000) },
	{ "2026-11-21t03:35:16z", INT64_C(1795232116000) },
	{ "2026-11-21T03:35:16Z", INT64_C(1795232116000) },
	{ "2026-11-21T03:35:16.5Z", INT64_C(1795232116500) },
	{ "2026-11-21T03:35:16.123456789Z", INT64_C(1795232116123) },
	{ "2026-11-20T22:35:16-05:00", INT64_C(1795232116000) },
	{ "2024-02-29 08:00:00", INT64_C(1709164800000) },
	{ "1795232116", INT64_C(1795232116000) },
	{ "0", 0 },
};
START_TEST(reads_as_the_table_says)
{
	int64_t at_ms;

	zone(CHINA);
	ck_assert(clock_parse(str_of(READS[_i].in), &at_ms));
	ck_assert_int_eq(at_ms, READS[_i].at_ms);
}
END_TEST

static const char *const NOT_TIMES[] = {
	"", "now", "-1", "1h", "2026-11-21", "2026-11-21 ", "2026-11-21 24:00", "2026-11-21 11:60",
	"2026-13-01 00:00", "2026-00-01 00:00", "2026-02-29 00:00", "1900-02-29 00:00",
	"2026-11-31 00:00", "2026-11-21 1:35", "2026-11-21 11:35:16.", "2026-11-21 11:35:16.Z",
	"2026-11-21 11:35:61", "2026-11-21 11:35:16 ", "2026-11-21 11:35:16+0800",
	"2026-11-21 11:35:16+24:00", "2026-11-21 11:35Z", "2026-11-21 11:35:16Zx",
	"2026-11-21_11:35", "2026-11--1 11:35", "2026-11-21 11:35:16.1234567890", "99999999999999",
};
START_TEST(refused)
{
	int64_t at_ms = 4711;

	zone(CHINA);
	ck_assert_msg(!clock_parse(str_of(NOT_TIMES[_i]), &at_ms), "%s", NOT_TIMES[_i]);
	ck_assert_int_eq(at_ms, 4711);
}
END_TEST

START_TEST(clocks_run)
{
	int64_t mono = clock_mono_us(), wall = clock_wall_ms();

	ck_assert_int_gt(wall, INT64_C(1700000000000));
	ck_assert_int_lt(wall, INT64_C(10000000000000));
	ck_assert_int_ge(clock_mono_us(), mono);
	ck_assert_int_lt(llabs(wall / 1000 - (int64_t)time(NULL)), 2);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/clock");
	TCase *tc = tcase_create("clock");

	tcase_add_loop_test(tc, formats_and_reads_back, 0, N_ELEMS(TIMES));
	tcase_add_loop_test(tc, reads_as_the_table_says, 0, N_ELEMS(READS));
	tcase_add_loop_test(tc, refused, 0, N_ELEMS(NOT_TIMES));
	tcase_add_test(tc, clocks_run);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
