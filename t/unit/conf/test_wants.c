/* Which receiver gets which events. SPDX-License-Identifier: MIT */
#include <check.h>

#include "conf/conf.h"
#include "support/unit.h"

static struct str SOME[] = { { "room.started", 12 }, { "room.finished", 13 } };

static const struct {
	struct endpoint e;
	const char *type;
	bool wants;
} CASES[] = {
	{ { .events = SOME, .n_events = 2 }, "room.started", true },
	{ { .events = SOME, .n_events = 2 }, "room.finished", true },
	{ { .events = SOME, .n_events = 1 }, "room.finished", false },
	{ { .events = SOME, .n_events = 2 }, "room.start", false },
	{ { .events = SOME, .n_events = 2 }, "", false },
	{ { .all = true }, "participant.accepted", true },
	{ { .all = true, .events = SOME, .n_events = 1 }, "room.finished", true },
	{ { .n_events = 0 }, "room.started", false },
};

START_TEST(wants_as_the_table_says)
{
	ck_assert_int_eq(endpoint_wants(&CASES[_i].e, str_of(CASES[_i].type)), CASES[_i].wants);
}
END_TEST

START_TEST(found_by_id)
{
	struct endpoint two[] = { { .id = S("aa") }, { .id = S("bb") } };
	const struct conf c = { .endpoints = two, .n_endpoints = 2 };

	ck_assert_ptr_eq(endpoint_find(&c, S("aa")), &two[0]);
	ck_assert_ptr_eq(endpoint_find(&c, S("bb")), &two[1]);
	ck_assert_ptr_null(endpoint_find(&c, S("b")));
	ck_assert_ptr_null(endpoint_find(&c, S("")));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("conf_wants");
	TCase *tc = tcase_create("core");

	tcase_add_loop_test(tc, wants_as_the_table_says, 0, N_ELEMS(CASES));
	tcase_add_test(tc, found_by_id);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
