/* conf_url - what an address in the configuration may look like.
 * SPDX-License-Identifier: MIT */
#ifndef CONF_CONF_URL_H
#define CONF_CONF_URL_H

#include "base/strbuf.h"

/* host, host:port, [v6]:port */
bool url_authority_ok(struct str s) MUST_CHECK;
/* Printable ASCII without what no address holds raw, and without the characters of `refused`. */
bool url_text_ok(struct str s, const char *refused) MUST_CHECK;
/* A receiver's: http or https, maybe user:password@, maybe a query; no fragment. */
bool url_receiver_ok(struct str s) MUST_CHECK;
/* The address with *** for user:password and for what stands in its query: robots of chat systems have their
 * key there. Never more than 5 bytes longer than s. */
void url_mask(struct str s, struct strbuf *to);
/* The same with its query as it is. */
void url_mask_user(struct str s, struct strbuf *to);

#endif
