/* test_route - what nginx is told of a room whose node lives, dies, freezes, comes back, or is another by LiveKit's map, and
 * what then stands in MySQL, in our Redis and in that map.
 * SPDX-License-Identifier: MIT */
#include "call/place.h"

#include "support/cluster.h"

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

int
main(void)
{
	const TTest *const tests[] = { the_usual_case_asks_no_database,
		a_cache_that_lost_it_learns_it_again, a_stale_cache_is_set_right,
		a_stale_cache_that_names_a_frozen_node, our_redis_is_gone, livekits_redis_is_gone,
		rooms_of_others, a_call_that_is_over, a_dead_node_is_left_at_once, nginx_was_refused,
		nginx_was_refused_and_we_are_not, all_are_dead, two_die_one_after_the_other,
		a_frozen_node_with_nobody_on_it, a_frozen_node_with_people,
		a_frozen_node_whose_report_is_old, a_node_started_anew,
		a_room_that_was_closed_is_announced_again, livekit_has_it_elsewhere,
		livekit_has_it_on_a_dead_node, livekit_re_hosted_it_first, nodes_nobody_can_tell_apart };
	Suite *s = suite_create("route");
	TCase *t = tcase_create("route");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	for (size_t i = 0; i < N_ELEMS(tests); i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	return db_main(s);
}
