/* pulse - does a node live? It is asked itself (GET /), before a client is sent there.
 * Memory:    of each process: an answer counts for PULSE_MS; a silence for PULSE_SILENT_MS, so that a frozen node does not
 *            hold up everybody who asks for it. Connections are kept (httpc).
 * Answers:   200 is life. Another status is a node that cannot serve (406: it lost its Redis): the same as silence.
 * Fork:      open after fork.
 * SPDX-License-Identifier: MIT */
#ifndef LIVEKIT_PULSE_H
#define LIVEKIT_PULSE_H

#include "conf/conf.h"
#include "httpc/httpc.h"

enum { PULSE_MS = 100, PULSE_SILENT_MS = 500 };

struct pulse;
enum pulse_state { PULSE_ALIVE, PULSE_REFUSES, PULSE_SILENT };
struct pulse_found {
	enum pulse_state state;
	int64_t silent_ms;            /* it did not answer for so long, as far as this process asked */
	bool asked;                   /* just now; else remembered */
	bool awoke;                   /* alive, and it was not the last time */
};

struct pulse *pulse_open(const struct conf *c);
void pulse_close(struct pulse *p);
/* doubted: somebody else was just refused there, so an earlier answer does not count. */
struct pulse_found pulse_ask(struct op *op, struct pulse *p, struct httpc *h, struct str addr, bool doubted);

#endif
