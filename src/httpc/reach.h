/* reach - which addresses a call may connect to; private to this room.
 * SPDX-License-Identifier: MIT */
#ifndef HTTPC_REACH_H
#define HTTPC_REACH_H

#include <sys/socket.h>

#include "base/arena.h"
#include "httpc/multi.h"

/* Neither IPv4 nor IPv6: only with REACH_ALL. */
bool reach_allows(enum reach r, const struct sockaddr *a);
struct str reach_text(struct arena *a, const struct sockaddr *address);

#endif
