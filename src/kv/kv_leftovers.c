/* kv_leftovers - finds and takes away what dead nodes left.
 * SPDX-License-Identifier: MIT */
#include "kv/kv_leftovers.h"

/* Through the folder: as a system header, whose inline functions our warnings leave alone. */
#include <hiredis/hiredis.h>

#include "kv/kv_private.h"

enum { PIPELINE = 100 };

static struct kv_pair *
read_pairs(struct op *op, const redisReply *r, size_t *n_out)
{
	struct kv_pair *out;

	*n_out = r->elements / 2;
	out = arena_array(op->arena, *n_out, sizeof(*out));
	for (size_t i = 0; i < *n_out; i++)
		out[i] = (struct kv_pair){ .field = kv_reply_text(op, r->element[2 * i]),
		    .value = kv_reply_text(op, r->element[2 * i + 1]) };
	return out;
}

bool
kv_leftovers_scan(struct op *op, struct kv *k, int64_t *cursor, int64_t about, struct kv_pair **out, size_t *n_out)
{
	redisReply *r;
	bool ok;

	if (!kv_need(op, k))
		return false;
	r = kv_checked(op, k, redisCommand(k->ctx, "HSCAN room_node_map %lld COUNT %lld", (long long)*cursor,
	    (long long)about));
	if (r == NULL)
		return false;
	ok = r->type == REDIS_REPLY_ARRAY && r->elements == 2 && r->element[1]->type == REDIS_REPLY_ARRAY &&
	    parse_i64(kv_reply_text(op, r->element[0]), 0, INT64_MAX, cursor);
	if (ok)
		*out = read_pairs(op, r->element[1], n_out);
	freeReplyObject(r);
	return ok;
}

/* KEYS: room_node_map, nodes, rooms, room_internal, room_lock, then what belongs to the room alone. */
static const char CLEAR[] =
    "if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end "
    "if (redis.call('HGET', KEYS[2], ARGV[2]) or '') ~= ARGV[3] then return 0 end "
    "if redis.call('EXISTS', KEYS[5]) == 1 then return 0 end "
    "redis.call('HDEL', KEYS[1], ARGV[1]) "
    "redis.call('HDEL', KEYS[3], ARGV[1]) "
    "redis.call('HDEL', KEYS[4], ARGV[1]) "
    "redis.call('DEL', KEYS[6], KEYS[7], KEYS[8]) "
    "return 1";

static void
send_clear(struct kv *k, const struct left_room *l)
{
	const char *room = l->room.at;
	size_t n = l->room.len;

	kv_send(k, "EVAL %s 8 room_node_map nodes rooms room_internal room_lock:%b "
	    "room_participants:%b agent_dispatch:%b agent_job:%b %b %b %b", CLEAR, room, n, room, n, room, n, room, n,
	    room, n, l->node.at, l->node.len, l->record.at, l->record.len);
}

static bool
clear_some(struct op *op, struct kv *k, struct left_room *rooms, size_t n)
{
	bool ok = true;

	if (!kv_need(op, k))
		return false;
	for (size_t i = 0; i < n; i++)
		send_clear(k, &rooms[i]);
	for (size_t i = 0; i < n; i++) {
		redisReply *r = kv_next(op, k);

		rooms[i].cleared = r != NULL && r->type == REDIS_REPLY_INTEGER && r->integer == 1;
		ok = ok && r != NULL;
		if (r != NULL)
			freeReplyObject(r);
	}
	return ok;
}

bool
kv_leftovers_clear(struct op *op, struct kv *k, struct left_room *rooms, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rooms[i].cleared = false;
	for (size_t at = 0; at < n; at += PIPELINE)
		if (!clear_some(op, k, rooms + at, n - at < PIPELINE ? n - at : PIPELINE))
			return false;
	return true;
}

bool
kv_leftovers_people(struct op *op, struct kv *k, struct str room, struct kv_pair **out, size_t *n_out)
{
	redisReply *r;
	bool ok;

	if (!kv_need(op, k))
		return false;
	r = kv_checked(op, k, redisCommand(k->ctx, "HGETALL room_participants:%b", room.at, room.len));
	if (r == NULL)
		return false;
	ok = r->type == REDIS_REPLY_ARRAY;
	if (ok)
		*out = read_pairs(op, r, n_out);
	freeReplyObject(r);
	return ok;
}

static const char DROP_PERSON[] =
    "if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end "
    "if redis.call('HGET', KEYS[2], ARGV[3]) ~= ARGV[4] then return 0 end "
    "return redis.call('HDEL', KEYS[2], ARGV[3])";

bool
kv_leftovers_drop_person(struct op *op, struct kv *k, const struct kv_pair *person, struct str room, struct str node,
    bool *dropped_out)
{
	redisReply *r;

	*dropped_out = false;
	if (!kv_need(op, k))
		return false;
	r = kv_checked(op, k, redisCommand(k->ctx, "EVAL %s 2 room_node_map room_participants:%b %b %b %b %b",
	    DROP_PERSON, room.at, room.len, room.at, room.len, node.at, node.len, person->field.at,
	    person->field.len, person->value.at, person->value.len));
	if (r == NULL)
		return false;
	*dropped_out = r->type == REDIS_REPLY_INTEGER && r->integer == 1;
	freeReplyObject(r);
	return true;
}
