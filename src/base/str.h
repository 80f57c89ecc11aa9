/* str - borrowed text: a pointer and a length.
 * Shape:     any bytes; not NUL-terminated unless a producer says so; at may be NULL only if len is 0.
 * Ownership: never owned; valid as long as what it points into (an arena, a literal, a buffer).
 * Errors:    none, but for the parse functions, which return false and leave *out alone.
 * SPDX-License-Identifier: MIT */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"

struct str {
	const char *at;
	size_t len;
};

/* S("literal") */
#define S(lit) ((struct str){ (lit), sizeof(lit) - 1 })
/* for printf("%.*s", STR_ARG(s)) */
#define STR_ARG(s) (int)(s).len, (s).at

struct str str_of(const char *z);                     /* NULL gives the empty str */
bool str_eq(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b);       /* ASCII only */
int str_cmp(struct str a, struct str b);              /* bytewise, shorter first */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
struct str str_trim(struct str s);                    /* spaces, tabs, CR, LF at both ends */
/* Cuts the part before the first `sep` off *rest and returns it; without `sep` takes all of it.
 * False when *rest was already exhausted (at == NULL). */
bool str_split(struct str *rest, char sep, struct str *part_out);
/* The whole of s as a decimal number within [min, max]: optional '-', digits, nothing else. */
bool parse_i64(struct str s, int64_t min, int64_t max, int64_t *out) MUST_CHECK;

#endif
