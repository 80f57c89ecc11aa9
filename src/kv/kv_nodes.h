/* kv_nodes - what our processes tell each other about LiveKit's nodes, in our Redis: which were seen not to answer, which an
 * operator drained, and how many rooms each was given just now. All of it may be lost: a node that is down is found out
 * again, drains are copied anew from MySQL, counts concern the last seconds.
 * Clock:     now_ms and until_ms are Unix ms of the hosts.
 * Keys:      "tgo:nodes:down" hash addr -> Unix ms until when; "tgo:nodes:drained" hash addr -> 1, with a field "" that says
 *            that it is complete; "tgo:nodes:given:<n>" hash addr -> rooms, n = Unix s / GIVEN_S.
 * SPDX-License-Identifier: MIT */
#ifndef KV_KV_NODES_H
#define KV_KV_NODES_H

#include "kv/kv.h"

enum { GIVEN_S = 10 };               /* a count lives between one and two of these */

struct kv_node { struct str addr; bool down, drained; int64_t n_given; };
/* Everything known, in one round trip. False: Redis is away. *drains_known_out: the drains are complete (else MySQL has to be
 * asked). */
bool kv_nodes_read(struct op *op, struct kv *k, int64_t now_ms, struct kv_node **out, size_t *n_out,
    bool *drains_known_out) MUST_CHECK;
void kv_nodes_down(struct op *op, struct kv *k, struct str addr, int64_t until_ms);
void kv_nodes_up(struct op *op, struct kv *k, struct str addr);
/* All that are drained: replaces what was there. */
void kv_nodes_drained(struct op *op, struct kv *k, const struct str *addrs, size_t n);
void kv_nodes_given(struct op *op, struct kv *k, struct str addr, int64_t now_ms);

#endif
