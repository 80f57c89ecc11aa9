/* test_standing - when a room leaves its node: every line of the table, and that a call with people in it is never torn
 * apart for a node that may only be slow.
 * SPDX-License-Identifier: MIT */
#include "call/standing.h"

#include <string.h>

#include "support/unit.h"

enum { A, R, Q };                    /* alive, refuses, quiet */

static const struct {
	const char *name;
	int pulse;
	bool fresh, leaving, people, visited;
	int64_t silent_ms;
	enum stand stand;
	const char *why;
} TABLE[] = {
	{ "alive",                             A, 1, 0, 0, 0, 0,    STAND_STAYS, "" },
	{ "alive with people",                 A, 1, 0, 1, 1, 0,    STAND_STAYS, "" },
	{ "alive, its report is old",          A, 0, 0, 1, 1, 0,    STAND_STAYS, "" },
	{ "drained before anybody came",       A, 1, 1, 0, 0, 0,    STAND_MOVES, "drained" },
	{ "drained with people",               A, 1, 1, 1, 1, 0,    STAND_STAYS, "" },
	{ "drained, they went and may return", A, 1, 1, 0, 1, 0,    STAND_STAYS, "" },
	{ "refuses, empty",                    R, 1, 0, 0, 0, 0,    STAND_MOVES, "refused" },
	{ "refuses with people, fresh report", R, 1, 0, 1, 1, 0,    STAND_MOVES, "refused" },
	{ "refuses, old report",               R, 0, 0, 1, 1, 0,    STAND_MOVES, "refused" },
	{ "silent, empty",                     Q, 1, 0, 0, 0, 250,  STAND_MOVES, "silent" },
	{ "silent, they went",                 Q, 1, 0, 0, 1, 250,  STAND_MOVES, "silent" },
	{ "silent with people",                Q, 1, 0, 1, 1, 250,  STAND_WAITS, "silent" },
	{ "silent with people, drained",       Q, 1, 1, 1, 1, 250,  STAND_WAITS, "silent" },
	{ "silent with people, nearly 2 s",    Q, 1, 0, 1, 1, 1999, STAND_WAITS, "silent" },
	{ "silent with people for 2 s",        Q, 1, 0, 1, 1, 2000, STAND_MOVES, "silent" },
	{ "silent with people, old report",    Q, 0, 0, 1, 1, 250,  STAND_MOVES, "stale" },
};

START_TEST(the_table)
{
	static const enum pulse_state PULSES[] = { PULSE_ALIVE, PULSE_REFUSES, PULSE_SILENT };
	const struct standing s = { .assigned = true, .fresh = TABLE[_i].fresh, .leaving = TABLE[_i].leaving,
	    .pulse = PULSES[TABLE[_i].pulse], .silent_ms = TABLE[_i].silent_ms, .people = TABLE[_i].people,
	    .visited = TABLE[_i].visited };
	const char *why = NULL;
	enum stand stand = standing_judge(&s, &why);

	ck_assert_msg(stand == TABLE[_i].stand, "%s: %d", TABLE[_i].name, (int)stand);
	if (stand != STAND_WAITS)
		ck_assert_str_eq(why, TABLE[_i].why);
}
END_TEST

START_TEST(a_room_without_a_node_gets_one)
{
	const struct standing s = { .people = true, .visited = true };
	const char *why;

	ck_assert_int_eq(standing_judge(&s, &why), STAND_MOVES);
	ck_assert_str_eq(why, "unassigned");
}
END_TEST

/* Whatever else is known: with people in it a room leaves only a node that is gone. */
START_TEST(people_are_not_torn_apart)
{
	for (int bits = 0; bits < 16; bits++) {
		const struct standing s = { .assigned = true, .fresh = true, .people = true, .visited = true,
		    .leaving = bits & 1, .pulse = bits & 2 ? PULSE_SILENT : PULSE_ALIVE,
		    .silent_ms = bits & 2 ? bits * 100 : 0 };
		const char *why;

		ck_assert_int_ne(standing_judge(&s, &why), STAND_MOVES);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("standing");
	TCase *t = tcase_create("standing");

	tcase_add_loop_test(t, the_table, 0, (int)N_ELEMS(TABLE));
	tcase_add_test(t, a_room_without_a_node_gets_one);
	tcase_add_test(t, people_are_not_torn_apart);
	suite_add_tcase(s, t);
	return unit_main(s);
}
