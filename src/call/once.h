/* once - a request that takes effect once, however often it is sent (Idempotency-Key). Whoever answers requests hangs a
 * struct once on the operation (op->once); the operation runs the transaction that decides its answer through once_run.
 * Its row is the first thing that transaction locks, so a twin waits, and the answer is the last thing it writes, so it
 * is kept if and only if the change is.
 * Without op->once all of this is nothing.
 * Ownership: everything lives in op->arena.
 * Errors:    once_run: tx_run's; ERR_REPLAYED: answered before, op->once->kept is that answer, and nothing was done;
 *            ERR_IDEMPOTENCY_MISMATCH: answered before, and asked otherwise. */
/* SPDX-License-Identifier: MIT */
#ifndef CALL_ONCE_H
#define CALL_ONCE_H

#include "sql/sql.h"
#include "store/once_store.h"

struct once {
	struct str id, body_sha256;   /* 64 hex digits each */
	struct str caller, route;     /* for whoever reads the table */
	int64_t kept_ms;              /* an older row counts as none */

	/* Words the answer into status, answer, access_at and access_len, from what the operation has made so far;
	 * outcome: the error it will return although it commits. Runs inside the transaction, each time it is run.
	 * NULL: this operation's answer is not kept. */
	enum err (*word)(struct op *op, const void *arg, enum err outcome, struct once_row *out);
	const void *arg;

	enum err outcome;             /* set by the operation, see word */
	struct once_row kept;         /* with ERR_REPLAYED */
};

/* tx_run around the transaction that op->once is about. A transaction that fails, or changes nothing, keeps nothing. */
enum err once_run(struct op *op, struct sql_link *l, tx_body body, void *arg) MUST_CHECK;
/* The transaction commits, and its answer is an error all the same. */
void once_outcome(struct op *op, enum err e);
/* First in a later transaction of the same request, which undoes what the first one did: a repeat tries anew. */
enum err once_withdraw(struct op *op, struct sql_link *l) MUST_CHECK;

#endif
