/* deadline - what becomes of a call when time runs out (calls.md, "Deadlines"): people who were not reached, people
 * who did not come back, a call that lasted too long. LiveKit was asked before who is connected, without a lock.
 * SPDX-License-Identifier: MIT */
#ifndef RULES_DEADLINE_H
#define RULES_DEADLINE_H

#include "model/call.h"
#include "model/seen.h"

/* What came of it, for the log. */
struct fired {
	bool too_long;               /* MAX_CALL_S */
	bool waits;                  /* LiveKit is silent: c->overdue_until_ms says until when */
	size_t n_missed, n_lost;
};
/* A locked call, and what LiveKit said of it at the version it has. Of nobody it knows better than we do: a person it
 * shows is in the call, and no deadline takes that person out. */
void call_fire(struct call *c, const struct seen_room *seen, struct fired *out);
/* These people ring no longer, and one event names all of them. Does not settle. */
void call_rang_out(struct call *c, struct participant *const *who, size_t n);

#endif
