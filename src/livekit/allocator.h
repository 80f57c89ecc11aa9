/* allocator - picks the node of a new room. A pure function: the same nodes, request, policy and draws give the same
 * node (selectors, sorts and algorithms: LiveKit 1.13.5's, section 2.2 of the notes).
 * SPDX-License-Identifier: MIT */
#ifndef LIVEKIT_ALLOCATOR_H
#define LIVEKIT_ALLOCATOR_H

#include "livekit/registry.h"

struct placing {
	struct str region;            /* of the request, "" = none: LIVEKIT_REGION */
};
/* Where chance comes from: below(n) is 0 .. n-1. */
struct draw {
	uint32_t (*below)(uint32_t n, void *arg);
	void *arg;
};
/* NULL: no node takes rooms. */
const struct cluster_node *allocator_pick(struct arena *a, const struct conf *c, const struct snapshot *s,
    const struct placing *p, const struct draw *draw);

#endif
