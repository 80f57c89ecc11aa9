/* node - LiveKit's node records: what is read is the same when it is written and read again.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <string.h>

#include "livekit/livekit_node.pb-c.h"
#include "livekit/nodes.h"
#include "livekit/unpack.h"

/* protobuf-c keeps fields it does not know, and writes one whose number is 0 so that it cannot be read. */
static void
forget_unknown(LivekitNode__Node *n)
{
	n->base.n_unknown_fields = 0;
	if (n->stats == NULL)
		return;
	n->stats->base.n_unknown_fields = 0;
	for (size_t i = 0; i < n->stats->n_rates; i++)
		n->stats->rates[i]->base.n_unknown_fields = 0;
}

/* The same as the record says, by protobuf-c's word. */
static void
is_read(const LivekitNode__Node *n, const struct node *ours)
{
	const LivekitNode__Stats *s = n->stats;

	holds(str_eq(ours->id, str_of(n->id)) && str_eq(ours->ip, str_of(n->ip)) && str_eq(ours->region, str_of(n->region)) &&
	    ours->state == n->state, "a node is named as its record says");
	if (s != NULL)
		holds(ours->n_rooms == s->num_rooms && ours->n_clients == s->num_clients && ours->updated_at_s == s->updated_at &&
		    ours->started_at_s == s->started_at && ours->n_tracks_in == s->num_tracks_in &&
		    ours->n_tracks_out == s->num_tracks_out, "and as busy");
}

static struct str
packed_again(struct arena *a, struct str record, const struct node *ours)
{
	ProtobufCAllocator memory = unpack_memory(a);
	LivekitNode__Node *n = livekit_node__node__unpack(&memory, record.len, (const uint8_t *)record.at);
	uint8_t *bytes;
	size_t size;

	holds(n != NULL, "what was read unpacks");
	is_read(n, ours);
	forget_unknown(n);
	size = livekit_node__node__get_packed_size(n);
	bytes = arena_alloc(a, size + 1);
	holds(livekit_node__node__pack(n, bytes) == size, "it packs");
	return (struct str){ (const char *)bytes, size };
}

/* As bits: a load may be no number. */
static bool
same_number(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0 || (a != a && b != b);
}

void
fuzz_node(struct arena *a, struct str data)
{
	struct node n, again;
	struct str packed;

	if (!node_decode(a, data, &n))
		return;
	holds(n.id.len > 0 && !has_byte(n.id, '\0') && !has_byte(n.ip, '\0'), "a node has an id");
	(void)node_is_fresh(&n, 1763674516);
	packed = packed_again(a, data, &n);
	if (packed.len == 0 || packed.len > 64 * 1024)
		return;
	holds(node_decode(a, packed, &again), "what we write we read");
	holds(str_eq(n.id, again.id) && str_eq(n.ip, again.ip) && str_eq(n.region, again.region), "with its names");
	holds(n.updated_at_s == again.updated_at_s && n.n_rooms == again.n_rooms && n.n_cpus == again.n_cpus &&
	    n.state == again.state, "its numbers");
	holds(same_number(n.cpu_load, again.cpu_load) && same_number(n.bytes_per_s, again.bytes_per_s), "and its load");
}
