/* test_deadline - time runs out: for people who ring, people who were cut off, calls that last too long; with a
 * LiveKit that shows people, shows nobody, shows ghosts, or is silent.
 * SPDX-License-Identifier: MIT */
#include "rules/deadline.h"
#include "rules/media.h"

#include "support/scene.h"

/* out: whose deadlines are over, "bob" by a millisecond, "bob:3000" by so many; the others' are a minute off.
 * seen: "silent", or who is listed, "bob:PA_1", with "@host-gone" or "@old" (from before the room's host). */
struct fire_case {
	const char *from, *out, *seen, *to;
};
#define WAITS "waits"

static void
run_down(struct call *c, struct str w)
{
	struct str rest = w, uid;
	int64_t ms = 0;
	bool exact = str_split(&rest, ':', &uid) && rest.at != NULL && parse_i64(rest, 0, 1000000, &ms);
	struct participant *p = call_find(c, uid);

	ck_assert_ptr_nonnull(p);
	p->deadline_ms = c->now_ms - (exact ? ms : 1);
}

static struct seen_room
some_seen(struct call *c, const char *line)
{
	struct seen_room s = { .heard = strcmp(line, "silent") != 0, .host = HOST_ALIVE };
	struct str rest = word(line), w;

	s.people = arena_array(scene_arena, 8, sizeof(*s.people));
	s.listed = s.people_known = s.heard;
	while (s.heard && str_split(&rest, ' ', &w)) {
		struct str sid = w, uid;

		if (str_eq(w, S("@host-gone")))
			s.host = HOST_GONE;
		else if (str_eq(w, S("@old")))
			c->room.host_since_ms = c->now_ms;
		else if (w.len > 0 && str_split(&sid, ':', &uid))
			s.people[s.n_sessions++] = (struct media_session){ .uid = uid, .sid = sid,
			    .joined_at_ms = c->now_ms - 1000 };
	}
	s.n_people = (int64_t)s.n_sessions;
	return s;
}

static struct call *
fire_scene(const struct fire_case *f)
{
	struct call *c = scene(f->from);
	struct str rest = word(f->out), w;

	while (str_split(&rest, ' ', &w))
		if (w.len > 0)
			run_down(c, w);
	scene_commit(c);
	return c;
}

static const struct fire_case CASES[] = {
	/* 1:1, nobody answers: the creator waits, or is not in yet */
	{ "bob=0 ann=1", "bob", "", "room=6 missed/; bob=4 ann=3; missed()missed[bob]@0 left(ann)@6 finished@6; "
	    "delete_room" },
	{ "bob=0 ann=0", "bob ann", "", "room=6 missed/; bob=4 ann=4; missed()missed[bob,ann]@0 finished@6; "
	    "delete_room" },
	{ "bob=0 ann=0", "ann", "", "room=6 missed/; bob=4 ann=4; missed()missed[ann]@0 finished@6; delete_room" },
	{ "bob=0 ann=0", "bob ann", "ann:PA_1", "room=6 missed/; bob=4 ann=3; started@1 accepted(ann)@1 "
	    "joined(ann)@1 missed()missed[bob]@1 left(ann)@6 finished@6; delete_room" },
	/* somebody is in, and the hook that says so was lost */
	{ "bob=0 ann=1", "bob", "bob:PA_1", "room=1; bob=1 ann=1; started@1 accepted(bob)@1 joined(bob)@1" },
	{ "bob=0 ann=1", "bob", "bob:PA_1 ann:PA_2", "room=1; bob=1 ann=1; started@1 accepted(bob)@1 joined(bob)@1 "
	    "joined(ann)@1" },
	{ "bob=0 ann=1", "bob", "bob:PA_1 @host-gone", "room=6 missed/; bob=4 ann=3; missed()missed[bob]@0 "
	    "left(ann)@6 finished@6; delete_room" },
	{ "bob=0 ann=1", "bob", "bob:PA_1 @old", "room=6 missed/; bob=4 ann=3; missed()missed[bob]@0 "
	    "left(ann)@6 finished@6; delete_room" },
	/* answered before: the ring is a second one */
	{ "answered room=1 bob=0+ ann=1", "bob", "", "room=2 hangup/; bob=4 ann=3; missed()missed[bob]@1 left(ann)@2 "
	    "finished@2; delete_room" },
	/* a rejoin grace */
	{ "answered room=1 bob=1 ann=1", "bob", "", "room=2 lost/; bob=3 ann=3; left(bob)@1 left(ann)@2 finished@2; "
	    "delete_room" },
	{ "answered room=1 bob=1 ann=1", "bob", "bob:PA_2", "room=1; bob=1 ann=1; joined(bob)@1" },
	{ "bob=0 ann=1", "ann", "", "room=3 lost/; bob=6 ann=3; left(ann)@0 cancelled(ann)@0 finished@3; delete_room" },
	/* both at once */
	{ "bob=0 ann=1", "bob ann", "", "room=3 lost/; bob=4 ann=3; missed()missed[bob]@0 left(ann)@0 "
	    "cancelled(ann)@0 finished@3; delete_room" },
	{ "answered room=1 bob=0+ ann=1", "bob ann", "", "room=2 lost/; bob=4 ann=3; missed()missed[bob]@1 "
	    "left(ann)@1 finished@2; delete_room" },
	{ "room=1 bob=1 ann=0", "bob ann", "", "room=6 lost/; bob=3 ann=4; missed()missed[ann]@1 left(bob)@1 "
	    "finished@6; delete_room" },
	{ "seats=5 answered room=1 bob=0 cat=1 dan=0 ann=1", "bob cat dan", "", "room=1; bob=4 cat=3 dan=4 ann=1; "
	    "missed()missed[bob,dan]@1 left(cat)@1" },
	/* a group: nobody, some, everybody answers */
	{ "seats=5 bob=0 cat=0 dan=0 ann=0", "bob cat dan ann", "", "room=6 missed/; bob=4 cat=4 dan=4 ann=4; "
	    "missed()missed[bob,cat,dan,ann]@0 finished@6; delete_room" },
	{ "seats=5 invite_on=1 bob=0 cat=2 dan=0 ann=1", "bob dan", "", "room=6 missed/; bob=4 cat=2 dan=4 ann=3; "
	    "missed()missed[bob,dan]@0 left(ann)@6 finished@6; delete_room" },
	{ "seats=5 bob=0 cat=0 dan=0 ann=1", "bob cat dan", "", "room=0; bob=4 cat=4 dan=4 ann=1; "
	    "missed()missed[bob,cat,dan]@0" },
	{ "seats=5 answered room=1 bob=0 cat=1 dan=0 ann=1", "bob dan", "", "room=1; bob=4 cat=1 dan=4 ann=1; "
	    "missed()missed[bob,dan]@1" },
	{ "seats=5 answered room=1 bob=0 cat=1 dan=0 ann=1", "bob", "", "room=1; bob=4 cat=1 dan=0 ann=1; "
	    "missed()missed[bob]@1" },
	{ "seats=5 room=1 bob=0 cat=0 dan=0 ann=1", "bob cat dan", "bob:PA_1 dan:PA_3", "room=1; bob=1 cat=4 dan=1 "
	    "ann=1; accepted(bob)@1 joined(bob)@1 accepted(dan)@1 joined(dan)@1 missed()missed[cat]@1" },
	/* of the list: who is out comes back in, who is a stranger does not, who was put out is put out again */
	{ "seats=5 room=1 bob=4 cat=0 ann=1", "cat", "bob:PA_1 eve:PA_2", "room=1; bob=1 cat=4 ann=1; accepted(bob)@1 "
	    "joined(bob)@1 missed()missed[cat]@1" },
	{ "seats=5 room=1 bob=4! cat=0 ann=1", "cat", "bob:PA_1", "room=1; bob=4! cat=4 ann=1; "
	    "missed()missed[cat]@1; remove(bob,PA_1)" },
	/* a silent LiveKit: a while longer, and no longer than that */
	{ "bob=0 ann=1", "bob:0", "silent", WAITS },
	{ "bob=0 ann=1", "bob:9999", "silent", WAITS },
	{ "bob=0 ann=1", "bob:10000", "silent", "room=6 missed/; bob=4 ann=3; missed()missed[bob]@0 left(ann)@6 "
	    "finished@6; delete_room" },
	{ "answered room=1 bob=1 ann=1", "bob:29999", "silent", WAITS },
	{ "answered room=1 bob=1 ann=1", "bob:30000", "silent", "room=2 lost/; bob=3 ann=3; left(bob)@1 left(ann)@2 "
	    "finished@2; delete_room" },
	{ "seats=5 answered room=1 bob=0 cat=0 dan=1 ann=1", "bob:10000 cat:5000 dan:10000", "silent", "room=1; bob=4 "
	    "cat=0 dan=1 ann=1; missed()missed[bob]@1" },
};

START_TEST(fires)
{
	const struct fire_case *f = &CASES[_i];
	struct call *c = fire_scene(f);
	const struct seen_room seen = some_seen(c, f->seen);
	struct before b = scene_before(c);
	struct fired fired;

	call_fire(c, &seen, &fired);
	if (strcmp(f->to, WAITS) == 0) {
		ck_assert(fired.waits && fired.n_missed + fired.n_lost == 0);
		ck_assert_uint_eq(c->n_events + c->n_actions, 0);
	} else {
		ck_assert_str_eq(scene_text(c), f->to);
		ck_assert_int_eq(fired.n_missed > 0, strstr(f->to, "missed[") != NULL);
	}
	ck_assert(c->changed && !fired.too_long);
	scene_check(&b, c);
}
END_TEST

/* At its very millisecond a deadline is over, not before; and once only. */
START_TEST(to_the_millisecond)
{
	const struct fire_case f = { "bob=0 ann=1", "bob:0", "", "" };
	struct call *c = fire_scene(&f);
	const struct seen_room seen = some_seen(c, "");
	struct fired fired;

	c->now_ms--;
	call_fire(c, &seen, &fired);
	ck_assert(!c->changed && !fired.waits && fired.n_missed == 0);
	c->now_ms++;
	call_fire(c, &seen, &fired);
	ck_assert_uint_eq(fired.n_missed, 1);
	scene_commit(c);
	call_fire(c, &seen, &fired);
	ck_assert(!c->changed && fired.n_missed == 0);
}
END_TEST

/* While LiveKit is silent it is asked every 2 s, the last time at the very end. */
START_TEST(asks_again)
{
	static const struct { const char *out; int64_t ms; } AGAIN[] = {
		{ "bob:0", 2000 }, { "bob:8000", 2000 }, { "bob:8001", 1999 }, { "bob:9999", 1 },
		{ "ann:27000", 2000 }, { "ann:29500", 500 }, { "bob:9000 ann:29900", 100 }, { "bob:9900 ann:1", 100 },
	};

	for (size_t i = 0; i < N_ELEMS(AGAIN); i++) {
		const struct fire_case f = { "seats=5 bob=0 ann=1 cat=0", AGAIN[i].out, "", "" };
		struct call *c = fire_scene(&f);
		const struct seen_room seen = some_seen(c, "silent");
		struct fired fired;

		call_fire(c, &seen, &fired);
		ck_assert(fired.waits && c->changed);
		ck_assert_msg(call_next_deadline(c) == c->now_ms + AGAIN[i].ms, "%s", AGAIN[i].out);
		/* The row's own deadline stays, and one that comes in between counts. */
		call_find(c, S("cat"))->deadline_ms = c->now_ms + 50;
		ck_assert_int_eq(call_next_deadline(c), c->now_ms + (AGAIN[i].ms < 50 ? AGAIN[i].ms : 50));
	}
}
END_TEST

/* However many people talk, whatever LiveKit says. */
START_TEST(too_long)
{
	static const struct { const char *from, *to; } LONG[] = {
		{ "answered room=1 bob=1 ann=1", "room=2 max_duration/; bob=3 ann=3; left(bob)@2 left(ann)@2 "
		    "finished@2; delete_room" },
		{ "seats=5 room=1 bob=0 ann=1", "room=3 max_duration/; bob=6 ann=3; left(ann)@3 finished@3; "
		    "delete_room" },
	};
	static const char *const SEEN[] = { "silent", "", "bob:PA_1 ann:PA_2" };

	for (size_t i = 0; i < N_ELEMS(LONG) * N_ELEMS(SEEN); i++) {
		struct call *c = scene(LONG[i / N_ELEMS(SEEN)].from);
		const struct seen_room seen = some_seen(c, SEEN[i % N_ELEMS(SEEN)]);
		struct before b;
		struct fired fired;

		c->room.created_at_ms = c->now_ms - SCENE_MAX_CALL_MS + 1;
		scene_commit(c);
		call_fire(c, &(struct seen_room){ .heard = true }, &fired);
		ck_assert(!c->changed && !fired.too_long);
		c->now_ms++;
		b = scene_before(c);
		call_fire(c, &seen, &fired);
		ck_assert_str_eq(scene_text(c), LONG[i / N_ELEMS(SEEN)].to);
		ck_assert(fired.too_long);
		scene_check(&b, c);
		c = scene(LONG[0].from);
		c->policy.max_call_ms = 0;
		c->room.created_at_ms = 1;
		scene_commit(c);
		call_fire(c, &seen, &fired);
		ck_assert(!room_status_final(c->room.status));
	}
}
END_TEST

/* A room that is due and has nothing that is: its next deadline is set right. */
START_TEST(nothing_to_do)
{
	struct call *c = scene("answered room=1 bob=1 ann=1");
	struct fired fired;

	c->room.next_deadline_ms = c->now_ms - 5;
	call_fire(c, &(struct seen_room){ .heard = true }, &fired);
	ck_assert(c->changed && !fired.waits);
	ck_assert_uint_eq(c->n_events + c->n_actions, 0);
	c = scene("room=2 bob=3 ann=3");
	c->room.next_deadline_ms = c->now_ms - 5;
	call_fire(c, &(struct seen_room){ 0 }, &fired);
	ck_assert(c->changed && call_next_deadline(c) == 0);
	ck_assert_uint_eq(c->n_events + c->n_actions, 0);
}
END_TEST

/* Whoever begins anew, or is seen, is not missing any more. */
START_TEST(missing_is_forgotten)
{
	const struct media_room room = { .sid = S("RM_1") };
	const struct media_session s = { .uid = S("bob"), .sid = S("PA_1"), .joined_at_ms = SCENE_NOW };
	const struct actor here = person("bob", "app", "d1"), there = person("bob", "web", "d2");

	for (int i = 0; i < 6; i++) {
		struct call *c = scene("seats=5 answered room=1 bob=1 ann=1");
		struct participant *bob = call_find(c, S("bob"));

		bob->device_type = S("app");
		bob->device_id = S("d1");
		bob->missing_at_ms = SCENE_NOW - 5000;
		if (i >= 4)
			bob->sid = S("PA_1");
		scene_commit(c);
		if (i == 0)
			ck_assert_int_eq(verb_join(c, &here, TAKEOVER_BY_DEFAULT), ERR_OK);
		else if (i == 1)
			ck_assert_int_eq(verb_join(c, &there, TAKEOVER_YES), ERR_OK);
		else if (i == 2)
			media_participant_joined(c, &room, &s);
		else if (i == 3)
			ck_assert_int_eq(verb_leave(c, &here), ERR_OK);
		else if (i == 4)
			media_participant_left(c, &s, MEDIA_LEFT_OTHER);
		else
			media_participant_joined(c, &room, &s);       /* told of before */
		ck_assert_msg(bob->missing_at_ms == 0, "case %d", i);
		ck_assert(bob->dirty && c->changed);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("rules/deadline");
	TCase *tc = tcase_create("deadline");

	SCENE_CASE(tc);
	tcase_add_loop_test(tc, fires, 0, (int)N_ELEMS(CASES));
	tcase_add_test(tc, to_the_millisecond);
	tcase_add_test(tc, asks_again);
	tcase_add_test(tc, too_long);
	tcase_add_test(tc, nothing_to_do);
	tcase_add_test(tc, missing_is_forgotten);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
