/* when - reads moments and durations.
 * SPDX-License-Identifier: MIT */
#include "cli/when.h"

#include <string.h>

#include "base/clock.h"

enum { DIGITS_MAX = 12 };

/* Longest first: "m" is also how "ms" begins. */
static const struct { struct str name; int64_t ms; } UNITS[] = {
	{ { "ms", 2 }, 1 }, { { "s", 1 }, 1000 }, { { "m", 1 }, 60 * 1000 },
	{ { "h", 1 }, 3600 * 1000 }, { { "d", 1 }, 24 * 3600 * 1000 },
};

static struct str
cut(struct str s, size_t n)
{
	return (struct str){ s.at + n, s.len - n };
}

static size_t
n_digits(struct str s)
{
	size_t n = 0;

	while (n < s.len && s.at[n] >= '0' && s.at[n] <= '9')
		n++;
	return n;
}

/* "1", "1.5" -> thousandths */
static bool
take_number(struct str *s, int64_t *thousandths_out)
{
	size_t whole = n_digits(*s), part = 0;
	int64_t v = 0, unit = 100;

	if (whole == 0 || whole > DIGITS_MAX || !parse_i64((struct str){ s->at, whole }, 0, INT64_MAX, &v))
		return false;
	v *= 1000;
	*s = cut(*s, whole);
	if (s->len > 0 && s->at[0] == '.') {
		*s = cut(*s, 1);
		part = n_digits(*s);
		if (part == 0)
			return false;
		for (size_t i = 0; i < part && unit > 0; i++, unit /= 10)
			v += (s->at[i] - '0') * unit;
		*s = cut(*s, part);
	}
	*thousandths_out = v;
	return true;
}

static bool
take_unit(struct str *s, int64_t *ms_out)
{
	for (size_t i = 0; i < N_ELEMS(UNITS); i++) {
		if (!str_starts(*s, UNITS[i].name))
			continue;
		*s = cut(*s, UNITS[i].name.len);
		*ms_out = UNITS[i].ms;
		return true;
	}
	return false;
}

bool
when_duration(struct str s, int64_t *ms_out)
{
	int64_t sum = 0;

	if (s.len == 0)
		return false;
	while (s.len > 0) {
		int64_t n, unit, ms;

		if (!take_number(&s, &n) || !take_unit(&s, &unit))
			return false;
		if (__builtin_mul_overflow(n, unit, &ms) || __builtin_add_overflow(sum, ms / 1000, &sum))
			return false;
	}
	*ms_out = sum;
	return true;
}

/* "2026-11-21": its first moment. */
static bool
parse_date(struct str s, int64_t *at_ms_out)
{
	char text[32];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	strbuf_add(&b, s);
	strbuf_addz(&b, "T00:00");
	return strbuf_ok(&b) && clock_parse(strbuf_str(&b), at_ms_out);
}

bool
when_parse(struct str s, int64_t now_ms, int64_t *at_ms_out)
{
	struct str rest = s;
	int64_t ms, thousandths;

	if (when_duration(s, &ms)) {
		*at_ms_out = now_ms - ms;
		return true;
	}
	if (clock_parse(s, at_ms_out) || parse_date(s, at_ms_out))
		return true;
	/* "1763674516.5", as docker takes it. */
	if (!take_number(&rest, &thousandths) || rest.len > 0)
		return false;
	*at_ms_out = thousandths;
	return true;
}
