/* breaker - counts failures in a row, and keeps the pace of the tries while it is open.
 * SPDX-License-Identifier: MIT */
#include "jobs/breaker.h"

void
breaker_init(struct breaker *b, int64_t min_ms, int64_t max_ms)
{
	*b = (struct breaker){ .min_ms = min_ms, .max_ms = max_ms > min_ms ? max_ms : min_ms };
}

void
breaker_resume(struct breaker *b, int64_t down_since_ms, int64_t probe_at_ms)
{
	breaker_init(b, b->min_ms, b->max_ms);
	b->down_since_ms = down_since_ms;
	b->probe_at_ms = probe_at_ms;
	b->pause_ms = b->min_ms;
}

bool
breaker_is_open(const struct breaker *b)
{
	return b->down_since_ms > 0;
}

bool
breaker_failed(struct breaker *b, int64_t pos, bool answered, int64_t now_ms)
{
	if (breaker_is_open(b))
		return false;
	if (b->n_failed == 0)
		b->first_pos = pos;
	b->several = b->several || pos != b->first_pos;
	b->n_silent = answered ? 0 : b->n_silent + 1;
	/* Far beyond the limit the count says no more. */
	if (b->n_failed < BREAKER_OPENS_AT)
		b->n_failed++;
	if (b->n_failed < BREAKER_OPENS_AT || (!b->several && b->n_silent < BREAKER_OPENS_AT))
		return false;
	b->down_since_ms = now_ms;
	b->pause_ms = b->min_ms;
	b->probe_at_ms = now_ms + b->pause_ms;
	return true;
}

void
breaker_probe_failed(struct breaker *b, int64_t now_ms, int64_t at_least_ms)
{
	b->pause_ms = b->pause_ms * 2 < b->max_ms ? b->pause_ms * 2 : b->max_ms;
	b->probe_at_ms = now_ms + (at_least_ms > b->pause_ms ? at_least_ms : b->pause_ms);
}

void
breaker_ok(struct breaker *b)
{
	breaker_init(b, b->min_ms, b->max_ms);
}
