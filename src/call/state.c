/* state - gathers what there is.
 * SPDX-License-Identifier: MIT */
#include "call/state.h"

static const char OK[] = "ok", DOWN[] = "down", DISABLED[] = "disabled";
const char *const STATE_ENDPOINT_WORDS[] = { OK, DOWN, DISABLED, NULL };

/* The breaker (jobs/breaker.h) opens with down_since_ms; a disabled one is not tried at all. */
static const char *
word_of(const struct endpoint_row *r)
{
	if (!str_eq(r->state, S("active")))
		return DISABLED;
	return r->down_since_ms > 0 ? DOWN : OK;
}

static enum err
add_endpoint(struct op *op, struct sql_link *db, const struct endpoint_row *r, struct state *out)
{
	struct state_endpoint *one = &out->endpoints[out->n_endpoints];
	struct waiting w;
	enum err e;

	if ((e = endpoint_store_waiting(op, db, r->id, &w)) != ERR_OK)
		return e;
	*one = (struct state_endpoint){ .id = r->id, .word = word_of(r), .n_waiting = w.n };
	if (w.n > 0 && w.since_ms < r->now_ms)
		one->age_ms = r->now_ms - w.since_ms;
	out->n_endpoints++;
	return ERR_OK;
}

static enum err
gather_endpoints(struct op *op, struct sql_link *db, struct state *out)
{
	struct endpoint_row *rows;
	size_t n;
	enum err e = endpoint_store_list(op, db, &rows, &n);

	if (e != ERR_OK)
		return e;
	out->endpoints = arena_array(op->arena, n + 1, sizeof(*out->endpoints));
	for (size_t i = 0; i < n; i++) {
		if (endpoint_row_removed(&rows[i]))
			continue;
		if ((e = add_endpoint(op, db, &rows[i], out)) != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err
op_state(struct op *op, struct services *sv, struct sql_link *db, struct state *out)
{
	struct services hurried = *sv;
	int64_t soon_ms;
	enum err e;

	*out = (struct state){ 0 };
	/* A rejoin deadline waits so long for a LiveKit that is silent. */
	soon_ms = sv->conf->rejoin_grace_ms + sv->conf->rejoin_overdue_ms;
	hurried.db = db;
	if ((e = state_store_calls(op, db, &out->calls)) != ERR_OK)
		return e;
	if ((e = state_store_people(op, db, soon_ms, &out->people)) != ERR_OK)
		return e;
	if ((e = state_store_lags(op, db, &out->lags)) != ERR_OK)
		return e;
	if ((e = state_store_tasks(op, db, &out->tasks, &out->n_tasks)) != ERR_OK)
		return e;
	if ((e = gather_endpoints(op, db, out)) != ERR_OK)
		return e;
	if ((e = op_nodes_seen(op, &hurried, &out->cluster)) != ERR_OK)
		return e;
	out->calls_counted = op_nodes_count(op, &hurried, &out->cluster) == ERR_OK;
	return ERR_OK;
}
