/* address - spells and splits addresses of nodes.
 * SPDX-License-Identifier: MIT */
#include "livekit/address.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

bool
address_spell(struct arena *a, struct str ip, struct str *out)
{
	char text[INET6_ADDRSTRLEN], spelt[INET6_ADDRSTRLEN];
	unsigned char bytes[16];
	int family;

	if (ip.len == 0 || ip.len >= sizeof(text))
		return false;
	memcpy(text, ip.at, ip.len);
	text[ip.len] = '\0';
	family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	if (inet_pton(family, text, bytes) != 1 || inet_ntop(family, bytes, spelt, sizeof(spelt)) == NULL)
		return false;
	*out = arena_str(a, str_of(spelt));
	return true;
}

struct str
address_of(struct arena *a, struct str ip, int64_t port)
{
	bool v6 = memchr(ip.at, ':', ip.len) != NULL;

	return arena_printf(a, "%s%.*s%s:%" PRId64, v6 ? "[" : "", STR_ARG(ip), v6 ? "]" : "", port);
}

bool
address_split(struct str addr, struct str *ip_out, int64_t *port_out)
{
	const char *colon = addr.len > 0 ? memrchr(addr.at, ':', addr.len) : NULL;
	struct str ip;
	int64_t port;

	if (colon == NULL)
		return false;
	ip = (struct str){ addr.at, (size_t)(colon - addr.at) };
	if (!parse_i64((struct str){ colon + 1, addr.len - ip.len - 1 }, 1, 65535, &port))
		return false;
	if (str_starts(ip, S("[")) && str_ends(ip, S("]")) && ip.len > 2)
		ip = (struct str){ ip.at + 1, ip.len - 2 };
	else if (ip.len == 0 || memchr(ip.at, ':', ip.len) != NULL || memchr(ip.at, '[', ip.len) != NULL)
		return false;
	*ip_out = ip;
	*port_out = port;
	return true;
}
