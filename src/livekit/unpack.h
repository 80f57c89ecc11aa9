/* unpack - an arena as protobuf-c's allocator: nothing is freed singly.
 * SPDX-License-Identifier: MIT */
#ifndef LIVEKIT_UNPACK_H
#define LIVEKIT_UNPACK_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"

ProtobufCAllocator unpack_memory(struct arena *a);

#endif
