/* test_settle - when a call is over, and as what: the table against the contract's five rules written as
 * an if-chain, over all facts and over all small calls.
 * SPDX-License-Identifier: MIT */
#include "rules/settle.h"

#include "support/scene.h"

enum { GOES_ON = -1, OUTCOME = -2, N_FACTS = 12 };

/* calls.md, settle(), 1 to 5. */
static int
decide(unsigned f, bool *cancelled)
{
	*cancelled = (f & FACT_CREATOR_GONE) != 0 && (f & FACT_OTHER_EVER_JOINED) == 0;
	if (*cancelled)
		return 3;
	if ((f & FACT_GROUP) == 0) {
		if (f & FACT_BY_RING_DEADLINE)
			return f & FACT_ANSWERED ? 2 : 6;
		if (f & FACT_BY_MODERATOR)
			return f & FACT_ANSWERED ? 2 : 3;
		return f & (FACT_ANSWERED | FACT_OTHER_EVER_JOINED) ? 2 : OUTCOME;
	}
	if ((f & FACT_SOMEBODY_JOINED) == 0 && ((f & FACT_ANSWERED) != 0 || (f & FACT_CREATOR_ACTIVE) == 0))
		return OUTCOME;
	if ((f & FACT_SOMEBODY_ACTIVE) == 0)
		return OUTCOME;
	if ((f & FACT_INVITE_ONLY) != 0 && (f & FACT_ANSWERED) == 0 && (f & FACT_HAS_OTHERS) != 0 &&
	    (f & FACT_CREATOR_ACTIVE) != 0 && (f & FACT_OTHERS_ACTIVE) == 0)
		return OUTCOME;
	return GOES_ON;
}

START_TEST(all_facts)
{
	for (unsigned f = 0; f < 1u << N_FACTS; f++) {
		const struct settle_row *row = settle_find(f);
		bool cancelled;
		int want = decide(f, &cancelled), got = GOES_ON;

		if (row != NULL)
			got = row->verdict == VERDICT_OUTCOME ? OUTCOME : (int)row->status;
		ck_assert_msg(got == want, "facts %x: %d, not %d", f, got, want);
		ck_assert_int_eq(row != NULL && row->tells_cancelled, cancelled);
	}
}
END_TEST

/* No row stands behind another that takes all of its cases. */
START_TEST(every_row_decides_something)
{
	bool used[64] = { false };

	ck_assert_uint_le(N_SETTLE, N_ELEMS(used));
	for (unsigned f = 0; f < 1u << N_FACTS; f++) {
		const struct settle_row *row = settle_find(f);

		if (row != NULL)
			used[row - SETTLE] = true;
	}
	for (size_t i = 0; i < N_SETTLE; i++) {
		ck_assert_msg(used[i], "row %zu never decides: %s", i, SETTLE[i].why);
		ck_assert_msg(SETTLE[i].verdict == VERDICT_OUTCOME || room_status_final((int)SETTLE[i].status),
		    "row %zu", i);
	}
}
END_TEST

/* ---- small calls, one by one: facts and outcome straight from the rows ---- */

struct small {
	int seats, invite_on, answered, creator, others[2], ever[2], n_others;
	enum cause cause;
};

static struct call *
small_call(const struct small *k)
{
	struct strbuf b;

	strbuf_init_arena(&b, scene_arena, 128, 256);
	strbuf_addf(&b, "seats=%d invite_on=%d room=1 %s", k->seats, k->invite_on, k->answered ? "answered" : "");
	for (int i = 0; i < k->n_others; i++)
		strbuf_addf(&b, " u%d=%d%s", i, k->others[i], k->ever[i] ? "+" : "");
	strbuf_addf(&b, " ann=%d", k->creator);
	return scene(b.at);
}

static int
small_outcome(const struct small *k)
{
	int busy = 0, refused = 0;

	if (k->answered)
		return 2;
	for (int i = 0; i < k->n_others; i++) {
		busy += k->others[i] == 5;
		refused += k->others[i] == 2 || k->others[i] == 5;
	}
	if (k->n_others > 0 && busy == k->n_others)
		return 5;
	return k->n_others > 0 && refused == k->n_others ? 4 : 6;
}

static int
small_decide(const struct small *k)
{
	bool ever = false, joined = k->creator == 1, creator_in = k->creator <= 1, others_in = false;

	for (int i = 0; i < k->n_others; i++) {
		ever |= k->ever[i] || k->others[i] == 1;
		joined |= k->others[i] == 1;
		others_in |= k->others[i] <= 1;
	}
	if ((k->creator == 3 || k->creator == 6) && !ever)
		return 3;
	if (k->seats == 2) {
		if (k->cause == CAUSE_RING_DEADLINE)
			return k->answered ? 2 : 6;
		if (k->cause == CAUSE_REMOVED)
			return k->answered ? 2 : 3;
		return k->answered || ever ? 2 : small_outcome(k);
	}
	if (!joined && (k->answered || !creator_in))
		return small_outcome(k);
	if (!creator_in && !others_in)
		return small_outcome(k);
	if (k->invite_on && !k->answered && k->n_others > 0 && creator_in && !others_in)
		return small_outcome(k);
	return GOES_ON;
}

/* The end is as end(status, reason) says. */
static void
check_small_end(const struct small *k, const struct call *c, int want)
{
	static const char *const USUAL[] = { "", "", "hangup", "cancelled", "rejected", "busy", "missed" };
	int ringing = want == 6 ? 4 : want == 4 ? 2 : 6;

	ck_assert_int_eq(c->room.status, want);
	ck_assert_str_eq(c->room.end_reason.at, k->cause == CAUSE_LOST ? "lost" : USUAL[want]);
	ck_assert_int_eq(c->room.ended_at_ms, c->now_ms);
	for (int i = 0; i <= k->n_others; i++) {
		int was = i < k->n_others ? k->others[i] : k->creator;
		const struct participant *p = c->rows[i];

		ck_assert_int_eq(p->status, was == 0 ? ringing : was == 1 ? 3 : was);
		if (was == 1)
			ck_assert_int_eq(p->leave_time, c->now_ms / 1000);
	}
	ck_assert_uint_eq(c->n_actions, 1);
	ck_assert(c->actions[0].kind == ACTION_DELETE_ROOM);
	ck_assert_str_eq(c->events[c->n_events - 1].type, "room.finished");
	ck_assert_uint_eq(times_type(c, "participant.left"), (size_t)(k->creator == 1) +
	    (k->n_others > 0 && k->others[0] == 1) + (k->n_others > 1 && k->others[1] == 1));
}

static void
try_small(const struct small *k)
{
	struct call *c = small_call(k);
	struct before b = scene_before(c);
	int want = small_decide(k);

	call_settle(c, k->cause, S(""));
	if (want == GOES_ON) {
		scene_unchanged(&b, c);
	} else {
		scene_check(&b, c);
		check_small_end(k, c, want);
	}
	arena_reset(scene_arena);
}

/* One seat count, rule, cause and creator a loop; inside, all statuses of up to two others. */
START_TEST(all_small_calls)
{
	struct small k = { .creator = _i % 7, .cause = (enum cause)(_i / 7 % 4), .invite_on = _i / 28 % 2,
	    .answered = _i / 56 % 2, .seats = _i / 112 % 2 ? 9 : 2 };

	for (k.n_others = 0; k.n_others <= (k.seats == 2 ? 1 : 2); k.n_others++)
		for (int bits = 0; bits < (k.n_others == 0 ? 1 : k.n_others == 1 ? 14 : 196); bits++) {
			k.others[0] = bits % 7;
			k.ever[0] = bits / 7 % 2;
			k.others[1] = bits / 14 % 7;
			k.ever[1] = bits / 98 % 2;
			try_small(&k);
		}
}
END_TEST

/* ---- by example ---- */

static const struct { const char *from; enum cause cause; const char *by, *to; } ENDS[] = {
	{ "seats=2 bob=0 ann=3", CAUSE_CLIENT, "ann",
	  "room=3 cancelled/ann; bob=6 ann=3; cancelled(ann)@0 finished@3; delete_room" },
	{ "seats=2 bob=0 ann=3", CAUSE_LOST, "",
	  "room=3 lost/; bob=6 ann=3; cancelled(ann)@0 finished@3; delete_room" },
	{ "seats=2 bob=2 ann=1", CAUSE_CLIENT, "bob",
	  "room=4 rejected/bob; bob=2 ann=3; left(ann)@4 finished@4; delete_room" },
	{ "seats=2 bob=4 ann=0", CAUSE_RING_DEADLINE, "",
	  "room=6 missed/; bob=4 ann=4; finished@6; delete_room" },
	{ "seats=2 room=1 bob=3+ ann=0", CAUSE_CLIENT, "bob",
	  "room=2 hangup/bob; bob=3 ann=6; finished@2; delete_room" },
	{ "seats=2 room=1 answered bob=3+ ann=1", CAUSE_CLIENT, "bob",
	  "room=2 hangup/bob; bob=3 ann=3; left(ann)@2 finished@2; delete_room" },
	{ "seats=2 room=1 bob=3 ann=1", CAUSE_REMOVED, "",
	  "room=3 cancelled/; bob=3 ann=3; left(ann)@3 finished@3; delete_room" },
	{ "seats=9 room=1 answered bob=3+ cat=0 ann=3+", CAUSE_CLIENT, "ann",
	  "room=2 hangup/ann; bob=3 cat=6 ann=3; finished@2; delete_room" },
	{ "seats=9 room=1 bob=3+ cat=0 ann=4", CAUSE_CLIENT, "bob",
	  "room=6 missed/bob; bob=3 cat=4 ann=4; finished@6; delete_room" },
	{ "seats=9 bob=5 cat=2 ann=4", CAUSE_RING_DEADLINE, "",
	  "room=4 rejected/; bob=5 cat=2 ann=4; finished@4; delete_room" },
	{ "seats=9 invite_on=1 room=1 bob=2 cat=5 ann=1", CAUSE_CLIENT, "bob",
	  "room=4 rejected/bob; bob=2 cat=5 ann=3; left(ann)@4 finished@4; delete_room" },
	{ "seats=9 invite_on=0 room=1 bob=2 cat=5 ann=1", CAUSE_CLIENT, "bob",
	  "room=1; bob=2 cat=5 ann=1" },
	{ "seats=9 invite_on=1 room=1 answered bob=3+ cat=5 ann=1", CAUSE_CLIENT, "bob",
	  "room=1; bob=3 cat=5 ann=1" },
	{ "seats=9 invite_on=1 room=1 ann=1", CAUSE_CLIENT, "ann", "room=1; ann=1" },
};

START_TEST(examples)
{
	struct call *c = scene(ENDS[_i].from);
	struct before b = scene_before(c);

	call_settle(c, ENDS[_i].cause, str_of(ENDS[_i].by));
	ck_assert_str_eq(scene_text(c), ENDS[_i].to);
	scene_check(&b, c);
}
END_TEST

START_TEST(a_final_room_stays)
{
	struct call *c = scene("seats=2 room=2 bob=3 ann=3");
	struct before b = scene_before(c);

	call_settle(c, CAUSE_CLIENT, S("ann"));
	scene_unchanged(&b, c);
}
END_TEST

static const struct { const char *rows; int outcome; } OUTCOMES[] = {
	{ "answered bob=5", 2 }, { "bob=5", 5 }, { "bob=5 cat=5", 5 }, { "bob=2", 4 }, { "bob=2 cat=5", 4 },
	{ "bob=2 cat=4", 6 }, { "bob=5 cat=0", 6 }, { "bob=3", 6 }, { "bob=6", 6 }, { "bob=1", 6 }, { "", 6 },
};

START_TEST(outcomes)
{
	struct call *c = scene(arena_printf(scene_arena, "seats=9 %s ann=5", OUTCOMES[_i].rows).at);

	ck_assert_int_eq((int)settle_outcome(c), OUTCOMES[_i].outcome);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("rules/settle");
	TCase *tc = tcase_create("settle");

	SCENE_CASE(tc);
	tcase_add_test(tc, all_facts);
	tcase_add_test(tc, every_row_decides_something);
	tcase_add_loop_test(tc, all_small_calls, 0, 7 * 4 * 2 * 2 * 2);
	tcase_add_loop_test(tc, examples, 0, (int)N_ELEMS(ENDS));
	tcase_add_test(tc, a_final_room_stays);
	tcase_add_loop_test(tc, outcomes, 0, (int)N_ELEMS(OUTCOMES));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
