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
/* How late it is for LiveKit's nodes, who stamp their records by their own clocks. That is this host's clock as long as
 * one record agrees with it. Where none does and they are written all the same, it is this host's clock that was
 * stepped: then their newest stamp counts, and goes on by the monotonic clock. Kept by a process, begins as zero. */
struct node_clock {
	int64_t newest_s;             /* stamp at the last reading; 0: none yet */
	int64_t ahead_s;              /* of the monotonic clock */
	bool heard;                   /* ahead_s counts */
};
int64_t node_clock_now_s(struct node_clock *c, const struct node *nodes, size_t n);
/* The same at given times. */
int64_t node_clock_at(struct node_clock *c, const struct node *nodes, size_t n, int64_t wall_s, int64_t mono_s);
/* LiveKit's clock minus this host's, as last found out; 0: they agree, or nothing is known. For op->nodes_ahead_s. */
int64_t node_clock_ahead_s(const struct node_clock *c);
/* All records that decode; false: LiveKit's Redis could not be read. */
bool nodes_read(struct op *op, struct kv *livekit_kv, struct node **out, size_t *n_out) MUST_CHECK;

#endif
