/* kv - what the calls keep in our Redis: where a room lives, and the word that wakes the jobs.
 * SPDX-License-Identifier: MIT */
#include "kv/kv_private.h"

/* Through the folder: as a system header, whose inline functions our warnings leave alone. */
#include <hiredis/hiredis.h>

enum { KEY_BYTES = 256 };

/* Two workers may come here in another order than they committed: the older word must not win. A Redis that is full writes
 * nothing, and forgets: without its status an entry is none. */
static const char KEEP_NEWER[] =
    "local had = redis.call('HGET', KEYS[1], 'version') "
    "if had and tonumber(had) > tonumber(ARGV[4]) then return 0 end "
    "local done = redis.pcall('HSET', KEYS[1], 'node', ARGV[1], 'url', ARGV[2], 'status', ARGV[3], "
    "'version', ARGV[4], 'removed', ARGV[5]) "
    "if type(done) == 'table' then redis.call('HDEL', KEYS[1], 'status') return done end "
    "return redis.call('EXPIRE', KEYS[1], ARGV[6])";

static void
send_room(struct kv *k, const struct kv_room *room)
{
	char key[KEY_BYTES];
	struct strbuf b;

	strbuf_init(&b, key, sizeof(key));
	kv_key(&b, KV_KEY_ROOM, room->room_id);
	if (!strbuf_ok(&b))
		return;
	kv_send(k, "EVAL %s 1 %b %b %b %d %lld %b %lld", KEEP_NEWER, b.at, b.len,
	    room->node.at, room->node.len, room->url.at, room->url.len, room->status,
	    (long long)room->version, room->removed.at, room->removed.len,
	    (long long)KV_KEYS[KV_KEY_ROOM].ttl_s);
}

static void
send_wake(struct kv *k, int64_t deadline_ms)
{
	kv_send(k, "PUBLISH %s %lld", KV_KEYS[KV_KEY_WAKE].pattern, (long long)deadline_ms);
}

static void
take_replies(struct op *op, struct kv *k)
{
	while (k->n_owed > 0)
		(void)kv_next_ok(op, k);
}

void
kv_rooms_changed(struct op *op, struct kv *k, const struct kv_room *rooms, size_t n, const int64_t *wake_ms)
{
	if (n == 0 || !kv_need(op, k))
		return;
	for (size_t i = 0; i < n; i++)
		send_room(k, &rooms[i]);
	if (wake_ms != NULL)
		send_wake(k, *wake_ms);
	take_replies(op, k);
}

void
kv_room_changed(struct op *op, struct kv *k, const struct kv_room *room, bool wake, int64_t deadline_ms)
{
	kv_rooms_changed(op, k, room, 1, wake ? &deadline_ms : NULL);
}

void
kv_room_doubted(struct op *op, struct kv *k, struct str room_id, bool wake)
{
	char key[KEY_BYTES];
	struct strbuf b;

	strbuf_init(&b, key, sizeof(key));
	kv_key(&b, KV_KEY_ROOM, room_id);
	if (!strbuf_ok(&b) || !kv_need(op, k))
		return;
	kv_send(k, "HDEL %b status", b.at, b.len);
	if (wake)
		send_wake(k, 0);
	take_replies(op, k);
}

bool
kv_room_find(struct op *op, struct kv *k, struct str room_id, struct kv_room *out)
{
	char key[KEY_BYTES];
	struct strbuf b;
	redisReply *r;
	int64_t status;
	bool found;

	strbuf_init(&b, key, sizeof(key));
	kv_key(&b, KV_KEY_ROOM, room_id);
	if (!strbuf_ok(&b) || !kv_need(op, k))
		return false;
	r = kv_checked(op, k, redisCommand(k->ctx, "HMGET %b node url status removed", b.at, b.len));
	if (r == NULL)
		return false;
	/* A key that is not there answers three nils; half an entry is worth no more. */
	found = r->type == REDIS_REPLY_ARRAY && r->elements == 4 &&
	    r->element[0]->type == REDIS_REPLY_STRING && r->element[1]->type == REDIS_REPLY_STRING &&
	    r->element[3]->type == REDIS_REPLY_STRING &&
	    parse_i64(kv_reply_text(op, r->element[2]), 0, 255, &status);
	if (found)
		*out = (struct kv_room){ .room_id = room_id, .node = kv_reply_text(op, r->element[0]),
		    .url = kv_reply_text(op, r->element[1]), .status = (int)status,
		    .removed = kv_reply_text(op, r->element[3]) };
	freeReplyObject(r);
	return found;
}

void
kv_hook_trouble_set(struct op *op, struct kv *k)
{
	const struct kv_key *key = &KV_KEYS[KV_KEY_HOOK_TROUBLE];

	if (kv_need(op, k))
		(void)kv_said_ok(op, k, redisCommand(k->ctx, "SET %s 1 EX %lld", key->pattern,
		    (long long)key->ttl_s));
}

bool
kv_hook_trouble(struct op *op, struct kv *k)
{
	redisReply *r;
	bool there;

	if (!kv_need(op, k))
		return false;
	r = kv_checked(op, k, redisCommand(k->ctx, "EXISTS %s", KV_KEYS[KV_KEY_HOOK_TROUBLE].pattern));
	if (r == NULL)
		return false;
	there = r->type == REDIS_REPLY_INTEGER && r->integer == 1;
	freeReplyObject(r);
	return there;
}

bool
kv_ping(struct op *op, struct kv *k)
{
	return kv_need(op, k) && kv_said_ok(op, k, redisCommand(k->ctx, "PING"));
}

int64_t
kv_connection(struct op *op, struct kv *k)
{
	return kv_ping(op, k) ? k->n_connected : 0;
}

struct str
kv_eviction_policy(struct op *op, struct kv *k)
{
	struct str rest, line, policy = S("");
	redisReply *r;

	/* INFO and not CONFIG: hosted servers refuse the latter. */
	if (!kv_need(op, k) || (r = kv_checked(op, k, redisCommand(k->ctx, "INFO memory"))) == NULL)
		return policy;
	rest = kv_reply_text(op, r);
	while (str_split(&rest, '\n', &line)) {
		struct str name;

		line = str_trim(line);
		if (str_split(&line, ':', &name) && str_eq(name, S("maxmemory_policy")))
			policy = line;
	}
	freeReplyObject(r);
	return policy;
}
