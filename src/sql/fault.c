/* fault - what the server's error numbers mean, and the lines that tell of them.
 * SPDX-License-Identifier: MIT */
#include "sql/sql_private.h"

#include <stdio.h>

#include "base/clock.h"

enum { DOWN_LOG_EVERY_US = 1000 * 1000 };

/* Not in every client's headers under the same name, hence by number. */
static const struct meaning {
	unsigned number;
	enum err err;
	bool drop;                             /* the link is of no more use */
} MEANINGS[] = {
	{ 1062, ERR_SQL_DUPLICATE, false },    /* duplicate key */
	{ 1586, ERR_SQL_DUPLICATE, false },    /* the same, with the key's name */
	{ 1213, ERR_SQL_AGAIN, false },        /* deadlock, or a cluster's certification failed */
	{ 1205, ERR_SQL_AGAIN, false },        /* lock wait timed out */
	{ 1020, ERR_SQL_AGAIN, false },        /* record has changed since last read */
	{ 1927, ERR_SQL_AGAIN, true },         /* connection was killed */
	{ 2006, ERR_SQL_LOST, true },          /* server has gone away */
	{ 2013, ERR_SQL_LOST, true },          /* lost during query, or no answer in time */
	{ 2055, ERR_SQL_LOST, true },          /* lost, extended wording */
	{ 2027, ERR_SQL_LOST, true },          /* malformed packet */
	{ 3169, ERR_SQL_LOST, true },          /* MySQL: session was killed */
	{ 4031, ERR_SQL_LOST, true },          /* MySQL: disconnected because idle */
	{ 2014, ERR_INTERNAL, true },          /* commands out of sync */
	{ 1040, ERR_UNAVAILABLE, true },       /* too many connections */
	{ 1203, ERR_UNAVAILABLE, true },       /* too many of this user */
	{ 1053, ERR_UNAVAILABLE, true },       /* server shutdown in progress */
	{ 1047, ERR_UNAVAILABLE, true },       /* cluster node not ready */
	/* Read-only: a failover is under way; a new connection may meet the new primary. */
	{ 1290, ERR_UNAVAILABLE, true },
	{ 1792, ERR_UNAVAILABLE, true },
	{ 1836, ERR_UNAVAILABLE, true },
};

static const struct meaning *
meaning_find(unsigned number)
{
	for (size_t i = 0; i < N_ELEMS(MEANINGS); i++)
		if (MEANINGS[i].number == number)
			return &MEANINGS[i];
	return NULL;
}

/* Numbers after which nobody can say whether the statement in flight was carried out. */
bool
fault_is_lost(unsigned number)
{
	const struct meaning *m = meaning_find(number);

	return m != NULL && (m->err == ERR_SQL_LOST || number == 1927 || number == 1053);
}

static struct sql_fault
fault_make(unsigned number, const char *words)
{
	struct sql_fault f = { .number = number };

	(void)snprintf(f.words, sizeof(f.words), "%s", words);
	return f;
}

struct sql_fault
fault_of_link(const struct sql_link *l)
{
	return fault_make(mysql_errno(l->db), mysql_error(l->db));
}

struct sql_fault
fault_of_stmt(MYSQL_STMT *handle)
{
	return fault_make(mysql_stmt_errno(handle), mysql_stmt_error(handle));
}

static void
log_fault(struct op *op, enum log_level level, const char *msg, const char *event,
    const struct sql_fault *f)
{
	struct log_line line;

	log_begin(&line, op->log, level, msg, event, op->request_id);
	log_i64(&line, "errno", f->number);
	log_z(&line, "error", f->words);
	log_end(&line);
}

void
link_log_down(struct op *op, struct sql_link *l, const struct sql_fault *f)
{
	int64_t now = clock_mono_us();

	l->was_down = true;
	(void)snprintf(l->why_down, sizeof(l->why_down), "%u: %s", f->number, f->words);
	if (l->logged_at_us != 0 && now - l->logged_at_us < DOWN_LOG_EVERY_US)
		return;
	l->logged_at_us = now;
	log_fault(op, LOG_WARN, "数据库不可用", "db_unavailable", f);
}

static void
log_internal(struct op *op, const char *name, const struct sql_fault *f)
{
	struct log_line line;

	log_begin(&line, op->log, LOG_ERROR, "数据库语句失败", "sql_failed", op->request_id);
	log_z(&line, "statement", name);
	log_i64(&line, "errno", f->number);
	log_z(&line, "error", f->words);
	log_end(&line);
}

enum err
link_fault(struct op *op, struct sql_link *l, const char *name, const struct sql_fault *f)
{
	const struct meaning *m = meaning_find(f->number);
	enum err e = m != NULL ? m->err : ERR_INTERNAL;

	if (m != NULL && m->drop)
		link_drop(l);
	if (l->in_tx && (e == ERR_SQL_AGAIN || e == ERR_SQL_LOST || e == ERR_UNAVAILABLE))
		l->tx_err = e;
	if (e == ERR_UNAVAILABLE)
		link_log_down(op, l, f);
	if (e == ERR_INTERNAL)
		log_internal(op, name, f);
	return e;
}
