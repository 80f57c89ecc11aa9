/* nodes - reads LiveKit's node records.
 * SPDX-License-Identifier: MIT */
#include "livekit/nodes.h"

#include "base/clock.h"
#include "livekit/livekit_node.pb-c.h"
#include "livekit/unpack.h"

/* LiveKit writes less than a kilobyte; what is much longer is not worth its memory. */
enum { RECORD_MAX_BYTES = 64 * 1024 };
/* No clock says that. */
static const int64_t STAMP_MAX_S = INT64_C(1) << 40;

static void
read_stats(const LivekitNode__Stats *s, struct node *out)
{
	out->started_at_s = s->started_at;
	out->updated_at_s = s->updated_at;
	out->n_rooms = s->num_rooms;
	out->n_clients = s->num_clients;
	out->n_tracks_in = s->num_tracks_in;
	out->n_tracks_out = s->num_tracks_out;
	if (s->num_cpus > 0)
		out->n_cpus = s->num_cpus;
	out->cpu_load = (double)s->cpu_load;
	out->load_1min = (double)s->load_avg_last1min;
	/* The first window is the last ten seconds: what LiveKit itself sorts by. */
	if (s->n_rates > 0) {
		out->bytes_in_per_s = (double)s->rates[0]->bytes_in;
		out->bytes_out_per_s = (double)s->rates[0]->bytes_out;
		out->bytes_per_s = out->bytes_in_per_s + out->bytes_out_per_s;
	}
}

bool
node_decode(struct arena *a, struct str record, struct node *out)
{
	ProtobufCAllocator memory = unpack_memory(a);
	LivekitNode__Node *n;

	if (record.len == 0 || record.len > RECORD_MAX_BYTES)
		return false;
	n = livekit_node__node__unpack(&memory, record.len, (const uint8_t *)record.at);
	if (n == NULL || n->id[0] == '\0')
		return false;
	*out = (struct node){ .id = str_of(n->id), .ip = str_of(n->ip), .region = str_of(n->region),
	    .state = n->state, .n_cpus = n->num_cpus };
	if (n->stats != NULL)
		read_stats(n->stats, out);
	return true;
}

bool
node_is_fresh(const struct node *n, int64_t now_s)
{
	/* Compared this way round no stamp overflows. One from the future is fresh, as LiveKit has it. */
	return n->updated_at_s > now_s - NODE_FRESH_S;
}

int64_t
node_clock_at(struct node_clock *c, const struct node *nodes, size_t n, int64_t wall_s, int64_t mono_s)
{
	bool agreed = false, advanced;
	int64_t newest_s = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t at_s = nodes[i].updated_at_s;

		agreed = agreed || (at_s > wall_s - NODE_FRESH_S && at_s < wall_s + NODE_FRESH_S);
		if (at_s > newest_s && at_s < STAMP_MAX_S)
			newest_s = at_s;
	}
	advanced = c->newest_s > 0 && newest_s > c->newest_s;
	c->newest_s = newest_s;
	if (agreed) {
		c->heard = false;
	} else if (advanced) {
		c->ahead_s = newest_s - mono_s;
		c->heard = true;
	}
	return c->heard ? mono_s + c->ahead_s : wall_s;
}

int64_t
node_clock_now_s(struct node_clock *c, const struct node *nodes, size_t n)
{
	return node_clock_at(c, nodes, n, clock_wall_ms() / 1000, clock_mono_us() / 1000000);
}

int64_t
node_clock_ahead_s(const struct node_clock *c)
{
	return c->heard ? clock_mono_us() / 1000000 + c->ahead_s - clock_wall_ms() / 1000 : 0;
}

bool
nodes_read(struct op *op, struct kv *livekit_kv, struct node **out, size_t *n_out)
{
	struct kv_pair *pairs;
	size_t n_pairs;

	*out = NULL;
	*n_out = 0;
	if (!kv_livekit_nodes(op, livekit_kv, &pairs, &n_pairs))
		return false;
	*out = arena_array(op->arena, n_pairs, sizeof(**out));
	for (size_t i = 0; i < n_pairs; i++)
		if (node_decode(op->arena, pairs[i].value, &(*out)[*n_out]))
			(*n_out)++;
	return true;
}
