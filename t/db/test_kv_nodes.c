/* Marks, counts and leftovers on a real Redis.
 * SPDX-License-Identifier: MIT */
#include "kv/kv_nodes.h"

#include <hiredis/hiredis.h>

#include "kv/kv_leftovers.h"
#include "livekit/registry.h"
#include "support/db.h"

/* Begins a period of counts. */
static const int64_t NOW_MS = 1795000000000;

static struct db d;
static struct kv *k;
static redisContext *direct;

static int64_t
ask(const char *command)
{
	redisReply *r = redisCommand(direct, command);
	int64_t n;

	ck_assert_ptr_nonnull(r);
	ck_assert_msg(r->type != REDIS_REPLY_ERROR, "%s: %s", command, r->str);
	n = r->integer;
	freeReplyObject(r);
	return n;
}

static void
forget(void)
{
	(void)ask("DEL tgo:nodes:down tgo:nodes:drained tgo:nodes:given:179500000 tgo:nodes:given:179500001 "
	    "tgo:nodes:given:179500002");
	(void)ask("DEL room_node_map nodes rooms room_internal room_participants:t1 room_participants:t2 "
	    "agent_dispatch:t1 agent_job:t1 room_lock:t1");
}

static void
set_up(void)
{
	d = db_open(NULL);
	k = kv_open(d.conf);
	direct = redisConnectUnix(arena_z(d.op.arena, d.conf->redis_socket));
	ck_assert_msg(direct != NULL && direct->err == 0, "no Redis at REDIS_SOCKET");
	forget();
}

static void
tear_down(void)
{
	forget();
	redisFree(direct);
	kv_close(k);
	db_close(&d);
}

static bool known;

static struct kv_node
get(const char *addr, int64_t now_ms)
{
	struct kv_node *nodes;
	size_t n;

	ck_assert(kv_nodes_read(&d.op, k, now_ms, &nodes, &n, &known));
	for (size_t i = 0; i < n; i++)
		if (str_eq(nodes[i].addr, str_of(addr)))
			return nodes[i];
	return (struct kv_node){ 0 };
}

START_TEST(an_empty_redis_knows_nothing)
{
	struct kv_node *nodes;
	size_t n = 7;

	ck_assert(kv_nodes_read(&d.op, k, NOW_MS, &nodes, &n, &known));
	ck_assert_uint_eq(n, 0);
	ck_assert(!known);
}
END_TEST

START_TEST(a_node_is_down_until_its_time_or_until_it_is_up)
{
	kv_nodes_down(&d.op, k, S("10.0.0.1:7880"), NOW_MS + 1000);
	kv_nodes_down(&d.op, k, S("[fd00::1]:7880"), NOW_MS + 1000);
	ck_assert(get("10.0.0.1:7880", NOW_MS).down && get("[fd00::1]:7880", NOW_MS).down);
	ck_assert(!get("10.0.0.1:7880", NOW_MS + 1000).down);
	kv_nodes_up(&d.op, k, S("10.0.0.1:7880"));
	ck_assert(!get("10.0.0.1:7880", NOW_MS).down && get("[fd00::1]:7880", NOW_MS).down);
	kv_nodes_down(&d.op, k, S("[fd00::1]:7880"), NOW_MS + 5000);
	ck_assert(get("[fd00::1]:7880", NOW_MS + 4999).down);
	ck_assert_int_gt(ask("TTL tgo:nodes:down"), 0);
}
END_TEST

START_TEST(drains_replace_each_other_and_say_that_they_are_whole)
{
	const struct str both[] = { S("a:1"), S("b:1") }, one[] = { S("b:1") };

	kv_nodes_drained(&d.op, k, both, 2);
	ck_assert(get("a:1", NOW_MS).drained && get("b:1", NOW_MS).drained && known);
	kv_nodes_drained(&d.op, k, one, 1);
	ck_assert(!get("a:1", NOW_MS).drained && get("b:1", NOW_MS).drained && known);
	kv_nodes_drained(&d.op, k, NULL, 0);
	ck_assert(!get("b:1", NOW_MS).drained && known);
	ck_assert_int_gt(ask("TTL tgo:nodes:drained"), 0);
}
END_TEST

START_TEST(counts_live_one_to_two_periods)
{
	for (int i = 0; i < 3; i++)
		kv_nodes_given(&d.op, k, S("a:1"), NOW_MS + i);
	kv_nodes_given(&d.op, k, S("a:1"), NOW_MS + GIVEN_S * 1000);
	kv_nodes_given(&d.op, k, S("b:1"), NOW_MS + GIVEN_S * 1000);
	ck_assert_int_eq(get("a:1", NOW_MS).n_given, 3);
	ck_assert_int_eq(get("a:1", NOW_MS + GIVEN_S * 1000).n_given, 4);
	ck_assert_int_eq(get("b:1", NOW_MS + GIVEN_S * 1000).n_given, 1);
	ck_assert_int_eq(get("a:1", NOW_MS + 2 * GIVEN_S * 1000).n_given, 1);
	ck_assert_int_eq(get("a:1", NOW_MS + 3 * GIVEN_S * 1000).n_given, 0);
	ck_assert_int_gt(ask("TTL tgo:nodes:given:179500000"), 0);
}
END_TEST

START_TEST(a_node_is_one_entry)
{
	const struct str drained[] = { S("a:1") };
	struct kv_node got;

	kv_nodes_down(&d.op, k, S("a:1"), NOW_MS + 1000);
	kv_nodes_drained(&d.op, k, drained, 1);
	kv_nodes_given(&d.op, k, S("a:1"), NOW_MS);
	got = get("a:1", NOW_MS);
	ck_assert(got.down && got.drained);
	ck_assert_int_eq(got.n_given, 1);
}
END_TEST

START_TEST(nonsense_is_passed_over)
{
	(void)ask("HSET tgo:nodes:down a:1 x b:1 -5 c:1 99999999999999999999");
	(void)ask("HSET tgo:nodes:given:179500000 a:1 many");
	ck_assert(!get("a:1", NOW_MS).down && !get("b:1", NOW_MS).down && !get("c:1", NOW_MS).down);
	ck_assert_int_eq(get("a:1", NOW_MS).n_given, 0);
}
END_TEST

START_TEST(a_key_of_another_type_is_no_answer_and_costs_no_connection)
{
	struct kv_node *nodes;
	size_t n;

	(void)ask("SET tgo:nodes:drained x");
	ck_assert(!kv_nodes_read(&d.op, k, NOW_MS, &nodes, &n, &known));
	ck_assert(kv_ping(&d.op, k));
	/* Written over as a whole. */
	kv_nodes_drained(&d.op, k, NULL, 0);
	ck_assert(kv_nodes_read(&d.op, k, NOW_MS, &nodes, &n, &known));
}
END_TEST

START_TEST(without_redis_nothing_is_known)
{
	struct kv_node *nodes;
	size_t n;

	d.conf->redis_socket = S("no-such-socket");
	kv_nodes_down(&d.op, k, S("a:1"), NOW_MS);
	kv_nodes_given(&d.op, k, S("a:1"), NOW_MS);
	kv_nodes_drained(&d.op, k, NULL, 0);
	ck_assert(!kv_nodes_read(&d.op, k, NOW_MS, &nodes, &n, &known));
}
END_TEST

/* ---- the registry on it ---- */

START_TEST(the_registry_sees_marks_and_counts)
{
	static struct static_node listed[] = { { .host = { "10.0.0.1", 8 }, .port = 7880, .weight = 100 },
		{ .host = { "10.0.0.2", 8 }, .port = 7880, .weight = 100 } };
	const struct str drained[] = { S("10.0.0.2:7880") };
	struct registry *r;
	struct snapshot s;

	d.conf->nodes = listed;
	d.conf->n_nodes = 2;
	d.conf->down_ms = 10000;
	r = registry_open(d.conf);
	kv_nodes_drained(&d.op, k, drained, 1);
	registry_snapshot(&d.op, r, k, k, &s);
	ck_assert_uint_eq(s.n, 2);
	ck_assert(!s.partial && s.nodes[1].drained && !s.nodes[0].drained && node_takes_rooms(&s.nodes[0]));
	kv_nodes_given(&d.op, k, S("10.0.0.1:7880"), clock_wall_ms());
	kv_nodes_drained(&d.op, k, NULL, 0);
	ck_assert_int_eq(s.nodes[0].n_assigned, 0);
	registry_recount(&d.op, r, k);
	ck_assert_int_eq(s.nodes[0].n_assigned, 1);
	ck_assert(!s.nodes[1].drained);
	/* What one process found, the others see. */
	registry_found_down(&d.op, r, k, S("10.0.0.1:7880"));
	ck_assert(get("10.0.0.1:7880", clock_wall_ms()).down);
	/* And what a probe found since counts more than what this process found. */
	kv_nodes_up(&d.op, k, S("10.0.0.1:7880"));
	registry_forget(r);
	registry_snapshot(&d.op, r, k, k, &s);
	ck_assert(!s.nodes[0].down);
	/* Redis goes away: what was known stays. */
	kv_nodes_drained(&d.op, k, drained, 1);
	registry_recount(&d.op, r, k);
	registry_forget(r);
	registry_snapshot(&d.op, r, NULL, NULL, &s);
	ck_assert(s.partial && s.nodes[1].drained);
	registry_close(r);
}
END_TEST

/* ---- leftovers ---- */

static void
a_dead_room(void)
{
	(void)ask("HSET room_node_map t1 ND_dead t2 ND_live");
	(void)ask("HSET nodes ND_live record");
	(void)ask("HSET rooms t1 x t2 x");
	(void)ask("HSET room_internal t1 x t2 x");
	(void)ask("HSET room_participants:t1 bob x");
	(void)ask("HSET room_participants:t2 bob x ann y");
	(void)ask("HSET agent_dispatch:t1 d x");
	(void)ask("HSET agent_job:t1 j x");
}

static bool
clear(struct str room, struct str node, struct str record)
{
	struct left_room l = { .room = room, .node = node, .record = record, .cleared = true };

	ck_assert(kv_leftovers_clear(&d.op, k, &l, 1));
	return l.cleared;
}

START_TEST(a_dead_room_goes_with_all_its_keys)
{
	a_dead_room();
	ck_assert(clear(S("t1"), S("ND_dead"), S("")));
	ck_assert_int_eq(ask("EXISTS room_participants:t1 agent_dispatch:t1 agent_job:t1"), 0);
	ck_assert_int_eq(ask("HEXISTS room_node_map t1") + ask("HEXISTS rooms t1") + ask("HEXISTS room_internal t1"), 0);
	ck_assert_int_eq(ask("HEXISTS room_node_map t2") + ask("HEXISTS rooms t2") + ask("HEXISTS room_internal t2"), 3);
	ck_assert_int_eq(ask("HLEN room_participants:t2"), 2);
	ck_assert(!clear(S("t1"), S("ND_dead"), S("")));
}
END_TEST

/* What happened between looking and clearing. */
static const char *const MEANWHILE[] = {
	"HSET room_node_map t1 ND_live", "HDEL room_node_map t1", "HSET nodes ND_dead again", "SET room_lock:t1 LOCK",
};

START_TEST(what_came_back_stays)
{
	a_dead_room();
	(void)ask(MEANWHILE[_i]);
	ck_assert(!clear(S("t1"), S("ND_dead"), S("")));
	ck_assert_int_eq(ask("HEXISTS rooms t1"), 1);
	ck_assert_int_eq(ask("EXISTS room_participants:t1"), 1);
}
END_TEST

START_TEST(a_stale_record_must_be_the_same)
{
	a_dead_room();
	(void)ask("HSET nodes ND_dead old");
	ck_assert(!clear(S("t1"), S("ND_dead"), S("older")));
	ck_assert(clear(S("t1"), S("ND_dead"), S("old")));
}
END_TEST

START_TEST(many_rooms_at_once)
{
	enum { N = 1050 };
	struct left_room *l = arena_array(d.op.arena, N, sizeof(*l));
	struct kv_pair *map;
	int64_t cursor = 0;
	size_t n = 0, some;
	char command[80];

	a_dead_room();
	for (int i = 0; i < N; i++) {
		(void)snprintf(command, sizeof(command), "HSET room_node_map m%d ND_dead", i);
		(void)ask(command);
		l[i] = (struct left_room){ .room = arena_printf(d.op.arena, "m%d", i), .node = S("ND_dead"), .record = S("") };
	}
	do {
		ck_assert(kv_leftovers_scan(&d.op, k, &cursor, 100, &map, &some));
		n += some;
	} while (cursor != 0);
	ck_assert_uint_ge(n, N + 2);
	ck_assert(kv_leftovers_clear(&d.op, k, l, N));
	for (int i = 0; i < N; i++)
		ck_assert(l[i].cleared);
	ck_assert_int_eq(ask("HLEN room_node_map"), 2);
}
END_TEST

START_TEST(a_person_is_dropped_who_is_still_the_same)
{
	struct kv_pair *people;
	bool dropped;
	size_t n;

	a_dead_room();
	ck_assert(kv_leftovers_people(&d.op, k, S("t2"), &people, &n));
	ck_assert_uint_eq(n, 2);
	for (size_t i = 0; i < n; i++) {
		struct kv_pair other = { people[i].field, S("z") };

		ck_assert(kv_leftovers_drop_person(&d.op, k, &people[i], S("t2"), S("ND_dead"), &dropped) && !dropped);
		ck_assert(kv_leftovers_drop_person(&d.op, k, &other, S("t2"), S("ND_live"), &dropped) && !dropped);
		ck_assert(kv_leftovers_drop_person(&d.op, k, &people[i], S("t2"), S("ND_live"), &dropped) && dropped);
	}
	ck_assert(kv_leftovers_people(&d.op, k, S("t2"), &people, &n));
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(the_version_is_read)
{
	struct str version = S("x");

	(void)ask("DEL livekit_version");
	ck_assert(kv_livekit_version(&d.op, k, &version));
	ck_assert_uint_eq(version.len, 0);
	(void)ask("SET livekit_version 1.13.5");
	ck_assert(kv_livekit_version(&d.op, k, &version));
	ck_assert(str_eq(version, S("1.13.5")));
	(void)ask("DEL livekit_version");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("kv/nodes");
	TCase *marks = tcase_create("marks"), *left = tcase_create("leftovers");

	tcase_add_checked_fixture(marks, set_up, tear_down);
	tcase_add_test(marks, an_empty_redis_knows_nothing);
	tcase_add_test(marks, a_node_is_down_until_its_time_or_until_it_is_up);
	tcase_add_test(marks, drains_replace_each_other_and_say_that_they_are_whole);
	tcase_add_test(marks, counts_live_one_to_two_periods);
	tcase_add_test(marks, a_node_is_one_entry);
	tcase_add_test(marks, nonsense_is_passed_over);
	tcase_add_test(marks, a_key_of_another_type_is_no_answer_and_costs_no_connection);
	tcase_add_test(marks, without_redis_nothing_is_known);
	tcase_add_test(marks, the_registry_sees_marks_and_counts);
	suite_add_tcase(s, marks);
	tcase_add_checked_fixture(left, set_up, tear_down);
	tcase_add_test(left, a_dead_room_goes_with_all_its_keys);
	tcase_add_loop_test(left, what_came_back_stays, 0, N_ELEMS(MEANWHILE));
	tcase_add_test(left, a_stale_record_must_be_the_same);
	tcase_add_test(left, many_rooms_at_once);
	tcase_add_test(left, a_person_is_dropped_who_is_still_the_same);
	tcase_add_test(left, the_version_is_read);
	suite_add_tcase(s, left);
	return db_main(s);
}
