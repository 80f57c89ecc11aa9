/* kv - the only room that knows hiredis. Redis holds what may be lost: a call that fails here is
 * counted, logged at most once a second, and otherwise ignored.
 * Keys:      the table in kv_keys.c (pattern, TTL, what its loss means); every key begins with "tgo:".
 * Times:     connect and commands 200 ms; after a failure no new try for a second, so that a dead or
 *            frozen Redis costs the requests nothing.
 * Fork:      open after fork, one connection a process; comes back by itself. */
/* SPDX-License-Identifier: MIT */
#ifndef KV_KV_H
#define KV_KV_H

#include "base/op.h"
#include "conf/conf.h"

struct kv;

struct kv *kv_open(const struct conf *c);             /* connects when first used */
void kv_close(struct kv *k);

/* What the cache holds of a room: "tgo:room:<room_id>", a hash {node, url, status, removed, version}. */
struct kv_room {
	struct str room_id, node, url;
	int status;
	int64_t version;              /* of rtc_room: an older one never replaces a newer */
	struct str removed;           /* whom a moderator put out: their uids, a newline between two */
};
/* After a commit, in one pipeline: the room's cache entry (a Redis that takes it no more, being full, loses what it had of
 * the room instead), and, where wake is set, a message on the
 * channel "tgo:wake" (payload: the Unix ms of the nearest deadline, or 0 for "look now"). */
void kv_room_changed(struct op *op, struct kv *k, const struct kv_room *room, bool wake, int64_t deadline_ms);
/* The same for rooms of one commit; one word wakes for all of them. wake_ms NULL: no word. */
void kv_rooms_changed(struct op *op, struct kv *k, const struct kv_room *rooms, size_t n, const int64_t *wake_ms);
/* How old what Redis has of a room can be. */
int64_t kv_room_ttl_s(void);
/* Nobody trusts the room's entry any more (kv_room_find: not there) until kv_room_changed says what is true; what it knew of
 * the room's version goes on keeping an older word out. wake: and the jobs look now, in the same round trip. */
void kv_room_doubted(struct op *op, struct kv *k, struct str room_id, bool wake);
#define KV_NO_DEADLINE INT64_MAX  /* a word that says: something happened, and nothing becomes due by it */
/* False: not there, or Redis is away. Texts in op->arena. */
bool kv_room_find(struct op *op, struct kv *k, struct str room_id, struct kv_room *out);
/* A webhook of LiveKit's was refused or came late: the reconciler looks more often for a while. */
void kv_hook_trouble_set(struct op *op, struct kv *k);
bool kv_hook_trouble(struct op *op, struct kv *k);
/* Whether somebody (who) may do something (what: "create") once more: at most n times in window_s seconds from the first
 * of them on. What is refused does not count. *wait_ms_out: until the window is over. KV_RATE_UNKNOWN: Redis is away. */
enum kv_rate { KV_RATE_FREE, KV_RATE_SPENT, KV_RATE_UNKNOWN };
struct kv_rate_ask {
	struct str what, who;
	int64_t n, window_s;
};
enum kv_rate kv_rate_take(struct op *op, struct kv *k, const struct kv_rate_ask *ask, int64_t *wait_ms_out);
bool kv_ping(struct op *op, struct kv *k);
/* Which connection this is, asked with a PING: another number than before means that something may have been lost between,
 * and that Redis may not be as we left it. 0: Redis is away. */
int64_t kv_connection(struct op *op, struct kv *k);
/* maxmemory-policy of the server into op->arena; empty when it does not say. For `tgo-call check`. */
struct str kv_eviction_policy(struct op *op, struct kv *k);

struct kv_key { const char *pattern; int64_t ttl_s; const char *loss; };
extern const struct kv_key KV_KEYS[];
extern const size_t N_KV_KEYS;

#endif
