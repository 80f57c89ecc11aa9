/* local_time - tries the offsets that the zone had shortly before and after.
 * SPDX-License-Identifier: MIT */
#include "schema/local_time.h"

#include <time.h>

enum { DAY_S = 86400 };

static int64_t
offset_at(int64_t moment_s)
{
	time_t t = (time_t)moment_s;
	struct tm tm;

	return localtime_r(&t, &tm) == NULL ? 0 : tm.tm_gmtoff;
}

/* Not mktime: where a zone has no summer time it searches decades for one, on every call. */
int64_t
local_time_offset_ms(int64_t civil_ms)
{
	int64_t civil_s = civil_ms / 1000 - (civil_ms % 1000 < 0);
	int64_t before = offset_at(civil_s - DAY_S), after = offset_at(civil_s + DAY_S);

	/* Of two moments with this name the one before the change is the first; of none, the old offset
	 * leads to the hour after. */
	if (before == after || offset_at(civil_s - before) == before || offset_at(civil_s - after) != after)
		return before * 1000;
	return after * 1000;
}
