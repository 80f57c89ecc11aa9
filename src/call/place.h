/* place - which node a room lives on: chosen once, kept in MySQL, announced to LiveKit before any token leaves, moved only
 * when its node is gone. LIVEKIT_PLACEMENT=off, or no node known: nothing is assigned, LiveKit places by itself.
 * SPDX-License-Identifier: MIT */
#ifndef CALL_PLACE_H
#define CALL_PLACE_H

#include "call/change.h"
#include "livekit/allocator.h"

/* Before a new room's row is inserted, and before its transaction: fills c->room.livekit_node and livekit_url
 * (LIVEKIT_URL_MODE); room_id is not needed. */
void place_new(struct op *op, struct services *sv, struct call *c, struct str region);
/* After the commit, before the token: HSETNX room_node_map. Mapped already to another living node: the row is made to agree.
 * LiveKit's Redis away: left to the route. */
void place_announce(struct op *op, struct services *sv, struct call *c);
/* Before a token of an existing room: still on a node that keeps rooms (else, or when drained before anybody joined, it is
 * moved: under the room's lock, one winner), and announced. */
enum err place_check(struct op *op, struct services *sv, struct call *c, struct str region) MUST_CHECK;

/* For nginx: the node of a room, found in Redis, else in MySQL; asked whether it lives where nobody did lately; moved where
 * it must be. bad_node: an address that just refused nginx, "" = none. Sets op->room_id, livekit_url and livekit_node.
 * ERR_ROOM_NOT_FOUND: any node will do, LiveKit relays (not our room and not in LiveKit's map; no node known; nodes that
 * cannot be told apart). ERR_ROOM_NOT_ACTIVE: the call is over. ERR_UNAVAILABLE: not now, to be asked again. */
struct routed {
	struct str addr, url, node_id;
	struct str removed;           /* whom a moderator put out (kv_room's), known whatever the answer is */
};
bool routed_keeps_out(const struct routed *r, struct str uid);
enum err place_route(struct op *op, struct services *sv, struct str room_id, struct str bad_node, struct routed *out) MUST_CHECK;

#endif
