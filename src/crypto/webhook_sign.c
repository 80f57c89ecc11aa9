/* webhook_sign - both signature families over digest's HMAC.
 * SPDX-License-Identifier: MIT */
#include "crypto/webhook_sign.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/codec.h"
#include "crypto/digest.h"

enum { KEY_MAX = 512 };

void
webhook_sign_plain(struct strbuf *to, const struct webhook_signed *w)
{
	uint8_t mac[SHA256_BYTES];

	digest_hmac_sha256(w->secret, w->body, mac);
	hex_encode(to, mac, sizeof(mac));
}

/* The key of a secret: its own bytes, or those its base64 stands for (into room). */
static struct str
key_of(struct str secret, uint8_t room[KEY_MAX])
{
	const struct str prefix = S("whsec_");
	struct str text = { secret.at + prefix.len, secret.len - prefix.len };
	size_t n = KEY_MAX;

	if (!str_starts(secret, prefix) || text.len == 0 || !base64_decode(text, room, &n))
		return secret;
	return (struct str){ (const char *)room, n };
}

static void
add_signature(struct strbuf *to, const struct webhook_signed *w, struct str secret)
{
	uint8_t room[KEY_MAX], mac[SHA256_BYTES];
	struct str key = key_of(secret, room);
	char at[32];
	int n = snprintf(at, sizeof(at), ".%" PRId64 ".", w->at_s);
	const struct str parts[] = { w->id, { at, (size_t)n }, w->body };

	digest_hmac_sha256_of(key, parts, N_ELEMS(parts), mac);
	strbuf_addz(to, "v1,");
	base64_encode(to, mac, sizeof(mac));
}

void
webhook_sign_standard(struct strbuf *to, const struct webhook_signed *w)
{
	add_signature(to, w, w->secret);
	if (w->secret_old.len == 0)
		return;
	strbuf_addc(to, ' ');
	add_signature(to, w, w->secret_old);
}
