/* The allocator over tables: who is considered, who is better, how it is chosen.
 * SPDX-License-Identifier: MIT */
#include "livekit/allocator.h"

#include <stdlib.h>
#include <string.h>

#include "support/unit.h"

static struct arena *mem;
static struct conf conf;
static struct region regions[] = { { { "shanghai", 8 }, 31.2, 121.5 },
	{ { "frankfurt", 9 }, 50.1, 8.7 }, { { "ohio", 4 }, 40.0, -83.0 }, { { "tokyo", 5 }, 35.7, 139.7 } };
static struct cluster_node nodes[4];
static struct snapshot s;
static struct placing placing;

/* A chance with a known beginning. */
static uint32_t seed;

static uint32_t
below(uint32_t n, void *arg)
{
	uint32_t *state = arg;

	*state = *state * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)*state * n) >> 32);
}

/* Always the same number, as far as it is one of those asked for. */
static uint32_t
fixed(uint32_t n, void *arg)
{
	const uint32_t *v = arg;

	return *v < n ? *v : n - 1;
}

static const struct draw CHANCE = { below, &seed };

static void
set_up(void)
{
	static const char *const ADDRS[] = { "a", "b", "c", "d" };

	mem = arena_new(4 << 20);
	seed = 1;
	conf = (struct conf){ .node_selector = SELECT_ANY, .node_sort = SORT_ROOMS, .node_algorithm = PICK_LOWEST,
	    .node_cpu_limit_pct = 90, .node_sysload_limit_pct = 90, .regions = regions,
	    .n_regions = N_ELEMS(regions), .livekit_region = S("") };
	placing = (struct placing){ .region = S("") };
	for (size_t i = 0; i < N_ELEMS(nodes); i++)
		nodes[i] = (struct cluster_node){ .addr = str_of(ADDRS[i]), .region = S(""), .weight = 100, .fresh = true,
		    .serving = true, .live = { .id = S("ND"), .n_cpus = 4 } };
	s = (struct snapshot){ .nodes = nodes, .n = 3 };
}

static void
tear_down(void)
{
	arena_free(mem);
}

static const struct cluster_node *
pick(void)
{
	arena_reset(mem);
	return allocator_pick(mem, &conf, &s, &placing, &CHANCE);
}

/* Which of the nodes are ever chosen, as letters. */
static const char *
chosen(void)
{
	static char out[8];
	bool was[N_ELEMS(nodes)] = { false };
	size_t n = 0;

	for (int i = 0; i < 400; i++) {
		const struct cluster_node *got = pick();

		if (got != NULL)
			was[got - nodes] = true;
	}
	for (size_t i = 0; i < N_ELEMS(nodes); i++)
		if (was[i])
			out[n++] = (char)('a' + i);
	out[n] = '\0';
	return out;
}

/* What each sort reads: node a has less, node b more. */
static const struct { enum node_sort sort; struct node a, b; } SORTS[] = {
	{ SORT_ROOMS, { .n_rooms = 3, .n_cpus = 1 }, { .n_rooms = 4, .n_cpus = 1 } },
	{ SORT_CLIENTS, { .n_clients = 3, .n_rooms = 9 }, { .n_clients = 4 } },
	{ SORT_TRACKS, { .n_tracks_in = 3, .n_tracks_out = 4 }, { .n_tracks_in = 8 } },
	{ SORT_TRACKS, { .n_tracks_in = 3, .n_tracks_out = 4 }, { .n_tracks_out = 8 } },
	{ SORT_BYTESPERSEC, { .bytes_per_s = 1e6, .n_rooms = 9 }, { .bytes_per_s = 2e6 } },
	{ SORT_CPULOAD, { .cpu_load = 0.2, .n_rooms = 9 }, { .cpu_load = 0.3 } },
	{ SORT_SYSLOAD, { .load_1min = 4, .n_cpus = 8 }, { .load_1min = 3, .n_cpus = 4 } },
	{ SORT_SYSLOAD, { .load_1min = 0.5 }, { .load_1min = 0.6 } },
};

START_TEST(the_lower_one_wins)
{
	for (int algorithm = PICK_LOWEST; algorithm <= PICK_TWOCHOICE; algorithm++) {
		conf.node_sort = SORTS[_i].sort;
		conf.node_algorithm = algorithm;
		s.n = 2;
		nodes[0].live = SORTS[_i].a;
		nodes[1].live = SORTS[_i].b;
		ck_assert_str_eq(chosen(), "a");
		nodes[0].live = SORTS[_i].b;
		nodes[1].live = SORTS[_i].a;
		ck_assert_str_eq(chosen(), "b");
	}
}
END_TEST

START_TEST(random_is_everybody)
{
	conf.node_sort = SORT_RANDOM;
	nodes[0].live.n_rooms = 1000;
	ck_assert_str_eq(chosen(), "abc");
}
END_TEST

START_TEST(equals_are_taken_in_turn)
{
	ck_assert_str_eq(chosen(), "abc");
	conf.node_algorithm = PICK_TWOCHOICE;
	ck_assert_str_eq(chosen(), "abc");
}
END_TEST

START_TEST(two_choices_of_many_never_take_the_worst)
{
	conf.node_algorithm = PICK_TWOCHOICE;
	s.n = 4;
	for (size_t i = 0; i < 4; i++)
		nodes[i].live.n_rooms = (int64_t)i;
	ck_assert_str_eq(chosen(), "abc");
	conf.node_algorithm = PICK_LOWEST;
	ck_assert_str_eq(chosen(), "a");
	/* Two draws that would be one are two. */
	conf.node_algorithm = PICK_TWOCHOICE;
	for (uint32_t i = 0; i < 4; i++) {
		const struct draw same = { fixed, &i };

		arena_reset(mem);
		ck_assert_ptr_eq(allocator_pick(mem, &conf, &s, &placing, &same), &nodes[i < 3 ? i : 2]);
	}
}
END_TEST

/* Nodes a, b, c: their load, and who is considered. */
static const struct { enum node_selector selector; double cpu[3], load[3]; const char *want; } LIMITED[] = {
	{ SELECT_ANY, { 1, 1, 1 }, { 9, 9, 9 }, "abc" },
	{ SELECT_CPULOAD, { .95, .89, .1 }, { 0, 0, 0 }, "bc" },
	{ SELECT_CPULOAD, { .9, .91, .8 }, { 0, 0, 0 }, "c" },
	{ SELECT_CPULOAD, { .95, .99, 1 }, { 0, 0, 0 }, "abc" },
	{ SELECT_SYSLOAD, { 1, 1, 1 }, { 3.5, 3.7, 0 }, "ac" },
	{ SELECT_SYSLOAD, { 0, 0, 0 }, { 4, 5, 6 }, "abc" },
	{ SELECT_REGIONAWARE, { 0, 0, 0 }, { 3.7, 0, 0 }, "bc" },
};

START_TEST(selectors_keep_who_is_below_the_limit)
{
	conf.node_sort = SORT_RANDOM;
	conf.node_selector = LIMITED[_i].selector;
	for (size_t i = 0; i < 3; i++) {
		nodes[i].live.cpu_load = LIMITED[_i].cpu[i];
		nodes[i].live.load_1min = LIMITED[_i].load[i];
	}
	ck_assert_str_eq(chosen(), LIMITED[_i].want);
}
END_TEST

/* The nodes' regions, the request's, the configured one, who is considered. */
static const struct { const char *at[4], *request, *ours, *want; } NEAREST[] = {
	{ { "shanghai", "frankfurt", "ohio", "tokyo" }, "shanghai", "", "a" },
	{ { "shanghai", "frankfurt", "ohio", "tokyo" }, "", "frankfurt", "b" },
	{ { "shanghai", "frankfurt", "ohio", "tokyo" }, "ohio", "frankfurt", "c" },
	{ { "frankfurt", "frankfurt", "ohio", "tokyo" }, "shanghai", "", "d" },
	{ { "frankfurt", "frankfurt", "ohio", "ohio" }, "shanghai", "", "ab" },
	{ { "moon", "frankfurt", "moon", "moon" }, "shanghai", "", "b" },
	{ { "moon", "", "moon", "" }, "shanghai", "", "abcd" },
	{ { "shanghai", "frankfurt", "ohio", "tokyo" }, "moon", "", "abcd" },
	{ { "shanghai", "frankfurt", "ohio", "tokyo" }, "", "", "abcd" },
};

START_TEST(the_nearest_region)
{
	conf.node_sort = SORT_RANDOM;
	conf.node_selector = SELECT_REGIONAWARE;
	s.n = 4;
	for (size_t i = 0; i < 4; i++)
		nodes[i].region = str_of(NEAREST[_i].at[i]);
	placing.region = str_of(NEAREST[_i].request);
	conf.livekit_region = str_of(NEAREST[_i].ours);
	ck_assert_str_eq(chosen(), NEAREST[_i].want);
	/* Without a node there the next one. */
	if (strcmp(NEAREST[_i].want, "a") == 0) {
		nodes[0].drained = true;
		ck_assert_str_eq(chosen(), "d");
	}
}
END_TEST

static const struct { int64_t rooms, tracks, bytes; struct node a; int64_t given; const char *want; } LIMITS[] = {
	{ 10, 0, 0, { .n_rooms = 10 }, 0, "bc" },
	{ 10, 0, 0, { .n_rooms = 9 }, 0, "abc" },
	{ 10, 0, 0, { .n_rooms = 8 }, 2, "bc" },
	{ 0, 50, 0, { .n_tracks_in = 20, .n_tracks_out = 30 }, 0, "bc" },
	{ 0, 50, 0, { .n_tracks_in = 20, .n_tracks_out = 29 }, 0, "abc" },
	{ 0, 0, 1000, { .bytes_per_s = 1000 }, 0, "bc" },
	{ 0, 0, 1000, { .bytes_per_s = 999 }, 0, "abc" },
	{ 0, 0, 0, { .n_rooms = 1 << 30, .n_tracks_in = 1 << 30, .bytes_per_s = 1e12 }, 9, "abc" },
};

START_TEST(full_nodes_get_no_more)
{
	conf.node_sort = SORT_RANDOM;
	conf.node_max_rooms = LIMITS[_i].rooms;
	conf.node_max_tracks = LIMITS[_i].tracks;
	conf.node_max_bytes_per_s = LIMITS[_i].bytes;
	nodes[0].live = LIMITS[_i].a;
	nodes[0].n_assigned = LIMITS[_i].given;
	ck_assert_str_eq(chosen(), LIMITS[_i].want);
	/* Where all are full, all of them. */
	nodes[1] = nodes[2] = nodes[0];
	ck_assert_str_eq(chosen(), "abc");
}
END_TEST

static const struct { bool stale, leaving, drained, down, twin, spare; } OUT[] = {
	{ .stale = true }, { .leaving = true }, { .drained = true }, { .down = true }, { .twin = true }, { .spare = true },
};

START_TEST(who_takes_no_rooms_gets_none)
{
	nodes[0].fresh = !OUT[_i].stale;
	nodes[0].serving = !OUT[_i].leaving;
	nodes[0].drained = OUT[_i].drained;
	nodes[0].down = OUT[_i].down;
	nodes[0].twin = OUT[_i].twin;
	nodes[0].spare = OUT[_i].spare;
	for (int sort = SORT_RANDOM; sort <= SORT_BYTESPERSEC; sort++) {
		conf.node_sort = sort;
		ck_assert_str_eq(chosen(), "bc");
	}
	nodes[1] = nodes[2] = nodes[0];
	ck_assert_ptr_null(pick());
}
END_TEST

START_TEST(nobody_there)
{
	s.n = 0;
	ck_assert_ptr_null(pick());
}
END_TEST

/* 200 rooms between two reports; each pick is counted. */
static void
spread(int64_t n[3])
{
	for (int i = 0; i < 200; i++) {
		const struct cluster_node *got = pick();

		nodes[got - nodes].n_assigned++;
	}
	for (size_t i = 0; i < 3; i++)
		n[i] = nodes[i].n_assigned;
}

START_TEST(two_hundred_rooms_spread_evenly)
{
	int64_t n[3];

	seed = (uint32_t)_i;
	conf.node_algorithm = PICK_TWOCHOICE;
	spread(n);
	for (size_t i = 0; i < 3; i++)
		ck_assert_msg(n[i] >= 60 && n[i] <= 73, "%zu has %lld", i, (long long)n[i]);
}
END_TEST

START_TEST(a_loaded_node_gets_fewer_and_a_heavy_one_more)
{
	int64_t n[3];

	conf.node_algorithm = PICK_TWOCHOICE;
	nodes[0].live.n_rooms = 40;
	spread(n);
	ck_assert_int_lt(n[0], 50);
	ck_assert_int_gt(n[1], 65);
	nodes[0].live.n_rooms = 0;
	for (size_t i = 0; i < 3; i++)
		nodes[i].n_assigned = 0;
	conf.node_algorithm = PICK_LOWEST;
	nodes[2].weight = 200;
	spread(n);
	ck_assert_int_eq(n[2], 100);
	ck_assert_int_eq(n[0], 50);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("livekit/allocator");
	TCase *tc = tcase_create("allocator");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, the_lower_one_wins, 0, N_ELEMS(SORTS));
	tcase_add_test(tc, random_is_everybody);
	tcase_add_test(tc, equals_are_taken_in_turn);
	tcase_add_test(tc, two_choices_of_many_never_take_the_worst);
	tcase_add_loop_test(tc, selectors_keep_who_is_below_the_limit, 0, N_ELEMS(LIMITED));
	tcase_add_loop_test(tc, the_nearest_region, 0, N_ELEMS(NEAREST));
	tcase_add_loop_test(tc, full_nodes_get_no_more, 0, N_ELEMS(LIMITS));
	tcase_add_loop_test(tc, who_takes_no_rooms_gets_none, 0, N_ELEMS(OUT));
	tcase_add_test(tc, nobody_there);
	tcase_add_loop_test(tc, two_hundred_rooms_spread_evenly, 1, 21);
	tcase_add_test(tc, a_loaded_node_gets_fewer_and_a_heavy_one_more);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
