/* watchdog - replaces workers that are held: by a peer that drips, by whatever hangs. They are killed; the pool fills
 * the place at once.
 * Costs:     the master wakes four times a second while a worker is at something, else once.
 * SPDX-License-Identifier: MIT */
#ifndef APP_WATCHDOG_H
#define APP_WATCHDOG_H

#include "app/pool.h"

enum { WATCHDOG_BUSY_MS = 250, WATCHDOG_IDLE_MS = 1000 };

/* Kills those that one request has held for longer than stuck_ms (held_too_long). */
void watchdog_look(struct pool *p, int64_t stuck_ms, int64_t now_ms);
/* When to look again: for poll(). -1: there is nothing to watch. */
int watchdog_idle_ms(const struct pool *p);

#endif
