/* jwt - JSON Web Tokens, HS256 only (RFC 7519, 7515). The header's alg must say HS256 and never
 * chooses code; exactly three parts, strict base64url.
 * Ownership: results in the arena given.
 * SPDX-License-Identifier: MIT */
#ifndef CRYPTO_JWT_H
#define CRYPTO_JWT_H

#include "base/arena.h"
#include "base/str.h"

/* Signs claims (a JSON object) -> header.claims.signature */
struct str jwt_sign(struct arena *a, struct str key, struct str claims);
/* Splits a token and decodes header and claims without trusting either: for finding `iss`, the key's
 * name. False when it is no HS256 token. */
bool jwt_peek(struct arena *a, struct str token, struct str *claims_out) MUST_CHECK;
/* True when the signature is that of key; then claims_out is the payload's bytes. Times are the
 * caller's business (json room). */
bool jwt_verify(struct arena *a, struct str token, struct str key, struct str *claims_out) MUST_CHECK;

#endif
