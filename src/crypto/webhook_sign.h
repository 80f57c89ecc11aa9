/* webhook_sign - the two signatures under which an event leaves (calls.md, "Events"): the Go server's, of
 * the body alone, and that of Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature).
 * Errors:    none of their own; sticky in the strbuf.
 * SPDX-License-Identifier: MIT */
#ifndef CRYPTO_WEBHOOK_SIGN_H
#define CRYPTO_WEBHOOK_SIGN_H

#include "base/strbuf.h"

struct webhook_signed {
	struct str secret;        /* as configured */
	struct str secret_old;    /* "" = none: signs as well, while receivers change over */
	struct str id;            /* the event's */
	int64_t at_s;             /* when it is sent, Unix s */
	struct str body;
};
/* X-Signature: HMAC-SHA-256 in lower-case hex, keyed with the secret's own bytes. */
void webhook_sign_plain(struct strbuf *to, const struct webhook_signed *w);
/* webhook-signature: "v1,<base64>" for each secret, a blank between them. What stands behind "whsec_" is
 * base64; a secret without it, or with something else behind it, is its own bytes. */
void webhook_sign_standard(struct strbuf *to, const struct webhook_signed *w);

#endif
