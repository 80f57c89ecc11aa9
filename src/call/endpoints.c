/* endpoints - the receivers of events and the Go server's record of failures.
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "call/event_ops.h"
#include "call/once.h"
#include "call/piecemeal.h"
#include "kv/kv_ear.h"
#include "store/retention_store.h"

enum { LONGEST_MS = 2500 };                           /* of a request's four seconds */
static const int64_t DAY_MS = 86400000;

int64_t
waiting_age_s(const struct endpoint_view *v)
{
	int64_t since_ms = v->waiting.since_ms;

	return since_ms > 0 && since_ms < v->row.now_ms ? (v->row.now_ms - since_ms) / 1000 : 0;
}

enum err
op_endpoints(struct op *op, struct services *sv, struct endpoint_view **out, size_t *n_out)
{
	struct endpoint_view *views;
	struct endpoint_row *rows;
	enum err e;

	if ((e = endpoint_store_list(op, sv->db, &rows, n_out)) != ERR_OK)
		return e;
	views = arena_array(op->arena, *n_out + 1, sizeof(*views));
	for (size_t i = 0; i < *n_out; i++) {
		views[i].row = rows[i];
		views[i].conf = endpoint_find(sv->conf, rows[i].id);
		if (endpoint_row_removed(&rows[i]))
			continue;
		if ((e = endpoint_store_waiting(op, sv->db, rows[i].id, &views[i].waiting)) != ERR_OK)
			return e;
	}
	*out = views;
	return ERR_OK;
}

static void
log_enabled(struct op *op, struct str id, int64_t n)
{
	struct log_line l;

	log_begin(&l, op->log, LOG_INFO, "事件接收方已启用", "endpoint_enabled", op->request_id);
	log_str(&l, "endpoint", id);
	log_i64(&l, "due", n);
	log_end(&l);
}

struct waking {
	struct services *sv;
	struct str id;
	int64_t now_ms, sum;
};

static enum err
wake_some(struct op *op, void *arg, bool *end_out)
{
	struct waking *w = arg;
	int64_t n = 0;
	enum err e = endpoint_store_make_due(op, w->sv->db, w->id, w->now_ms, &n);

	w->sum += n;
	*end_out = n == 0;
	return e;
}

static enum err
enable_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	const struct waking *w = arg;

	(void)rollback_out;
	return endpoint_store_enable(op, l, w->id);
}

/* What waits first: whoever delivers looks at it when the receiver is active again. */
enum err
op_endpoint_enable(struct op *op, struct services *sv, struct str id)
{
	struct waking w = { .sv = sv, .id = id };
	struct endpoint_row row = { 0 };
	bool found, end;
	enum err e;

	if ((e = endpoint_store_get(op, sv->db, id, &row, &found)) != ERR_OK)
		return e;
	if (!found || endpoint_row_removed(&row))
		return ERR_NOT_FOUND;
	w.now_ms = row.now_ms;
	if ((e = piecemeal(op, wake_some, &w, LONGEST_MS, &end)) != ERR_OK)
		return e;
	if ((e = once_run(op, sv->db, enable_in_tx, &w)) != ERR_OK)
		return e;
	kv_ear_say(op, sv->kv, KV_NUMBERED, 0);
	log_enabled(op, id, w.sum);
	return ERR_OK;
}

enum err
op_webhook_stats(struct op *op, struct services *sv, struct webhook_stats *out)
{
	struct endpoint_view *views;
	size_t n;
	enum err e;

	*out = (struct webhook_stats){ 0 };
	if ((e = delivery_log_store_failures(op, sv->db, &out->failures, &out->n_failures)) != ERR_OK ||
	    (e = delivery_log_store_max_id(op, sv->db, &out->max_id)) != ERR_OK ||
	    (e = op_endpoints(op, sv, &views, &n)) != ERR_OK)
		return e;
	for (size_t i = 0; i < out->n_failures; i++)
		out->total += out->failures[i].n;
	for (size_t i = 0; i < n; i++) {
		int64_t age_s = waiting_age_s(&views[i]);

		out->pending += views[i].waiting.n;
		out->oldest_pending_s = age_s > out->oldest_pending_s ? age_s : out->oldest_pending_s;
	}
	return ERR_OK;
}

struct cleaning {
	struct services *sv;
	int64_t before_ms, deleted;
};

static enum err
clean_some(struct op *op, void *arg, bool *end_out)
{
	struct cleaning *c = arg;
	size_t n = 0;
	enum err e = retention_store_rows(op, c->sv->db, KEPT_WEBHOOK_LOG, c->before_ms, &n);

	c->deleted += (int64_t)n;
	*end_out = n < KEEP_CHUNK;
	return e;
}

/* The rows carry whatever clock wrote them; a host's will do for days. */
enum err
op_webhook_cleanup(struct op *op, struct services *sv, int64_t retention_days, int64_t *deleted_out,
    bool *more_out)
{
	struct cleaning c = { .sv = sv, .before_ms = clock_wall_ms() - retention_days * DAY_MS };
	struct log_line l;
	bool end;
	enum err e;

	if ((e = piecemeal(op, clean_some, &c, LONGEST_MS, &end)) != ERR_OK)
		return e;
	*deleted_out = c.deleted;
	*more_out = !end;
	log_begin(&l, op->log, LOG_INFO, "事件日志清理", "webhook_log_cleaned", op->request_id);
	log_i64(&l, "retention_days", retention_days);
	log_i64(&l, "deleted", c.deleted);
	log_end(&l);
	return ERR_OK;
}
