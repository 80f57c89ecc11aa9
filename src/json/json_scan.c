/* json_scan - a recursive descent through a JSON text that keeps nothing but the keys of the objects
 * it stands in.
 * SPDX-License-Identifier: MIT */
#include "json/json_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/strbuf.h"
#include "base/utf8.h"

enum { KEYS_FIRST = 64, FIELD_BYTES_MAX = 64 };

struct scan {
	struct arena *arena;
	const char *at, *end;
	unsigned depth;
	struct str *keys;             /* of the objects that are open, the outermost one's first */
	size_t n_keys, cap_keys;
	struct str field;             /* whose value is being read, of the outermost object */
	struct str twice;             /* the key that came twice */
};

static void
skip_space(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
		s->at++;
}

static bool
take(struct scan *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

/* The four digits after \u. */
static bool
take_hex4(struct scan *s, uint32_t *out)
{
	uint32_t v = 0;

	if (s->end - s->at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		int digit = hex_value(*s->at++);

		if (digit < 0)
			return false;
		v = v << 4 | (uint32_t)digit;
	}
	*out = v;
	return true;
}

/* What follows "\u": one unit, or two that make a pair. A lone half names no character, and NUL would
 * cut the text short for whoever reads it as a C string. */
static bool
take_unicode(struct scan *s, uint32_t *cp_out)
{
	uint32_t high, low;

	if (!take_hex4(s, &high) || high == 0 || (high >= 0xdc00 && high <= 0xdfff))
		return false;
	*cp_out = high;
	if (high < 0xd800 || high > 0xdbff)
		return true;
	if (!take(s, '\\') || !take(s, 'u') || !take_hex4(s, &low) || low < 0xdc00 || low > 0xdfff)
		return false;
	*cp_out = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

/* What follows a backslash. */
static bool
take_escape(struct scan *s, uint32_t *cp_out)
{
	static const char FROM[] = "\"\\/bfnrt", TO[] = "\"\\/\b\f\n\r\t";
	const char *p;

	if (s->at == s->end)
		return false;
	if (take(s, 'u'))
		return take_unicode(s, cp_out);
	p = memchr(FROM, *s->at, sizeof(FROM) - 1);
	if (p == NULL)
		return false;
	s->at++;
	*cp_out = (unsigned char)TO[p - FROM];
	return true;
}

/* A string; *raw_out is what stood between the quotes. */
static bool
take_string(struct scan *s, struct str *raw_out)
{
	const char *from;
	uint32_t cp;

	if (!take(s, '"'))
		return false;
	from = s->at;
	while (s->at < s->end && *s->at != '"') {
		unsigned char c = (unsigned char)*s->at;
		size_t n = 1;

		if (c >= 0x80)
			n = utf8_next((struct str){ s->at, (size_t)(s->end - s->at) }, &cp);
		if (c < 0x20 || n == 0)
			return false;
		s->at += n;
		if (c == '\\' && !take_escape(s, &cp))
			return false;
	}
	*raw_out = (struct str){ from, (size_t)(s->at - from) };
	return take(s, '"');
}

static void
add_utf8(struct strbuf *to, uint32_t cp)
{
	if (cp < 0x80) {
		strbuf_addc(to, (char)cp);
		return;
	}
	if (cp < 0x800) {
		strbuf_addc(to, (char)(0xc0 | cp >> 6));
	} else if (cp < 0x10000) {
		strbuf_addc(to, (char)(0xe0 | cp >> 12));
	} else {
		strbuf_addc(to, (char)(0xf0 | cp >> 18));
		strbuf_addc(to, (char)(0x80 | (cp >> 12 & 0x3f)));
	}
	if (cp >= 0x800)
		strbuf_addc(to, (char)(0x80 | (cp >> 6 & 0x3f)));
	strbuf_addc(to, (char)(0x80 | (cp & 0x3f)));
}

/* The text that `raw`, taken as a string before, means: "a" and "\u0061" are the same key. */
static struct str
unescape(struct arena *a, struct str raw)
{
	struct scan s = { .at = raw.at, .end = raw.at + raw.len };
	struct strbuf b;
	uint32_t cp = 0;

	if (raw.len == 0 || memchr(raw.at, '\\', raw.len) == NULL)
		return raw;
	strbuf_init_arena(&b, a, raw.len + 1, raw.len + 1);
	while (s.at < s.end) {
		if (!take(&s, '\\'))
			strbuf_addc(&b, *s.at++);
		else if (take_escape(&s, &cp))
			add_utf8(&b, cp);
	}
	return strbuf_str(&b);
}

static bool
take_digits(struct scan *s)
{
	const char *from = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > from;
}

/* digits: without leading zeros. */
static bool
integer_fits(struct str digits, bool negative)
{
	struct str most = negative ? S("9223372036854775808") : S("18446744073709551615");

	if (digits.len != most.len)
		return digits.len < most.len;
	return memcmp(digits.at, most.at, most.len) <= 0;
}

static bool
take_number(struct scan *s)
{
	bool negative = take(s, '-');
	struct str digits = { s->at, 0 };

	if (!take(s, '0') && !take_digits(s))
		return false;
	digits.len = (size_t)(s->at - digits.at);
	if (s->at == s->end || (*s->at != '.' && *s->at != 'e' && *s->at != 'E'))
		return integer_fits(digits, negative);
	if (take(s, '.') && !take_digits(s))
		return false;
	if (!take(s, 'e') && !take(s, 'E'))
		return true;
	if (!take(s, '-'))
		(void)take(s, '+');
	return take_digits(s);
}

static bool
take_word(struct scan *s, struct str word)
{
	if (!str_starts((struct str){ s->at, (size_t)(s->end - s->at) }, word))
		return false;
	s->at += word.len;
	return true;
}

static bool
remember_key(struct scan *s, struct str key)
{
	if (s->n_keys == JSON_KEYS_MAX)
		return false;
	if (s->n_keys == s->cap_keys) {
		size_t cap = s->cap_keys == 0 ? KEYS_FIRST : 2 * s->cap_keys;
		struct str *keys = arena_array(s->arena, cap, sizeof(*keys));

		if (s->n_keys > 0)
			memcpy(keys, s->keys, s->n_keys * sizeof(*keys));
		s->keys = keys;
		s->cap_keys = cap;
	}
	s->keys[s->n_keys++] = key;
	return true;
}

static int
compare_keys(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Forgets the keys from `first` on, those of the object that ends. Sorted, so that an object of many
 * keys cannot cost their square. */
static bool
keys_differ(struct scan *s, size_t first)
{
	size_t n = s->n_keys - first;

	if (n > 1)
		qsort(s->keys + first, n, sizeof(*s->keys), compare_keys);
	for (size_t i = first + 1; i < s->n_keys; i++) {
		if (str_eq(s->keys[i - 1], s->keys[i])) {
			s->twice = s->keys[i];
			return false;
		}
	}
	s->n_keys = first;
	return true;
}

static bool take_value(struct scan *s);

static bool
take_member(struct scan *s)
{
	struct str raw, key;

	skip_space(s);
	if (!take_string(s, &raw))
		return false;
	key = unescape(s->arena, raw);
	if (!remember_key(s, key))
		return false;
	skip_space(s);
	if (s->depth == 1)
		s->field = key;
	if (!take(s, ':') || !take_value(s))
		return false;
	if (s->depth == 1)
		s->field = S("");
	return true;
}

/* Members or elements up to `close`; the opening bracket is taken. */
static bool
take_list(struct scan *s, bool (*take_one)(struct scan *), char close)
{
	if (++s->depth > JSON_DEPTH_MAX)
		return false;
	skip_space(s);
	if (!take(s, close)) {
		do {
			if (!take_one(s))
				return false;
			skip_space(s);
		} while (take(s, ','));
		if (!take(s, close))
			return false;
	}
	s->depth--;
	return true;
}

static bool
take_value(struct scan *s)
{
	size_t first_key = s->n_keys;
	struct str ignored;

	skip_space(s);
	if (s->at == s->end)
		return false;
	switch (*s->at) {
	case '{':
		s->at++;
		return take_list(s, take_member, '}') && keys_differ(s, first_key);
	case '[':
		s->at++;
		return take_list(s, take_value, ']');
	case '"':
		return take_string(s, &ignored);
	case 't':
		return take_word(s, S("true"));
	case 'f':
		return take_word(s, S("false"));
	case 'n':
		return take_word(s, S("null"));
	default:
		return take_number(s);
	}
}

bool
json_scan(struct arena *a, struct str text, const char **field_out)
{
	struct scan s = { .arena = a, .at = text.at, .end = text.at + text.len };
	struct str at_fault;

	if (text.len > 0 && take_value(&s)) {
		skip_space(&s);
		if (s.at == s.end)
			return true;
	}
	at_fault = s.twice.at != NULL ? s.twice : s.field;
	*field_out = at_fault.len <= FIELD_BYTES_MAX ? arena_z(a, at_fault) : "";
	return false;
}
