/* test_jsonw.c - the JSON writer: escapes, commas, and the documents it refuses.
 * SPDX-License-Identifier: MIT */
#include "base/jsonw.h"

#include "support/unit.h"

static const struct { struct str in; const char *out; } STRINGS[] = {
	{ { "", 0 }, "\"\"" },
	{ { "a/b", 3 }, "\"a/b\"" },
	{ { "房间", 6 }, "\"房间\"" },
	{ { "\"\\", 2 }, "\"\\\"\\\\\"" },
	{ { "\b\f\n\r\t", 5 }, "\"\\b\\f\\n\\r\\t\"" },
	{ { "\xc2\x85\xc2\x9f\xc2\xa0\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9", 15 },
	  "\"\\u0085\\u009f\xc2\xa0\xe2\x80\xa7\\u2028\\u2029\"" },
	{ { "a\0b\x1f\x7f", 5 }, "\"a\\u0000b\\u001f\\u007f\"" },
	{ { "\xff", 1 }, "\"\xef\xbf\xbd\"" },
	{ { "x\xe6\x88", 3 }, "\"x\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ { "\xed\xa0\x80" "y", 4 }, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdy\"" },
	{ { "\xf0\x9f\x98\x80", 4 }, "\"\xf0\x9f\x98\x80\"" },
};
START_TEST(strings_as_the_table_says)
{
	char room[256];
	struct strbuf b;
	struct jsonw w;

	strbuf_init(&b, room, sizeof(room));
	jsonw_init(&w, &b);
	jsonw_str(&w, NULL, STRINGS[_i].in);
	ck_assert(jsonw_done(&w));
	ck_assert_str_eq(room, STRINGS[_i].out);
}
END_TEST

START_TEST(a_document)
{
	static const struct str UIDS[] = { { "a", 1 }, { "b", 1 } };
	char room[512];
	struct strbuf b;
	struct jsonw w;

	strbuf_init(&b, room, sizeof(room));
	jsonw_init(&w, &b);
	jsonw_obj(&w, NULL);
	jsonw_z(&w, "room_id", "r1");
	jsonw_z(&w, "none", NULL);
	jsonw_i64(&w, "n", INT64_MIN);
	jsonw_bool(&w, "yes", true);
	jsonw_null(&w, "nil");
	jsonw_raw(&w, "raw", S("1.50"));
	jsonw_strs(&w, "uids", UIDS, 2);
	jsonw_arr(&w, "list");
	jsonw_obj(&w, NULL);
	jsonw_obj_end(&w);
	jsonw_obj(&w, NULL);
	jsonw_i64(&w, "k\"", 1);
	jsonw_obj_end(&w);
	jsonw_arr_end(&w);
	jsonw_strs(&w, "empty", NULL, 0);
	ck_assert(!jsonw_done(&w));
	jsonw_obj_end(&w);
	ck_assert(jsonw_done(&w));
	ck_assert_str_eq(room,
	    "{\"room_id\":\"r1\",\"none\":\"\",\"n\":-9223372036854775808,\"yes\":true,"
	    "\"nil\":null,\"raw\":1.50,\"uids\":[\"a\",\"b\"],\"list\":[{},{\"k\\\"\":1}],"
	    "\"empty\":[]}");
}
END_TEST

/* Each begins an object and then does what no document may. */
START_TEST(refused)
{
	char room[512];
	struct strbuf b;
	struct jsonw w;

	strbuf_init(&b, room, sizeof(room));
	jsonw_init(&w, &b);
	jsonw_obj(&w, NULL);
	switch (_i) {
	case 0:
		jsonw_arr_end(&w);
		break;
	case 1:
		jsonw_i64(&w, NULL, 1);
		break;
	case 2:
		jsonw_arr(&w, "a");
		jsonw_i64(&w, "k", 1);
		break;
	case 3:
		jsonw_obj_end(&w);
		jsonw_obj_end(&w);
		break;
	case 4:
		jsonw_obj_end(&w);
		jsonw_i64(&w, NULL, 1);
		break;
	default:
		for (int i = 0; i < 32; i++)
			jsonw_obj(&w, "deep");
	}
	ck_assert(!strbuf_ok(&b));
	ck_assert(!jsonw_done(&w));
	ck_assert_str_eq(room, "");
}
END_TEST

START_TEST(thirty_two_deep_is_fine)
{
	char room[512];
	struct strbuf b;
	struct jsonw w;

	strbuf_init(&b, room, sizeof(room));
	jsonw_init(&w, &b);
	for (int i = 0; i < 32; i++)
		jsonw_arr(&w, NULL);
	for (int i = 0; i < 32; i++)
		jsonw_arr_end(&w);
	ck_assert(jsonw_done(&w));
	ck_assert_uint_eq(b.len, 64);
}
END_TEST

/* What is said to fit fits, and a character more would not. */
START_TEST(fit_is_exact)
{
	static const struct str V = { "a\"房\x01\xff\xf0\x9f\x98\x80", 11 };

	for (size_t n = 0; n < 32; n++) {
		struct str part = jsonw_fit(V, n);
		char room[64];
		struct strbuf b;
		struct jsonw w;

		strbuf_init(&b, room, sizeof(room));
		jsonw_init(&w, &b);
		jsonw_str(&w, NULL, part);
		ck_assert(part.len == 0 || b.len <= n);
	}
	/* 2 quotes, a, \", the character's 3, \u0001, U+FFFD's 3, 4 */
	ck_assert_uint_eq(jsonw_fit(V, 2 + 1 + 2 + 3 + 6 + 3 + 4).len, 11);
	ck_assert_uint_eq(jsonw_fit(V, 2 + 1 + 2 + 3 + 6 + 3 + 3).len, 7);
	ck_assert_uint_eq(jsonw_fit(V, 2 + 1 + 2 + 2).len, 2);
	ck_assert_uint_eq(jsonw_fit(V, 2).len, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/jsonw");
	TCase *tc = tcase_create("jsonw");

	tcase_add_loop_test(tc, strings_as_the_table_says, 0, N_ELEMS(STRINGS));
	tcase_add_test(tc, a_document);
	tcase_add_loop_test(tc, refused, 0, 6);
	tcase_add_test(tc, thirty_two_deep_is_fine);
	tcase_add_test(tc, fit_is_exact);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
