/* test_strbuf.c - the builder: exact fit, sticky failure, growth in an arena.
 * SPDX-License-Identifier: MIT */
#include "base/strbuf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "support/unit.h"

START_TEST(fits_to_the_last_byte)
{
	char room[6];
	struct strbuf b;

	strbuf_init(&b, room, sizeof(room));
	ck_assert(strbuf_ok(&b) && strbuf_str(&b).len == 0);
	strbuf_add(&b, S("ab"));
	strbuf_addc(&b, 'c');
	strbuf_addf(&b, "%d", 42);
	ck_assert(strbuf_ok(&b));
	ck_assert_str_eq(room, "abc42");
	ck_assert_uint_eq(b.len, 5);
	strbuf_add(&b, S(""));
	strbuf_addz(&b, NULL);
	ck_assert(strbuf_ok(&b));
}
END_TEST

START_TEST(one_byte_too_much_fails_for_good)
{
	char room[6];
	struct strbuf b;

	strbuf_init(&b, room, sizeof(room));
	strbuf_add(&b, S("abc"));
	switch (_i) {
	case 0:
		strbuf_add(&b, S("def"));
		break;
	case 1:
		strbuf_addz(&b, "def");
		break;
	case 2:
		strbuf_addf(&b, "%s", "def");
		break;
	default:
		strbuf_fail(&b);
	}
	ck_assert(!strbuf_ok(&b));
	strbuf_addc(&b, 'x');
	strbuf_addf(&b, "%d", 1);
	ck_assert(!strbuf_ok(&b));
	ck_assert_str_eq(room, "");
	ck_assert_uint_eq(strbuf_str(&b).len, 0);
}
END_TEST

START_TEST(grows_in_an_arena_up_to_its_max)
{
	struct arena *a = arena_new(1024 * 1024);
	struct strbuf b;

	strbuf_init_arena(&b, a, 4, 1001);
	for (int i = 0; i < 100; i++) {
		if (i % 2 == 0)
			strbuf_add(&b, S("0123456789"));
		else
			strbuf_addf(&b, "%s", "0123456789");
	}
	ck_assert(strbuf_ok(&b));
	ck_assert_uint_eq(b.len, 1000);
	ck_assert_uint_eq(strlen(b.at), 1000);
	for (size_t i = 0; i < 1000; i++)
		ck_assert_int_eq(b.at[i], '0' + (int)(i % 10));
	strbuf_addc(&b, 'x');
	ck_assert(!strbuf_ok(&b));
	ck_assert_str_eq(b.at, "");
	arena_free(a);
}
END_TEST

START_TEST(numbers_are_written_as_printf_does)
{
	static const int64_t NUMBERS[] = { 0, 7, -1, 10, 99, -100, 1795280197579, INT64_MAX, INT64_MIN };

	for (size_t i = 0; i < N_ELEMS(NUMBERS); i++) {
		char text[32], is[32];
		struct strbuf b;

		strbuf_init(&b, text, sizeof(text));
		strbuf_add_i64(&b, NUMBERS[i]);
		(void)snprintf(is, sizeof(is), "%" PRId64, NUMBERS[i]);
		ck_assert_str_eq(text, is);
		ck_assert_uint_eq(strbuf_str(&b).len, strlen(is));
	}
}
END_TEST

START_TEST(fixed_storage_may_spill_into_an_arena)
{
	struct arena *a = arena_new(1024 * 1024);
	char room[4];
	struct strbuf b;

	strbuf_init(&b, room, sizeof(room));
	b.arena = a;
	b.max = 64;
	strbuf_addz(&b, "abcdefgh");
	ck_assert_str_eq(strbuf_str(&b).at, "abcdefgh");
	ck_assert_ptr_ne(b.at, room);
	arena_free(a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/strbuf");
	TCase *tc = tcase_create("strbuf");

	tcase_add_test(tc, fits_to_the_last_byte);
	tcase_add_loop_test(tc, one_byte_too_much_fails_for_good, 0, 4);
	tcase_add_test(tc, grows_in_an_arena_up_to_its_max);
	tcase_add_test(tc, fixed_storage_may_spill_into_an_arena);
	tcase_add_test(tc, numbers_are_written_as_printf_does);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
