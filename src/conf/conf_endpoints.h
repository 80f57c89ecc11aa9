/* conf_endpoints - the receivers of business events: BUSINESS_WEBHOOK_ENDPOINTS, else _URLS and _SECRET.
 * SPDX-License-Identifier: MIT */
#ifndef CONF_CONF_ENDPOINTS_H
#define CONF_CONF_ENDPOINTS_H

#include "conf/conf.h"

/* What an event may be called, all of them (model/event.c); the first GO_EVENT_TYPES are those the Go
 * server knew, which an endpoint gets that names none. */
enum { GO_EVENT_TYPES = 8, EVENT_TYPES = 10 };
extern const char *const CONF_EVENT_TYPES[EVENT_TYPES];

/* Makes c->endpoints of the three options as given. False: *name_out is the option at fault, and `why`
 * says in one line, without a secret, what is wrong. */
bool conf_endpoints_settle(struct conf *c, const char **name_out, struct strbuf *why) MUST_CHECK;
/* As JSON; secrets as ***, addresses masked (url_mask). */
void conf_endpoints_show(const struct conf *c, struct strbuf *to);
/* A comma list of addresses, masked. */
void conf_urls_show(struct str list, struct strbuf *to);

#endif
