/* utf8 - strict UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
 * SPDX-License-Identifier: MIT */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/str.h"

/* Characters in s, or -1 when s is not strict UTF-8. */
long utf8_length(struct str s);
/* Length in bytes (1..4) of the sequence that s begins with and its code point; 0 if it is bad. */
size_t utf8_next(struct str s, uint32_t *cp_out);

#endif
