/* The cache on a real Redis: what it keeps, and that its absence costs nothing.
 * SPDX-License-Identifier: MIT */
#include "kv/kv.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <unistd.h>

#include "kv/kv_livekit.h"
#include "kv/kv_nodes.h"
#include "kv/kv_private.h"
#include "support/db.h"

static struct db d;
static struct kv *k;
static redisContext *direct;
static char log_path[] = "test_kv.log.XXXXXX";

/* A command by another connection; the reply as text or number. */
static int64_t
ask(const char *command, char *text, size_t cap)
{
	redisReply *r = redisCommand(direct, command);
	int64_t n;

	ck_assert_ptr_nonnull(r);
	ck_assert_msg(r->type != REDIS_REPLY_ERROR, "%s: %s", command, r->str);
	if (text != NULL)
		(void)snprintf(text, cap, "%s", r->str != NULL ? r->str : "");
	n = r->integer;
	freeReplyObject(r);
	return n;
}

static void
set_up(void)
{
	int fd = mkstemp(log_path);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	d = db_open(log_path);
	k = kv_open(d.conf);
	direct = redisConnectUnix(arena_z(d.op.arena, d.conf->redis_socket));
	ck_assert_msg(direct != NULL && direct->err == 0, "no Redis at REDIS_SOCKET");
	(void)ask("DEL tgo:room:t_kv", NULL, 0);
}

static void
tear_down(void)
{
	(void)ask("DEL tgo:room:t_kv", NULL, 0);
	redisFree(direct);
	kv_close(k);
	db_close(&d);
	(void)unlink(log_path);
}

static const struct kv_room ROOMS[] = {
	{ { "t_kv", sizeof("t_kv") - 1 }, { "ND_1", sizeof("ND_1") - 1 }, { "ws://127.0.0.1:7880", sizeof("ws://127.0.0.1:7880") - 1 }, 1, 0, { "ann\nbob", sizeof("ann\nbob") - 1 } },
	{ { "t_kv", sizeof("t_kv") - 1 }, { "", sizeof("") - 1 }, { "", sizeof("") - 1 }, 0, 0, { "", 0 } },
	{ { "t_kv", sizeof("t_kv") - 1 }, { "a b\r\n%s\0c", sizeof("a b\r\n%s\0c") - 1 }, { "呼叫", sizeof("呼叫") - 1 }, 6, 0, { "爱", sizeof("爱") - 1 } },
};

/* Hears until `n` words came, at most five seconds: the least of them. */
static int64_t
hear(struct kv_ear *e, size_t n)
{
	int64_t until = clock_mono_us() + 5000000, least, all = INT64_MAX;

	for (size_t heard = 0; heard < n;) {
		size_t some = kv_ear_hear(e, &least);

		heard += some;
		if (some > 0 && least < all)
			all = least;
		ck_assert_msg(clock_mono_us() < until, "%zu words of %zu", heard, n);
		(void)usleep(2000);
	}
	return all;
}

static struct kv_ear *
ear_open(enum kv_channel channel)
{
	struct kv_ear *e = kv_ear_open(d.conf, channel);

	ck_assert_int_eq(kv_ear_fd(e), -1);
	/* The connection itself is a word: look now. */
	ck_assert_int_eq(hear(e, 1), 0);
	ck_assert_int_ge(kv_ear_fd(e), 0);
	return e;
}

/* Nothing more goes in; the policy it had before into `policy`. */
static void
full(char *policy, size_t cap)
{
	redisReply *r = redisCommand(direct, "CONFIG GET maxmemory-policy");

	ck_assert_msg(r != NULL && r->elements == 2, "no maxmemory-policy");
	(void)snprintf(policy, cap, "%s", r->element[1]->str);
	freeReplyObject(r);
	(void)ask("CONFIG SET maxmemory-policy noeviction", NULL, 0);
	(void)ask("CONFIG SET maxmemory 1", NULL, 0);
}

static void
roomy(const char *policy)
{
	char command[128];

	(void)ask("CONFIG SET maxmemory 0", NULL, 0);
	(void)snprintf(command, sizeof(command), "CONFIG SET maxmemory-policy %s", policy);
	(void)ask(command, NULL, 0);
}

START_TEST(a_room_comes_back)
{
	struct kv_room got = { 0 };

	ck_assert(!kv_room_find(&d.op, k, S("t_kv"), &got));
	kv_room_changed(&d.op, k, &ROOMS[_i], _i == 0, 0);
	ck_assert(kv_room_find(&d.op, k, S("t_kv"), &got));
	ck_assert(str_eq(got.room_id, ROOMS[_i].room_id));
	ck_assert(str_eq(got.node, ROOMS[_i].node));
	ck_assert(str_eq(got.url, ROOMS[_i].url));
	ck_assert_int_eq(got.status, ROOMS[_i].status);
	ck_assert(str_eq(got.removed, ROOMS[_i].removed));
	ck_assert_int_gt(ask("TTL tgo:room:t_kv", NULL, 0), 0);
	ck_assert_int_le(ask("TTL tgo:room:t_kv", NULL, 0), KV_KEYS[KV_KEY_ROOM].ttl_s);
}
END_TEST

START_TEST(an_older_word_does_not_win)
{
	struct kv_room now = ROOMS[0], before = ROOMS[0], got = { 0 };

	now.version = 12;
	now.status = 2;
	before.version = 9;
	kv_room_changed(&d.op, k, &now, false, 0);
	kv_room_changed(&d.op, k, &before, false, 0);
	ck_assert(kv_room_find(&d.op, k, S("t_kv"), &got));
	ck_assert_int_eq(got.status, 2);
	now.version = 13;
	now.status = 6;
	kv_room_changed(&d.op, k, &now, false, 0);
	ck_assert(kv_room_find(&d.op, k, S("t_kv"), &got));
	ck_assert_int_eq(got.status, 6);
}
END_TEST

/* What is doubted is not there, whatever an older word says, until somebody says what is true. */
START_TEST(what_is_doubted_is_not_there)
{
	struct kv_room now = ROOMS[0], before = ROOMS[0], got = { 0 };
	struct kv_ear *ear = ear_open(KV_WAKE);
	int64_t least;

	now.version = 12;
	before.version = 9;
	kv_room_changed(&d.op, k, &now, false, 0);
	kv_room_doubted(&d.op, k, S("t_kv"), false);
	ck_assert(!kv_room_find(&d.op, k, S("t_kv"), &got));
	kv_room_changed(&d.op, k, &before, false, 0);
	ck_assert(!kv_room_find(&d.op, k, S("t_kv"), &got));
	ck_assert_uint_eq(kv_ear_hear(ear, &least), 0);
	kv_room_doubted(&d.op, k, S("t_kv"), true);
	ck_assert_int_eq(hear(ear, 1), 0);
	kv_room_changed(&d.op, k, &now, false, 0);
	ck_assert(kv_room_find(&d.op, k, S("t_kv"), &got));
	/* One that Redis knows nothing of stays unknown. */
	(void)ask("DEL tgo:room:t_kv", NULL, 0);
	kv_room_doubted(&d.op, k, S("t_kv"), false);
	ck_assert_int_eq(ask("EXISTS tgo:room:t_kv", NULL, 0), 0);
	kv_ear_close(ear);
}
END_TEST

/* It answers reads as ever, and would go on saying what was true before. */
START_TEST(a_full_redis_forgets_what_it_cannot_be_told)
{
	struct kv_room got = { 0 };
	char policy[64];
	bool found;

	kv_room_changed(&d.op, k, &ROOMS[0], false, 0);
	full(policy, sizeof(policy));
	kv_room_changed(&d.op, k, &ROOMS[1], false, 0);
	found = kv_room_find(&d.op, k, S("t_kv"), &got);
	roomy(policy);
	ck_assert(!found);
	ck_assert_int_eq(db_log_count(log_path, "redis_unavailable"), 1);
	kv_room_changed(&d.op, k, &ROOMS[1], false, 0);
	ck_assert(kv_room_find(&d.op, k, S("t_kv"), &got));
}
END_TEST

START_TEST(a_new_connection_has_another_number)
{
	int64_t first = kv_connection(&d.op, k);
	struct str socket = d.conf->redis_socket;

	ck_assert_int_gt(first, 0);
	ck_assert_int_eq(kv_connection(&d.op, k), first);
	(void)ask("CLIENT KILL TYPE normal SKIPME yes", NULL, 0);
	ck_assert_int_gt(kv_connection(&d.op, k), first);
	(void)ask("CLIENT KILL TYPE normal SKIPME yes", NULL, 0);
	d.conf->redis_socket = S("no-such-socket");
	ck_assert_int_eq(kv_connection(&d.op, k), 0);
	d.conf->redis_socket = socket;
}
END_TEST

START_TEST(half_an_entry_is_none)
{
	struct kv_room got = { 0 };

	(void)ask("HSET tgo:room:t_kv node n status 1", NULL, 0);
	ck_assert(!kv_room_find(&d.op, k, S("t_kv"), &got));
	(void)ask("HSET tgo:room:t_kv url u status x", NULL, 0);
	ck_assert(!kv_room_find(&d.op, k, S("t_kv"), &got));
	(void)ask("HSET tgo:room:t_kv status 2", NULL, 0);
	ck_assert(!kv_room_find(&d.op, k, S("t_kv"), &got));
	(void)ask("HSET tgo:room:t_kv removed ann", NULL, 0);
	ck_assert(kv_room_find(&d.op, k, S("t_kv"), &got));
}
END_TEST

START_TEST(a_wake_up_is_published)
{
	redisReply *r = redisCommand(direct, "SUBSCRIBE tgo:wake");
	void *message = NULL;

	freeReplyObject(r);
	kv_room_changed(&d.op, k, &ROOMS[0], false, 5);
	kv_room_changed(&d.op, k, &ROOMS[0], true, 1790000000123);
	ck_assert_int_eq(redisGetReply(direct, &message), REDIS_OK);
	r = message;
	ck_assert_uint_eq(r->elements, 3);
	ck_assert_str_eq(r->element[2]->str, "1790000000123");
	freeReplyObject(r);
	r = redisCommand(direct, "UNSUBSCRIBE");
	freeReplyObject(r);
}
END_TEST

START_TEST(the_connection_has_our_name_and_comes_back_when_killed)
{
	struct kv_room got = { 0 };
	redisReply *r;

	kv_room_changed(&d.op, k, &ROOMS[0], false, 0);
	r = redisCommand(direct, "CLIENT LIST");
	ck_assert_ptr_nonnull(strstr(r->str, "name=tgo-call"));
	freeReplyObject(r);
	(void)ask("CLIENT KILL TYPE normal SKIPME yes", NULL, 0);
	ck_assert(kv_room_find(&d.op, k, S("t_kv"), &got));
	ck_assert_int_eq(db_log_count(log_path, "redis_unavailable"), 0);
}
END_TEST

START_TEST(a_key_of_another_type_is_told_and_costs_no_connection)
{
	struct kv_room got = { 0 };

	(void)ask("SET tgo:room:t_kv x", NULL, 0);
	kv_room_changed(&d.op, k, &ROOMS[0], true, 0);
	ck_assert(!kv_room_find(&d.op, k, S("t_kv"), &got));
	ck_assert(kv_ping(&d.op, k));
	ck_assert_int_eq(db_log_count(log_path, "redis_unavailable"), 1);
}
END_TEST

START_TEST(a_frozen_redis_costs_200_ms_once_a_second)
{
	struct kv_room got = { 0 };
	int64_t start, first, rest;

	kv_room_changed(&d.op, k, &ROOMS[0], false, 0);
	/* Answers nobody until the pause is over, as if it were stopped. */
	(void)ask("CLIENT PAUSE 900 ALL", NULL, 0);
	start = clock_mono_us();
	kv_room_changed(&d.op, k, &ROOMS[0], true, 0);
	first = clock_mono_us() - start;
	for (int i = 0; i < 100; i++)
		ck_assert(!kv_room_find(&d.op, k, S("t_kv"), &got));
	rest = clock_mono_us() - start - first;
	ck_assert_int_ge(first, 150000);
	ck_assert_int_le(first, 400000);
	ck_assert_int_le(rest, 100000);
	ck_assert_int_eq(db_log_count(log_path, "redis_unavailable"), 1);
	(void)usleep(1300000);
	ck_assert(kv_room_find(&d.op, k, S("t_kv"), &got));
	/* The limit holds on the second connection too. */
	(void)ask("CLIENT PAUSE 900 ALL", NULL, 0);
	start = clock_mono_us();
	ck_assert(!kv_ping(&d.op, k));
	ck_assert_int_le(clock_mono_us() - start, 400000);
	(void)usleep(900000);
}
END_TEST

START_TEST(no_redis_is_no_trouble)
{
	struct kv_room got = { 0 };
	int64_t start = clock_mono_us();

	d.conf->redis_socket = S("no-such-socket");
	for (int i = 0; i < 100; i++) {
		kv_room_changed(&d.op, k, &ROOMS[0], true, 0);
		ck_assert(!kv_room_find(&d.op, k, S("t_kv"), &got));
	}
	ck_assert(!kv_ping(&d.op, k));
	ck_assert_uint_eq(kv_eviction_policy(&d.op, k).len, 0);
	ck_assert_int_le(clock_mono_us() - start, 300000);
	ck_assert_int_eq(db_log_count(log_path, "redis_unavailable"), 1);
}
END_TEST

START_TEST(a_wrong_password_is_no_redis)
{
	d.conf->redis_password = S("not the password");
	ck_assert(!kv_ping(&d.op, k));
	ck_assert_int_eq(db_log_count(log_path, "redis_unavailable"), 1);
	ck_assert_int_eq(db_log_count(log_path, "not the password"), 0);
}
END_TEST

START_TEST(another_database_is_selected)
{
	d.conf->redis_db = 3;
	kv_room_changed(&d.op, k, &ROOMS[0], false, 0);
	ck_assert_int_eq(ask("EXISTS tgo:room:t_kv", NULL, 0), 0);
	(void)ask("SELECT 3", NULL, 0);
	ck_assert_int_eq(ask("EXISTS tgo:room:t_kv", NULL, 0), 1);
}
END_TEST

START_TEST(the_eviction_policy_is_read)
{
	struct str got = kv_eviction_policy(&d.op, k);

	ck_assert(str_eq(got, S("noeviction")) || str_starts(got, S("allkeys-")) ||
	    str_starts(got, S("volatile-")));
}
END_TEST

/* ---- hearing ---- */

/* Rooms of one commit: an entry for each, one word for all. */
START_TEST(several_rooms_at_once)
{
	struct kv_room rooms[50] = { 0 }, got = { 0 };
	struct kv_ear *ear = ear_open(KV_WAKE);
	const int64_t at = 1790000000321;

	for (int i = 0; i < 50; i++)
		rooms[i] = (struct kv_room){ .room_id = arena_printf(d.op.arena, "t_kv%d", i), .node = S("n"),
		    .url = S("u"), .status = i % 7, .version = 1 };
	kv_rooms_changed(&d.op, k, rooms, 50, NULL);
	kv_rooms_changed(&d.op, k, rooms, 0, &at);
	for (int i = 0; i < 50; i++) {
		ck_assert(kv_room_find(&d.op, k, rooms[i].room_id, &got));
		ck_assert_int_eq(got.status, i % 7);
	}
	kv_rooms_changed(&d.op, k, rooms, 50, &at);
	ck_assert_int_eq(hear(ear, 1), at);
	kv_ear_close(ear);
}
END_TEST

START_TEST(words_are_heard)
{
	struct kv_ear *wake = ear_open(KV_WAKE), *numbered = ear_open(KV_NUMBERED);
	int64_t least = 7;

	ck_assert_uint_eq(kv_ear_hear(wake, &least), 0);
	ck_assert_int_eq(least, 0);
	kv_ear_say(&d.op, k, KV_WAKE, 500);
	kv_ear_say(&d.op, k, KV_WAKE, 300);
	kv_ear_say(&d.op, k, KV_NUMBERED, 41);
	kv_ear_say(&d.op, k, KV_WAKE, 400);
	ck_assert_int_eq(hear(wake, 3), 300);
	ck_assert_int_eq(hear(numbered, 1), 41);
	kv_room_changed(&d.op, k, &ROOMS[0], true, 1790000000123);
	ck_assert_int_eq(hear(wake, 1), 1790000000123);
	ck_assert_uint_eq(kv_ear_hear(numbered, &least), 0);
	/* What is no number still means that there is something. */
	(void)ask("PUBLISH tgo:wake nonsense", NULL, 0);
	ck_assert_int_eq(hear(wake, 1), 0);
	kv_ear_close(wake);
	kv_ear_close(numbered);
}
END_TEST

START_TEST(a_word_makes_the_descriptor_readable)
{
	struct kv_ear *e = ear_open(KV_WAKE);
	struct pollfd p = { .fd = kv_ear_fd(e), .events = POLLIN };

	ck_assert_int_eq(poll(&p, 1, 50), 0);
	kv_ear_say(&d.op, k, KV_WAKE, 5);
	ck_assert_int_eq(poll(&p, 1, 2000), 1);
	ck_assert_int_eq(hear(e, 1), 5);
	ck_assert_int_eq(poll(&p, 1, 50), 0);
	kv_ear_close(e);
}
END_TEST

START_TEST(many_words_at_once)
{
	struct kv_ear *e = ear_open(KV_WAKE);

	for (int i = 0; i < 20000; i++)
		kv_ear_say(&d.op, k, KV_WAKE, 1000000 - i);
	ck_assert_int_eq(hear(e, 20000), 1000000 - 19999);
	kv_ear_close(e);
}
END_TEST

START_TEST(an_ear_that_was_cut_off_hears_again)
{
	struct kv_ear *e = ear_open(KV_WAKE);
	int64_t start = clock_mono_us();

	(void)ask("CLIENT KILL TYPE pubsub", NULL, 0);
	/* Said into the gap: the new connection stands for it. */
	kv_ear_say(&d.op, k, KV_WAKE, 5);
	ck_assert_int_eq(hear(e, 1), 0);
	/* Not before a second is over, so that a Redis in trouble is left in peace. */
	ck_assert_int_ge(clock_mono_us() - start, 900000);
	kv_ear_say(&d.op, k, KV_WAKE, 6);
	ck_assert_int_eq(hear(e, 1), 6);
	kv_ear_close(e);
}
END_TEST

START_TEST(without_redis_there_is_nothing_to_hear)
{
	struct kv_ear *e;
	struct str socket = d.conf->redis_socket;
	int64_t least, start;

	d.conf->redis_socket = S("no-such-socket");
	e = kv_ear_open(d.conf, KV_WAKE);
	start = clock_mono_us();
	for (int i = 0; i < 1000; i++)
		ck_assert_uint_eq(kv_ear_hear(e, &least), 0);
	ck_assert_int_eq(kv_ear_fd(e), -1);
	ck_assert_int_le(clock_mono_us() - start, 300000);
	d.conf->redis_socket = socket;
	ck_assert_int_eq(hear(e, 1), 0);
	kv_ear_close(e);
	kv_ear_close(NULL);
}
END_TEST

START_TEST(a_redis_that_says_nothing_is_asked_and_left)
{
	struct kv_ear *e = ear_open(KV_WAKE);
	int64_t least, until;

	/* Quiet, but alive: the question makes no word. */
	(void)usleep(1100000);
	for (int i = 0; i < 50; i++) {
		ck_assert_uint_eq(kv_ear_hear(e, &least), 0);
		ck_assert_int_ge(kv_ear_fd(e), 0);
		(void)usleep(2000);
	}
	(void)ask("CLIENT PAUSE 3500 ALL", NULL, 0);
	until = clock_mono_us() + 3000000;
	while (kv_ear_fd(e) >= 0) {
		ck_assert_uint_eq(kv_ear_hear(e, &least), 0);
		ck_assert_msg(clock_mono_us() < until, "it is still listened to");
		(void)usleep(20000);
	}
	ck_assert_int_eq(hear(e, 1), 0);
	kv_ear_close(e);
}
END_TEST

/* ---- what is LiveKit's ---- */

START_TEST(the_nodes_as_they_stand)
{
	struct kv *lk = kv_open_livekit(d.conf);
	struct kv_pair *nodes;
	bool seen = false;
	size_t n;

	(void)ask("HSET nodes ND_t_kv a\xff\n\x01", NULL, 0);
	ck_assert(kv_livekit_nodes(&d.op, lk, &nodes, &n));
	for (size_t i = 0; i < n; i++)
		if (str_eq(nodes[i].field, S("ND_t_kv"))) {
			seen = true;
			ck_assert(str_starts(nodes[i].value, S("a\xff")));
		}
	ck_assert(seen);
	(void)ask("HDEL nodes ND_t_kv", NULL, 0);
	kv_close(lk);
}
END_TEST

START_TEST(where_rooms_live)
{
	enum { N = 1203 };
	struct kv *lk = kv_open_livekit(d.conf);
	struct str rooms[N], nodes[N];

	(void)ask("HSET room_node_map t_kv_0 ND_a t_kv_500 ND_b t_kv_1202 ND_c", NULL, 0);
	for (int i = 0; i < N; i++)
		rooms[i] = arena_printf(d.op.arena, "t_kv_%d", i);
	ck_assert(kv_livekit_map(&d.op, lk, rooms, N, nodes));
	ck_assert(str_eq(nodes[0], S("ND_a")));
	ck_assert(str_eq(nodes[500], S("ND_b")));
	ck_assert(str_eq(nodes[1202], S("ND_c")));
	ck_assert_uint_eq(nodes[1].len, 0);
	ck_assert(kv_livekit_map(&d.op, lk, rooms, 0, nodes));
	(void)ask("HDEL room_node_map t_kv_0 t_kv_500 t_kv_1202", NULL, 0);
	kv_close(lk);
}
END_TEST

START_TEST(only_a_room_that_is_none_loses_its_place)
{
	struct kv *lk = kv_open_livekit(d.conf);

	(void)ask("HSET room_node_map t_kv_1 ND_a t_kv_2 ND_a", NULL, 0);
	(void)ask("HSET rooms t_kv_1 x", NULL, 0);
	ck_assert(kv_livekit_unmap(&d.op, lk, S("t_kv_1")));
	ck_assert(kv_livekit_unmap(&d.op, lk, S("t_kv_2")));
	ck_assert(kv_livekit_unmap(&d.op, lk, S("t_kv_3")));
	ck_assert_int_eq(ask("HEXISTS room_node_map t_kv_1", NULL, 0), 1);
	ck_assert_int_eq(ask("HEXISTS room_node_map t_kv_2", NULL, 0), 0);
	(void)ask("HDEL room_node_map t_kv_1", NULL, 0);
	(void)ask("HDEL rooms t_kv_1", NULL, 0);
	kv_close(lk);
}
END_TEST

START_TEST(livekits_redis_is_one_of_its_own)
{
	struct kv *lk = kv_open_livekit(d.conf);
	struct str room = S("t_kv"), node;
	struct kv_pair *nodes;
	size_t n;

	d.conf->lk_redis_socket = S("no-such-socket");
	ck_assert(kv_ping(&d.op, k));
	ck_assert(!kv_livekit_nodes(&d.op, lk, &nodes, &n));
	ck_assert(!kv_livekit_map(&d.op, lk, &room, 1, &node));
	ck_assert(!kv_livekit_unmap(&d.op, lk, room));
	ck_assert_int_eq(db_log_count(log_path, "redis_unavailable"), 1);
	ck_assert_int_eq(db_log_count(log_path, "\"whose\":\"LiveKit\""), 1);
	kv_close(lk);
}
END_TEST

/* A server that refuses one of two commands in a round trip answers the other one all the same. */
START_TEST(a_full_redis_mixes_no_answers_up)
{
	struct kv *lk = kv_open_livekit(d.conf);
	struct str node = S("");
	bool announced, answers, there = true;
	struct kv_pair *nodes;
	char policy[64];
	size_t n = 0;

	(void)ask("HSET nodes ND_t_kv x", NULL, 0);
	(void)ask("HDEL room_node_map t_kv_1 t_kv_2", NULL, 0);
	full(policy, sizeof(policy));
	announced = kv_livekit_announce(&d.op, lk, S("t_kv_1"), S("ND_a"), &node);
	kv_nodes_given(&d.op, k, S("10.0.0.1:7880"), 0);
	kv_nodes_down(&d.op, k, S("10.0.0.1:7880"), INT64_MAX);
	kv_room_changed(&d.op, k, &ROOMS[0], true, 0);
	answers = kv_ping(&d.op, k);
	roomy(policy);
	ck_assert(!announced && answers);
	ck_assert(kv_livekit_nodes(&d.op, lk, &nodes, &n));
	ck_assert_uint_ge(n, 1);
	ck_assert(kv_livekit_announce(&d.op, lk, S("t_kv_2"), S("ND_b"), &node));
	ck_assert(str_eq(node, S("ND_b")));
	ck_assert(kv_livekit_has_room(&d.op, lk, S("t_kv_2"), &there) && !there);
	(void)ask("HDEL nodes ND_t_kv", NULL, 0);
	(void)ask("HDEL room_node_map t_kv_2", NULL, 0);
	kv_close(lk);
}
END_TEST

START_TEST(answers_nobody_took_cost_the_connection)
{
	struct kv_room got = { 0 };

	kv_room_changed(&d.op, k, &ROOMS[0], false, 0);
	ck_assert(kv_need(&d.op, k));
	kv_send(k, "PING");
	kv_send(k, "ECHO %s", "stranger");
	kv_send(k, "ECHO %b", "x", (size_t)1);
	ck_assert(kv_next_ok(&d.op, k));
	ck_assert(kv_room_find(&d.op, k, S("t_kv"), &got));
	ck_assert(str_eq(got.node, ROOMS[0].node));
	ck_assert(kv_ping(&d.op, k));
	ck_assert_int_eq(db_log_count(log_path, "redis_unavailable"), 0);
}
END_TEST

static enum kv_rate
take(struct str what, struct str who, int64_t n, int64_t window_s, int64_t *wait_ms)
{
	const struct kv_rate_ask rule = { .what = what, .who = who, .n = n, .window_s = window_s };

	return kv_rate_take(&d.op, k, &rule, wait_ms);
}

START_TEST(so_often_and_no_more)
{
	int64_t wait_ms = -1;

	(void)ask("DEL tgo:rate:create:t_kv tgo:rate:token:t_kv", NULL, 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(take(S("create"), S("t_kv"), 3, 100, &wait_ms), KV_RATE_FREE);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(take(S("create"), S("t_kv"), 3, 100, &wait_ms), KV_RATE_SPENT);
		ck_assert_int_gt(wait_ms, 0);
		ck_assert_int_le(wait_ms, 100 * 1000);
	}
	/* What was refused is not counted: a wider rule has room at once. */
	ck_assert_int_eq(ask("GET tgo:rate:create:t_kv", NULL, 0), 0);
	ck_assert_int_eq(take(S("create"), S("t_kv"), 4, 100, &wait_ms), KV_RATE_FREE);
	ck_assert_int_eq(take(S("token"), S("t_kv"), 1, 100, &wait_ms), KV_RATE_FREE);
	ck_assert_int_eq(ask("EXISTS tgo:rate:create:t_kv tgo:rate:token:t_kv", NULL, 0), 2);
	ck_assert_int_gt(ask("TTL tgo:rate:create:t_kv", NULL, 0), 0);
	(void)ask("DEL tgo:rate:create:t_kv tgo:rate:token:t_kv", NULL, 0);
}
END_TEST

START_TEST(a_server_that_forgot_the_script_is_told_it_again)
{
	int64_t wait_ms;

	(void)ask("DEL tgo:rate:create:t_kv", NULL, 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(take(S("create"), S("t_kv"), 3, 100, &wait_ms), KV_RATE_FREE);
		(void)ask("SCRIPT FLUSH", NULL, 0);
	}
	ck_assert_int_eq(take(S("create"), S("t_kv"), 3, 100, &wait_ms), KV_RATE_SPENT);
	ck_assert_int_eq(db_log_count(log_path, "redis_unavailable"), 0);
	(void)ask("DEL tgo:rate:create:t_kv", NULL, 0);
}
END_TEST

START_TEST(a_rate_that_cannot_be_read_is_not_known)
{
	int64_t wait_ms;
	char long_name[600];

	memset(long_name, 'x', sizeof(long_name));
	(void)ask("DEL tgo:rate:create:t_kv", NULL, 0);
	(void)ask("HSET tgo:rate:create:t_kv a b", NULL, 0);
	ck_assert_int_eq(take(S("create"), S("t_kv"), 3, 100, &wait_ms), KV_RATE_UNKNOWN);
	(void)ask("DEL tgo:rate:create:t_kv", NULL, 0);
	ck_assert_int_eq(take(S("create"), (struct str){ long_name, sizeof(long_name) }, 3, 100, &wait_ms),
	    KV_RATE_UNKNOWN);
	kv_close(k);
	d.conf->redis_socket = S("no-such-socket");
	k = kv_open(d.conf);
	ck_assert_int_eq(take(S("create"), S("t_kv"), 3, 100, &wait_ms), KV_RATE_UNKNOWN);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("db/kv");
	TCase *tc = tcase_create("kv");

	tcase_set_timeout(tc, 20);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, a_room_comes_back, 0, N_ELEMS(ROOMS));
	tcase_add_test(tc, an_older_word_does_not_win);
	tcase_add_test(tc, what_is_doubted_is_not_there);
	tcase_add_test(tc, a_full_redis_forgets_what_it_cannot_be_told);
	tcase_add_test(tc, a_new_connection_has_another_number);
	tcase_add_test(tc, half_an_entry_is_none);
	tcase_add_test(tc, a_wake_up_is_published);
	tcase_add_test(tc, several_rooms_at_once);
	tcase_add_test(tc, the_connection_has_our_name_and_comes_back_when_killed);
	tcase_add_test(tc, a_key_of_another_type_is_told_and_costs_no_connection);
	tcase_add_test(tc, a_frozen_redis_costs_200_ms_once_a_second);
	tcase_add_test(tc, no_redis_is_no_trouble);
	tcase_add_test(tc, a_wrong_password_is_no_redis);
	tcase_add_test(tc, another_database_is_selected);
	tcase_add_test(tc, the_eviction_policy_is_read);
	tcase_add_test(tc, words_are_heard);
	tcase_add_test(tc, a_word_makes_the_descriptor_readable);
	tcase_add_test(tc, many_words_at_once);
	tcase_add_test(tc, an_ear_that_was_cut_off_hears_again);
	tcase_add_test(tc, without_redis_there_is_nothing_to_hear);
	tcase_add_test(tc, a_redis_that_says_nothing_is_asked_and_left);
	tcase_add_test(tc, the_nodes_as_they_stand);
	tcase_add_test(tc, where_rooms_live);
	tcase_add_test(tc, only_a_room_that_is_none_loses_its_place);
	tcase_add_test(tc, livekits_redis_is_one_of_its_own);
	tcase_add_test(tc, a_full_redis_mixes_no_answers_up);
	tcase_add_test(tc, answers_nobody_took_cost_the_connection);
	tcase_add_test(tc, so_often_and_no_more);
	tcase_add_test(tc, a_server_that_forgot_the_script_is_told_it_again);
	tcase_add_test(tc, a_rate_that_cannot_be_read_is_not_known);
	suite_add_tcase(s, tc);
	return db_main(s);
}
