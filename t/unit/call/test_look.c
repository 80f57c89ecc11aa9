/* test_look - when LiveKit is asked who is in a call: not more often than its lists can say something new.
 * SPDX-License-Identifier: MIT */
#include "call/look.h"

#include "support/unit.h"

enum { NOW = 2000000000, EVERY = 300000, SOON = 60000 };

static const struct look CALM = { .status = 1, .look_at_ms = NOW - 10, .updated_at_ms = NOW - 50000,
    .listed_at_ms = NOW - 1000, .n_active = 2, .n_joined = 2 };
static const struct seen_room SAME = { .heard = true, .listed = true, .n_people = 2, .host = HOST_ALIVE };

static bool
wants(const struct look *k, const struct seen_room *seen, bool trouble)
{
	const struct conf c = { .list_interval_ms = EVERY, .list_soon_ms = SOON };

	return look_wants_list(k, seen, &c, NOW, trouble);
}

START_TEST(nothing_new)
{
	ck_assert(!wants(&CALM, &SAME, false));
	ck_assert(!wants(&CALM, &SAME, true));
}
END_TEST

START_TEST(numbers_differ)
{
	struct seen_room seen = SAME;

	seen.n_people = 1;
	ck_assert(wants(&CALM, &seen, false));
	seen.n_people = 3;
	ck_assert(wants(&CALM, &seen, false));
}
END_TEST

START_TEST(it_was_asked_for)
{
	struct look k = CALM;

	k.look_at_ms = k.updated_at_ms;
	ck_assert(wants(&k, &SAME, false));
	k.look_at_ms = k.updated_at_ms + 1;
	ck_assert(!wants(&k, &SAME, false));
	k.look_at_ms = 0;                      /* just made, or the Go server's: its turn, no wish */
	ck_assert(!wants(&k, &SAME, false));
}
END_TEST

START_TEST(a_second_look)
{
	struct look missing = CALM, waiting = CALM;

	missing.n_missing = 1;
	ck_assert(wants(&missing, &SAME, false));
	waiting.n_waiting = 1;
	ck_assert(wants(&waiting, &SAME, false));
}
END_TEST

START_TEST(now_and_then)
{
	struct look k = CALM, no_sid = CALM;

	k.listed_at_ms = NOW - EVERY + 1;
	ck_assert(!wants(&k, &SAME, false));
	ck_assert(wants(&k, &SAME, true));
	k.listed_at_ms = NOW - EVERY;
	ck_assert(wants(&k, &SAME, false));
	k.listed_at_ms = NOW - SOON + 1;
	ck_assert(!wants(&k, &SAME, true));
	no_sid.n_without_sid = 1;
	no_sid.listed_at_ms = NOW - SOON;
	ck_assert(wants(&no_sid, &SAME, false));
	no_sid.listed_at_ms++;
	ck_assert(!wants(&no_sid, &SAME, false));
}
END_TEST

START_TEST(a_room_that_is_not_listed)
{
	const struct seen_room seen = { .heard = true };
	struct look k = CALM;

	ck_assert(!wants(&k, &seen, true));
	k.n_missing = 1;
	k.n_doubted = 1;
	ck_assert(!wants(&k, &seen, true));
}
END_TEST

/* Nobody could answer, or the answer would be worth nothing. */
START_TEST(never)
{
	struct seen_room silent = { 0 }, dead = SAME;
	struct look k = CALM, final = CALM;

	k.n_missing = k.n_doubted = 1;
	ck_assert(!wants(&k, &silent, true));
	dead.host = HOST_GONE;
	dead.n_people = 1;
	ck_assert(!wants(&k, &dead, true));
	final.status = 2;
	final.listed_at_ms = 0;
	ck_assert(!wants(&final, &SAME, true));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("look");
	TCase *tc = tcase_create("look");

	tcase_add_test(tc, nothing_new);
	tcase_add_test(tc, numbers_differ);
	tcase_add_test(tc, it_was_asked_for);
	tcase_add_test(tc, a_second_look);
	tcase_add_test(tc, now_and_then);
	tcase_add_test(tc, a_room_that_is_not_listed);
	tcase_add_test(tc, never);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
