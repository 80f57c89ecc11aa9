/* kv_livekit - what we read of LiveKit's own Redis (wire facts: LiveKit 1.13.5, section 1 of the notes), and
 * the one field we may take away. Same connection rules as kv.h; false: it could not be read.
 * Ownership: texts in op->arena.
 * SPDX-License-Identifier: MIT */
#ifndef KV_KV_LIVEKIT_H
#define KV_KV_LIVEKIT_H

#include "kv/kv.h"

/* LIVEKIT_REDIS_*; connects when first used; closed with kv_close. */
struct kv *kv_open_livekit(const struct conf *c);

struct kv_pair { struct str field, value; };
/* The hash `nodes`: node id -> Node as protobuf. */
bool kv_livekit_nodes(struct op *op, struct kv *k, struct kv_pair **out, size_t *n_out) MUST_CHECK;
/* The newest version that ever started on this Redis, "" = none did. */
bool kv_livekit_version(struct op *op, struct kv *k, struct str *out) MUST_CHECK;
/* room_node_map of these rooms: nodes_out[i] is the node's id, "" where it has none. */
bool kv_livekit_map(struct op *op, struct kv *k, const struct str *rooms, size_t n, struct str *nodes_out) MUST_CHECK;
/* Removes room's field of room_node_map when the hash `rooms` has no such room (one script). */
bool kv_livekit_unmap(struct op *op, struct kv *k, struct str room) MUST_CHECK;

/* Announces where a room is to live (HSETNX). *node_out: the id the map has now, ours or somebody's before us. */
bool kv_livekit_announce(struct op *op, struct kv *k, struct str room, struct str node, struct str *node_out) MUST_CHECK;
/* Moves it, if the map still names `from` or nothing (one script). *node_out as above. */
bool kv_livekit_move(struct op *op, struct kv *k, struct str room, struct str from, struct str to,
    struct str *node_out) MUST_CHECK;
/* Whether a node runs the room, or left it behind when it died (hash `rooms`). */
bool kv_livekit_has_room(struct op *op, struct kv *k, struct str room, bool *there_out) MUST_CHECK;

#endif
