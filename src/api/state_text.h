/* state_text - what there is at this moment, as Prometheus' gauges; docs/metrics.md says what each means.
 * SPDX-License-Identifier: MIT */
#ifndef API_STATE_TEXT_H
#define API_STATE_TEXT_H

#include "call/state.h"

/* Nodes beyond that many are left out. */
enum { STATE_NODES_MAX = 512 };

void state_text(struct strbuf *to, const struct state *s);

#endif
