/* The tested range of LiveKit's versions.
 * SPDX-License-Identifier: MIT */
#include "livekit/versions.h"

#include "support/unit.h"

static const struct { const char *version; bool tested; } CASES[] = {
	{ "1.9.0", true }, { "1.13.5", true }, { "1.13.99", true }, { "1.10.0", true }, { "1.13.5-rc1", true },
	{ "1.8.9", false }, { "1.14.0", false }, { "2.9.0", false }, { "0.13.0", false },
	{ "", false }, { "1", false }, { "1.13", false }, { "1.13.", false }, { "1.13.5.1", false }, { "v1.13.5", false },
	{ "1.13.x", false }, { "1.-9.0", false },
};

START_TEST(versions)
{
	ck_assert_int_eq(livekit_version_tested(str_of(CASES[_i].version)), CASES[_i].tested);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("livekit/versions");
	TCase *tc = tcase_create("versions");

	tcase_add_loop_test(tc, versions, 0, N_ELEMS(CASES));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
