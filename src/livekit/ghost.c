/* ghost - reads when somebody joined.
 * SPDX-License-Identifier: MIT */
#include "livekit/ghost.h"

#include "livekit/livekit_node.pb-c.h"
#include "livekit/unpack.h"

/* Attributes and metadata may be large; a record beyond what LiveKit takes is not looked at. */
enum { RECORD_MAX_BYTES = 4 << 20 };

bool
ghost_is(struct arena *a, struct str record, int64_t host_since_ms)
{
	ProtobufCAllocator memory = unpack_memory(a);
	LivekitNode__Person *p;
	int64_t joined_ms;

	if (record.len == 0 || record.len > RECORD_MAX_BYTES)
		return false;
	p = livekit_node__person__unpack(&memory, record.len, (const uint8_t *)record.at);
	if (p == NULL || p->identity[0] == '\0' || p->joined_at > INT64_MAX / 1000 - 1)
		return false;
	/* Whole seconds: the latest they can mean. */
	joined_ms = p->joined_at_ms > 0 ? p->joined_at_ms : p->joined_at > 0 ? p->joined_at * 1000 + 999 : 0;
	return joined_ms > 0 && joined_ms < host_since_ms;
}
