/* heal - one step through the stale rows.
 * SPDX-License-Identifier: MIT */
#include "call/heal.h"

#include "call/change.h"
#include "rules/reconcile.h"
#include "store/heal_store.h"

static enum err
heal_rule(struct op *op, struct call *c, void *arg)
{
	size_t *n_closed = arg;
	size_t n_active = call_count_active(c);

	(void)op;
	call_heal(c);
	*n_closed = n_active - call_count_active(c);
	return ERR_OK;
}

/* Calls are over for ever: their rows can be closed one call after the other. Rows of one call are seldom neighbours;
 * a call that was healed with an earlier row has nothing left to change. */
static enum err
heal_calls(struct op *op, struct services *sv, struct healing *h, const struct stale_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct call after;
		size_t n_closed = 0;
		enum err e;

		if (rows[i].no_room)
			continue;
		e = change_run(op, sv, rows[i].room_id, heal_rule, &n_closed, &after);
		if (e == ERR_UNAVAILABLE)
			return e;
		if (e == ERR_OK)
			h->n_closed += (int64_t)n_closed;
	}
	return ERR_OK;
}

static enum err
heal_orphans(struct op *op, struct services *sv, struct healing *h, const struct stale_row *rows, size_t n)
{
	int64_t *ids = arena_array(op->arena, n + 1, sizeof(*ids));
	size_t n_ids = 0;

	for (size_t i = 0; i < n; i++)
		if (rows[i].no_room)
			ids[n_ids++] = rows[i].id;
	return heal_store_close(op, sv->db, ids, n_ids, &h->n_closed);
}

static void
log_done(struct op *op, const struct healing *h)
{
	struct log_line l;

	if (h->n_closed == 0)
		return;
	log_begin(&l, op->log, LOG_INFO, "已修复遗留的参与者记录", "stale_rows_closed", op->request_id);
	log_i64(&l, "rows", h->n_closed);
	log_end(&l);
}

enum err
op_heal(struct op *op, struct services *sv, struct healing *h)
{
	struct stale_row *rows;
	size_t n;
	enum err e;

	if ((e = heal_store_find(op, sv->db, h->status, h->after_id, &rows, &n)) != ERR_OK)
		return e;
	if ((e = heal_calls(op, sv, h, rows, n)) != ERR_OK)
		return e;
	if ((e = heal_orphans(op, sv, h, rows, n)) != ERR_OK)
		return e;
	if (n == HEAL_ROWS) {
		h->after_id = rows[n - 1].id;
	} else if (h->status == P_INVITING) {
		h->status = P_JOINED;
		h->after_id = 0;
	} else {
		h->done = true;
		log_done(op, h);
	}
	return ERR_OK;
}
