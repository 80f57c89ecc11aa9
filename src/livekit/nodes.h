/* nodes - LiveKit's node records (hash `nodes` of its Redis, protobuf; wire facts: LiveKit 1.13.5, sections
 * 1 and 2.1 of the notes). Decoded with protobuf-c from livekit_node.proto, which holds only the fields we need.
 * SPDX-License-Identifier: MIT */
#ifndef LIVEKIT_NODES_H
#define LIVEKIT_NODES_H

#include "kv/kv_livekit.h"

enum { NODE_FRESH_S = 5, NODE_SERVING = 1 };

struct node {
	struct str id, ip, region;
	int state;                    /* LiveKit's NodeState */
	int64_t started_at_s, updated_at_s;
	int64_t n_rooms, n_clients, n_tracks_in, n_tracks_out, n_cpus;
	double cpu_load, load_1min, bytes_per_s;
	double bytes_in_per_s, bytes_out_per_s;
};
/* One record; false: not a Node. Texts in the arena. */
bool node_decode(struct arena *a, struct str record, struct node *out) MUST_CHECK;
/* LiveKit's own rule: its statistics are less than NODE_FRESH_S old (whole seconds). */
bool node_is_fresh(const struct node *n, int64_t now_s);
/* All records that decode; false: LiveKit's Redis could not be read. */
bool nodes_read(struct op *op, struct kv *livekit_kv, struct node **out, size_t *n_out) MUST_CHECK;

#endif
