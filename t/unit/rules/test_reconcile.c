/* test_reconcile - LiveKit's lists against a call: who is believed, who is lost and when, who is put out; look by
 * look, as stories.
 * SPDX-License-Identifier: MIT */
#include "rules/reconcile.h"

#include "rules/media.h"
#include "support/scene.h"

enum { INTERVAL_MS = 30000, JOIN_GRACE_MS = 30000, AGAIN_MS = 10000, GRACE_OFF = 1 };

enum saw {
	END,
	SAW,                             /* ListRooms has the room, ListParticipants answered */
	COUNTED,                         /* ListRooms has it, nobody asked who is there */
	UNLISTED,                        /* ListRooms has not */
	SILENT,                          /* LiveKit was */
};
/* after: seconds since the step before. people: "uid:sid@ms uid:sid@ms", ms from the story's begin. named: who was
 * asked for by name and is there (uid=1) or is not (uid=0). */
struct step {
	enum saw saw;
	int after;
	const char *people;
	enum host { ALIVE, GONE, UNKNOWN } host;
	const char *named;
};
/* rows: what is known of the rows, "uid key=value key=value; uid ..."; times in ms from the story's begin. */
struct story {
	const char *name, *from, *rows;
	struct step steps[5];
	const char *to;
	int no_grace;
};

static int64_t
number(struct str s)
{
	int64_t n = 0;

	ck_assert_msg(parse_i64(s, -1000000000, 1000000000, &n), "no number: %.*s", STR_ARG(s));
	return n;
}

static void
set(struct participant *p, struct str key, struct str value)
{
	if (str_eq(key, S("sid")))
		p->sid = value;
	else if (str_eq(key, S("last")))
		p->last_left_sid = value;
	else if (str_eq(key, S("how")))
		p->left_how = value;
	else if (str_eq(key, S("at")))
		p->sid_at_ms = SCENE_NOW + number(value);
	else if (str_eq(key, S("from")))
		p->session_from_ms = str_eq(value, S("never")) ? 0 : SCENE_NOW + number(value);
	else if (str_eq(key, S("left")))
		p->left_at_ms = SCENE_NOW + number(value);
	else if (str_eq(key, S("missing")))
		p->missing_at_ms = SCENE_NOW + number(value);
	else if (str_eq(key, S("deadline")))
		p->deadline_ms = SCENE_NOW + number(value);
	else
		ck_abort_msg("no such field: %.*s", STR_ARG(key));
}

static void
know(struct call *c, const char *rows)
{
	struct str rest = word(rows), one, uid, w, key;

	while (str_split(&rest, ';', &one)) {
		one = str_trim(one);
		if (one.len == 0 || !str_split(&one, ' ', &uid))
			continue;
		while (str_split(&one, ' ', &w))
			if (str_split(&w, '=', &key))
				set(call_find(c, uid), key, w);
	}
}

static struct seen_room
seen_of(const struct step *s)
{
	static const enum host_state HOSTS[] = { [ALIVE] = HOST_ALIVE, [GONE] = HOST_GONE, [UNKNOWN] = HOST_UNKNOWN };
	struct seen_room seen = { .heard = s->saw != SILENT, .listed = s->saw == SAW || s->saw == COUNTED,
	    .people_known = s->saw == SAW };
	struct str rest = word(s->people != NULL ? s->people : ""), w, uid, sid;

	seen.host = HOSTS[s->host];
	seen.people = arena_array(scene_arena, 16, sizeof(*seen.people));
	while (str_split(&rest, ' ', &w)) {
		if (w.len == 0)
			continue;
		ck_assert(str_split(&w, ':', &uid) && str_split(&w, '@', &sid));
		seen.people[seen.n_sessions++] = (struct media_session){ .uid = uid, .sid = sid,
		    .joined_at_ms = SCENE_NOW + number(w) };
	}
	seen.n_people = (int64_t)seen.n_sessions;
	seen.asked = arena_array(scene_arena, 16, sizeof(*seen.asked));
	rest = word(s->named);
	while (str_split(&rest, ' ', &w))
		if (w.len > 0 && str_split(&w, '=', &uid))
			seen.asked[seen.n_asked++] = (struct asked_person){ uid, str_eq(w, S("1")) };
	return seen;
}

static struct call *
begin(const char *from, const char *rows)
{
	struct call *c = scene(from);

	c->policy.reconcile_ms = INTERVAL_MS;
	c->policy.join_grace_ms = JOIN_GRACE_MS;
	c->policy.look_again_ms = AGAIN_MS;
	c->room.host_since_ms = SCENE_NOW - 1000000;
	know(c, rows);
	return c;
}

static void
do_step(struct call *c, const struct step *s, struct call *all)
{
	const struct seen_room seen = seen_of(s);
	struct before b;

	c->now_ms += s->after * 1000;
	c->room.look_at_ms = c->now_ms + INTERVAL_MS;       /* as the claim leaves it */
	b = scene_before(c);
	call_reconcile(c, &seen);
	scene_check(&b, c);
	for (size_t i = 0; i < c->n_events; i++)
		*call_add_event(all) = c->events[i];
	for (size_t i = 0; i < c->n_actions; i++)
		call_act(all, c->actions[i].kind, c->actions[i].uid, c->actions[i].sid);
	scene_commit(c);
}

static const char *
told(const struct story *t)
{
	struct call *c = begin(t->from, t->rows), *all = scene("");

	if (t->no_grace)
		c->policy.rejoin_grace_ms = 0;
	for (size_t i = 0; i < N_ELEMS(t->steps) && t->steps[i].saw != END; i++)
		do_step(c, &t->steps[i], all);
	c->events = all->events;
	c->n_events = all->n_events;
	c->actions = all->actions;
	c->n_actions = all->n_actions;
	return scene_text(c);
}

#define TALK "room=1 answered bob=1 ann=1"
#define KNOWN "ann sid=PA_a at=-90000; bob sid=PA_b at=-80000"
#define BOTH "ann:PA_a@-90000 bob:PA_b@-80000"
#define STAY "room=1; bob=1 ann=1"
#define A "ann:PA_a@-90000"
#define BOTH_LOST "room=2 lost/; bob=3 ann=3; left(bob)@1 left(ann)@1 finished@2; delete_room"
#define BOB_LOST "room=2 lost/; bob=3 ann=3; left(bob)@1 left(ann)@2 finished@2; delete_room"

static const struct story PRESENCE[] = {
	{ "all is as it is known", TALK, KNOWN, { { SAW, 0, BOTH, ALIVE, "" }, { SAW, 30, BOTH, ALIVE, "" } }, STAY,
	  0 },
	{ "a creator whose webhook was lost", "bob=0 ann=0", "", { { SAW, 0, "ann:PA_a@-100", ALIVE, "" } },
	  "room=1; bob=0 ann=1; started@1 accepted(ann)@1 joined(ann)@1", 0 },
	{ "two lost webhooks", "bob=0 ann=0", "", { { SAW, 0, "ann:PA_a@-200 bob:PA_b@-100", ALIVE, "" } },
	  "room=1; bob=1 ann=1; started@1 accepted(ann)@1 joined(ann)@1 accepted(bob)@1 joined(bob)@1", 0 },
	{ "the session of somebody who joined by the API", "bob=0 ann=1", "", { { SAW, 0, "ann:PA_a@-100",
	  ALIVE, "" } },
	  "room=1; bob=0 ann=1; started@1 joined(ann)@1", 0 },
	{ "a newer session", TALK, KNOWN, { { SAW, 0, "ann:PA_a2@-100 bob:PA_b@-80000", ALIVE, "" } },
	  "room=1; bob=1 ann=1; joined(ann)@1", 0 },
	{ "back in the rejoin grace", TALK, "ann last=PA_a at=-90000 deadline=5000; bob sid=PA_b at=-80000",
	  { { SAW, 0, "ann:PA_a2@-100 bob:PA_b@-80000", ALIVE, "" } }, "room=1; bob=1 ann=1; joined(ann)@1", 0 },
	{ "in the rejoin grace, an old list", TALK,
	  "ann last=PA_a at=-90000 deadline=5000; bob sid=PA_b at=-80000", { { SAW, 0, BOTH, ALIVE, "" } },
	  STAY, 0 },
	{ "a stranger in an open call", "seats=3 room=1 answered bob=1 ann=1", KNOWN,
	  { { SAW, 0, BOTH " cyd:PA_c@-100", ALIVE, "" } },
	  "room=1; bob=1 ann=1 cyd=1; accepted(cyd)@1 joined(cyd)@1", 0 },
	{ "a stranger in a full call", TALK, KNOWN, { { SAW, 0, BOTH " cyd:PA_c@-100", ALIVE, "" } },
	  STAY ";; remove(cyd,PA_c)", 0 },
	{ "a stranger in a call by invitation", "seats=3 invite_on=1 room=1 answered bob=1 ann=1", KNOWN,
	  { { SAW, 0, BOTH " cyd:PA_c@-100", ALIVE, "" } }, STAY ";; remove(cyd,PA_c)", 0 },
	{ "a ghost of the host before", "bob=0 ann=0", "", { { SAW, 0, "ann:PA_a@-1000001", ALIVE, "" } },
	  "room=0; bob=0 ann=0", 0 },
	{ "at the very moment the host began", "bob=0 ann=0", "", { { SAW, 0, "ann:PA_a@-1000000", ALIVE, "" } },
	  "room=1; bob=0 ann=1; started@1 accepted(ann)@1 joined(ann)@1", 0 },
	{ "of a dead host", "bob=0 ann=0", "", { { SAW, 0, "ann:PA_a@-100", GONE, "" } }, "room=0; bob=0 ann=0",
	  0 },
	{ "of a host that is not known", "bob=0 ann=0", "", { { SAW, 0, "ann:PA_a@-100", UNKNOWN, "" } },
	  "room=1; bob=0 ann=1; started@1 accepted(ann)@1 joined(ann)@1", 0 },
	{ "LiveKit is silent", "bob=0 ann=0", "", { { SILENT, 0, "ann:PA_a@-100", ALIVE, "" } },
	  "room=0; bob=0 ann=0", 0 },
};

static const struct story CAME_BACK[] = {
	/* Who went by a wish. */
	{ "left, and the session is still there", "seats=3 room=1 answered cyd=1 bob=1 ann=3+",
	  "ann last=PA_a left=-1000 at=-90000", { { SAW, 0, "ann:PA_a@-90000 bob:PA_b@-1 cyd:PA_c@-1",
	  ALIVE, "" } },
	  "room=1; cyd=1 bob=1 ann=3; joined(bob)@1 joined(cyd)@1; remove(ann,PA_a)", 0 },
	{ "left, and a session from before that nobody told of", "seats=3 room=1 answered bob=1 ann=3+",
	  "ann left=-1000; bob sid=PA_b at=-90000", { { SAW, 0, "ann:PA_z@-1000 bob:PA_b@-1", ALIVE, "" } },
	  "room=1; bob=1 ann=3;; remove(ann,PA_z)", 0 },
	{ "left, and LiveKit's clock is ahead of ours", "seats=3 room=1 answered bob=1 ann=3+",
	  "ann last=PA_a left=-1000; bob sid=PA_b at=-90000", { { SAW, 0, "ann:PA_a@-500 bob:PA_b@-1", ALIVE, "" } },
	  "room=1; bob=1 ann=3;; remove(ann,PA_a)", 0 },
	{ "left, and came in again", "seats=3 room=1 answered bob=1 ann=3+",
	  "ann last=PA_a left=-1000; bob sid=PA_b at=-90000",
	  { { SAW, 0, "ann:PA_z@-999 bob:PA_b@-1", ALIVE, "" } },
	  "room=1; bob=1 ann=1; accepted(ann)@1 joined(ann)@1", 0 },
	{ "rejected, and is there since before", "seats=3 room=1 cyd=1 bob=2 ann=1",
	  "bob left=-1000; cyd sid=PA_c at=-90000; ann sid=PA_a at=-90000",
	  { { SAW, 0, "bob:PA_b@-5000 cyd:PA_c@-1 ann:PA_a@-1", ALIVE, "" } },
	  "room=1; cyd=1 bob=2 ann=1;; remove(bob,PA_b)", 0 },
	{ "removed, and came in again", "seats=3 room=1 answered cyd=1 bob=3+! ann=1",
	  "bob how=removed left=-1000; cyd sid=PA_c at=-90000; ann sid=PA_a at=-90000",
	  { { SAW, 0, "bob:PA_b@-5 cyd:PA_c@-1 ann:PA_a@-1", ALIVE, "" } },
	  "room=1; cyd=1 bob=3! ann=1;; remove(bob,PA_b)", 0 },
	{ "cancelled, and is there since before", "seats=3 room=1 cyd=1 bob=6 ann=1",
	  "bob left=-1000; cyd sid=PA_c at=-90000; ann sid=PA_a at=-90000",
	  { { SAW, 0, "bob:PA_b@-5000 cyd:PA_c@-1 ann:PA_a@-1", ALIVE, "" } },
	  "room=1; cyd=1 bob=6 ann=1;; remove(bob,PA_b)", 0 },
	/* Who was given up. */
	{ "missed, and was there all the time", "seats=3 room=1 cyd=1 bob=4 ann=1",
	  "bob left=-1000; cyd sid=PA_c at=-90000; ann sid=PA_a at=-90000",
	  { { SAW, 0, "bob:PA_b@-5000 cyd:PA_c@-1 ann:PA_a@-1", ALIVE, "" } },
	  "room=1; cyd=1 bob=1 ann=1; accepted(bob)@1 joined(bob)@1", 0 },
	{ "lost, and goes on with the same session", "seats=3 room=1 answered cyd=1 bob=3+ ann=1",
	  "bob how=lost last=PA_b at=-80000 left=-1000; cyd sid=PA_c at=-90000; ann sid=PA_a at=-90000",
	  { { SAW, 0, "bob:PA_b@-80000 cyd:PA_c@-1 ann:PA_a@-1", ALIVE, "" },
	  { SAW, 30, "bob:PA_b@-80000 cyd:PA_c@-1 ann:PA_a@-1", ALIVE, "" } },
	  "room=1; cyd=1 bob=1 ann=1; accepted(bob)@1 joined(bob)@1", 0 },
	{ "lost, and goes on with an older one than was known", "seats=3 room=1 answered cyd=1 bob=3+ ann=1",
	  "bob how=lost last=PA_b2 at=-500 left=-100; cyd sid=PA_c at=-90000; ann sid=PA_a at=-90000",
	  { { SAW, 0, "bob:PA_b@-80000 cyd:PA_c@-1 ann:PA_a@-1", ALIVE, "" } },
	  "room=1; cyd=1 bob=1 ann=1; accepted(bob)@1 joined(bob)@1", 0 },
	{ "lost, came back, and the seat is taken", "room=1 answered cyd=1 bob=3+ ann=1",
	  "bob how=lost last=PA_b left=-1000; cyd sid=PA_c at=-90000; ann sid=PA_a at=-90000",
	  { { SAW, 0, "bob:PA_b@-80000 cyd:PA_c@-1 ann:PA_a@-1", ALIVE, "" } },
	  "room=1; cyd=1 bob=3 ann=1;; remove(bob,PA_b)", 0 },
	{ "missed, then removed by a moderator", "seats=3 room=1 cyd=1 bob=4! ann=1",
	  "bob left=-1000; cyd sid=PA_c at=-90000; ann sid=PA_a at=-90000",
	  { { SAW, 0, "bob:PA_b@-5000 cyd:PA_c@-1 ann:PA_a@-1", ALIVE, "" } },
	  "room=1; cyd=1 bob=4! ann=1;; remove(bob,PA_b)", 0 },
};

static const struct story ABSENCE[] = {
	{ "one look", TALK, KNOWN, { { SAW, 0, A, ALIVE, "bob=0" } }, STAY, 0 },
	{ "a second one too soon", TALK, KNOWN, { { SAW, 0, A, ALIVE, "" }, { SAW, 9, A, ALIVE, "bob=0" } }, STAY, 0 },
	{ "two looks", TALK, KNOWN, { { SAW, 0, A, ALIVE, "" }, { SAW, 10, A, ALIVE, "bob=0" } }, BOB_LOST, 0 },
	{ "two looks, and not asked for by name", TALK, KNOWN,
	  { { SAW, 0, A, ALIVE, "" }, { SAW, 10, A, ALIVE, "" }, { SAW, 10, A, ALIVE, "ann=0" } }, STAY, 0 },
	{ "found by name", TALK, KNOWN,
	  { { SAW, 0, A, ALIVE, "" }, { SAW, 10, A, ALIVE, "bob=1" }, { SAW, 10, A, ALIVE, "bob=0" } }, STAY, 0 },
	{ "found by name once", TALK, KNOWN, { { SAW, 0, A, ALIVE, "" }, { SAW, 10, A, ALIVE, "bob=1" },
	  { SAW, 10, A, ALIVE, "" }, { SAW, 10, A, ALIVE, "bob=0" } }, BOB_LOST, 0 },
	{ "the host is a new one: a while to get there", TALK, "ann sid=PA_a at=-90000; bob sid=PA_b at=-1000001",
	  { { SAW, 0, A, ALIVE, "" }, { SAW, 10, A, ALIVE, "bob=0" }, { SAW, 4, A, ALIVE, "bob=0" } }, STAY, 0 },
	{ "the host is a new one, and nobody came", TALK, "ann sid=PA_a at=-90000; bob sid=PA_b at=-1000001",
	  { { SAW, 0, A, ALIVE, "" }, { SAW, 10, A, ALIVE, "bob=0" }, { SAW, 5, A, ALIVE, "bob=0" } }, BOB_LOST, 0 },
	{ "of this host from its beginning", TALK, "ann sid=PA_a at=-90000; bob sid=PA_b at=-1000000",
	  { { SAW, 0, A, ALIVE, "" }, { SAW, 10, A, ALIVE, "bob=0" } }, BOB_LOST, 0 },
	{ "seen in between", TALK, KNOWN,
	  { { SAW, 0, A, ALIVE, "" }, { SAW, 10, BOTH, ALIVE, "" }, { SAW, 10, A, ALIVE, "bob=0" } }, STAY, 0 },
	{ "not heard in between", TALK, KNOWN, { { SAW, 0, A, ALIVE, "" }, { SILENT, 10, "", ALIVE, "bob=0" } },
	  STAY, 0 },
	{ "in a group the others go on", "seats=3 room=1 answered cyd=1 bob=1 ann=1",
	  "ann sid=PA_a at=-90000; bob sid=PA_b at=-90000; cyd sid=PA_c at=-90000",
	  { { SAW, 0, "ann:PA_a@-1 cyd:PA_c@-1", ALIVE, "" }, { SAW, 10, "ann:PA_a@-1 cyd:PA_c@-1", ALIVE, "bob=0" } },
	  "room=1; cyd=1 bob=3 ann=1; left(bob)@1", 0 },
	{ "both of two at once", TALK, KNOWN, { { SAW, 0, "", ALIVE, "" }, { SAW, 10, "", ALIVE, "ann=0 bob=0" } },
	  BOTH_LOST, 0 },
	{ "both missing, one found by name", TALK, KNOWN,
	  { { SAW, 0, "", ALIVE, "" }, { SAW, 10, "", ALIVE, "ann=1 bob=0" } }, BOB_LOST, 0 },
	{ "joined a moment ago", TALK, "ann from=-29999; bob from=-29999", { { SAW, 0, "", ALIVE, "ann=0 bob=0" } },
	  STAY, 0 },
	{ "joined, and never came", TALK, "ann sid=PA_a at=-90000; bob from=-30000",
	  { { SAW, 0, A, ALIVE, "" }, { SAW, 10, A, ALIVE, "bob=0" } }, BOB_LOST, 0 },
	{ "joined anew in between", TALK, "ann sid=PA_a at=-90000; bob from=5000 missing=-60000",
	  { { SAW, 0, A, ALIVE, "bob=0" }, { SAW, 15, A, ALIVE, "bob=0" } }, STAY, 0 },
	{ "in the rejoin grace", TALK, "ann sid=PA_a at=-90000; bob deadline=60000 last=PA_b",
	  { { SAW, 0, A, ALIVE, "" }, { SAW, 10, A, ALIVE, "bob=0" } }, STAY, 0 },
	{ "who rings need not be there", "bob=0 ann=1", "ann sid=PA_a at=-90000",
	  { { SAW, 0, A, ALIVE, "" }, { SAW, 10, A, ALIVE, "bob=0" } }, "room=1; bob=0 ann=1; started@1", 0 },
	{ "only a ghost is listed", TALK, KNOWN, { { SAW, 0, A " bob:PA_b@-1000001", ALIVE, "" },
	  { SAW, 10, A " bob:PA_b@-1000001", ALIVE, "bob=0" } }, BOB_LOST, 0 },
	{ "listed with the session that was left: there all the same", TALK, "ann sid=PA_a at=-90000; bob last=PA_b at=-80000",
	  { { SAW, 0, A " bob:PA_b@-80000", ALIVE, "" }, { SAW, 10, A " bob:PA_b@-80000", ALIVE, "bob=0" } }, STAY, 0 },
	{ "the session that was left shows in between", TALK, "ann sid=PA_a at=-90000; bob last=PA_b at=-80000",
	  { { SAW, 0, A, ALIVE, "" }, { SAW, 10, A " bob:PA_b@-80000", ALIVE, "bob=0" }, { SAW, 10, A, ALIVE, "bob=0" } },
	  STAY, 0 },
	{ "a list older than what is known", TALK, "ann sid=PA_a at=-90000; bob sid=PA_b2 at=-100",
	  { { SAW, 0, A " bob:PA_b@-1000002", ALIVE, "" }, { SAW, 10, A " bob:PA_b@-1000002", ALIVE, "bob=0" } }, STAY, 0 },
	{ "nobody was asked", TALK, KNOWN, { { COUNTED, 0, "", ALIVE, "" }, { COUNTED, 10, "", ALIVE, "bob=0" } }, STAY, 0 },
	{ "the host is not known", TALK, KNOWN, { { SAW, 0, A, UNKNOWN, "" }, { SAW, 10, A, UNKNOWN, "bob=0" } },
	  BOB_LOST, 0 },
	{ "the room is not listed", TALK, KNOWN,
	  { { UNLISTED, 0, "", UNKNOWN, "" }, { UNLISTED, 10, "", UNKNOWN, "ann=0 bob=0" } }, BOTH_LOST, 0 },
	{ "the room is not listed, but its people are found", TALK, KNOWN,
	  { { UNLISTED, 0, "", UNKNOWN, "" }, { UNLISTED, 10, "", UNKNOWN, "ann=1 bob=1" },
	    { UNLISTED, 10, "", UNKNOWN, "" }, { UNLISTED, 10, "", UNKNOWN, "ann=1 bob=1" } }, STAY, 0 },
	{ "a row of the Go server, nobody there", TALK, "ann from=never; bob from=never",
	  { { SAW, 0, "", ALIVE, "" }, { SAW, 10, "", ALIVE, "ann=0 bob=0" } }, BOTH_LOST, 0 },
};

static const struct story DEAD_HOST[] = {
	{ "a while to come back", TALK, KNOWN, { { SAW, 0, BOTH, GONE, "" }, { SAW, 10, BOTH, GONE, "" } }, STAY, 0 },
	{ "it was only frozen", TALK, KNOWN, { { SAW, 0, BOTH, GONE, "" }, { SAW, 10, BOTH, ALIVE, "" },
	  { SAW, 10, BOTH, ALIVE, "" } }, STAY, 0 },
	{ "no while is given", TALK, KNOWN, { { SAW, 0, BOTH, GONE, "" } },
	  "room=2 lost/; bob=3 ann=3; left(bob)@1 left(ann)@1 finished@2; delete_room", GRACE_OFF },
	{ "who is on the way is waited for", TALK, "ann from=-100; bob from=-100", { { SAW, 0, "", GONE, "" } },
	  STAY,
	  GRACE_OFF },
	{ "who never came is not", TALK, "ann from=-30000; bob from=-100", { { SAW, 0, "", GONE, "" } },
	  "room=2 lost/; bob=3 ann=3; left(ann)@1 left(bob)@2 finished@2; delete_room", GRACE_OFF },
	{ "LiveKit is silent", TALK, KNOWN, { { SILENT, 0, BOTH, GONE, "" } }, STAY, GRACE_OFF },
};

static const struct story OVER[] = {
	{ "final, and still there", "room=2 answered bob=3+ ann=3+", "", { { COUNTED, 0, "", ALIVE, "" } },
	  "room=2; bob=3 ann=3;; delete_room", 0 },
	{ "final, and gone", "room=2 answered bob=3+ ann=3+", "", { { UNLISTED, 0, "", ALIVE, "" } },
	  "room=2; bob=3 ann=3", 0 },
	{ "final, and nothing heard", "room=2 answered bob=3+ ann=3+", "", { { SILENT, 0, "", ALIVE, "" } },
	  "room=2; bob=3 ann=3", 0 },
	{ "nobody is in it", "room=1 answered bob=3+ ann=3+", "", { { COUNTED, 0, "", ALIVE, "" } },
	  "room=2 lost/; bob=3 ann=3; finished@2; delete_room", 0 },
	{ "nobody is in it by our book", "room=1 answered bob=3+ ann=3+", "bob how=lost",
	  { { SAW, 0, "bob:PA_b@-5", ALIVE, "" } },
	  "room=1; bob=1 ann=3; accepted(bob)@1 joined(bob)@1", 0 },
	{ "nobody is in it, and nothing heard", "room=1 answered bob=3+ ann=3+", "", { { SILENT, 0, "",
	  ALIVE, "" } },
	  "room=1; bob=3 ann=3", 0 },
	{ "never begun, nobody in it", "bob=4 ann=4", "", { { UNLISTED, 0, "", ALIVE, "" } },
	  "room=6 lost/; bob=4 ann=4; finished@6; delete_room", 0 },
};

static void
check_stories(const struct story *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(strcmp(told(&t[i]), t[i].to) == 0, "%s:\n  got  %s\n  want %s",
	  t[i].name, told(&t[i]),
		    t[i].to);
}

#define STORIES(name, table)                                                                     \
	START_TEST(name) { check_stories((table), N_ELEMS(table)); } END_TEST
STORIES(presence, PRESENCE)
STORIES(came_back, CAME_BACK)
STORIES(absence, ABSENCE)
STORIES(dead_host, DEAD_HOST)
STORIES(over, OVER)

/* The second look is asked for: 10 s after the first, and sooner than its turn would be. */
START_TEST(a_second_look_is_asked_for)
{
	struct call *c = begin(TALK, KNOWN), *all = scene("");
	const struct step first = { SAW, 0, "ann:PA_a@-90000", ALIVE, "" }, soon = { SAW, 4, "ann:PA_a@-90000",
	  ALIVE, "" };

	do_step(c, &first, all);
	ck_assert_int_eq(c->room.look_at_ms, SCENE_NOW + AGAIN_MS);
	ck_assert_int_eq(call_find(c, S("bob"))->missing_at_ms, SCENE_NOW);
	ck_assert_int_eq(call_find(c, S("ann"))->missing_at_ms, 0);
	do_step(c, &soon, all);
	ck_assert_int_eq(c->room.look_at_ms, SCENE_NOW + AGAIN_MS);
	ck_assert_int_eq(call_find(c, S("bob"))->missing_at_ms, SCENE_NOW);
}
END_TEST

/* Missing twice, and not asked for by name: nobody is lost, and that is made up for in the next look. */
START_TEST(by_name_before_somebody_is_lost)
{
	struct call *c = begin(TALK, KNOWN), *all = scene("");
	const struct step first = { UNLISTED, 0, "", ALIVE, "" }, second = { UNLISTED, 12, "", ALIVE, "" };

	do_step(c, &first, all);
	do_step(c, &second, all);
	ck_assert_int_eq(c->room.status, 1);
	ck_assert_int_eq(c->room.look_at_ms, c->now_ms + AGAIN_MS);
}
END_TEST

/* A look that finds nothing new writes nothing. */
START_TEST(nothing_new_is_nothing_to_save)
{
	struct call *c = begin(TALK, KNOWN);
	const struct step quiet[] = { { SAW, 0, BOTH, ALIVE, "" }, { COUNTED, 0, "", ALIVE, "" }, { SILENT, 0, "",
	  ALIVE, "" },
		{ SAW, 0, BOTH, UNKNOWN, "" }, { COUNTED, 0, "", UNKNOWN, "" } };

	for (size_t i = 0; i < N_ELEMS(quiet); i++) {
		const struct seen_room seen = seen_of(&quiet[i]);
		const struct before b = scene_before(c);

		call_reconcile(c, &seen);
		scene_unchanged(&b, c);
	}
}
END_TEST

/* A dead host: the grace, without forgetting the session; and what clears it. */
START_TEST(a_dead_host_gives_the_rejoin_grace)
{
	struct call *c = begin(TALK, KNOWN), *all = scene("");
	const struct step gone = { SAW, 0, BOTH, GONE, "" }, still = { SAW, 5, BOTH, GONE, "" },
	    back = { SAW, 5, BOTH, ALIVE, "" };
	struct participant *bob = call_find(c, S("bob"));

	do_step(c, &gone, all);
	ck_assert_int_eq(bob->deadline_ms, SCENE_NOW + SCENE_GRACE_MS);
	ck_assert(str_eq(bob->sid, S("PA_b")));
	ck_assert_int_eq(c->room.look_at_ms, SCENE_NOW + AGAIN_MS);
	do_step(c, &still, all);
	ck_assert_int_eq(bob->deadline_ms, SCENE_NOW + SCENE_GRACE_MS);
	do_step(c, &back, all);
	ck_assert_int_eq(bob->deadline_ms, 0);
	ck_assert(str_eq(bob->sid, S("PA_b")));
	ck_assert_uint_eq(all->n_events, 0);
}
END_TEST

/* Joined by the Go server after our ring deadline had been set: it is taken away, whatever LiveKit says. */
START_TEST(deadlines_of_the_go_servers_people)
{
	static const enum saw SAYS[] = { SAW, SILENT, UNLISTED };
	struct call *c = begin(TALK, "ann from=never deadline=5000; bob sid=PA_b at=-90000 from=-50000 deadline=5000");
	const struct step s = { SAYS[_i], 0, SAYS[_i] == SAW ? BOTH : "", UNKNOWN, "" };
	const struct seen_room seen = seen_of(&s);

	call_reconcile(c, &seen);
	ck_assert(c->changed);
	ck_assert_int_eq(call_find(c, S("ann"))->deadline_ms, 0);
	ck_assert_int_eq(call_find(c, S("ann"))->session_from_ms, SCENE_NOW);
	ck_assert_int_eq(call_find(c, S("bob"))->deadline_ms, (SAYS[_i] == SAW ? 0 : SCENE_NOW + 5000));
}
END_TEST

static const struct { const char *from; int64_t seq; const char *to; } HEALED[] = {
	{ "room=2 bob=1 ann=0", 0, "room=2; bob=3 ann=6" },
	{ "room=3 bob=0 ann=1", 0, "room=3; bob=6 ann=3" },
	{ "room=4 bob=0 ann=1", 0, "room=4; bob=2 ann=3" },
	{ "room=5 bob=0 ann=1", 0, "room=5; bob=6 ann=3" },
	{ "room=6 bob=0 ann=0", 0, "room=6; bob=4 ann=4" },
	{ "room=2 bob=2 ann=3+", 0, "room=2; bob=2 ann=3" },
	{ "room=2 bob=1 ann=0", 7, "room=2; bob=3 ann=6; left(bob)@2" },
	{ "room=1 bob=1 ann=0", 0, "room=1; bob=1 ann=0" },
};

START_TEST(heal)
{
	struct call *c = begin(HEALED[_i].from, "");
	struct participant *bob = call_find(c, S("bob"));
	bool was_joined = bob->status == P_JOINED;

	c->room.seq = HEALED[_i].seq;
	c->room.ended_at_ms = 0;
	c->room.updated_at_ms = SCENE_NOW - 50000;
	call_heal(c);
	ck_assert_str_eq(scene_text(c), HEALED[_i].to);
	ck_assert_uint_eq(call_count_active(c) == 0, c->room.status > 1);
	if (was_joined && c->room.status > 1) {
		ck_assert_int_eq(bob->leave_time, (SCENE_NOW - 50000) / 1000);
		ck_assert(!bob->claimed);
		ck_assert(str_eq(bob->left_how, S("ended")));
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("reconcile");
	TCase *tc = tcase_create("reconcile");

	SCENE_CASE(tc);
	tcase_add_test(tc, presence);
	tcase_add_test(tc, came_back);
	tcase_add_test(tc, absence);
	tcase_add_test(tc, dead_host);
	tcase_add_test(tc, over);
	tcase_add_test(tc, a_second_look_is_asked_for);
	tcase_add_test(tc, by_name_before_somebody_is_lost);
	tcase_add_test(tc, nothing_new_is_nothing_to_save);
	tcase_add_test(tc, a_dead_host_gives_the_rejoin_grace);
	tcase_add_loop_test(tc, deadlines_of_the_go_servers_people, 0, 3);
	tcase_add_loop_test(tc, heal, 0, (int)N_ELEMS(HEALED));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
