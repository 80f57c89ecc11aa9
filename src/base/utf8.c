/* utf8.c - strict UTF-8: one sequence at a time, and the length of a text in characters.
 * SPDX-License-Identifier: MIT */
#include "base/utf8.h"

static unsigned
byte_at(struct str s, size_t i)
{
	return (unsigned char)s.at[i];
}

/* What a first byte promises: bytes in all, the bits it carries, and the least code point that
 * may be written so long. 0 for a byte that cannot come first. */
static size_t
first_byte(unsigned b, uint32_t *bits_out, uint32_t *least_out)
{
	if (b < 0x80) {
		*bits_out = b;
		*least_out = 0;
		return 1;
	}
	if (b >= 0xc2 && b <= 0xdf) {
		*bits_out = b & 0x1f;
		*least_out = 0x80;
		return 2;
	}
	if (b >= 0xe0 && b <= 0xef) {
		*bits_out = b & 0x0f;
		*least_out = 0x800;
		return 3;
	}
	if (b >= 0xf0 && b <= 0xf4) {
		*bits_out = b & 0x07;
		*least_out = 0x10000;
		return 4;
	}
	return 0;
}

size_t
utf8_next(struct str s, uint32_t *cp_out)
{
	uint32_t cp, least;
	size_t n;

	if (s.len == 0)
		return 0;
	n = first_byte(byte_at(s, 0), &cp, &least);
	if (n == 0 || n > s.len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((byte_at(s, i) & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (byte_at(s, i) & 0x3f);
	}
	if (cp < least || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	*cp_out = cp;
	return n;
}

long
utf8_length(struct str s)
{
	long chars = 0;

	while (s.len > 0) {
		uint32_t cp;
		size_t n = utf8_next(s, &cp);

		if (n == 0)
			return -1;
		s.at += n;
		s.len -= n;
		chars++;
	}
	return chars;
}
