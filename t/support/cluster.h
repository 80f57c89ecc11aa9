/* cluster - the tests of where rooms live: services on a real database and Redis, three nodes that can die and freeze, their
 * records and LiveKit's map, and what became of a room.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_CLUSTER_H
#define SUPPORT_CLUSTER_H

#include <hiredis/hiredis.h>

#include "app/services.h"
#include "base/rng.h"
#include "call/place.h"
#include "call/standing.h"
#include "kv/kv_livekit.h"
#include "support/db.h"
#include "support/fake_node.h"

enum { NODES = 3 };

static struct db d;
static struct services sv;
static redisContext *redis;
static struct fake_node nodes[NODES];
static char ids[NODES][32];
static char log_path[] = "test_cluster.log.XXXXXX";
static struct str room_id;

/* ---- LiveKit's side ---- */

static inline void
command(const char *fmt, ...)
{
	va_list ap;
	redisReply *r;

	va_start(ap, fmt);
	r = redisvCommand(redis, fmt, ap);
	va_end(ap);
	ck_assert_ptr_nonnull(r);
	ck_assert_msg(r->type != REDIS_REPLY_ERROR, "%s", r->str);
	freeReplyObject(r);
}

static inline void
write_record(int i, int64_t age_s, int state)
{
	unsigned char record[256];
	size_t n = fake_node_record(record, ids[i], nodes[i].ip, clock_wall_ms() / 1000 - age_s, state);

	command("HSET nodes %s %b", ids[i], record, n);
	registry_forget(sv.registry);
}

static inline void
all_report(void)
{
	for (int i = 0; i < NODES; i++)
		write_record(i, 0, 1);
}

/* A life of its own: a new id. */
static inline void
start_node(int i)
{
	static const char *const IPS[NODES] = { "127.0.0.41", "127.0.0.42", "127.0.0.43" };
	struct strbuf b;

	if (ids[i][0] != '\0')
		command("HDEL nodes %s", ids[i]);
	fake_node_start(&nodes[i], IPS[i], "200 OK");
	strbuf_init(&b, ids[i], sizeof(ids[i]));
	strbuf_addf(&b, "ND_%d_%u", i, rng_below(1000000));
}

static inline struct str
mapped(void)
{
	struct str node = S("");

	ck_assert(kv_livekit_map(&d.op, sv.livekit_kv, &room_id, 1, &node));
	return node;
}

static inline void
map_to(const char *id)
{
	command("HSET room_node_map %b %s", room_id.at, room_id.len, id);
}

/* ---- what is tested ---- */

static inline void
open_services(void)
{
	ck_assert(services_open(&sv, d.conf, d.op.log));
}

static inline void
configure(const char *name, const char *value)
{
	char err[256] = "";

	ck_assert_int_eq(setenv(name, value, 1), 0);
	services_close(&sv);
	conf_free(d.conf);
	d.conf = conf_load("/dev/null", err, sizeof(err));
	ck_assert_msg(d.conf != NULL, "%s", err);
	open_services();
}

static inline void
set_up(void)
{
	char list[256];
	int fd = mkstemp(log_path);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	redis = redisConnectUnix(getenv("REDIS_SOCKET"));
	ck_assert_msg(redis != NULL && redis->err == 0, "no Redis at REDIS_SOCKET");
	command("DEL nodes room_node_map rooms tgo:nodes:down tgo:nodes:drained");
	for (int i = 0; i < NODES; i++)
		start_node(i);
	(void)snprintf(list, sizeof(list), "%s,%s,%s;url=wss://three.example", nodes[0].addr, nodes[1].addr,
	    nodes[2].addr);
	(void)setenv("LIVEKIT_NODES", list, 1);
	(void)setenv("LIVEKIT_CLIENT_URL", "wss://rtc.example", 1);
	d = db_open(log_path);
	/* Tests after one that ended early start clean. */
	sql_close(d.l);
	open_services();
	all_report();
	d.l = sv.db;
}

static inline void
tear_down(void)
{
	d.l = NULL;
	for (int i = 0; i < NODES; i++) {
		fake_node_wake(&nodes[i]);
		fake_node_kill(&nodes[i]);
	}
	command("DEL nodes room_node_map rooms tgo:nodes:down tgo:nodes:drained");
	redisFree(redis);
	services_close(&sv);
	arena_free(d.op.arena);
	log_close(d.op.log);
	conf_free(d.conf);
	(void)unlink(log_path);
}

/* A call of two people nobody has met before; room_id is it from now on. */
static inline struct view
create(void)
{
	struct create_req rq = { .max_participants = 2 };
	struct view v = { 0 };
	struct str *bob = arena_array(d.op.arena, 1, sizeof(*bob));

	rq.creator = (struct actor){ .uid = arena_printf(d.op.arena, "ann-%u", rng_below(1u << 30)) };
	*bob = arena_printf(d.op.arena, "bob-%u", rng_below(1u << 30));
	rq.uids = bob;
	rq.n_uids = 1;
	ck_assert_int_eq(op_create(&d.op, &sv, &rq, &v), ERR_OK);
	room_id = v.call.room.room_id;
	return v;
}

/* As if a media session of the creator was told of. */
static inline void
connect_people(void)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "UPDATE rtc_participant SET status = 1, join_time = 1, deadline_ms = 0, "
	    "sid = 'PA_1', sid_at_ms = 1, session_from_ms = 1 WHERE room_id = '%.*s' AND uid LIKE 'ann%%'",
	    STR_ARG(room_id));
	db_text(&d, text);
}

static inline int
node_index(struct str addr)
{
	for (int i = 0; i < NODES; i++)
		if (str_eq(addr, str_of(nodes[i].addr)))
			return i;
	ck_abort_msg("not a node: \"%.*s\"", STR_ARG(addr));
	return -1;
}

static inline struct call
stored_call(void)
{
	struct call c;

	ck_assert_int_eq(change_load(&d.op, &sv, room_id, &c), ERR_OK);
	return c;
}

static inline struct room
stored(void)
{
	return stored_call().room;
}

/* Of connect_people. */
static inline const struct participant *
who_is_connected(const struct call *c)
{
	const struct participant *p = call_find(c, c->room.creator);

	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(p->status, P_JOINED);
	return p;
}

static inline enum err
route(struct routed *out)
{
	*out = (struct routed){ 0 };
	return place_route(&d.op, &sv, room_id, S(""), out);
}

/* Where it is routed: the same in the row, in the cache and in LiveKit's map. */
static inline int
routed_to(void)
{
	struct kv_room cached;
	struct routed got;
	enum err e = route(&got);
	int i;

	ck_assert_msg(e == ERR_OK, "%s", err_key(e));
	i = node_index(got.addr);
	ck_assert(str_eq(stored().livekit_node, got.addr));
	ck_assert(kv_room_find(&d.op, sv.kv, room_id, &cached));
	ck_assert(str_eq(cached.node, got.addr));
	ck_assert(str_eq(mapped(), str_of(ids[i])));
	ck_assert(str_eq(got.node_id, str_of(ids[i])));
	return i;
}

static inline int
moves_told(void)
{
	return db_log_count(log_path, "\"event\":\"room_moved\"");
}

static inline void
after_ms(int64_t ms)
{
	int64_t until = clock_mono_us() + ms * 1000;

	while (clock_mono_us() < until)
		(void)usleep(1000);
}

#endif
