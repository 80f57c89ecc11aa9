/* conf_rates - the options that limit how often a caller may ask: RATE_LIMITS and KEY_RATE_LIMITS.
 * SPDX-License-Identifier: MIT */
#ifndef CONF_CONF_RATES_H
#define CONF_CONF_RATES_H

#include "conf/conf.h"

/* "create=30/60s,token=120/60s" or "off"; with keyed, each item begins with the name of a key and a colon.
 * Into c->rate_limits or c->key_rate_limits. False: not such a list, or one thing limited twice. */
bool conf_rates_parse(struct conf *c, struct str list, bool keyed) MUST_CHECK;
void conf_rates_show(const struct conf *c, bool keyed, struct strbuf *to);
/* "create", "invite", "token" */
const char *rate_what_name(enum rate_what w);

#endif
