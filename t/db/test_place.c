/* test_place - which node a call is given, and keeps: at create, before each token, and when many find it dead at once.
 * SPDX-License-Identifier: MIT */
#include "call/place.h"

#include "kv/kv_nodes.h"
#include "support/cluster.h"

enum { RACERS = 12 };

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

/* Clients go there by themselves: nobody finds it out for them. */
START_TEST(a_token_for_a_node_with_a_url_of_its_own)
{
	int was;

	configure("LIVEKIT_URL_MODE", "node");
	was = node_index(create().call.room.livekit_node);
	fake_node_kill(&nodes[was]);
	after_ms(PULSE_MS + 1);
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
	const TTest *const tests[] = { a_new_room_has_a_node, what_is_given_counts,
		nodes_with_urls_of_their_own, nodes_with_urls_of_their_own_are_asked,
		livekit_places_by_itself, no_node_at_all, drained_before_anybody_came, livekits_own_drain,
		drained_with_people, drained_and_livekit_has_the_room,
		a_token_for_a_room_on_a_node_known_to_be_dead, a_token_for_a_node_with_a_url_of_its_own,
		a_mark_that_is_wrong };
	Suite *s = suite_create("place");
	TCase *t = tcase_create("place");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	for (size_t i = 0; i < N_ELEMS(tests); i++)
		tcase_add_test(t, tests[i]);
	tcase_add_loop_test(t, many_find_it_dead_at_once, 0, 5);
	suite_add_tcase(s, t);
	return db_main(s);
}
