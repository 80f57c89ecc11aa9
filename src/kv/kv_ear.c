/* kv_ear - a subscription of its own connection, read without ever waiting.
 * SPDX-License-Identifier: MIT */
#include "kv/kv_ear.h"

#include <fcntl.h>
/* Through the folder: as a system header, whose inline functions our warnings leave alone. */
#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "kv/kv_private.h"

enum {
	QUIET_US = 1000 * 1000,       /* after so much silence: is anybody there? */
	ANSWER_US = 1000 * 1000
};

struct kv_ear {
	const struct conf *conf;
	enum kv_channel channel;
	struct arena *own;            /* this struct lives in it */
	redisContext *ctx;            /* NULL: not connected */
	int64_t retry_at_us;
	int64_t heard_at_us;          /* last sign of life */
	int64_t asked_at_us;          /* of a PING that is not answered yet; 0: none */
};

/* Words on the way to *least: how many, the least of them. */
struct words {
	size_t n;
	int64_t least;
};

static void
add_word(struct words *w, int64_t value)
{
	if (w->n == 0 || value < w->least)
		w->least = value;
	w->n++;
}

static void
drop(struct kv_ear *e)
{
	if (e->ctx != NULL)
		redisFree(e->ctx);
	e->ctx = NULL;
	e->retry_at_us = clock_mono_us() + KV_PAUSE_US;
}

static bool
subscribe(struct kv_ear *e)
{
	redisReply *r = redisCommand(e->ctx, "SUBSCRIBE %s", kv_channel_name(e->channel));
	bool ok = r != NULL && r->type == REDIS_REPLY_ARRAY;
	int flags = fcntl(e->ctx->fd, F_GETFL);

	if (r != NULL)
		freeReplyObject(r);
	if (!ok || flags < 0 || fcntl(e->ctx->fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return false;
	/* From here on "nothing there yet" is no error of the connection. */
	e->ctx->flags &= ~REDIS_BLOCK;
	return true;
}

/* Not told to the log: every process that listens also speaks to the same Redis, and tells. */
static bool
connect_now(struct kv_ear *e)
{
	char why[KV_WHY_BYTES];
	int64_t now = clock_mono_us();

	if (now < e->retry_at_us)
		return false;
	e->ctx = kv_connect(e->conf, KV_OURS, why, sizeof(why));
	if (e->ctx == NULL || !subscribe(e)) {
		drop(e);
		return false;
	}
	e->heard_at_us = clock_mono_us();
	e->asked_at_us = 0;
	return true;
}

/* ["message", channel, value]; what answers a PING or a SUBSCRIBE is only a sign of life. */
static void
take(struct kv_ear *e, const redisReply *r, struct words *w)
{
	int64_t value = 0;
	struct str kind;

	e->heard_at_us = clock_mono_us();
	e->asked_at_us = 0;
	if (r->type != REDIS_REPLY_ARRAY || r->elements != 3 || r->element[0]->type != REDIS_REPLY_STRING)
		return;
	kind = (struct str){ r->element[0]->str, r->element[0]->len };
	if (!str_eq(kind, S("message")) || r->element[2]->type != REDIS_REPLY_STRING)
		return;
	/* A word that cannot be read means: look now. */
	if (!parse_i64((struct str){ r->element[2]->str, r->element[2]->len }, 0, INT64_MAX, &value))
		value = 0;
	add_word(w, value);
}

static bool
read_words(struct kv_ear *e, struct words *w)
{
	void *reply;

	if (redisBufferRead(e->ctx) != REDIS_OK)
		return false;
	for (;;) {
		reply = NULL;
		if (redisGetReplyFromReader(e->ctx, &reply) != REDIS_OK)
			return false;
		if (reply == NULL)
			return true;
		take(e, reply, w);
		freeReplyObject(reply);
	}
}

/* A server that is frozen, or behind a dead wire, looks like one that has nothing to say. */
static bool
is_alive(struct kv_ear *e)
{
	int64_t now = clock_mono_us();
	int done = 0;

	if (e->asked_at_us != 0)
		return now - e->asked_at_us < ANSWER_US;
	if (now - e->heard_at_us < QUIET_US)
		return true;
	e->asked_at_us = now;
	return redisAppendCommand(e->ctx, "PING") == REDIS_OK &&
	    redisBufferWrite(e->ctx, &done) == REDIS_OK;
}

size_t
kv_ear_hear(struct kv_ear *e, int64_t *least_out)
{
	struct words w = { 0 };

	*least_out = 0;
	if (e->ctx == NULL) {
		if (!connect_now(e))
			return 0;
		add_word(&w, 0);
	}
	if (!read_words(e, &w) || !is_alive(e))
		drop(e);
	*least_out = w.least;
	return w.n;
}

int
kv_ear_fd(const struct kv_ear *e)
{
	return e->ctx != NULL ? e->ctx->fd : -1;
}

void
kv_ear_say(struct op *op, struct kv *k, enum kv_channel channel, int64_t value)
{
	if (kv_need(op, k))
		(void)kv_said_ok(op, k, redisCommand(k->ctx, "PUBLISH %s %lld", kv_channel_name(channel),
		    (long long)value));
}

struct kv_ear *
kv_ear_open(const struct conf *c, enum kv_channel channel)
{
	struct arena *own = arena_new(4096);
	struct kv_ear *e = arena_alloc(own, sizeof(*e));

	e->own = own;
	e->conf = c;
	e->channel = channel;
	return e;
}

void
kv_ear_close(struct kv_ear *e)
{
	if (e == NULL)
		return;
	if (e->ctx != NULL)
		redisFree(e->ctx);
	arena_free(e->own);
}
