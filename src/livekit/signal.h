/* signal - the first message a LiveKit node sends on a signalling connection (wire facts: LiveKit 1.13.5, section 3 of
 * the notes): which node it is. SPDX-License-Identifier: MIT */
#ifndef LIVEKIT_SIGNAL_H
#define LIVEKIT_SIGNAL_H

#include "base/arena.h"

struct signal_server { struct str node_id, version, region; };
/* False: no such message. Texts in the arena. */
bool signal_read_join(struct arena *a, struct str message, struct signal_server *out) MUST_CHECK;

#endif
