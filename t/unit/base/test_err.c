/* test_err.c - the error table: the keys and statuses that clients rely on.
 * SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <string.h>

#include "support/unit.h"

static const struct { enum err e; const char *key; int http; enum blame blame; } CASES[] = {
	{ ERR_OK, "ok", 200, BLAME_NOBODY },
	{ ERR_INVALID_PARAMETERS, "invalid_parameters", 400, BLAME_CALLER },
	{ ERR_ROOM_TOO_SMALL, "room_full", 400, BLAME_CALLER },
	{ ERR_UNAUTHORIZED, "unauthorized", 401, BLAME_CALLER },
	{ ERR_PARTICIPANT_NOT_INVITED, "participant_not_invited", 403, BLAME_CALLER },
	{ ERR_ROOM_NOT_FOUND, "room_not_found", 404, BLAME_CALLER },
	{ ERR_METHOD_NOT_ALLOWED, "method_not_allowed", 405, BLAME_CALLER },
	{ ERR_ROOM_FULL, "room_full", 409, BLAME_CALLER },
	{ ERR_BODY_TOO_LARGE, "body_too_large", 413, BLAME_CALLER },
	{ ERR_UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", 415, BLAME_CALLER },
	{ ERR_INTERNAL, "internal", 500, BLAME_US },
	{ ERR_UNAVAILABLE, "unavailable", 503, BLAME_PEER },
	{ ERR_OUTCOME_UNKNOWN, "outcome_unknown", 503, BLAME_PEER },
};
START_TEST(rows_as_the_contract_says)
{
	ck_assert_str_eq(err_key(CASES[_i].e), CASES[_i].key);
	ck_assert_int_eq(err_http(CASES[_i].e), CASES[_i].http);
	ck_assert_int_eq((int)err_blame(CASES[_i].e), (int)CASES[_i].blame);
}
END_TEST

/* The blame follows from the status; a row that breaks this would be logged at a wrong level. */
START_TEST(every_row_is_whole)
{
	enum err e = (enum err)_i;
	const char *key = err_key(e);
	int http = err_http(e);

	ck_assert_uint_eq(strspn(key, "abcdefghijklmnopqrstuvwxyz_"), strlen(key));
	ck_assert(http == 200 || (http >= 400 && http < 600));
	ck_assert((err_blame(e) == BLAME_NOBODY) == (http == 200));
	ck_assert((err_blame(e) == BLAME_CALLER) == (http >= 400 && http < 500));
	ck_assert((err_blame(e) == BLAME_US) == (http == 500));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/err");
	TCase *tc = tcase_create("err");

	tcase_add_loop_test(tc, rows_as_the_contract_says, 0, N_ELEMS(CASES));
	tcase_add_loop_test(tc, every_row_is_whole, 0, ERR_COUNT);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
