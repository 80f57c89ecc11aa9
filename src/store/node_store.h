/* node_store - what the database knows of LiveKit's nodes: table livekit_node, a row an address.
 * Errors:    those of the sql room.
 * SPDX-License-Identifier: MIT */
#ifndef STORE_NODE_STORE_H
#define STORE_NODE_STORE_H

#include "sql/sql.h"

enum { NODES_LISTED_MAX = 2000 };

struct node_row {
	struct str addr, host, livekit_id;
	bool drained;
	int64_t drained_at_ms;
	struct str drained_by;
	int64_t seen_at_ms, down_since_ms;
	int64_t now_ms;               /* the database's */
};
/* All of them, by address. */
enum err node_store_list(struct op *op, struct sql_link *l, struct node_row **out, size_t *n_out) MUST_CHECK;

/* An operator's wish, also about a node nobody has met yet. Again: when and who stay as they were. */
enum err node_store_drain(struct op *op, struct sql_link *l, struct str addr, struct str by) MUST_CHECK;
enum err node_store_undrain(struct op *op, struct sql_link *l, struct str addr) MUST_CHECK;

/* How many calls that are not over each node was given; addr "" = none of them. */
struct node_calls { struct str addr; int64_t n; };
enum err node_store_calls(struct op *op, struct sql_link *l, struct node_calls **out, size_t *n_out) MUST_CHECK;

/* What the node watch found. */
struct node_found {
	struct str addr, host;
	struct str livekit_id;        /* "": not known, what was known stays */
	bool answered, down;          /* both false: neither is known */
};
enum err node_store_found(struct op *op, struct sql_link *l, const struct node_found *n) MUST_CHECK;
/* Rows of nodes that LIVEKIT_NODES did not name, that nobody drained, and of which nothing was heard for age_ms. */
enum err node_store_forget(struct op *op, struct sql_link *l, int64_t age_ms) MUST_CHECK;

/* Which of these calls are final (there is at most one row of each). */
enum err node_store_final_rooms(struct op *op, struct sql_link *l, const struct str *rooms, size_t n,
    struct str **out, size_t *n_out) MUST_CHECK;
/* Calls under way: after `id`, at most `max` of them, by id. moved: to another node while people were in it. */
struct hosted_room { int64_t id; struct str room_id; int64_t host_since_ms; bool moved; };
enum err node_store_hosted_rooms(struct op *op, struct sql_link *l, int64_t id, int64_t max, struct hosted_room **out,
    size_t *n_out) MUST_CHECK;

/* Uids of those who ring or are joined. */
enum err node_store_active_people(struct op *op, struct sql_link *l, struct str room_id, struct str **out,
    size_t *n_out) MUST_CHECK;

extern const struct sql_stmt *const NODE_STORE_STMTS[];

#endif
