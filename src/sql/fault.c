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
	{ 1317, ERR_SQL_AGAIN, false },        /* this statement was killed */
	{ 1969, ERR_SQL_AGAIN, false },        /* it took longer than the server allows */
	{ 3024, ERR_SQL_AGAIN, false },        /* the same of MySQL */
	{ 3101, ERR_SQL_AGAIN, false },        /* MySQL's group replication rolled it back */
	{ 2006, ERR_SQL_LOST, true },          /* server has gone away */
	{ 2013, ERR_SQL_LOST, true },          /* lost during query, or no answer in time */
	{ 2055, ERR_SQL_LOST, true },          /* lost, extended wording */
	{ 2027, ERR_SQL_LOST, true },          /* malformed packet */
	{ 1152, ERR_SQL_LOST, true },          /* connection aborted */
	{ 1158, ERR_SQL_LOST, true },          /* what the server could not read or write in time */
	{ 1159, ERR_SQL_LOST, true },
	{ 1160, ERR_SQL_LOST, true },
	{ 1161, ERR_SQL_LOST, true },
	{ 1180, ERR_SQL_LOST, true },          /* COMMIT failed half way */
	{ 1184, ERR_SQL_LOST, true },          /* connection aborted, extended wording */
	{ 3169, ERR_SQL_LOST, true },          /* MySQL: session was killed */
	{ 4031, ERR_SQL_LOST, true },          /* MySQL: disconnected because idle */
	{ 2014, ERR_INTERNAL, true },          /* commands out of sync */
	{ 1040, ERR_UNAVAILABLE, true },       /* too many connections */
	{ 1203, ERR_UNAVAILABLE, true },       /* too many of this user */
	{ 1226, ERR_UNAVAILABLE, true },       /* this user's own limit */
	{ 1053, ERR_UNAVAILABLE, true },       /* server shutdown in progress */
	{ 1047, ERR_UNAVAILABLE, true },       /* cluster node not ready */
	/* Read-only: a failover is under way; a new connection may meet the new primary. */
	{ 1290, ERR_UNAVAILABLE, true },
	{ 1792, ERR_UNAVAILABLE, true },
	{ 1836, ERR_UNAVAILABLE, true },
	{ 1874, ERR_UNAVAILABLE, true },
	/* Full, or short of what it works with: a new connection would find the same. */
	{ 1021, ERR_UNAVAILABLE, false },      /* disk full */
	{ 1114, ERR_UNAVAILABLE, false },      /* table full: its disk, mostly */
	{ 1026, ERR_UNAVAILABLE, false },      /* error writing a file */
	{ 1030, ERR_UNAVAILABLE, false },      /* "got error 28 from storage engine" */
	{ 1016, ERR_UNAVAILABLE, false },      /* cannot open a file */
	{ 1036, ERR_UNAVAILABLE, false },      /* table is read only: so is its disk */
	{ 1037, ERR_UNAVAILABLE, false },      /* out of memory */
	{ 1038, ERR_UNAVAILABLE, false },      /* out of memory to sort in */
	{ 1041, ERR_UNAVAILABLE, false },      /* out of resources */
	{ 1206, ERR_UNAVAILABLE, false },      /* no room for more locks */
	{ 1637, ERR_UNAVAILABLE, false },      /* no room for more transactions */
	{ 1, ERR_UNAVAILABLE, false },         /* the server's file system: cannot create */
	{ 3, ERR_UNAVAILABLE, false },         /* cannot write */
	{ 20, ERR_UNAVAILABLE, false },        /* disk full */
	{ 23, ERR_UNAVAILABLE, false },        /* out of file descriptors */
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

	return m != NULL && (m->err == ERR_SQL_LOST || number == 1927 || number == 1317 || number == 1053);
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

void
link_log_back(struct op *op, struct sql_link *l)
{
	if (l->was_down)
		log_note(op->log, LOG_INFO, "数据库已恢复", "db_back", l->version);
	l->was_down = false;
	l->was_refused = false;
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

static struct str
kind_of(enum err e)
{
	if (e == ERR_UNAVAILABLE)
		return S("unavailable");
	if (e == ERR_SQL_LOST || e == ERR_OUTCOME_UNKNOWN)
		return S("lost");
	if (e == ERR_SQL_AGAIN)
		return S("again");
	return e == ERR_SQL_DUPLICATE ? S("duplicate") : S("other");
}

void
fault_count(struct op *op, enum err e)
{
	meter_add(op->meter, METER_SQL_ERRORS, kind_of(e), S(""), 1);
}

enum err
link_fault(struct op *op, struct sql_link *l, const char *name, const struct sql_fault *f)
{
	const struct meaning *m = meaning_find(f->number);
	enum err e = m != NULL ? m->err : ERR_INTERNAL;

	fault_count(op, e);
	if (m != NULL && m->drop)
		link_drop(l);
	if (l->in_tx && (e == ERR_SQL_AGAIN || e == ERR_SQL_LOST || e == ERR_UNAVAILABLE))
		l->tx_err = e;
	if (e == ERR_UNAVAILABLE) {
		l->was_refused = !fault_is_lost(f->number);
		link_log_down(op, l, f);
	}
	if (e == ERR_INTERNAL)
		log_internal(op, name, f);
	return e;
}
