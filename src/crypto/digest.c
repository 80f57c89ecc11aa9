/* digest - OpenSSL's SHA-256, HMAC and constant-time comparison behind three plain functions.
 * SPDX-License-Identifier: MIT */
#include "crypto/digest.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

/* A library without SHA-256 can sign nothing and check nothing: there is no work to go on with. */
static NORETURN void
give_up(const char *what)
{
	fprintf(stderr, "crypto: OpenSSL cannot compute %s\n", what);
	exit(70);
}

void
digest_sha256(struct str data, uint8_t out[SHA256_BYTES])
{
	unsigned n = 0;

	if (!EVP_Digest(data.at, data.len, out, &n, EVP_sha256(), NULL) || n != SHA256_BYTES)
		give_up("SHA-256");
}

void
digest_hmac_sha256(struct str key, struct str data, uint8_t out[SHA256_BYTES])
{
	/* To OpenSSL a NULL key means "no key given", which is not the empty key. */
	const void *key_at = key.len > 0 ? key.at : "";
	const unsigned char *data_at = (const unsigned char *)(data.len > 0 ? data.at : "");
	size_t n = 0;

	if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key_at, key.len, data_at, data.len, out,
	        SHA256_BYTES, &n) == NULL || n != SHA256_BYTES)
		give_up("HMAC-SHA-256");
}

static EVP_MAC_CTX *
hmac_new(void)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);

	EVP_MAC_free(mac);
	return ctx;
}

void
digest_hmac_sha256_of(struct str key, const struct str *parts, size_t n_parts, uint8_t out[SHA256_BYTES])
{
	char name[] = "SHA256";
	const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end() };
	const unsigned char *key_at = (const unsigned char *)(key.len > 0 ? key.at : "");
	EVP_MAC_CTX *ctx = hmac_new();
	size_t n = 0;

	if (ctx == NULL || !EVP_MAC_init(ctx, key_at, key.len, params))
		give_up("HMAC-SHA-256");
	for (size_t i = 0; i < n_parts; i++)
		if (!EVP_MAC_update(ctx, (const unsigned char *)parts[i].at, parts[i].len))
			give_up("HMAC-SHA-256");
	if (!EVP_MAC_final(ctx, out, &n, SHA256_BYTES) || n != SHA256_BYTES)
		give_up("HMAC-SHA-256");
	EVP_MAC_CTX_free(ctx);
}

bool
digest_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
