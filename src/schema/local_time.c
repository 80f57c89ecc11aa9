/* local_time - asks the C library's time zone rules for the offset at a local time.
 * SPDX-License-Identifier: MIT */
#include "schema/local_time.h"

#include <stdbool.h>
#include <time.h>

/* The moment that a calendar of TZ calls `wanted`, in summer or in winter time. False when it has no
 * such moment: the library then answers with another one near by. */
static bool
moment_of(const struct tm *wanted, bool summer, time_t *moment_out)
{
	struct tm tm = *wanted;

	tm.tm_isdst = summer;
	*moment_out = mktime(&tm);
	return tm.tm_isdst == summer && tm.tm_mday == wanted->tm_mday && tm.tm_hour == wanted->tm_hour &&
	    tm.tm_min == wanted->tm_min && tm.tm_sec == wanted->tm_sec;
}

int64_t
local_time_offset_ms(int64_t civil_ms)
{
	time_t civil_s = (time_t)(civil_ms / 1000 - (civil_ms % 1000 < 0)), moment;
	struct tm tm;

	if (gmtime_r(&civil_s, &tm) == NULL)
		return 0;
	/* Asked with a fixed answer each time: left to guess, the library remembers its last guess. */
	if (!moment_of(&tm, true, &moment))
		(void)moment_of(&tm, false, &moment);
	return (int64_t)(civil_s - moment) * 1000;
}
