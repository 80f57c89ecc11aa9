/* Values of a parsed document: types, look-ups, numbers and their texts.
 * SPDX-License-Identifier: MIT */
#include "json/json.h"

#include "support/unit.h"

static struct arena *arena;

static void
setup(void)
{
	arena = arena_new(1 << 24);
}

static void
teardown(void)
{
	arena_free(arena);
}

static const struct { const char *text; enum json_type type; } TYPES[] = {
	    { "true", JSON_BOOL }, { "false", JSON_BOOL }, { "12", JSON_INT }, { "-0", JSON_INT },
	{ "0", JSON_INT },
	{ " 7 ", JSON_INT }, { "18446744073709551615", JSON_INT }, { "1.0", JSON_DOUBLE },
	{ "1e2", JSON_DOUBLE },
	{ "1e999", JSON_DOUBLE }, { "\"\"", JSON_STRING }, { "\"12\"", JSON_STRING },
	{ "[]", JSON_ARRAY },
	{ "[1]", JSON_ARRAY }, { "{}", JSON_OBJECT }, { " {} ", JSON_OBJECT },
};

START_TEST(parses_any_type)
{
	const struct json *v = json_parse(arena, str_of(TYPES[_i].text), NULL);

	ck_assert_ptr_nonnull(v);
	ck_assert_int_eq(json_type(v), TYPES[_i].type);
}
END_TEST

START_TEST(null_is_absent)
{
	const struct json *v = json_parse(arena, S("{\"a\":null,\"b\":[null]}"), NULL);

	ck_assert_ptr_null(json_parse(arena, S("null"), NULL));
	ck_assert_ptr_null(json_get(v, "a"));
	ck_assert_ptr_null(json_at(json_get(v, "b"), 0));
	ck_assert_uint_eq(json_len(json_get(v, "b")), 1);
}
END_TEST

START_TEST(absent_has_nothing)
{
	int64_t n = 77;

	ck_assert_int_eq(json_type(NULL), JSON_NULL);
	ck_assert_ptr_null(json_get(NULL, "a"));
	ck_assert_ptr_null(json_at(NULL, 0));
	ck_assert_uint_eq(json_len(NULL), 0);
	ck_assert_uint_eq(json_str(NULL).len, 0);
	ck_assert(!json_is_true(NULL));
	ck_assert(!json_i64(NULL, &n));
	ck_assert_int_eq(n, 77);
	ck_assert(str_eq(json_text(arena, NULL), S("null")));
}
END_TEST

START_TEST(other_types_have_nothing)
{
	const struct json *v = json_parse(arena, S("{\"s\":\"x\",\"n\":1,\"a\":[1],\"t\":true}"),
	    NULL);

	ck_assert_ptr_null(json_get(json_get(v, "a"), "0"));
	ck_assert_ptr_null(json_get(json_get(v, "s"), "x"));
	ck_assert_ptr_null(json_at(v, 0));
	ck_assert_ptr_null(json_at(json_get(v, "a"), 1));
	ck_assert_ptr_null(json_get(v, "S"));
	ck_assert_uint_eq(json_len(json_get(v, "s")), 0);
	ck_assert_uint_eq(json_str(json_get(v, "n")).len, 0);
	ck_assert(!json_is_true(json_get(v, "n")));
	ck_assert(!json_is_true(json_get(v, "s")));
	ck_assert(json_is_true(json_get(v, "t")));
}
END_TEST

START_TEST(finds_what_is_there)
{
	const struct json *v = json_parse(arena,
	    S(" { \"room\": {\"name\": \"r 1\"}, \"uids\": [\"a\", \"\\u4e2d\"], \"\\u0061b\": \"c/d\" } "), NULL);

	ck_assert_uint_eq(json_len(v), 3);
	ck_assert(str_eq(json_str(json_get(json_get(v, "room"), "name")), S("r 1")));
	ck_assert_uint_eq(json_len(json_get(v, "uids")), 2);
	ck_assert(str_eq(json_str(json_at(json_get(v, "uids"), 1)), S("\xe4\xb8\xad")));
	ck_assert(str_eq(json_str(json_get(v, "ab")), S("c/d")));
}
END_TEST

static const struct { const char *text; bool ok; int64_t n; } NUMBERS[] = {
	{ "0", true, 0 }, { "-0", true, 0 }, { "5000000000", true, 5000000000 }, { "-1", true, -1 },
	{ "9223372036854775807", true, INT64_MAX }, { "-9223372036854775808", true, INT64_MIN },
	{ "9223372036854775808", false, 0 }, { "18446744073709551615", false, 0 },
	{ "1.0", true, 1 }, { "3.9", true, 3 }, { "-3.9", true, -3 }, { "1e3", true, 1000 },
	{ "1e18", true, 1000000000000000000 }, { "9.3e18", false, 0 }, { "-9.3e18", false, 0 },
	{ "1e999", false, 0 }, { "-1e999", false, 0 },
	{ "-9223372036854775808.0", true, INT64_MIN },
	{ "9223372036854775808.0", false, 0 },
	{ "\"12\"", true, 12 }, { "\"-12\"", true, -12 },
	{ "\"9223372036854775807\"", true, INT64_MAX },
	{ "\"9223372036854775808\"", false, 0 }, { "\"\"", false, 0 }, { "\"x\"", false, 0 },
	{ "\" 1\"", false, 0 }, { "\"1.0\"", false, 0 }, { "\"1e3\"", false, 0 },
	{ "true", false, 0 }, { "[1]", false, 0 }, { "{}", false, 0 },
};

START_TEST(numbers_within_64_bits)
{
	const struct json *v = json_parse(arena, str_of(NUMBERS[_i].text), NULL);
	int64_t n = 77;

	ck_assert_ptr_nonnull(v);
	ck_assert_int_eq(json_i64(v, &n), NUMBERS[_i].ok);
	ck_assert_int_eq(n, NUMBERS[_i].ok ? NUMBERS[_i].n : 77);
}
END_TEST

/* in, and as it is written again */
static const struct { const char *in, *out; } TEXTS[] = {
	{ "{}", "{}" }, { " { } ", "{}" }, { "[ 1 , 2 ]", "[1,2]" }, { "\"a/b\"", "\"a/b\"" },
	{ "{\"b\": 1, \"a\": [true, null]}", "{\"b\":1,\"a\":[true,null]}" },
	{ "\"\\u4e2d\\/\\u0041\"", "\"\xe4\xb8\xad/A\"" },
	{ "\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"" },
	{ "\"\\u0001\\n\\\"\\\\\"", "\"\\u0001\\n\\\"\\\\\"" },
	{ "18446744073709551615", "18446744073709551615" },
	{ "-9223372036854775808", "-9223372036854775808" },
	{ "1.50", "1.50" }, { "1e2", "1e2" }, { "0.1", "0.1" },
	{ "123456789012345678901.5", "123456789012345678901.5" },
};

START_TEST(text_keeps_the_value)
{
	struct str text = json_text(arena, json_parse(arena, str_of(TEXTS[_i].in), NULL));

	ck_assert_str_eq(text.at, TEXTS[_i].out);
	ck_assert_uint_eq(text.len, str_of(TEXTS[_i].out).len);
}
END_TEST

static const struct { const char *text; bool yes; } ALL_STRINGS[] = {
	{ "{}", true }, { "{\"a\":\"\"}", true }, { "{\"a\":\"1\",\"b\":\"2\"}", true },
	{ "{\"a\":1}", false }, { "{\"a\":\"1\",\"b\":null}", false }, { "{\"a\":[\"1\"]}", false },
	{ "[\"1\"]", false }, { "\"1\"", false },
};

START_TEST(objects_of_strings_only)
{
	ck_assert_int_eq(json_all_strings(json_parse(arena, str_of(ALL_STRINGS[_i].text), NULL)),
	    ALL_STRINGS[_i].yes);
	ck_assert(json_all_strings(NULL));
}
END_TEST

START_TEST(bad_documents_name_their_field)
{
	const char *field = NULL;

	ck_assert_ptr_null(json_parse(arena, S("{\"a\":1,\"b\":2,\"a\":3}"), &field));
	ck_assert_str_eq(field, "a");
	ck_assert_ptr_null(json_parse(arena, S("{\"uid\":'x'}"), &field));
	ck_assert_str_eq(field, "uid");
	ck_assert_ptr_null(json_parse(arena, S("[1,]"), &field));
	ck_assert_str_eq(field, "");
	ck_assert_ptr_null(json_parse(arena, (struct str){ NULL, 0 }, &field));
	ck_assert_str_eq(field, "");
	ck_assert_ptr_nonnull(json_parse(arena, S("{}"), &field));
	ck_assert_str_eq(field, "");
}
END_TEST

/* The text need not end with a NUL, and nothing behind it is read. */
START_TEST(reads_no_further_than_the_text)
{
	static const char wide[] = "123456";
	int64_t n;

	ck_assert(json_i64(json_parse(arena, (struct str){ wide, 3 }, NULL), &n));
	ck_assert_int_eq(n, 123);
}
END_TEST

/* Under the address sanitizer: values live as long as the arena, and are freed with it. */
START_TEST(values_end_with_the_arena)
{
	const struct json *a = json_parse(arena, S("{\"a\":\"one\"}"), NULL);
	const struct json *b = json_parse(arena, S("{\"b\":\"two\"}"), NULL);

	ck_assert(str_eq(json_str(json_get(a, "a")), S("one")));
	ck_assert(str_eq(json_str(json_get(b, "b")), S("two")));
	arena_reset(arena);
	ck_assert_ptr_nonnull(json_parse(arena, S("[1]"), NULL));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("json/json_value");
	TCase *tc = tcase_create("json_value");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, parses_any_type, 0, N_ELEMS(TYPES));
	tcase_add_test(tc, null_is_absent);
	tcase_add_test(tc, absent_has_nothing);
	tcase_add_test(tc, other_types_have_nothing);
	tcase_add_test(tc, finds_what_is_there);
	tcase_add_loop_test(tc, numbers_within_64_bits, 0, N_ELEMS(NUMBERS));
	tcase_add_loop_test(tc, text_keeps_the_value, 0, N_ELEMS(TEXTS));
	tcase_add_loop_test(tc, objects_of_strings_only, 0, N_ELEMS(ALL_STRINGS));
	tcase_add_test(tc, bad_documents_name_their_field);
	tcase_add_test(tc, reads_no_further_than_the_text);
	tcase_add_test(tc, values_end_with_the_arena);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
