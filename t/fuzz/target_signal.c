/* signal - a node's first message: nothing of it is read past its end, and what is read names the node.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include "livekit/livekit_node.pb-c.h"
#include "livekit/signal.h"

/* The same said by us. */
static struct str
packed(struct arena *a, const struct signal_server *s)
{
	LivekitNode__ServerInfo info;
	LivekitNode__JoinResponse join;
	LivekitNode__SignalResponse r;
	uint8_t *bytes;
	size_t n;

	livekit_node__server_info__init(&info);
	livekit_node__join_response__init(&join);
	livekit_node__signal_response__init(&r);
	info.node_id = arena_z(a, s->node_id);
	info.version = arena_z(a, s->version);
	info.region = arena_z(a, s->region);
	join.server_info = &info;
	r.join = &join;
	n = livekit_node__signal_response__get_packed_size(&r);
	bytes = arena_alloc(a, n + 1);
	holds(livekit_node__signal_response__pack(&r, bytes) == n, "it packs");
	return (struct str){ (const char *)bytes, n };
}

/* A C string, as protobuf-c takes it. */
static struct str
text(struct arena *a, struct str *data)
{
	return str_of(arena_z(a, take_text(data)));
}

static bool
is_same(struct arena *a, const struct signal_server *s)
{
	struct signal_server again;

	return signal_read_join(a, packed(a, s), &again) && str_eq(s->node_id, again.node_id) &&
	    str_eq(s->version, again.version) && str_eq(s->region, again.region);
}

void
fuzz_signal(struct arena *a, struct str data)
{
	struct str rest = data;
	struct signal_server s = { .node_id = text(a, &rest), .version = text(a, &rest), .region = text(a, &rest) };

	if (s.node_id.len > 0)
		holds(is_same(a, &s), "what a node says is read");

	if (!signal_read_join(a, data, &s))
		return;
	holds(s.node_id.len > 0, "a node has an id");
	holds(is_same(a, &s), "what was read is what it says");
}
