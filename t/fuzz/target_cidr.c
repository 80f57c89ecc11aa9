/* cidr - networks: shown as they are read, and an address is in one when its leading bits are.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <arpa/inet.h>
#include <string.h>

#include "conf/conf_parse.h"

/* Bit by bit, on the library's own reading of the address. */
static bool
contains(const struct cidr *c, const char *address)
{
	uint8_t bytes[16] = { [10] = 0xff, [11] = 0xff };

	if (inet_pton(AF_INET, address, bytes + 12) != 1 && inet_pton(AF_INET6, address, bytes) != 1)
		return false;
	for (unsigned i = 0; i < c->bits; i++)
		if ((bytes[i / 8] ^ c->bytes[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

void
fuzz_cidr(struct arena *a, struct str data)
{
	struct str rest = data, net = S(""), text, own;
	struct cidr c, again;
	struct strbuf b;

	(void)str_split(&rest, ' ', &net);
	if (!cidr_parse(net, &c))
		return;
	holds(c.bits <= 128, "a network has at most 128 bits");
	strbuf_init_arena(&b, a, 64, 64);
	cidr_format(&c, &b);
	holds(strbuf_ok(&b) && cidr_parse(strbuf_str(&b), &again), "what is shown is taken");
	holds(c.bits == again.bits && memcmp(c.bytes, again.bytes, sizeof(c.bytes)) == 0, "and is the same");
	text = strbuf_str(&b);
	(void)str_split(&text, '/', &own);
	holds(cidr_contains(&c, own), "its own address is in it");
	if (rest.at != NULL && !has_byte(rest, '\0'))
		holds(cidr_contains(&c, rest) == contains(&c, arena_z(a, rest)), "others are by their bits");
}
