/* strict_json - reads a document character by character and writes it again.
 * SPDX-License-Identifier: MIT */
#include "fuzz/strict_json.h"

#include <string.h>

#include "base/strbuf.h"

struct reader {
	struct arena *arena;
	const struct strict_rules *rules;
	const unsigned char *at, *end;
	struct strbuf out;
	unsigned depth;
};

static int
next(const struct reader *r)
{
	return r->at < r->end ? *r->at : -1;
}

static void
blanks(struct reader *r)
{
	while (next(r) == ' ' || next(r) == '\t' || next(r) == '\n' || next(r) == '\r')
		r->at++;
}

static bool
literal(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0)
		return false;
	r->at += n;
	strbuf_addz(&r->out, word);
	return true;
}

/* RFC 3629's table: first byte, range of the second, how many follow. */
static bool
utf8(struct reader *r)
{
	static const struct { uint8_t first, last, low, high, more; } ROWS[] = {
		{ 0x20, 0x7f, 0, 0, 0 }, { 0xc2, 0xdf, 0x80, 0xbf, 1 }, { 0xe0, 0xe0, 0xa0, 0xbf, 2 },
		{ 0xe1, 0xec, 0x80, 0xbf, 2 }, { 0xed, 0xed, 0x80, 0x9f, 2 }, { 0xee, 0xef, 0x80, 0xbf, 2 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 3 }, { 0xf1, 0xf3, 0x80, 0xbf, 3 }, { 0xf4, 0xf4, 0x80, 0x8f, 3 },
	};

	for (size_t i = 0; i < N_ELEMS(ROWS); i++) {
		if (next(r) < ROWS[i].first || next(r) > ROWS[i].last)
			continue;
		strbuf_addc(&r->out, (char)*r->at++);
		for (int k = 0; k < ROWS[i].more; k++) {
			if (next(r) < (k == 0 ? ROWS[i].low : 0x80) || next(r) > (k == 0 ? ROWS[i].high : 0xbf))
				return false;
			strbuf_addc(&r->out, (char)*r->at++);
		}
		return true;
	}
	return false;
}

static bool
hex4(struct reader *r, unsigned *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++) {
		static const char DIGITS[] = "0123456789abcdef";
		int c = next(r) >= 'A' && next(r) <= 'F' ? next(r) + 32 : next(r);
		const char *digit = c > 0 ? strchr(DIGITS, c) : NULL;

		if (digit == NULL)
			return false;
		*out = *out * 16 + (unsigned)(digit - DIGITS);
		r->at++;
	}
	return true;
}

static void
put_control(struct reader *r, unsigned cp)
{
	static const char SHORT[] = "\b\t\n\f\r", NAME[] = "btnfr";
	const char *found = cp > 0 ? strchr(SHORT, (int)cp) : NULL;

	if (cp == '"' || cp == '\\')
		strbuf_addf(&r->out, "\\%c", (int)cp);
	else if (found != NULL)
		strbuf_addf(&r->out, "\\%c", NAME[found - SHORT]);
	else
		strbuf_addf(&r->out, "\\u%04x", cp);
}

static void
put(struct reader *r, unsigned cp)
{
	if (cp < 0x20 || cp == '"' || cp == '\\') {
		put_control(r, cp);
	} else if (cp < 0x80) {
		strbuf_addc(&r->out, (char)cp);
	} else if (cp < 0x800) {
		strbuf_addf(&r->out, "%c%c", (int)(0xc0 + cp / 64), (int)(0x80 + cp % 64));
	} else if (cp < 0x10000) {
		strbuf_addf(&r->out, "%c%c%c", (int)(0xe0 + cp / 4096), (int)(0x80 + cp / 64 % 64),
		    (int)(0x80 + cp % 64));
	} else {
		strbuf_addf(&r->out, "%c%c%c%c", (int)(0xf0 + cp / 262144), (int)(0x80 + cp / 4096 % 64),
		    (int)(0x80 + cp / 64 % 64), (int)(0x80 + cp % 64));
	}
}

/* After "\u". */
static bool
unicode(struct reader *r)
{
	unsigned high, low;

	if (!hex4(r, &high) || (high == 0 && !r->rules->nul_ok))
		return false;
	if (high >= 0xd800 && high <= 0xdfff) {
		if (high > 0xdbff || next(r) != '\\' || (r->at++, next(r)) != 'u' || (r->at++, !hex4(r, &low)))
			return false;
		if (low < 0xdc00 || low > 0xdfff)
			return false;
		high = 0x10000 + (high - 0xd800) * 1024 + (low - 0xdc00);
	}
	put(r, high);
	return true;
}

static bool
escape(struct reader *r)
{
	static const char FROM[] = "\"\\/bfnrt", TO[] = "\"\\/\b\f\n\r\t";
	int c = next(r);
	const char *found = c > 0 ? strchr(FROM, c) : NULL;

	r->at += c >= 0;
	if (c == 'u')
		return unicode(r);
	if (found == NULL)
		return false;
	put(r, (unsigned char)TO[found - FROM]);
	return true;
}

static bool
text(struct reader *r)
{
	if (next(r) != '"')
		return false;
	r->at++;
	strbuf_addc(&r->out, '"');
	while (next(r) != '"') {
		if (next(r) == '\\') {
			r->at++;
			if (!escape(r))
				return false;
		} else if (!utf8(r)) {
			return false;
		}
	}
	r->at++;
	strbuf_addc(&r->out, '"');
	return true;
}

static size_t
digits(struct reader *r)
{
	size_t n = 0;

	for (; next(r) >= '0' && next(r) <= '9'; n++)
		r->at++;
	return n;
}

/* Whole numbers from -2^63 to 2^64-1, as src/json promises. */
static bool
whole_fits(const unsigned char *from, size_t n, bool negative)
{
	const char *most = negative ? "9223372036854775808" : "18446744073709551615";

	return n < strlen(most) || (n == strlen(most) && memcmp(from, most, n) <= 0);
}

static bool
number(struct reader *r)
{
	const unsigned char *from = r->at, *first;
	bool negative = next(r) == '-', whole = true;
	size_t n;

	r->at += negative;
	first = r->at;
	n = digits(r);
	if (n == 0 || (n > 1 && *first == '0'))
		return false;
	if (next(r) == '.') {
		whole = false;
		r->at++;
		if (digits(r) == 0)
			return false;
	}
	if (next(r) == 'e' || next(r) == 'E') {
		whole = false;
		r->at++;
		r->at += next(r) == '+' || next(r) == '-';
		if (digits(r) == 0)
			return false;
	}
	if (whole && negative && n == 1 && *first == '0')
		from = first;
	strbuf_add(&r->out, (struct str){ (const char *)from, (size_t)(r->at - from) });
	return !whole || whole_fits(first, n, negative);
}

static bool value(struct reader *r);

struct keys { struct str *at; size_t n, cap; };

static bool
is_new(struct reader *r, struct keys *k, struct str key)
{
	struct str *more;

	for (size_t i = 0; i < k->n; i++)
		if (str_eq(k->at[i], key))
			return r->rules->twice_ok;
	if (k->n == k->cap) {
		k->cap = k->cap * 2 + 8;
		more = arena_array(r->arena, k->cap, sizeof(*more));
		for (size_t i = 0; i < k->n; i++)
			more[i] = k->at[i];
		k->at = more;
	}
	k->at[k->n++] = arena_str(r->arena, key);
	return true;
}

static bool
member(struct reader *r, struct keys *k)
{
	size_t from = r->out.len;

	if (!text(r) || !is_new(r, k, (struct str){ r->out.at + from, r->out.len - from }))
		return false;
	blanks(r);
	if (next(r) != ':')
		return false;
	r->at++;
	strbuf_addc(&r->out, ':');
	return value(r);
}

/* Members or elements; the bracket stands next. */
static bool
list(struct reader *r, bool object)
{
	char close = object ? '}' : ']';
	struct keys keys = { NULL, 0, 0 };

	if (++r->depth > r->rules->depth_max)
		return false;
	strbuf_addc(&r->out, (char)*r->at++);
	blanks(r);
	while (next(r) != close) {
		if (!(object ? member(r, &keys) : value(r)))
			return false;
		blanks(r);
		if (next(r) == close)
			break;
		if (next(r) != ',')
			return false;
		r->at++;
		strbuf_addc(&r->out, ',');
		blanks(r);
		if (next(r) == close)
			return false;
	}
	r->at++;
	strbuf_addc(&r->out, close);
	r->depth--;
	return true;
}

static bool
value(struct reader *r)
{
	blanks(r);
	if (next(r) == '{' || next(r) == '[')
		return list(r, next(r) == '{');
	if (next(r) == '"')
		return text(r);
	return literal(r, "true") || literal(r, "false") || literal(r, "null") || number(r);
}

bool
strict_json(struct arena *a, struct str whole, const struct strict_rules *rules, struct str *canonical_out)
{
	const unsigned char *at = (const unsigned char *)whole.at;
	struct reader r = { .arena = a, .rules = rules, .at = at, .end = at + whole.len };

	strbuf_init_arena(&r.out, a, 64, 2 * whole.len + 64);
	if (whole.len == 0 || !value(&r))
		return false;
	blanks(&r);
	if (canonical_out != NULL)
		*canonical_out = strbuf_str(&r.out);
	return r.at == r.end && strbuf_ok(&r.out);
}
