/* when - moments and durations of the command line: they add up, and nothing overflows.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include "base/clock.h"
#include "cli/when.h"

void
fuzz_when(struct arena *a, struct str data)
{
	const int64_t now_ms = 1763674516123;
	int64_t ms, twice, at_ms;
	struct strbuf b;

	if (when_duration(data, &ms)) {
		holds(ms >= 0, "a duration is not negative");
		holds(when_parse(data, now_ms, &at_ms) && at_ms == now_ms - ms, "a duration is before now");
		if (ms < INT64_MAX / 2)
			holds(when_duration(arena_printf(a, "%.*s%.*s", STR_ARG(data), STR_ARG(data)), &twice) &&
			    twice == 2 * ms, "two durations add up");
	}
	if (!when_parse(data, now_ms, &at_ms) || at_ms < 0 || at_ms > 4102444800000)
		return;
	strbuf_init_arena(&b, a, 64, 64);
	clock_format_iso(&b, at_ms);
	holds(strbuf_ok(&b) && when_parse(strbuf_str(&b), now_ms, &twice) && twice == at_ms, "a moment shown is that moment");
}
