/* The request that carries an event, and what the log keeps of it.
 * SPDX-License-Identifier: MIT */
#include "jobs/letter.h"

#include "support/unit.h"

#define ID "019a0000-0000-7000-8000-000000000001"

static const struct { const char *url, *want; } URLS[] = {
	{ "http://b", "http://b?event_type=room.started&event_id=" ID },
	{ "http://b/h", "http://b/h?event_type=room.started&event_id=" ID },
	{ "http://b/h?x=1", "http://b/h?x=1&event_type=room.started&event_id=" ID },
	{ "http://b/h?", "http://b/h?event_type=room.started&event_id=" ID },
	{ "http://b/h?x&", "http://b/h?x&event_type=room.started&event_id=" ID },
};
START_TEST(the_query_is_kept)
{
	const struct item i = { .type = S("room.started"), .event_id = S(ID) };
	char text[256];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	letter_url(&b, str_of(URLS[_i].url), &i);
	ck_assert(strbuf_ok(&b));
	ck_assert_str_eq(text, URLS[_i].want);
}
END_TEST

START_TEST(headers_and_body)
{
	static const char *const HEADERS[] = {
		"X-Event-Type: room.started", "X-Event-ID: " ID, "X-Timestamp: 1795224981",
		"X-Signature: bcfe4012b35bc540fb3e750e195d99333aa26c10cfa4190e26d7a829a881e7a3",
		"webhook-id: " ID, "webhook-timestamp: 1795224981",
		"webhook-signature: v1,lXpGZmOudt+y67gY5KlWFvKPw5Sc3wQspQ41xjMjsrY=",
	};
	struct item i = { .type = S("room.started"), .event_id = S(ID),
	    .data = S("{\"room_id\":\"r1\",\"status\":6}") };
	const struct endpoint to = { .url = S("http://b/h"), .secret = S("s3cret"), .secret_old = S(""),
	    .timeout_ms = 700 };
	struct letter t = { .item = &i, .sent_at_s = 1795224981 };

	ck_assert(letter_write(&t, &to, REACH_PUBLIC));
	ck_assert_str_eq(t.call.call.method, "POST");
	ck_assert_str_eq(t.call.call.url.at, "http://b/h?event_type=room.started&event_id=" ID);
	ck_assert_str_eq(t.call.call.content_type.at, "application/json");
	ck_assert(str_eq(t.call.call.body, i.data));
	ck_assert_int_eq(t.call.call.timeout_ms, 700);
	ck_assert_int_eq(t.call.reach, REACH_PUBLIC);
	ck_assert_uint_eq(t.call.answer_max, 64 * 1024);
	ck_assert_ptr_eq(t.call.tag, &t);
	ck_assert_uint_eq(t.call.n_headers, N_ELEMS(HEADERS));
	for (size_t h = 0; h < N_ELEMS(HEADERS); h++)
		ck_assert_str_eq(t.call.headers[h].at, HEADERS[h]);
}
END_TEST

START_TEST(the_longest_configuration_fits)
{
	static char url[501];
	struct item i = { .type = S("participant.accepted"), .event_id = S(ID), .data = S("{}") };
	const struct endpoint to = { .url = { url, 500 }, .secret = S("a"), .secret_old = S("b") };
	struct letter t = { .item = &i };

	for (size_t k = 0; k < 500; k++)
		url[k] = "http://b/"[k % 9];
	ck_assert(letter_write(&t, &to, REACH_ALL));
}
END_TEST

START_TEST(the_envelope_of_the_go_server)
{
	const struct item i = { .type = S("room.started"), .event_id = S(ID), .data = S("{\"status\":6}") };
	char text[256];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	letter_envelope(&b, &i, 1795224981, 2, 30);
	ck_assert(strbuf_ok(&b));
	ck_assert_str_eq(text, "{\"event_type\":\"room.started\",\"event_id\":\"" ID "\","
	    "\"timestamp\":1795224981,\"data\":{\"status\":6},\"retry\":2,\"retry_after\":30}");
}
END_TEST

static const struct { struct str in; size_t max; const char *want; } TEXTS[] = {
	{ { "", 0 }, 9, "" }, { { "abc", 3 }, 2, "ab" }, { { "\xe4\xb8\xad\xe6\x96\x87", 6 }, 1, "\xe4\xb8\xad" },
	{ { "a\xff\xe4\xb8z", 5 }, 9, "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz" },
};
START_TEST(answers_become_text)
{
	char text[64];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	letter_clean(&b, TEXTS[_i].in, TEXTS[_i].max);
	ck_assert_str_eq(text, TEXTS[_i].want);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("jobs/letter");
	TCase *tc = tcase_create("letter");

	tcase_add_loop_test(tc, the_query_is_kept, 0, N_ELEMS(URLS));
	tcase_add_test(tc, headers_and_body);
	tcase_add_test(tc, the_longest_configuration_fits);
	tcase_add_test(tc, the_envelope_of_the_go_server);
	tcase_add_loop_test(tc, answers_become_text, 0, N_ELEMS(TEXTS));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
