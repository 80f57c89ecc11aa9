/* registry - the LiveKit nodes as this process knows them: LIVEKIT_NODES, LiveKit's own records (by ip: their ids are new
 * at every start, and they name no port), what operators drained, and what was seen to refuse connections.
 * Shape:     a node is named by its address "ip:port" everywhere (MySQL, Redis, logs, nginx). Without LiveKit's Redis the
 *            static list alone makes the registry: then nodes have no id, no load, and count as fresh.
 * Cost:      read again at most every REGISTRY_MS; between that a snapshot costs nothing.
 * Errors:    none returned: what cannot be read stays as it was last known, and `partial` says so.
 * Names:     of LIVEKIT_NODES are looked up in the background, in each process, and again every NAMES_S: a request never
 *            waits for them longer than NAMES_WAIT_MS. Until a name is known, what MySQL remembers of it counts.
 * SPDX-License-Identifier: MIT */
#ifndef LIVEKIT_REGISTRY_H
#define LIVEKIT_REGISTRY_H

#include "livekit/nodes.h"

enum { REGISTRY_MS = 500 };

struct cluster_node {
	struct str addr;              /* "10.0.0.11:7880", "[fd00::1]:7880" */
	struct str name;              /* as LIVEKIT_NODES has it, or addr */
	struct str url;               /* public, "" = none of its own */
	struct str region;            /* LIVEKIT_NODES', else its record's */
	int64_t weight;               /* 1..1000 */
	struct node live;             /* its record; live.id "" = none was found */
	bool configured;              /* in LIVEKIT_NODES */
	bool fresh;                   /* record younger than NODE_FRESH_S, or no record to be had */
	bool serving;                 /* state SERVING, or unknown */
	bool drained;                 /* by an operator */
	bool down;                    /* seen to refuse or not to answer; not yet probed back in */
	bool spare;                   /* LIVEKIT_NODES names others: keeps its rooms, gets no new ones */
	bool twin;                    /* two live records on this ip: nobody can tell which is which */
	int64_t n_assigned;           /* rooms we gave it in the last seconds, not yet in its report */
};
struct registry;
struct snapshot {
	const struct cluster_node *nodes;  /* valid until the next registry_snapshot */
	size_t n;
	size_t n_lost;                /* names of LIVEKIT_NODES that nobody knows an address of */
	bool partial;                 /* LiveKit's Redis, or ours, could not be read */
	int64_t read_at_us;
};

struct registry *registry_open(const struct conf *c);
void registry_close(struct registry *r);
/* What the database remembers of nodes (table livekit_node), asked for where Redis does not know who is drained, a
 * name cannot be found, or LiveKit's Redis never answered; at most every REGISTRY_MS. False: it could not be read. */
struct remembered {
	struct str addr, host, livekit_id;
	bool drained;
	bool seen_lately;             /* answered a probe in the last minute */
};
typedef bool (*registry_memory)(struct op *op, void *arg, struct remembered **out, size_t *n_out);
void registry_remembers(struct registry *r, registry_memory ask, void *arg);
/* kv: ours (marks), livekit_kv: LiveKit's; each may be away. */
void registry_snapshot(struct op *op, struct registry *r, struct kv *kv, struct kv *livekit_kv, struct snapshot *out);
/* Puts marks and counts as they are this moment on the nodes of the last snapshot: before one is picked, since others
 * pick at the same time. */
void registry_recount(struct op *op, struct registry *r, struct kv *kv);
struct node_clock *registry_clock(struct registry *r);     /* for others of this process who read the nodes' records */
/* The next snapshot reads anew. */
void registry_forget(struct registry *r);
/* This process found that it does not answer: it is down here at once and for LIVEKIT_DOWN_S, and for everybody by way of
 * our Redis, where that is there; unless a probe finds it well. */
void registry_found_down(struct op *op, struct registry *r, struct kv *kv, struct str addr);
const struct cluster_node *registry_find(const struct snapshot *s, struct str addr);   /* NULL: unknown */
const struct cluster_node *registry_find_id(const struct snapshot *s, struct str livekit_id);
/* May a new room go there; may one that lives there stay. */
bool node_takes_rooms(const struct cluster_node *n);
bool node_keeps_rooms(const struct cluster_node *n);

#endif
