/* A body by the table of its fields: every kind, its bounds, and the field that is named.
 * SPDX-License-Identifier: MIT */
#include "json/json.h"

#include "support/unit.h"

struct body {
	struct str creator, name;
	int64_t rtc_type, max;
	bool has_max, muted, has_muted;
	struct json_strs uids;
	struct str metadata;
};

static bool
no_slash(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] == '/')
			return false;
	}
	return true;
}

#define AT(member) .offset = offsetof(struct body, member)
#define HAS(member) .has_offset = offsetof(struct body, member)

static const struct json_field FIELDS[] = {
	{ .name = "creator", .kind = JSON_IN_STR, AT(creator), .min = 1, .max = 4, .required = true,
	  .ok = no_slash },
	{ .name = "name", .kind = JSON_IN_STR, AT(name), .min = 0, .max = 3 },
	{ .name = "rtc_type", .kind = JSON_IN_INT, AT(rtc_type), .min = 0, .max = 1 },
	{ .name = "max", .kind = JSON_IN_INT, AT(max),
	  HAS(has_max), .min = INT64_MIN, .max = INT64_MAX },
	{ .name = "muted", .kind = JSON_IN_BOOL, AT(muted), HAS(has_muted) },
	{ .name = "uids", .kind = JSON_IN_STRS, AT(uids), .max = 3, .ok = no_slash },
	{ .name = "metadata", .kind = JSON_IN_OBJECT, AT(metadata), .max = 20 },
};

static struct op op;
static struct body body;

static void
setup(void)
{
	op = (struct op){ .arena = arena_new(1 << 24), .lang = "zh-CN" };
	body = (struct body){ .name = S("before"), .rtc_type = 42, .max = 43, .muted = true };
}

static void
teardown(void)
{
	arena_free(op.arena);
}

static enum err
read_text(const char *text)
{
	return json_read(&op, str_of(text), FIELDS, N_ELEMS(FIELDS), &body);
}

START_TEST(reads_every_kind)
{
	ck_assert_int_eq(read_text("{\"creator\":\"\xe5\xbc\xa0\xe4\xb8\x89\",\"name\":\"\",\"rtc_type\":1,"
	    "\"max\":-9,\"muted\":false,\"uids\":[\"a\",\"b c\"],\"metadata\":{ \"k\" : [1.50, \"/\"] }}"), ERR_OK);
	ck_assert(str_eq(body.creator, S("\xe5\xbc\xa0\xe4\xb8\x89")));
	ck_assert_uint_eq(body.name.len, 0);
	ck_assert_int_eq(body.rtc_type, 1);
	ck_assert_int_eq(body.max, -9);
	ck_assert(body.has_max);
	ck_assert(!body.muted);
	ck_assert(body.has_muted);
	ck_assert_uint_eq(body.uids.n, 2);
	ck_assert(str_eq(body.uids.at[0], S("a")));
	ck_assert(str_eq(body.uids.at[1], S("b c")));
	ck_assert(str_eq(body.metadata, S("{\"k\":[1.50,\"/\"]}")));
	ck_assert_ptr_null(op.bad_field);
}
END_TEST

static const char *const ABSENT[] = {
	"{\"creator\":\"c\"}",
	"{\"creator\":\"c\",\"name\":null,\"max\":null,\"muted\":null,\"uids\":null,\"metadata\":null}",
	"{\"creator\":\"c\",\"rtc_type\":null}",
	"{\"creator\":\"c\",\"Name\":\"x\",\"RTC_TYPE\":1,\"other\":{\"max\":1}}",
};

START_TEST(absent_null_and_unknown_leave_the_target)
{
	ck_assert_int_eq(read_text(ABSENT[_i]), ERR_OK);
	ck_assert(str_eq(body.name, S("before")));
	ck_assert_int_eq(body.rtc_type, 42);
	ck_assert_int_eq(body.max, 43);
	ck_assert(body.muted);
	ck_assert(!body.has_max);
	ck_assert(!body.has_muted);
	ck_assert_uint_eq(body.uids.n, 0);
	ck_assert_uint_eq(body.metadata.len, 0);
}
END_TEST

#define C "{\"creator\":\"c\","
#define CH40 "0123456789012345678901234567890123456789"

static const char *const GOOD[] = {
	    "{\"creator\":\"1234\"}",
	"{\"creator\":\"\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\"}",
	"{\"creator\":\"\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\"}",
	C "\"name\":\"123\"}", C "\"rtc_type\":0}", C "\"rtc_type\":-0}",
	C "\"max\":9223372036854775807}",
	C "\"max\":-9223372036854775808}", C "\"muted\":true}", C "\"uids\":[]}",
	C "\"uids\":[\"1\",\"2\",\"3\"]}",
	C "\"uids\":[\"" CH40 "\"]}", C "\"uids\":[\"1\",\"1\"]}", C "\"uids\":[\"a\",\"\"]}",
	C "\"metadata\":{}}",
	C "\"metadata\":{\"k\":\"0123456789ab\"}}",
	C "\"metadata\":{ \"k\" :   \"0123456789ab\" }}",
};

START_TEST(takes_what_lies_within_the_bounds)
{
	ck_assert_msg(read_text(GOOD[_i]) == ERR_OK, "%s: %s", GOOD[_i], op.bad_field);
}
END_TEST

static const struct { const char *text, *field; } BAD[] = {
	/* no object */
	{ "", "" }, { " ", "" }, { "null", "" }, { "[]", "" }, { "[{\"creator\":\"c\"}]", "" },
	{ "\"c\"", "" },
	{ "1", "" }, { "true", "" }, { "{", "" }, { C "}", "" }, { "{\"creator\":\"c\"} x", "" },
	{ "creator=c", "" }, { "{\"creator\":\"c\"}{\"creator\":\"c\"}", "" },
	/* required */
	{ "{}", "creator" }, { "{\"creator\":null}", "creator" },
	{ "{\"Creator\":\"c\"}", "creator" },
	/* texts */
	{ "{\"creator\":\"\"}", "creator" }, { "{\"creator\":\"12345\"}", "creator" },
	{ "{\"creator\":\"\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\"}",
	  "creator" },
	{ "{\"creator\":1}", "creator" }, { "{\"creator\":true}", "creator" },
	{ "{\"creator\":[\"c\"]}", "creator" },
	{ "{\"creator\":{}}", "creator" }, { "{\"creator\":1.5}", "creator" },
	{ "{\"creator\":\"a/b\"}", "creator" },
	{ "{\"creator\":\"a\\u0000\"}", "creator" }, { "{\"creator\":\"\xff\"}", "creator" },
	{ "{\"creator\":'c'}", "creator" }, { "{\"creator\":\"c\",\"creator\":\"c\"}", "creator" },
	{ C "\"name\":\"1234\"}", "name" }, { C "\"name\":0}", "name" },
	{ C "\"name\":\"\\ud800\"}", "name" },
	/* numbers */
	{ C "\"rtc_type\":2}", "rtc_type" }, { C "\"rtc_type\":-1}", "rtc_type" },
	{ C "\"rtc_type\":1.0}", "rtc_type" },
	{ C "\"rtc_type\":0.5}", "rtc_type" }, { C "\"rtc_type\":1e0}", "rtc_type" },
	{ C "\"rtc_type\":\"1\"}", "rtc_type" },
	{ C "\"rtc_type\":true}", "rtc_type" }, { C "\"rtc_type\":[]}", "rtc_type" },
	{ C "\"rtc_type\":4294967297}", "rtc_type" },
	{ C "\"max\":9223372036854775808}", "max" }, { C "\"max\":18446744073709551615}", "max" },
	{ C "\"max\":-9223372036854775809}", "max" }, { C "\"max\":1e400}", "max" },
	{ C "\"max\":NaN}", "max" },
	/* truths */
	{ C "\"muted\":1}", "muted" }, { C "\"muted\":0}", "muted" },
	{ C "\"muted\":\"true\"}", "muted" },
	{ C "\"muted\":{}}", "muted" },
	/* lists */
	{ C "\"uids\":\"a\"}", "uids" }, { C "\"uids\":{}}", "uids" },
	{ C "\"uids\":{\"0\":\"a\"}}", "uids" },
	{ C "\"uids\":[\"1\",\"2\",\"3\",\"4\"]}", "uids" }, { C "\"uids\":[1]}", "uids" },
	{ C "\"uids\":[null]}", "uids" },
	{ C "\"uids\":[[\"a\"]]}", "uids" }, { C "\"uids\":[\"a/b\"]}", "uids" },
	{ C "\"uids\":[\"" CH40 "0\"]}", "uids" }, { C "\"uids\":[\"a\",true]}", "uids" },
	/* objects */
	{ C "\"metadata\":[]}", "metadata" }, { C "\"metadata\":\"{}\"}", "metadata" },
	{ C "\"metadata\":1}", "metadata" },
	{ C "\"metadata\":{\"k\":\"0123456789abc\"}}", "metadata" },
	{ C "\"metadata\":{\"a\":1,\"a\":1}}", "a" },
	/* the first of two, in the order of the table */
	{ "{\"rtc_type\":9,\"creator\":\"\"}", "creator" },
	{ C "\"max\":\"x\",\"name\":9}", "name" },
	/* unknown fields are ignored, but have to be JSON */
	{ C "\"other\":NaN}", "other" }, { C "\"other\":1,\"other\":2}", "other" },
};

START_TEST(refuses_and_names_the_field)
{
	ck_assert_msg(read_text(BAD[_i].text) == ERR_INVALID_PARAMETERS, "%s", BAD[_i].text);
	ck_assert_ptr_nonnull(op.bad_field);
	ck_assert_str_eq(op.bad_field, BAD[_i].field);
}
END_TEST

START_TEST(a_list_may_ask_for_a_least_number)
{
	static const struct json_field uids[] = {
		    { .name = "uids", .kind = JSON_IN_STRS,
		  AT(uids), .min = 1, .max = 3, .required = true },
	};

	ck_assert_int_eq(json_read(&op, S("{\"uids\":[]}"), uids, 1, &body),
	    ERR_INVALID_PARAMETERS);
	ck_assert_str_eq(op.bad_field, "uids");
	ck_assert_int_eq(json_read(&op, S("{\"uids\":[\"a\"]}"), uids, 1, &body), ERR_OK);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("json/json_read");
	TCase *tc = tcase_create("json_read");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, reads_every_kind);
	tcase_add_loop_test(tc, absent_null_and_unknown_leave_the_target, 0, N_ELEMS(ABSENT));
	tcase_add_loop_test(tc, takes_what_lies_within_the_bounds, 0, N_ELEMS(GOOD));
	tcase_add_loop_test(tc, refuses_and_names_the_field, 0, N_ELEMS(BAD));
	tcase_add_test(tc, a_list_may_ask_for_a_least_number);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
