/* merge - makes one list of nodes out of what each source says of them. A pure function.
 *   LIVEKIT_NODES      which there are (unset: those with a record), their urls, regions, weights
 *   LiveKit's records  who lives, under what id, how busy; matched by ip, since ids are new at every start
 *   marks              who does not answer, who is drained, who was given rooms just now
 *   memory             names and drains, and what stands in for records that never could be read
 * SPDX-License-Identifier: MIT */
#ifndef LIVEKIT_MERGE_H
#define LIVEKIT_MERGE_H

#include "kv/kv_nodes.h"
#include "livekit/registry.h"

struct sources {
	const struct conf *conf;
	const struct str *ips;        /* of conf's nodes, as address_spell spells; "" = not known */
	const struct node *records;
	size_t n_records;
	bool records_known;           /* they were read, be it a while ago */
	int64_t records_at_s;         /* when, Unix s: how old they were then is what counts */
	const struct kv_node *marks;
	size_t n_marks;
	const struct remembered *memory;
	size_t n_memory;
	bool drains_from_memory;      /* else from the marks */
};
struct merged {
	struct cluster_node *nodes;   /* by address; texts are the sources' */
	size_t n;
	size_t n_lost;                /* names of conf's nodes that nobody knows an address of */
};
void merge_nodes(struct arena *a, const struct sources *s, struct merged *out);
/* Puts the marks of s anew on nodes that were made before. */
void merge_marks(const struct sources *s, struct cluster_node *nodes, size_t n);

#endif
