/* person - a participant as LiveKit's JSON shows one: its webhooks write camelCase and leave defaults out, its
 * API writes snake_case in full (wire facts: LiveKit 1.13.5, sections 1.2 and 4.1 of the notes).
 * SPDX-License-Identifier: MIT */
#ifndef LIVEKIT_PERSON_H
#define LIVEKIT_PERSON_H

#include "json/json.h"
#include "model/seen.h"

/* False: no person of ours (an agent, a recorder, a hidden one, no valid uid or session); what could be read
 * of it stands in *out all the same. Device: from attributes, then metadata. Texts in op->arena. */
bool person_read(struct op *op, const struct json *participant, struct media_session *out);

#endif
