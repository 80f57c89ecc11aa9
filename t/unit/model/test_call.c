/* test_call - the call in memory: growing, counting, deadlines, devices.
 * SPDX-License-Identifier: MIT */
#include "model/call.h"

#include "support/scene.h"

START_TEST(grows_and_finds)
{
	struct call *c = scene("seats=1000");
	struct participant *first = call_add_row(c, S("first"));

	for (int i = 0; i < 999; i++)
		(void)call_add_row(c, arena_printf(scene_arena, "u%d", i));
	ck_assert_uint_eq(c->n_rows, 1000);
	ck_assert_ptr_eq(c->rows[0], first);
	ck_assert_ptr_eq(call_find(c, S("first")), first);
	ck_assert_ptr_eq(call_find(c, S("u500")), c->rows[501]);
	ck_assert_ptr_null(call_find(c, S("u1000")));
	ck_assert_ptr_null(call_find(c, S("First")));
	ck_assert(first->dirty && c->changed);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(call_add_event(c)->seq, i + 1);
		call_act(c, ACTION_REMOVE_PARTICIPANT, S("x"), S("y"));
	}
	ck_assert_uint_eq(c->n_events, 100);
	ck_assert_int_eq(c->events[0].seq, 1);
	ck_assert_uint_eq(c->n_actions, 100);
	ck_assert_int_eq(c->room.seq, 100);
}
END_TEST

/* A row outlives what it was named by. */
START_TEST(keeps_its_own_text)
{
	char name[] = "bob";
	struct call *c = scene("");
	struct participant *p = call_add_row(c, str_of(name));

	name[0] = 'x';
	ck_assert(str_eq(p->uid, S("bob")));
}
END_TEST

START_TEST(counts)
{
	struct call *c = scene("seats=9 a=0 b=1 c=1 d=2 e=3 f=4 g=5 h=6 ann=0");
	size_t n;
	struct str *uids = call_uids(c, false, &n);

	ck_assert_uint_eq(n, 9);
	ck_assert(str_eq(uids[0], S("a")) && str_eq(uids[8], S("ann")));
	uids = call_uids(c, true, &n);
	ck_assert_uint_eq(n, 4);
	ck_assert(str_eq(uids[2], S("c")) && str_eq(uids[3], S("ann")));
	ck_assert_uint_eq(call_count(c, P_INVITING), 2);
	ck_assert_uint_eq(call_count(c, P_JOINED), 2);
	ck_assert_uint_eq(call_count(c, P_CANCELLED), 1);
	ck_assert_uint_eq(call_count_active(c), 4);
	ck_assert(call_is_creator(c, call_find(c, S("ann"))));
	ck_assert(!call_is_creator(c, call_find(c, S("a"))));
	ck_assert(!call_is_one_to_one(c));
	ck_assert(call_is_one_to_one(scene("seats=2")));
	ck_assert(!call_is_one_to_one(scene("seats=1")));
}
END_TEST

START_TEST(durations)
{
	struct call *c = scene("");

	ck_assert(!call_answered(c));
	c->room.ended_at_ms = SCENE_NOW;
	ck_assert_int_eq(call_duration_s(c), 0);
	c->room.answered_at_ms = SCENE_NOW - 61999;
	ck_assert(call_answered(c));
	ck_assert_int_eq(call_duration_s(c), 61);
	c->room.ended_at_ms = 0;
	ck_assert_int_eq(call_duration_s(c), 0);
	c->room.ended_at_ms = SCENE_NOW - 70000;
	ck_assert_int_eq(call_duration_s(c), 0);
}
END_TEST

START_TEST(next_deadline)
{
	struct call *c = scene("seats=9 room=1 bob=0 cat=1 dan=4 ann=1");
	int64_t max_call = c->room.created_at_ms + SCENE_MAX_CALL_MS;

	call_find(c, S("bob"))->deadline_ms = 0;
	call_find(c, S("dan"))->deadline_ms = 5;
	ck_assert_int_eq(call_next_deadline(c), max_call);
	call_find(c, S("bob"))->deadline_ms = max_call + 1;
	ck_assert_int_eq(call_next_deadline(c), max_call);
	call_find(c, S("bob"))->deadline_ms = SCENE_NOW + 60;
	ck_assert_int_eq(call_next_deadline(c), SCENE_NOW + 60);
	call_find(c, S("cat"))->deadline_ms = SCENE_NOW + 15;
	ck_assert_int_eq(call_next_deadline(c), SCENE_NOW + 15);
	c->policy.max_call_ms = 0;
	ck_assert_int_eq(call_next_deadline(c), SCENE_NOW + 15);
	call_find(c, S("bob"))->deadline_ms = call_find(c, S("cat"))->deadline_ms = 0;
	ck_assert_int_eq(call_next_deadline(c), 0);
	c->policy.max_call_ms = 1000;
	c->room.status = ROOM_MISSED;
	ck_assert_int_eq(call_next_deadline(c), 0);
}
END_TEST

static const struct { const char *type_a, *id_a, *type_b, *id_b; bool same; } DEVICES[] = {
	{ "app", "", "app", "", true },
	{ "app", "", "web", "", false },
	{ "app", "", "", "", true },
	{ "", "", "", "", true },
	{ "app", "1", "app", "1", true },
	{ "app", "1", "web", "1", true },        /* the id decides where both have one */
	{ "app", "1", "app", "2", false },
	{ "app", "1", "app", "", true },
	{ "app", "1", "web", "", false },
	{ "", "1", "app", "", true },
	{ "", "1", "", "2", false },
};

START_TEST(devices)
{
	struct str ta = str_of(DEVICES[_i].type_a), ia = str_of(DEVICES[_i].id_a);
	struct str tb = str_of(DEVICES[_i].type_b), ib = str_of(DEVICES[_i].id_b);

	ck_assert_int_eq(device_same(ta, ia, tb, ib), DEVICES[_i].same);
	ck_assert_int_eq(device_same(tb, ib, ta, ia), DEVICES[_i].same);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("model/call");
	TCase *tc = tcase_create("call");

	SCENE_CASE(tc);
	tcase_add_test(tc, grows_and_finds);
	tcase_add_test(tc, keeps_its_own_text);
	tcase_add_test(tc, counts);
	tcase_add_test(tc, durations);
	tcase_add_test(tc, next_deadline);
	tcase_add_loop_test(tc, devices, 0, (int)N_ELEMS(DEVICES));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
