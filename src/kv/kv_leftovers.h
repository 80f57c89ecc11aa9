/* kv_leftovers - what LiveKit leaves in its Redis when a node dies (wire facts: LiveKit 1.13.5, sections 1.1 and 2.5 of
 * the notes): places of rooms in room_node_map, the rooms themselves, people in them. Taken away by scripts that look
 * again first: whatever came back in between stays.
 * Errors:    false: LiveKit's Redis could not be asked; nothing more is known then.
 * Ownership: texts in op->arena.
 * SPDX-License-Identifier: MIT */
#ifndef KV_KV_LEFTOVERS_H
#define KV_KV_LEFTOVERS_H

#include "kv/kv_livekit.h"

/* A part of room_node_map (room -> node id), about as long as asked for. *cursor: 0 begins; 0 again: that was all. */
bool kv_leftovers_scan(struct op *op, struct kv *k, int64_t *cursor, int64_t about, struct kv_pair **out,
    size_t *n_out) MUST_CHECK;

struct left_room {
	struct str room, node;        /* where the map has it */
	struct str record;            /* of that node, as it was read; "" = it had none */
	bool cleared;                 /* set by the call below */
};
/* Takes them out of room_node_map with all their keys, unless the map names another node by now, the node's record is
 * another, or the room is being made this moment. */
bool kv_leftovers_clear(struct op *op, struct kv *k, struct left_room *rooms, size_t n) MUST_CHECK;

/* room_participants:<room>: identity -> ParticipantInfo as protobuf. */
bool kv_leftovers_people(struct op *op, struct kv *k, struct str room, struct kv_pair **out, size_t *n_out) MUST_CHECK;
/* Takes one of them out, unless the room lives elsewhere than at `node` by now, or the person's record is another. */
bool kv_leftovers_drop_person(struct op *op, struct kv *k, const struct kv_pair *person, struct str room, struct str node,
    bool *dropped_out) MUST_CHECK;

#endif
