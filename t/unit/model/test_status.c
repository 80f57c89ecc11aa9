/* test_status - the numbers, names and reasons of calls.md's first table.
 * SPDX-License-Identifier: MIT */
#include "model/status.h"

#include <string.h>

#include "base/attrs.h"
#include "support/unit.h"

static const struct { int status; bool final; const char *reason; } ROOMS[] = {
	{ 0, false, "" },
	{ 1, false, "" },
	{ 2, true, "hangup" },
	{ 3, true, "cancelled" },
	{ 4, true, "rejected" },
	{ 5, true, "busy" },
	{ 6, true, "missed" },
};

START_TEST(room_statuses)
{
	enum room_status s = (enum room_status)ROOMS[_i].status;

	ck_assert_int_eq(ROOM_STATUS_COUNT, N_ELEMS(ROOMS));
	ck_assert_int_eq(room_status_final(ROOMS[_i].status), ROOMS[_i].final);
	ck_assert_str_eq(end_reason_name(end_reason_of(s)), ROOMS[_i].reason);
}
END_TEST

START_TEST(participant_statuses)
{
	ck_assert_int_eq(P_STATUS_COUNT, 7);
	ck_assert_int_eq(participant_status_active(_i), _i <= 1);
}
END_TEST

/* The numbers themselves are what clients and rows know. */
START_TEST(numbers)
{
	ck_assert_int_eq(ROOM_RINGING, 0);
	ck_assert_int_eq(ROOM_IN_PROGRESS, 1);
	ck_assert_int_eq(ROOM_FINISHED, 2);
	ck_assert_int_eq(ROOM_CANCELLED, 3);
	ck_assert_int_eq(ROOM_REJECTED, 4);
	ck_assert_int_eq(ROOM_BUSY, 5);
	ck_assert_int_eq(ROOM_MISSED, 6);
	ck_assert_int_eq(P_INVITING, 0);
	ck_assert_int_eq(P_JOINED, 1);
	ck_assert_int_eq(P_REJECTED, 2);
	ck_assert_int_eq(P_LEFT, 3);
	ck_assert_int_eq(P_MISSED, 4);
	ck_assert_int_eq(P_BUSY, 5);
	ck_assert_int_eq(P_CANCELLED, 6);
}
END_TEST

static const struct { enum end_reason r; const char *name; } REASONS[] = {
	{ END_NONE, "" }, { END_HANGUP, "hangup" }, { END_CANCELLED, "cancelled" },
	{ END_REJECTED, "rejected" }, { END_BUSY, "busy" }, { END_MISSED, "missed" }, { END_ENDED, "ended" },
	{ END_EMPTIED, "emptied" }, { END_LOST, "lost" }, { END_MAX_DURATION, "max_duration" },
};
static const struct { enum left_how h; const char *name; } HOWS[] = {
	{ LEFT_NOT, "" }, { LEFT_LEAVE, "leave" }, { LEFT_REJECT, "reject" }, { LEFT_REMOVED, "removed" },
	{ LEFT_CANCELLED, "cancelled" }, { LEFT_MISSED, "missed" }, { LEFT_LOST, "lost" },
	{ LEFT_BUSY, "busy" }, { LEFT_ENDED, "ended" },
};

/* Closed lists, and short enough for their columns. */
START_TEST(words)
{
	ck_assert_int_eq(END_REASON_COUNT, N_ELEMS(REASONS));
	ck_assert_int_eq(LEFT_HOW_COUNT, N_ELEMS(HOWS));
	for (size_t i = 0; i < N_ELEMS(REASONS); i++) {
		ck_assert_str_eq(end_reason_name(REASONS[i].r), REASONS[i].name);
		ck_assert_uint_le(strlen(REASONS[i].name), 20);
	}
	for (size_t i = 0; i < N_ELEMS(HOWS); i++) {
		ck_assert_str_eq(left_how_name(HOWS[i].h), HOWS[i].name);
		ck_assert_uint_le(strlen(HOWS[i].name), 16);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("model/status");
	TCase *tc = tcase_create("status");

	tcase_add_loop_test(tc, room_statuses, 0, (int)N_ELEMS(ROOMS));
	tcase_add_loop_test(tc, participant_statuses, 0, P_STATUS_COUNT);
	tcase_add_test(tc, numbers);
	tcase_add_test(tc, words);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
