/* kv_link - one connection to a Redis that may be missing: opened when it is needed, told once a second
 * when it fails, and left at that.
 * SPDX-License-Identifier: MIT */
#include "kv/kv_private.h"

/* Through the folder: as a system header, whose inline functions our warnings leave alone. */
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/time.h>

#include "base/clock.h"

enum { LOG_EVERY_US = 1000 * 1000 };

/* ---- connecting ---- */

struct where {
	struct str host, socket, password;
	int64_t port, db;
};

static struct where
where_is(const struct conf *c, enum kv_server server)
{
	if (server == KV_LIVEKITS)
		return (struct where){ .host = c->lk_redis_host, .socket = c->lk_redis_socket,
		    .password = c->lk_redis_password, .port = c->lk_redis_port, .db = c->lk_redis_db };
	return (struct where){ .host = c->redis_host, .socket = c->redis_socket,
	    .password = c->redis_password, .port = c->redis_port, .db = c->redis_db };
}

static bool
accepted(redisContext *ctx, redisReply *r, char *why, size_t why_cap)
{
	bool ok = r != NULL && r->type != REDIS_REPLY_ERROR;

	if (!ok)
		(void)snprintf(why, why_cap, "%s", r != NULL ? r->str : ctx->errstr);
	if (r != NULL)
		freeReplyObject(r);
	return ok;
}

/* A server that refuses us here (a wrong password, a database it has not) is as good as absent. */
static bool
greet(redisContext *ctx, const struct where *w, char *why, size_t why_cap)
{
	if (w->password.len > 0 && !accepted(ctx, redisCommand(ctx, "AUTH %b", w->password.at,
	    w->password.len), why, why_cap))
		return false;
	if (w->db > 0 && !accepted(ctx, redisCommand(ctx, "SELECT %lld", (long long)w->db), why, why_cap))
		return false;
	return accepted(ctx, redisCommand(ctx, "CLIENT SETNAME tgo-call"), why, why_cap);
}

struct redisContext *
kv_connect(const struct conf *c, enum kv_server server, char *why, size_t why_cap)
{
	const struct where w = where_is(c, server);
	const struct timeval limit = { .tv_usec = KV_TIMEOUT_US };
	redisContext *ctx;

	/* Texts of struct conf end in a NUL. */
	ctx = w.socket.len > 0 ? redisConnectUnixWithTimeout(w.socket.at, limit)
	                       : redisConnectWithTimeout(w.host.at, (int)w.port, limit);
	if (ctx == NULL || ctx->err != 0) {
		(void)snprintf(why, why_cap, "%s", ctx != NULL ? ctx->errstr : "out of memory");
	} else if (redisSetTimeout(ctx, limit) != REDIS_OK) {
		/* The connect timeout does not hold for commands. */
		(void)snprintf(why, why_cap, "no time limit can be set");
	} else if (greet(ctx, &w, why, why_cap)) {
		return ctx;
	}
	if (ctx != NULL)
		redisFree(ctx);
	return NULL;
}

/* ---- one that is kept ---- */

static void
drop(struct kv *k)
{
	if (k->ctx != NULL)
		redisFree(k->ctx);
	k->ctx = NULL;
	k->n_owed = 0;
}

static void
failed(struct op *op, struct kv *k, const char *why)
{
	int64_t now = clock_mono_us();
	struct log_line line;

	k->n_failed++;
	meter_add(op->meter, METER_REDIS_ERRORS, S(""), S(""), 1);
	if (k->logged_at_us != 0 && now - k->logged_at_us < LOG_EVERY_US)
		return;
	k->logged_at_us = now;
	log_begin(&line, op->log, LOG_WARN, "Redis 不可用", "redis_unavailable", op->request_id);
	if (k->server == KV_LIVEKITS)
		log_z(&line, "whose", "LiveKit");
	log_z(&line, "error", why);
	log_i64(&line, "failures", k->n_failed);
	log_end(&line);
}

static void
failed_and_drop(struct op *op, struct kv *k, const char *why)
{
	failed(op, k, why);
	drop(k);
	k->retry_at_us = clock_mono_us() + KV_PAUSE_US;
}

/* An error after which this server is not the one to ask: it was demoted, is still loading, or writes nothing for as long
 * as its disk or its replicas are ill. */
static bool
is_wrong_server(struct str why)
{
	static const char *const words[] = { "READONLY", "LOADING", "MASTERDOWN", "NOAUTH", "MISCONF", "NOREPLICAS",
		"BUSY" };

	for (size_t i = 0; i < N_ELEMS(words); i++)
		if (str_starts(why, str_of(words[i])))
			return true;
	return false;
}

struct redisReply *
kv_checked(struct op *op, struct kv *k, struct redisReply *r)
{
	struct str why;

	if (k->asked_at_us != 0)
		meter_time_at(op->meter, METER_REDIS_TIME, 0, clock_mono_us() - k->asked_at_us);
	k->asked_at_us = 0;
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

bool
kv_said_ok(struct op *op, struct kv *k, struct redisReply *r)
{
	r = kv_checked(op, k, r);
	if (r == NULL)
		return false;
	freeReplyObject(r);
	return true;
}

void
kv_send(struct kv *k, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (redisvAppendCommand(k->ctx, format, args) == REDIS_OK)
		k->n_owed++;
	va_end(args);
}

struct redisReply *
kv_next(struct op *op, struct kv *k)
{
	void *reply = NULL;

	if (k->ctx == NULL)
		return NULL;
	/* None is owed for what could not be sent. */
	if (k->n_owed > 0) {
		(void)redisGetReply(k->ctx, &reply);
		k->n_owed--;
	}
	return kv_checked(op, k, reply);
}

bool
kv_next_ok(struct op *op, struct kv *k)
{
	struct redisReply *r = kv_next(op, k);

	if (r == NULL)
		return false;
	freeReplyObject(r);
	return true;
}

struct str
kv_reply_text(struct op *op, const struct redisReply *r)
{
	if (r->type != REDIS_REPLY_STRING)
		return S("");
	return arena_str(op->arena, (struct str){ r->str, r->len });
}

/* Nothing is owed to us between commands: a connection that has something to read has been closed
 * while idle (a restart, a time limit), which is no failure. */
static bool
is_clean(const struct kv *k)
{
	struct pollfd p = { .fd = k->ctx->fd, .events = POLLIN };

	return k->n_owed == 0 && poll(&p, 1, 0) == 0;
}

bool
kv_need(struct op *op, struct kv *k)
{
	char why[KV_WHY_BYTES] = "";

	k->asked_at_us = clock_mono_us();
	if (k->ctx != NULL && !is_clean(k))
		drop(k);
	if (k->ctx != NULL)
		return true;
	if (k->asked_at_us < k->retry_at_us)
		return false;
	k->ctx = kv_connect(k->conf, k->server, why, sizeof(why));
	if (k->ctx == NULL)
		failed_and_drop(op, k, why);
	else
		k->n_connected++;
	return k->ctx != NULL;
}

struct kv *
kv_open_server(const struct conf *c, enum kv_server server)
{
	struct arena *own = arena_new(4096);
	struct kv *k = arena_alloc(own, sizeof(*k));

	k->own = own;
	k->conf = c;
	k->server = server;
	return k;
}

struct kv *
kv_open(const struct conf *c)
{
	return kv_open_server(c, KV_OURS);
}

void
kv_close(struct kv *k)
{
	if (k == NULL)
		return;
	drop(k);
	arena_free(k->own);
}
