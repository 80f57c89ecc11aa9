/* str.c - borrowed text: compare, cut, and read whole decimal numbers.
 * SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <string.h>

static char
lower(char c)
{
	return (c >= 'A' && c <= 'Z') ? (char)(c + ('a' - 'A')) : c;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str
str_of(const char *z)
{
	return z == NULL ? (struct str){ NULL, 0 } : (struct str){ z, strlen(z) };
}

bool
str_eq(struct str a, struct str b)
{
	/* memcmp may not see NULL, not even for no bytes */
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool
str_eq_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.at[i]) != lower(b.at[i]))
			return false;
	return true;
}

int
str_cmp(struct str a, struct str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n == 0 ? 0 : memcmp(a.at, b.at, n);

	if (c != 0)
		return c < 0 ? -1 : 1;
	return (a.len > b.len) - (a.len < b.len);
}

bool
str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len && str_eq((struct str){ s.at, prefix.len }, prefix);
}

bool
str_ends(struct str s, struct str suffix)
{
	if (suffix.len == 0)
		return true;
	return s.len >= suffix.len &&
	    memcmp(s.at + (s.len - suffix.len), suffix.at, suffix.len) == 0;
}

struct str
str_trim(struct str s)
{
	while (s.len > 0 && is_blank(s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

bool
str_split(struct str *rest, char sep, struct str *part_out)
{
	const char *hit;

	if (rest->at == NULL)
		return false;
	hit = rest->len == 0 ? NULL : memchr(rest->at, sep, rest->len);
	if (hit == NULL) {
		*part_out = *rest;
		*rest = (struct str){ NULL, 0 };
		return true;
	}
	*part_out = (struct str){ rest->at, (size_t)(hit - rest->at) };
	rest->len -= part_out->len + 1;
	rest->at = hit + 1;
	return true;
}

bool
parse_i64(struct str s, int64_t min, int64_t max, int64_t *out)
{
	bool negative = s.len > 0 && s.at[0] == '-';
	int64_t n = 0;

	if (s.len == (negative ? 1u : 0u))
		return false;
	for (size_t i = negative ? 1 : 0; i < s.len; i++) {
		int digit = s.at[i] - '0';

		if (digit < 0 || digit > 9)
			return false;
		/* Counting down in the negative half: INT64_MIN has no positive twin. */
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, negative ? -digit : digit, &n))
			return false;
	}
	if (n < min || n > max)
		return false;
	*out = n;
	return true;
}
