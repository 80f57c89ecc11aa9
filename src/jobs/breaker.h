/* breaker - whether a receiver is held to be down; pure. It opens after BREAKER_OPENS_AT failures in a row of
 * at least two different events, or that all had no answer at all: one event that a receiver cannot digest
 * never opens it. While it is open, a single try is made from time to time, with growing pauses.
 * All times are the database's, Unix ms.
 * SPDX-License-Identifier: MIT */
#ifndef JOBS_BREAKER_H
#define JOBS_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum { BREAKER_OPENS_AT = 5 };

struct breaker {
	int64_t min_ms, max_ms;       /* between two tries while it is open */
	int64_t down_since_ms;        /* 0: closed */
	int64_t probe_at_ms, pause_ms;
	int n_failed, n_silent;       /* in a row */
	int64_t first_pos;            /* of the failures in a row */
	bool several;                 /* not all of them were that event's */
};

void breaker_init(struct breaker *b, int64_t min_ms, int64_t max_ms);
/* As another process left it. */
void breaker_resume(struct breaker *b, int64_t down_since_ms, int64_t probe_at_ms);
bool breaker_is_open(const struct breaker *b);
/* An event was not taken. True: it opens by that. */
bool breaker_failed(struct breaker *b, int64_t pos, bool answered, int64_t now_ms);
/* The single try failed; the next one not before at_least_ms. */
void breaker_probe_failed(struct breaker *b, int64_t now_ms, int64_t at_least_ms);
/* An event was taken: closed, and nothing is held against it. */
void breaker_ok(struct breaker *b);

#endif
