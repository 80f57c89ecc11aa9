/* sql - the only room that knows mysql.h: one link, prepared statements, transactions.
 * Shape:     a statement is a named const struct; its parameters are bound, never printed into text.
 *            At most one "{}" in the text stands for `unit` repeated, comma separated, once per
 *            element: how many follows from the number of arguments given.
 * Ownership: rows and their texts live in op->arena.
 * Errors:    ERR_OK; ERR_UNAVAILABLE (no link to be had, outside tx_run also a link lost twice; or a server
 *            that answers and cannot: read-only, disk full, out of something; nothing of the transaction
 *            stays), ERR_SQL_DUPLICATE (1062), ERR_SQL_AGAIN (1213, 1205, 1020, ...: the whole transaction must
 *            be repeated; each number stands in fault.c), ERR_SQL_LOST (the link went inside a transaction), ERR_INTERNAL (anything else:
 *            logged here with the statement's name). tx_run returns ERR_OUTCOME_UNKNOWN when the link went
 *            during COMMIT, a single write outside tx_run when it went before the answer came. "Not
 *            found" is a flag, not an error.
 * Session:   READ COMMITTED, utf8mb4, strict mode, time_zone +00:00, innodb_lock_wait_timeout 1 s; connect
 *            1 s, read and write 2 s. No auto-reconnect: a dead link is opened anew by the next call.
 *            A transaction that falls silent is undone by MariaDB after 10 s, by MySQL with its link after 60 s:
 *            whoever goes on in it meets a lost link.
 * Fork:      open after fork, one link a process. */
/* SPDX-License-Identifier: MIT */
#ifndef SQL_SQL_H
#define SQL_SQL_H

#include "base/op.h"
#include "conf/conf.h"

struct sql_link;

/* Never fails: connects when first used. */
struct sql_link *sql_open(const struct conf *c);
void sql_close(struct sql_link *l);

enum sql_type { SQL_I64, SQL_INT, SQL_BOOL, SQL_STR };

struct sql_arg {
	enum sql_type type;           /* SQL_I64 or SQL_STR */
	int64_t i;
	struct str s;
};
static inline struct sql_arg sql_i64(int64_t v) { return (struct sql_arg){ .type = SQL_I64, .i = v }; }
static inline struct sql_arg sql_str(struct str v) { return (struct sql_arg){ .type = SQL_STR, .s = v }; }

/* A result column and the field it goes to. NULL reads as 0, false or "". */
struct sql_col {
	enum sql_type type;
	size_t offset;
};
#define SQL_COL(type, field)                                                           \
	{ _Generic(((type *)0)->field, int64_t: SQL_I64, int: SQL_INT, bool: SQL_BOOL,     \
	      struct str: SQL_STR), offsetof(type, field) }

struct sql_stmt {
	const char *name;             /* in logs and metrics */
	const char *text;
	const char *unit;             /* what "{}" repeats, e.g. "(?,?)"; NULL without one */
	const struct sql_col *cols;   /* same order as the SELECT list */
	size_t n_cols;
	bool once;                    /* text made at run time: prepared and closed, never kept */
};

/* The database's clock in Unix ms, UTC: what is stored or compared. Valid SQL on MariaDB 10.6 and MySQL 8. */
#define SQL_NOW_MS "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000)"

struct sql_done {
	int64_t n_affected;           /* rows changed (ON DUPLICATE KEY UPDATE counts 2 for an update) */
	int64_t insert_id;
};

/* done_out may be NULL. */
enum err sql_run(struct op *op, struct sql_link *l, const struct sql_stmt *s, const struct sql_arg *args,
    size_t n_args, struct sql_done *done_out) MUST_CHECK;
/* At most one row is looked at. */
enum err sql_one(struct op *op, struct sql_link *l, const struct sql_stmt *s, const struct sql_arg *args,
    size_t n_args, void *row_out, bool *found_out) MUST_CHECK;
/* All rows, as an array of row_size structs. */
enum err sql_all(struct op *op, struct sql_link *l, const struct sql_stmt *s, const struct sql_arg *args,
    size_t n_args, size_t row_size, void *rows_out /* struct row ** */, size_t *n_out) MUST_CHECK;
/* Text without parameters or rows (DDL): the schema room and tests. The server's own words in
 * *why_out (arena), for an operator's eyes, when it fails. */
enum err sql_text(struct op *op, struct sql_link *l, struct str text, struct str *why_out) MUST_CHECK;

/* A transaction. body may run several times (deadlock, lost link): it touches the database through
 * `l` and its own memory only, and starts from scratch each time. It returns ERR_OK to commit; with
 * anything else all is rolled back and that error comes back. To end without writing and without an
 * error, a body sets *rollback_out. */
typedef enum err (*tx_body)(struct op *op, struct sql_link *l, void *arg, bool *rollback_out);
enum err tx_run(struct op *op, struct sql_link *l, tx_body body, void *arg) MUST_CHECK;

/* For `tgo-call migrate`: no time limit on answers (DDL takes as long as the table is large), locks are
 * waited for longer. A connection that is open is closed; the next call opens one of this kind. */
void sql_be_patient(struct sql_link *l);
/* For who has no time: an answer may take 1 s, and from until_us (clock_mono_us) on nothing more is sent, all calls fail
 * with ERR_UNAVAILABLE. Before the link's first use. */
void sql_hurry(struct sql_link *l, int64_t until_us);
/* True after a connect that failed because the database (DB_NAME) does not exist. */
bool sql_no_database(const struct sql_link *l);
/* Creates DB_NAME (utf8mb4) unless it exists; the next call connects to it. */
enum err sql_create_database(struct op *op, struct sql_link *l, struct str *why_out) MUST_CHECK;
struct str sql_database_name(const struct sql_link *l);
/* Why the server was last unavailable, in its own words ("1045: Access denied ..."), or "". */
const char *sql_why_down(const struct sql_link *l);
/* A second, independent link to the same server, not connected yet. */
struct sql_link *sql_twin(const struct sql_link *l);

bool sql_ping(struct op *op, struct sql_link *l);
/* e.g. "10.11.19-MariaDB", "" while not connected */
const char *sql_server_version(const struct sql_link *l);

#endif
