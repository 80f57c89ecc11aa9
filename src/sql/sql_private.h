/* sql_private - what the files of this room share; nobody else includes it.
 * Shape:     link.c owns the connection, fault.c names every error, stmt.c sends statements, fetch.c
 *            reads rows, tx.c frames transactions.
 * Invariant: while in_tx, a link that went or a server that asked for a repeat is remembered in
 *            tx_err: nothing more is sent, so half a transaction is never committed.
 * SPDX-License-Identifier: MIT */
#ifndef SQL_SQL_PRIVATE_H
#define SQL_SQL_PRIVATE_H

#include <mysql.h>

#include "base/strbuf.h"
#include "sql/sql.h"

/* MariaDB's connector still has its own boolean; Oracle's dropped it for bool. */
#if defined(MYSQL_VERSION_ID) && !defined(MARIADB_BASE_VERSION) && MYSQL_VERSION_ID >= 80001
typedef bool my_bool;
#endif

enum {
	SQL_CACHE_SLOTS = 512,        /* prepared statements kept a link; what finds no slot is closed */
	SQL_CACHED_UNITS = 8,         /* longer lists are prepared and closed each time */
	SQL_TEXT_MAX = 1 << 20,
};

struct sql_cached {
	const struct sql_stmt *stmt;  /* NULL: free slot */
	size_t n_args;
	MYSQL_STMT *handle;           /* NULL: closed since, to be prepared anew */
};

struct sql_link {
	const struct conf *conf;
	struct arena *own;            /* this struct lives in it */
	MYSQL *db;                    /* NULL: not connected */
	struct sql_cached cache[SQL_CACHE_SLOTS];
	char version[64];
	bool patient;                 /* for migrations: waits for an answer as long as it takes */
	int64_t until_us;             /* in a hurry: nothing is sent any more from then on; 0: it is not */
	bool no_database;             /* the last connect was refused with 1049 */
	int64_t retry_at_us;          /* no new connect before this */
	int64_t logged_at_us;         /* the last line about an unavailable server */
	bool was_down;
	bool was_refused;             /* it was reached, and said that it cannot: read-only, full */
	char why_down[560];

	bool in_tx;
	enum err tx_err;
	const char *last_name;        /* the statement sent last, for the log */
};

/* One call of a statement, and what it left behind. */
struct stmt_call {
	const struct sql_stmt *stmt;
	const struct sql_arg *args;
	size_t n_args;
};
struct stmt_run {
	MYSQL_STMT *handle;
	bool keep;                    /* in the cache: stmt_end leaves it open */
	bool unsent;                  /* failed before the server can have run it */
};

/* What the server said, copied before the handle that said it is closed. */
struct sql_fault {
	unsigned number;
	char words[512];
};

/* fault.c */
struct sql_fault fault_of_link(const struct sql_link *l);
struct sql_fault fault_of_stmt(MYSQL_STMT *handle);
/* The error a fault stands for; closes the link where it is of no more use, logs what is ours. */
enum err link_fault(struct op *op, struct sql_link *l, const char *name, const struct sql_fault *f);
void link_log_down(struct op *op, struct sql_link *l, const struct sql_fault *f);
/* It serves again, said once. */
void link_log_back(struct op *op, struct sql_link *l);
/* For /metrics; link_fault does it itself. */
void fault_count(struct op *op, enum err e);
bool fault_is_lost(unsigned number);

/* link.c */
enum err link_need(struct op *op, struct sql_link *l) MUST_CHECK;
void link_drop(struct sql_link *l);
/* What a statement took, for the request's line and for /metrics; step: "statement", "commit". */
void sql_took(struct op *op, const char *step, int64_t since_us);
/* One plain statement: session set-up, START TRANSACTION, COMMIT. True: done. */
bool link_query(struct op *op, struct sql_link *l, struct str text, struct sql_fault *fault_out);

/* stmt.c */
/* The text with "{}" replaced, for n_args arguments; false when they do not fit the statement. */
bool sql_expand(const struct sql_stmt *s, size_t n_args, struct strbuf *to, size_t *n_units_out);
enum err stmt_start(struct op *op, struct sql_link *l, const struct stmt_call *c,
    struct stmt_run *run_out) MUST_CHECK;
void stmt_end(struct stmt_run *run);

#endif
