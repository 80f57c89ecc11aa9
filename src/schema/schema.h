/* schema - the migrations of sql/migrations, built into the program, and what of them a database has.
 * Shape:     a set is ascending by version; a database without our table schema_migrations has
 *            version 0. The set is a parameter so that tests can bring their own; everybody else
 *            passes &SCHEMA.
 * Files:     statements ended by ';'. Comment lines ("-- ...") before a statement that begin with `if`
 *            or `unless` are its guards; all of them must hold, else it is skipped. Prose must not begin
 *            with these two words: a guard that cannot be read fails the migration.
 *              -- unless table T           -- if table T
 *              -- unless column T.C        -- if column T.C
 *              -- unless index T.I         -- if index T.I
 *              -- unless collation T.C utf8mb4_bin   (and if)
 *            Every statement needs guards, or must be harmless when run twice: DDL commits by itself,
 *            and a migration that failed is run again from its first statement.
 * Errors:    ERR_UNAVAILABLE: no database, or another migration holds the lock for too long;
 *            ERR_INTERNAL: a statement was refused. Both were printed in words by schema_migrate.
 * Ownership: texts in op->arena. */
/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_SCHEMA_H
#define SCHEMA_SCHEMA_H

#include "base/op.h"
#include "sql/sql.h"

struct schema_migration {
	int version;                  /* NNNN of the file's name */
	const char *name;             /* the file's name without ".sql" */
	const char *text;
};
struct schema_set {
	const struct schema_migration *at;
	size_t n;
};
extern const struct schema_set SCHEMA;        /* made by tools/embed-migrations */

enum schema_state {
	SCHEMA_NONE,                  /* version 0: never migrated */
	SCHEMA_OLDER,                 /* something of ours is missing: `tgo-call migrate` */
	SCHEMA_OK,
	SCHEMA_NEWER,                 /* made by a later release than this program */
};
struct schema_status {
	enum schema_state state;
	int applied, newest;          /* newest: that this program knows */
};
enum err schema_status(struct op *op, struct sql_link *l, const struct schema_set *set,
    struct schema_status *out) MUST_CHECK;

struct schema_row {
	int version;
	struct str name, status;      /* pending, success, failed */
	struct str error;             /* the server's words */
	struct str executed_at;       /* local "YYYY-MM-DD hh:mm:ss", "" when it never ran */
	int64_t duration_ms;
};
/* What this program knows and what the database has, by version. */
enum err schema_history(struct op *op, struct sql_link *l, const struct schema_set *set,
    struct schema_row **rows_out, size_t *n_out) MUST_CHECK;

struct schema_run {
	bool dry_run;                 /* reads only: says what would run */
	void (*print)(void *arg, struct str line);
	void *arg;
	/* Run on the connection before each migration, e.g. "SET @ring_timeout_s = 60": what the files
	 * need to know of the configuration. */
	const struct str *session;
	size_t n_session;
	int64_t wait_s;               /* how long to wait for another migration; 0: ten minutes */
};
/* Creates the database and our two tables where they are missing, takes the written lock, runs what
 * is missing, in order, and records it. Safe to start twice, on a cluster too. */
enum err schema_migrate(struct op *op, struct sql_link *l, const struct schema_set *set,
    const struct schema_run *run) MUST_CHECK;

#endif
