/* rng.c - the kernel's random bytes, and the ids made of them.
 * SPDX-License-Identifier: MIT */
#include "base/rng.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/codec.h"

/* RFC 9562: the version in the high half of byte 6, the variant in the top bits of byte 8. */
static void
mark_uuid(uint8_t id[16], unsigned version)
{
	id[6] = (uint8_t)((id[6] & 0x0fu) | version << 4);
	id[8] = (uint8_t)((id[8] & 0x3fu) | 0x80u);
}

void
rng_bytes(void *out, size_t n)
{
	uint8_t *at = out;

	while (n > 0) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort();
		at += got;
		n -= (size_t)got;
	}
}

void
rng_hex32(struct strbuf *to)
{
	uint8_t id[16];

	rng_bytes(id, sizeof(id));
	mark_uuid(id, 4);
	hex_encode(to, id, sizeof(id));
}

void
rng_uuid7(struct strbuf *to, int64_t at_ms)
{
	uint8_t id[16];

	rng_bytes(id, sizeof(id));
	for (unsigned i = 0; i < 6; i++)
		id[i] = (uint8_t)((uint64_t)at_ms >> (40 - 8 * i));
	mark_uuid(id, 7);
	hex_encode(to, id, 4);
	strbuf_addc(to, '-');
	hex_encode(to, id + 4, 2);
	strbuf_addc(to, '-');
	hex_encode(to, id + 6, 2);
	strbuf_addc(to, '-');
	hex_encode(to, id + 8, 2);
	strbuf_addc(to, '-');
	hex_encode(to, id + 10, 6);
}

uint32_t
rng_below(uint32_t n)
{
	uint32_t skip, v;

	assert(n >= 1);
	/* 2^32 mod n values at the bottom would come once too often. */
	skip = (UINT32_MAX - n + 1) % n;
	do {
		rng_bytes(&v, sizeof(v));
	} while (v < skip);
	return v % n;
}
