/* reconcile - LiveKit's lists, held against a call (calls.md, "Reconciler"). They were read without a lock; here
 * the call is locked, and its version is still the one that was read before LiveKit was asked.
 * What is believed:
 *   not heard                 nothing.
 *   HOST_GONE                 nobody is there: a dead node serves no media, whatever its lists say.
 *   who is listed             is there, when joined_at >= host_since (else: a ghost of the host before). Also with
 *                             HOST_UNKNOWN: ghosts belong to a node the map names, and to take somebody for there who
 *                             is not costs a look more.
 *   who is not listed         is missing, not more: a node that was frozen and came back wipes and answers the lists of
 *                             a call that lives on another one by now, for as long as it likes. Missing in two looks,
 *                             and then not found by name either (asked[]), whatever the host: lost. To take somebody
 *                             out who is talking would end the call.
 * SPDX-License-Identifier: MIT */
#ifndef RULES_RECONCILE_H
#define RULES_RECONCILE_H

#include "model/call.h"
#include "model/seen.h"

void call_reconcile(struct call *c, const struct seen_room *seen);
/* The call goes to another node, because its own is dead: who was connected there has the rejoin grace to come there. */
void call_rehosted(struct call *c);

/* A final call with rows that are still active, as the Go server leaves them: they are closed as an end closes them.
 * Told only where the call tells events at all (seq > 0). */
void call_heal(struct call *c);

#endif
