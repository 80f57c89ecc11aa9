/* verdict - Retry-After: a pause of at most a day, whatever a receiver writes.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include "jobs/verdict.h"

enum { DAY_MS = 86400 * 1000 };

void
fuzz_verdict(struct arena *a, struct str data)
{
	const int64_t now_ms = 1763674516123;
	struct ms_list pauses = { .at = { 5000, 30000 }, .n = 2 };
	int64_t ms = retry_after_ms(data, now_ms), s;
	struct str rest = data;
	uint32_t chance = 0;

	(void)a;
	holds(ms >= 0 && ms <= DAY_MS, "a pause is within a day");
	if (parse_i64(data, 0, DAY_MS / 1000, &s))
		holds(ms == s * 1000, "seconds are seconds");
	for (int i = 0; i < 4; i++)
		chance = chance << 8 | take_byte(&rest);
	ms = retry_pause_ms(&pauses, 1 + chance % 3, chance);
	holds(ms == -1 || (ms >= 5000 && ms <= 33000), "a pause is as configured, and a tenth");
}
