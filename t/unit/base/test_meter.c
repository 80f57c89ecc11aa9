/* The shared counters: exact over processes, labels, overflow, and the text that is scraped.
 * SPDX-License-Identifier: MIT */
#include "base/meter.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/unit.h"

enum { CHILDREN = 4, ADDS = 20000, TEXT_MAX = 1 << 20 };

static char text[TEXT_MAX];

static const char *
print(const struct meter *m)
{
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	meter_print(m, &b);
	ck_assert(strbuf_ok(&b));
	return text;
}

static void
count_in_child(struct meter *m, size_t slot)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return;
	meter_use(m, slot);
	for (int i = 0; i < ADDS; i++) {
		char status[16];

		snprintf(status, sizeof(status), "%d", 200 + i % 7);
		meter_add(m, METER_REQUESTS, S("GET /health"), str_of(status), 1);
		meter_time(m, METER_REQUEST_TIME, S("GET /health"), i);
	}
	_exit(0);
}

START_TEST(exact_over_processes)
{
	/* Fewer slots than processes: sharing one stays exact. */
	struct meter *m = meter_new(CHILDREN - 1);

	ck_assert_ptr_nonnull(m);
	for (size_t i = 0; i < CHILDREN; i++)
		count_in_child(m, i);
	for (size_t i = 0; i < CHILDREN; i++)
		ck_assert_int_gt(wait(NULL), 0);
	ck_assert_int_eq(meter_total(m, METER_REQUESTS), CHILDREN * ADDS);
	ck_assert_int_eq(meter_total(m, METER_REQUEST_TIME), CHILDREN * ADDS);
	/* Names that all of them added at once are there once. */
	ck_assert_ptr_nonnull(strstr(print(m), "tgo_http_requests_total{route=\"GET /health\",status=\"200\"} "));
	for (const char *at = text; (at = strstr(at, "status=\"200\"")) != NULL; at++)
		ck_assert_ptr_null(strstr(at + 1, "status=\"200\""));
	meter_free(m);
}
END_TEST

START_TEST(histogram_is_cumulative)
{
	struct meter *m = meter_new(2);

	meter_time(m, METER_REDIS_TIME, S(""), 100);
	meter_use(m, 1);
	meter_time(m, METER_REDIS_TIME, S(""), 101);
	meter_time(m, METER_REDIS_TIME, S(""), 70 * 1000 * 1000);
	meter_time(m, METER_REDIS_TIME, S(""), -5);
	print(m);
	ck_assert_ptr_nonnull(strstr(text, "tgo_redis_seconds_bucket{le=\"0.0001\"} 2\n"));
	ck_assert_ptr_nonnull(strstr(text, "tgo_redis_seconds_bucket{le=\"0.00025\"} 3\n"));
	ck_assert_ptr_nonnull(strstr(text, "tgo_redis_seconds_bucket{le=\"60\"} 3\n"));
	ck_assert_ptr_nonnull(strstr(text, "tgo_redis_seconds_bucket{le=\"+Inf\"} 4\n"));
	ck_assert_ptr_nonnull(strstr(text, "tgo_redis_seconds_sum 70.000201\n"));
	ck_assert_ptr_nonnull(strstr(text, "tgo_redis_seconds_count 4\n"));
	meter_free(m);
}
END_TEST

START_TEST(a_full_set_counts_the_rest_as_other)
{
	struct meter *m = meter_new(1);
	char name[32];

	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "ND_%d", i);
		meter_add(m, METER_TOKENS, str_of(name), S(""), 1);
	}
	ck_assert_int_eq(meter_total(m, METER_TOKENS), 200);
	print(m);
	ck_assert_ptr_nonnull(strstr(text, "tgo_tokens_total{node=\"ND_126\"} 1\n"));
	ck_assert_ptr_null(strstr(text, "ND_127"));
	ck_assert_ptr_nonnull(strstr(text, "tgo_tokens_total{node=\"other\"} 73\n"));
	meter_free(m);
}
END_TEST

START_TEST(values_are_escaped_and_cut)
{
	struct meter *m = meter_new(1);
	char longer[100];

	memset(longer, 'x', sizeof(longer));
	meter_add(m, METER_TOKENS, S("a\"b\\c\nd"), S(""), 1);
	meter_add(m, METER_TOKENS, (struct str){ longer, sizeof(longer) }, S(""), 1);
	print(m);
	ck_assert_ptr_nonnull(strstr(text, "{node=\"a\\\"b\\\\c?d\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(text, "xxx\"} 1\n"));
	meter_free(m);
}
END_TEST

/* Long names of several bytes a character, and what a C string cannot hold. */
START_TEST(names_are_whole_characters)
{
	struct meter *m = meter_new(1);
	char longer[120];

	for (size_t i = 0; i < sizeof(longer); i += 4)
		memcpy(longer + i, "\xf0\x9f\x93\x9e", 4);
	meter_add(m, METER_TOKENS, (struct str){ longer, sizeof(longer) }, S(""), 1);
	meter_add(m, METER_TOKENS, (struct str){ longer, sizeof(longer) }, S(""), 1);
	meter_add(m, METER_TOKENS, (struct str){ "nul\0a", 5 }, S(""), 1);
	meter_add(m, METER_TOKENS, (struct str){ "nul\0b", 5 }, S(""), 1);
	meter_add(m, METER_TOKENS, (struct str){ NULL, 0 }, S(""), 1);
	print(m);
	ck_assert_ptr_nonnull(strstr(text, "{node=\"\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(text, "\xf0\x9f\x93\x9e\"} 2\n"));
	ck_assert_ptr_null(strstr(text, "?"));
	ck_assert_ptr_nonnull(strstr(text, "{node=\"nul\"} 2\n"));
	meter_free(m);
}
END_TEST

START_TEST(gauges_are_set_and_printed_at_zero)
{
	struct meter *m = meter_new(2);

	meter_set(m, METER_WORKERS, S("configured"), 4);
	meter_set(m, METER_WORKERS, S("alive"), 4);
	meter_set(m, METER_WORKERS, S("alive"), 0);
	print(m);
	ck_assert_ptr_nonnull(strstr(text, "# TYPE tgo_workers gauge\n"));
	ck_assert_ptr_nonnull(strstr(text, "tgo_workers{state=\"configured\"} 4\n"));
	ck_assert_ptr_nonnull(strstr(text, "tgo_workers{state=\"alive\"} 0\n"));
	ck_assert_ptr_null(strstr(text, "tgo_workers{state=\"other\"}"));
	meter_set(NULL, METER_WORKERS, S("alive"), 1);
	meter_free(m);
}
END_TEST

START_TEST(spans_have_bounds_of_their_own)
{
	struct meter *m = meter_new(1);

	meter_time(m, METER_CALL_TIME, S(""), INT64_C(3600) * 1000 * 1000);
	meter_time(m, METER_CALL_TIME, S(""), INT64_C(86400) * 1000 * 1000);
	print(m);
	ck_assert_ptr_nonnull(strstr(text, "tgo_call_duration_seconds_bucket{le=\"1800\"} 0\n"));
	ck_assert_ptr_nonnull(strstr(text, "tgo_call_duration_seconds_bucket{le=\"3600\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(text, "tgo_call_duration_seconds_bucket{le=\"14400\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(text, "tgo_call_duration_seconds_bucket{le=\"+Inf\"} 2\n"));
	meter_free(m);
}
END_TEST

START_TEST(without_a_meter_nothing_happens)
{
	meter_add(NULL, METER_TOKENS, S("a"), S(""), 1);
	meter_time(NULL, METER_SQL_TIME, S(""), 1);
	meter_use(NULL, 3);
	ck_assert_uint_eq(meter_label(NULL, LABEL_NODE, S("a")), 0);
	meter_free(NULL);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("meter");
	TCase *tc = tcase_create("meter");

	tcase_add_test(tc, exact_over_processes);
	tcase_add_test(tc, histogram_is_cumulative);
	tcase_add_test(tc, a_full_set_counts_the_rest_as_other);
	tcase_add_test(tc, values_are_escaped_and_cut);
	tcase_add_test(tc, names_are_whole_characters);
	tcase_add_test(tc, gauges_are_set_and_printed_at_zero);
	tcase_add_test(tc, spans_have_bounds_of_their_own);
	tcase_add_test(tc, without_a_meter_nothing_happens);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
