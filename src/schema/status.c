/* status - which migrations a database has, against those this program knows.
 * SPDX-License-Identifier: MIT */
#include "schema/schema_private.h"

#include "base/clock.h"

struct record {
	int version;
	struct str name, status, error;
	int64_t executed_at_ms, duration_ms;
};

static const struct sql_col RECORD_COLS[] = {
	SQL_COL(struct record, version),
	SQL_COL(struct record, name),
	SQL_COL(struct record, status),
	SQL_COL(struct record, error),
	SQL_COL(struct record, executed_at_ms),
	SQL_COL(struct record, duration_ms),
};
static const struct sql_stmt RECORDS = {
	.name = "schema_records",
	.text = "SELECT version, name, status, error, executed_at_ms, duration_ms"
	    " FROM schema_migrations ORDER BY version LIMIT 10000",
	.cols = RECORD_COLS, .n_cols = N_ELEMS(RECORD_COLS),
};

/* No table is no records: a database that was never migrated is not an error. */
static enum err
records_read(struct op *op, struct sql_link *l, struct record **rows_out, size_t *n_out)
{
	bool has = false;
	enum err e;

	*n_out = 0;
	if ((e = catalogue_has_table(op, l, S("schema_migrations"), &has)) != ERR_OK || !has)
		return e;
	return sql_all(op, l, &RECORDS, NULL, 0, sizeof(struct record), rows_out, n_out);
}

static bool
is_success(const struct record *r)
{
	return str_eq(r->status, S("success"));
}

static const struct record *
record_find(const struct record *rows, size_t n, int version)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].version == version)
			return &rows[i];
	return NULL;
}

enum err
schema_done(struct op *op, struct sql_link *l, const struct schema_set *set, bool **done_out)
{
	struct record *rows = NULL;
	size_t n = 0;
	bool *done;
	enum err e;

	if ((e = records_read(op, l, &rows, &n)) != ERR_OK)
		return e;
	done = arena_array(op->arena, set->n + 1, sizeof(*done));
	for (size_t i = 0; i < set->n; i++) {
		const struct record *r = record_find(rows, n, set->at[i].version);

		done[i] = r != NULL && is_success(r);
	}
	*done_out = done;
	return ERR_OK;
}

enum err
schema_status(struct op *op, struct sql_link *l, const struct schema_set *set,
    struct schema_status *out)
{
	struct schema_status s = { .newest = set->n > 0 ? set->at[set->n - 1].version : 0 };
	struct record *rows = NULL;
	bool complete = true;
	size_t n = 0;
	enum err e;

	if ((e = records_read(op, l, &rows, &n)) != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++)
		if (is_success(&rows[i]))
			s.applied = rows[i].version;
	for (size_t i = 0; i < set->n; i++) {
		const struct record *r = record_find(rows, n, set->at[i].version);

		complete = complete && r != NULL && is_success(r);
	}
	s.state = s.applied == 0 ? SCHEMA_NONE : complete ? SCHEMA_OK : SCHEMA_OLDER;
	if (s.applied > s.newest)
		s.state = SCHEMA_NEWER;
	*out = s;
	return ERR_OK;
}

static struct schema_row
row_of_record(struct op *op, const struct record *r)
{
	struct schema_row row = { r->version, r->name, r->status, r->error, S(""), r->duration_ms };
	struct strbuf b;

	if (r->executed_at_ms > 0) {
		strbuf_init_arena(&b, op->arena, 32, 32);
		clock_format_local(&b, r->executed_at_ms);
		row.executed_at = strbuf_str(&b);
	}
	return row;
}

enum err
schema_history(struct op *op, struct sql_link *l, const struct schema_set *set,
    struct schema_row **rows_out, size_t *n_out)
{
	struct record *have = NULL;
	size_t n_have = 0, i = 0, k = 0, n = 0;
	struct schema_row *rows;
	enum err e;

	if ((e = records_read(op, l, &have, &n_have)) != ERR_OK)
		return e;
	rows = arena_array(op->arena, n_have + set->n + 1, sizeof(*rows));
	/* Both lists ascend. */
	while (i < n_have || k < set->n) {
		if (k == set->n || (i < n_have && have[i].version <= set->at[k].version)) {
			k += k < set->n && have[i].version == set->at[k].version;
			rows[n++] = row_of_record(op, &have[i++]);
		} else {
			rows[n++] = (struct schema_row){ set->at[k].version, str_of(set->at[k].name),
			    S("pending"), S(""), S(""), 0 };
			k++;
		}
	}
	*rows_out = rows;
	*n_out = n;
	return ERR_OK;
}
