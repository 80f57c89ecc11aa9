/* What is JSON by RFC 8259 and what is not, with the field that an error names.
 * SPDX-License-Identifier: MIT */
#include "json/json_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
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

/* The text ends where its block ends, so that a step too far is seen. */
static bool
scan(struct str text, const char **field_out)
{
	char *copy = malloc(text.len + 1);
	bool ok;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy + 1, text.at, text.len);
	*field_out = "";
	ok = json_scan(arena, (struct str){ copy + 1, text.len }, field_out);
	free(copy);
	return ok;
}

#define DEEP_15 "[[[[[[[[[[[[[[["
#define DEEP_15_END "]]]]]]]]]]]]]]]"

static const char *const GOOD[] = {
	"{}", "[]", "\"\"", "0", "-0", "true", "false", "null",
	" {} ", "\t\r\n{\t\r\n}\t\r\n", "[ ]", "[1]", "[1,2]", "[ 1 , 2 ]", "{\"a\":1}",
	"{ \"a\" : 1 }",
	"{\"a\":{\"b\":[{\"c\":null}]}}",
	/* numbers */
	"10", "-1", "1.5", "-0.0", "0.0", "1e5", "1E5", "1e+5", "1e-5", "1.25e10", "0e0", "1e999",
	"-1e-999",
	"9223372036854775807", "-9223372036854775808", "18446744073709551615",
	"123456789012345678901.0",
	/* strings */
	"\"a\"", "\"/\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u0041\"", "\"\\u00e9\\u4E2d\"",
	"\"\\uFFFF\"",
	"\"\\ud83d\\ude00\"", "\"\\uDBFF\\uDFFF\"", "\"\x7f\"", "\"\xc2\x80\"",
	"\"\xe4\xb8\xad\xe6\x96\x87\"",
	"\"\xf0\x9f\x98\x80\"", "\"\xf4\x8f\xbf\xbf\"", "\"\xed\x9f\xbf\"", "\"\xee\x80\x80\"",
	"\"\xef\xbb\xbf\"",
	/* keys that only look alike, or stand in different objects */
	"{\"\":1}", "{\"a\":1,\"A\":2}", "{\"a\":1,\"a \":2}", "{\"a\":1,\"b\":{\"a\":2}}",
	"{\"a\":{\"x\":1},\"b\":{\"x\":1}}", "[{\"a\":1},{\"a\":1}]", "{\"a\":1,\"\\\\u0061\":2}",
	"{\"a\":{\"a\":{\"a\":1}}}", "{\"c\":1,\"b\":2,\"a\":3,\"d\":{\"c\":1,\"a\":2}}",
	/* sixteen deep */
	DEEP_15 "[]" DEEP_15_END, DEEP_15 "{\"a\":1}" DEEP_15_END,
};

START_TEST(takes_json)
{
	const char *field;

	ck_assert_msg(scan(str_of(GOOD[_i]), &field), "%s", GOOD[_i]);
}
END_TEST

static const struct { const char *text, *field; } BAD[] = {
	{ "", "" }, { " ", "" }, { "\n\t", "" },
	/* brackets and commas */
	{ "{", "" }, { "}", "" }, { "[", "" }, { "]", "" }, { "[1", "" }, { "[1,", "" },
	{ "[1,]", "" },
	{ "[,1]", "" }, { "[,]", "" }, { "[1 2]", "" }, { "[1}", "" }, { "{]", "" }, { "{,}", "" },
	{ "{\"a\"}", "a" }, { "{\"a\":}", "a" }, { "{\"a\":1,}", "" }, { "{\"a\":1 \"b\":2}", "" },
	{ "{\"a\":1,,\"b\":2}", "" }, { "{\"a\" 1}", "a" }, { "{\"a\"::1}", "a" }, { "{1:2}", "" },
	{ "{a:1}", "" }, { "{null:1}", "" }, { "{\"a\":1", "" }, { "{\"a\":", "a" },
	{ "{\"a\"", "a" },
	{ "{\"a\":[}", "a" }, { "{\"a\":{\"b\":}}", "a" },
	/* after the document */
	{ "{} {}", "" }, { "{}x", "" }, { "{}]", "" }, { "1 2", "" }, { "{},", "" },
	{ "[]null", "" },
	{ "{\"a\":1}}", "" },
	/* words */
	{ "True", "" }, { "TRUE", "" }, { "tru", "" }, { "truex", "" }, { "nul", "" },
	{ "NULL", "" },
	{ "None", "" }, { "nan", "" }, { "NaN", "" }, { "-NaN", "" }, { "Infinity", "" },
	{ "-Infinity", "" },
	{ "inf", "" }, { "undefined", "" }, { "{\"a\":NaN}", "a" },
	{ "{\"x\":1,\"a\":-Infinity}", "a" },
	/* numbers */
	{ "01", "" }, { "-01", "" }, { "00", "" }, { "1.", "" }, { ".5", "" }, { "-.5", "" },
	{ "-", "" },
	{ "+1", "" }, { "1e", "" }, { "1e+", "" }, { "1.e5", "" }, { "1e5.5", "" }, { "0x10", "" },
	{ "1_0", "" },
	{ "1,0", "" }, { "--1", "" }, { "1-", "" }, { "\xef\xbc\x91", "" }, { "0b1", "" },
	{ "1f", "" },
	/* integers that json-c would change */
	{ "18446744073709551616", "" }, { "99999999999999999999", "" },
	{ "100000000000000000000", "" },
	{ "-9223372036854775809", "" }, { "-18446744073709551615", "" },
	{ "{\"n\":-10000000000000000000}", "n" },
	/* strings */
	{ "\"", "" }, { "\"a", "" }, { "'a'", "" }, { "{'a':1}", "" }, { "{\"a\":'b'}", "a" },
	{ "`a`", "" },
	{ "\"\\\"", "" }, { "\"\\", "" }, { "\"\\x41\"", "" }, { "\"\\'\"", "" }, { "\"\\a\"", "" },
	{ "\"\\v\"", "" }, { "\"\\0\"", "" }, { "\"\\U0041\"", "" }, { "\"\\\n\"", "" },
	{ "\"\\u\"", "" },
	{ "\"\\u1\"", "" }, { "\"\\u12\"", "" }, { "\"\\u123\"", "" }, { "\"\\u123", "" },
	{ "\"\\u12g4\"", "" },
	{ "\"\\u+123\"", "" }, { "\"\\u 123\"", "" },
	/* control characters */
	{ "\"\x01\"", "" }, { "\"a\nb\"", "" }, { "\"a\tb\"", "" }, { "\"\r\"", "" },
	{ "\"\x1f\"", "" },
	{ "{\"a\":\"b\nc\"}", "a" }, { "\f{}", "" }, { "\v{}", "" }, { "{}\f", "" },
	{ "\xc2\xa0{}", "" },
	/* NUL and halves of pairs */
	{ "\"\\u0000\"", "" }, { "\"a\\u0000b\"", "" }, { "{\"\\u0000\":1}", "" },
	{ "{\"a\":\"\\u0000\"}", "a" },
	{ "\"\\ud800\"", "" }, { "\"\\udbff\"", "" }, { "\"\\udc00\"", "" }, { "\"\\udfff\"", "" },
	{ "\"\\ud83dx\"", "" }, { "\"\\ud83d\\n\"", "" }, { "\"\\ud83d\\u0041\"", "" },
	{ "\"\\ud83d\\ud83d\\ude00\"", "" }, { "\"\\ude00\\ud83d\"", "" }, { "\"\\ud83d\\u\"", "" },
	{ "\"\\ud83d\\ude0\"", "" }, { "{\"uid\":\"\\ud83d\"}", "uid" },
	/* not UTF-8 */
	{ "\"\x80\"", "" }, { "\"\xbf\"", "" }, { "\"\xc2\"", "" }, { "\"\xc2x\"", "" },
	{ "\"\xe4\xb8\"", "" },
	{ "\"\xf0\x9f\x98\"", "" }, { "\"\xff\"", "" }, { "\"\xfe\"", "" }, { "\"\xc0\x80\"", "" },
	{ "\"\xc1\xbf\"", "" }, { "\"\xe0\x80\x80\"", "" }, { "\"\xe0\x9f\xbf\"", "" },
	{ "\"\xf0\x80\x80\x80\"", "" }, { "\"\xf0\x8f\xbf\xbf\"", "" }, { "\"\xed\xa0\x80\"", "" },
	{ "\"\xed\xbf\xbf\"", "" }, { "\"\xed\xa0\xbd\xed\xb8\x80\"", "" },
	{ "\"\xf4\x90\x80\x80\"", "" },
	{ "\"\xf5\x80\x80\x80\"", "" }, { "\"\xf8\x88\x80\x80\x80\"", "" },
	{ "\xef\xbb\xbf{}", "" },
	{ "{\"a\":1,\"name\":\"\xff\"}", "name" }, { "{\"\xff\":1}", "" }, { "\"\xe4", "" },
	{ "\"\xf0\x9f", "" },
	/* comments */
	{ "{}//x", "" }, { "/*x*/{}", "" }, { "{/*x*/}", "" }, { "# x\n{}", "" },
	/* a key twice */
	{ "{\"a\":1,\"a\":1}", "a" }, { "{\"a\":1,\"b\":2,\"a\":3}", "a" },
	{ "{\"\":1,\"\":1}", "" },
	{ "{\"a\":1,\"\\u0061\":2}", "a" },
	{ "{\"\\u4e2d\":1,\"\xe4\xb8\xad\":2}", "\xe4\xb8\xad" },
	{ "{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}", "\xf0\x9f\x98\x80" },
	{ "{\"\\u00e9\":1,\"\xc3\xa9\":2}", "\xc3\xa9" }, { "{\"a\\n\":1,\"a\\u000a\":2}", "a\n" },
	{ "{\"/\":1,\"\\/\":2}", "/" }, { "{\"x\":{\"b\":1,\"b\":2}}", "b" },
	{ "[{\"b\":1,\"b\":2}]", "b" },
	{ "{\"b\":{\"a\":1},\"a\":{\"c\":1,\"c\":1}}", "c" },
	{ "{\"a\":{\"x\":1},\"b\":2,\"a\":3}", "a" },
	{ "{\"a\":null,\"a\":null}", "a" },
	/* seventeen deep */
	{ DEEP_15 "[[]]" DEEP_15_END, "" }, { DEEP_15 "[{}]" DEEP_15_END, "" },
	{ DEEP_15 "{\"a\":{}}" DEEP_15_END, "" }, { "{\"m\":" DEEP_15 "[]" DEEP_15_END "}", "m" },
};

START_TEST(refuses_the_rest_and_names_the_field)
{
	const char *field;

	ck_assert_msg(!scan(str_of(BAD[_i].text), &field), "%s", BAD[_i].text);
	ck_assert_str_eq(field, BAD[_i].field);
}
END_TEST

START_TEST(refuses_a_nul_byte_anywhere)
{
	static const char text[] = " { \"a\" : [ 1 , true ] } ";
	char cut[sizeof(text)];
	const char *field;

	memcpy(cut, text, sizeof(text));
	ck_assert(scan((struct str){ cut, sizeof(text) - 1 }, &field));
	cut[_i] = '\0';
	ck_assert(!scan((struct str){ cut, sizeof(text) - 1 }, &field));
}
END_TEST

START_TEST(refuses_every_beginning_of_a_text)
{
	static const char text[] = "{\"a\":[1.5e3,\"\\ud83d\\ude00\xe4\xb8\xad\",true,null,{\"b\":{}}]}";
	const char *field;

	ck_assert(scan((struct str){ text, sizeof(text) - 1 }, &field));
	ck_assert(!scan((struct str){ text, (size_t)_i }, &field));
}
END_TEST

/* {"k0":0,"k1":0,...}, the last one named `last` where that is not NULL */
static struct str
many_keys(size_t n, const char *last)
{
	struct strbuf b;

	strbuf_init_arena(&b, arena, 1024, 1 << 20);
	for (size_t i = 0; i < n; i++) {
		strbuf_addc(&b, i == 0 ? '{' : ',');
		if (i + 1 == n && last != NULL)
			strbuf_addf(&b, "\"%s\":0", last);
		else
			strbuf_addf(&b, "\"k%zu\":0", i * 7919 % 100003);
	}
	strbuf_addc(&b, '}');
	return strbuf_str(&b);
}

START_TEST(compares_many_keys_and_stops_at_too_many)
{
	const char *field;

	ck_assert(scan(many_keys(JSON_KEYS_MAX, NULL), &field));
	ck_assert(!scan(many_keys(JSON_KEYS_MAX, "k7919"), &field));
	ck_assert_str_eq(field, "k7919");
	ck_assert(!scan(many_keys(JSON_KEYS_MAX + 1, NULL), &field));
	ck_assert_str_eq(field, "");
}
END_TEST

/* Objects that have ended no longer count: a long list of them is no long object. */
START_TEST(counts_only_open_objects)
{
	struct strbuf b;
	const char *field;

	strbuf_init_arena(&b, arena, 1024, 1 << 20);
	strbuf_addz(&b, "{\"data\":[");
	for (int i = 0; i < JSON_KEYS_MAX; i++)
		strbuf_addz(&b, "{\"a\":1,\"b\":2},");
	strbuf_addz(&b, "0]}");
	ck_assert(scan(strbuf_str(&b), &field));
}
END_TEST

START_TEST(names_no_field_of_a_long_name)
{
	char text[128];
	const char *field;
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	strbuf_addz(&b, "{\"");
	for (int i = 0; i < _i; i++)
		strbuf_addc(&b, 'x');
	strbuf_addz(&b, "\":}");
	ck_assert(!scan(strbuf_str(&b), &field));
	ck_assert_uint_eq(strlen(field), _i <= 64 ? (size_t)_i : 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("json/json_scan");
	TCase *tc = tcase_create("json_scan");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, takes_json, 0, N_ELEMS(GOOD));
	tcase_add_loop_test(tc, refuses_the_rest_and_names_the_field, 0, N_ELEMS(BAD));
	tcase_add_loop_test(tc, refuses_a_nul_byte_anywhere, 0, 24);
	tcase_add_loop_test(tc, refuses_every_beginning_of_a_text, 0, 50);
	tcase_add_test(tc, compares_many_keys_and_stops_at_too_many);
	tcase_add_test(tc, counts_only_open_objects);
	tcase_add_loop_test(tc, names_no_field_of_a_long_name, 62, 67);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
