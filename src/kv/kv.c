/* kv - one connection to Redis that may be missing: what fails is told once a second and left at that.
 * SPDX-License-Identifier: MIT */
#include "kv/kv_private.h"

/* Through the folder: as a system header, whose inline functions our warnings leave alone. */
#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/time.h>

#include "base/clock.h"

enum {
	TIMEOUT_US = 200 * 1000,
	PAUSE_AFTER_FAILURE_US = 1000 * 1000,
	LOG_EVERY_US = 1000 * 1000,
	KEY_BYTES = 256,
};

struct kv {
	const struct conf *conf;
	struct arena *own;            /* this struct lives in it */
	redisContext *ctx;            /* NULL: not connected */
	int64_t retry_at_us, logged_at_us;
	int64_t n_failed;
};

static void
drop(struct kv *k)
{
	if (k->ctx != NULL)
		redisFree(k->ctx);
	k->ctx = NULL;
}

static void
failed(struct op *op, struct kv *k, const char *why)
{
	int64_t now = clock_mono_us();
	struct log_line line;

	k->n_failed++;
	if (k->logged_at_us != 0 && now - k->logged_at_us < LOG_EVERY_US)
		return;
	k->logged_at_us = now;
	log_begin(&line, op->log, LOG_WARN, "Redis 不可用", "redis_unavailable", op->request_id);
	log_z(&line, "error", why);
	log_i64(&line, "failures", k->n_failed);
	log_end(&line);
}

static void
failed_and_drop(struct op *op, struct kv *k, const char *why)
{
	failed(op, k, why);
	drop(k);
	k->retry_at_us = clock_mono_us() + PAUSE_AFTER_FAILURE_US;
}

/* An error after which this server is not the one to ask: it was demoted, or is still loading. */
static bool
is_wrong_server(struct str why)
{
	return str_starts(why, S("READONLY")) || str_starts(why, S("LOADING")) ||
	    str_starts(why, S("MASTERDOWN")) || str_starts(why, S("NOAUTH"));
}

/* Looks at a reply and takes it off the books where it is an error. */
static redisReply *
checked(struct op *op, struct kv *k, redisReply *r)
{
	struct str why;

	if (r == NULL) {
		failed_and_drop(op, k, k->ctx->errstr);
		return NULL;
	}
	if (r->type != REDIS_REPLY_ERROR)
		return r;
	why = (struct str){ r->str, r->len };
	if (is_wrong_server(why))
		failed_and_drop(op, k, r->str);
	else
		failed(op, k, r->str);
	freeReplyObject(r);
	return NULL;
}

static bool
said_ok(struct op *op, struct kv *k, redisReply *r)
{
	r = checked(op, k, r);
	if (r == NULL)
		return false;
	freeReplyObject(r);
	return true;
}

/* A server that refuses us here (a wrong password, a database it has not) is as good as absent. */
static bool
greet(struct op *op, struct kv *k)
{
	const struct conf *c = k->conf;

	if (c->redis_password.len > 0 && !said_ok(op, k, redisCommand(k->ctx, "AUTH %b",
	    c->redis_password.at, c->redis_password.len)))
		return false;
	if (c->redis_db > 0 && !said_ok(op, k, redisCommand(k->ctx, "SELECT %lld",
	    (long long)c->redis_db)))
		return false;
	return said_ok(op, k, redisCommand(k->ctx, "CLIENT SETNAME tgo-call"));
}

/* Nothing is owed to us between commands: a connection that has something to read has been closed
 * while idle (a restart, a time limit), which is no failure. */
static bool
is_closed(const struct kv *k)
{
	struct pollfd p = { .fd = k->ctx->fd, .events = POLLIN };

	return poll(&p, 1, 0) != 0;
}

static bool
need(struct op *op, struct kv *k)
{
	const struct conf *c = k->conf;
	struct timeval limit = { .tv_usec = TIMEOUT_US };

	if (k->ctx != NULL && is_closed(k))
		drop(k);
	if (k->ctx != NULL)
		return true;
	if (clock_mono_us() < k->retry_at_us)
		return false;
	k->ctx = c->redis_socket.len > 0
	    ? redisConnectUnixWithTimeout(arena_z(op->arena, c->redis_socket), limit)
	    : redisConnectWithTimeout(arena_z(op->arena, c->redis_host), (int)c->redis_port, limit);
	if (k->ctx == NULL || k->ctx->err != 0) {
		failed_and_drop(op, k, k->ctx != NULL ? k->ctx->errstr : "out of memory");
		return false;
	}
	/* The connect timeout does not hold for commands, and is not kept over a reconnect. */
	if (redisSetTimeout(k->ctx, limit) != REDIS_OK || !greet(op, k)) {
		if (k->ctx != NULL)
			failed_and_drop(op, k, "the session cannot be set up");
		k->retry_at_us = clock_mono_us() + PAUSE_AFTER_FAILURE_US;
		return false;
	}
	return true;
}

/* Two workers may come here in another order than they committed: the older word must not win. */
static const char KEEP_NEWER[] =
    "local had = redis.call('HGET', KEYS[1], 'version') "
    "if had and tonumber(had) > tonumber(ARGV[4]) then return 0 end "
    "redis.call('HSET', KEYS[1], 'node', ARGV[1], 'url', ARGV[2], 'status', ARGV[3], 'version', ARGV[4]) "
    "return redis.call('EXPIRE', KEYS[1], ARGV[5])";

void
kv_room_changed(struct op *op, struct kv *k, const struct kv_room *room, bool wake,
    int64_t deadline_ms)
{
	char key[KEY_BYTES];
	struct strbuf b;
	int n_replies = 1;

	strbuf_init(&b, key, sizeof(key));
	kv_key(&b, KV_KEY_ROOM, room->room_id);
	if (!strbuf_ok(&b) || !need(op, k))
		return;
	(void)redisAppendCommand(k->ctx, "EVAL %s 1 %b %b %b %d %lld %lld", KEEP_NEWER, b.at, b.len,
	    room->node.at, room->node.len, room->url.at, room->url.len, room->status,
	    (long long)room->version, (long long)KV_KEYS[KV_KEY_ROOM].ttl_s);
	if (wake) {
		(void)redisAppendCommand(k->ctx, "PUBLISH %s %lld", KV_KEYS[KV_KEY_WAKE].pattern,
		    (long long)deadline_ms);
		n_replies++;
	}
	for (int i = 0; i < n_replies && k->ctx != NULL; i++) {
		void *reply = NULL;

		(void)redisGetReply(k->ctx, &reply);
		(void)said_ok(op, k, reply);
	}
}

static struct str
reply_text(struct op *op, const redisReply *r)
{
	if (r->type != REDIS_REPLY_STRING)
		return S("");
	return arena_str(op->arena, (struct str){ r->str, r->len });
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
	if (!strbuf_ok(&b) || !need(op, k))
		return false;
	r = checked(op, k, redisCommand(k->ctx, "HMGET %b node url status", b.at, b.len));
	if (r == NULL)
		return false;
	/* A key that is not there answers three nils; half an entry is worth no more. */
	found = r->type == REDIS_REPLY_ARRAY && r->elements == 3 &&
	    r->element[0]->type == REDIS_REPLY_STRING && r->element[1]->type == REDIS_REPLY_STRING &&
	    parse_i64(reply_text(op, r->element[2]), 0, 255, &status);
	if (found)
		*out = (struct kv_room){ .room_id = room_id, .node = reply_text(op, r->element[0]),
		    .url = reply_text(op, r->element[1]), .status = (int)status };
	freeReplyObject(r);
	return found;
}

bool
kv_ping(struct op *op, struct kv *k)
{
	return need(op, k) && said_ok(op, k, redisCommand(k->ctx, "PING"));
}

struct str
kv_eviction_policy(struct op *op, struct kv *k)
{
	struct str rest, line, policy = S("");
	redisReply *r;

	/* INFO and not CONFIG: hosted servers refuse the latter. */
	if (!need(op, k) || (r = checked(op, k, redisCommand(k->ctx, "INFO memory"))) == NULL)
		return policy;
	rest = reply_text(op, r);
	while (str_split(&rest, '\n', &line)) {
		struct str name;

		line = str_trim(line);
		if (str_split(&line, ':', &name) && str_eq(name, S("maxmemory_policy")))
			policy = line;
	}
	freeReplyObject(r);
	return policy;
}

struct kv *
kv_open(const struct conf *c)
{
	struct arena *own = arena_new(4096);
	struct kv *k = arena_alloc(own, sizeof(*k));

	k->own = own;
	k->conf = c;
	return k;
}

void
kv_close(struct kv *k)
{
	if (k == NULL)
		return;
	drop(k);
	arena_free(k->own);
}
