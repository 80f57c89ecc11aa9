/* fuzz - taking inputs apart, and the end of a promise that does not hold.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
holds(bool ok, const char *promise)
{
	if (ok)
		return;
	fprintf(stderr, "does not hold: %s\n", promise);
	abort();
}

uint8_t
take_byte(struct str *data)
{
	if (data->len == 0)
		return 0;
	data->len--;
	return (uint8_t)*data->at++;
}

struct str
take_text(struct str *data)
{
	size_t n = take_byte(data);
	struct str s = { data->at, n < data->len ? n : data->len };

	data->at += s.len;
	data->len -= s.len;
	return s;
}

struct str
changed(struct arena *a, struct str s, struct str *data)
{
	size_t at = (size_t)take_byte(data) << 8 | take_byte(data);
	uint8_t flip = take_byte(data);
	char *copy = arena_z(a, s);

	copy[at % s.len] = (char)(copy[at % s.len] ^ (flip == 0 ? 1 : flip));
	return (struct str){ copy, s.len };
}

bool
has_byte(struct str s, char c)
{
	return s.len > 0 && memchr(s.at, c, s.len) != NULL;
}

bool
is_one_line(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] < 0x20 || s.at[i] == 0x7f)
			return false;
	return true;
}

bool
is_plain(struct str s)
{
	for (size_t i = 0; i + 1 < s.len; i++) {
		const unsigned char *at = (const unsigned char *)s.at + i;

		if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)
			return false;
		if (i + 2 < s.len && at[0] == 0xe2 && at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9))
			return false;
	}
	return true;
}
