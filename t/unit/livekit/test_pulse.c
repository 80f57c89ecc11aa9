/* test_pulse - a node is asked whether it lives, not too often, and a frozen one holds nobody up twice.
 * SPDX-License-Identifier: MIT */
#include "livekit/pulse.h"

#include "base/clock.h"
#include "support/fake_node.h"

enum { TIMEOUT_MS = 60 };

static const struct conf CONF = { .probe_timeout_ms = TIMEOUT_MS };
static struct op op;
static struct httpc *http;
static struct pulse *pulse;
static struct fake_node node;

static void
set_up(void)
{
	op = (struct op){ .arena = arena_new(1 << 20), .log = log_open("/dev/null", LOG_DEBUG), .lang = "en-US" };
	http = httpc_open();
	pulse = pulse_open(&CONF);
	node = (struct fake_node){ 0 };
	fake_node_start(&node, "127.0.0.31", "200 OK");
}

static void
tear_down(void)
{
	fake_node_wake(&node);
	fake_node_kill(&node);
	pulse_close(pulse);
	httpc_close(http);
	log_close(op.log);
	arena_free(op.arena);
}

static struct pulse_found
ask(bool doubted)
{
	return pulse_ask(&op, pulse, http, str_of(node.addr), doubted);
}

static void
after_ms(int64_t ms)
{
	int64_t until = clock_mono_us() + ms * 1000;

	while (clock_mono_us() < until)
		(void)usleep(1000);
}

START_TEST(it_lives)
{
	struct pulse_found found = ask(false);

	ck_assert_int_eq(found.state, PULSE_ALIVE);
	ck_assert(found.asked && !found.awoke);
	ck_assert(!ask(false).asked);
	ck_assert(ask(true).asked);
	after_ms(PULSE_MS + 1);
	ck_assert(ask(false).asked);
}
END_TEST

START_TEST(it_is_dead)
{
	fake_node_kill(&node);
	ck_assert_int_eq(ask(false).state, PULSE_REFUSES);
	ck_assert(!ask(true).asked);
	fake_node_start(&node, "127.0.0.31", "200 OK");
	after_ms(PULSE_MS + 1);
	ck_assert(ask(false).awoke);
	ck_assert(!ask(false).awoke);
}
END_TEST

/* The connection that is kept does not hide that nobody is there any more. */
START_TEST(it_dies_between)
{
	ck_assert_int_eq(ask(false).state, PULSE_ALIVE);
	fake_node_kill(&node);
	ck_assert_int_eq(ask(false).state, PULSE_ALIVE);
	ck_assert_int_eq(ask(true).state, PULSE_REFUSES);
}
END_TEST

START_TEST(it_is_frozen)
{
	int64_t began_us = clock_mono_us();
	struct pulse_found found;

	fake_node_freeze(&node);
	found = ask(false);
	ck_assert_int_eq(found.state, PULSE_SILENT);
	ck_assert_int_ge(found.silent_ms, TIMEOUT_MS - 1);
	ck_assert(!ask(true).asked);
	after_ms(PULSE_SILENT_MS + 1);
	found = ask(false);
	ck_assert(found.asked);
	ck_assert_int_ge(found.silent_ms, PULSE_SILENT_MS + TIMEOUT_MS);
	ck_assert_int_le(found.silent_ms, (clock_mono_us() - began_us) / 1000);
	fake_node_wake(&node);
	after_ms(PULSE_SILENT_MS + 1);
	found = ask(false);
	ck_assert(found.awoke && found.silent_ms == 0);
}
END_TEST

START_TEST(it_cannot_serve)
{
	fake_node_kill(&node);
	fake_node_start(&node, "127.0.0.31", "406 Not Acceptable");
	ck_assert_int_eq(ask(false).state, PULSE_SILENT);
}
END_TEST

START_TEST(each_has_its_own)
{
	struct fake_node other = { 0 };

	fake_node_start(&other, "127.0.0.32", "200 OK");
	fake_node_kill(&other);
	ck_assert_int_eq(pulse_ask(&op, pulse, http, str_of(other.addr), false).state, PULSE_REFUSES);
	ck_assert_int_eq(ask(false).state, PULSE_ALIVE);
	ck_assert(!ask(false).asked);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("pulse");
	TCase *t = tcase_create("pulse");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, it_lives);
	tcase_add_test(t, it_is_dead);
	tcase_add_test(t, it_dies_between);
	tcase_add_test(t, it_is_frozen);
	tcase_add_test(t, it_cannot_serve);
	tcase_add_test(t, each_has_its_own);
	suite_add_tcase(s, t);
	return unit_main(s);
}
