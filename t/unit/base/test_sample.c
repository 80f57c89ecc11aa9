/* A text that processes share: whose turn it is, how old it is, and makers that die.
 * SPDX-License-Identifier: MIT */
#include "base/sample.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/unit.h"

enum { EVERY_US = 5000, BIG = 1 << 20, CHILDREN = 4 };

static char text_bytes[BIG];

static struct str
text_of(char c, size_t n)
{
	memset(text_bytes, c, n);
	return (struct str){ text_bytes, n };
}

START_TEST(empty_until_it_is_made)
{
	struct sample *s = sample_new(100);
	struct arena *a = arena_new(1 << 20);
	struct str got;
	int64_t at;

	ck_assert(!sample_get(s, a, &got, &at));
	ck_assert(sample_is_due(s, 1000, EVERY_US));
	ck_assert(sample_put(s, S("one"), 1000, 1010));
	ck_assert(sample_get(s, a, &got, &at));
	ck_assert(str_eq(got, S("one")));
	ck_assert_int_eq(at, 1000);
	ck_assert(sample_put(s, S(""), 1001, 1001));
	ck_assert(sample_get(s, a, &got, &at) && got.len == 0);
	arena_free(a);
	sample_free(s);
}
END_TEST

START_TEST(one_turn_at_a_time)
{
	struct sample *s = sample_new(100);

	ck_assert(sample_is_due(s, 1000, EVERY_US));
	ck_assert(!sample_is_due(s, 1000, EVERY_US));
	/* A maker that came to nothing is not followed at once. */
	ck_assert(!sample_is_due(s, 1000 + EVERY_US - 1, EVERY_US));
	ck_assert(sample_is_due(s, 1000 + EVERY_US, EVERY_US));
	sample_free(s);
}
END_TEST

START_TEST(what_is_dear_is_made_seldom)
{
	struct sample *s = sample_new(100);

	ck_assert(sample_is_due(s, 1000, EVERY_US));
	ck_assert(sample_put(s, S("dear"), 1000, 2000));
	ck_assert(!sample_is_due(s, 1000 + 20 * 1000 - 1, EVERY_US));
	ck_assert(sample_is_due(s, 1000 + 20 * 1000, EVERY_US));
	sample_free(s);
}
END_TEST

START_TEST(too_long_or_too_old_changes_nothing)
{
	struct sample *s = sample_new(4);
	struct arena *a = arena_new(1 << 20);
	struct str got;
	int64_t at;

	ck_assert(sample_put(s, S("four"), 2000, 2001));
	ck_assert(!sample_put(s, S("fives"), 3000, 3001));
	ck_assert(sample_put(s, S("old"), 1999, 4000));
	ck_assert(sample_get(s, a, &got, &at));
	ck_assert(str_eq(got, S("four")) && at == 2000);
	arena_free(a);
	sample_free(s);
}
END_TEST

/* Texts of one letter, of many lengths, as fast as it can. */
static pid_t
writer(struct sample *s, char c)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	for (int64_t i = 1;; i++)
		sample_put(s, text_of(c, BIG / 2 + (size_t)(i * 7919) % (BIG / 2)), i, i);
}

/* Whoever is killed in the middle of a text leaves none, and never half of one. */
START_TEST(never_half_a_text)
{
	struct sample *s = sample_new(BIG);
	struct arena *a = arena_new(1 << 24);
	size_t n_read = 0;

	for (int round = 0; round < 20; round++) {
		pid_t pids[CHILDREN];

		for (int i = 0; i < CHILDREN; i++)
			pids[i] = writer(s, (char)('a' + i));
		for (int i = 0; i < 50; i++) {
			struct str got;
			int64_t at;

			arena_reset(a);
			if (!sample_get(s, a, &got, &at))
				continue;
			n_read++;
			ck_assert(got.len < 2 || memcmp(got.at, got.at + 1, got.len - 1) == 0);
		}
		for (int i = 0; i < CHILDREN; i++) {
			kill(pids[i], SIGKILL);
			ck_assert_int_eq(waitpid(pids[i], NULL, 0), pids[i]);
		}
	}
	ck_assert_uint_gt(n_read, 0);
	ck_assert(sample_put(s, S("alive"), INT64_MAX, INT64_MAX));
	arena_free(a);
	sample_free(s);
}
END_TEST

START_TEST(none_is_nobodys)
{
	struct str got;
	int64_t at;

	ck_assert(!sample_is_due(NULL, 1, 1));
	ck_assert(!sample_put(NULL, S("x"), 1, 1));
	ck_assert(!sample_get(NULL, NULL, &got, &at));
	sample_free(NULL);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sample");
	TCase *tc = tcase_create("sample");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, empty_until_it_is_made);
	tcase_add_test(tc, one_turn_at_a_time);
	tcase_add_test(tc, what_is_dear_is_made_seldom);
	tcase_add_test(tc, too_long_or_too_old_changes_nothing);
	tcase_add_test(tc, never_half_a_text);
	tcase_add_test(tc, none_is_nobodys);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
