/* kv_private - what the files of this room share; nobody else includes it.
 * SPDX-License-Identifier: MIT */
#ifndef KV_KV_PRIVATE_H
#define KV_KV_PRIVATE_H

#include "base/strbuf.h"
#include "kv/kv.h"
#include "kv/kv_ear.h"

struct redisContext;
struct redisReply;

enum {
	KV_TIMEOUT_US = 200 * 1000,
	KV_PAUSE_US = 1000 * 1000,    /* after a failure, until the next try to connect */
	KV_WHY_BYTES = 256,
	KV_SHA1_BYTES = 41
};

enum kv_server { KV_OURS, KV_LIVEKITS };

struct kv {
	const struct conf *conf;
	enum kv_server server;
	struct arena *own;            /* this struct lives in it */
	struct redisContext *ctx;     /* NULL: not connected */
	int64_t retry_at_us, logged_at_us;
	int64_t asked_at_us;          /* the exchange under way, for /metrics; 0: none, or its first answer is there */
	int64_t n_failed, n_connected;
	int n_owed;                   /* replies of ctx that nobody has taken yet */
	char rate_script[KV_SHA1_BYTES];   /* by what the server knows it; "": not told yet */
};

/* A connection that is greeted (password, database, name), with KV_TIMEOUT_US on everything; NULL: `why`
 * says why not. */
struct redisContext *kv_connect(const struct conf *c, enum kv_server server, char *why, size_t why_cap);

struct kv *kv_open_server(const struct conf *c, enum kv_server server);
/* A connection to use now; false: there is none, and that was told. An exchange begins here. */
bool kv_need(struct op *op, struct kv *k);
/* The reply, or NULL where there is none or it is an error: then it was told and freed. */
struct redisReply *kv_checked(struct op *op, struct kv *k, struct redisReply *r);
/* The same, for a reply that says nothing but that it went well. */
bool kv_said_ok(struct op *op, struct kv *k, struct redisReply *r);
/* Several commands in one round trip, after one kv_need: all are sent, then as many replies are taken, in that order and
 * whatever becomes of one. A connection with replies that were not taken is given up by the next kv_need, lest every
 * command on it read the answer of the one before. Format: hiredis's. */
void kv_send(struct kv *k, const char *format, ...);
struct redisReply *kv_next(struct op *op, struct kv *k);    /* as of kv_checked; also NULL once the connection is gone */
bool kv_next_ok(struct op *op, struct kv *k);               /* as of kv_said_ok */
struct str kv_reply_text(struct op *op, const struct redisReply *r);    /* in op->arena; not a text: "" */

enum kv_key_name {
	KV_KEY_ROOM, KV_KEY_WAKE, KV_KEY_NUMBERED, KV_KEY_HOOK_TROUBLE, KV_KEY_NODES_DOWN, KV_KEY_NODES_DRAINED,
	KV_KEY_NODES_GIVEN, KV_KEY_RATE, KV_KEY_COUNT
};

/* The key of a row of KV_KEYS with the part in <> replaced. */
void kv_key(struct strbuf *to, enum kv_key_name key, struct str what);
const char *kv_channel_name(enum kv_channel channel);

#endif
