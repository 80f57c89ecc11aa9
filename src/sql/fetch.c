/* fetch - rows into structs: each column goes to the field its statement names, texts of any length
 * into the arena.
 * SPDX-License-Identifier: MIT */
#include "sql/sql_private.h"

#include <limits.h>
#include <string.h>

enum { SHORT_TEXT = 64 };         /* most ids and names fit; what is longer is fetched a second time */

struct cell {
	long long number;
	char text[SHORT_TEXT];
	unsigned long len;
	my_bool null, cut;
};

/* The columns of one result: what the library writes into, and where it goes from there. */
struct row_reader {
	const struct sql_stmt *stmt;
	MYSQL_STMT *handle;
	MYSQL_BIND *binds;
	struct cell *cells;
	const char *fault;            /* a value that does not fit its field: our bug */
};

static void
bind_cell(MYSQL_BIND *b, struct cell *c, enum sql_type type)
{
	b->is_null = &c->null;
	b->error = &c->cut;
	b->length = &c->len;
	if (type == SQL_STR) {
		b->buffer_type = MYSQL_TYPE_STRING;
		b->buffer = c->text;
		b->buffer_length = sizeof(c->text);
	} else {
		b->buffer_type = MYSQL_TYPE_LONGLONG;
		b->buffer = &c->number;
		b->buffer_length = sizeof(c->number);
	}
}

static bool
reader_init(struct row_reader *r, struct op *op, const struct sql_stmt *s, MYSQL_STMT *handle)
{
	*r = (struct row_reader){ .stmt = s, .handle = handle };
	if (s->n_cols == 0 || mysql_stmt_field_count(handle) != s->n_cols) {
		r->fault = "the statement's columns are not those it names";
		return false;
	}
	r->binds = arena_array(op->arena, s->n_cols, sizeof(*r->binds));
	r->cells = arena_array(op->arena, s->n_cols, sizeof(*r->cells));
	for (size_t i = 0; i < s->n_cols; i++)
		bind_cell(&r->binds[i], &r->cells[i], s->cols[i].type);
	if (mysql_stmt_bind_result(handle, r->binds) != 0) {
		r->fault = "the result cannot be bound";
		return false;
	}
	return true;
}

static bool
text_of_cell(struct row_reader *r, struct op *op, size_t i, struct str *out)
{
	struct cell *c = &r->cells[i];
	MYSQL_BIND whole = { 0 };
	unsigned long len = c->len;
	char *at;

	if (len <= sizeof(c->text)) {
		*out = arena_str(op->arena, (struct str){ c->text, len });
		return true;
	}
	at = arena_alloc(op->arena, len + 1);
	whole.buffer_type = MYSQL_TYPE_STRING;
	whole.buffer = at;
	whole.buffer_length = len;
	whole.length = &len;
	whole.is_null = &c->null;
	whole.error = &c->cut;
	if (mysql_stmt_fetch_column(r->handle, &whole, (unsigned)i, 0) != 0 || len != c->len)
		return false;
	*out = (struct str){ at, len };
	return true;
}

static bool
number_of_cell(const struct cell *c, enum sql_type type, void *field)
{
	int small = (int)c->number;
	int64_t wide = c->number;
	bool truth = c->number != 0;

	if (c->cut)
		return false;
	if (type == SQL_INT) {
		if (c->number < INT_MIN || c->number > INT_MAX)
			return false;
		memcpy(field, &small, sizeof(small));
	} else if (type == SQL_BOOL) {
		memcpy(field, &truth, sizeof(truth));
	} else {
		memcpy(field, &wide, sizeof(wide));
	}
	return true;
}

/* NULL reads as 0, false or "". */
static bool
put_cell(struct row_reader *r, struct op *op, size_t i, char *row)
{
	const struct sql_col *col = &r->stmt->cols[i];
	struct cell *c = &r->cells[i];
	void *field = row + col->offset;
	struct str text = S("");

	if (c->null) {
		c->number = 0;
		c->len = 0;
		c->cut = false;
	}
	if (col->type != SQL_STR)
		return number_of_cell(c, col->type, field);
	if (!c->null && !text_of_cell(r, op, i, &text))
		return false;
	memcpy(field, &text, sizeof(text));
	return true;
}

/* One row into `row`; *more_out false at the end. */
static bool
read_row(struct row_reader *r, struct op *op, void *row, bool *more_out)
{
	int rc;

	/* The library only ever sets this flag. */
	for (size_t i = 0; i < r->stmt->n_cols; i++)
		r->cells[i].cut = false;
	rc = mysql_stmt_fetch(r->handle);
	*more_out = rc != MYSQL_NO_DATA;
	if (rc == MYSQL_NO_DATA)
		return true;
	if (rc != 0 && rc != MYSQL_DATA_TRUNCATED) {
		r->fault = "a row cannot be read";
		return false;
	}
	for (size_t i = 0; i < r->stmt->n_cols; i++) {
		if (!put_cell(r, op, i, row)) {
			r->fault = "a value does not fit its field";
			return false;
		}
	}
	return true;
}

/* The result is in our memory already (stmt_start stored it): what goes wrong here is ours. */
static enum err
reader_fault(struct op *op, struct sql_link *l, const struct row_reader *r)
{
	struct sql_fault f = { .words = "" };
	struct strbuf b;

	strbuf_init(&b, f.words, sizeof(f.words));
	strbuf_addz(&b, r->fault);
	return link_fault(op, l, r->stmt->name, &f);
}

enum err
sql_one(struct op *op, struct sql_link *l, const struct sql_stmt *s, const struct sql_arg *args,
    size_t n_args, void *row_out, bool *found_out)
{
	struct stmt_call c = { s, args, n_args };
	struct row_reader r;
	struct stmt_run run;
	bool found = false, ok;
	enum err e;

	if ((e = stmt_start(op, l, &c, &run)) != ERR_OK)
		return e;
	ok = reader_init(&r, op, s, run.handle) && read_row(&r, op, row_out, &found);
	stmt_end(&run);
	if (!ok)
		return reader_fault(op, l, &r);
	*found_out = found;
	return ERR_OK;
}

enum err
sql_all(struct op *op, struct sql_link *l, const struct sql_stmt *s, const struct sql_arg *args,
    size_t n_args, size_t row_size, void *rows_out, size_t *n_out)
{
	struct stmt_call c = { s, args, n_args };
	struct row_reader r;
	struct stmt_run run;
	size_t n_rows, n = 0;
	char *rows;
	bool more = true, ok;
	enum err e;

	if ((e = stmt_start(op, l, &c, &run)) != ERR_OK)
		return e;
	n_rows = (size_t)mysql_stmt_num_rows(run.handle);
	rows = arena_array(op->arena, n_rows + 1, row_size);
	ok = reader_init(&r, op, s, run.handle);
	while (ok && more && n <= n_rows) {
		ok = read_row(&r, op, rows + n * row_size, &more);
		n += ok && more;
	}
	stmt_end(&run);
	if (!ok)
		return reader_fault(op, l, &r);
	memcpy(rows_out, &(void *){ rows }, sizeof(void *));
	*n_out = n;
	return ERR_OK;
}
