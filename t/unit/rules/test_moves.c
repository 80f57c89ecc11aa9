/* test_moves - every pair of the transition tables, against the same tables written down once more from
 * the contract, and what a move does to a row.
 * SPDX-License-Identifier: MIT */
#include "rules/moves.h"

#include "support/scene.h"

/* Columns: join leave decline be-busy miss cancel invite. Status after it, '-' refused. */
static const char *const TO[P_STATUS_COUNT] = {
	"132546-",      /* 0 inviting */
	"13-----",      /* 1 joined: a takeover, a hang-up, nothing else */
	"1--5--0",      /* 2 rejected: comes back, or rings again, or would if it were not busy */
	"1--5--0",      /* 3 hung up */
	"1--5--0",      /* 4 missed */
	"1--5--0",      /* 5 busy */
	"1--5--0",      /* 6 cancelled */
};
static const char *const TELLS[MOVE_COUNT] = { "participant.accepted", "participant.left",
	"participant.rejected", "participant.busy", "participant.missed", "participant.cancelled",
	"participant.invited" };

START_TEST(participants)
{
	int from = _i / MOVE_COUNT, m = _i % MOVE_COUNT;
	const struct move_row *row = &MOVES[from][m];
	const struct participant p = { .status = from };

	ck_assert_int_eq(row->legal, TO[from][m] != '-');
	ck_assert_int_eq(move_legal(&p, (enum move)m), row->legal);
	if (!row->legal)
		return;
	ck_assert_int_eq((int)row->to, TO[from][m] - '0');
	ck_assert_str_eq(event_type_name(row->event), TELLS[m]);
}
END_TEST

static const char *const ROOM_TO[ROOM_STATUS_COUNT] = {
	".123456", "..23456", ".......", ".......", ".......", ".......", ".......",
};

START_TEST(rooms)
{
	int from = _i / ROOM_STATUS_COUNT, to = _i % ROOM_STATUS_COUNT;

	ck_assert_int_eq(ROOM_MOVES[from][to], ROOM_TO[from][to] != '.');
}
END_TEST

/* end(): inviting -> 6, 4 when the status is 6, 2 when it is 4. */
START_TEST(ringing_at_the_end)
{
	int want = _i == 6 ? 4 : _i == 4 ? 2 : 6;

	ck_assert_int_eq((int)RINGING_AT_END[_i], want);
}
END_TEST

/* Every legal move leaves a whole row. */
START_TEST(what_a_move_does)
{
	int from = _i / MOVE_COUNT, m = _i % MOVE_COUNT;
	struct call *c = scene(arena_printf(scene_arena, "seats=9 room=1 bob=%d+ ann=1", from).at);
	struct participant *p = call_find(c, S("bob"));

	if (!MOVES[from][m].legal)
		return;
	p->sid = S("PA_1");
	p->sid_at_ms = 77;
	p->removed = true;
	c->now_ms += 5000;
	ck_assert(move_do(c, p, (enum move)m, LEFT_LEAVE) == MOVES[from][m].event);
	ck_assert(p->dirty && c->changed);
	ck_assert_int_eq(p->status, TO[from][m] - '0');
	ck_assert_int_eq(p->sid_at_ms, 77);
	if (p->status == P_INVITING) {
		ck_assert(p->claimed && !p->removed && p->invited_anew);
		ck_assert_int_eq(p->deadline_ms, c->now_ms + RING_S * 1000);
		ck_assert_int_eq(p->join_time, SCENE_NOW / 1000 - 100);
		ck_assert_uint_eq(p->left_how.len, 0);
	} else if (p->status == P_JOINED) {
		ck_assert_int_eq(p->join_time, c->now_ms / 1000);
		ck_assert_int_eq(p->session_from_ms, c->now_ms);
		ck_assert_int_eq(p->claimed, from <= P_JOINED);      /* a later join claims nobody */
		ck_assert_int_eq(p->deadline_ms, 0);
		ck_assert(str_eq(p->last_left_sid, S("PA_1")) && p->sid.len == 0);
		ck_assert_uint_eq(p->left_how.len, 0);
	} else {
		ck_assert(!p->claimed && p->deadline_ms == 0);
		ck_assert_int_eq(p->left_at_ms, c->now_ms);
		ck_assert(str_eq(p->left_how, S("leave")));
		ck_assert(str_eq(p->last_left_sid, S("PA_1")) && p->sid.len == 0);
		if (p->status == P_LEFT)
			ck_assert_int_eq(p->leave_time, c->now_ms / 1000);
		else
			ck_assert(p->leave_time != c->now_ms / 1000);
	}
	ck_assert_uint_eq(c->n_events, 0);
}
END_TEST

/* Two different people at the same time, for the first time; a takeover is one person. */
START_TEST(answered)
{
	struct call *c = scene("seats=9 room=1 bob=0 cat=0 ann=0");

	move_do(c, call_find(c, S("ann")), MOVE_JOIN, LEFT_NOT);
	move_do(c, call_find(c, S("ann")), MOVE_JOIN, LEFT_NOT);
	ck_assert(!call_answered(c));
	move_do(c, call_find(c, S("ann")), MOVE_LEAVE, LEFT_LEAVE);
	move_do(c, call_find(c, S("bob")), MOVE_JOIN, LEFT_NOT);
	ck_assert(!call_answered(c));
	c->now_ms += 1000;
	move_do(c, call_find(c, S("cat")), MOVE_JOIN, LEFT_NOT);
	ck_assert_int_eq(c->room.answered_at_ms, SCENE_NOW + 1000);
	c->now_ms += 1000;
	move_do(c, call_find(c, S("ann")), MOVE_JOIN, LEFT_NOT);
	ck_assert_int_eq(c->room.answered_at_ms, SCENE_NOW + 1000);
}
END_TEST

START_TEST(moves_are_told)
{
	struct call *c = scene("seats=9 room=1 bob=0 ann=1");

	move_tell(c, call_find(c, S("bob")), MOVE_JOIN, LEFT_NOT);
	ck_assert_str_eq(scene_text(c), "room=1; bob=1 ann=1; accepted(bob)@1");
}
END_TEST

START_TEST(at_the_end_quietly)
{
	struct call *c = scene("seats=9 room=1 bob=0 ann=1");
	struct participant *p = call_find(c, S("bob"));

	move_at_end(c, p, P_CANCELLED);
	ck_assert_str_eq(scene_text(c), "room=1; bob=6 ann=1");
	ck_assert(p->dirty && !p->claimed && p->deadline_ms == 0 && str_eq(p->left_how, S("ended")));
	ck_assert_int_eq(p->leave_time, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("rules/moves");
	TCase *tc = tcase_create("moves");

	SCENE_CASE(tc);
	tcase_add_loop_test(tc, participants, 0, P_STATUS_COUNT * MOVE_COUNT);
	tcase_add_loop_test(tc, rooms, 0, ROOM_STATUS_COUNT * ROOM_STATUS_COUNT);
	tcase_add_loop_test(tc, ringing_at_the_end, ROOM_FINISHED, ROOM_STATUS_COUNT);
	tcase_add_loop_test(tc, what_a_move_does, 0, P_STATUS_COUNT * MOVE_COUNT);
	tcase_add_test(tc, answered);
	tcase_add_test(tc, moves_are_told);
	tcase_add_test(tc, at_the_end_quietly);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
