/* strbuf - bounded text builder. A write that does not fit sets `failed`; later writes do nothing,
 * so callers write freely and ask once, at the end, with strbuf_ok().
 * Shape:     bytes, NUL-terminated after every call; `len` excludes the NUL.
 * Ownership: over caller's storage (strbuf_init), or growing in an arena up to `max` (strbuf_init_arena).
 * Errors:    none returned. A failed buffer reads as "", so cut text is never used by mistake.
 * Threads:   one owner; no hidden state. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include "base/arena.h"
#include "base/str.h"

struct strbuf {
	char *at;
	size_t len, cap;      /* cap counts the NUL */
	size_t max;           /* how far an arena buffer may grow, NUL included; = cap otherwise */
	struct arena *arena;  /* NULL: fixed */
	bool failed;
};

void strbuf_init(struct strbuf *b, char *storage, size_t cap);                 /* cap >= 1 */
void strbuf_init_arena(struct strbuf *b, struct arena *a, size_t cap, size_t max);
void strbuf_add(struct strbuf *b, struct str s);
void strbuf_addc(struct strbuf *b, char c);
void strbuf_addz(struct strbuf *b, const char *z);
void strbuf_addf(struct strbuf *b, const char *fmt, ...) PRINTF(2, 3);
void strbuf_add_i64(struct strbuf *b, int64_t v);     /* decimal; every answer and line is full of them */
void strbuf_fail(struct strbuf *b);                   /* what was to be written is not possible */
bool strbuf_ok(const struct strbuf *b) MUST_CHECK;
struct str strbuf_str(const struct strbuf *b);        /* "" when failed */

#endif
