/* signal - reads a SignalResponse that says join.
 * SPDX-License-Identifier: MIT */
#include "livekit/signal.h"

#include "livekit/livekit_node.pb-c.h"
#include "livekit/unpack.h"

bool
signal_read_join(struct arena *a, struct str message, struct signal_server *out)
{
	ProtobufCAllocator memory = unpack_memory(a);
	const LivekitNode__SignalResponse *r = livekit_node__signal_response__unpack(&memory, message.len,
	    (const uint8_t *)message.at);
	const LivekitNode__ServerInfo *s = r != NULL && r->join != NULL ? r->join->server_info : NULL;

	if (s == NULL || s->node_id[0] == '\0')
		return false;
	*out = (struct signal_server){ .node_id = str_of(s->node_id), .version = str_of(s->version),
	    .region = str_of(s->region) };
	return true;
}
