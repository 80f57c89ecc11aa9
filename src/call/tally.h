/* tally - counts calls for /metrics, each step of a call once: from what a commit changed, never from inside a transaction,
 * which may run several times. A commit whose outcome nobody knows is not counted.
 * Internal to the call room. SPDX-License-Identifier: MIT */
#ifndef CALL_TALLY_H
#define CALL_TALLY_H

#include "base/meter.h"
#include "model/call.h"

/* After the commit that changed it: created, answered, over, and how long that took. */
void tally_change(struct meter *m, const struct call *c);
/* A room was given to a node; from: the one it had, "" = none. node "": nothing to count. */
void tally_assigned(struct meter *m, struct str node, struct str from);

#endif
