/* conf_lists - the values that are comma lists.
 * Each returns false, with what it fills untouched, for what is no such list.
 * Ownership: copied into c->own, or the arena given. SPDX-License-Identifier: MIT */
#ifndef CONF_CONF_LISTS_H
#define CONF_CONF_LISTS_H

#include "base/arena.h"
#include "conf/conf.h"

/* The next item: trimmed, empty ones left out. */
bool conf_next_item(struct str *rest, struct str *item_out) MUST_CHECK;
/* CONF_API_KEYS: "name:sha-256" into c->api_keys; CONF_LIVEKIT_KEYS: "key:secret" into c->livekit_keys. White space may
 * stand around the colon. */
bool conf_pairs_parse(struct conf *c, enum conf_type type, struct str list) MUST_CHECK;
/* "10.0.0.0/8,fd00::/8" into c->open_networks. */
bool conf_cidrs_parse(struct conf *c, struct str list) MUST_CHECK;
/* "5,30,120": seconds, each from min to max. */
bool conf_seconds_list(struct str list, int64_t min_ms, int64_t max_ms, struct ms_list *out) MUST_CHECK;
/* 32 bytes in hex; *v becomes lower case. */
bool conf_sha256(struct arena *a, struct str *v) MUST_CHECK;

#endif
