/* The registry without any server: names, memory, what a process found by itself.
 * SPDX-License-Identifier: MIT */
#include "livekit/registry.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "livekit/names.h"
#include "support/unit.h"

static struct op op;
static struct conf conf;
static struct static_node listed[3];
static struct registry *r;
static struct snapshot s;

static struct remembered memory[2];
static int n_asked;
static bool away;

static bool
ask(struct op *o, void *arg, struct remembered **out, size_t *n_out)
{
	ck_assert_ptr_eq(arg, &n_asked);
	(void)arena_alloc(o->arena, 64);
	o->n_sql++;
	n_asked++;
	*out = memory;
	*n_out = N_ELEMS(memory);
	return !away;
}

static void
set_up(void)
{
	op = (struct op){ .arena = arena_new(1 << 20), .log = log_open("/dev/null", LOG_ERROR), .lang = "en-US" };
	listed[0] = (struct static_node){ .host = S("127.0.0.1"), .port = 7880, .weight = 100 };
	listed[1] = (struct static_node){ .host = S("localhost"), .port = 7890, .weight = 100 };
	listed[2] = (struct static_node){ .host = S("no-such-name.invalid"), .port = 7880, .weight = 100 };
	conf = (struct conf){ .nodes = listed, .n_nodes = 3, .node_port = 7880, .down_ms = 300 };
	memory[0] = (struct remembered){ .addr = S("127.0.0.1:7880"), .drained = true };
	memory[1] = (struct remembered){ .addr = S("127.0.0.9:7880"), .host = S("no-such-name.invalid") };
	n_asked = 0;
	away = false;
	r = registry_open(&conf);
}

static void
tear_down(void)
{
	registry_close(r);
	log_close(op.log);
	arena_free(op.arena);
}

static const struct cluster_node *
get(const char *addr)
{
	registry_snapshot(&op, r, NULL, NULL, &s);
	return registry_find(&s, str_of(addr));
}

/* The resolver may take longer than a request waits for it. */
static const struct cluster_node *
await(const char *addr)
{
	int64_t until = clock_mono_us() + 5000000;

	while (get(addr) == NULL) {
		ck_assert_msg(clock_mono_us() < until, "no node %s", addr);
		(void)usleep(10000);
		registry_forget(r);
	}
	return get(addr);
}

START_TEST(names_are_found)
{
	ck_assert_ptr_nonnull(get("127.0.0.1:7880"));
	ck_assert(str_eq(await("127.0.0.1:7890")->name, S("localhost:7890")));
	ck_assert(s.partial);
	ck_assert_uint_eq(s.n, 2);
}
END_TEST

START_TEST(what_was_remembered_helps)
{
	registry_remembers(r, ask, &n_asked);
	ck_assert(await("127.0.0.9:7880")->configured);
	ck_assert(get("127.0.0.1:7880")->drained);
	ck_assert_int_eq(op.n_sql, n_asked);
}
END_TEST

START_TEST(between_two_readings_nobody_is_asked)
{
	registry_remembers(r, ask, &n_asked);
	for (int i = 0; i < 1000; i++)
		ck_assert_ptr_nonnull(get("127.0.0.1:7880"));
	ck_assert_int_eq(n_asked, 1);
	registry_forget(r);
	ck_assert_ptr_nonnull(get("127.0.0.1:7880"));
	ck_assert_int_eq(n_asked, 2);
	/* A database that is away is left alone for a while; what it said before stands. */
	away = true;
	for (int i = 0; i < 10; i++) {
		registry_forget(r);
		ck_assert(get("127.0.0.1:7880")->drained);
	}
	ck_assert_int_eq(n_asked, 3);
}
END_TEST

START_TEST(a_node_found_down_is_down_at_once_and_for_a_while)
{
	const struct cluster_node *before = get("127.0.0.1:7880");

	ck_assert(!before->down && node_takes_rooms(before));
	registry_found_down(&op, r, NULL, S("127.0.0.1:7880"));
	registry_found_down(&op, r, NULL, S("10.0.0.1:1"));
	ck_assert(get("127.0.0.1:7880")->down && !node_takes_rooms(get("127.0.0.1:7880")));
	ck_assert(before->down);
	registry_forget(r);
	ck_assert(get("127.0.0.1:7880")->down);
	(void)usleep(310000);
	registry_forget(r);
	ck_assert(!get("127.0.0.1:7880")->down);
}
END_TEST

START_TEST(many_that_are_down)
{
	char addr[32];

	(void)get("127.0.0.1:7880");
	for (int i = 0; i < 300; i++) {
		(void)snprintf(addr, sizeof(addr), "10.0.%d.%d:7880", i / 200, i % 200);
		registry_found_down(&op, r, NULL, str_of(addr));
	}
	registry_found_down(&op, r, NULL, S("127.0.0.1:7880"));
	registry_found_down(&op, r, NULL, S("0123456789012345678901234567890123456789012345678901234567890123456789"));
	registry_forget(r);
	ck_assert(get("127.0.0.1:7880")->down);
}
END_TEST

START_TEST(one_snapshot_outlives_the_next)
{
	const struct cluster_node *n = get("127.0.0.1:7880");

	registry_forget(r);
	ck_assert_ptr_ne(get("127.0.0.1:7880"), n);
	ck_assert(str_eq(n->addr, S("127.0.0.1:7880")));
}
END_TEST

START_TEST(nobody_at_all)
{
	conf.n_nodes = 0;
	registry_close(r);
	r = registry_open(&conf);
	ck_assert_ptr_null(get("127.0.0.1:7880"));
	ck_assert_uint_eq(s.n, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("livekit/registry");
	TCase *tc = tcase_create("registry");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, names_are_found);
	tcase_add_test(tc, what_was_remembered_helps);
	tcase_add_test(tc, between_two_readings_nobody_is_asked);
	tcase_add_test(tc, a_node_found_down_is_down_at_once_and_for_a_while);
	tcase_add_test(tc, many_that_are_down);
	tcase_add_test(tc, one_snapshot_outlives_the_next);
	tcase_add_test(tc, nobody_at_all);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
