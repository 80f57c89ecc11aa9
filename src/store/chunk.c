/* chunk - cuts a long list of rows into statements.
 * SPDX-License-Identifier: MIT */
#include "store/chunk.h"

enum { ARGS_MAX = 40000, BYTES_MAX = 4 << 20 };

static size_t
bytes_of(const struct sql_arg *args, size_t n)
{
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += args[i].type == SQL_STR ? args[i].s.len : sizeof(args[i].i);
	return bytes;
}

/* How many rows from `from` on go into one statement: one at least. */
static size_t
fitting(const struct chunk *rows, size_t from)
{
	size_t n = 0, bytes = 0;

	while (from + n < rows->n && (n + 1) * rows->n_each <= ARGS_MAX) {
		bytes += bytes_of(&rows->args[(from + n) * rows->n_each], rows->n_each);
		if (n > 0 && bytes > BYTES_MAX)
			break;
		n++;
	}
	return n;
}

enum err
chunk_run(struct op *op, struct sql_link *l, const struct sql_stmt *s, const struct chunk *rows)
{
	enum err e;

	for (size_t from = 0, n; from < rows->n; from += n) {
		n = fitting(rows, from);
		e = sql_run(op, l, s, &rows->args[from * rows->n_each], n * rows->n_each, NULL);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}
