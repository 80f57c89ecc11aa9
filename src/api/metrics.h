/* metrics - what Prometheus reads. Each kind of worker prints what its own processes counted; the API's worker adds what
 * there is at this moment, looked at every STATE_EVERY_S for the whole host, whoever asks.
 * Time:      2 s at most. A database that is away is said to be away, and what was last seen is told with its age.
 * SPDX-License-Identifier: MIT */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "call/services.h"
#include "http/http.h"

enum { STATE_EVERY_S = 5, STATE_MAX_BYTES = 512 * 1024, LINKS_MAX_BYTES = 1024 };
/* Where the workers of /_route answer with theirs. */
#define METRICS_ROUTE_PATH "/metrics/route"

/* Status, headers, body, for whoever asks: refused, or the text. */
void metrics_answer(struct op *op, struct services *sv, const struct request *rq, struct reply *rp);

#endif
