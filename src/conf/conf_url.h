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
/* The address with *** for user:password. */
void url_mask(struct str s, struct strbuf *to);

#endif
