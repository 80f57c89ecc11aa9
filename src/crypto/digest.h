/* digest - SHA-256, HMAC-SHA-256 and comparison in constant time (OpenSSL's).
 * These fail only when OpenSSL cannot work at all: the process ends with a line on stderr.
 * SPDX-License-Identifier: MIT */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include "base/str.h"

#define SHA256_BYTES 32

void digest_sha256(struct str data, uint8_t out[SHA256_BYTES]);
void digest_hmac_sha256(struct str key, struct str data, uint8_t out[SHA256_BYTES]);
/* The same of parts, one after the other. */
void digest_hmac_sha256_of(struct str key, const struct str *parts, size_t n_parts, uint8_t out[SHA256_BYTES]);
bool digest_equal(const void *a, const void *b, size_t n);            /* constant time */

#endif
