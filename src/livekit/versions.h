/* versions - which LiveKit servers we were tested with.
 * SPDX-License-Identifier: MIT */
#ifndef LIVEKIT_VERSIONS_H
#define LIVEKIT_VERSIONS_H

#include "base/str.h"

/* "1.9.0 to 1.13.x" */
extern const char LIVEKIT_TESTED[];
/* version: as LiveKit's Redis has it ("1.13.5"). False also for what is no version. */
bool livekit_version_tested(struct str version);

#endif
