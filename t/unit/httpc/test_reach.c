/* Which addresses a call may go to, by how far it may reach.
 * SPDX-License-Identifier: MIT */
#include "httpc/reach.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "support/unit.h"

/* until: the strictest reach that still goes there. */
static const struct { const char *address; enum reach until; } CASES[] = {
	{ "8.8.8.8", REACH_PUBLIC },
	{ "1.1.1.1", REACH_PUBLIC },
	{ "11.0.0.0", REACH_PUBLIC },
	{ "100.63.255.255", REACH_PUBLIC },
	{ "100.128.0.0", REACH_PUBLIC },
	{ "172.15.255.255", REACH_PUBLIC },
	{ "172.32.0.0", REACH_PUBLIC },
	{ "192.0.1.1", REACH_PUBLIC },
	{ "198.20.0.1", REACH_PUBLIC },
	{ "223.255.255.255", REACH_PUBLIC },
	{ "2606:4700::1111", REACH_PUBLIC },
	{ "64:ff9b::808:808", REACH_PUBLIC },
	{ "2002:808:808::1", REACH_PUBLIC },
	{ "::ffff:8.8.8.8", REACH_PUBLIC },
	{ "fb00::1", REACH_PUBLIC },

	{ "10.0.0.1", REACH_NOT_LINK_LOCAL },
	{ "10.255.255.255", REACH_NOT_LINK_LOCAL },
	{ "127.0.0.1", REACH_NOT_LINK_LOCAL },
	{ "127.255.255.254", REACH_NOT_LINK_LOCAL },
	{ "172.16.0.1", REACH_NOT_LINK_LOCAL },
	{ "172.31.255.255", REACH_NOT_LINK_LOCAL },
	{ "192.168.1.1", REACH_NOT_LINK_LOCAL },
	{ "192.0.0.8", REACH_NOT_LINK_LOCAL },
	{ "100.64.0.1", REACH_NOT_LINK_LOCAL },
	{ "100.127.255.255", REACH_NOT_LINK_LOCAL },
	{ "198.18.0.1", REACH_NOT_LINK_LOCAL },
	{ "198.19.255.255", REACH_NOT_LINK_LOCAL },
	{ "::1", REACH_NOT_LINK_LOCAL },
	{ "fc00::1", REACH_NOT_LINK_LOCAL },
	{ "fd12:3456::1", REACH_NOT_LINK_LOCAL },
	{ "fec0::1", REACH_NOT_LINK_LOCAL },
	{ "::ffff:127.0.0.1", REACH_NOT_LINK_LOCAL },
	{ "::ffff:10.1.2.3", REACH_NOT_LINK_LOCAL },
	{ "::10.1.2.3", REACH_NOT_LINK_LOCAL },
	{ "64:ff9b::7f00:1", REACH_NOT_LINK_LOCAL },
	{ "2002:a00:1::1", REACH_NOT_LINK_LOCAL },

	{ "0.0.0.0", REACH_ALL },
	{ "0.1.2.3", REACH_ALL },
	{ "169.254.169.254", REACH_ALL },
	{ "169.254.0.1", REACH_ALL },
	{ "100.100.100.200", REACH_ALL },
	{ "192.0.0.192", REACH_ALL },
	{ "224.0.0.1", REACH_ALL },
	{ "240.0.0.1", REACH_ALL },
	{ "255.255.255.255", REACH_ALL },
	{ "::", REACH_ALL },
	{ "fe80::1", REACH_ALL },
	{ "febf::1", REACH_ALL },
	{ "fd00:ec2::254", REACH_ALL },
	{ "fd20:ce::254", REACH_ALL },
	{ "ff02::1", REACH_ALL },
	{ "::ffff:169.254.169.254", REACH_ALL },
	{ "::ffff:0.0.0.0", REACH_ALL },
	{ "::169.254.169.254", REACH_ALL },
	{ "64:ff9b::a9fe:a9fe", REACH_ALL },
	{ "2002:a9fe:a9fe::", REACH_ALL },
};

static void
address_of(const char *text, struct sockaddr_storage *out)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
		memcpy(out, &v4, sizeof(v4));
		return;
	}
	ck_assert_int_eq(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	memcpy(out, &v6, sizeof(v6));
}

START_TEST(as_far_as_the_table_says)
{
	struct sockaddr_storage a;

	address_of(CASES[_i].address, &a);
	for (int r = REACH_ALL; r <= REACH_PUBLIC; r++)
		ck_assert_msg(reach_allows((enum reach)r, (struct sockaddr *)&a) == (r <= (int)CASES[_i].until),
		    "%s with reach %d", CASES[_i].address, r);
}
END_TEST

START_TEST(an_address_is_told_as_it_is_written)
{
	struct arena *mem = arena_new(4096);
	struct sockaddr_storage a;
	struct str text;

	address_of(CASES[_i].address, &a);
	text = reach_text(mem, (struct sockaddr *)&a);
	ck_assert_msg(str_eq(text, str_of(CASES[_i].address)), "%s: %.*s", CASES[_i].address, STR_ARG(text));
	arena_free(mem);
}
END_TEST

START_TEST(other_kinds_of_addresses_only_without_bounds)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	ck_assert(reach_allows(REACH_ALL, (struct sockaddr *)&a));
	ck_assert(!reach_allows(REACH_NOT_LINK_LOCAL, (struct sockaddr *)&a));
	ck_assert(!reach_allows(REACH_PUBLIC, (struct sockaddr *)&a));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("httpc/reach");
	TCase *tc = tcase_create("reach");

	tcase_add_loop_test(tc, as_far_as_the_table_says, 0, N_ELEMS(CASES));
	tcase_add_loop_test(tc, an_address_is_told_as_it_is_written, 0, N_ELEMS(CASES));
	tcase_add_test(tc, other_kinds_of_addresses_only_without_bounds);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
