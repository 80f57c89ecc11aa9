/* Figures out of a text in Prometheus' format.
 * SPDX-License-Identifier: MIT */
#include "cli/prom_read.h"

#include "support/unit.h"

static const char TEXT[] =
    "# HELP tgo_x_total Help with tgo_x_total 99\n# TYPE tgo_x_total counter\n"
    "tgo_x_total{route=\"GET /a\",status=\"200\"} 3\n"
    "tgo_x_total{route=\"GET /b\",status=\"200\"} 4.5\n"
    "tgo_x_total{route=\"a \\\"} 7\",status=\"500\"} 10\n"
    "tgo_x_total_more 1000\n"
    "tgo_plain 7\n"
    "tgo_none{broken=\"\n"
    "tgo_big 1e3";

static const struct { struct prom_ask ask; bool found; double sum; } ASKS[] = {
	{ { .name = "tgo_x_total" }, true, 17.5 },
	{ { .name = "tgo_x_total", .labels = { { "status", { "200", 3 } } } }, true, 7.5 },
	{ { .name = "tgo_x_total", .labels = { { "status", { "200", 3 } }, { "route", { "GET /b", 6 } } } }, true, 4.5 },
	{ { .name = "tgo_x_total", .labels = { { "status", { "500", 3 } } } }, true, 10 },
	{ { .name = "tgo_x_total", .labels = { { "status", { "20", 2 } } } }, true, 0 },
	{ { .name = "tgo_x_total", .labels = { { "tatus", { "200", 3 } } } }, true, 0 },
	{ { .name = "tgo_x" }, false, 0 },
	{ { .name = "tgo_none" }, false, 0 },
	{ { .name = "#" }, false, 0 },
	{ { .name = "tgo_plain" }, true, 7 },
	{ { .name = "tgo_big" }, true, 1000 },
};

START_TEST(sums)
{
	double sum = -1;

	ck_assert_int_eq(prom_sum(str_of(TEXT), &ASKS[_i].ask, &sum), ASKS[_i].found);
	ck_assert_double_eq(sum, ASKS[_i].found ? ASKS[_i].sum : -1);
}
END_TEST

START_TEST(an_empty_text_has_none)
{
	double sum;

	ck_assert(!prom_sum(S(""), &ASKS[0].ask, &sum));
	ck_assert(!prom_sum(S("{}{{\"\\"), &ASKS[0].ask, &sum));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("prom_read");
	TCase *tc = tcase_create("prom_read");

	tcase_add_loop_test(tc, sums, 0, N_ELEMS(ASKS));
	tcase_add_test(tc, an_empty_text_has_none);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
