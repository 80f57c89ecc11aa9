/* test_leave - hanging up and refusing, through the API.
 * SPDX-License-Identifier: MIT */
#include "rules/verbs.h"

#include "support/scene.h"

/* Rows that are joined are joined from "web", id "d1". */
static struct call *
dressed(const char *line)
{
	struct call *c = scene(line);

	for (size_t i = 0; i < c->n_rows; i++)
		if (c->rows[i]->status == P_JOINED) {
			c->rows[i]->device_type = S("web");
			c->rows[i]->device_id = S("d1");
		}
	return c;
}

struct step {
	const char *from, *uid, *type, *id;
	enum err e;
	const char *to;                  /* NULL: nothing changes */
};

static const struct step LEAVES[] = {
	/* 1:1 */
	{ "bob=0 ann=0", "ann", "", "", ERR_OK,
	  "room=3 cancelled/ann; bob=6 ann=3; left(ann)@0 cancelled(ann)@0 finished@3; delete_room" },
	{ "bob=0 ann=1", "ann", "", "", ERR_OK,
	  "room=3 cancelled/ann; bob=6 ann=3; left(ann)@0 cancelled(ann)@0 finished@3; delete_room" },
	{ "room=1 bob=0 ann=1", "ann", "", "", ERR_OK,
	  "room=3 cancelled/ann; bob=6 ann=3; left(ann)@1 cancelled(ann)@1 finished@3; delete_room" },
	{ "bob=0 ann=1", "bob", "", "", ERR_OK,
	  "room=4 rejected/bob; bob=2 ann=3; rejected(bob)@0 left(ann)@4 finished@4; delete_room" },
	{ "bob=0 ann=0", "bob", "", "", ERR_OK,
	  "room=4 rejected/bob; bob=2 ann=2; rejected(bob)@0 finished@4; delete_room" },
	{ "room=1 answered bob=1 ann=1", "ann", "", "", ERR_OK,
	  "room=2 hangup/ann; bob=3 ann=3; left(ann)@1 left(bob)@2 finished@2; delete_room" },
	{ "room=1 answered bob=1 ann=1", "bob", "", "", ERR_OK,
	  "room=2 hangup/bob; bob=3 ann=3; left(bob)@1 left(ann)@2 finished@2; delete_room" },
	{ "room=1 bob=1 ann=0", "bob", "", "", ERR_OK,
	  "room=2 hangup/bob; bob=3 ann=6; left(bob)@1 finished@2; delete_room" },
	{ "room=1 bob=1 ann=0", "ann", "", "", ERR_OK,
	  "room=2 hangup/ann; bob=3 ann=3; left(ann)@1 left(bob)@2 finished@2; delete_room" },
	{ "ann=0", "ann", "", "", ERR_OK,
	  "room=3 cancelled/ann; ann=3; left(ann)@0 cancelled(ann)@0 finished@3; delete_room" },
	/* a group */
	{ "seats=9 bob=0 cat=0 ann=1", "ann", "", "", ERR_OK,
	  "room=3 cancelled/ann; bob=6 cat=6 ann=3; left(ann)@0 cancelled(ann)@0 finished@3; delete_room" },
	{ "seats=9 invite_on=1 bob=0 cat=4 ann=0", "ann", "", "", ERR_OK,
	  "room=3 cancelled/ann; bob=6 cat=4 ann=3; left(ann)@0 cancelled(ann)@0 finished@3; delete_room" },
	{ "seats=9 bob=0 cat=0 ann=1", "bob", "", "", ERR_OK, "room=0; bob=2 cat=0 ann=1; rejected(bob)@0" },
	{ "seats=9 bob=0 cat=2 ann=1", "bob", "", "", ERR_OK, "room=0; bob=2 cat=2 ann=1; rejected(bob)@0" },
	{ "seats=9 invite_on=1 bob=0 cat=5 ann=1", "bob", "", "", ERR_OK,
	  "room=4 rejected/bob; bob=2 cat=5 ann=3; rejected(bob)@0 left(ann)@4 finished@4; delete_room" },
	{ "seats=9 invite_on=1 bob=0 cat=4 ann=0", "bob", "", "", ERR_OK,
	  "room=6 missed/bob; bob=2 cat=4 ann=4; rejected(bob)@0 finished@6; delete_room" },
	{ "seats=9 room=1 answered bob=1 cat=1 ann=1", "ann", "", "", ERR_OK,
	  "room=1; bob=1 cat=1 ann=3; left(ann)@1" },
	{ "seats=9 room=1 answered bob=1 cat=3+ ann=3+", "bob", "", "", ERR_OK,
	  "room=2 hangup/bob; bob=3 cat=3 ann=3; left(bob)@1 finished@2; delete_room" },
	{ "seats=9 room=1 answered bob=1 cat=0 ann=3+", "bob", "", "", ERR_OK,
	  "room=2 hangup/bob; bob=3 cat=6 ann=3; left(bob)@1 finished@2; delete_room" },
	{ "seats=9 room=1 answered invite_on=1 bob=1 cat=2 ann=1", "bob", "", "", ERR_OK,
	  "room=1; bob=3 cat=2 ann=1; left(bob)@1" },
	{ "seats=9 room=1 bob=1 cat=0 ann=4", "bob", "", "", ERR_OK,
	  "room=6 missed/bob; bob=3 cat=4 ann=4; left(bob)@1 finished@6; delete_room" },
	{ "seats=9 room=1 bob=1 cat=0 ann=0", "bob", "", "", ERR_OK,
	  "room=1; bob=3 cat=0 ann=0; left(bob)@1" },
	{ "seats=9 room=1 bob=1 cat=0 ann=0", "ann", "", "", ERR_OK,
	  "room=1; bob=1 cat=0 ann=3; left(ann)@1" },
	/* nothing to do */
	{ "seats=9 room=1 answered bob=3+ cat=1 ann=1", "bob", "", "", ERR_OK, NULL },
	{ "seats=9 room=1 answered bob=4 cat=1 ann=1", "bob", "", "", ERR_OK, NULL },
	{ "room=2 bob=3 ann=3", "bob", "", "", ERR_OK, NULL },
	{ "room=3 bob=6 ann=3", "eve", "", "", ERR_OK, NULL },
	{ "room=1 bob=1 ann=1", "eve", "", "", ERR_PARTICIPANT_NOT_FOUND, NULL },
	{ "room=1 bob=1 ann=1", "bob", "app", "", ERR_OK, NULL },
	{ "room=1 bob=1 ann=1", "bob", "web", "d2", ERR_OK, NULL },
	/* the device that is joined, by whatever it names */
	{ "seats=9 room=1 bob=1 ann=1", "bob", "web", "", ERR_OK, "room=1; bob=3 ann=1; left(bob)@1" },
	{ "seats=9 room=1 bob=1 ann=1", "bob", "app", "d1", ERR_OK, "room=1; bob=3 ann=1; left(bob)@1" },
	/* what rings, rings on every device */
	{ "seats=9 room=1 bob=0 ann=1", "bob", "tv", "d9", ERR_OK, "room=1; bob=2 ann=1; rejected(bob)@1" },
};

static const struct step DECLINES[] = {
	{ "bob=0 ann=1", "bob", "", "", ERR_OK,
	  "room=4 rejected/bob; bob=2 ann=3; rejected(bob)@0 left(ann)@4 finished@4; delete_room" },
	{ "bob=0 ann=0", "ann", "", "", ERR_OK,
	  "room=3 cancelled/ann; bob=6 ann=3; left(ann)@0 cancelled(ann)@0 finished@3; delete_room" },
	{ "room=1 answered bob=1 ann=1", "ann", "", "", ERR_OK,
	  "room=2 hangup/ann; bob=3 ann=3; left(ann)@1 left(bob)@2 finished@2; delete_room" },
	{ "seats=9 bob=0 cat=0 ann=1", "bob", "tv", "", ERR_OK, "room=0; bob=2 cat=0 ann=1; rejected(bob)@0" },
	{ "room=1 bob=1 ann=1", "bob", "", "", ERR_ILLEGAL_TRANSITION, NULL },
	{ "room=1 bob=1 ann=1", "bob", "web", "d1", ERR_ILLEGAL_TRANSITION, NULL },
	{ "room=1 bob=1 ann=1", "bob", "app", "", ERR_OK, NULL },
	{ "room=1 bob=1 ann=1", "ann", "app", "", ERR_OK, NULL },
	{ "seats=9 room=1 bob=2 ann=1", "bob", "", "", ERR_OK, NULL },
	{ "seats=9 room=1 bob=6 ann=1", "bob", "", "", ERR_OK, NULL },
	{ "room=1 bob=0 ann=1", "eve", "", "", ERR_PARTICIPANT_NOT_FOUND, NULL },
	{ "room=4 bob=2 ann=3", "bob", "", "", ERR_OK, NULL },
	{ "room=2 bob=3 ann=3", "eve", "", "", ERR_OK, NULL },
};

static const struct step BUSIES[] = {
	{ "bob=0 ann=1", "bob", "", "", ERR_OK,
	  "room=5 busy/bob; bob=5 ann=3; busy(bob)busy[bob]@0 left(ann)@5 finished@5; delete_room" },
	{ "seats=9 invite_on=1 bob=0 cat=5 ann=0", "bob", "", "", ERR_OK,
	  "room=5 busy/bob; bob=5 cat=5 ann=6; busy(bob)busy[bob]@0 finished@5; delete_room" },
	{ "seats=9 invite_on=1 bob=0 cat=2 ann=1", "bob", "", "", ERR_OK,
	  "room=4 rejected/bob; bob=5 cat=2 ann=3; busy(bob)busy[bob]@0 left(ann)@4 finished@4; delete_room" },
	{ "seats=9 bob=0 cat=2 ann=1", "bob", "", "", ERR_OK, "room=0; bob=5 cat=2 ann=1; busy(bob)busy[bob]@0" },
	{ "bob=0 ann=0", "ann", "", "", ERR_OK,
	  "room=3 cancelled/ann; bob=6 ann=3; left(ann)@0 cancelled(ann)@0 finished@3; delete_room" },
	{ "room=1 bob=1 ann=1", "bob", "", "", ERR_ILLEGAL_TRANSITION, NULL },
};

enum verb { LEAVE, DECLINE, BE_BUSY };

static void
take(const struct step *t, enum verb v)
{
	struct call *c = dressed(t->from);
	struct before b = scene_before(c);
	const struct actor who = person(t->uid, t->type, t->id);
	enum err e = v == LEAVE ? verb_leave(c, &who)
	                        : verb_reject(c, &who, v == BE_BUSY ? REFUSE_BUSY : REFUSE_DECLINED);

	ck_assert_int_eq((int)e, (int)t->e);
	if (t->to == NULL)
		scene_unchanged(&b, c);
	else
		ck_assert_str_eq(scene_text(c), t->to);
	scene_check(&b, c);
}

START_TEST(leaves)
{
	take(&LEAVES[_i], LEAVE);
}
END_TEST

START_TEST(declines)
{
	take(&DECLINES[_i], DECLINE);
}
END_TEST

START_TEST(busies)
{
	take(&BUSIES[_i], BE_BUSY);
}
END_TEST

/* Apps send leave twice per hang-up: the second one does nothing, whoever it ended. */
START_TEST(twice)
{
	const struct step *t = &LEAVES[_i];
	const struct actor who = person(t->uid, t->type, t->id);
	struct call *c = dressed(t->from);
	struct before b;
	enum err e;

	if (verb_leave(c, &who) != ERR_OK)
		return;
	scene_commit(c);
	b = scene_before(c);
	e = verb_leave(c, &who);
	ck_assert(e == ERR_OK);
	scene_unchanged(&b, c);
}
END_TEST

/* The reconciler asks how somebody went; a later media event asks when, and with which session. */
START_TEST(what_stays_of_a_row)
{
	struct call *c = dressed("seats=9 room=1 bob=1 cat=0 ann=1");
	struct participant *bob = call_find(c, S("bob")), *cat = call_find(c, S("cat"));
	const struct actor b = person("bob", "", ""), k = person("cat", "", "");

	bob->sid = S("PA_1");
	ck_assert(verb_leave(c, &b) == ERR_OK && verb_reject(c, &k, REFUSE_BUSY) == ERR_OK);
	ck_assert(str_eq(bob->left_how, S("leave")) && str_eq(cat->left_how, S("busy")));
	ck_assert_int_eq(bob->left_at_ms, SCENE_NOW);
	ck_assert_int_eq(bob->leave_time, SCENE_NOW / 1000);
	ck_assert_int_eq(cat->leave_time, 0);
	ck_assert(bob->sid.len == 0 && str_eq(bob->last_left_sid, S("PA_1")));
	ck_assert(!bob->claimed && !cat->claimed);
	ck_assert_int_eq(c->room.ended_at_ms, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("rules/leave");
	TCase *tc = tcase_create("leave");

	SCENE_CASE(tc);
	tcase_add_loop_test(tc, leaves, 0, (int)N_ELEMS(LEAVES));
	tcase_add_loop_test(tc, declines, 0, (int)N_ELEMS(DECLINES));
	tcase_add_loop_test(tc, busies, 0, (int)N_ELEMS(BUSIES));
	tcase_add_loop_test(tc, twice, 0, (int)N_ELEMS(LEAVES));
	tcase_add_test(tc, what_stays_of_a_row);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
