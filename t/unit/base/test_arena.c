/* test_arena.c - the arena: alignment, zeroes, clean-ups, and the death at its cap.
 * SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/unit.h"

enum { CAP = 1024 * 1024, EXIT_SOFTWARE = 70 };

START_TEST(blocks_are_aligned_zeroed_and_apart)
{
	struct arena *a = arena_new(CAP);
	unsigned char *before = NULL;

	for (size_t n = 1; n < 300; n++) {
		unsigned char *p = arena_alloc(a, n);

		ck_assert_uint_eq((uintptr_t)p % alignof(max_align_t), 0);
		for (size_t i = 0; i < n; i++)
			ck_assert_uint_eq(p[i], 0);
		memset(p, 0xee, n);
		if (before != NULL)
			ck_assert_uint_eq(before[n - 2], 0xee);
		before = p;
	}
	arena_free(a);
}
END_TEST

START_TEST(memory_comes_back_zeroed_after_reset)
{
	struct arena *a = arena_new(CAP);

	for (int round = 0; round < 3; round++) {
		char *small = arena_alloc(a, 1000), *big = arena_alloc(a, 300 * 1000);

		ck_assert_int_eq(small[999], 0);
		ck_assert_int_eq(big[299999], 0);
		memset(small, 1, 1000);
		memset(big, 1, 300 * 1000);
		arena_reset(a);
	}
	arena_free(a);
	arena_free(NULL);
}
END_TEST

START_TEST(the_cap_counts_from_reset_to_reset)
{
	struct arena *a = arena_new(CAP);

	for (int round = 0; round < 10; round++) {
		memset(arena_alloc(a, CAP), 1, CAP);
		arena_reset(a);
	}
	arena_free(a);
}
END_TEST

static void
silence_stderr(void)
{
	ck_assert(freopen("/dev/null", "w", stderr) != NULL);
}

START_TEST(over_the_cap_exits_70)
{
	struct arena *a = arena_new(CAP);

	silence_stderr();
	(void)arena_alloc(a, CAP - 10);
	(void)arena_alloc(a, 11);
	arena_free(a);
}
END_TEST

START_TEST(an_overflowing_array_exits_70)
{
	struct arena *a = arena_new(CAP);

	silence_stderr();
	(void)arena_array(a, SIZE_MAX / 2, 4);
	arena_free(a);
}
END_TEST

static char calls[8];
static void
note(void *letter)
{
	size_t n = strlen(calls);

	calls[n] = *(const char *)letter;
	calls[n + 1] = '\0';
}

START_TEST(cleanups_run_newest_first_and_once)
{
	struct arena *a = arena_new(CAP);
	char x = 'x', y = 'y', z = 'z';

	arena_defer(a, note, &x);
	arena_defer(a, note, &y);
	arena_reset(a);
	ck_assert_str_eq(calls, "yx");
	arena_defer(a, note, &z);
	arena_free(a);
	ck_assert_str_eq(calls, "yxz");
}
END_TEST

START_TEST(text_is_copied_and_terminated)
{
	struct arena *a = arena_new(CAP);
	char from[] = "abcdef";
	struct str s = arena_str(a, (struct str){ from, 3 });

	from[0] = 'X';
	ck_assert_uint_eq(s.len, 3);
	ck_assert_str_eq(s.at, "abc");
	ck_assert_str_eq(arena_z(a, str_of(NULL)), "");
	s = arena_printf(a, "%s-%0200d", "room", 7);
	ck_assert_uint_eq(s.len, 205);
	ck_assert_uint_eq(strlen(s.at), 205);
	ck_assert(str_starts(s, S("room-000")) && str_ends(s, S("07")));
	arena_free(a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/arena");
	TCase *tc = tcase_create("arena");
	const char *ck_fork = getenv("CK_FORK");

	tcase_add_test(tc, blocks_are_aligned_zeroed_and_apart);
	tcase_add_test(tc, memory_comes_back_zeroed_after_reset);
	tcase_add_test(tc, the_cap_counts_from_reset_to_reset);
	if (ck_fork == NULL || strcmp(ck_fork, "no") != 0) {         /* they end their process */
		tcase_add_exit_test(tc, over_the_cap_exits_70, EXIT_SOFTWARE);
		tcase_add_exit_test(tc, an_overflowing_array_exits_70, EXIT_SOFTWARE);
	}
	tcase_add_test(tc, cleanups_run_newest_first_and_once);
	tcase_add_test(tc, text_is_copied_and_terminated);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
