/* kv_ear - listens on one of our channels, so that a jobs process learns at once of what was committed.
 * A word that is lost costs time, not truth: every listener also looks by itself, often while it hears
 * nothing because Redis is away.
 * SPDX-License-Identifier: MIT */
#ifndef KV_KV_EAR_H
#define KV_KV_EAR_H

#include "kv/kv.h"

struct kv_ear;

/* KV_WAKE "tgo:wake": a call changed; the value is its next deadline (Unix ms), 0 = look now,
 * KV_NO_DEADLINE = it has none. KV_NUMBERED "tgo:numbered":
 * events up to this event.pos may be delivered. */
enum kv_channel { KV_WAKE, KV_NUMBERED };

struct kv_ear *kv_ear_open(const struct conf *c, enum kv_channel channel);
void kv_ear_close(struct kv_ear *e);
/* To poll for reading; -1: not connected (Redis is away: tried again by kv_ear_hear, once a second). */
int kv_ear_fd(const struct kv_ear *e);
/* Reads what is there without waiting. How many words came; *least_out: the least value among them, 0 when
 * none came. A connection made just now counts as one word of value 0: something may have been said
 * meanwhile. To be called every few seconds also without a sign of fd: it asks a silent server whether it
 * is alive (the answer makes fd readable and is no word), and leaves one that is not. */
size_t kv_ear_hear(struct kv_ear *e, int64_t *least_out);
/* Says a word; a failure is left at that. */
void kv_ear_say(struct op *op, struct kv *k, enum kv_channel channel, int64_t value);

#endif
