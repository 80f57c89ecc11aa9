/* The error body, its status with and without LEGACY_STATUS, and the CORS origin.
 * SPDX-License-Identifier: MIT */
#include "http/reply.h"

#include <string.h>

#include "json/json.h"
#include "support/unit.h"

static struct op op;
static struct reply rp;

static void
setup(void)
{
	op = (struct op){ .arena = arena_new(1 << 25), .lang = "en-US", .request_id = S("r-1") };
	reply_init(&rp, op.arena);
}

static void
teardown(void)
{
	arena_free(op.arena);
}

START_TEST(begins_as_an_empty_success)
{
	ck_assert_int_eq(rp.status, 200);
	ck_assert_str_eq(rp.content_type, "application/json; charset=utf-8");
	ck_assert_uint_eq(rp.body.len, 0);
	ck_assert(strbuf_ok(&rp.body));
	ck_assert_ptr_null(rp.allow);
	ck_assert_int_eq(rp.retry_after_s, 0);
	ck_assert_uint_eq(rp.cors_origin.len, 0);
}
END_TEST

START_TEST(every_error_is_an_object)
{
	const struct json *body;
	int64_t code;

	reply_error(&rp, &op, (enum err)_i, false);
	body = json_parse(op.arena, strbuf_str(&rp.body), NULL);
	ck_assert_int_eq(json_type(body), JSON_OBJECT);
	ck_assert_uint_eq(json_len(body), 4);
	ck_assert(json_i64(json_get(body, "code"), &code));
	ck_assert_int_eq(code, err_http((enum err)_i));
	ck_assert_int_eq(rp.status, err_http((enum err)_i));
	ck_assert(str_eq(json_str(json_get(body, "error")), str_of(err_key((enum err)_i))));
	ck_assert_uint_gt(json_str(json_get(body, "message")).len, 0);
	ck_assert(str_eq(json_str(json_get(body, "request_id")), S("r-1")));
}
END_TEST

START_TEST(written_in_this_order_and_language)
{
	reply_error(&rp, &op, ERR_ROOM_NOT_FOUND, false);
	ck_assert_str_eq(rp.body.at, "{\"code\":404,\"message\":\"The call room does not exist\","
	    "\"error\":\"room_not_found\",\"request_id\":\"r-1\"}");
	op.lang = "zh-TW";
	reply_error(&rp, &op, ERR_ROOM_NOT_FOUND, false);
	ck_assert_str_eq(rp.body.at, "{\"code\":404,\"message\":\"通話房間不存在\","
	    "\"error\":\"room_not_found\",\"request_id\":\"r-1\"}");
}
END_TEST

static const struct { enum err e; int status, legacy; int retry_after_s; } STATUS[] = {
	{ ERR_INVALID_PARAMETERS, 400, 400, 0 },
	{ ERR_UNAUTHORIZED, 401, 400, 0 },
	{ ERR_FORBIDDEN, 403, 400, 0 },
	{ ERR_ROOM_NOT_FOUND, 404, 400, 0 },
	{ ERR_METHOD_NOT_ALLOWED, 405, 400, 0 },
	{ ERR_PARTICIPANT_IN_CALL, 409, 400, 0 },
	{ ERR_BODY_TOO_LARGE, 413, 413, 0 },
	{ ERR_UNSUPPORTED_MEDIA_TYPE, 415, 415, 0 },
	{ ERR_INTERNAL, 500, 500, 0 },
	{ ERR_SQL_DUPLICATE, 500, 500, 0 },
	{ ERR_RATE_LIMITED, 429, 429, 37 },
	{ ERR_UNAVAILABLE, 503, 503, 1 },
	{ ERR_SQL_AGAIN, 503, 503, 1 },
	{ ERR_SQL_LOST, 503, 503, 1 },
	{ ERR_OUTCOME_UNKNOWN, 503, 503, 0 },
};

static int64_t
code_in_body(void)
{
	int64_t code = -1;
	const struct json *body = json_parse(op.arena, strbuf_str(&rp.body), NULL);

	ck_assert(json_i64(json_get(body, "code"), &code));
	return code;
}

START_TEST(status_and_code_agree)
{
	op.retry_after_s = 37;
	reply_error(&rp, &op, STATUS[_i].e, false);
	ck_assert_int_eq(rp.status, STATUS[_i].status);
	ck_assert_int_eq(code_in_body(), STATUS[_i].status);
	ck_assert_int_eq(rp.retry_after_s, STATUS[_i].retry_after_s);
	reply_error(&rp, &op, STATUS[_i].e, true);
	ck_assert_int_eq(rp.status, STATUS[_i].legacy);
	ck_assert_int_eq(code_in_body(), STATUS[_i].legacy);
}
END_TEST

static const char *
body_of(enum err e)
{
	reply_error(&rp, &op, e, false);
	ck_assert_ptr_nonnull(json_parse(op.arena, strbuf_str(&rp.body), NULL));
	return rp.body.at;
}

START_TEST(details_stand_where_they_help)
{
	static const struct str BUSY[] = { { "u1", 2 }, { "u\"2", 3 } };

	op.bad_field = "uids";
	op.busy_uids = BUSY;
	op.n_busy_uids = N_ELEMS(BUSY);
	ck_assert_ptr_nonnull(strstr(body_of(ERR_INVALID_PARAMETERS), ",\"field\":\"uids\"}"));
	ck_assert_ptr_null(strstr(body_of(ERR_ROOM_FULL), "field"));
	ck_assert_ptr_null(strstr(body_of(ERR_INVALID_PARAMETERS), "busy_uids"));
	op.bad_field = "";
	ck_assert_ptr_null(strstr(body_of(ERR_INVALID_PARAMETERS), "field"));
	op.err_room_id = S("room\"1");
	ck_assert_ptr_nonnull(strstr(body_of(ERR_ROOM_ALREADY_EXISTS),
	    ",\"room_id\":\"room\\\"1\"}"));
	ck_assert_ptr_nonnull(strstr(body_of(ERR_PARTICIPANT_IN_CALL),
	    ",\"room_id\":\"room\\\"1\",\"busy_uids\":[\"u1\",\"u\\\"2\"]}"));
}
END_TEST

/* A field name may be what the caller sent: it must not break the document. */
START_TEST(a_strange_field_name_stays_text)
{
	op.bad_field = "a\"b\n\xe4\xb8\xad";
	ck_assert_ptr_nonnull(strstr(body_of(ERR_INVALID_PARAMETERS), "\"a\\\"b\\n\xe4\xb8\xad\""));
}
END_TEST

START_TEST(an_error_replaces_what_was_written)
{
	struct jsonw w;

	rp.content_type = "text/html";
	rp.allow = "GET, HEAD, OPTIONS";
	rp.cors_origin = S("*");
	jsonw_init(&w, &rp.body);
	jsonw_obj(&w, NULL);
	jsonw_z(&w, "half", "written");
	reply_error(&rp, &op, ERR_METHOD_NOT_ALLOWED, false);
	ck_assert_int_eq(rp.body.at[0], '{');
	ck_assert_ptr_null(strstr(rp.body.at, "half"));
	ck_assert_str_eq(rp.content_type, "application/json; charset=utf-8");
	ck_assert_str_eq(rp.allow, "GET, HEAD, OPTIONS");
	ck_assert_uint_eq(rp.cors_origin.len, 1);
}
END_TEST

START_TEST(an_error_also_replaces_a_body_that_did_not_fit)
{
	static char block[1 << 20];

	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 9; i++)
		strbuf_add(&rp.body, (struct str){ block, sizeof(block) });
	ck_assert(!strbuf_ok(&rp.body));
	reply_error(&rp, &op, ERR_INTERNAL, false);
	ck_assert(strbuf_ok(&rp.body));
	ck_assert_ptr_nonnull(strstr(rp.body.at, "\"internal\""));
}
END_TEST

static const struct { const char *origins, *origin, *answer; } CORS[] = {
	{ "", "https://a.example", "" },
	{ "*", "https://a.example", "*" },
	{ " * ", "null", "*" },
	{ "*", "", "" },
	{ "https://a.example", "https://a.example", "https://a.example" },
	{ "https://a.example,https://b.example:8443", "https://b.example:8443",
	  "https://b.example:8443" },
	{ " https://a.example , https://b.example ", "https://b.example", "https://b.example" },
	{ "https://A.example", "https://a.example", "https://a.example" },
	{ "https://a.example", "http://a.example", "" },
	{ "https://a.example", "https://a.example:8443", "" },
	{ "https://a.example", "https://a.example.evil.example", "" },
	{ "https://a.example", "https://evil.example/https://a.example", "" },
	{ "https://a.example", "https://b.a.example", "" },
	{ "https://a.example", "https://a.exampl", "" },
	{ "https://a.example", "null", "" },
	{ "https://a.example", "", "" },
	{ ",", "", "" },
	{ "https://a.example,", ",", "" },
};

START_TEST(origins_that_may_be_answered)
{
	struct conf c = { .cors_origins = str_of(CORS[_i].origins) };
	struct request rq = { .origin = str_of(CORS[_i].origin) };

	rp.cors_origin = S("left over");
	reply_cors(&rp, &c, &rq);
	ck_assert(str_eq(rp.cors_origin, str_of(CORS[_i].answer)));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("http/reply");
	TCase *tc = tcase_create("reply");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, begins_as_an_empty_success);
	tcase_add_loop_test(tc, every_error_is_an_object, 0, ERR_COUNT);
	tcase_add_test(tc, written_in_this_order_and_language);
	tcase_add_loop_test(tc, status_and_code_agree, 0, N_ELEMS(STATUS));
	tcase_add_test(tc, details_stand_where_they_help);
	tcase_add_test(tc, a_strange_field_name_stays_text);
	tcase_add_test(tc, an_error_replaces_what_was_written);
	tcase_add_test(tc, an_error_also_replaces_a_body_that_did_not_fit);
	tcase_add_loop_test(tc, origins_that_may_be_answered, 0, N_ELEMS(CORS));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
