/* LiveKit's node records: bytes written by hand, and bytes that are none.
 * SPDX-License-Identifier: MIT */
#include "livekit/nodes.h"

#include <string.h>

#include "support/unit.h"

static struct arena *mem;

static void
set_up(void)
{
	mem = arena_new(16 << 20);
}

static void
tear_down(void)
{
	arena_free(mem);
}

#define BYTES(lit) { lit, sizeof(lit) - 1 }

/* id, ip, 8 cores, statistics (45 bytes), type, state 2, region; a field from the future. */
#define RECORD \
	"\x0a\x04" "ND_x" \
	"\x12\x09" "10.0.0.11" \
	"\x18\x08" \
	"\x22\x2d" \
		"\x08\xe8\x07" "\x10\x80\xf1\xde\xd5\x06" \
		"\x18\x03" "\x20\x05" "\x28\x06" "\x30\x07" \
		"\x88\x01\x10" "\x95\x01\x00\x00\xc0\x3f" "\xad\x01\x00\x00\x00\x3f" \
		"\x92\x03\x0a" "\x45\x00\x00\x80\x3f" "\x4d\x00\x00\x00\x40" \
	"\x28\x01" \
	"\x30\x02" \
	"\x3a\x02" "cn" \
	"\xa2\x06\x01" "?"

START_TEST(a_record_as_livekit_writes_it)
{
	const struct str record = BYTES(RECORD);
	struct node n;

	ck_assert(node_decode(mem, record, &n));
	ck_assert(str_eq(n.id, S("ND_x")));
	ck_assert(str_eq(n.ip, S("10.0.0.11")));
	ck_assert(str_eq(n.region, S("cn")));
	ck_assert_int_eq(n.state, 2);
	ck_assert_int_eq(n.started_at_s, 1000);
	ck_assert_int_eq(n.updated_at_s, 1790425216);
	ck_assert_int_eq(n.n_rooms, 3);
	ck_assert_int_eq(n.n_clients, 5);
	ck_assert_int_eq(n.n_tracks_in, 6);
	ck_assert_int_eq(n.n_tracks_out, 7);
	ck_assert_int_eq(n.n_cpus, 16);
	ck_assert_double_eq(n.load_1min, 1.5);
	ck_assert_double_eq(n.cpu_load, 0.5);
	ck_assert_double_eq(n.bytes_per_s, 3.0);
}
END_TEST

START_TEST(a_record_without_statistics)
{
	const struct str record = BYTES("\x0a\x02" "N1" "\x18\x04");
	struct node n;

	ck_assert(node_decode(mem, record, &n));
	ck_assert(str_eq(n.id, S("N1")));
	ck_assert_int_eq(n.n_cpus, 4);
	ck_assert_int_eq(n.updated_at_s, 0);
	ck_assert_int_eq(n.state, 0);
	ck_assert_uint_eq(n.ip.len, 0);
}
END_TEST

static const struct str NO_NODES[] = {
	{ 0 },
	BYTES("\x18\x08"),                                     /* nameless */
	BYTES("\x0a\x00"),
	BYTES("ND_x"),
	BYTES("{\"id\":\"ND_x\"}"),
	BYTES("\x0a\x7f" "ND_x"),                              /* longer than there is */
	BYTES("\x0a\xff\xff\xff\xff\x0f" "ND_x"),
	BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	BYTES("\x0a\x04" "ND_x" "\x22\xff\xff\xff\xff\x0f"),   /* statistics without an end */
	BYTES("\x0a\x04" "ND_x" "\x22\x03" "\x08\xe8"),
	BYTES("\x0a\x04" "ND_x" "\x22\x01" "\x95"),
	BYTES("\x08\x04" "ND_x"),                              /* a number for a name */
	BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
	BYTES("\x0a\x04" "ND_x" "\x00\x00\x00"),
};

START_TEST(what_is_no_node)
{
	struct node n = { .state = 77 };

	ck_assert(!node_decode(mem, NO_NODES[_i], &n));
	ck_assert_int_eq(n.state, 77);
}
END_TEST

START_TEST(a_record_cut_anywhere_harms_nobody)
{
	const struct str record = BYTES(RECORD);
	struct node n;

	for (size_t len = 0; len < record.len; len++) {
		/* In a block of its own, so that a byte read too far is seen. */
		struct str cut = { memcpy(arena_alloc(mem, len + 1), record.at, len), len };

		(void)!node_decode(mem, cut, &n);
	}
}
END_TEST

START_TEST(a_record_with_any_byte_changed_harms_nobody)
{
	const struct str record = BYTES(RECORD);
	struct node n;

	for (size_t i = 0; i < record.len; i++) {
		for (int with = 0; with < 256; with += 5) {
			char *at = memcpy(arena_alloc(mem, record.len), record.at, record.len);

			at[i] = (char)with;
			(void)!node_decode(mem, (struct str){ at, record.len }, &n);
		}
		arena_reset(mem);
	}
}
END_TEST

START_TEST(a_huge_record_is_not_looked_at)
{
	size_t len = 1 << 20;
	char *at = arena_alloc(mem, len);
	struct node n;

	memcpy(at, "\x0a\x02N1", 4);
	ck_assert(!node_decode(mem, (struct str){ at, len }, &n));
}
END_TEST

static const struct { int64_t updated, now; bool fresh; } AGES[] = {
	{ 1000, 1000, true },
	{ 1000, 1004, true },
	{ 1000, 1005, false },
	{ 1000, 1060, false },
	{ 1000, 900, true },          /* a clock that is ahead */
	{ 0, 1000, false },
	{ INT64_MAX, 1000, true },
	{ INT64_MIN, 1000, false },
};

START_TEST(fresh_is_less_than_five_seconds_old)
{
	const struct node n = { .updated_at_s = AGES[_i].updated };

	ck_assert_int_eq(node_is_fresh(&n, AGES[_i].now), AGES[_i].fresh);
}
END_TEST

/* A day at LiveKit's: what its newest record says, what our clocks say, and what time it is then. */
static const struct { int64_t stamp, wall, mono, now; } DAY[] = {
	{ 100000, 100001, 7000, 100001 },      /* agreed */
	{ 100002, 100003, 7002, 100003 },
	{ 100002, 103604, 7003, 103604 },      /* our clock was stepped: not known yet */
	{ 100004, 103605, 7004, 100004 },      /* written anew all the same */
	{ 100004, 103608, 7007, 100007 },      /* goes on by the monotonic clock, */
	{ 100004, 103615, 7014, 100014 },      /* also when nobody writes any more */
	{ 100020, 100021, 7021, 100021 },      /* our clock was put right */
	{ 100022, 96423, 7023, 100022 },       /* stepped back */
	{ 100022, 96433, 7033, 100032 },
	{ 0, 96434, 7034, 100033 },            /* no record at all */
	{ 96434, 96435, 7035, 96435 },
	{ 96434, 96445, 7045, 96445 },         /* the nodes died, the clock is right */
	{ INT64_MAX, 96446, 7046, 96446 },
	{ 96447, 96447, 7047, 96447 },
};

START_TEST(a_step_of_our_clock_is_no_death_of_the_nodes)
{
	struct node_clock c = { 0 };

	for (size_t i = 0; i < N_ELEMS(DAY); i++) {
		/* A node that died long ago is in the way of nothing. */
		const struct node n[] = { { .updated_at_s = 5 }, { .updated_at_s = DAY[i].stamp } };

		ck_assert_int_eq(node_clock_at(&c, n, N_ELEMS(n), DAY[i].wall, DAY[i].mono), DAY[i].now);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("livekit/nodes");
	TCase *tc = tcase_create("nodes");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_record_as_livekit_writes_it);
	tcase_add_test(tc, a_record_without_statistics);
	tcase_add_test(tc, a_step_of_our_clock_is_no_death_of_the_nodes);
	tcase_add_loop_test(tc, what_is_no_node, 0, N_ELEMS(NO_NODES));
	tcase_add_test(tc, a_record_cut_anywhere_harms_nobody);
	tcase_add_test(tc, a_record_with_any_byte_changed_harms_nobody);
	tcase_add_test(tc, a_huge_record_is_not_looked_at);
	tcase_add_loop_test(tc, fresh_is_less_than_five_seconds_old, 0, N_ELEMS(AGES));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
