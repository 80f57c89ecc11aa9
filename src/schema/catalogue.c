/* catalogue - asks information_schema whether a table, column, index or collation is there.
 * SPDX-License-Identifier: MIT */
#include "schema/schema_private.h"

struct count_row { int64_t n; };

static const struct sql_col COUNT_COLS[] = { SQL_COL(struct count_row, n) };

static const struct sql_stmt HAS_TABLE = {
	.name = "schema_has_table",
	.text = "SELECT COUNT(*) FROM information_schema.tables"
	    " WHERE table_schema = DATABASE() AND table_name = ?",
	.cols = COUNT_COLS, .n_cols = N_ELEMS(COUNT_COLS),
};
static const struct sql_stmt HAS_COLUMN = {
	.name = "schema_has_column",
	.text = "SELECT COUNT(*) FROM information_schema.columns"
	    " WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?",
	.cols = COUNT_COLS, .n_cols = N_ELEMS(COUNT_COLS),
};
static const struct sql_stmt HAS_INDEX = {
	.name = "schema_has_index",
	.text = "SELECT COUNT(*) FROM information_schema.statistics"
	    " WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ?",
	.cols = COUNT_COLS, .n_cols = N_ELEMS(COUNT_COLS),
};
static const struct sql_stmt HAS_COLLATION = {
	.name = "schema_has_collation",
	.text = "SELECT COUNT(*) FROM information_schema.columns"
	    " WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?"
	    " AND collation_name = ?",
	.cols = COUNT_COLS, .n_cols = N_ELEMS(COUNT_COLS),
};

static const struct { const struct sql_stmt *stmt; size_t n_args; } QUESTIONS[] = {
	[GUARD_TABLE] = { &HAS_TABLE, 1 },
	[GUARD_COLUMN] = { &HAS_COLUMN, 2 },
	[GUARD_INDEX] = { &HAS_INDEX, 2 },
	[GUARD_COLLATION] = { &HAS_COLLATION, 3 },
};

enum err
catalogue_guard(struct op *op, struct sql_link *l, const struct schema_guard *g, bool *holds_out)
{
	struct sql_arg args[] = { sql_str(g->table), sql_str(g->item), sql_str(g->value) };
	struct count_row row = { 0 };
	bool found;
	enum err e;

	e = sql_one(op, l, QUESTIONS[g->kind].stmt, args, QUESTIONS[g->kind].n_args, &row, &found);
	if (e != ERR_OK)
		return e;
	*holds_out = (row.n > 0) != g->unless;
	return ERR_OK;
}

enum err
catalogue_has_table(struct op *op, struct sql_link *l, struct str table, bool *has_out)
{
	struct schema_guard g = { .kind = GUARD_TABLE, .table = table };

	return catalogue_guard(op, l, &g, has_out);
}

enum err
catalogue_guards(struct op *op, struct sql_link *l, const struct schema_stmt *s,
    const struct schema_guard **failed_out)
{
	*failed_out = NULL;
	for (size_t i = 0; i < s->n_guards; i++) {
		bool holds = false;
		enum err e = catalogue_guard(op, l, &s->guards[i], &holds);

		if (e != ERR_OK)
			return e;
		if (!holds) {
			*failed_out = &s->guards[i];
			return ERR_OK;
		}
	}
	return ERR_OK;
}
