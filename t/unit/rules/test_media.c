/* test_media - what LiveKit tells, as stories: in order, late, doubled, out of order, never; and what the
 * API did in between.
 * SPDX-License-Identifier: MIT */
#include "rules/media.h"

#include "support/scene.h"

enum what {
	END, STARTED, JOINED, HUNG_UP, PUT_OUT, DROPPED, FINISHED,       /* LiveKit's */
	JOIN, TAKEOVER, LEAVE, REMOVE, INVITE, OVER,                     /* the API's */
	NO_GRACE                                                         /* REJOIN_GRACE=0 */
};

/* One second passes before each step. at: LiveKit's time, in ms from the story's begin. */
struct step {
	enum what what;
	const char *uid, *sid;           /* STARTED, FINISHED: the room's sid in uid */
	int at;
};
struct story {
	const char *from;
	struct step steps[8];
	const char *to;
};

static void
tell_session(struct call *c, const struct step *s)
{
	const struct media_room room = { .sid = S("RM_1"), .created_at_ms = SCENE_NOW + s->at };
	const struct media_session m = { .uid = word(s->uid), .sid = word(s->sid),
	    .joined_at_ms = SCENE_NOW + s->at, .device_type = S("tv"), .device_id = S("d9") };

	if (s->what == JOINED)
		media_participant_joined(c, &room, &m);
	else
		media_participant_left(c, &m, s->what == HUNG_UP ? MEDIA_LEFT_CLIENT
		    : s->what == PUT_OUT ? MEDIA_LEFT_PUT_OUT : MEDIA_LEFT_OTHER);
}

static void
tell_room(struct call *c, const struct step *s)
{
	const struct media_room room = { .sid = word(s->uid), .created_at_ms = SCENE_NOW + s->at };

	if (s->what == STARTED)
		media_room_started(c, &room);
	else
		media_room_finished(c, &room);
}

static void
do_verb(struct call *c, const struct step *s)
{
	const struct actor here = person(s->uid, "app", "d1"), there = person(s->uid, "web", "d2");
	const struct invite_in in = { .uids = &here.uid, .n_uids = 1 };
	struct invite_out out;
	enum err e = ERR_OK;

	if (s->what == JOIN)
		e = verb_join(c, &here, TAKEOVER_BY_DEFAULT);
	else if (s->what == TAKEOVER)
		e = verb_join(c, &there, TAKEOVER_YES);
	else if (s->what == LEAVE)
		e = verb_leave(c, &(struct actor){ .uid = here.uid });
	else if (s->what == REMOVE)
		e = verb_remove(c, here.uid, S(""));
	else if (s->what == INVITE)
		e = verb_invite(c, &in, &out);
	else if (s->what == OVER)
		e = verb_end(c, S(""));
	ck_assert_int_eq((int)e, (int)ERR_OK);
}

/* One transaction: the events and actions of all of them are gathered in `all`. */
static void
do_step(struct call *c, const struct step *s, struct call *all)
{
	struct before b;

	c->now_ms += 1000;
	b = scene_before(c);
	if (s->what == NO_GRACE)
		c->policy.rejoin_grace_ms = 0;
	else if (s->what == STARTED || s->what == FINISHED)
		tell_room(c, s);
	else if (s->what <= DROPPED)
		tell_session(c, s);
	else
		do_verb(c, s);
	scene_check(&b, c);
	for (size_t i = 0; i < c->n_events; i++)
		*call_add_event(all) = c->events[i];
	for (size_t i = 0; i < c->n_actions; i++)
		call_act(all, c->actions[i].kind, c->actions[i].uid, c->actions[i].sid);
	scene_commit(c);
}

static struct call *
tell(const struct story *t)
{
	struct call *c = scene(t->from), *all = scene("");

	c->room.livekit_sid = S("RM_1");
	for (size_t i = 0; i < N_ELEMS(t->steps) && t->steps[i].what != END; i++)
		do_step(c, &t->steps[i], all);
	c->events = all->events;
	c->n_events = all->n_events;
	c->actions = all->actions;
	c->n_actions = all->n_actions;
	return c;
}

static const struct story IN_ORDER[] = {
	{ "bob=0 ann=0", { { STARTED, "RM_1", "", 0 }, { JOINED, "ann", "PA_a", 0 }, { JOINED, "bob", "PA_b", 900 },
	  { HUNG_UP, "bob", "PA_b", 900 }, { HUNG_UP, "ann", "PA_a", 0 }, { FINISHED, "RM_1", "", 0 } },
	  "room=2 hangup/bob; bob=3 ann=3; started@1 accepted(ann)@1 joined(ann)@1 accepted(bob)@1 joined(bob)@1 "
	  "left(bob)@1 left(ann)@2 finished@2; delete_room" },
	{ "bob=0 ann=0", { { JOIN, "ann", "", 0 }, { JOIN, "bob", "", 0 }, { STARTED, "RM_1", "", 2100 },
	  { JOINED, "ann", "PA_a", 2200 }, { JOINED, "bob", "PA_b", 2300 }, { HUNG_UP, "ann", "PA_a", 2200 } },
	  "room=2 hangup/ann; bob=3 ann=3; accepted(ann)@0 accepted(bob)@0 started@1 joined(ann)@1 joined(bob)@1 "
	  "left(ann)@1 left(bob)@2 finished@2; delete_room" },
	{ "bob=0 ann=0", { { JOINED, "ann", "PA_a", 0 }, { HUNG_UP, "ann", "PA_a", 0 } },
	  "room=3 cancelled/ann; bob=6 ann=3; started@1 accepted(ann)@1 joined(ann)@1 left(ann)@1 cancelled(ann)@1 "
	  "finished@3; delete_room" },
	{ "seats=9 bob=0 ann=0", { { JOINED, "ann", "PA_a", 0 }, { JOINED, "eve", "PA_e", 500 } },
	  "room=1; bob=0 ann=1 eve=1; started@1 accepted(ann)@1 joined(ann)@1 accepted(eve)@1 joined(eve)@1" },
	{ "seats=9 room=1 answered bob=1 cat=1 ann=1", { { PUT_OUT, "bob", "PA_b", 0 } },
	  "room=1; bob=3 cat=1 ann=1; left(bob)@1" },
	{ "room=1 answered bob=1 ann=1", { { PUT_OUT, "bob", "PA_b", 0 } },
	  "room=2 lost/; bob=3 ann=3; left(bob)@1 left(ann)@2 finished@2; delete_room" },
};

static const struct story DOUBLED_AND_LOST[] = {
	/* a missing room_started is made up for */
	{ "seats=9 ann=1", { { JOINED, "ann", "PA_a", 0 }, { STARTED, "RM_1", "", -100 } },
	  "room=1; ann=1; started@1 joined(ann)@1" },
	/* once per sid */
	{ "seats=9 room=1 bob=1 ann=1", { { JOINED, "bob", "PA_1", 0 }, { JOINED, "bob", "PA_1", 0 } },
	  "room=1; bob=1 ann=1; joined(bob)@1" },
	{ "seats=9 room=1 bob=1 ann=1", { { JOINED, "bob", "PA_1", 0 }, { HUNG_UP, "bob", "PA_1", 0 },
	  { HUNG_UP, "bob", "PA_1", 0 }, { JOINED, "bob", "PA_1", 0 } },
	  "room=1; bob=3 ann=1; joined(bob)@1 left(bob)@1" },
	{ "seats=9 ann=0", { { STARTED, "RM_1", "", 0 }, { STARTED, "RM_1", "", 0 } }, "room=1; ann=0; started@1" },
	/* the joined was lost, the left came */
	{ "room=1 answered bob=1 ann=1", { { HUNG_UP, "bob", "PA_9", 0 } },
	  "room=2 hangup/bob; bob=3 ann=3; left(bob)@1 left(ann)@2 finished@2; delete_room" },
	/* the left was lost, the next session came */
	{ "seats=9 room=1 bob=1 ann=1", { { JOINED, "bob", "PA_1", 0 }, { JOINED, "bob", "PA_2", 900 } },
	  "room=1; bob=1 ann=1; joined(bob)@1 joined(bob)@1" },
};

static const struct story OUT_OF_ORDER[] = {
	/* left before joined */
	{ "seats=9 room=1 bob=1 ann=1", { { HUNG_UP, "bob", "PA_1", 0 }, { JOINED, "bob", "PA_1", 0 } },
	  "room=1; bob=3 ann=1; left(bob)@1" },
	/* the same of one who rings: nothing, and the session is known to be over */
	{ "seats=9 room=1 bob=0 ann=1", { { HUNG_UP, "bob", "PA_1", 0 }, { JOINED, "bob", "PA_1", 0 } },
	  "room=1; bob=0 ann=1" },
	{ "seats=9 room=1 bob=0 ann=1", { { DROPPED, "bob", "PA_1", 0 }, { JOINED, "bob", "PA_2", 900 } },
	  "room=1; bob=1 ann=1; accepted(bob)@1 joined(bob)@1" },
	/* joined after leave: the session that was left, then a true coming back */
	{ "seats=9 room=1 bob=1 ann=1", { { LEAVE, "bob", "", 0 }, { JOINED, "bob", "PA_1", 500 } },
	  "room=1; bob=3 ann=1; left(bob)@1" },
	{ "seats=9 room=1 bob=1 ann=1", { { JOINED, "bob", "PA_1", 0 }, { LEAVE, "bob", "", 0 },
	  { JOINED, "bob", "PA_1", 0 }, { HUNG_UP, "bob", "PA_1", 0 } },
	  "room=1; bob=3 ann=1; joined(bob)@1 left(bob)@1" },
	{ "seats=9 room=1 bob=1 ann=1", { { LEAVE, "bob", "", 0 }, { JOINED, "bob", "PA_2", 1500 } },
	  "room=1; bob=1 ann=1; left(bob)@1 accepted(bob)@1 joined(bob)@1" },
	/* a new session, then the news of the old one */
	{ "seats=9 room=1 bob=1 ann=1", { { JOINED, "bob", "PA_2", 900 }, { JOINED, "bob", "PA_1", 0 },
	  { HUNG_UP, "bob", "PA_1", 0 } }, "room=1; bob=1 ann=1; joined(bob)@1" },
	{ "seats=9 room=1 bob=1 ann=1", { { JOINED, "bob", "PA_1", 0 }, { JOINED, "bob", "PA_2", 900 },
	  { DROPPED, "bob", "PA_1", 0 }, { HUNG_UP, "bob", "PA_2", 900 } },
	  "room=1; bob=3 ann=1; joined(bob)@1 joined(bob)@1 left(bob)@1" },
	/* an unseen session was dropped: one from before it is no coming back */
	{ "seats=9 room=1 bob=1 ann=1", { { DROPPED, "bob", "PA_2", 900 }, { JOINED, "bob", "PA_1", 0 } },
	  "room=1; bob=1 ann=1" },
	/* an unseen session that began after the known one */
	{ "seats=9 room=1 bob=1 ann=1", { { JOINED, "bob", "PA_1", 0 }, { HUNG_UP, "bob", "PA_2", 900 },
	  { HUNG_UP, "bob", "PA_1", 0 }, { JOINED, "bob", "PA_2", 900 }, { JOINED, "bob", "PA_1", 0 } },
	  "room=1; bob=3 ann=1; joined(bob)@1 left(bob)@1" },
	/* from before this membership: the leaving of an earlier one, late */
	{ "seats=9 room=1 bob=2 ann=1", { { JOIN, "bob", "", 0 }, { HUNG_UP, "bob", "PA_0", -5000 } },
	  "room=1; bob=1 ann=1; accepted(bob)@1" },
	/* finished before left */
	{ "room=1 answered bob=1 ann=1", { { FINISHED, "RM_1", "", 0 }, { HUNG_UP, "bob", "PA_b", 0 } },
	  "room=2 hangup/bob; bob=3 ann=3; left(bob)@1 left(ann)@2 finished@2; delete_room" },
	/* an old session of one who went by wish stays out; one who was missed or lost is back */
	{ "seats=9 room=1 bob=2 ann=1", { { JOINED, "bob", "PA_1", -20000 } }, "room=1; bob=2 ann=1" },
	{ "seats=9 room=1 bob=6 ann=1", { { JOINED, "bob", "PA_1", -20000 } }, "room=1; bob=6 ann=1" },
	{ "seats=9 room=1 bob=4 ann=1", { { JOINED, "bob", "PA_1", -20000 } },
	  "room=1; bob=1 ann=1; accepted(bob)@1 joined(bob)@1" },
	{ "seats=9 room=1 bob=1 ann=1", { { NO_GRACE, "", "", 0 }, { DROPPED, "bob", "PA_1", 0 },
	  { JOINED, "bob", "PA_2", 500 } },
	  "room=1; bob=1 ann=1; left(bob)@1 accepted(bob)@1 joined(bob)@1" },
	/* of people we do not know, in calls that are over */
	{ "seats=9 room=1 bob=1 ann=1", { { HUNG_UP, "eve", "PA_e", 0 } }, "room=1; bob=1 ann=1" },
	{ "room=2 bob=3 ann=3", { { HUNG_UP, "bob", "PA_b", 0 } }, "room=2; bob=3 ann=3" },
};

static const struct story TURNED_AWAY[] = {
	{ "invite_on=1 seats=9 ann=1", { { JOINED, "eve", "PA_e", 0 } }, "room=0; ann=1;; remove(eve,PA_e)" },
	{ "bob=0 ann=1", { { JOINED, "eve", "PA_e", 0 } }, "room=0; bob=0 ann=1;; remove(eve,PA_e)" },
	{ "seats=9 room=1 bob=1 ann=1", { { JOINED, "bob", "PA_1", 0 }, { REMOVE, "bob", "", 0 },
	  { JOINED, "bob", "PA_1", 0 }, { JOINED, "bob", "PA_2", 2500 } },
	  "room=1; bob=3! ann=1; joined(bob)@1 left(bob)@1; remove(bob,PA_1) remove(bob,PA_2)" },
	{ "seats=2 room=1 bob=3+ cat=0 ann=1", { { JOINED, "bob", "PA_1", 0 } },
	  "room=1; bob=3 cat=0 ann=1;; remove(bob,PA_1)" },
	{ "invite_on=1 seats=9 room=1 ann=1", { { JOINED, "eve", "PA_e", 0 }, { INVITE, "eve", "", 0 },
	  { JOINED, "eve", "PA_e", 0 } }, "room=1; ann=1 eve=1; invited(ann)invited[eve]@1 accepted(eve)@1 "
	  "joined(eve)@1; remove(eve,PA_e) forget(eve)" },
	/* a call that is over is closed again, by whatever shows that it lives */
	{ "room=2 bob=3 ann=3", { { STARTED, "RM_2", "", 0 } }, "room=2; bob=3 ann=3;; delete_room" },
	{ "room=3 bob=6 ann=3", { { JOINED, "bob", "PA_1", 5000 } }, "room=3; bob=6 ann=3;; delete_room" },
	{ "seats=9 bob=0 ann=1", { { OVER, "", "", 0 }, { JOINED, "bob", "PA_1", 500 } },
	  "room=3 ended/; bob=6 ann=3; left(ann)@3 finished@3; delete_room delete_room" },
};

static const struct story COMING_BACK[] = {
	/* told to reconnect in full: the row waits, the next session takes it up */
	{ "seats=9 room=1 bob=1 ann=1", { { JOINED, "bob", "PA_1", 0 }, { DROPPED, "bob", "PA_1", 0 },
	  { JOINED, "bob", "PA_1", 0 }, { JOINED, "bob", "PA_2", 2500 } },
	  "room=1; bob=1 ann=1; joined(bob)@1 joined(bob)@1" },
	{ "room=1 bob=1 ann=1", { { NO_GRACE, "", "", 0 }, { DROPPED, "bob", "PA_1", 0 } },
	  "room=2 lost/; bob=3 ann=3; left(bob)@1 left(ann)@2 finished@2; delete_room" },
	{ "bob=0 ann=1", { { NO_GRACE, "", "", 0 }, { DROPPED, "ann", "PA_1", 0 } },
	  "room=3 lost/; bob=6 ann=3; left(ann)@0 cancelled(ann)@0 finished@3; delete_room" },
	/* a page reload: the app joins again, the old page's session hangs up, the new one comes */
	{ "room=1 bob=2 ann=1", { { JOIN, "bob", "", 0 }, { JOINED, "bob", "PA_1", 1500 }, { JOIN, "bob", "", 0 },
	  { HUNG_UP, "bob", "PA_1", 1500 }, { JOINED, "bob", "PA_2", 4500 }, { HUNG_UP, "bob", "PA_2", 4500 } },
	  "room=2 hangup/bob; bob=3 ann=3; accepted(bob)@1 joined(bob)@1 joined(bob)@1 left(bob)@1 left(ann)@2 "
	  "finished@2; delete_room" },
	/* the other order: the old session hung up before the app joined again: a plain leave */
	{ "seats=9 room=1 bob=2 ann=1", { { JOIN, "bob", "", 0 }, { JOINED, "bob", "PA_1", 1500 },
	  { HUNG_UP, "bob", "PA_1", 1500 }, { JOIN, "bob", "", 0 } },
	  "room=1; bob=1 ann=1; accepted(bob)@1 joined(bob)@1 left(bob)@1 accepted(bob)@1" },
	/* a takeover: what is told of the device before does not touch the new one */
	{ "room=1 bob=2 ann=1", { { JOIN, "bob", "", 0 }, { JOINED, "bob", "PA_1", 1500 },
	  { TAKEOVER, "bob", "", 0 },
	  { DROPPED, "bob", "PA_1", 1500 }, { HUNG_UP, "bob", "PA_1", 1500 }, { JOINED, "bob", "PA_2", 4500 } },
	  "room=1; bob=1 ann=1; accepted(bob)@1 joined(bob)@1 accepted(bob)@1 joined(bob)@1" },
	{ "room=1 bob=2 ann=1", { { JOIN, "bob", "", 0 }, { JOINED, "bob", "PA_1", 1500 },
	  { TAKEOVER, "bob", "", 0 },
	  { JOINED, "bob", "PA_2", 4500 }, { DROPPED, "bob", "PA_1", 1500 }, { JOINED, "bob", "PA_1", 1500 } },
	  "room=1; bob=1 ann=1; accepted(bob)@1 joined(bob)@1 accepted(bob)@1 joined(bob)@1" },
	/* in by the media alone, and out by it: no reload */
	{ "seats=9 room=1 bob=0 ann=1", { { JOINED, "bob", "PA_1", 0 }, { HUNG_UP, "bob", "PA_1", 0 } },
	  "room=1; bob=3 ann=1; accepted(bob)@1 joined(bob)@1 left(bob)@1" },
};

static const struct story ROOM_FINISHED_STORIES[] = {
	{ "seats=9 room=1", { { FINISHED, "RM_1", "", 0 } }, "room=6 emptied/;; finished@6; delete_room" },
	{ "seats=9 room=1 answered ann=3+", { { FINISHED, "RM_1", "", 0 } },
	  "room=2 emptied/; ann=3; finished@2; delete_room" },
	{ "seats=9 room=1 answered ann=3+", { { FINISHED, "RM_0", "", 0 } }, "room=1; ann=3" },
	{ "seats=9 room=1 ann=1", { { FINISHED, "RM_1", "", 0 } }, "room=1; ann=1" },
	{ "room=2 bob=3 ann=3", { { FINISHED, "RM_1", "", 0 } }, "room=2; bob=3 ann=3" },
};

#define STORY_TEST(name, table)                                                                   \
	START_TEST(name)                                                                              \
	{                                                                                             \
		ck_assert_str_eq(scene_text(tell(&(table)[_i])), (table)[_i].to);                         \
	}                                                                                             \
	END_TEST

STORY_TEST(in_order, IN_ORDER)
STORY_TEST(doubled_and_lost, DOUBLED_AND_LOST)
STORY_TEST(out_of_order, OUT_OF_ORDER)
STORY_TEST(turned_away, TURNED_AWAY)
STORY_TEST(coming_back, COMING_BACK)
STORY_TEST(room_finished, ROOM_FINISHED_STORIES)

/* ---- what the stories' line does not show ---- */

/* A re-hosted room may keep its sid: since when it is hosted only moves forward. */
START_TEST(host_since)
{
	const struct story t = { "seats=9 ann=1", { { STARTED, "RM_2", "", 5000 },
	    { STARTED, "RM_2", "", 1000 } }, "" };
	const struct story again = { "seats=9 ann=1", { { STARTED, "RM_2", "", 5000 },
	    { STARTED, "RM_2", "", 9000 } }, "" };
	const struct story never = { "seats=9 ann=1", { { JOINED, "ann", "PA_a", 700 },
	    { JOINED, "bob", "PA_b", 900 } }, "" };

	ck_assert_int_eq(tell(&t)->room.host_since_ms, SCENE_NOW + 3000);
	ck_assert(str_eq(tell(&t)->room.livekit_sid, S("RM_2")));
	ck_assert_int_eq(tell(&again)->room.host_since_ms, SCENE_NOW + 7000);
	ck_assert_int_eq(tell(&never)->room.host_since_ms, 0);
	ck_assert_int_eq(tell(&never)->room.started_at_ms, SCENE_NOW + 1000);
}
END_TEST

START_TEST(a_session_in_the_row)
{
	const struct story t = { "seats=9 room=1 bob=0 ann=1", { { JOINED, "bob", "PA_1", 300 } }, "" };
	const struct participant *p = call_find(tell(&t), S("bob"));

	ck_assert(str_eq(p->sid, S("PA_1")));
	ck_assert_int_eq(p->sid_at_ms, SCENE_NOW + 300);
	ck_assert_int_eq(p->session_from_ms, SCENE_NOW + 300);
	ck_assert_int_eq(p->deadline_ms, 0);
	ck_assert(str_eq(p->device_type, S("tv")) && str_eq(p->device_id, S("d9")));
}
END_TEST

/* What is told of a session from before the membership leaves it as it is, the rejoin grace included. */
START_TEST(an_earlier_membership)
{
	struct story t = { "seats=9 room=1 bob=2 ann=1", { { JOIN, "bob", "", 0 },
	    { HUNG_UP, "bob", "PA_0", -4001 } }, "" };
	const struct participant *p = call_find(tell(&t), S("bob"));

	ck_assert(p->deadline_ms == 0 && p->sid_at_ms == 0 && p->last_left_sid.len == 0);
	/* Clocks differ: within five seconds it may be this one's. */
	t.steps[1].at = -4000;
	ck_assert(str_eq(call_find(tell(&t), S("bob"))->last_left_sid, S("PA_0")));
}
END_TEST

/* A join by the API decides the device; the media's word counts only where there is none. */
START_TEST(the_api_decides_the_device)
{
	const struct story t = { "seats=9 room=1 bob=0 ann=1", { { JOIN, "bob", "", 0 },
	    { JOINED, "bob", "PA_1", 1300 } }, "" };
	const struct participant *p = call_find(tell(&t), S("bob"));

	ck_assert(str_eq(p->device_type, S("app")) && str_eq(p->device_id, S("d1")));
	ck_assert_int_eq(p->session_from_ms, SCENE_NOW + 1000);
}
END_TEST

START_TEST(a_device_is_kept)
{
	const struct story back = { "seats=9 room=1 bob=2 ann=1", { { JOIN, "bob", "", 0 }, { LEAVE, "bob", "", 0 },
	    { JOINED, "bob", "PA_1", 2500 } }, "" };
	const struct story unknown = { "seats=9 room=1 bob=1 ann=1", { { JOINED, "bob", "PA_1", 0 } }, "" };

	ck_assert(str_eq(call_find(tell(&back), S("bob"))->device_type, S("app")));
	ck_assert(str_eq(call_find(tell(&unknown), S("bob"))->device_type, S("tv")));
}
END_TEST

START_TEST(the_grace)
{
	struct story t = { "seats=9 room=1 bob=1 ann=1", { { JOINED, "bob", "PA_1", 0 },
	    { DROPPED, "bob", "PA_1", 0 }, { DROPPED, "bob", "PA_1", 0 } }, "" };
	const struct participant *p = call_find(tell(&t), S("bob"));

	ck_assert_int_eq(p->deadline_ms, SCENE_NOW + 2000 + SCENE_GRACE_MS);      /* a repeat does not prolong it */
	ck_assert(p->sid.len == 0 && str_eq(p->last_left_sid, S("PA_1")) && p->status == P_JOINED);
	ck_assert_int_eq(p->sid_at_ms, SCENE_NOW);
	t.steps[2] = (struct step){ JOINED, "bob", "PA_2", 2500 };
	p = call_find(tell(&t), S("bob"));
	ck_assert_int_eq(p->deadline_ms, 0);
	ck_assert(str_eq(p->sid, S("PA_2")));
}
END_TEST

START_TEST(a_takeover_ends_the_grace)
{
	const struct story t = { "seats=9 room=1 bob=2 ann=1", { { JOIN, "bob", "", 0 },
	    { JOINED, "bob", "PA_1", 1300 }, { DROPPED, "bob", "PA_1", 1300 }, { TAKEOVER, "bob", "", 0 } }, "" };
	const struct participant *p = call_find(tell(&t), S("bob"));

	ck_assert_int_eq(p->deadline_ms, 0);
	ck_assert(str_eq(p->device_id, S("d2")));
}
END_TEST

/* How somebody went, for the reconciler: by wish, or not. */
START_TEST(how_it_left)
{
	struct story t = { "seats=9 room=1 bob=1 ann=1", { { NO_GRACE, "", "", 0 },
	    { DROPPED, "bob", "PA_1", 0 } }, "" };

	ck_assert(str_eq(call_find(tell(&t), S("bob"))->left_how, S("lost")));
	t.steps[1].what = HUNG_UP;
	ck_assert(str_eq(call_find(tell(&t), S("bob"))->left_how, S("leave")));
	t.steps[1].what = PUT_OUT;
	ck_assert(str_eq(call_find(tell(&t), S("bob"))->left_how, S("leave")));
}
END_TEST

START_TEST(finished_asks_for_a_look)
{
	const struct story t = { "seats=9 room=1 ann=1", { { FINISHED, "RM_1", "", 0 } }, "" };
	const struct story stale = { "seats=9 room=1 ann=1", { { FINISHED, "RM_0", "", 0 } }, "" };

	ck_assert_int_eq(tell(&t)->room.look_at_ms, SCENE_NOW + 1000);
	ck_assert_uint_eq(tell(&t)->room.livekit_sid.len, 0);
	ck_assert_int_eq(tell(&stale)->room.look_at_ms, 0);
	ck_assert(str_eq(tell(&stale)->room.livekit_sid, S("RM_1")));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("rules/media");
	TCase *tc = tcase_create("media");

	SCENE_CASE(tc);
	tcase_add_loop_test(tc, in_order, 0, (int)N_ELEMS(IN_ORDER));
	tcase_add_loop_test(tc, doubled_and_lost, 0, (int)N_ELEMS(DOUBLED_AND_LOST));
	tcase_add_loop_test(tc, out_of_order, 0, (int)N_ELEMS(OUT_OF_ORDER));
	tcase_add_loop_test(tc, turned_away, 0, (int)N_ELEMS(TURNED_AWAY));
	tcase_add_loop_test(tc, coming_back, 0, (int)N_ELEMS(COMING_BACK));
	tcase_add_loop_test(tc, room_finished, 0, (int)N_ELEMS(ROOM_FINISHED_STORIES));
	tcase_add_test(tc, host_since);
	tcase_add_test(tc, a_session_in_the_row);
	tcase_add_test(tc, the_api_decides_the_device);
	tcase_add_test(tc, a_device_is_kept);
	tcase_add_test(tc, an_earlier_membership);
	tcase_add_test(tc, the_grace);
	tcase_add_test(tc, a_takeover_ends_the_grace);
	tcase_add_test(tc, how_it_left);
	tcase_add_test(tc, finished_asks_for_a_look);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
