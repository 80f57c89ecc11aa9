/* How many workers a start makes.
 * SPDX-License-Identifier: MIT */
#include "app/database.h"

#include "support/unit.h"

static const struct {
	int64_t wanted, n_processors, max_connections, want;
} CASES[] = {
	{ 0, 1, 0, 8 },       { 0, 2, 0, 16 },      { 0, 6, 0, 48 },       { 0, 64, 0, 48 },
	{ 0, 2, 151, 16 },    { 0, 64, 60, 40 },    { 0, 2, 36, 16 },      { 0, 2, 35, 15 },
	{ 100, 2, 0, 100 },   { 100, 2, 151, 100 }, { 131, 2, 151, 131 },  { 132, 2, 151, 131 },
	{ 4, 2, 20, 1 },      { 4, 2, 10, 1 },      { 4, 2, 21, 1 },       { 4, 2, 22, 2 },
	{ 1, 2, 10, 1 },      { 0, 0, 0, 1 },
};

START_TEST(twenty_connections_stay_free)
{
	ck_assert_int_eq(
	    database_workers(CASES[_i].wanted, CASES[_i].n_processors, CASES[_i].max_connections),
	    CASES[_i].want);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("app/database");
	TCase *tc = tcase_create("workers");

	tcase_add_loop_test(tc, twenty_connections_stay_free, 0, N_ELEMS(CASES));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
