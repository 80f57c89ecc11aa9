/* The pause after a child's death.
 * SPDX-License-Identifier: MIT */
#include "app/backoff.h"

int64_t
backoff_died(struct backoff *b, int64_t lived_ms, bool worked)
{
	int64_t pause_ms = BACKOFF_FIRST_MS;

	if (worked || lived_ms >= BACKOFF_QUICK_MS) {
		b->n_quick = 0;
		return 0;
	}
	b->n_quick++;
	if (b->n_quick <= BACKOFF_FREE)
		return 0;
	for (unsigned i = BACKOFF_FREE + 1; i < b->n_quick && pause_ms < BACKOFF_LONGEST_MS; i++)
		pause_ms *= 2;
	return pause_ms < BACKOFF_LONGEST_MS ? pause_ms : BACKOFF_LONGEST_MS;
}
