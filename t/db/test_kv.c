/* The cache on a real Redis: what it keeps, and that its absence costs nothing.
 * SPDX-License-Identifier: MIT */
#include "kv/kv.h"

#include <hiredis/hiredis.h>
#include <unistd.h>

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
	{ { "t_kv", sizeof("t_kv") - 1 }, { "ND_1", sizeof("ND_1") - 1 }, { "ws://127.0.0.1:7880", sizeof("ws://127.0.0.1:7880") - 1 }, 1, 0 },
	{ { "t_kv", sizeof("t_kv") - 1 }, { "", sizeof("") - 1 }, { "", sizeof("") - 1 }, 0, 0 },
	{ { "t_kv", sizeof("t_kv") - 1 }, { "a b\r\n%s\0c", sizeof("a b\r\n%s\0c") - 1 }, { "呼叫", sizeof("呼叫") - 1 }, 6, 0 },
};

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

START_TEST(half_an_entry_is_none)
{
	struct kv_room got = { 0 };

	(void)ask("HSET tgo:room:t_kv node n status 1", NULL, 0);
	ck_assert(!kv_room_find(&d.op, k, S("t_kv"), &got));
	(void)ask("HSET tgo:room:t_kv url u status x", NULL, 0);
	ck_assert(!kv_room_find(&d.op, k, S("t_kv"), &got));
	(void)ask("HSET tgo:room:t_kv status 2", NULL, 0);
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

int
main(void)
{
	Suite *s = suite_create("db/kv");
	TCase *tc = tcase_create("kv");

	tcase_set_timeout(tc, 20);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, a_room_comes_back, 0, N_ELEMS(ROOMS));
	tcase_add_test(tc, an_older_word_does_not_win);
	tcase_add_test(tc, half_an_entry_is_none);
	tcase_add_test(tc, a_wake_up_is_published);
	tcase_add_test(tc, the_connection_has_our_name_and_comes_back_when_killed);
	tcase_add_test(tc, a_key_of_another_type_is_told_and_costs_no_connection);
	tcase_add_test(tc, a_frozen_redis_costs_200_ms_once_a_second);
	tcase_add_test(tc, no_redis_is_no_trouble);
	tcase_add_test(tc, a_wrong_password_is_no_redis);
	tcase_add_test(tc, another_database_is_selected);
	tcase_add_test(tc, the_eviction_policy_is_read);
	suite_add_tcase(s, tc);
	return db_main(s);
}
