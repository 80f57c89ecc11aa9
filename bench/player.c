/* player - the least a program can do to have these statements carried out.
 * SPDX-License-Identifier: MIT */
#include "player.h"

#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGS_MAX = 256, COLUMN_MAX = 512, DEADLOCK = 1213, LOCK_WAIT = 1205, CHANGED = 1020, AGAIN_MAX = 10 };

/* A prepared statement and where its rows go. */
struct prepared {
	MYSQL_STMT *handle;
	unsigned n_cols;
	MYSQL_BIND *binds;
	long long *numbers;
	char *texts;
	unsigned long *lengths;
};

struct player {
	MYSQL *db;
	const struct tape_op *op;
	struct prepared prepared[OP_STMTS];
	struct fill fill;
	/* The arguments of the statement that is sent. */
	MYSQL_BIND binds[ARGS_MAX];
	long long numbers[ARGS_MAX];
	unsigned long lengths[ARGS_MAX];
	char texts[ARGS_MAX][TEXT_MAX];
};

static bool
say(const struct player *p, const char *what, MYSQL_STMT *handle)
{
	fprintf(stderr, "loop: %s: %s\n", what, handle != NULL ? mysql_stmt_error(handle) : mysql_error(p->db));
	return false;
}

static bool
is_number(enum enum_field_types t)
{
	return t == MYSQL_TYPE_TINY || t == MYSQL_TYPE_SHORT || t == MYSQL_TYPE_LONG || t == MYSQL_TYPE_LONGLONG ||
	    t == MYSQL_TYPE_INT24;
}

static bool
bind_columns(struct prepared *q)
{
	MYSQL_RES *meta = mysql_stmt_result_metadata(q->handle);

	q->n_cols = meta == NULL ? 0 : mysql_num_fields(meta);
	q->binds = calloc(q->n_cols + 1, sizeof(*q->binds));
	q->numbers = calloc(q->n_cols + 1, sizeof(*q->numbers));
	q->lengths = calloc(q->n_cols + 1, sizeof(*q->lengths));
	q->texts = calloc(q->n_cols + 1, COLUMN_MAX);
	if (q->binds == NULL || q->numbers == NULL || q->lengths == NULL || q->texts == NULL)
		return false;
	for (unsigned i = 0; i < q->n_cols; i++) {
		MYSQL_BIND *b = &q->binds[i];
		bool number = is_number(mysql_fetch_field_direct(meta, i)->type);

		b->buffer_type = number ? MYSQL_TYPE_LONGLONG : MYSQL_TYPE_STRING;
		b->buffer = number ? (void *)&q->numbers[i] : (void *)(q->texts + (size_t)i * COLUMN_MAX);
		b->buffer_length = number ? sizeof(long long) : COLUMN_MAX;
		b->length = &q->lengths[i];
	}
	mysql_free_result(meta);
	return true;
}

static bool
prepare(struct player *p, const struct tape_stmt *s, struct prepared *q)
{
	if (s->text.kind == TAPE_QUERY)
		return true;
	if (s->n_args > ARGS_MAX || (q->handle = mysql_stmt_init(p->db)) == NULL)
		return false;
	if (mysql_stmt_prepare(q->handle, s->text.text, (unsigned long)strlen(s->text.text)) != 0 || !bind_columns(q))
		return say(p, s->text.text, q->handle);
	if (mysql_stmt_param_count(q->handle) != s->n_args)
		return say(p, "arguments do not fit", NULL);
	return true;
}

/* As text: a transaction's frame, and what a session is set up with. */
static bool
send_query(struct player *p, const char *text, size_t n)
{
	MYSQL_RES *rows;

	if (mysql_real_query(p->db, text, (unsigned long)n) != 0)
		return false;
	if (mysql_field_count(p->db) == 0)
		return true;
	if ((rows = mysql_store_result(p->db)) == NULL)
		return false;
	mysql_free_result(rows);
	return true;
}

static bool
fill_args(struct player *p, const struct tape_stmt *s)
{
	for (size_t i = 0; i < s->n_args; i++) {
		MYSQL_BIND *b = &p->binds[i];
		size_t n = tape_fill(&s->args[i], &p->fill, p->texts[i]);

		*b = (MYSQL_BIND){ 0 };
		if (n == 0 && s->args[i].text[0] != '\0')
			return false;
		p->lengths[i] = (unsigned long)n;
		p->numbers[i] = s->args[i].kind == TAPE_INT ? strtoll(p->texts[i], NULL, 10) : 0;
		b->buffer_type = s->args[i].kind == TAPE_INT ? MYSQL_TYPE_LONGLONG : MYSQL_TYPE_STRING;
		b->buffer = s->args[i].kind == TAPE_INT ? (void *)&p->numbers[i] : (void *)p->texts[i];
		b->buffer_length = p->lengths[i];
		b->length = &p->lengths[i];
	}
	return true;
}

/* The numbers of the first rows, for the statements behind. */
static bool
take_rows(struct player *p, size_t at)
{
	struct prepared *q = &p->prepared[at];
	int rc;

	if (mysql_stmt_bind_result(q->handle, q->binds) != 0 || mysql_stmt_store_result(q->handle) != 0)
		return false;
	for (size_t row = 0; (rc = mysql_stmt_fetch(q->handle)) == 0 || rc == MYSQL_DATA_TRUNCATED; row++)
		for (unsigned i = 0; i < q->n_cols && i < CAPTURE_COLS && row < CAPTURE_ROWS; i++)
			p->fill.got[at][row][i] = q->numbers[i];
	(void)mysql_stmt_free_result(q->handle);
	return rc == MYSQL_NO_DATA;
}

static bool
play_stmt(struct player *p, size_t at)
{
	const struct tape_stmt *s = &p->op->stmts[at];
	struct prepared *q = &p->prepared[at];
	size_t n;

	if (s->text.kind == TAPE_QUERY) {
		if (!s->text.has_holes)
			return send_query(p, s->text.text, strlen(s->text.text));
		return (n = tape_fill(&s->text, &p->fill, p->texts[0])) > 0 && send_query(p, p->texts[0], n);
	}
	if (!fill_args(p, s) || (s->n_args > 0 && mysql_stmt_bind_param(q->handle, p->binds) != 0) ||
	    mysql_stmt_execute(q->handle) != 0)
		return false;
	p->fill.made[at] = (int64_t)mysql_stmt_insert_id(q->handle);
	return q->n_cols == 0 || take_rows(p, at);
}

/* Where to go on after statement `at` failed; n_stmts: there is no going on. */
static size_t
again_from(struct player *p, size_t at)
{
	const struct tape_op *op = p->op;
	unsigned number = mysql_errno(p->db);

	if (op->stmts[at].text.kind == TAPE_STMT)
		number = mysql_stmt_errno(p->prepared[at].handle);
	if (number != DEADLOCK && number != LOCK_WAIT && number != CHANGED) {
		(void)say(p, op->stmts[at].text.text, op->stmts[at].text.kind == TAPE_STMT ? p->prepared[at].handle : NULL);
		return op->n_stmts;
	}
	while (at > 0 && !op->stmts[at].begins)
		at--;
	return send_query(p, "ROLLBACK", 8) ? at : op->n_stmts;
}

enum played
player_play(struct player *p, const struct ids *ids, uint64_t seed)
{
	size_t n = p->op->n_stmts, at = 0;
	int n_again = 0;

	fill_begin(&p->fill, p->op, ids, seed);
	while (at < n) {
		if (play_stmt(p, at)) {
			at++;
			continue;
		}
		at = again_from(p, at);
		if (at == n || ++n_again > AGAIN_MAX)
			return PLAY_FAILED;
	}
	return n_again > 0 ? PLAYED_AGAIN : PLAYED;
}

static bool
connect_db(struct player *p, const struct tape *t)
{
	const char *socket = getenv("DB_SOCKET"), *port = getenv("DB_PORT");
	const struct tape_op *session = tape_find(t, "session");
	bool truncation = false;

	if ((p->db = mysql_init(NULL)) == NULL)
		return false;
	(void)mysql_options(p->db, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	(void)mysql_options(p->db, MYSQL_REPORT_DATA_TRUNCATION, &truncation);
	if (mysql_real_connect(p->db, getenv("DB_HOST"), getenv("DB_USER"), getenv("DB_PASSWORD"), getenv("DB_NAME"),
	    port != NULL ? (unsigned)strtoul(port, NULL, 10) : 0, socket != NULL && socket[0] != '\0' ? socket : NULL, 0) ==
	    NULL)
		return say(p, "connect", NULL);
	for (size_t i = 0; session != NULL && i < session->n_stmts; i++)
		if (!send_query(p, session->stmts[i].text.text, strlen(session->stmts[i].text.text)))
			return say(p, session->stmts[i].text.text, NULL);
	return true;
}

struct player *
player_open(const struct tape *t, const struct tape_op *op)
{
	struct player *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->op = op;
	if (!connect_db(p, t)) {
		player_close(p);
		return NULL;
	}
	for (size_t i = 0; i < op->n_stmts; i++) {
		if (!prepare(p, &op->stmts[i], &p->prepared[i])) {
			player_close(p);
			return NULL;
		}
	}
	return p;
}

void
player_close(struct player *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < OP_STMTS; i++) {
		struct prepared *q = &p->prepared[i];

		if (q->handle != NULL)
			(void)mysql_stmt_close(q->handle);
		free(q->binds);
		free(q->numbers);
		free(q->lengths);
		free(q->texts);
	}
	if (p->db != NULL)
		mysql_close(p->db);
	free(p);
}
