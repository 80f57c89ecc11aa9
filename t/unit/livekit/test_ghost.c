/* Who is a ghost by their record: bytes written by hand.
 * SPDX-License-Identifier: MIT */
#include "livekit/ghost.h"

#include "support/unit.h"

#define BYTES(lit) { lit, sizeof(lit) - 1 }
#define HEAD "\x0a\x03" "PA1" "\x12\x03" "bob" "\x18\x02"
/* 6 joined_at = 1000 s; 17 joined_at_ms = 1000500. */
#define SECONDS "\x30\xe8\x07"
#define MILLIS  "\x88\x01\xb4\x88\x3d"

static const struct { struct str record; int64_t since_ms; bool ghost; } CASES[] = {
	{ BYTES(HEAD SECONDS MILLIS), 1000501, true },
	{ BYTES(HEAD SECONDS MILLIS), 1000500, false },
	{ BYTES(HEAD SECONDS MILLIS), 0, false },
	{ BYTES(HEAD MILLIS), 2000000, true },
	/* Seconds alone mean their last moment. */
	{ BYTES(HEAD SECONDS), 1000999, false },
	{ BYTES(HEAD SECONDS), 1001000, true },
	{ BYTES(HEAD), 2000000, false },
	{ BYTES("\x0a\x03" "PA1" MILLIS), 2000000, false },
	{ BYTES(HEAD "\x30\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), INT64_MAX, false },
	{ BYTES(HEAD "\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), INT64_MAX, false },
	{ BYTES("x"), 2000000, false },
	{ BYTES(""), 2000000, false },
	{ BYTES(HEAD "\x30"), 2000000, false },
};

START_TEST(ghosts)
{
	struct arena *a = arena_new(16 << 20);

	ck_assert_int_eq(ghost_is(a, CASES[_i].record, CASES[_i].since_ms), CASES[_i].ghost);
	arena_free(a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("livekit/ghost");
	TCase *tc = tcase_create("ghost");

	tcase_add_loop_test(tc, ghosts, 0, N_ELEMS(CASES));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
