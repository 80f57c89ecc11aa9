/* verdict - what a receiver's answer means for the event, and when it is tried again; pure.
 * SPDX-License-Identifier: MIT */
#ifndef JOBS_VERDICT_H
#define JOBS_VERDICT_H

#include "conf/conf.h"

enum meaning {
	MEANS_TAKEN,          /* 2xx */
	MEANS_FAILED,         /* no answer, 5xx, a redirect, 408, 425, 429: perhaps later */
	MEANS_REFUSED,        /* any other 4xx: this event is not wanted; later ones need not wait for it */
	MEANS_GONE            /* 410: nothing more is wanted */
};
enum meaning meaning_of(bool answered, int status);

/* The pause after the nth try that failed (n from 1), with up to a tenth of it added by chance (any number).
 * -1: that was the last. */
int64_t retry_pause_ms(const struct ms_list *pauses, int64_t n, uint32_t chance);
/* Retry-After in seconds or as a date: ms from now, at most a day; 0 for none, one that is over, or nonsense. */
int64_t retry_after_ms(struct str value, int64_t now_wall_ms);

#endif
