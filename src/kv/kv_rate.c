/* kv_rate - how often somebody did something lately: a counter that dies with its window.
 * SPDX-License-Identifier: MIT */
#include "kv/kv_private.h"

/* Through the folder: as a system header, whose inline functions our warnings leave alone. */
#include <hiredis/hiredis.h>
#include <string.h>

enum { KEY_BYTES = 512 };

/* Look and count in one step: two workers must not both take the last one. A counter without an end (a Redis that was
 * restored, a window that was never set) gets one, or it would refuse for ever. */
static const char TAKE[] =
    "local n = tonumber(redis.call('GET', KEYS[1]) or '0') "
    "local left = redis.call('PTTL', KEYS[1]) "
    "if n > 0 and left < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) left = tonumber(ARGV[2]) end "
    "if n >= tonumber(ARGV[1]) then return math.max(left, 1) end "
    "redis.call('INCR', KEYS[1]) "
    "if n == 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end "
    "return 0";

/* Told once a connection's life at most; a server that was started anew says NOSCRIPT. */
static bool
tell_script(struct op *op, struct kv *k)
{
	redisReply *r;
	bool told;

	if (k->rate_script[0] != '\0')
		return true;
	r = kv_checked(op, k, redisCommand(k->ctx, "SCRIPT LOAD %s", TAKE));
	if (r == NULL)
		return false;
	told = r->type == REDIS_REPLY_STRING && r->len == sizeof(k->rate_script) - 1;
	if (told)
		memcpy(k->rate_script, r->str, r->len + 1);
	freeReplyObject(r);
	return told;
}

static bool
is_unknown_script(const redisReply *r)
{
	return r != NULL && r->type == REDIS_REPLY_ERROR &&
	    str_starts((struct str){ r->str, r->len }, S("NOSCRIPT"));
}

static redisReply *
run_script(struct op *op, struct kv *k, struct str key, const struct kv_rate_ask *ask)
{
	redisReply *r = NULL;

	for (int tries = 0; tries < 2; tries++) {
		if (!tell_script(op, k))
			return NULL;
		r = redisCommand(k->ctx, "EVALSHA %s 1 %b %lld %lld", k->rate_script, key.at, key.len,
		    (long long)ask->n, (long long)ask->window_s * 1000);
		if (!is_unknown_script(r))
			break;
		k->rate_script[0] = '\0';
		if (tries == 0)
			freeReplyObject(r);
	}
	return kv_checked(op, k, r);
}

enum kv_rate
kv_rate_take(struct op *op, struct kv *k, const struct kv_rate_ask *ask, int64_t *wait_ms_out)
{
	char text[KEY_BYTES];
	struct strbuf key;
	redisReply *r;
	enum kv_rate rate = KV_RATE_UNKNOWN;

	strbuf_init(&key, text, sizeof(text));
	kv_key(&key, KV_KEY_RATE, ask->what);
	strbuf_addc(&key, ':');
	strbuf_add(&key, ask->who);
	if (!strbuf_ok(&key) || !kv_need(op, k) || (r = run_script(op, k, strbuf_str(&key), ask)) == NULL)
		return rate;
	if (r->type == REDIS_REPLY_INTEGER) {
		rate = r->integer == 0 ? KV_RATE_FREE : KV_RATE_SPENT;
		*wait_ms_out = r->integer;
	}
	freeReplyObject(r);
	return rate;
}
