/* rng - random bytes of the kernel, and ids made of them.
 * rng_bytes aborts the process when the kernel has none to give: an id that repeats is worse.
 * SPDX-License-Identifier: MIT */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include "base/strbuf.h"

void rng_bytes(void *out, size_t n);
void rng_hex32(struct strbuf *to);                        /* UUIDv4 without dashes: 32 hex digits */
void rng_uuid7(struct strbuf *to, int64_t at_ms);         /* RFC 9562 version 7, 36 characters */
uint32_t rng_below(uint32_t n);                           /* 0 .. n-1, unbiased; n >= 1 */

#endif
