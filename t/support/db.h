/* db - what the tests against a real server start with: the environment's server, an op, a log.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_DB_H
#define SUPPORT_DB_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/op.h"
#include "conf/conf.h"
#include "sql/sql.h"
#include "support/unit.h"

enum { DB_ARENA_BYTES = 256 << 20 };

struct db {
	struct conf *conf;
	struct op op;
	struct sql_link *l;
};

static inline struct db
db_open(const char *log_path)
{
	struct db d = { 0 };
	char err[256] = "";

	(void)signal(SIGPIPE, SIG_IGN);       /* as the worker does */
	d.conf = conf_load("/dev/null", err, sizeof(err));
	ck_assert_msg(d.conf != NULL, "%s", err);
	d.op.arena = arena_new(DB_ARENA_BYTES);
	d.op.log = log_open(log_path != NULL ? log_path : "/dev/null", LOG_DEBUG);
	ck_assert_ptr_nonnull(d.op.log);
	d.op.lang = "en-US";
	d.l = sql_open(d.conf);
	return d;
}

static inline void
db_close(struct db *d)
{
	sql_close(d->l);
	arena_free(d->op.arena);
	log_close(d->op.log);
	conf_free(d->conf);
}

/* A statement of the test's own. */
static inline void
db_text(struct db *d, const char *text)
{
	struct str why = S("");
	enum err e = sql_text(&d->op, d->l, str_of(text), &why);

	ck_assert_msg(e == ERR_OK, "%s: %s: %.*s", text, err_key(e), STR_ARG(why));
}

struct db_number { int64_t n; };

/* One number, asked with a text made at run time. */
static inline int64_t
db_number(struct db *d, const char *text)
{
	static const struct sql_col COLS[] = { SQL_COL(struct db_number, n) };
	struct sql_stmt s = { .name = "db_number", .text = text, .cols = COLS, .n_cols = 1, .once = true };
	struct db_number row = { 0 };
	bool found = false;

	ck_assert_int_eq(sql_one(&d->op, d->l, &s, NULL, 0, &row, &found), ERR_OK);
	ck_assert(found);
	return row.n;
}

/* Ends the other link's connection, and returns when the server has let go of it. */
static inline void
db_kill(struct db *d, int64_t id)
{
	char text[128];
	int64_t until = clock_mono_us() + 5000000;

	(void)snprintf(text, sizeof(text), "KILL CONNECTION %lld", (long long)id);
	db_text(d, text);
	(void)snprintf(text, sizeof(text),
	    "SELECT COUNT(*) FROM information_schema.processlist WHERE id = %lld", (long long)id);
	while (db_number(d, text) > 0)
		ck_assert_msg(clock_mono_us() < until, "the connection does not go away");
}

/* How many lines of a file hold the text. */
static inline int
db_log_count(const char *path, const char *text)
{
	static char line[70000];
	FILE *f = fopen(path, "r");
	int n = 0;

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, text) != NULL;
	(void)fclose(f);
	return n;
}

/* Without a server named there is nothing to test: 77 means skipped. */
static inline int
db_main(Suite *s)
{
	const char *socket = getenv("DB_SOCKET");

	if (socket != NULL && socket[0] != '\0')
		return unit_main(s);
	srunner_free(srunner_create(s));      /* the only way to free a suite */
	(void)puts("1..0 # SKIP DB_SOCKET is not set");
	return 77;
}

#endif
