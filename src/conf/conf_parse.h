/* conf_parse - one parser for each type of option, and the words for what it takes.
 * SPDX-License-Identifier: MIT */
#ifndef CONF_CONF_PARSE_H
#define CONF_CONF_PARSE_H

#include "conf/conf.h"

/* Reads value into the option's field of c (copied into c->own). False, with c untouched, when the
 * option does not take it. Receivers of events are only copied: they depend on each other, so they are
 * taken apart by conf_endpoints_settle. */
bool conf_parse(struct conf *c, const struct conf_option *o, struct str value) MUST_CHECK;
/* "a whole number from 1 to 86400": completes the sentence "<NAME> takes ...". */
void conf_takes(const struct conf_option *o, struct strbuf *to);
/* "15", "0.25": at most three digits after the point, kept exactly. */
bool conf_seconds(struct str v, int64_t min_ms, int64_t max_ms, int64_t *ms_out) MUST_CHECK;
bool cidr_parse(struct str s, struct cidr *out) MUST_CHECK;
void cidr_format(const struct cidr *c, struct strbuf *to);    /* 10.0.0.0/8 */

#endif
