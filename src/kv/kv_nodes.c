/* kv_nodes - marks and counts of LiveKit's nodes in our Redis.
 * SPDX-License-Identifier: MIT */
#include "kv/kv_nodes.h"

/* Through the folder: as a system header, whose inline functions our warnings leave alone. */
#include <hiredis/hiredis.h>
#include <inttypes.h>

#include "kv/kv_private.h"

enum { KEY_BYTES = 64, N_HASHES = 4 };
/* The field of the hash of drained nodes that is no node. */
#define COMPLETE S("")

/* What is read of one hash goes into a list of nodes. */
struct reading {
	struct op *op;
	struct kv_node *nodes;
	size_t n;
	int64_t now_ms;
	bool drains_known;
};
typedef void (*take_field)(struct reading *r, struct str addr, struct str value);

static struct kv_node *
node_of(struct reading *r, struct str addr)
{
	for (size_t i = 0; i < r->n; i++)
		if (str_eq(r->nodes[i].addr, addr))
			return &r->nodes[i];
	r->nodes[r->n] = (struct kv_node){ .addr = addr };
	return &r->nodes[r->n++];
}

static void
take_down(struct reading *r, struct str addr, struct str value)
{
	int64_t until_ms;

	if (parse_i64(value, 0, INT64_MAX, &until_ms) && until_ms > r->now_ms)
		node_of(r, addr)->down = true;
}

static void
take_drained(struct reading *r, struct str addr, struct str value)
{
	(void)value;
	if (str_eq(addr, COMPLETE))
		r->drains_known = true;
	else
		node_of(r, addr)->drained = true;
}

static void
take_given(struct reading *r, struct str addr, struct str value)
{
	int64_t n;

	if (parse_i64(value, 0, INT32_MAX, &n))
		node_of(r, addr)->n_given += n;
}

/* In the order in which they are asked for; the last two are the counts of now and of just before. */
static const take_field TAKES[N_HASHES] = { take_down, take_drained, take_given, take_given };

static void
key_of_counts(struct strbuf *b, int64_t n)
{
	char text[24];
	struct strbuf number;

	strbuf_init(&number, text, sizeof(text));
	strbuf_add_i64(&number, n);
	kv_key(b, KV_KEY_NODES_GIVEN, strbuf_str(&number));
}

static void
send_questions(struct kv *k, int64_t now_ms)
{
	int64_t n = now_ms / 1000 / GIVEN_S;
	char now[KEY_BYTES], before[KEY_BYTES];
	struct strbuf b;

	strbuf_init(&b, now, sizeof(now));
	key_of_counts(&b, n);
	strbuf_init(&b, before, sizeof(before));
	key_of_counts(&b, n - 1);
	kv_send(k, "HGETALL %s", KV_KEYS[KV_KEY_NODES_DOWN].pattern);
	kv_send(k, "HGETALL %s", KV_KEYS[KV_KEY_NODES_DRAINED].pattern);
	kv_send(k, "HGETALL %s", now);
	kv_send(k, "HGETALL %s", before);
}

/* All of them are taken off the connection, whatever becomes of one. */
static bool
read_answers(struct op *op, struct kv *k, redisReply *answers[N_HASHES], size_t *n_fields_out)
{
	bool ok = true;

	*n_fields_out = 0;
	for (size_t i = 0; i < N_HASHES; i++) {
		answers[i] = kv_next(op, k);
		if (answers[i] != NULL && answers[i]->type == REDIS_REPLY_ARRAY)
			*n_fields_out += answers[i]->elements / 2;
		else
			ok = false;
	}
	return ok;
}

static void
take_all(struct reading *r, const redisReply *answer, take_field take)
{
	for (size_t i = 0; i + 1 < answer->elements; i += 2)
		take(r, kv_reply_text(r->op, answer->element[i]), kv_reply_text(r->op, answer->element[i + 1]));
}

bool
kv_nodes_read(struct op *op, struct kv *k, int64_t now_ms, struct kv_node **out, size_t *n_out,
    bool *drains_known_out)
{
	struct reading r = { .op = op, .now_ms = now_ms };
	redisReply *answers[N_HASHES];
	size_t n_fields;
	bool ok;

	if (!kv_need(op, k))
		return false;
	send_questions(k, now_ms);
	ok = read_answers(op, k, answers, &n_fields);
	r.nodes = arena_array(op->arena, n_fields, sizeof(*r.nodes));
	for (size_t i = 0; i < N_HASHES; i++) {
		if (ok)
			take_all(&r, answers[i], TAKES[i]);
		if (answers[i] != NULL)
			freeReplyObject(answers[i]);
	}
	if (!ok)
		return false;
	*out = r.nodes;
	*n_out = r.n;
	*drains_known_out = r.drains_known;
	return true;
}

void
kv_nodes_down(struct op *op, struct kv *k, struct str addr, int64_t until_ms)
{
	const struct kv_key *key = &KV_KEYS[KV_KEY_NODES_DOWN];

	if (!kv_need(op, k))
		return;
	kv_send(k, "HSET %s %b %lld", key->pattern, addr.at, addr.len, (long long)until_ms);
	kv_send(k, "EXPIRE %s %lld", key->pattern, (long long)key->ttl_s);
	(void)kv_next_ok(op, k);
	(void)kv_next_ok(op, k);
}

void
kv_nodes_up(struct op *op, struct kv *k, struct str addr)
{
	if (kv_need(op, k))
		(void)kv_said_ok(op, k, redisCommand(k->ctx, "HDEL %s %b", KV_KEYS[KV_KEY_NODES_DOWN].pattern,
		    addr.at, addr.len));
}

/* In one step: nobody reads a list that is half written. */
static const char REPLACE[] =
    "redis.call('DEL', KEYS[1]) "
    "for i = 2, #ARGV do redis.call('HSET', KEYS[1], ARGV[i], '1') end "
    "return redis.call('EXPIRE', KEYS[1], ARGV[1])";

void
kv_nodes_drained(struct op *op, struct kv *k, const struct str *addrs, size_t n)
{
	enum { HEAD = 5 };
	const struct kv_key *key = &KV_KEYS[KV_KEY_NODES_DRAINED];
	const char **argv = arena_array(op->arena, HEAD + n + 1, sizeof(*argv));
	size_t *lens = arena_array(op->arena, HEAD + n + 1, sizeof(*lens));
	const struct str head[HEAD] = { S("EVAL"), str_of(REPLACE), S("1"), str_of(key->pattern),
		arena_printf(op->arena, "%" PRId64, key->ttl_s) };

	if (!kv_need(op, k))
		return;
	for (size_t i = 0; i < HEAD + n + 1; i++) {
		struct str s = i < HEAD ? head[i] : i < HEAD + n ? addrs[i - HEAD] : COMPLETE;

		argv[i] = s.at;
		lens[i] = s.len;
	}
	(void)kv_said_ok(op, k, redisCommandArgv(k->ctx, (int)(HEAD + n + 1), argv, lens));
}

void
kv_nodes_given(struct op *op, struct kv *k, struct str addr, int64_t now_ms)
{
	char key[KEY_BYTES];
	struct strbuf b;

	if (!kv_need(op, k))
		return;
	strbuf_init(&b, key, sizeof(key));
	key_of_counts(&b, now_ms / 1000 / GIVEN_S);
	kv_send(k, "HINCRBY %s %b 1", b.at, addr.at, addr.len);
	kv_send(k, "EXPIRE %s %d", b.at, (int)KV_KEYS[KV_KEY_NODES_GIVEN].ttl_s);
	(void)kv_next_ok(op, k);
	(void)kv_next_ok(op, k);
}
