/* websocket - opens a WebSocket as a client does and reads the first message that comes; for `tgo-call check`.
 * Rules:     as httpc.h has them (no proxy, certificates are checked).
 * SPDX-License-Identifier: MIT */
#ifndef HTTPC_WEBSOCKET_H
#define HTTPC_WEBSOCKET_H

#include "base/op.h"

struct websocket_answer {
	int status;                                       /* 101: it was opened */
	struct str text;                                  /* another status: what came with it, up to 1 KiB */
	struct str message;                               /* payload of the first message */
	struct str why;                                   /* with ERR_UNAVAILABLE */
};
/* url: http(s)://host[:port]/path?query. Closed again before this returns. ERR_OK: a message, or a status that refuses;
 * ERR_UNAVAILABLE: neither came within timeout_ms. */
enum err websocket_first(struct op *op, struct str url, int64_t timeout_ms, struct websocket_answer *out) MUST_CHECK;

#endif
