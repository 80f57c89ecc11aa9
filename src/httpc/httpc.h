/* httpc - outbound HTTP; the only room that knows libcurl. One handle a process, its connections kept.
 * Never follows redirects, uses no proxy, reads answers up to 1 MiB, checks certificates.
 * Errors:    ERR_OK whenever an HTTP answer came, whatever its status; ERR_UNAVAILABLE when none came in
 *            time (`why` says so, in the arena).
 * SPDX-License-Identifier: MIT */
#ifndef HTTPC_HTTPC_H
#define HTTPC_HTTPC_H

#include "base/op.h"

struct httpc;

struct httpc *httpc_open(void);                       /* after fork; NULL only when libcurl cannot start */
void httpc_close(struct httpc *h);

struct http_call {
	const char *method;                               /* "GET", "POST" */
	struct str url;
	struct str body, content_type;
	struct str bearer;                                /* Authorization: Bearer ..., when not empty */
	int64_t timeout_ms;                               /* whole call */
};
struct http_answer {
	int status;
	struct str body;                                  /* in the arena */
	struct str why;
	bool refused;                                     /* nobody listens there */
	int64_t us;                                       /* how long it took */
};
enum err httpc_call(struct op *op, struct httpc *h, const struct http_call *c, struct http_answer *out) MUST_CHECK;

#endif
