/* ghost - somebody who stands in LiveKit's list of a room and is there no more: the node they were connected to died, and
 * the room lives on at another (wire facts: LiveKit 1.13.5, section 2.5 of the notes).
 * SPDX-License-Identifier: MIT */
#ifndef LIVEKIT_GHOST_H
#define LIVEKIT_GHOST_H

#include "base/arena.h"

/* A ParticipantInfo of LiveKit's Redis: whose session began before its room's node had the room. What cannot be read, or
 * does not say when, is no ghost. */
bool ghost_is(struct arena *a, struct str record, int64_t host_since_ms);

#endif
