/* unpack - hands protobuf-c memory of an arena.
 * SPDX-License-Identifier: MIT */
#include "livekit/unpack.h"

static void *
alloc_in_arena(void *arena, size_t n)
{
	return arena_alloc(arena, n);
}

static void
leave_to_arena(void *arena, void *at)
{
	(void)arena;
	(void)at;
}

ProtobufCAllocator
unpack_memory(struct arena *a)
{
	return (ProtobufCAllocator){ .alloc = alloc_in_arena, .free = leave_to_arena, .allocator_data = a };
}
