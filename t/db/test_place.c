/* test_place - where rooms live, on a real database and Redis, with nodes that die, freeze, are drained and come back:
 * what nginx is told, what stands in MySQL, in our Redis and in LiveKit's map, and that races have one winner.
 * SPDX-License-Identifier: MIT */
#include "call/place.h"

#include <hiredis/hiredis.h>

#include "app/services.h"
#include "base/rng.h"
#include "call/standing.h"
#include "kv/kv_livekit.h"
#include "kv/kv_nodes.h"
#include "support/db.h"
#include "support/fake_node.h"

enum { NODES = 3, RACERS = 12 };

static struct db d;
static struct services sv;
static redisContext *redis;
static struct fake_node nodes[NODES];
static char ids[NODES][32];
static char log_path[] = "test_place.log.XXXXXX";
static struct str room_id;

/* ---- LiveKit's side ---- */

static void
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

static void
write_record(int i, int64_t age_s, int state)
{
	unsigned char record[256];
	size_t n = fake_node_record(record, ids[i], nodes[i].ip, clock_wall_ms() / 1000 - age_s, state);

	command("HSET nodes %s %b", ids[i], record, n);
	registry_forget(sv.registry);
}

static void
all_report(void)
{
	for (int i = 0; i < NODES; i++)
		write_record(i, 0, 1);
}

/* A life of its own: a new id. */
static void
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

static struct str
mapped(void)
{
	struct str node = S("");

	ck_assert(kv_livekit_map(&d.op, sv.livekit_kv, &room_id, 1, &node));
	return node;
}

static void
map_to(const char *id)
{
	command("HSET room_node_map %b %s", room_id.at, room_id.len, id);
}

/* ---- what is tested ---- */

static void
open_services(void)
{
	ck_assert(services_open(&sv, d.conf, d.op.log));
}

static void
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

static void
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

static void
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
static struct view
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
static void
connect_people(void)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "UPDATE rtc_participant SET status = 1, join_time = 1, deadline_ms = 0, "
	    "sid = 'PA_1', sid_at_ms = 1, session_from_ms = 1 WHERE room_id = '%.*s' AND uid LIKE 'ann%%'",
	    STR_ARG(room_id));
	db_text(&d, text);
}

static int
node_index(struct str addr)
{
	for (int i = 0; i < NODES; i++)
		if (str_eq(addr, str_of(nodes[i].addr)))
			return i;
	ck_abort_msg("not a node: \"%.*s\"", STR_ARG(addr));
	return -1;
}

static struct call
stored_call(void)
{
	struct call c;

	ck_assert_int_eq(change_load(&d.op, &sv, room_id, &c), ERR_OK);
	return c;
}

static struct room
stored(void)
{
	return stored_call().room;
}

/* Of connect_people. */
static const struct participant *
who_is_connected(const struct call *c)
{
	const struct participant *p = call_find(c, c->room.creator);

	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(p->status, P_JOINED);
	return p;
}

static enum err
route(struct routed *out)
{
	*out = (struct routed){ 0 };
	return place_route(&d.op, &sv, room_id, S(""), out);
}

/* Where it is routed: the same in the row, in the cache and in LiveKit's map. */
static int
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

static int
moves_told(void)
{
	return db_log_count(log_path, "\"event\":\"room_moved\"");
}

static void
after_ms(int64_t ms)
{
	int64_t until = clock_mono_us() + ms * 1000;

	while (clock_mono_us() < until)
		(void)usleep(1000);
}

/* ---- creating ---- */

START_TEST(a_new_room_has_a_node)
{
	struct view v = create();
	struct room r = stored();
	int i = node_index(r.livekit_node);

	ck_assert(str_eq(v.call.room.livekit_node, r.livekit_node));
	ck_assert(str_eq(d.op.livekit_node, r.livekit_node));
	ck_assert(str_eq(v.url, S("wss://rtc.example")));
	ck_assert(str_eq(r.livekit_url, S("wss://rtc.example")));
	ck_assert(str_eq(mapped(), str_of(ids[i])));
	ck_assert_int_eq(moves_told(), 0);
}
END_TEST

START_TEST(what_is_given_counts)
{
	struct kv_node *marks;
	int64_t n[NODES] = { 0 }, told = 0;
	size_t n_marks;
	bool known;

	for (int i = 0; i < 60; i++)
		n[node_index(create().call.room.livekit_node)]++;
	for (int i = 0; i < NODES; i++)
		ck_assert_int_ge(n[i], 18);
	ck_assert(kv_nodes_read(&d.op, sv.kv, clock_wall_ms(), &marks, &n_marks, &known));
	for (size_t i = 0; i < n_marks; i++)
		for (int k = 0; k < NODES; k++)
			if (str_eq(marks[i].addr, str_of(nodes[k].addr)))
				told += marks[i].n_given;
	ck_assert_int_eq(told, 60);
}
END_TEST

START_TEST(nodes_with_urls_of_their_own)
{
	int with = 0;

	configure("LIVEKIT_URL_MODE", "node");
	for (int i = 0; i < 12; i++) {
		struct view v = create();
		bool third = node_index(v.call.room.livekit_node) == 2;

		with += third;
		ck_assert(str_eq(v.url, third ? S("wss://three.example") : S("wss://rtc.example")));
		ck_assert(str_eq(stored().livekit_url, v.url));
	}
	ck_assert_int_gt(with, 0);
}
END_TEST

/* Clients go there by themselves: a dead one is found out first. */
START_TEST(nodes_with_urls_of_their_own_are_asked)
{
	configure("LIVEKIT_URL_MODE", "node");
	fake_node_kill(&nodes[0]);
	for (int i = 0; i < 8; i++)
		ck_assert_int_ne(node_index(create().call.room.livekit_node), 0);
	fake_node_kill(&nodes[1]);
	after_ms(PULSE_MS + 1);
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(node_index(create().call.room.livekit_node), 2);
}
END_TEST

START_TEST(livekit_places_by_itself)
{
	struct routed got;

	configure("LIVEKIT_PLACEMENT", "off");
	(void)create();
	ck_assert(str_eq(stored().livekit_node, S("")));
	ck_assert(str_eq(mapped(), S("")));
	ck_assert_int_eq(route(&got), ERR_ROOM_NOT_FOUND);
	map_to(ids[1]);
	ck_assert_int_eq(route(&got), ERR_OK);
	ck_assert_int_eq(node_index(got.addr), 1);
	ck_assert(str_eq(stored().livekit_node, S("")));
}
END_TEST

START_TEST(no_node_at_all)
{
	struct routed got;

	for (int i = 0; i < NODES; i++)
		write_record(i, 60, 1);
	(void)create();
	ck_assert(str_eq(stored().livekit_node, S("")));
	ck_assert_int_eq(route(&got), ERR_ROOM_NOT_FOUND);
	all_report();
	(void)routed_to();
	ck_assert_int_eq(moves_told(), 1);
}
END_TEST

/* ---- routing ---- */

START_TEST(the_usual_case_asks_no_database)
{
	int i = node_index(create().call.room.livekit_node);

	d.op.n_sql = 0;
	for (int k = 0; k < 5; k++) {
		struct routed got;

		ck_assert_int_eq(route(&got), ERR_OK);
		ck_assert_int_eq(node_index(got.addr), i);
		ck_assert(str_eq(got.url, S("wss://rtc.example")));
		ck_assert(str_eq(d.op.livekit_node, got.addr) && str_eq(d.op.room_id, room_id));
	}
	ck_assert_int_eq(d.op.n_sql, 0);
}
END_TEST

START_TEST(a_cache_that_lost_it_learns_it_again)
{
	int i = node_index(create().call.room.livekit_node);
	struct routed got;

	command("DEL tgo:room:%b", room_id.at, room_id.len);
	ck_assert_int_eq(routed_to(), i);
	d.op.n_sql = 0;
	ck_assert_int_eq(route(&got), ERR_OK);
	ck_assert_int_eq(d.op.n_sql, 0);
}
END_TEST

START_TEST(a_stale_cache_is_set_right)
{
	int was, is;
	struct kv_room old;

	was = node_index(create().call.room.livekit_node);
	ck_assert(kv_room_find(&d.op, sv.kv, room_id, &old));
	fake_node_kill(&nodes[was]);
	is = routed_to();
	ck_assert_int_ne(is, was);
	command("HSET tgo:room:%b node %s", room_id.at, room_id.len, nodes[was].addr);
	ck_assert_int_eq(routed_to(), is);
	ck_assert_int_eq(moves_told(), 1);
}
END_TEST

/* The people are on the new node, and do not have to wait for the old one. */
START_TEST(a_stale_cache_that_names_a_frozen_node)
{
	int was = node_index(create().call.room.livekit_node), is = (was + 1) % NODES;
	char text[256];

	connect_people();
	(void)snprintf(text, sizeof(text), "UPDATE rtc_room SET livekit_node = '%s' WHERE room_id = '%.*s'",
	    nodes[is].addr, STR_ARG(room_id));
	db_text(&d, text);
	map_to(ids[is]);
	fake_node_freeze(&nodes[was]);
	ck_assert_int_eq(routed_to(), is);
	ck_assert_int_eq(moves_told(), 0);
}
END_TEST

START_TEST(our_redis_is_gone)
{
	struct routed got;
	int i;

	(void)setenv("LIVEKIT_REDIS_SOCKET", getenv("REDIS_SOCKET"), 1);
	configure("REDIS_SOCKET", "/nonexistent");
	i = node_index(create().call.room.livekit_node);
	ck_assert_int_eq(route(&got), ERR_OK);
	ck_assert_int_eq(node_index(got.addr), i);
	fake_node_kill(&nodes[i]);
	after_ms(PULSE_MS + 1);
	ck_assert_int_eq(route(&got), ERR_OK);
	ck_assert_int_ne(node_index(got.addr), i);
	ck_assert(str_eq(stored().livekit_node, got.addr));
	ck_assert(str_eq(mapped(), str_of(ids[node_index(got.addr)])));
}
END_TEST

START_TEST(livekits_redis_is_gone)
{
	struct routed got;
	int i;

	configure("LIVEKIT_REDIS_SOCKET", "/nonexistent");
	i = node_index(create().call.room.livekit_node);
	ck_assert_int_eq(route(&got), ERR_OK);
	ck_assert_int_eq(node_index(got.addr), i);
	fake_node_kill(&nodes[i]);
	after_ms(PULSE_MS + 1);
	ck_assert_int_eq(route(&got), ERR_OK);
	ck_assert_int_ne(node_index(got.addr), i);
	ck_assert(str_eq(stored().livekit_node, got.addr));
}
END_TEST

START_TEST(rooms_of_others)
{
	struct routed got;

	room_id = arena_printf(d.op.arena, "foreign-%u", rng_below(1u << 30));
	ck_assert_int_eq(route(&got), ERR_ROOM_NOT_FOUND);
	map_to(ids[2]);
	ck_assert_int_eq(route(&got), ERR_OK);
	ck_assert_int_eq(node_index(got.addr), 2);
	map_to("ND_nobody");
	ck_assert_int_eq(route(&got), ERR_ROOM_NOT_FOUND);
	ck_assert(str_eq(mapped(), S("ND_nobody")));
	map_to(ids[2]);
	fake_node_kill(&nodes[2]);
	after_ms(PULSE_MS + 1);
	ck_assert_int_eq(route(&got), ERR_ROOM_NOT_FOUND);
}
END_TEST

START_TEST(a_call_that_is_over)
{
	const struct access anybody = { .ticket = false };
	struct routed got;
	struct view v = create();

	ck_assert_int_eq(op_end(&d.op, &sv, room_id, &anybody, &v), ERR_OK);
	ck_assert_int_eq(route(&got), ERR_ROOM_NOT_ACTIVE);
	command("DEL tgo:room:%b", room_id.at, room_id.len);
	ck_assert_int_eq(route(&got), ERR_ROOM_NOT_ACTIVE);
}
END_TEST

/* ---- nodes that die ---- */

START_TEST(a_dead_node_is_left_at_once)
{
	int was = node_index(create().call.room.livekit_node);
	struct call c;

	connect_people();
	fake_node_kill(&nodes[was]);
	after_ms(PULSE_MS + 1);
	ck_assert_int_ne(routed_to(), was);
	ck_assert_int_eq(moves_told(), 1);
	ck_assert_int_eq(db_log_count(log_path, "\"reason\":\"refused\""), 1);
	c = stored_call();
	ck_assert_int_gt(c.room.host_since_ms, 0);
	ck_assert_int_gt(who_is_connected(&c)->deadline_ms, c.now_ms);
	/* Everybody avoids it now. */
	for (int i = 0; i < 10; i++)
		ck_assert_int_ne(node_index(create().call.room.livekit_node), was);
}
END_TEST

START_TEST(nginx_was_refused)
{
	int was = node_index(create().call.room.livekit_node);
	struct routed got;

	ck_assert_int_eq(route(&got), ERR_OK);
	fake_node_kill(&nodes[was]);
	/* Still believed to live, by a memory of some milliseconds. */
	ck_assert_int_eq(place_route(&d.op, &sv, room_id, str_of(nodes[was].addr), &got), ERR_OK);
	ck_assert_int_ne(node_index(got.addr), was);
}
END_TEST

START_TEST(nginx_was_refused_and_we_are_not)
{
	int was = node_index(create().call.room.livekit_node);
	struct routed got;

	connect_people();
	ck_assert_int_eq(place_route(&d.op, &sv, room_id, str_of(nodes[was].addr), &got), ERR_OK);
	ck_assert_int_eq(node_index(got.addr), was);
}
END_TEST

START_TEST(all_are_dead)
{
	struct routed got;

	(void)create();
	for (int i = 0; i < NODES; i++)
		fake_node_kill(&nodes[i]);
	after_ms(PULSE_MS + 1);
	ck_assert_int_eq(route(&got), ERR_UNAVAILABLE);
	ck_assert_int_eq(moves_told(), 0);
}
END_TEST

START_TEST(two_die_one_after_the_other)
{
	int first = node_index(create().call.room.livekit_node), second;

	fake_node_kill(&nodes[first]);
	second = routed_to();
	fake_node_kill(&nodes[second]);
	after_ms(PULSE_MS + 1);
	ck_assert_int_eq(routed_to(), 3 - first - second);
}
END_TEST

START_TEST(a_frozen_node_with_nobody_on_it)
{
	int was = node_index(create().call.room.livekit_node);

	fake_node_freeze(&nodes[was]);
	ck_assert_int_ne(routed_to(), was);
	ck_assert_int_eq(db_log_count(log_path, "\"reason\":\"silent\""), 1);
}
END_TEST

START_TEST(a_frozen_node_with_people)
{
	int was = node_index(create().call.room.livekit_node);
	struct routed got;
	int64_t began_us;

	connect_people();
	fake_node_freeze(&nodes[was]);
	began_us = clock_mono_us();
	do {
		ck_assert_int_eq(route(&got), ERR_UNAVAILABLE);
		ck_assert(str_eq(stored().livekit_node, str_of(nodes[was].addr)));
		after_ms(50);
		all_report();
	} while (clock_mono_us() - began_us < 1000000);
	/* It comes back, and nothing has happened. */
	fake_node_wake(&nodes[was]);
	after_ms(PULSE_SILENT_MS + 1);
	ck_assert_int_eq(routed_to(), was);
	/* For good. */
	fake_node_freeze(&nodes[was]);
	after_ms(PULSE_MS + 1);
	ck_assert_int_eq(route(&got), ERR_UNAVAILABLE);
	after_ms(STANDING_SILENT_MS);
	all_report();
	ck_assert_int_ne(routed_to(), was);
}
END_TEST

START_TEST(a_frozen_node_whose_report_is_old)
{
	int was = node_index(create().call.room.livekit_node);

	connect_people();
	fake_node_freeze(&nodes[was]);
	write_record(was, 60, 1);
	ck_assert_int_ne(routed_to(), was);
	ck_assert_int_eq(db_log_count(log_path, "\"reason\":\"stale\""), 1);
}
END_TEST

/* ---- LiveKit's map ---- */

START_TEST(a_node_started_anew)
{
	int was = node_index(create().call.room.livekit_node);

	fake_node_kill(&nodes[was]);
	command("HDEL nodes %s", ids[was]);
	start_node(was);
	write_record(was, 0, 1);
	after_ms(PULSE_MS + 1);
	ck_assert_int_eq(routed_to(), was);
	ck_assert_int_eq(moves_told(), 0);
}
END_TEST

START_TEST(a_room_that_was_closed_is_announced_again)
{
	int was = node_index(create().call.room.livekit_node);

	command("HDEL room_node_map %b", room_id.at, room_id.len);
	ck_assert_int_eq(routed_to(), was);
}
END_TEST

START_TEST(livekit_has_it_elsewhere)
{
	int was = node_index(create().call.room.livekit_node), other = (was + 1) % NODES;
	struct call c;

	connect_people();
	map_to(ids[other]);
	ck_assert_int_eq(routed_to(), other);
	ck_assert_int_eq(db_log_count(log_path, "\"reason\":\"map\""), 1);
	/* Who is there is there: nobody has lost anything. */
	c = stored_call();
	ck_assert_int_eq(who_is_connected(&c)->deadline_ms, 0);
	ck_assert_int_eq(c.room.host_since_ms, 0);
}
END_TEST

START_TEST(livekit_has_it_on_a_dead_node)
{
	int was = node_index(create().call.room.livekit_node), other = (was + 1) % NODES;

	map_to(ids[other]);
	fake_node_kill(&nodes[other]);
	ck_assert_int_eq(routed_to(), was);
	map_to("ND_never_heard_of");
	ck_assert_int_eq(routed_to(), was);
	ck_assert_int_eq(moves_told(), 0);
}
END_TEST

START_TEST(livekit_re_hosted_it_first)
{
	int was = node_index(create().call.room.livekit_node), other = (was + 1) % NODES;

	fake_node_kill(&nodes[was]);
	map_to(ids[other]);
	ck_assert_int_eq(routed_to(), other);
	ck_assert_int_eq(moves_told(), 1);
	ck_assert_int_eq(db_log_count(log_path, "\"reason\":\"map\""), 1);
}
END_TEST

/* Two live nodes on one address: LiveKit knows which is meant. */
START_TEST(nodes_nobody_can_tell_apart)
{
	unsigned char record[256];
	struct routed got;
	size_t n;
	int was = node_index(create().call.room.livekit_node), other = (was + 1) % NODES;

	n = fake_node_record(record, "ND_twin", nodes[other].ip, clock_wall_ms() / 1000, 1);
	command("HSET nodes ND_twin %b", record, n);
	registry_forget(sv.registry);
	map_to("ND_twin");
	ck_assert_int_eq(route(&got), ERR_ROOM_NOT_FOUND);
	ck_assert(str_eq(mapped(), S("ND_twin")));
	ck_assert(str_eq(stored().livekit_node, str_of(nodes[was].addr)));
}
END_TEST

/* ---- tokens ---- */

static enum err
check_again(void)
{
	struct call c;
	enum err e;

	ck_assert_int_eq(change_load(&d.op, &sv, room_id, &c), ERR_OK);
	e = place_check(&d.op, &sv, &c, S(""));
	if (e == ERR_OK)
		ck_assert(str_eq(c.room.livekit_node, stored().livekit_node));
	return e;
}

static void
drain(int i)
{
	struct str addr = str_of(nodes[i].addr);

	kv_nodes_drained(&d.op, sv.kv, &addr, 1);
	registry_forget(sv.registry);
}

START_TEST(drained_before_anybody_came)
{
	int was = node_index(create().call.room.livekit_node);

	drain(was);
	ck_assert_int_eq(check_again(), ERR_OK);
	ck_assert_int_ne(routed_to(), was);
	ck_assert_int_eq(db_log_count(log_path, "\"reason\":\"drained\""), 1);
	ck_assert_int_eq(stored().host_since_ms, 0);
}
END_TEST

START_TEST(livekits_own_drain)
{
	int was = node_index(create().call.room.livekit_node);

	write_record(was, 0, 2);
	ck_assert_int_eq(check_again(), ERR_OK);
	ck_assert_int_ne(routed_to(), was);
}
END_TEST

START_TEST(drained_with_people)
{
	int was = node_index(create().call.room.livekit_node);

	connect_people();
	drain(was);
	ck_assert_int_eq(check_again(), ERR_OK);
	ck_assert_int_eq(routed_to(), was);
}
END_TEST

/* Somebody is there of whom no webhook told yet. */
START_TEST(drained_and_livekit_has_the_room)
{
	int was = node_index(create().call.room.livekit_node);

	command("HSET rooms %b x", room_id.at, room_id.len);
	drain(was);
	ck_assert_int_eq(check_again(), ERR_OK);
	ck_assert_int_eq(routed_to(), was);
}
END_TEST

START_TEST(a_token_for_a_room_on_a_node_known_to_be_dead)
{
	int was = node_index(create().call.room.livekit_node);

	fake_node_kill(&nodes[was]);
	registry_found_down(&d.op, sv.registry, sv.kv, str_of(nodes[was].addr));
	ck_assert_int_eq(check_again(), ERR_OK);
	ck_assert_int_ne(node_index(stored().livekit_node), was);
}
END_TEST

/* A mark alone moves nobody: the node is asked. */
START_TEST(a_mark_that_is_wrong)
{
	int was = node_index(create().call.room.livekit_node);

	registry_found_down(&d.op, sv.registry, sv.kv, str_of(nodes[was].addr));
	ck_assert_int_eq(check_again(), ERR_OK);
	ck_assert_int_eq(node_index(stored().livekit_node), was);
}
END_TEST

/* ---- races ---- */

/* A process of its own, as a worker is: waits for the word, routes or asks for a token, says where. */
static void
race(int go, int out, bool token)
{
	struct routed got = { 0 };
	struct call c;
	char c1;

	d.op.arena = arena_new(DB_ARENA_BYTES);
	open_services();
	ck_assert_int_eq(change_load(&d.op, &sv, room_id, &c), ERR_OK);
	(void)!write(out, "r", 1);
	(void)!read(go, &c1, 1);
	if (token && place_check(&d.op, &sv, &c, S("")) == ERR_OK)
		got.addr = c.room.livekit_node;
	else if (!token)
		(void)!place_route(&d.op, &sv, room_id, S(""), &got);
	c1 = got.addr.len > 0 ? (char)('0' + node_index(got.addr)) : '-';
	(void)!write(out, &c1, 1);
	_exit(0);
}

static void
all_at_once(int was)
{
	int go[2], out[2];
	char said[RACERS];

	ck_assert_int_eq(pipe(go), 0);
	ck_assert_int_eq(pipe(out), 0);
	for (int i = 0; i < RACERS; i++)
		if (fork() == 0) {
			(void)close(go[1]);
			race(go[0], out[1], i % 2 == 0);
		}
	for (int i = 0; i < RACERS; i++)
		ck_assert_int_eq(read(out[0], said, 1), 1);
	fake_node_kill(&nodes[was]);
	registry_found_down(&d.op, sv.registry, sv.kv, str_of(nodes[was].addr));
	(void)close(go[0]);
	(void)close(go[1]);
	for (int i = 0; i < RACERS; i++)
		ck_assert_int_eq(read(out[0], said + i, 1), 1);
	for (int i = 0; i < RACERS; i++)
		(void)wait(NULL);
	for (int i = 0; i < RACERS; i++)
		ck_assert_msg(said[i] == said[0] && said[i] != '-', "%.*s", RACERS, said);
	(void)close(out[0]);
	(void)close(out[1]);
}

START_TEST(many_find_it_dead_at_once)
{
	int was = node_index(create().call.room.livekit_node), is;

	connect_people();
	all_at_once(was);
	is = routed_to();
	ck_assert_int_ne(is, was);
	ck_assert_int_eq(moves_told(), 1);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { a_new_room_has_a_node, what_is_given_counts, nodes_with_urls_of_their_own,
		nodes_with_urls_of_their_own_are_asked, livekit_places_by_itself, no_node_at_all,
		the_usual_case_asks_no_database, a_cache_that_lost_it_learns_it_again, a_stale_cache_is_set_right,
		a_stale_cache_that_names_a_frozen_node,
		our_redis_is_gone, livekits_redis_is_gone, rooms_of_others, a_call_that_is_over,
		a_dead_node_is_left_at_once, nginx_was_refused, nginx_was_refused_and_we_are_not, all_are_dead,
		two_die_one_after_the_other, a_frozen_node_with_nobody_on_it, a_frozen_node_with_people,
		a_frozen_node_whose_report_is_old, a_node_started_anew, a_room_that_was_closed_is_announced_again,
		livekit_has_it_elsewhere, livekit_has_it_on_a_dead_node, livekit_re_hosted_it_first,
		nodes_nobody_can_tell_apart, drained_before_anybody_came, livekits_own_drain, drained_with_people,
		drained_and_livekit_has_the_room, a_token_for_a_room_on_a_node_known_to_be_dead, a_mark_that_is_wrong };
	Suite *s = suite_create("place");
	TCase *t = tcase_create("place"), *races = tcase_create("races");

	tcase_set_timeout(t, 30);
	tcase_set_timeout(races, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_checked_fixture(races, set_up, tear_down);
	for (size_t i = 0; i < N_ELEMS(tests); i++)
		tcase_add_test(t, tests[i]);
	tcase_add_loop_test(races, many_find_it_dead_at_once, 0, 5);
	suite_add_tcase(s, t);
	suite_add_tcase(s, races);
	return db_main(s);
}
