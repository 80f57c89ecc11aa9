/* Addresses of nodes: one spelling each, and the way back.
 * SPDX-License-Identifier: MIT */
#include "livekit/address.h"

#include "support/unit.h"

static struct arena *mem;

static void
set_up(void)
{
	mem = arena_new(1 << 20);
}

static void
tear_down(void)
{
	arena_free(mem);
}

static const struct { const char *given, *spelt; } SPELT[] = {
	{ "10.0.0.11", "10.0.0.11" },
	{ "fd00::1", "fd00::1" },
	{ "FD00:0:0:0:0:0:0:1", "fd00::1" },
	{ "fd00:0000::0001", "fd00::1" },
	{ "::ffff:10.0.0.1", "::ffff:10.0.0.1" },
	{ "", NULL },
	{ "node-1", NULL },
	{ "10.0.0", NULL },
	{ "10.0.0.256", NULL },
	{ "010.0.0.1", NULL },
	{ "10.0.0.1 ", NULL },
	{ "[fd00::1]", NULL },
	{ "fe80::1%eth0", NULL },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
};

START_TEST(an_address_has_one_spelling)
{
	struct str out = S("untouched");
	bool ok = address_spell(mem, str_of(SPELT[_i].given), &out);

	ck_assert_int_eq(ok, SPELT[_i].spelt != NULL);
	ck_assert(str_eq(out, SPELT[_i].spelt != NULL ? str_of(SPELT[_i].spelt) : S("untouched")));
}
END_TEST

static const struct { const char *ip; int64_t port; const char *addr; } WHOLE[] = {
	{ "10.0.0.11", 7880, "10.0.0.11:7880" },
	{ "fd00::1", 1, "[fd00::1]:1" },
};

START_TEST(there_and_back)
{
	struct str addr = address_of(mem, str_of(WHOLE[_i].ip), WHOLE[_i].port), ip;
	int64_t port;

	ck_assert(str_eq(addr, str_of(WHOLE[_i].addr)));
	ck_assert(address_split(addr, &ip, &port));
	ck_assert(str_eq(ip, str_of(WHOLE[_i].ip)));
	ck_assert_int_eq(port, WHOLE[_i].port);
}
END_TEST

static const char *const BAD[] = {
	"", ":", "10.0.0.1", "10.0.0.1:", ":7880", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0.1:x", "fd00::1:7880x",
	"fd00::1", "[fd00::1]", "[]:1", "[:1",
};

START_TEST(what_is_no_address)
{
	struct str ip;
	int64_t port;

	ck_assert(!address_split(str_of(BAD[_i]), &ip, &port));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("livekit/address");
	TCase *tc = tcase_create("address");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, an_address_has_one_spelling, 0, N_ELEMS(SPELT));
	tcase_add_loop_test(tc, there_and_back, 0, N_ELEMS(WHOLE));
	tcase_add_loop_test(tc, what_is_no_address, 0, N_ELEMS(BAD));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
