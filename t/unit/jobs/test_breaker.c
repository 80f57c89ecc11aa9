/* When a receiver is held to be down, and how often it is tried then.
 * SPDX-License-Identifier: MIT */
#include "jobs/breaker.h"

#include "support/unit.h"

enum { MIN = 5000, MAX = 60000, NOW = 1000000 };

/* One letter a try: s silent, f answered with a failure, + taken; the event's number is the digit behind it. */
static const struct { const char *tries; bool open; } RUNS[] = {
	{ "s1s1s1s1", false }, { "s1s1s1s1s1", true }, { "s1s2s3s4s5", true },
	{ "f1f1f1f1f1f1f1f1f1f1", false },             /* an event that nobody can digest */
	{ "f1f1f1f1f2", true }, { "f1f2f1f2", false }, { "f1f2f1f2f1", true },
	{ "f1f2f3f4+5f1", false }, { "f1f2f3f4+5f1f2f3f4f5", true },
	{ "f1s1s1s1s1", false }, { "f1s1s1s1s1s1", true }, { "s1s1f1s1s1s1s1", false },
	{ "f1f1f1f1f1f1f1f1s2", true }, { "s1s1s1s1+2s1s1s1s1", false },
};
START_TEST(opens_as_the_table_says)
{
	struct breaker b;
	bool opened = false;

	breaker_init(&b, MIN, MAX);
	for (const char *c = RUNS[_i].tries; *c != '\0'; c += 2) {
		if (*c == '+')
			breaker_ok(&b);
		else
			opened = breaker_failed(&b, c[1] - '0', *c == 'f', NOW);
	}
	ck_assert_int_eq(opened, RUNS[_i].open);
	ck_assert_int_eq(breaker_is_open(&b), RUNS[_i].open);
	ck_assert_int_eq(b.down_since_ms, RUNS[_i].open ? NOW : 0);
}
END_TEST

START_TEST(probes_come_less_often)
{
	static const int64_t PAUSES[] = { 10000, 20000, 40000, 60000, 60000 };
	struct breaker b;

	breaker_init(&b, MIN, MAX);
	for (int i = 1; i <= 5; i++)
		ck_assert(breaker_failed(&b, i, false, NOW) == (i == 5));
	ck_assert_int_eq(b.probe_at_ms, NOW + MIN);
	ck_assert(!breaker_failed(&b, 9, false, NOW));        /* it is open: says so once */
	for (int i = 0; i < 5; i++) {
		breaker_probe_failed(&b, NOW, 0);
		ck_assert_int_eq(b.probe_at_ms, NOW + PAUSES[i]);
	}
	breaker_probe_failed(&b, NOW, 90000);                 /* as the receiver asked */
	ck_assert_int_eq(b.probe_at_ms, NOW + 90000);
	ck_assert_int_eq(b.down_since_ms, NOW);
	breaker_ok(&b);
	ck_assert(!breaker_is_open(&b));
	for (int i = 1; i <= 4; i++)
		ck_assert(!breaker_failed(&b, i, false, NOW));
	ck_assert(breaker_failed(&b, 5, false, NOW));
	ck_assert_int_eq(b.probe_at_ms, NOW + MIN);
}
END_TEST

START_TEST(goes_on_as_another_left_it)
{
	struct breaker b;

	breaker_init(&b, MIN, 1000);                          /* never below the least */
	breaker_resume(&b, NOW, NOW + 777);
	ck_assert(breaker_is_open(&b));
	ck_assert_int_eq(b.probe_at_ms, NOW + 777);
	breaker_probe_failed(&b, NOW + 777, 0);
	ck_assert_int_eq(b.probe_at_ms, NOW + 777 + MIN);
	breaker_resume(&b, 0, 0);
	ck_assert(!breaker_is_open(&b));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("jobs/breaker");
	TCase *tc = tcase_create("breaker");

	tcase_add_loop_test(tc, opens_as_the_table_says, 0, sizeof(RUNS) / sizeof(RUNS[0]));
	tcase_add_test(tc, probes_come_less_often);
	tcase_add_test(tc, goes_on_as_another_left_it);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
