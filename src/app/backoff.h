/* backoff - how long the place of a child that died stays empty. Pure: the caller brings the time.
 * Shape:     a death is quick when the child lived less than BACKOFF_QUICK_MS and had done no work. The
 *            first BACKOFF_FREE quick deaths in a row cost no pause, each further one doubles it, from
 *            BACKOFF_FIRST_MS to BACKOFF_LONGEST_MS. A child that lived longer, or worked, clears the
 *            account: what killed it was what it worked on, and peers that kill workers one after the
 *            other must not keep the pool empty for everybody else.
 * SPDX-License-Identifier: MIT */
#ifndef APP_BACKOFF_H
#define APP_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

enum {
	BACKOFF_QUICK_MS = 10 * 1000,
	BACKOFF_FREE = 5,
	BACKOFF_FIRST_MS = 100,
	BACKOFF_LONGEST_MS = 5 * 1000
};

struct backoff {
	unsigned n_quick;         /* quick deaths in a row */
};

/* Notes a death; the pause before the next birth, in ms. worked: it had taken a request. */
int64_t backoff_died(struct backoff *b, int64_t lived_ms, bool worked);

#endif
