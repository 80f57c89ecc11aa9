/* watch - what the node watch knows of each node, and what the answer to a probe means. No clock, no network.
 * SPDX-License-Identifier: MIT */
#ifndef JOBS_WATCH_H
#define JOBS_WATCH_H

#include "base/str.h"

enum { WATCHED_MAX = 1024, WATCH_TEXT_BYTES = 68, SILENCES = 2 };

/* odd: something answers, and not 200 (LiveKit without its Redis answers 406): it is alive, and not well. */
enum probe { PROBE_OK, PROBE_ODD, PROBE_REFUSED, PROBE_SILENT };
enum watch_change { WATCH_SAME, WATCH_DOWN, WATCH_UP };

struct watched {
	char addr[WATCH_TEXT_BYTES], id[WATCH_TEXT_BYTES];
	bool met;                     /* in the round under way */
	bool down;
	bool refused;                 /* by the last probe */
	bool answered;                /* 200 to the last probe */
	unsigned n_silent;            /* probes in a row */
	int64_t written_at_us;        /* its row; 0: never */
};
struct watch {
	struct watched nodes[WATCHED_MAX];
	size_t n;
};

/* The node of that address, made when it is not there; NULL: an address too long, or too many. */
struct watched *watch_meet(struct watch *w, struct str addr);
struct watched *watch_find(struct watch *w, struct str addr);       /* NULL: not there */
/* Forgets those that were not met since the last time. */
void watch_end_round(struct watch *w);
/* A refused connection is down at once; one silence may be a moment's load. */
enum watch_change watch_take(struct watched *n, enum probe p);
/* Its id; true: another than before. */
bool watch_take_id(struct watched *n, struct str id);

#endif
