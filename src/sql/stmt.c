/* stmt - prepared statements: the "{}" list expansion, the cache of a link, binding and sending.
 * SPDX-License-Identifier: MIT */
#include "sql/sql_private.h"

#include <errmsg.h>
#include <string.h>

#include "base/clock.h"

/* Numbers after which the server only wants the statement prepared anew. */
enum { UNKNOWN_STMT_HANDLER = 1243, NEED_REPREPARE = 1615 };

/* The index behind a quoted text that begins at `from`. */
static size_t
skip_quoted(struct str text, size_t from)
{
	char quote = text.at[from];
	size_t i = from + 1;

	while (i < text.len && text.at[i] != quote)
		i += text.at[i] == '\\' && quote != '`' ? 2 : 1;
	return i + 1;
}

/* Counts the '?' of a text and finds its first "{}"; *list_out = text.len when there is none. */
static size_t
count_marks(struct str text, size_t *list_out)
{
	size_t n = 0;

	*list_out = text.len;
	for (size_t i = 0; i < text.len;) {
		char c = text.at[i];

		if (c == '\'' || c == '"' || c == '`') {
			i = skip_quoted(text, i);
			continue;
		}
		if (c == '?')
			n++;
		if (c == '{' && i + 1 < text.len && text.at[i + 1] == '}' && *list_out == text.len)
			*list_out = i;
		i++;
	}
	return n;
}

bool
sql_expand(const struct sql_stmt *s, size_t n_args, struct strbuf *to, size_t *n_units_out)
{
	struct str text = str_of(s->text), unit = str_of(s->unit);
	size_t list, ignored, n_fixed = count_marks(text, &list);
	size_t per_unit = count_marks(unit, &ignored), n_units;

	*n_units_out = 0;
	if (list == text.len) {
		strbuf_add(to, text);
		return s->unit == NULL && n_args == n_fixed && strbuf_ok(to);
	}
	/* An empty list has no meaning in SQL: the caller must not ask. */
	if (per_unit == 0 || n_args <= n_fixed || (n_args - n_fixed) % per_unit != 0)
		return false;
	n_units = (n_args - n_fixed) / per_unit;
	strbuf_add(to, (struct str){ text.at, list });
	for (size_t i = 0; i < n_units; i++) {
		if (i > 0)
			strbuf_addc(to, ',');
		strbuf_add(to, unit);
	}
	strbuf_add(to, (struct str){ text.at + list + 2, text.len - list - 2 });
	*n_units_out = n_units;
	return strbuf_ok(to);
}

/* The slot that holds it, else the free one where it would go, else NULL (the table is full). */
static struct sql_cached *
cache_slot(struct sql_link *l, const struct sql_stmt *s, size_t n_args)
{
	size_t at = ((uintptr_t)s >> 4) * 31 + n_args * 17;

	for (size_t i = 0; i < SQL_CACHE_SLOTS; i++) {
		struct sql_cached *c = &l->cache[(at + i) % SQL_CACHE_SLOTS];

		if (c->stmt == NULL || (c->stmt == s && c->n_args == n_args))
			return c;
	}
	return NULL;
}

static MYSQL_STMT *
prepare(struct op *op, struct sql_link *l, struct str text, struct sql_fault *fault_out)
{
	MYSQL_STMT *handle = mysql_stmt_init(l->db);
	int64_t start = clock_mono_us();
	int rc;

	if (handle == NULL) {
		*fault_out = fault_of_link(l);
		return NULL;
	}
	rc = mysql_stmt_prepare(handle, text.at, (unsigned long)text.len);
	op->db_us += clock_mono_us() - start;
	if (rc == 0)
		return handle;
	*fault_out = fault_of_stmt(handle);
	(void)mysql_stmt_close(handle);
	return NULL;
}

/* Finds or makes the handle. Fails with ERR_INTERNAL for a statement that does not fit its
 * arguments, which is our bug, or with what the server said. */
static enum err
stmt_get(struct op *op, struct sql_link *l, const struct stmt_call *c, struct stmt_run *run)
{
	struct sql_cached *slot = c->stmt->once ? NULL : cache_slot(l, c->stmt, c->n_args);
	struct sql_fault f = { .words = "arguments do not fit the statement" };
	size_t n_units = 0;
	struct strbuf text;

	if (slot != NULL && slot->handle != NULL) {
		*run = (struct stmt_run){ .handle = slot->handle, .keep = true };
		return ERR_OK;
	}
	strbuf_init_arena(&text, op->arena, strlen(c->stmt->text) + 64, SQL_TEXT_MAX);
	if (!sql_expand(c->stmt, c->n_args, &text, &n_units))
		return link_fault(op, l, c->stmt->name, &f);
	*run = (struct stmt_run){ .unsent = true };
	run->handle = prepare(op, l, strbuf_str(&text), &f);
	if (run->handle == NULL)
		return link_fault(op, l, c->stmt->name, &f);
	run->keep = slot != NULL && n_units <= SQL_CACHED_UNITS;
	if (run->keep)
		*slot = (struct sql_cached){ c->stmt, c->n_args, run->handle };
	return ERR_OK;
}

/* The library's binding has no const; it only reads through it. */
static void *
for_reading(const void *p)
{
	union { const void *in; void *out; } u = { .in = p };

	return u.out;
}

static MYSQL_BIND *
bind_args(struct op *op, const struct stmt_call *c)
{
	MYSQL_BIND *b = arena_array(op->arena, c->n_args + 1, sizeof(*b));
	unsigned long *len = arena_array(op->arena, c->n_args + 1, sizeof(*len));

	for (size_t i = 0; i < c->n_args; i++) {
		const struct sql_arg *a = &c->args[i];

		if (a->type == SQL_STR) {
			len[i] = (unsigned long)a->s.len;
			b[i].buffer_type = MYSQL_TYPE_STRING;
			b[i].buffer = for_reading(a->s.at != NULL ? a->s.at : "");
			b[i].buffer_length = len[i];
			b[i].length = &len[i];
		} else {
			b[i].buffer_type = MYSQL_TYPE_LONGLONG;
			b[i].buffer = for_reading(&a->i);
		}
	}
	return b;
}

static bool
execute(struct op *op, struct stmt_run *run, MYSQL_BIND *args, struct sql_fault *fault_out)
{
	int64_t start = clock_mono_us();
	bool ok;

	op->n_sql++;
	/* Storing the result takes every row off the wire here, where errors are handled; a locking
	 * read may still be told of a deadlock while its rows come. */
	ok = mysql_stmt_bind_param(run->handle, args) == 0 && mysql_stmt_execute(run->handle) == 0 &&
	    (mysql_stmt_field_count(run->handle) == 0 || mysql_stmt_store_result(run->handle) == 0);
	sql_took(op, "statement", start);
	if (!ok)
		*fault_out = fault_of_stmt(run->handle);
	return ok;
}

/* Closes a handle the server no longer knows. The slot keeps its key: a hole would hide what was
 * stored behind it. */
static void
forget(struct sql_link *l, const struct stmt_call *c, struct stmt_run *run)
{
	struct sql_cached *slot = run->keep ? cache_slot(l, c->stmt, c->n_args) : NULL;

	if (slot != NULL)
		slot->handle = NULL;
	(void)mysql_stmt_close(run->handle);
	run->handle = NULL;
}

void
stmt_end(struct stmt_run *run)
{
	if (run->keep)
		(void)mysql_stmt_free_result(run->handle);
	else
		(void)mysql_stmt_close(run->handle);
	run->handle = NULL;
}

static enum err
stmt_try(struct op *op, struct sql_link *l, const struct stmt_call *c, struct stmt_run *run)
{
	MYSQL_BIND *args = bind_args(op, c);
	struct sql_fault f = { 0 };
	enum err e;

	*run = (struct stmt_run){ .unsent = true };
	if (l->in_tx && l->tx_err != ERR_OK)
		return l->tx_err;
	l->last_name = c->stmt->name;
	if ((e = link_need(op, l)) != ERR_OK)
		return e;
	for (int round = 0; round < 2; round++) {
		if ((e = stmt_get(op, l, c, run)) != ERR_OK)
			return e;
		if (execute(op, run, args, &f))
			return ERR_OK;
		if (f.number != UNKNOWN_STMT_HANDLER && f.number != NEED_REPREPARE)
			break;
		forget(l, c, run);
	}
	run->unsent = f.number == CR_SERVER_GONE_ERROR;     /* the request could not even be written */
	if (run->handle != NULL)
		stmt_end(run);
	return link_fault(op, l, c->stmt->name, &f);
}

enum err
stmt_start(struct op *op, struct sql_link *l, const struct stmt_call *c, struct stmt_run *run_out)
{
	enum err e = stmt_try(op, l, c, run_out);
	bool repeatable = run_out->unsent || c->stmt->n_cols > 0;

	if (e != ERR_SQL_LOST || l->in_tx)
		return e;
	if (!repeatable)
		return ERR_OUTCOME_UNKNOWN;
	e = stmt_try(op, l, c, run_out);
	if (e != ERR_SQL_LOST)
		return e;
	return run_out->unsent || c->stmt->n_cols > 0 ? ERR_UNAVAILABLE : ERR_OUTCOME_UNKNOWN;
}

enum err
sql_run(struct op *op, struct sql_link *l, const struct sql_stmt *s, const struct sql_arg *args,
    size_t n_args, struct sql_done *done_out)
{
	struct stmt_call c = { s, args, n_args };
	struct stmt_run run;
	enum err e;

	if ((e = stmt_start(op, l, &c, &run)) != ERR_OK)
		return e;
	if (done_out != NULL) {
		done_out->n_affected = (int64_t)mysql_stmt_affected_rows(run.handle);
		done_out->insert_id = (int64_t)mysql_stmt_insert_id(run.handle);
	}
	stmt_end(&run);
	return ERR_OK;
}

enum err
sql_text(struct op *op, struct sql_link *l, struct str text, struct str *why_out)
{
	struct sql_fault f = { 0 };
	enum err e;

	l->last_name = "text";
	*why_out = S("no connection to the database");
	if (l->in_tx && l->tx_err != ERR_OK)
		return l->tx_err;
	if ((e = link_need(op, l)) != ERR_OK)
		return e;
	if (link_query(op, l, text, &f)) {
		*why_out = S("");
		return ERR_OK;
	}
	*why_out = arena_printf(op->arena, "%u: %s", f.number, f.words);
	return link_fault(op, l, "text", &f);
}
