/* What a commit means in counters: each step of a call once.
 * SPDX-License-Identifier: MIT */
#include "call/tally.h"

#include <string.h>

#include "support/unit.h"

enum { TEXT_MAX = 1 << 18 };

static const struct {
	const char *what;
	bool stored, was_answered, was_final;
	int status;
	int64_t answered_at_ms, ended_at_ms;
	int64_t n_created, n_answered, n_ended, n_times;
} CASES[] = {
	{ "created", false, false, false, ROOM_RINGING, 0, 0, 1, 0, 0, 0 },
	{ "created, everybody busy", false, false, false, ROOM_BUSY, 0, 1000, 1, 0, 1, 0 },
	{ "nothing that counts", true, false, false, ROOM_RINGING, 0, 0, 0, 0, 0, 0 },
	{ "answered", true, false, false, ROOM_IN_PROGRESS, 3000, 0, 0, 1, 0, 0 },
	{ "goes on", true, true, false, ROOM_IN_PROGRESS, 3000, 0, 0, 0, 0, 0 },
	{ "over", true, true, false, ROOM_FINISHED, 3000, 9000, 0, 0, 1, 1 },
	{ "over unanswered", true, false, false, ROOM_MISSED, 0, 9000, 0, 0, 1, 0 },
	{ "answered and over", true, false, false, ROOM_FINISHED, 3000, 9000, 0, 1, 1, 1 },
	{ "changed when it was over", true, true, true, ROOM_FINISHED, 3000, 9000, 0, 0, 0, 0 },
};

static struct call
call_of(int i)
{
	struct call c = { 0 };

	c.was.stored = CASES[i].stored;
	c.was.answered = CASES[i].was_answered;
	c.was.final = CASES[i].was_final;
	c.room.status = CASES[i].status;
	c.room.created_at_ms = 1000;
	c.room.answered_at_ms = CASES[i].answered_at_ms;
	c.room.ended_at_ms = CASES[i].ended_at_ms;
	c.room.end_reason = S("hangup");
	return c;
}

START_TEST(once_each)
{
	struct meter *m = meter_new(1);
	struct call c = call_of(_i);

	tally_change(m, &c);
	ck_assert_int_eq(meter_total(m, METER_CALLS_CREATED), CASES[_i].n_created);
	ck_assert_int_eq(meter_total(m, METER_CALLS_ANSWERED), CASES[_i].n_answered);
	ck_assert_int_eq(meter_total(m, METER_RING_TIME), CASES[_i].n_answered);
	ck_assert_int_eq(meter_total(m, METER_CALLS_ENDED), CASES[_i].n_ended);
	ck_assert_int_eq(meter_total(m, METER_CALL_TIME), CASES[_i].n_times);
	meter_free(m);
}
END_TEST

START_TEST(times_and_words)
{
	static char text[TEXT_MAX];
	struct meter *m = meter_new(1);
	struct call c = call_of(7);
	struct strbuf b;

	c.room.rtc_type = 1;
	c.was.stored = false;
	tally_change(m, &c);
	strbuf_init(&b, text, sizeof(text));
	meter_print(m, &b);
	ck_assert_ptr_nonnull(strstr(text, "tgo_calls_created_total{kind=\"video\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(text, "tgo_calls_ended_total{kind=\"finished\",reason=\"hangup\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(text, "tgo_call_ring_seconds_sum 2.000000\n"));
	ck_assert_ptr_nonnull(strstr(text, "tgo_call_duration_seconds_sum 6.000000\n"));
	meter_free(m);
}
END_TEST

START_TEST(assignments)
{
	struct meter *m = meter_new(1);

	tally_assigned(m, S(""), S(""));
	ck_assert_int_eq(meter_total(m, METER_ASSIGNMENTS), 0);
	tally_assigned(m, S("10.0.0.1:7880"), S(""));
	tally_assigned(m, S("10.0.0.1:7880"), S("10.0.0.2:7880"));
	ck_assert_int_eq(meter_total(m, METER_ASSIGNMENTS), 2);
	tally_assigned(NULL, S("10.0.0.1:7880"), S(""));
	meter_free(m);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tally");
	TCase *tc = tcase_create("tally");

	tcase_add_loop_test(tc, once_each, 0, N_ELEMS(CASES));
	tcase_add_test(tc, times_and_words);
	tcase_add_test(tc, assignments);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
