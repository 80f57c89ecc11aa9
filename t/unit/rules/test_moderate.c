/* test_moderate - what backends and creators decide: end, remove, set a status.
 * SPDX-License-Identifier: MIT */
#include "rules/verbs.h"

#include "support/scene.h"

static const struct { const char *from, *by, *to; } ENDS[] = {
	{ "bob=0 ann=0", "", "room=3 ended/; bob=6 ann=6; finished@3; delete_room" },
	{ "bob=0 ann=1", "ann", "room=3 ended/ann; bob=6 ann=3; left(ann)@3 finished@3; delete_room" },
	{ "room=1 answered bob=1 ann=1", "ann",
	  "room=2 ended/ann; bob=3 ann=3; left(bob)@2 left(ann)@2 finished@2; delete_room" },
	{ "seats=9 room=1 answered bob=1 cat=0 dan=4 ann=3+", "",
	  "room=2 ended/; bob=3 cat=6 dan=4 ann=3; left(bob)@2 finished@2; delete_room" },
	{ "seats=9 room=1 bob=0 ann=1", "",
	  "room=3 ended/; bob=6 ann=3; left(ann)@3 finished@3; delete_room" },
	{ "room=2 bob=3 ann=3", "ann", NULL },
	{ "room=5 bob=5 ann=5", "", NULL },
};

START_TEST(ends)
{
	struct call *c = scene(ENDS[_i].from);
	struct before b = scene_before(c);

	ck_assert(verb_end(c, word(ENDS[_i].by)) == ERR_OK);
	if (ENDS[_i].to == NULL)
		scene_unchanged(&b, c);
	else
		ck_assert_str_eq(scene_text(c), ENDS[_i].to);
	scene_check(&b, c);
}
END_TEST

static const struct { const char *from, *uid; enum err e; const char *to; } REMOVES[] = {
	/* 1:1: over, whoever it was */
	{ "room=1 answered bob=1 ann=1", "bob", ERR_OK,
	  "room=2 hangup/mod; bob=3! ann=3; left(bob)@1 left(ann)@2 finished@2; remove(bob,PA_bob) delete_room" },
	{ "room=1 answered bob=1 ann=1", "ann", ERR_OK,
	  "room=2 hangup/mod; bob=3 ann=3!; left(ann)@1 left(bob)@2 finished@2; remove(ann,PA_ann) delete_room" },
	{ "bob=0 ann=1", "bob", ERR_OK,
	  "room=3 cancelled/mod; bob=3! ann=3; left(bob)@0 left(ann)@3 finished@3; remove(bob) delete_room" },
	{ "bob=1 ann=0", "bob", ERR_OK,
	  "room=3 cancelled/mod; bob=3! ann=6; left(bob)@0 finished@3; remove(bob,PA_bob) delete_room" },
	{ "bob=0 ann=1", "ann", ERR_OK, "room=3 cancelled/mod; bob=6 ann=3!; left(ann)@0 cancelled(ann)@0 "
	  "finished@3; remove(ann,PA_ann) delete_room" },
	{ "bob=0 ann=0", "ann", ERR_OK, "room=3 cancelled/mod; bob=6 ann=3!; left(ann)@0 cancelled(ann)@0 "
	  "finished@3; remove(ann) delete_room" },
	/* a group goes on while it can */
	{ "seats=9 room=1 answered bob=1 cat=1 ann=1", "bob", ERR_OK,
	  "room=1; bob=3! cat=1 ann=1; left(bob)@1; remove(bob,PA_bob)" },
	{ "seats=9 room=1 bob=0 cat=0 ann=1", "bob", ERR_OK, "room=1; bob=3! cat=0 ann=1; left(bob)@1; remove(bob)" },
	{ "seats=9 room=1 answered bob=1 cat=0 ann=3+", "bob", ERR_OK, "room=2 hangup/mod; bob=3! cat=6 ann=3; "
	  "left(bob)@1 finished@2; remove(bob,PA_bob) delete_room" },
	{ "seats=9 invite_on=1 room=1 bob=0 cat=2 ann=1", "bob", ERR_OK, "room=6 missed/mod; bob=3! cat=2 ann=3; "
	  "left(bob)@1 left(ann)@6 finished@6; remove(bob) delete_room" },
	{ "seats=9 room=1 bob=0 cat=0 ann=1", "ann", ERR_OK, "room=3 cancelled/mod; bob=6 cat=6 ann=3!; "
	  "left(ann)@1 cancelled(ann)@1 finished@3; remove(ann,PA_ann) delete_room" },
	/* who is not active keeps its status */
	{ "seats=9 room=1 bob=2 cat=1 ann=1", "bob", ERR_OK, "room=1; bob=2! cat=1 ann=1;; remove(bob)" },
	{ "seats=9 room=1 bob=3+ cat=1 ann=1", "bob", ERR_OK, "room=1; bob=3! cat=1 ann=1;; remove(bob)" },
	{ "seats=9 room=1 bob=4 cat=1 ann=1", "bob", ERR_OK, "room=1; bob=4! cat=1 ann=1;; remove(bob)" },
	{ "seats=9 room=1 bob=5 cat=1 ann=1", "bob", ERR_OK, "room=1; bob=5! cat=1 ann=1;; remove(bob)" },
	{ "seats=9 room=1 bob=6 cat=1 ann=1", "bob", ERR_OK, "room=1; bob=6! cat=1 ann=1;; remove(bob)" },
	{ "seats=9 room=1 bob=3+! cat=1 ann=1", "bob", ERR_OK, NULL },
	{ "room=2 bob=3 ann=3", "bob", ERR_OK, NULL },
	{ "room=1 bob=1 ann=1", "eve", ERR_PARTICIPANT_NOT_FOUND, NULL },
};

START_TEST(removes)
{
	struct call *c = scene(REMOVES[_i].from);
	struct before b;

	for (size_t i = 0; i < c->n_rows; i++)
		if (c->rows[i]->status == P_JOINED)
			c->rows[i]->sid = arena_printf(scene_arena, "PA_%.*s", STR_ARG(c->rows[i]->uid));
	b = scene_before(c);
	ck_assert_int_eq((int)verb_remove(c, word(REMOVES[_i].uid), S("mod")), (int)REMOVES[_i].e);
	if (REMOVES[_i].to == NULL)
		scene_unchanged(&b, c);
	else
		ck_assert_str_eq(scene_text(c), REMOVES[_i].to);
	scene_check(&b, c);
	ck_assert(REMOVES[_i].e != ERR_OK || call_find(c, S("bob"))->left_how.len == 0 ||
	    !call_find(c, S("bob"))->removed || b.rows[0].status > P_JOINED ||
	    str_eq(call_find(c, S("bob"))->left_how, S("removed")));
}
END_TEST

START_TEST(starts)
{
	struct call *c = scene("bob=0 ann=1");
	struct before b = scene_before(c);

	verb_start(c);
	ck_assert_str_eq(scene_text(c), "room=1; bob=0 ann=1; started@1");
	ck_assert_int_eq(c->room.started_at_ms, SCENE_NOW);
	scene_check(&b, c);
	verb_start(c);
	ck_assert_uint_eq(c->n_events, 1);
}
END_TEST

/* ---- PUT: every value from every state ---- */

/* The room: from ringing, in progress, in progress and answered, final. '=' 200 nothing, '!' 409, else
 * the status it gets. */
static const struct { const char *from, *to; } ROOM_PUTS[] = {
	{ "bob=0 ann=1", "=123456!" },
	{ "room=1 bob=0 ann=1", "!=23456!" },
	{ "room=1 answered bob=1 ann=1", "!=23!!!!" },
	{ "room=2 bob=3 ann=3", "!!=!!!!!" },
	{ "room=3 bob=6 ann=3", "!!!=!!!!" },
	{ "room=4 bob=2 ann=3", "!!!!=!!!" },
	{ "room=5 bob=5 ann=5", "!!!!!=!!" },
	{ "room=6 bob=4 ann=4", "!!!!!!=!" },
};
enum { N_PUT = 8 };

START_TEST(room_puts)
{
	static const char *const REASON[] = { "", "", "ended", "cancelled", "rejected", "busy", "missed", "" };
	int value = _i % N_PUT;
	char want = ROOM_PUTS[_i / N_PUT].to[value];
	struct call *c = scene(ROOM_PUTS[_i / N_PUT].from);
	struct before b = scene_before(c);
	enum err e = verb_put_room_status(c, value, S("mod"));

	ck_assert_int_eq((int)e, (int)(want == '!' ? ERR_ILLEGAL_TRANSITION : ERR_OK));
	scene_check(&b, c);
	if (want == '!' || want == '=') {
		scene_unchanged(&b, c);
		return;
	}
	ck_assert_int_eq(c->room.status, want - '0');
	if (value > ROOM_IN_PROGRESS) {
		ck_assert(str_eq(c->room.end_reason, str_of(REASON[value])) && str_eq(c->room.ended_by, S("mod")));
		ck_assert_uint_eq(c->n_actions, 1);
		ck_assert_int_eq(call_find(c, S("ann"))->status, P_LEFT);
	} else {
		ck_assert_str_eq(scene_text(c), "room=1; bob=0 ann=1; started@1");
	}
}
END_TEST

START_TEST(impossible_room_status)
{
	struct call *c = scene("bob=0 ann=1");
	struct before b = scene_before(c);

	ck_assert(verb_put_room_status(c, -1, S("")) == ERR_ILLEGAL_TRANSITION);
	ck_assert(verb_put_room_status(c, 1 << 20, S("")) == ERR_ILLEGAL_TRANSITION);
	scene_unchanged(&b, c);
}
END_TEST

/* A participant of a group that goes on ("seats=9 room=1 answered", cat and ann joined), by what bob is.
 * '=' 200 nothing (1 from 1: only the look is forgotten), '!' 409, else the status he gets. */
static const char *const PUTS[] = {
	"=123456",      /* bob inviting */
	"!=!3!!!",      /* joined */
	"!1=====",      /* rejected */
	"!1=====",
	"!1=====",
	"!1=====",
	"!1=====",
};
static const char *const PUT_EVENT[] = { "", "accepted(bob)@1", "rejected(bob)@1", "left(bob)@1",
	"missed()missed[bob]@1", "busy(bob)busy[bob]@1", "cancelled(bob)@1" };

START_TEST(participant_puts)
{
	int was = _i / P_STATUS_COUNT, value = _i % P_STATUS_COUNT;
	/* While he rings, 3 is a leave: of one who never came in, so a refusal. */
	char want = was == 0 && value == 3 ? '2' : PUTS[was][value];
	struct call *c = scene(arena_printf(scene_arena, "seats=9 room=1 answered bob=%d cat=1 ann=1", was).at);
	struct before b = scene_before(c);
	enum err e = verb_put_participant_status(c, S("bob"), value);

	ck_assert_int_eq((int)e, (int)(want == '!' ? ERR_ILLEGAL_TRANSITION : ERR_OK));
	scene_check(&b, c);
	if (want == '!' || (want == '=' && (was != 1 || value != 1))) {
		scene_unchanged(&b, c);
		return;
	}
	if (want == '=') {
		ck_assert_str_eq(scene_text(c), "room=1; bob=1 cat=1 ann=1");
		return;
	}
	ck_assert_str_eq(scene_text(c), arena_printf(scene_arena, "room=1; bob=%c cat=1 ann=1; %s", want,
	    PUT_EVENT[want - '0']).at);
}
END_TEST

/* In a call that is over, 2 to 6 are as good as done; there is no way back in. */
START_TEST(participant_puts_when_over)
{
	struct call *c = scene("seats=9 room=2 bob=3 ann=3");
	struct before b = scene_before(c);
	enum err want = _i == 0 ? ERR_ILLEGAL_TRANSITION : _i == 1 ? ERR_ROOM_NOT_ACTIVE : ERR_OK;

	ck_assert_int_eq((int)verb_put_participant_status(c, S("bob"), _i), (int)want);
	scene_unchanged(&b, c);
}
END_TEST

static const struct { const char *from, *uid; int status; enum err e; const char *to; } ROW_PUTS[] = {
	{ "bob=0 ann=1", "bob", 4, ERR_OK,
	  "room=6 missed/; bob=4 ann=3; missed()missed[bob]@0 left(ann)@6 finished@6; delete_room" },
	{ "room=1 bob=0 cat=3+ ann=1", "bob", 4, ERR_OK,
	  "room=6 missed/; bob=4 cat=3 ann=3; missed()missed[bob]@1 left(ann)@6 finished@6; delete_room" },
	{ "bob=0 ann=0", "ann", 4, ERR_OK,
	  "room=6 missed/; bob=4 ann=4; missed()missed[ann]@0 finished@6; delete_room" },
	{ "seats=9 invite_on=1 bob=0 cat=5 ann=1", "bob", 4, ERR_OK,
	  "room=6 missed/; bob=4 cat=5 ann=3; missed()missed[bob]@0 left(ann)@6 finished@6; delete_room" },
	{ "seats=9 bob=0 ann=0", "ann", 4, ERR_OK,
	  "room=6 missed/; bob=4 ann=4; missed()missed[ann]@0 finished@6; delete_room" },
	{ "seats=9 bob=0 ann=1", "bob", 4, ERR_OK, "room=0; bob=4 ann=1; missed()missed[bob]@0" },
	{ "bob=0 ann=1", "bob", 6, ERR_OK,
	  "room=6 missed/; bob=6 ann=3; cancelled(bob)@0 left(ann)@6 finished@6; delete_room" },
	{ "bob=0 ann=0", "ann", 6, ERR_OK,
	  "room=3 cancelled/; bob=6 ann=6; cancelled(ann)@0 finished@3; delete_room" },
	{ "seats=9 bob=0 cat=0 ann=0", "ann", 6, ERR_OK,
	  "room=3 cancelled/; bob=6 cat=6 ann=6; cancelled(ann)@0 finished@3; delete_room" },
	{ "bob=0 ann=0", "ann", 2, ERR_OK,
	  "room=3 cancelled/ann; bob=6 ann=3; left(ann)@0 cancelled(ann)@0 finished@3; delete_room" },
	{ "bob=0 ann=1", "bob", 2, ERR_OK,
	  "room=4 rejected/bob; bob=2 ann=3; rejected(bob)@0 left(ann)@4 finished@4; delete_room" },
	{ "bob=0 ann=1", "bob", 5, ERR_OK,
	  "room=5 busy/bob; bob=5 ann=3; busy(bob)busy[bob]@0 left(ann)@5 finished@5; delete_room" },
	{ "room=1 answered bob=1 ann=1", "ann", 3, ERR_OK,
	  "room=2 hangup/ann; bob=3 ann=3; left(ann)@1 left(bob)@2 finished@2; delete_room" },
	{ "bob=0 ann=1", "eve", 3, ERR_PARTICIPANT_NOT_FOUND, NULL },
	{ "bob=0 ann=1", "eve", 0, ERR_PARTICIPANT_NOT_FOUND, NULL },
	{ "bob=0 ann=1", "eve", 1, ERR_ROOM_FULL, NULL },
	{ "seats=9 invite_on=1 bob=0 ann=1", "eve", 1, ERR_PARTICIPANT_NOT_INVITED, NULL },
	{ "seats=9 bob=0 ann=1", "eve", 1, ERR_OK, "room=0; bob=0 ann=1 eve=1; accepted(eve)@0" },
	{ "seats=9 room=1 bob=3+! ann=1", "bob", 1, ERR_PARTICIPANT_REMOVED, NULL },
	{ "seats=9 room=1 bob=1 ann=1", "bob", 2, ERR_ILLEGAL_TRANSITION, NULL },
};

START_TEST(row_puts)
{
	struct call *c = scene(ROW_PUTS[_i].from);
	struct before b = scene_before(c);
	enum err e = verb_put_participant_status(c, word(ROW_PUTS[_i].uid), ROW_PUTS[_i].status);

	ck_assert_int_eq((int)e, (int)ROW_PUTS[_i].e);
	if (ROW_PUTS[_i].to == NULL)
		scene_unchanged(&b, c);
	else
		ck_assert_str_eq(scene_text(c), ROW_PUTS[_i].to);
	scene_check(&b, c);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("rules/moderate");
	TCase *tc = tcase_create("moderate");

	SCENE_CASE(tc);
	tcase_add_loop_test(tc, ends, 0, (int)N_ELEMS(ENDS));
	tcase_add_loop_test(tc, removes, 0, (int)N_ELEMS(REMOVES));
	tcase_add_test(tc, starts);
	tcase_add_loop_test(tc, room_puts, 0, (int)N_ELEMS(ROOM_PUTS) * N_PUT);
	tcase_add_test(tc, impossible_room_status);
	tcase_add_loop_test(tc, participant_puts, 0, P_STATUS_COUNT * P_STATUS_COUNT);
	tcase_add_loop_test(tc, participant_puts_when_over, 0, P_STATUS_COUNT);
	tcase_add_loop_test(tc, row_puts, 0, (int)N_ELEMS(ROW_PUTS));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
