/* names - the addresses of the names in LIVEKIT_NODES. Looked up by threads of the C library, again every NAMES_S; an
 * answer that fails changes nothing. A name with several addresses stands for one of them: the least, IPv4 first, so
 * that all processes agree.
 * Fork:      open after fork.
 * SPDX-License-Identifier: MIT */
#ifndef LIVEKIT_NAMES_H
#define LIVEKIT_NAMES_H

#include "conf/conf.h"

enum { NAMES_S = 60, NAMES_WAIT_MS = 100 };

struct names;

struct names *names_open(const struct conf *c);
void names_close(struct names *n);
/* Takes what has come, asks where it is time. Waits, at most NAMES_WAIT_MS, only after a name was first asked for. */
void names_look(struct names *n);
/* The address of conf's i-th node, spelt as address_spell does, valid until the next names_look; "" = not known. */
struct str names_ip(const struct names *n, size_t i);

#endif
