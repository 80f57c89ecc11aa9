/* address - how nodes are named everywhere: "10.0.0.11:7880", "[fd00::1]:7880". One address has one spelling.
 * SPDX-License-Identifier: MIT */
#ifndef LIVEKIT_ADDRESS_H
#define LIVEKIT_ADDRESS_H

#include "base/arena.h"

/* The spelling of an IPv4 or IPv6 address, without brackets, that equal addresses share; false: it is none. */
bool address_spell(struct arena *a, struct str ip, struct str *out) MUST_CHECK;
/* ip as address_spell gives it. */
struct str address_of(struct arena *a, struct str ip, int64_t port);
/* The opposite; texts of addr. False: no such address. */
bool address_split(struct str addr, struct str *ip_out, int64_t *port_out) MUST_CHECK;

#endif
