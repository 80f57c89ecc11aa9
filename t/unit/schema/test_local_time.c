/* The offset of a local time: fixed zones, both changes of the clocks, half hours, before 1970.
 * SPDX-License-Identifier: MIT */
#include "schema/local_time.h"

#include <stdlib.h>
#include <time.h>

#include "support/unit.h"

#include "base/attrs.h"

#define CIVIL(y, mo, d, h, mi) (y), (mo), (d), (h), (mi)

static const struct { const char *tz; int y, mo, d, h, mi; int minutes; } CASES[] = {
	{ "UTC",              CIVIL(2026, 11, 21, 3, 35),   0 },
	{ "Asia/Shanghai",    CIVIL(2026, 11, 21, 3, 35),   480 },
	{ "Asia/Shanghai",    CIVIL(1969, 12, 31, 23, 59),  480 },
	{ "Asia/Kolkata",     CIVIL(2026, 1, 1, 0, 0),      330 },
	{ "Asia/Kathmandu",   CIVIL(2026, 1, 1, 0, 0),      345 },
	{ "America/St_Johns", CIVIL(2026, 1, 1, 0, 0),      -210 },
	{ "America/New_York", CIVIL(2026, 1, 1, 0, 0),      -300 },
	{ "America/New_York", CIVIL(2026, 7, 1, 0, 0),      -240 },
	/* Put forward on 2026-03-08 at 2:00: 2:30 never was, and is the hour after. */
	{ "America/New_York", CIVIL(2026, 3, 8, 1, 59),     -300 },
	{ "America/New_York", CIVIL(2026, 3, 8, 2, 30),     -300 },
	{ "America/New_York", CIVIL(2026, 3, 8, 3, 0),      -240 },
	/* Put back on 2026-11-01 at 2:00: 1:30 came twice, the first counts. */
	{ "America/New_York", CIVIL(2026, 11, 1, 0, 59),    -240 },
	{ "America/New_York", CIVIL(2026, 11, 1, 1, 30),    -240 },
	{ "America/New_York", CIVIL(2026, 11, 1, 2, 0),     -300 },
	{ "Europe/Berlin",    CIVIL(2026, 10, 25, 2, 30),   120 },
	{ "Europe/Berlin",    CIVIL(2026, 10, 25, 3, 0),    60 },
	{ "Australia/Sydney", CIVIL(2026, 1, 15, 12, 0),    660 },
	{ "Australia/Sydney", CIVIL(2026, 7, 15, 12, 0),    600 },
	/* Half an hour of summer time. */
	{ "Australia/Lord_Howe", CIVIL(2026, 1, 15, 12, 0), 660 },
	{ "Australia/Lord_Howe", CIVIL(2026, 7, 15, 12, 0), 630 },
	/* China had summer time then. */
	{ "Asia/Shanghai",    CIVIL(1990, 7, 1, 0, 0),      540 },
	/* A zone whose winter, not its summer, is the exception. */
	{ "Europe/Dublin",    CIVIL(2026, 1, 1, 0, 0),      0 },
	{ "Europe/Dublin",    CIVIL(2026, 7, 1, 0, 0),      60 },
	/* A change of the zone itself, without summer time: Moscow on 2014-10-26. */
	{ "Europe/Moscow",    CIVIL(2014, 10, 25, 12, 0),   240 },
	{ "Europe/Moscow",    CIVIL(2014, 10, 27, 12, 0),   180 },
	{ "CST-8",            CIVIL(2026, 1, 1, 0, 0),      480 },
};

static int64_t
civil_ms(int i)
{
	struct tm tm = { .tm_year = CASES[i].y - 1900, .tm_mon = CASES[i].mo - 1, .tm_mday = CASES[i].d,
		.tm_hour = CASES[i].h, .tm_min = CASES[i].mi };

	return (int64_t)timegm(&tm) * 1000;
}

static void
use(const char *tz)
{
	ck_assert_int_eq(setenv("TZ", tz, 1), 0);
	tzset();
}

START_TEST(the_offset_is_that_of_the_zone)
{
	use(CASES[_i].tz);
	ck_assert_msg(local_time_offset_ms(civil_ms(_i)) == CASES[_i].minutes * 60000,
	    "%s row %d: %lld min", CASES[_i].tz, _i, (long long)(local_time_offset_ms(civil_ms(_i)) / 60000));
	/* The milliseconds of a time are no part of its offset. */
	ck_assert_int_eq(local_time_offset_ms(civil_ms(_i) + 999), CASES[_i].minutes * 60000);
}
END_TEST

/* The C library remembers how it decided last. */
START_TEST(what_was_asked_before_does_not_matter)
{
	for (int k = 0; k < (int)N_ELEMS(CASES); k++) {
		use(CASES[_i].tz);
		for (int month = 0; month < 12; month++)
			(void)local_time_offset_ms(civil_ms(_i) + month * INT64_C(2629800000));
		(void)local_time_offset_ms(civil_ms(k));
		ck_assert_int_eq(local_time_offset_ms(civil_ms(_i)), CASES[_i].minutes * 60000);
	}
}
END_TEST

static const char *const ZONES[] = { "UTC", "Asia/Shanghai", "America/New_York", "Europe/Dublin",
	"Australia/Lord_Howe", "Pacific/Chatham", "Africa/Casablanca" };

/* Every hour of a year, there and back: what localtime makes of a moment leads to that moment. */
START_TEST(it_undoes_localtime)
{
	use(ZONES[_i]);
	for (time_t at = 1735689600; at < 1735689600 + 365 * 86400; at += 3600) {
		struct tm tm;
		int64_t civil, back;

		ck_assert_ptr_nonnull(localtime_r(&at, &tm));
		civil = (int64_t)(at + tm.tm_gmtoff) * 1000;
		back = civil - local_time_offset_ms(civil);
		/* An hour that came twice leads to the first. */
		ck_assert(back == (int64_t)at * 1000 || back == (int64_t)(at - 3600) * 1000 ||
		    back == (int64_t)(at - 1800) * 1000);
		if (back != (int64_t)at * 1000) {
			time_t first = (time_t)(back / 1000);
			struct tm before;

			ck_assert_ptr_nonnull(localtime_r(&first, &before));
			ck_assert_int_eq(before.tm_hour, tm.tm_hour);
			ck_assert_int_eq(before.tm_min, tm.tm_min);
		}
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("schema/local_time");
	TCase *tc = tcase_create("local_time");

	tcase_add_loop_test(tc, the_offset_is_that_of_the_zone, 0, (int)N_ELEMS(CASES));
	tcase_add_loop_test(tc, what_was_asked_before_does_not_matter, 0, (int)N_ELEMS(CASES));
	tcase_add_loop_test(tc, it_undoes_localtime, 0, (int)N_ELEMS(ZONES));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
