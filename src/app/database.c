/* The database at the start.
 * SPDX-License-Identifier: MIT */
#include "app/database.h"

#include <stdio.h>

#include "base/clock.h"
#include "i18n/i18n.h"
#include "schema/schema.h"

enum { PER_PROCESSOR = 8, MOST = 48, LEFT_TO_OTHERS = 20 };
enum { LOOK_ARENA_BYTES = 1024 * 1024 };

static void
say_cure(const struct schema_status *st, char *cure, size_t cure_cap)
{
	if (st->state == SCHEMA_NEWER)
		snprintf(cure, cure_cap,
		    "the database has schema version %d and this program knows %d: install the "
		    "release whose `tgo-call migrate` made it",
		    st->applied, st->newest);
	else
		snprintf(cure, cure_cap,
		    "the database has schema version %d and this program needs %d: run "
		    "`tgo-call migrate`",
		    st->applied, st->newest);
}

enum database_state
database_schema(struct op *op, struct sql_link *l, char *cure, size_t cure_cap)
{
	struct schema_status st = { 0 };

	cure[0] = '\0';
	if (schema_status(op, l, &SCHEMA, &st) != ERR_OK) {
		if (!sql_no_database(l))
			return DATABASE_AWAY;
		snprintf(cure, cure_cap, "the database %.*s does not exist: run `tgo-call migrate`",
		    STR_ARG(sql_database_name(l)));
		return DATABASE_OTHER_SCHEMA;
	}
	if (st.state == SCHEMA_OK)
		return DATABASE_READY;
	say_cure(&st, cure, cure_cap);
	return DATABASE_OTHER_SCHEMA;
}

struct max_row {
	int64_t max_connections;
};

static const struct sql_col MAX_COLS[] = { SQL_COL(struct max_row, max_connections) };
static const struct sql_stmt MAX_CONNECTIONS = {
	.name = "max_connections",
	.text = "SELECT @@GLOBAL.max_connections",
	.cols = MAX_COLS,
	.n_cols = N_ELEMS(MAX_COLS),
};

void
database_look(const struct conf *c, struct log *log, struct database_facts *out)
{
	struct arena *a = arena_new(LOOK_ARENA_BYTES);
	struct op op = { .arena = a, .log = log, .lang = LANG_DEFAULT,
	    .started_us = clock_mono_us() };
	struct sql_link *l = sql_open(c);
	struct max_row row = { 0 };
	bool found = false;

	*out = (struct database_facts){ 0 };
	out->state = database_schema(&op, l, out->cure, sizeof(out->cure));
	if (out->state == DATABASE_READY &&
	    sql_one(&op, l, &MAX_CONNECTIONS, NULL, 0, &row, &found) == ERR_OK && found)
		out->max_connections = row.max_connections;
	sql_close(l);
	arena_free(a);
}

int64_t
database_workers(int64_t wanted, int64_t n_processors, int64_t max_connections)
{
	int64_t n = wanted;

	if (n <= 0) {
		n = n_processors * PER_PROCESSOR;
		n = n < MOST ? n : MOST;
	}
	if (max_connections > 0 && n > max_connections - LEFT_TO_OTHERS)
		n = max_connections - LEFT_TO_OTHERS;
	return n > 1 ? n : 1;
}
