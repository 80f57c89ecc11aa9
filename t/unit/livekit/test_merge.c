/* Who is who among LIVEKIT_NODES, LiveKit's records, marks and memory.
 * SPDX-License-Identifier: MIT */
#include "livekit/merge.h"

#include "support/unit.h"

enum { NOW_S = 1795000000, PORT = 7880 };

static struct arena *mem;
static struct conf conf;
static struct static_node listed[8];
static struct str ips[8];
static struct sources src;
static struct cluster_node *nodes;
static size_t n_nodes, n_lost;

static void
set_up(void)
{
	mem = arena_new(4 << 20);
	conf = (struct conf){ .nodes = listed, .node_port = PORT };
	src = (struct sources){ .conf = &conf, .ips = ips, .records_at_s = NOW_S };
}

static void
tear_down(void)
{
	arena_free(mem);
}

static void
merge(void)
{
	struct merged m;

	merge_nodes(mem, &src, &m);
	nodes = m.nodes;
	n_nodes = m.n;
	n_lost = m.n_lost;
}

static struct static_node *
list(const char *host, int64_t port, const char *ip)
{
	struct static_node *n = &listed[conf.n_nodes];

	*n = (struct static_node){ .host = str_of(host), .port = port, .url = S(""), .region = S(""), .weight = 100 };
	ips[conf.n_nodes++] = str_of(ip);
	return n;
}

/* A record of a node that started an hour ago and was heard of `age` seconds ago. */
static struct node
record(const char *id, const char *ip, int64_t age)
{
	return (struct node){ .id = str_of(id), .ip = str_of(ip), .region = S(""), .state = NODE_SERVING,
	    .started_at_s = NOW_S - 3600, .updated_at_s = NOW_S - age };
}

static void
use_records(const struct node *records, size_t n)
{
	src.records = records;
	src.n_records = n;
	src.records_known = true;
}

static const struct cluster_node *
get(const char *addr)
{
	const struct snapshot s = { .nodes = nodes, .n = n_nodes };
	const struct cluster_node *n = registry_find(&s, str_of(addr));

	ck_assert_msg(n != NULL, "no node %s", addr);
	return n;
}

static bool
is(struct str a, const char *b)
{
	return str_eq(a, str_of(b));
}

START_TEST(without_a_list_records_are_the_nodes)
{
	const struct node records[] = { record("ND_b", "10.0.0.2", 0), record("ND_a", "10.0.0.1", 4),
		record("ND_c", "FD00::0001", 60), record("ND_x", "", 0), record("ND_y", "host", 0) };
	const struct cluster_node *n;

	use_records(records, N_ELEMS(records));
	merge();
	ck_assert_uint_eq(n_nodes, 3);
	ck_assert(is(nodes[0].addr, "10.0.0.1:7880") && is(nodes[1].addr, "10.0.0.2:7880"));
	n = get("10.0.0.1:7880");
	ck_assert(is(n->live.id, "ND_a") && is(n->name, "10.0.0.1:7880") && is(n->url, ""));
	ck_assert(n->fresh && n->serving && !n->configured && !n->spare && !n->twin && !n->down && !n->drained);
	ck_assert_int_eq(n->weight, 100);
	ck_assert(node_takes_rooms(n));
	n = get("[fd00::1]:7880");
	ck_assert(!n->fresh && !node_takes_rooms(n) && !node_keeps_rooms(n));
}
END_TEST

START_TEST(a_list_alone_makes_the_nodes)
{
	struct static_node *one = list("node-1", 7890, "10.0.0.1");

	one->url = S("wss://one");
	one->region = S("cn");
	one->weight = 300;
	(void)list("10.0.0.2", PORT, "10.0.0.2");
	(void)list("not-found", PORT, "");
	merge();
	ck_assert_uint_eq(n_nodes, 2);
	ck_assert(is(get("10.0.0.1:7890")->name, "node-1:7890") && is(get("10.0.0.2:7880")->name, "10.0.0.2:7880"));
	ck_assert(is(nodes[0].url, "wss://one") && is(nodes[0].region, "cn"));
	ck_assert_int_eq(nodes[0].weight, 300);
	for (size_t i = 0; i < n_nodes; i++) {
		ck_assert(nodes[i].configured && nodes[i].fresh && nodes[i].serving && nodes[i].live.id.len == 0);
		ck_assert(node_takes_rooms(&nodes[i]) && node_keeps_rooms(&nodes[i]));
	}
	/* A Redis that is no LiveKit's has no records: that says nothing about the nodes. */
	src.records_known = true;
	merge();
	ck_assert(nodes[0].fresh && nodes[1].fresh);
}
END_TEST

START_TEST(records_and_list_are_one)
{
	struct node records[] = { record("ND_a", "10.0.0.1", 1), record("ND_b", "10.0.0.2", 1),
		record("ND_c", "10.0.0.3", 1) };
	struct static_node *one = list("node-1", 7890, "10.0.0.1");

	records[0].region = S("eu");
	records[0].n_rooms = 7;
	records[1].state = 2;
	records[1].region = S("us");
	one->region = S("cn");
	(void)list("10.0.0.2", PORT, "10.0.0.2");
	(void)list("10.0.0.9", PORT, "10.0.0.9");
	use_records(records, N_ELEMS(records));
	merge();
	ck_assert_uint_eq(n_nodes, 4);
	ck_assert(is(get("10.0.0.1:7890")->live.id, "ND_a") && is(get("10.0.0.1:7890")->region, "cn"));
	ck_assert_int_eq(get("10.0.0.1:7890")->live.n_rooms, 7);
	/* LiveKit itself drains it: no new room, its rooms stay. */
	ck_assert(is(get("10.0.0.2:7880")->region, "us") && !get("10.0.0.2:7880")->serving);
	ck_assert(!node_takes_rooms(get("10.0.0.2:7880")) && node_keeps_rooms(get("10.0.0.2:7880")));
	/* Listed, and LiveKit knows nothing of it: it does not run. */
	ck_assert(get("10.0.0.9:7880")->configured && !get("10.0.0.9:7880")->fresh);
	/* It runs, and is not listed. */
	ck_assert(get("10.0.0.3:7880")->spare && !node_takes_rooms(get("10.0.0.3:7880")));
	ck_assert(node_keeps_rooms(get("10.0.0.3:7880")));
}
END_TEST

/* Two records on one ip: started, heard of (seconds ago). */
static const struct { int64_t started_a, age_a, started_b, age_b; bool twin; const char *id; bool fresh; } PAIRS[] = {
	{ 3600, 0, 3600, 0, true, "ND_a", true },
	{ 3600, 1, 60, 2, true, "ND_a", true },
	{ 3600, 4, 60, 4, true, "ND_b", true },
	/* Started anew: the old one was not heard of since. */
	{ 3600, 4, 3, 1, false, "ND_b", true },
	{ 3600, 4, 4, 2, false, "ND_b", true },
	{ 3600, 2, 3, 1, true, "ND_b", true },
	/* An old record is left of one that died. */
	{ 3600, 60, 30, 1, false, "ND_b", true },
	{ 30, 1, 3600, 5, false, "ND_a", true },
	{ 3600, 60, 1800, 50, false, "ND_b", false },
};

START_TEST(two_records_on_one_ip)
{
	struct node records[] = { record("ND_a", "10.0.0.1", PAIRS[_i].age_a), record("ND_b", "10.0.0.1", PAIRS[_i].age_b) };

	records[0].started_at_s = NOW_S - PAIRS[_i].started_a;
	records[1].started_at_s = NOW_S - PAIRS[_i].started_b;
	use_records(records, N_ELEMS(records));
	merge();
	ck_assert_uint_eq(n_nodes, 1);
	ck_assert_int_eq(nodes[0].twin, PAIRS[_i].twin);
	ck_assert_int_eq(nodes[0].fresh, PAIRS[_i].fresh);
	ck_assert_msg(is(nodes[0].live.id, PAIRS[_i].id), "%.*s", STR_ARG(nodes[0].live.id));
	ck_assert_int_eq(node_takes_rooms(&nodes[0]), PAIRS[_i].fresh && !PAIRS[_i].twin);
}
END_TEST

START_TEST(an_id_leads_to_the_node_that_has_it)
{
	const struct node records[] = { record("ND_a", "10.0.0.1", 1), record("ND_b", "10.0.0.2", 1),
		record("ND_c", "10.0.0.2", 1) };
	const struct kv_node marks[] = { { .addr = S("10.0.0.1:7880"), .down = true } };
	struct snapshot s;

	(void)list("10.0.0.1", 7880, "10.0.0.1");
	(void)list("10.0.0.1", 7890, "10.0.0.1");
	use_records(records, N_ELEMS(records));
	src.marks = marks;
	src.n_marks = 1;
	merge();
	s = (struct snapshot){ .nodes = nodes, .n = n_nodes };
	/* Two ports, one record: the one that answers. */
	ck_assert(is(registry_find_id(&s, S("ND_a"))->addr, "10.0.0.1:7890"));
	ck_assert_ptr_null(registry_find_id(&s, S("ND_b")));
	ck_assert_ptr_null(registry_find_id(&s, S("ND_z")));
	ck_assert_ptr_null(registry_find_id(&s, S("")));
	ck_assert_ptr_null(registry_find(&s, S("10.0.0.1")));
}
END_TEST

START_TEST(marks_are_put_on_their_nodes)
{
	const struct kv_node marks[] = { { .addr = S("10.0.0.2:7880"), .down = true, .n_given = 3 },
		{ .addr = S("10.0.0.1:7880"), .drained = true }, { .addr = S("10.9.9.9:7880"), .down = true } };
	const struct remembered memory[] = { { .addr = S("10.0.0.2:7880"), .drained = true } };

	(void)list("10.0.0.1", PORT, "10.0.0.1");
	(void)list("10.0.0.2", PORT, "10.0.0.2");
	src.marks = marks;
	src.n_marks = N_ELEMS(marks);
	src.memory = memory;
	src.n_memory = 1;
	merge();
	ck_assert_uint_eq(n_nodes, 2);
	ck_assert(nodes[1].down && !nodes[1].drained && !node_takes_rooms(&nodes[1]) && !node_keeps_rooms(&nodes[1]));
	ck_assert_int_eq(nodes[1].n_assigned, 3);
	ck_assert(nodes[0].drained && !node_takes_rooms(&nodes[0]) && node_keeps_rooms(&nodes[0]));
	src.drains_from_memory = true;
	merge();
	ck_assert(!nodes[0].drained && nodes[1].drained && nodes[1].down);
}
END_TEST

START_TEST(memory_stands_in)
{
	const struct remembered memory[] = {
		{ .addr = S("10.0.0.1:7890"), .host = S("node-1"), .livekit_id = S("ND_a"), .seen_lately = true },
		{ .addr = S("10.0.0.2:7880"), .host = S("node-1"), .livekit_id = S("ND_b"), .seen_lately = true },
		{ .addr = S("10.0.0.3:7880"), .host = S(""), .livekit_id = S("ND_c") },
		{ .addr = S("nonsense"), .host = S(""), .seen_lately = true } };

	src.memory = memory;
	src.n_memory = N_ELEMS(memory);
	/* Neither list nor records: those that answered lately. */
	merge();
	ck_assert_uint_eq(n_nodes, 2);
	ck_assert(is(nodes[0].live.id, "ND_a") && nodes[0].fresh && is(nodes[1].live.id, "ND_b"));
	/* A name that cannot be found: by name and port. */
	(void)list("NODE-1", 7880, "");
	(void)list("node-2", 7890, "");
	merge();
	ck_assert_uint_eq(n_nodes, 1);
	ck_assert(is(nodes[0].addr, "10.0.0.2:7880") && nodes[0].configured && is(nodes[0].live.id, "ND_b"));
	/* Records that were read once count more. */
	src.records_known = true;
	merge();
	ck_assert_uint_eq(nodes[0].live.id.len, 0);
}
END_TEST

START_TEST(a_node_with_another_address_in_its_record)
{
	const struct node records[] = { record("ND_a", "203.0.113.7", 1), record("ND_b", "10.0.0.1", 1) };

	list("node-1", PORT, "10.0.0.1")->ip = S("203.0.113.7");
	use_records(records, N_ELEMS(records));
	merge();
	ck_assert_uint_eq(n_nodes, 1);
	ck_assert(is(nodes[0].addr, "10.0.0.1:7880") && is(nodes[0].live.id, "ND_a") && node_takes_rooms(&nodes[0]));
}
END_TEST

START_TEST(two_names_of_one_node_are_one)
{
	(void)list("a", PORT, "10.0.0.1");
	(void)list("b", PORT, "10.0.0.1");
	merge();
	ck_assert_uint_eq(n_nodes, 1);
	ck_assert_uint_eq(n_lost, 0);
	ck_assert(is(nodes[0].name, "a:7880"));
}
END_TEST

START_TEST(a_name_is_lost_that_nobody_remembers)
{
	static struct remembered memory[] = {
		{ .addr = { "10.0.0.2:7880", 13 }, .host = { "b", 1 }, .livekit_id = { "", 0 } } };

	(void)list("a", PORT, "10.0.0.1");
	(void)list("b", PORT, "");
	(void)list("c", PORT, "");
	merge();
	ck_assert(n_nodes == 1 && n_lost == 2);
	src.memory = memory;
	src.n_memory = 1;
	merge();
	ck_assert(n_nodes == 2 && n_lost == 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("livekit/merge");
	TCase *tc = tcase_create("merge");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, without_a_list_records_are_the_nodes);
	tcase_add_test(tc, a_list_alone_makes_the_nodes);
	tcase_add_test(tc, records_and_list_are_one);
	tcase_add_loop_test(tc, two_records_on_one_ip, 0, N_ELEMS(PAIRS));
	tcase_add_test(tc, an_id_leads_to_the_node_that_has_it);
	tcase_add_test(tc, marks_are_put_on_their_nodes);
	tcase_add_test(tc, memory_stands_in);
	tcase_add_test(tc, a_node_with_another_address_in_its_record);
	tcase_add_test(tc, two_names_of_one_node_are_one);
	tcase_add_test(tc, a_name_is_lost_that_nobody_remembers);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
