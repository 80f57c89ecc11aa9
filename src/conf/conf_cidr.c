/* conf_cidr.c - networks as text, and whether an address is in one.
 * SPDX-License-Identifier: MIT */
#include "conf/conf_parse.h"

#include <arpa/inet.h>
#include <string.h>

enum { V4_MAPPED_BITS = 96 };

static const uint8_t MAPPED[12] = { [10] = 0xff, [11] = 0xff };

/* Any address as IPv6, IPv4 mapped. *is_v4_out tells which it was. */
static bool
parse_address(struct str s, uint8_t out[16], bool *is_v4_out)
{
	char text[INET6_ADDRSTRLEN];

	if (s.len >= sizeof(text) || memchr(s.at, '\0', s.len) != NULL)
		return false;
	memcpy(text, s.at, s.len);
	text[s.len] = '\0';
	memcpy(out, MAPPED, sizeof(MAPPED));
	*is_v4_out = inet_pton(AF_INET, text, out + sizeof(MAPPED)) == 1;
	return *is_v4_out || inet_pton(AF_INET6, text, out) == 1;
}

bool
cidr_parse(struct str s, struct cidr *out)
{
	struct str rest = s, address;
	int64_t bits;
	bool v4;

	if (!str_split(&rest, '/', &address) || !parse_address(address, out->bytes, &v4))
		return false;
	bits = v4 ? 32 : 128;
	if (rest.at != NULL && (rest.len > 3 || !parse_i64(rest, 0, bits, &bits)))
		return false;
	out->bits = (unsigned)bits + (v4 ? V4_MAPPED_BITS : 0);
	return true;
}

void
cidr_format(const struct cidr *c, struct strbuf *to)
{
	bool v4 = c->bits >= V4_MAPPED_BITS && memcmp(c->bytes, MAPPED, sizeof(MAPPED)) == 0;
	char text[INET6_ADDRSTRLEN];

	/* Cannot fail: the family is known and the room is enough. */
	(void)inet_ntop(v4 ? AF_INET : AF_INET6, c->bytes + (v4 ? sizeof(MAPPED) : 0), text,
	    sizeof(text));
	strbuf_addf(to, "%s/%u", text, c->bits - (v4 ? V4_MAPPED_BITS : 0));
}

bool
cidr_contains(const struct cidr *c, struct str address)
{
	unsigned whole = c->bits / 8, part = c->bits % 8;
	uint8_t bytes[16];
	bool v4;

	if (!parse_address(address, bytes, &v4) || memcmp(bytes, c->bytes, whole) != 0)
		return false;
	return part == 0 || (bytes[whole] ^ c->bytes[whole]) >> (8 - part) == 0;
}
