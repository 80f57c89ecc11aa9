/* once - the frame around a transaction that must not happen twice.
 * SPDX-License-Identifier: MIT */
#include "call/once.h"

struct framed {
	tx_body body;
	void *arg;
};

static enum err
keep(struct op *op, struct sql_link *l)
{
	struct once *o = op->once;
	struct once_row row = { .body_sha256 = o->body_sha256, .caller = o->caller, .route = o->route,
	    .room_id = op->room_id };
	enum err e;

	if ((e = o->word(op, o->arg, o->outcome, &row)) != ERR_OK)
		return e;
	return once_store_keep(op, l, o->id, &row);
}

static enum err
framed_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	const struct framed *f = arg;
	struct once *o = op->once;
	bool found;
	enum err e;

	o->outcome = ERR_OK;
	if ((e = once_store_take(op, l, o->id, &o->kept, &found)) != ERR_OK)
		return e;
	if (found && o->kept.age_ms < o->kept_ms)
		return str_eq(o->kept.body_sha256, o->body_sha256) ? ERR_REPLAYED : ERR_IDEMPOTENCY_MISMATCH;
	if ((e = f->body(op, l, f->arg, rollback_out)) != ERR_OK || *rollback_out)
		return e;
	return keep(op, l);
}

enum err
once_run(struct op *op, struct sql_link *l, tx_body body, void *arg)
{
	struct framed f = { .body = body, .arg = arg };

	if (op->once == NULL || op->once->word == NULL)
		return tx_run(op, l, body, arg);
	return tx_run(op, l, framed_in_tx, &f);
}

void
once_outcome(struct op *op, enum err e)
{
	if (op->once != NULL)
		op->once->outcome = e;
}

enum err
once_withdraw(struct op *op, struct sql_link *l)
{
	if (op->once == NULL || op->once->word == NULL)
		return ERR_OK;
	return once_store_drop(op, l, op->once->id);
}
