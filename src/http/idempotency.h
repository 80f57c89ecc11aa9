/* idempotency - the header Idempotency-Key: what it must look like, and which earlier request it means. Pure.
 * Scope:     the caller (a key by its name, a ticket by its uid, in the open mode the client's address), the method, the
 *            path as it was routed (so /api/rooms and /api/v1/rooms/ are one) and the key. The query does not count.
 *            What tells one request from another under the same key is the body, byte for byte.
 * SPDX-License-Identifier: MIT */
#ifndef HTTP_IDEMPOTENCY_H
#define HTTP_IDEMPOTENCY_H

#include "http/caller.h"
#include "http/router.h"

enum { IDEMPOTENCY_KEY_MAX = 255 };

struct idempotency {
	struct str id, body_sha256;   /* 64 hex digits each */
	struct str caller;            /* "key:backend", "ticket:ann", "open:192.0.2.7" */
	struct str route;             /* "POST /api/v1/rooms/{room_id}/join" */
};

/* rq has such a header, its path was routed and its body read. ERR_INVALID_PARAMETERS (op->bad_field): not 1..255 visible
 * ASCII characters. */
enum err idempotency_read(struct op *op, const struct request *rq, const struct caller *who,
    const struct route *route, struct idempotency *out) MUST_CHECK;

#endif
