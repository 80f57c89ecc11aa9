/* delivery_log_store - lists of deliveries: those of a call by its index, else those of the newest events,
 * a window at a time, so that a rare wish does not read everything there is.
 * SPDX-License-Identifier: MIT */
#include "store/delivery_log_store.h"

/* In the order of enum outcome. */
#define OUTCOME                                                                                  \
	"CASE WHEN d.state = 2 THEN 2 WHEN d.state = 3 THEN 3 "                                      \
	"WHEN d.state = 1 OR d.attempts > 0 THEN 1 ELSE 0 END"
#define SELECTED                                                                                 \
	"SELECT e.event_id, d.type, d.room_id, d.endpoint_id, w.url, d.last_answer, d.pos, e.seq, "  \
	OUTCOME ", d.attempts, d.last_status, d.created_at_ms, d.last_try_at_ms, "                   \
	"CASE d.state WHEN 0 THEN d.next_try_at_ms WHEN 1 THEN d.due_at_ms ELSE 0 END "
/* Both downwards, as the index on calls can be read: no sorting of all there is for a page. IF, not OR: where OR comes
 * down to endpoint_id = '..', MariaDB drops endpoint_id from ORDER BY, also for every later use of the
 * prepared statement. */
#define MATCHES                                                                                  \
	" AND (d.pos < ? OR d.endpoint_id < ?) AND ((? >> " OUTCOME ") & 1) = 1 "                    \
	"AND IF(? = '', 1, d.endpoint_id = ?) AND IF(? = '', 1, d.type = ?) "                        \
	"ORDER BY d.pos DESC, d.endpoint_id DESC LIMIT ?"

static const struct sql_col ROW_COLS[] = {
	SQL_COL(struct delivery_log_row, event_id),
	SQL_COL(struct delivery_log_row, type),
	SQL_COL(struct delivery_log_row, room_id),
	SQL_COL(struct delivery_log_row, endpoint_id),
	SQL_COL(struct delivery_log_row, url),
	SQL_COL(struct delivery_log_row, answer),
	SQL_COL(struct delivery_log_row, pos),
	SQL_COL(struct delivery_log_row, seq),
	SQL_COL(struct delivery_log_row, outcome),
	SQL_COL(struct delivery_log_row, attempts),
	SQL_COL(struct delivery_log_row, status),
	SQL_COL(struct delivery_log_row, created_at_ms),
	SQL_COL(struct delivery_log_row, last_try_at_ms),
	SQL_COL(struct delivery_log_row, next_try_at_ms),
};
static const struct sql_stmt LIST = {
	.name = "deliveries_list",
	.text = SELECTED "FROM event e JOIN event_delivery d ON d.event_no = e.id "
	    "LEFT JOIN webhook_endpoint w ON w.id = d.endpoint_id "
	    "WHERE e.pos >= ? AND e.pos <= ?" MATCHES,
	.cols = ROW_COLS,
	.n_cols = N_ELEMS(ROW_COLS),
};
static const struct sql_stmt LIST_OF_ROOM = {
	.name = "deliveries_list_of_room",
	.text = SELECTED "FROM event_delivery d JOIN event e ON e.id = d.event_no "
	    "LEFT JOIN webhook_endpoint w ON w.id = d.endpoint_id "
	    "WHERE d.room_id = ? AND d.pos >= ? AND d.pos <= ?" MATCHES,
	.cols = ROW_COLS,
	.n_cols = N_ELEMS(ROW_COLS),
};

struct window_row { int64_t first, n; };
static const struct sql_col WINDOW_COLS[] = {
	SQL_COL(struct window_row, first),
	SQL_COL(struct window_row, n),
};
static const struct sql_stmt WINDOW = {
	.name = "deliveries_window",
	.text = "SELECT COALESCE(MIN(w.pos), 0), COUNT(*) FROM "
	    "(SELECT pos FROM event WHERE pos > 0 AND pos <= ? ORDER BY pos DESC LIMIT ?) w",
	.cols = WINDOW_COLS,
	.n_cols = N_ELEMS(WINDOW_COLS),
};

static const struct sql_col FAILURE_COLS[] = {
	SQL_COL(struct failure_row, type),
	SQL_COL(struct failure_row, n),
};
static const struct sql_stmt FAILURES = {
	.name = "webhook_failures",
	.text = "SELECT event_type, COUNT(*) FROM business_webhook_log GROUP BY event_type ORDER BY event_type LIMIT 1000",
	.cols = FAILURE_COLS,
	.n_cols = N_ELEMS(FAILURE_COLS),
};
struct id_row { int64_t id; };
static const struct sql_col ID_COLS[] = { SQL_COL(struct id_row, id) };
static const struct sql_stmt MAX_ID = {
	.name = "webhook_failures_max_id",
	.text = "SELECT COALESCE(MAX(id), 0) FROM business_webhook_log",
	.cols = ID_COLS,
	.n_cols = N_ELEMS(ID_COLS),
};
const struct sql_stmt *const DELIVERY_LOG_STORE_STMTS[] = { &LIST, &LIST_OF_ROOM, &WINDOW, &FAILURES, &MAX_ID,
	NULL };

enum err
delivery_log_store_list(struct op *op, struct sql_link *l, const struct delivery_log_filter *f,
    struct delivery_log_row **rows_out, size_t *n_out)
{
	struct sql_arg a[12];
	size_t n = 0;

	if (f->room_id.len > 0)
		a[n++] = sql_str(f->room_id);
	a[n++] = sql_i64(f->from_pos);
	a[n++] = sql_i64(f->before_pos);
	a[n++] = sql_i64(f->before_pos);
	a[n++] = sql_str(f->before_endpoint);
	a[n++] = sql_i64(f->outcomes == 0 ? (1 << OUTCOME_COUNT) - 1 : f->outcomes);
	a[n++] = sql_str(f->endpoint_id);
	a[n++] = sql_str(f->endpoint_id);
	a[n++] = sql_str(f->type);
	a[n++] = sql_str(f->type);
	a[n++] = sql_i64(f->limit);
	return sql_all(op, l, f->room_id.len > 0 ? &LIST_OF_ROOM : &LIST, a, n, sizeof(**rows_out), rows_out,
	    n_out);
}

enum err
delivery_log_store_window(struct op *op, struct sql_link *l, int64_t upto, int64_t *first_out)
{
	const struct sql_arg args[] = { sql_i64(upto), sql_i64(DELIVERY_WINDOW) };
	struct window_row row = { 0 };
	bool found;
	enum err e;

	if ((e = sql_one(op, l, &WINDOW, args, N_ELEMS(args), &row, &found)) != ERR_OK)
		return e;
	*first_out = row.n < DELIVERY_WINDOW ? 0 : row.first;
	return ERR_OK;
}

enum err
delivery_log_store_failures(struct op *op, struct sql_link *l, struct failure_row **rows_out, size_t *n_out)
{
	return sql_all(op, l, &FAILURES, NULL, 0, sizeof(**rows_out), rows_out, n_out);
}

enum err
delivery_log_store_max_id(struct op *op, struct sql_link *l, int64_t *id_out)
{
	struct id_row row = { 0 };
	bool found;
	enum err e;

	if ((e = sql_one(op, l, &MAX_ID, NULL, 0, &row, &found)) != ERR_OK)
		return e;
	*id_out = row.id;
	return ERR_OK;
}
