/* test_join - coming in through the API: who may, from which device, and what it leaves behind.
 * SPDX-License-Identifier: MIT */
#include "rules/verbs.h"

#include "support/scene.h"

#define NOW TAKEOVER_BY_DEFAULT

/* Devices: rows that are joined are joined from "web", id "d1"; see dress(). */
static const struct {
	const char *from, *uid, *type, *id;
	enum takeover takeover;
	enum err e;
	const char *to;
} JOINS[] = {
	/* 1:1, both ways in */
	{ "seats=2 bob=0 ann=0", "ann", "app", "", NOW, ERR_OK, "room=0; bob=0 ann=1; accepted(ann)@0" },
	{ "seats=2 bob=0 ann=1", "bob", "app", "", NOW, ERR_OK, "room=0; bob=1 ann=1; accepted(bob)@0" },
	{ "seats=2 invite_on=1 bob=0 ann=0", "bob", "app", "", NOW, ERR_OK,
	  "room=0; bob=1 ann=0; accepted(bob)@0" },
	{ "seats=2 invite_on=1 bob=0 ann=0", "ann", "app", "", NOW, ERR_OK,
	  "room=0; bob=0 ann=1; accepted(ann)@0" },
	/* nobody is told that the media began: LiveKit tells */
	{ "seats=2 room=1 bob=0 ann=1", "bob", "app", "", NOW, ERR_OK, "room=1; bob=1 ann=1; accepted(bob)@1" },
	/* strangers */
	{ "seats=9 bob=0 ann=0", "eve", "app", "", NOW, ERR_OK, "room=0; bob=0 ann=0 eve=1; accepted(eve)@0" },
	{ "seats=9 invite_on=1 bob=0 ann=0", "eve", "app", "", NOW, ERR_PARTICIPANT_NOT_INVITED, NULL },
	{ "seats=2 bob=0 ann=0", "eve", "app", "", NOW, ERR_ROOM_FULL, NULL },
	{ "seats=3 bob=0 cat=0 ann=0", "eve", "app", "", NOW, ERR_ROOM_FULL, NULL },
	{ "seats=3 bob=0 cat=2 ann=0", "eve", "app", "", NOW, ERR_OK,
	  "room=0; bob=0 cat=2 ann=0 eve=1; accepted(eve)@0" },
	{ "seats=2 ann=0", "eve", "app", "", NOW, ERR_OK, "room=0; ann=0 eve=1; accepted(eve)@0" },
	/* the last seat is the caller's own */
	{ "seats=3 bob=0 cat=1 ann=1", "bob", "app", "", NOW, ERR_OK,
	  "room=0; bob=1 cat=1 ann=1; accepted(bob)@0" },
	/* coming back */
	{ "seats=9 room=1 bob=2 ann=1", "bob", "app", "", NOW, ERR_OK, "room=1; bob=1 ann=1; accepted(bob)@1" },
	{ "seats=9 room=1 bob=3+ ann=1", "bob", "app", "", NOW, ERR_OK, "room=1; bob=1 ann=1; accepted(bob)@1" },
	{ "seats=9 room=1 bob=4 ann=1", "bob", "app", "", NOW, ERR_OK, "room=1; bob=1 ann=1; accepted(bob)@1" },
	{ "seats=9 room=1 bob=5 ann=1", "bob", "app", "", NOW, ERR_OK, "room=1; bob=1 ann=1; accepted(bob)@1" },
	{ "seats=9 invite_on=1 room=1 bob=6 ann=1", "bob", "app", "", NOW, ERR_OK,
	  "room=1; bob=1 ann=1; accepted(bob)@1" },
	{ "seats=2 room=1 bob=3+ cat=1 ann=1", "bob", "app", "", NOW, ERR_ROOM_FULL, NULL },
	{ "seats=9 room=1 bob=3+! ann=1", "bob", "app", "", NOW, ERR_PARTICIPANT_REMOVED, NULL },
	/* over */
	{ "seats=2 room=2 bob=3 ann=3", "bob", "app", "", NOW, ERR_ROOM_NOT_ACTIVE, NULL },
	{ "seats=9 room=3 bob=6 ann=3", "eve", "app", "", NOW, ERR_ROOM_NOT_ACTIVE, NULL },
	{ "seats=9 room=4 bob=2! ann=3", "bob", "app", "", NOW, ERR_ROOM_NOT_ACTIVE, NULL },
	{ "seats=9 room=5 bob=5 ann=5", "bob", "app", "", NOW, ERR_ROOM_NOT_ACTIVE, NULL },
	{ "seats=9 invite_on=1 room=6 bob=4 ann=4", "eve", "app", "", NOW, ERR_ROOM_NOT_ACTIVE, NULL },
	/* joined already: the same device, by id, by type, by silence */
	{ "seats=2 room=1 bob=1 ann=1", "bob", "web", "d1", NOW, ERR_OK, "room=1; bob=1 ann=1" },
	{ "seats=2 room=1 bob=1 ann=1", "bob", "app", "d1", NOW, ERR_OK, "room=1; bob=1 ann=1" },
	{ "seats=2 room=1 bob=1 ann=1", "bob", "web", "", TAKEOVER_NO, ERR_OK, "room=1; bob=1 ann=1" },
	{ "seats=2 room=1 bob=1 ann=1", "bob", "", "", TAKEOVER_YES, ERR_OK, "room=1; bob=1 ann=1" },
	/* another device; '@' in front of the uid: its media session is known */
	{ "seats=2 room=1 bob=1 ann=1", "bob", "web", "d2", NOW, ERR_OK, "room=1; bob=1 ann=1; accepted(bob)@1" },
	{ "seats=2 room=1 bob=1 ann=1", "bob", "app", "", NOW, ERR_OK, "room=1; bob=1 ann=1; accepted(bob)@1" },
	{ "seats=2 room=1 bob=1 ann=1", "bob", "app", "", TAKEOVER_NO, ERR_JOINED_ELSEWHERE, NULL },
	{ "seats=2 room=1 bob=1 ann=1", "@bob", "app", "", NOW, ERR_JOINED_ELSEWHERE, NULL },
	{ "seats=2 room=1 bob=1 ann=1", "@bob", "web", "d2", NOW, ERR_JOINED_ELSEWHERE, NULL },
	{ "seats=2 room=1 bob=1 ann=1", "@bob", "web", "d2", TAKEOVER_NO, ERR_JOINED_ELSEWHERE, NULL },
	{ "seats=2 room=1 bob=1 ann=1", "@bob", "web", "d2", TAKEOVER_YES, ERR_OK,
	  "room=1; bob=1 ann=1; accepted(bob)@1" },
	{ "seats=2 room=1 bob=1 ann=1", "@bob", "web", "d1", NOW, ERR_OK, "room=1; bob=1 ann=1" },
	{ "seats=2 room=1 bob=1 ann=1", "@ann", "app", "", TAKEOVER_YES, ERR_OK,
	  "room=1; bob=1 ann=1; accepted(ann)@1" },
};

/* Gives the joined rows the device the table speaks of, and the uid meant its session where it says '@'. */
static struct str
dress(struct call *c, const char *uid)
{
	struct participant *p;

	for (size_t i = 0; i < c->n_rows; i++)
		if (c->rows[i]->status == P_JOINED) {
			c->rows[i]->device_type = S("web");
			c->rows[i]->device_id = S("d1");
		}
	if (uid[0] != '@')
		return word(uid);
	p = call_find(c, word(uid + 1));
	p->sid = S("PA_old");
	p->sid_at_ms = SCENE_NOW - 1000;
	return p->uid;
}

START_TEST(joins)
{
	struct call *c = scene(JOINS[_i].from);
	struct actor who = person("", JOINS[_i].type, JOINS[_i].id);
	struct before b;

	who.uid = dress(c, JOINS[_i].uid);
	who.name = S("Somebody");
	b = scene_before(c);
	ck_assert_int_eq((int)verb_join(c, &who, JOINS[_i].takeover), (int)JOINS[_i].e);
	if (JOINS[_i].e != ERR_OK)
		scene_unchanged(&b, c);
	else
		ck_assert_str_eq(scene_text(c), JOINS[_i].to);
	scene_check(&b, c);
}
END_TEST

START_TEST(a_row_after_joining)
{
	struct call *c = scene("seats=2 bob=0 ann=1");
	const struct participant *p = call_find(c, S("bob"));
	struct actor who = person("bob", "app", "d7");

	who.name = S("Bob");
	ck_assert(verb_join(c, &who, NOW) == ERR_OK);
	ck_assert_int_eq(p->join_time, SCENE_NOW / 1000);
	ck_assert_int_eq(p->session_from_ms, SCENE_NOW);
	ck_assert_int_eq(p->deadline_ms, 0);
	ck_assert(p->claimed);
	ck_assert(str_eq(p->device_type, S("app")) && str_eq(p->device_id, S("d7")) && str_eq(p->name, S("Bob")));
	ck_assert_int_eq(c->room.answered_at_ms, SCENE_NOW);
	ck_assert_int_eq(c->room.started_at_ms, 0);
	ck_assert(str_eq(json_str(json_get(event_data(&c->events[0]), "device_id")), S("d7")));
}
END_TEST

/* Coming back is no claim: being joined elsewhere is no obstacle. */
START_TEST(a_later_join_claims_nobody)
{
	struct call *c = scene("seats=9 room=1 bob=4 ann=1");
	struct actor bob = person("bob", "app", ""), eve = person("eve", "app", "");

	ck_assert(verb_join(c, &bob, NOW) == ERR_OK);
	ck_assert(verb_join(c, &eve, NOW) == ERR_OK);
	ck_assert(!call_find(c, S("bob"))->claimed && !call_find(c, S("eve"))->claimed);
	ck_assert_uint_eq(call_find(c, S("bob"))->left_how.len, 0);
}
END_TEST

/* A repeated join from the same device: the membership counts from now, nothing else happens. */
START_TEST(again_from_the_same_device)
{
	struct call *c = scene("seats=2 room=1 bob=1 ann=1");
	struct participant *p = call_find(c, S("bob"));
	struct actor who = person("bob", "", "");
	int64_t join_time = p->join_time;

	p->sid = S("PA_1");
	ck_assert(verb_join(c, &who, NOW) == ERR_OK);
	ck_assert(c->changed && p->dirty);
	ck_assert_int_eq(p->deadline_ms, 0);
	ck_assert_int_eq(p->session_from_ms, SCENE_NOW);
	ck_assert_int_eq(p->join_time, join_time);
	ck_assert(str_eq(p->sid, S("PA_1")));
	ck_assert_uint_eq(c->n_events, 0);
}
END_TEST

/* Who dropped out and joins again before the grace is over gets a whole one for the media to come. */
START_TEST(again_within_the_grace)
{
	struct call *c = scene("seats=2 room=1 bob=1 ann=1");
	struct participant *p = call_find(c, S("bob"));
	struct actor who = person("bob", "", "");

	p->deadline_ms = SCENE_NOW + 100;
	ck_assert(verb_join(c, &who, NOW) == ERR_OK);
	ck_assert_int_eq(p->deadline_ms, SCENE_NOW + SCENE_GRACE_MS);
	ck_assert_uint_eq(c->n_events, 0);
}
END_TEST

/* A call remembers so many people over its life, however few are in it at a time. */
START_TEST(people_over_a_life)
{
	struct call *c = scene("seats=9 room=1 bob=1 ann=1");
	struct actor who = person("dan", "", "");
	size_t n = 0;

	do {
		call_add_row(c, who.uid)->status = P_LEFT;
		who.uid = arena_printf(scene_arena, "visitor-with-an-id-of-36-bytes-%05zu", n++);
	} while (call_has_room_for(c, &who.uid, 1));
	ck_assert_uint_gt(n, 3000);
	ck_assert(verb_join(c, &who, NOW) == ERR_ROOM_FULL);
	/* Who was there may come again. */
	who.uid = S("visitor-with-an-id-of-36-bytes-00000");
	ck_assert(verb_join(c, &who, NOW) == ERR_OK);
}
END_TEST

/* The old device's session is over with a takeover, and the new one is the row's. */
START_TEST(a_takeover)
{
	struct call *c = scene("seats=2 room=1 bob=1 ann=0");
	struct participant *p = call_find(c, dress(c, "@bob"));
	struct actor who = person("bob", "app", "d2");

	p->deadline_ms = SCENE_NOW + 9000;
	ck_assert(verb_join(c, &who, TAKEOVER_YES) == ERR_OK);
	ck_assert(str_eq(p->device_type, S("app")) && str_eq(p->device_id, S("d2")));
	ck_assert(p->sid.len == 0 && str_eq(p->last_left_sid, S("PA_old")));
	ck_assert_int_eq(p->sid_at_ms, SCENE_NOW - 1000);
	ck_assert_int_eq(p->deadline_ms, 0);
	ck_assert_int_eq(p->join_time, SCENE_NOW / 1000);
	ck_assert(p->claimed);
	ck_assert_int_eq(c->room.answered_at_ms, 0);      /* one person is no answer */
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("rules/join");
	TCase *tc = tcase_create("join");

	SCENE_CASE(tc);
	tcase_add_loop_test(tc, joins, 0, (int)N_ELEMS(JOINS));
	tcase_add_test(tc, a_row_after_joining);
	tcase_add_test(tc, a_later_join_claims_nobody);
	tcase_add_test(tc, again_from_the_same_device);
	tcase_add_test(tc, again_within_the_grace);
	tcase_add_test(tc, people_over_a_life);
	tcase_add_test(tc, a_takeover);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
