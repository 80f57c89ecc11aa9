/* reach - addresses by what they are good for: a table of networks.
 * SPDX-License-Identifier: MIT */
#include "httpc/reach.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* IPv4 stands mapped in ::ffff:0:0/96. An address inside such a network, or carried inside another
 * (6to4, NAT64), is what it leads to. */
struct network {
	uint8_t at[16];
	unsigned bits;
	enum reach until;             /* the strictest reach that still goes there */
};
#define V4(a, b, c, d) { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (a), (b), (c), (d) }

static const struct network NETWORKS[] = {
	{ V4(169, 254, 0, 0), 96 + 16, REACH_ALL },           /* link-local; metadata of most clouds */
	{ V4(100, 100, 100, 200), 96 + 32, REACH_ALL },       /* metadata of another */
	{ V4(192, 0, 0, 192), 96 + 32, REACH_ALL },           /* and of a third */
	{ V4(0, 0, 0, 0), 96 + 8, REACH_ALL },                /* unspecified: reaches this host */
	{ V4(224, 0, 0, 0), 96 + 3, REACH_ALL },              /* multicast, reserved, broadcast */
	{ { 0xfe, 0x80 }, 10, REACH_ALL },                    /* link-local */
	{ { 0xfd, 0x00, 0x0e, 0xc2 }, 32, REACH_ALL },        /* metadata by IPv6 */
	{ { 0xfd, 0x20, 0x00, 0xce }, 32, REACH_ALL },        /* and of another cloud */
	{ { 0xff }, 8, REACH_ALL },                           /* multicast */
	{ { 0 }, 128, REACH_ALL },                            /* unspecified */
	{ V4(10, 0, 0, 0), 96 + 8, REACH_NOT_LINK_LOCAL },
	{ V4(100, 64, 0, 0), 96 + 10, REACH_NOT_LINK_LOCAL },    /* shared by a provider's customers */
	{ V4(127, 0, 0, 0), 96 + 8, REACH_NOT_LINK_LOCAL },
	{ V4(172, 16, 0, 0), 96 + 12, REACH_NOT_LINK_LOCAL },
	{ V4(192, 0, 0, 0), 96 + 24, REACH_NOT_LINK_LOCAL },     /* special purposes */
	{ V4(192, 168, 0, 0), 96 + 16, REACH_NOT_LINK_LOCAL },
	{ V4(198, 18, 0, 0), 96 + 15, REACH_NOT_LINK_LOCAL },    /* benchmarks */
	{ { [15] = 1 }, 128, REACH_NOT_LINK_LOCAL },             /* loopback */
	{ { 0xfc }, 7, REACH_NOT_LINK_LOCAL },                   /* private */
	{ { 0xfe, 0xc0 }, 10, REACH_NOT_LINK_LOCAL },            /* private, of old */
};

static bool
contains(const struct network *n, const uint8_t at[16])
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;

	if (memcmp(n->at, at, whole) != 0)
		return false;
	return rest == 0 || (n->at[whole] ^ at[whole]) >> (8 - rest) == 0;
}

static bool
all_zero(const uint8_t *at, size_t n)
{
	while (n > 0 && at[n - 1] == 0)
		n--;
	return n == 0;
}

/* An IPv6 address that carries an IPv4 one leads there: ::a.b.c.d, 64:ff9b::a.b.c.d, 2002:a.b.c.d:: */
static bool
carried(const uint8_t at[16], uint8_t v4_out[16])
{
	static const uint8_t MAPPED[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t NAT64[4] = { 0x00, 0x64, 0xff, 0x9b };
	static const uint8_t SIX_TO_FOUR[2] = { 0x20, 0x02 };
	const uint8_t *from = NULL;

	if (all_zero(at, 12) && !all_zero(at + 12, 3))
		from = at + 12;
	else if (memcmp(at, NAT64, 4) == 0 && all_zero(at + 4, 8))
		from = at + 12;
	else if (memcmp(at, SIX_TO_FOUR, 2) == 0)
		from = at + 2;
	if (from == NULL)
		return false;
	memcpy(v4_out, MAPPED, 12);
	memcpy(v4_out + 12, from, 4);
	return true;
}

static bool
bytes_of(const struct sockaddr *a, uint8_t out[16])
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	if (a->sa_family == AF_INET6) {
		memcpy(&v6, a, sizeof(v6));
		memcpy(out, &v6.sin6_addr, 16);
		return true;
	}
	if (a->sa_family != AF_INET)
		return false;
	memcpy(&v4, a, sizeof(v4));
	memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	memcpy(out + 12, &v4.sin_addr, 4);
	return true;
}

bool
reach_allows(enum reach r, const struct sockaddr *a)
{
	uint8_t at[16], inside[16];

	if (r == REACH_ALL)
		return true;
	if (!bytes_of(a, at))
		return false;
	if (carried(at, inside))
		memcpy(at, inside, 16);
	for (size_t i = 0; i < N_ELEMS(NETWORKS); i++)
		if (contains(&NETWORKS[i], at))
			return r <= NETWORKS[i].until;
	return true;
}

struct str
reach_text(struct arena *a, const struct sockaddr *address)
{
	char text[INET6_ADDRSTRLEN] = "of an unknown kind";
	uint8_t at[16];

	if (bytes_of(address, at) && address->sa_family == AF_INET6)
		(void)inet_ntop(AF_INET6, at, text, sizeof(text));
	else if (address->sa_family == AF_INET)
		(void)inet_ntop(AF_INET, at + 12, text, sizeof(text));
	return arena_str(a, str_of(text));
}
