/* replay - answers that can be given again (Idempotency-Key). A handler says before its operation what its answer will be
 * made of; where the request has such a key, the operation's transaction keeps that answer (call/once.h).
 * Not kept, because repeating them does no harm or nothing to repeat is stored: /rooms/{id}/token and /tickets (each makes
 * a token), /participants/calling (reads), mute (LiveKit's state, set again), /webhooks/logs/cleanup and
 * /events/redeliver (many transactions; receivers know an event they had by its id).
 * SPDX-License-Identifier: MIT */
#ifndef API_REPLAY_H
#define API_REPLAY_H

#include "base/jsonw.h"
#include "call/once.h"
#include "call/services.h"
#include "http/idempotency.h"

/* How answers of one kind look; what: the operation's result they are made of. */
struct answer_kind {
	enum err (*write)(struct op *op, struct reply *rp, const void *what);
	/* The part between rp->access_at and its end alone, as keys of an object. False: there is no token in it. NULL: such
	 * answers have no such part. */
	bool (*access)(struct jsonw *w, const void *what);
};
struct answer {
	const struct answer_kind *kind;
	const void *what;
};

/* Before the operation. Without a key this is nothing. */
void answer_promise(struct op *op, const struct answer *a);
/* After it, e being what it returned. ERR_OK: the answer is written. ERR_REPLAYED: the first one is, status and body,
 * but for token and url, which are what the operation made just now, or there is no token; then ERR_OK as well, or
 * ERR_INTERNAL: what was kept makes no sense. Other errors are passed on. */
enum err answer_give(struct op *op, const struct answer *a, enum err e, struct reply *rp) MUST_CHECK;

/* Reads the header of a request whose body is there: op->once, or nothing. ERR_INVALID_PARAMETERS (op->bad_field). */
enum err replay_begin(struct op *op, const struct services *sv, const struct request *rq, const struct caller *who,
    const struct route *route) MUST_CHECK;

#endif
