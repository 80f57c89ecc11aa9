/* event_store - the stream of events.
 * SPDX-License-Identifier: MIT */
#include "store/event_store.h"

static const struct sql_col NO_COLS[] = { SQL_COL(struct event_no, id) };
/* The index on pos holds the id behind it: this reads in order and stops. */
static const struct sql_stmt UNNUMBERED = {
	.name = "events_unnumbered",
	.text = "SELECT id FROM event WHERE pos = 0 ORDER BY id LIMIT ?",
	.cols = NO_COLS,
	.n_cols = N_ELEMS(NO_COLS),
};
/* By primary key only: through the index on pos it would wait for transactions that are not committed yet. */
static const struct sql_stmt NUMBER = {
	.name = "events_number",
	.text = "UPDATE event FORCE INDEX (PRIMARY) SET pos = ? + FIND_IN_SET(id, ?) WHERE id IN ({})",
	.unit = "?",
};
static const struct sql_stmt NEWEST = {
	.name = "events_newest",
	.text = "SELECT COALESCE(MAX(pos), 0) FROM event",
	.cols = NO_COLS,
	.n_cols = N_ELEMS(NO_COLS),
};
#define QUEUE                                                                                    \
	"INSERT INTO event_delivery (endpoint_id, pos, event_no, room_id, type, created_at_ms) "     \
	"SELECT ?, e.pos, e.id, e.room_id, e.type, ? FROM event e WHERE e.pos > ? AND e.pos <= ?"
static const struct sql_stmt QUEUE_ALL = {
	.name = "events_queue_all",
	.text = QUEUE,
};
static const struct sql_stmt QUEUE_TYPES = {
	.name = "events_queue_types",
	.text = QUEUE " AND e.type IN ({})",
	.unit = "?",
};

struct window_row { int64_t last, n; };
static const struct sql_col WINDOW_COLS[] = {
	SQL_COL(struct window_row, last),
	SQL_COL(struct window_row, n),
};
static const struct sql_stmt WINDOW = {
	.name = "events_window",
	.text = "SELECT COALESCE(MAX(w.pos), 0), COUNT(*) FROM "
	    "(SELECT pos FROM event WHERE pos > ? ORDER BY pos LIMIT ?) w",
	.cols = WINDOW_COLS,
	.n_cols = N_ELEMS(WINDOW_COLS),
};

#define BY_POS  "FROM event WHERE pos > ? AND pos <= ? AND (? = 0 OR type IN ({})) ORDER BY pos LIMIT ?"
/* Within a call, seq and pos grow together. */
#define BY_ROOM                                                                                  \
	"FROM event WHERE room_id = ? AND pos > ? AND pos <= ? AND (? = 0 OR type IN ({})) "         \
	"ORDER BY seq LIMIT ?"
#define SIZE_SELECT "SELECT pos, LENGTH(data) "
#define ROW_SELECT  "SELECT pos, seq, created_at_ms, event_id, type, room_id, uid, data "

static const struct sql_col SIZE_COLS[] = {
	SQL_COL(struct event_size, pos),
	SQL_COL(struct event_size, n_bytes),
};
static const struct sql_col ROW_COLS[] = {
	SQL_COL(struct event_row, pos),
	SQL_COL(struct event_row, seq),
	SQL_COL(struct event_row, created_at_ms),
	SQL_COL(struct event_row, event_id),
	SQL_COL(struct event_row, type),
	SQL_COL(struct event_row, room_id),
	SQL_COL(struct event_row, uid),
	SQL_COL(struct event_row, data),
};
static const struct sql_stmt SIZES = {
	.name = "events_sizes", .text = SIZE_SELECT BY_POS, .unit = "?",
	.cols = SIZE_COLS, .n_cols = N_ELEMS(SIZE_COLS),
};
static const struct sql_stmt SIZES_OF_ROOM = {
	.name = "events_sizes_of_room", .text = SIZE_SELECT BY_ROOM, .unit = "?",
	.cols = SIZE_COLS, .n_cols = N_ELEMS(SIZE_COLS),
};
static const struct sql_stmt LIST = {
	.name = "events_list", .text = ROW_SELECT BY_POS, .unit = "?",
	.cols = ROW_COLS, .n_cols = N_ELEMS(ROW_COLS),
};
static const struct sql_stmt LIST_OF_ROOM = {
	.name = "events_list_of_room", .text = ROW_SELECT BY_ROOM, .unit = "?",
	.cols = ROW_COLS, .n_cols = N_ELEMS(ROW_COLS),
};
const struct sql_stmt *const EVENT_STORE_STMTS[] = { &UNNUMBERED, &NUMBER, &NEWEST, &QUEUE_ALL, &QUEUE_TYPES,
	&WINDOW, &SIZES, &SIZES_OF_ROOM, &LIST, &LIST_OF_ROOM, NULL };

enum err
event_store_unnumbered(struct op *op, struct sql_link *l, int64_t limit, struct event_no **rows_out,
    size_t *n_out)
{
	const struct sql_arg arg = sql_i64(limit);

	return sql_all(op, l, &UNNUMBERED, &arg, 1, sizeof(**rows_out), rows_out, n_out);
}

enum err
event_store_number(struct op *op, struct sql_link *l, const struct event_no *rows, size_t n, int64_t after)
{
	enum { N_FIXED = 2, ID_BYTES = 21 };
	struct sql_arg *args = arena_array(op->arena, n + N_FIXED, sizeof(*args));
	struct strbuf list;

	strbuf_init_arena(&list, op->arena, n * ID_BYTES + 1, n * ID_BYTES + 1);
	for (size_t i = 0; i < n; i++) {
		strbuf_addf(&list, "%s%lld", i > 0 ? "," : "", (long long)rows[i].id);
		args[N_FIXED + i] = sql_i64(rows[i].id);
	}
	args[0] = sql_i64(after);
	args[1] = sql_str(strbuf_str(&list));
	return sql_run(op, l, &NUMBER, args, n + N_FIXED, NULL);
}

enum err
event_store_newest(struct op *op, struct sql_link *l, int64_t *pos_out)
{
	struct event_no row = { 0 };
	bool found;
	enum err e;

	if ((e = sql_one(op, l, &NEWEST, NULL, 0, &row, &found)) != ERR_OK)
		return e;
	*pos_out = row.id;
	return ERR_OK;
}

enum err
event_store_queue(struct op *op, struct sql_link *l, const struct endpoint *to, const struct event_span *span,
    int64_t now_ms)
{
	enum { N_FIXED = 4 };
	struct sql_arg *args = arena_array(op->arena, N_FIXED + to->n_events, sizeof(*args));
	size_t n = 0;

	args[n++] = sql_str(to->id);
	args[n++] = sql_i64(now_ms);
	args[n++] = sql_i64(span->after);
	args[n++] = sql_i64(span->upto);
	for (size_t i = 0; i < to->n_events && !to->all; i++)
		args[n++] = sql_str(to->events[i]);
	if (n == N_FIXED && !to->all)
		return ERR_OK;
	return sql_run(op, l, to->all ? &QUEUE_ALL : &QUEUE_TYPES, args, n, NULL);
}

enum err
event_store_window(struct op *op, struct sql_link *l, int64_t after, int64_t *last_out)
{
	const struct sql_arg args[] = { sql_i64(after), sql_i64(EVENT_WINDOW) };
	struct window_row row = { 0 };
	bool found;
	enum err e;

	if ((e = sql_one(op, l, &WINDOW, args, N_ELEMS(args), &row, &found)) != ERR_OK)
		return e;
	*last_out = row.n > 0 ? row.last : after;
	return ERR_OK;
}

/* The arguments of BY_POS, or BY_ROOM; returns how many. */
static size_t
filter_args(struct op *op, const struct event_filter *f, struct sql_arg **args_out)
{
	enum { N_BESIDES = 6 };
	struct sql_arg *a = arena_array(op->arena, f->n_types + N_BESIDES, sizeof(*a));
	size_t n = 0;

	if (f->room_id.len > 0)
		a[n++] = sql_str(f->room_id);
	a[n++] = sql_i64(f->span.after);
	a[n++] = sql_i64(f->span.upto);
	a[n++] = sql_i64(f->n_types > 0);
	/* SQL has no empty list; the number before it says that it does not count. */
	if (f->n_types == 0)
		a[n++] = sql_str(S(""));
	for (size_t i = 0; i < f->n_types; i++)
		a[n++] = sql_str(f->types[i]);
	a[n++] = sql_i64(f->limit);
	*args_out = a;
	return n;
}

enum err
event_store_sizes(struct op *op, struct sql_link *l, const struct event_filter *f, struct event_size **rows_out,
    size_t *n_out)
{
	struct sql_arg *args;
	size_t n = filter_args(op, f, &args);

	return sql_all(op, l, f->room_id.len > 0 ? &SIZES_OF_ROOM : &SIZES, args, n, sizeof(**rows_out), rows_out,
	    n_out);
}

enum err
event_store_list(struct op *op, struct sql_link *l, const struct event_filter *f, struct event_row **rows_out,
    size_t *n_out)
{
	struct sql_arg *args;
	size_t n = filter_args(op, f, &args);

	return sql_all(op, l, f->room_id.len > 0 ? &LIST_OF_ROOM : &LIST, args, n, sizeof(**rows_out), rows_out,
	    n_out);
}
