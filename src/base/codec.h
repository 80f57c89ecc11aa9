/* codec - hex, base64 and base64url.
 * Decoders are strict: exact alphabet, canonical trailing bits, padding required (base64) or
 * refused (base64url); they return false and leave the output unspecified otherwise.
 * SPDX-License-Identifier: MIT */
#ifndef BASE_CODEC_H
#define BASE_CODEC_H

#include "base/strbuf.h"

int hex_value(char c);                                                        /* one digit, either case; -1: none */
void hex_encode(struct strbuf *to, const void *bytes, size_t n);               /* lower case */
bool hex_decode(struct str s, uint8_t *out, size_t n_out) MUST_CHECK;          /* s.len == 2 * n_out */
void base64_encode(struct strbuf *to, const void *bytes, size_t n);            /* padded */
void base64url_encode(struct strbuf *to, const void *bytes, size_t n);         /* not padded */
/* *n_out: room in `out` before, bytes written after. */
bool base64_decode(struct str s, uint8_t *out, size_t *n_out) MUST_CHECK;
bool base64url_decode(struct str s, uint8_t *out, size_t *n_out) MUST_CHECK;

#endif
