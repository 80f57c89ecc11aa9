/* node_ops - LiveKit's nodes as an operator sees them, and what he may wish: the API and the command line.
 * Ownership: results live in op->arena; `node` lives until the registry is read again.
 * Errors:    ERR_NOT_FOUND: no such node, or several; ERR_UNAVAILABLE, ERR_OUTCOME_UNKNOWN, ERR_INTERNAL from below.
 * SPDX-License-Identifier: MIT */
#ifndef CALL_NODE_OPS_H
#define CALL_NODE_OPS_H

#include "call/services.h"
#include "store/node_store.h"

/* What matters most of all that is true. */
enum node_state { NODE_OK, NODE_DRAINED, NODE_DRAINING, NODE_SPARE, NODE_STALE, NODE_DOWN, NODE_TWIN, NODE_STATE_COUNT };
extern const char *const NODE_STATE_WORDS[NODE_STATE_COUNT];

struct node_view {
	struct cluster_node node;
	enum node_state state;
	int64_t n_calls;              /* not over, and assigned to it */
	int64_t age_s;                /* of its report; -1: it makes none */
	struct node_row row;          /* of the database, zeroes where it has none */
};
struct cluster_view {
	struct node_view *nodes;      /* by address; those the database alone knows only while they are drained */
	size_t n;
	bool partial;                 /* LiveKit's Redis, or ours, could not be read */
	int64_t n_unassigned;         /* calls that are not over, and on no node of ours */
	struct str version;           /* of LiveKit: the newest that ever started; "" = not known */
};
enum err op_nodes(struct op *op, struct services *sv, struct cluster_view *out) MUST_CHECK;
/* Its two halves: everything but n_calls and n_unassigned; these, which read a row of every call that is not over. */
enum err op_nodes_seen(struct op *op, struct services *sv, struct cluster_view *out) MUST_CHECK;
enum err op_nodes_count(struct op *op, struct services *sv, struct cluster_view *v) MUST_CHECK;

/* id: address, name (with or without its port), ip, or LiveKit's id. */
enum err op_node(struct op *op, struct services *sv, struct str id, struct node_view *out) MUST_CHECK;
/* The node gets no new room, or gets them again; by: who wishes it. *out: as it is then. */
enum err op_node_drain(struct op *op, struct services *sv, struct str id, bool drained, struct str by,
    struct node_view *out) MUST_CHECK;

#endif
