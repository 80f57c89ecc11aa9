/* strbuf.c - bounded text builder over fixed storage or an arena; the first write that does not
 * fit fails it for good.
 * SPDX-License-Identifier: MIT */
#include "base/strbuf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Doubles, so that n bytes cost a log n of copies; what is left behind lives on in the arena. */
static void
grow(struct strbuf *b, size_t need)
{
	size_t cap = b->cap;
	char *at;

	while (cap < need)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	at = arena_alloc(b->arena, cap);
	memcpy(at, b->at, b->len + 1);
	b->at = at;
	b->cap = cap;
}

/* Room for n more bytes and the NUL, or a failed buffer. */
static bool
reserve(struct strbuf *b, size_t n)
{
	if (b->failed)
		return false;
	if (n < b->cap - b->len)
		return true;
	if (b->arena == NULL || n >= b->max - b->len) {
		strbuf_fail(b);
		return false;
	}
	grow(b, b->len + n + 1);
	return true;
}

void
strbuf_init(struct strbuf *b, char *storage, size_t cap)
{
	assert(cap >= 1);
	*b = (struct strbuf){ .at = storage, .cap = cap, .max = cap };
	storage[0] = '\0';
}

void
strbuf_init_arena(struct strbuf *b, struct arena *a, size_t cap, size_t max)
{
	assert(cap >= 1 && cap <= max);
	*b = (struct strbuf){ .at = arena_alloc(a, cap), .cap = cap, .max = max, .arena = a };
}

void
strbuf_add(struct strbuf *b, struct str s)
{
	if (!reserve(b, s.len) || s.len == 0)
		return;
	memcpy(b->at + b->len, s.at, s.len);
	b->len += s.len;
	b->at[b->len] = '\0';
}

void
strbuf_addc(struct strbuf *b, char c)
{
	strbuf_add(b, (struct str){ &c, 1 });
}

void
strbuf_addz(struct strbuf *b, const char *z)
{
	strbuf_add(b, str_of(z));
}

void
strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	va_list args;
	int n;

	if (b->failed)
		return;
	va_start(args, fmt);
	n = vsnprintf(b->at + b->len, b->cap - b->len, fmt, args);
	va_end(args);
	if (n < 0) {
		strbuf_fail(b);
		return;
	}
	if ((size_t)n >= b->cap - b->len) {
		b->at[b->len] = '\0';              /* the part that fitted is not ours yet */
		if (!reserve(b, (size_t)n))
			return;
		va_start(args, fmt);
		(void)vsnprintf(b->at + b->len, b->cap - b->len, fmt, args);
		va_end(args);
	}
	b->len += (size_t)n;
}

void
strbuf_add_i64(struct strbuf *b, int64_t v)
{
	char text[20];                         /* the longest is -9223372036854775808 */
	size_t at = sizeof(text);
	uint64_t rest = v < 0 ? -(uint64_t)v : (uint64_t)v;

	do {
		text[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (v < 0)
		text[--at] = '-';
	strbuf_add(b, (struct str){ text + at, sizeof(text) - at });
}

void
strbuf_fail(struct strbuf *b)
{
	b->failed = true;
	b->len = 0;
	b->at[0] = '\0';
}

bool
strbuf_ok(const struct strbuf *b)
{
	return !b->failed;
}

struct str
strbuf_str(const struct strbuf *b)
{
	return (struct str){ b->at, b->len };
}
