/* The first message of a signalling connection: which node it is, and what is no such message.
 * SPDX-License-Identifier: MIT */
#include "livekit/signal.h"

#include "support/unit.h"

/* SignalResponse { join(1): JoinResponse { 4 "1.13.5", 12 ServerInfo { 2 version, 4 region, 5 node_id } } } */
#define SERVER "\x12\x06" "1.13.5" "\x22\x02" "eu" "\x2a\x05" "ND_ab"
#define JOIN "\x22\x06" "1.13.5" "\x62\x13" SERVER

#define BYTES(text) text, sizeof(text) - 1

static const struct {
	const char *at;
	size_t len;
	bool ok;
	const char *id, *version, *region;
} CASES[] = {
	{ BYTES("\x0a\x1d" JOIN), true, "ND_ab", "1.13.5", "eu" },
	{ BYTES("\x0a\x09\x62\x07\x2a\x05" "ND_ab"), true, "ND_ab", "", "" },
	{ BYTES("\x0a\x04\x62\x02\x2a\x00"), false, NULL, NULL, NULL },         /* no id */
	{ BYTES("\x0a\x00"), false, NULL, NULL, NULL },                         /* no server */
	{ BYTES("\x12\x03" "abc"), false, NULL, NULL, NULL },                   /* another message */
	{ BYTES("\x0a\x1e" JOIN), false, NULL, NULL, NULL },                    /* cut */
	{ BYTES("{\"join\":{}}"), false, NULL, NULL, NULL },
	{ BYTES(""), false, NULL, NULL, NULL },
};

START_TEST(first_messages)
{
	struct arena *a = arena_new(65536);
	const struct str bytes = { CASES[_i].at, CASES[_i].len };
	struct signal_server server;

	ck_assert_int_eq(signal_read_join(a, bytes, &server), CASES[_i].ok);
	if (CASES[_i].ok) {
		ck_assert(str_eq(server.node_id, str_of(CASES[_i].id)));
		ck_assert(str_eq(server.version, str_of(CASES[_i].version)));
		ck_assert(str_eq(server.region, str_of(CASES[_i].region)));
	}
	arena_free(a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("livekit/signal");
	TCase *t = tcase_create("signal");

	tcase_add_loop_test(t, first_messages, 0, (int)N_ELEMS(CASES));
	suite_add_tcase(s, t);
	return unit_main(s);
}
