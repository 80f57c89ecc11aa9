/* reply - how every answer looks: the JSON writer of a reply, the error body, the CORS headers.
 * SPDX-License-Identifier: MIT */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "base/jsonw.h"
#include "conf/conf.h"
#include "http/http.h"

/* A reply of status 200 with an empty body buffer that may grow to 8 MiB. */
void reply_init(struct reply *rp, struct arena *a);
/* Replaces whatever was written by {"code","message","error","request_id"[, field, room_id, busy_uids]}
 * from e and op; status from the table; legacy: 400/401-409 answered as 400 with code 400 as the Go
 * server did (LEGACY_STATUS). */
void reply_error(struct reply *rp, const struct op *op, enum err e, bool legacy);
/* Origin against CORS_ORIGINS: fills rp->cors_origin when it may be answered. */
void reply_cors(struct reply *rp, const struct conf *c, const struct request *rq);

#endif
