/* when - moments and durations of the command line: they add up, and nothing overflows.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include "base/clock.h"
#include "cli/when.h"

static void
units_mean_what_they_say(struct arena *a, unsigned n)
{
	static const struct { const char *name; int64_t ms; } UNITS[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 },
	};
	int64_t ms;

	for (size_t i = 0; i < N_ELEMS(UNITS); i++)
		holds(when_duration(arena_printf(a, "%u%s", n, UNITS[i].name), &ms) && ms == n * UNITS[i].ms,
		    "a duration is its number of units");
}

void
fuzz_when(struct arena *a, struct str data)
{
	const int64_t now_ms = 1763674516123;
	int64_t ms, twice, at_ms;
	struct strbuf b;

	units_mean_what_they_say(a, data.len > 1 ? (unsigned char)data.at[0] * 256U + (unsigned char)data.at[1] : 1);
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
