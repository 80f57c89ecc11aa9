/* limits - how often one caller may create calls, invite, and ask for media tokens (RATE_LIMITS, KEY_RATE_LIMITS).
 * Who counts: a ticket as its uid; in the open mode whoever is named as acting, or, where nobody is, the client's address;
 * a key (an open network is the key "lan") as its name, and only where KEY_RATE_LIMITS says so.
 * What counts: POST /rooms, and a /token that makes the call, as create; invite; everything that hands out a media token of
 * a call (join, both /token) as token, whatever becomes of it. A refused request does not count.
 * SPDX-License-Identifier: MIT */
#ifndef API_LIMITS_H
#define API_LIMITS_H

#include "call/services.h"
#include "http/caller.h"

/* After the caller is known and the request was understood, before its operation. acting: the uid named in the open mode,
 * "" = nobody. ERR_RATE_LIMITED with op->retry_after_s. Redis away: ERR_OK, and counted. */
enum err limit_check(struct op *op, const struct services *sv, const struct caller *who, enum rate_what what,
    struct str acting) MUST_CHECK;

#endif
