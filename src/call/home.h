/* home - where one room lives, as one request sees it, and the steps that settle it: the node is asked whether it lives,
 * the room is moved under its lock, LiveKit's map is made to agree with the row or the row with it.
 * Internal to the call room. SPDX-License-Identifier: MIT */
#ifndef CALL_HOME_H
#define CALL_HOME_H

#include "call/change.h"
#include "call/standing.h"

struct home {
	struct op *op;
	struct services *sv;
	struct str room_id;
	struct str region;            /* of who asks, "" = unknown */
	struct str addr, url;         /* the row's, as last known; addr "" = none */
	struct snapshot nodes;
	const struct cluster_node *node;   /* of addr; NULL: not in the registry */
	bool nameless;                /* LiveKit has it on a node that cannot be told from another: not ours to route */
};

struct home home_of(struct op *op, struct services *sv, struct str room_id, struct str region);
/* The room now lives there. Looks the node up. */
void home_set(struct home *h, struct str addr, struct str url);
/* Asks the node at addr; one that does not live is marked for everybody. */
struct pulse_found home_ask(struct home *h, struct str addr, bool doubted);
/* A node for the room, counted as given; asked first where sure is set. NULL: none takes rooms. */
const struct cluster_node *home_choose(struct home *h, bool sure);
/* What a client is told of a room on that node. */
struct str home_url(const struct home *h, const struct cluster_node *n);

/* Moves the room from h->addr to another node; torn: that one is gone, and whoever was connected there has lost the
 * connection. One winner: whoever comes later gets what the winner chose. *moved_out: h has another node now; false: there
 * is none to be had. ERR_ROOM_NOT_ACTIVE: the call is over. */
enum err home_move(struct home *h, const char *why, bool torn, bool *moved_out) MUST_CHECK;
/* LiveKit's map names the room's node (HSETNX; an entry of a dead node is replaced). Where it names another node that
 * lives, the room is there: *moved_out, h follows. LiveKit's Redis away: nothing. */
enum err home_announce(struct home *h, bool *moved_out) MUST_CHECK;
/* The living node that LiveKit's map names. False: none, or not known. */
bool home_by_map(struct home *h) MUST_CHECK;

#endif
