/* scraper - loopback, or HTTP basic authentication (RFC 7617).
 * SPDX-License-Identifier: MIT */
#include "http/scraper.h"

#include "base/codec.h"
#include "crypto/digest.h"

enum { CREDENTIALS_MAX = 512 };

/* 127.0.0.0/8, mapped, and ::1. */
static const struct cidr LOOPBACK[] = {
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127 }, 96 + 8 },
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 }, 128 },
};

static bool
is_local(struct str address)
{
	for (size_t i = 0; i < N_ELEMS(LOOPBACK); i++)
		if (cidr_contains(&LOOPBACK[i], address))
			return true;
	return false;
}

/* Both are hashed and compared whole: how long this takes tells of neither. */
static bool
matches(const struct conf *c, struct str user, struct str password)
{
	uint8_t given_user[SHA256_BYTES], user_is[SHA256_BYTES], given[SHA256_BYTES], is[SHA256_BYTES];
	bool same_user, same, readable = hex_decode(c->metrics_sha256, is, sizeof(is));

	digest_sha256(user, given_user);
	digest_sha256(c->metrics_user, user_is);
	digest_sha256(password, given);
	same_user = digest_equal(given_user, user_is, sizeof(user_is));
	same = readable && digest_equal(given, is, sizeof(is));
	return same_user && same;
}

enum err
scraper_may(const struct conf *c, const struct request *rq)
{
	struct str rest = rq->authorization, scheme, user, password;
	uint8_t plain[CREDENTIALS_MAX];
	size_t n = sizeof(plain);

	if (is_local(rq->remote_addr))
		return ERR_OK;
	if (c->metrics_user.len == 0 || c->metrics_sha256.len == 0)
		return ERR_FORBIDDEN;
	if (rq->duplicate_header != NULL || !str_split(&rest, ' ', &scheme) || !str_eq_nocase(scheme, S("Basic")) ||
	    !base64_decode(str_trim(rest), plain, &n))
		return ERR_UNAUTHORIZED;
	/* A password may hold a colon, a user may not. */
	password = (struct str){ (const char *)plain, n };
	if (!str_split(&password, ':', &user) || password.at == NULL)
		return ERR_UNAUTHORIZED;
	return matches(c, user, password) ? ERR_OK : ERR_UNAUTHORIZED;
}
