/* What workers note, and when that is too long.
 * SPDX-License-Identifier: MIT */
#include "http/held.h"

#include "support/unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/attrs.h"
#include "base/clock.h"

static const struct {
	enum held_state state;
	int64_t held_ms, stuck_ms;
	bool too_long;
} CASES[] = {
	{ HELD_IDLE, 1000000, 10000, false },
	{ HELD_HEAD, HELD_HEAD_MAX_MS, 10000, false },
	{ HELD_HEAD, HELD_HEAD_MAX_MS + 1, 10000, true },
	{ HELD_HEAD, 1001, 1000, true },
	{ HELD_BODY, 10000, 10000, false },
	{ HELD_BODY, 10001, 10000, true },
	{ HELD_WORKING, 10000, 10000, false },
	{ HELD_WORKING, 10001, 10000, true },
	{ HELD_WRITING, 10000, 10000, false },
	{ HELD_WRITING, 10001, 10000, true },
	/* It began after the master read its clock. */
	{ HELD_WORKING, -5, 10000, false },
};

START_TEST(how_long_is_too_long)
{
	struct held_look l = { CASES[_i].state, 5000000 };

	ck_assert_int_eq(held_too_long(l, CASES[_i].stuck_ms, 5000000 + CASES[_i].held_ms), CASES[_i].too_long);
}
END_TEST

START_TEST(the_clock_runs_from_the_connection_on)
{
	struct held *all = held_new(2), *h = held_at(all, 1);
	int64_t before = clock_mono_us() / 1000, since;

	ck_assert_int_eq(held_look(h).state, HELD_IDLE);
	held_take(h);
	since = held_look(h).since_ms;
	ck_assert_int_ge(since, before);
	ck_assert_int_le(since, clock_mono_us() / 1000);
	for (enum held_state s = HELD_HEAD; s < HELD_COUNT; s++) {
		held_turn(h, s);
		ck_assert_int_eq(held_look(h).state, s);
		ck_assert_int_eq(held_look(h).since_ms, since);
	}
	held_idle(h);
	ck_assert_int_eq(held_look(h).state, HELD_IDLE);
	held_take(h);
	ck_assert_uint_eq(held_n_taken(h), 2);
	ck_assert_uint_eq(held_n_taken(held_at(all, 0)), 0);
	held_reset(h);
	ck_assert_uint_eq(held_n_taken(h), 0);
	ck_assert_int_eq(held_look(h).state, HELD_IDLE);
	held_free(all, 2);
}
END_TEST

START_TEST(another_process_sees_it)
{
	struct held *all = held_new(1);
	pid_t child = fork();

	if (child == 0) {
		held_take(held_at(all, 0));
		held_turn(held_at(all, 0), HELD_WRITING);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert_int_eq(held_look(held_at(all, 0)).state, HELD_WRITING);
	ck_assert_uint_eq(held_n_taken(held_at(all, 0)), 1);
	held_free(all, 1);
}
END_TEST

START_TEST(nobody_watches)
{
	struct held *none = held_at(NULL, 3);

	held_take(none);
	held_turn(none, HELD_BODY);
	held_idle(none);
	held_reset(none);
	ck_assert_int_eq(held_look(none).state, HELD_IDLE);
	ck_assert_uint_eq(held_n_taken(none), 0);
	held_free(NULL, 3);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("http/held");
	TCase *tc = tcase_create("held");

	tcase_add_loop_test(tc, how_long_is_too_long, 0, N_ELEMS(CASES));
	tcase_add_test(tc, the_clock_runs_from_the_connection_on);
	tcase_add_test(tc, another_process_sees_it);
	tcase_add_test(tc, nobody_watches);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
