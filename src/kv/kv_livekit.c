/* kv_livekit - reads LiveKit's own records of its nodes and of which of them hosts a room.
 * SPDX-License-Identifier: MIT */
#include "kv/kv_livekit.h"

/* Through the folder: as a system header, whose inline functions our warnings leave alone. */
#include <hiredis/hiredis.h>

#include "kv/kv_private.h"

enum { MAP_CHUNK = 500 };

struct kv *
kv_open_livekit(const struct conf *c)
{
	return kv_open_server(c, KV_LIVEKITS);
}

bool
kv_livekit_nodes(struct op *op, struct kv *k, struct kv_pair **out, size_t *n_out)
{
	redisReply *r;
	bool ok;

	*out = NULL;
	*n_out = 0;
	if (!kv_need(op, k) || (r = kv_checked(op, k, redisCommand(k->ctx, "HGETALL nodes"))) == NULL)
		return false;
	ok = r->type == REDIS_REPLY_ARRAY;
	if (ok && r->elements >= 2) {
		*n_out = r->elements / 2;
		*out = arena_array(op->arena, *n_out, sizeof(**out));
		for (size_t i = 0; i < *n_out; i++)
			(*out)[i] = (struct kv_pair){ .field = kv_reply_text(op, r->element[2 * i]),
			    .value = kv_reply_text(op, r->element[2 * i + 1]) };
	}
	freeReplyObject(r);
	return ok;
}

bool
kv_livekit_version(struct op *op, struct kv *k, struct str *out)
{
	redisReply *r;

	if (!kv_need(op, k) || (r = kv_checked(op, k, redisCommand(k->ctx, "GET livekit_version"))) == NULL)
		return false;
	*out = kv_reply_text(op, r);
	freeReplyObject(r);
	return true;
}

static bool
map_chunk(struct op *op, struct kv *k, const struct str *rooms, size_t n, struct str *nodes_out)
{
	const char *argv[2 + MAP_CHUNK] = { "HMGET", "room_node_map" };
	size_t lens[2 + MAP_CHUNK] = { 5, 13 };
	redisReply *r;
	bool ok;

	for (size_t i = 0; i < n; i++) {
		argv[2 + i] = rooms[i].at;
		lens[2 + i] = rooms[i].len;
	}
	if (!kv_need(op, k))
		return false;
	r = kv_checked(op, k, redisCommandArgv(k->ctx, (int)(2 + n), argv, lens));
	if (r == NULL)
		return false;
	ok = r->type == REDIS_REPLY_ARRAY && r->elements == n;
	for (size_t i = 0; ok && i < n; i++)
		nodes_out[i] = kv_reply_text(op, r->element[i]);
	freeReplyObject(r);
	return ok;
}

bool
kv_livekit_map(struct op *op, struct kv *k, const struct str *rooms, size_t n, struct str *nodes_out)
{
	for (size_t at = 0; at < n; at += MAP_CHUNK) {
		size_t some = n - at < MAP_CHUNK ? n - at : MAP_CHUNK;

		if (!map_chunk(op, k, rooms + at, some, nodes_out + at))
			return false;
	}
	return true;
}

/* In one step: a room that is made in between keeps its place. */
static const char UNMAP[] =
    "if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 0 end "
    "return redis.call('HDEL', KEYS[1], ARGV[1])";

bool
kv_livekit_unmap(struct op *op, struct kv *k, struct str room)
{
	return kv_need(op, k) && kv_said_ok(op, k, redisCommand(k->ctx,
	    "EVAL %s 2 room_node_map rooms %b", UNMAP, room.at, room.len));
}

/* What the script or the pair of commands said the map names now; NULL: nothing. */
static bool
said_node(struct op *op, redisReply *r, struct str *node_out)
{
	bool ok;

	if (r == NULL)
		return false;
	*node_out = kv_reply_text(op, r);
	ok = node_out->len > 0;
	freeReplyObject(r);
	return ok;
}

bool
kv_livekit_announce(struct op *op, struct kv *k, struct str room, struct str node, struct str *node_out)
{
	bool set, has;

	if (!kv_need(op, k))
		return false;
	kv_send(k, "HSETNX room_node_map %b %b", room.at, room.len, node.at, node.len);
	kv_send(k, "HGET room_node_map %b", room.at, room.len);
	set = kv_next_ok(op, k);
	has = said_node(op, kv_next(op, k), node_out);
	return set && has;
}

static const char MOVE[] =
    "local has = redis.call('HGET', KEYS[1], ARGV[1]) "
    "if has and has ~= '' and has ~= ARGV[2] then return has end "
    "redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) "
    "return ARGV[3]";

bool
kv_livekit_move(struct op *op, struct kv *k, struct str room, struct str from, struct str to, struct str *node_out)
{
	if (!kv_need(op, k))
		return false;
	return said_node(op, kv_checked(op, k, redisCommand(k->ctx, "EVAL %s 1 room_node_map %b %b %b", MOVE,
	    room.at, room.len, from.at, from.len, to.at, to.len)), node_out);
}

bool
kv_livekit_has_room(struct op *op, struct kv *k, struct str room, bool *there_out)
{
	redisReply *r;
	bool ok;

	if (!kv_need(op, k))
		return false;
	if ((r = kv_checked(op, k, redisCommand(k->ctx, "HEXISTS rooms %b", room.at, room.len))) == NULL)
		return false;
	ok = r->type == REDIS_REPLY_INTEGER;
	*there_out = ok && r->integer == 1;
	freeReplyObject(r);
	return ok;
}
