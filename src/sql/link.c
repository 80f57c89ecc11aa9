/* link - one connection to the database: opened when needed, set up the same way each time, closed as
 * soon as it cannot be trusted.
 * SPDX-License-Identifier: MIT */
#include "sql/sql_private.h"

#include <errmsg.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum {
	CONNECT_S = 1, ANSWER_S = 2, LOCK_WAIT_S = 1,   /* of a request's 4 s */
	HURRIED_ANSWER_S = 1,
	SILENT_TX_S = 10, SILENT_LINK_S = 60,  /* of no use to us any more; the server lets go of its locks */
	PAUSE_AFTER_FAILURE_US = 200 * 1000,   /* so that a dead server does not hold every request up */
};

void
link_drop(struct sql_link *l)
{
	if (l->db == NULL)
		return;
	/* The connection first: it lets go of its statements, whose closing then sends nothing. */
	mysql_close(l->db);
	l->db = NULL;
	l->version[0] = '\0';
	for (size_t i = 0; i < SQL_CACHE_SLOTS; i++) {
		if (l->cache[i].stmt != NULL)
			(void)mysql_stmt_close(l->cache[i].handle);
		l->cache[i] = (struct sql_cached){ 0 };
	}
}

static bool
is_too_late(const struct sql_link *l)
{
	return l->until_us > 0 && clock_mono_us() >= l->until_us;
}

void
sql_took(struct op *op, const char *step, int64_t since_us)
{
	int64_t us = clock_mono_us() - since_us;

	op->db_us += us;
	meter_time(op->meter, METER_SQL_TIME, str_of(step), us);
}

bool
link_query(struct op *op, struct sql_link *l, struct str text, struct sql_fault *fault_out)
{
	int64_t start = clock_mono_us();
	bool ok;

	if (is_too_late(l)) {
		*fault_out = (struct sql_fault){ CR_SERVER_LOST, "no time is left" };
		return false;
	}
	op->n_sql++;
	ok = mysql_real_query(l->db, text.at, (unsigned long)text.len) == 0;
	if (ok && mysql_field_count(l->db) > 0) {
		MYSQL_RES *rows = mysql_store_result(l->db);

		ok = rows != NULL;
		mysql_free_result(rows);
	}
	sql_took(op, str_eq(text, S("COMMIT")) ? "commit" : "statement", start);
	if (!ok)
		*fault_out = fault_of_link(l);
	return ok;
}

static bool
session_set_up(struct op *op, struct sql_link *l, struct sql_fault *fault_out)
{
	/* The server's own defaults for these are an operator's choice; ours must hold everywhere. */
	static const char ISOLATION[] = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
	static const char NAMES[] = "SET NAMES utf8mb4 COLLATE utf8mb4_bin";
	char vars[384];
	struct strbuf b;

	strbuf_init(&b, vars, sizeof(vars));
	strbuf_addf(&b, "SET SESSION autocommit = 1, time_zone = '+00:00',"
	    " sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',"
	    " innodb_lock_wait_timeout = %d, lock_wait_timeout = %d",
	    l->patient ? 60 : LOCK_WAIT_S, l->patient ? 60 : ANSWER_S);
	/* A host that vanishes in a transaction says no farewell. MySQL knows a limit for the whole link only: each of
	 * the two servers reads its own. */
	if (!l->patient)
		strbuf_addf(&b, " /*M!100300 , idle_transaction_timeout = %d */ /*!80000 , wait_timeout = %d */",
		    SILENT_TX_S, SILENT_LINK_S);
	return link_query(op, l, S(ISOLATION), fault_out) && link_query(op, l, S(NAMES), fault_out) &&
	    link_query(op, l, strbuf_str(&b), fault_out);
}

static void
set_options(MYSQL *db, const struct sql_link *l)
{
	unsigned connect_s = CONNECT_S, answer_s = l->until_us > 0 ? HURRIED_ANSWER_S : ANSWER_S, none = 0;
	/* "localhost" without a socket named means TCP, as it did for the server before us. */
	unsigned protocol = l->conf->db_socket.len > 0 ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;

	(void)mysql_options(db, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
	(void)mysql_options(db, MYSQL_OPT_WRITE_TIMEOUT, &answer_s);
	if (!l->patient)
		(void)mysql_options(db, MYSQL_OPT_READ_TIMEOUT, &answer_s);
	(void)mysql_options(db, MYSQL_OPT_LOCAL_INFILE, &none);
	(void)mysql_options(db, MYSQL_OPT_PROTOCOL, &protocol);
	(void)mysql_options(db, MYSQL_SET_CHARSET_NAME, "utf8mb4");
#if !defined(MARIADB_BASE_VERSION)
	/* MySQL 8 accounts over plain TCP: Oracle's client asks for the key only when told to. */
	bool yes = true;

	(void)mysql_options(db, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &yes);
#endif
}

static const char *
version_without_prefix(const char *version)
{
	/* MariaDB calls itself 5.5.5 first, for the sake of old replicas. */
	return strncmp(version, "5.5.5-", 6) == 0 ? version + 6 : version;
}

/* `database` NULL: none selected. */
static bool
connect_once(struct op *op, struct sql_link *l, const char *database, struct sql_fault *fault_out)
{
	const struct conf *c = l->conf;
	int64_t start = clock_mono_us();
	const char *socket = c->db_socket.len > 0 ? arena_z(op->arena, c->db_socket) : NULL;
	bool ok;

	if ((l->db = mysql_init(NULL)) == NULL) {
		*fault_out = (struct sql_fault){ CR_OUT_OF_MEMORY, "the client library has no memory" };
		return false;
	}
	set_options(l->db, l);
	ok = mysql_real_connect(l->db, arena_z(op->arena, c->db_host), arena_z(op->arena, c->db_user),
	    arena_z(op->arena, c->db_password), database, (unsigned)c->db_port, socket, 0) != NULL;
	op->db_us += clock_mono_us() - start;
	if (!ok)
		*fault_out = fault_of_link(l);
	else
		ok = session_set_up(op, l, fault_out);
	if (!ok) {
		l->no_database = fault_out->number == 1049;
		link_drop(l);
		return false;
	}
	l->no_database = false;
	(void)snprintf(l->version, sizeof(l->version), "%s",
	    version_without_prefix(mysql_get_server_info(l->db)));
	return true;
}

/* Between two statements nothing is owed to us: what comes all the same is the server's farewell. Over TCP a statement
 * would still be taken and read by nobody, and nobody could say that of it. */
static bool
is_hung_up(const struct sql_link *l)
{
	struct pollfd p = { .fd = l->db->net.fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

enum err
link_need(struct op *op, struct sql_link *l)
{
	struct sql_fault f = { 0 };

	if (is_too_late(l))
		return ERR_UNAVAILABLE;
	if (l->db != NULL && !l->in_tx && is_hung_up(l))
		link_drop(l);
	if (l->db != NULL)
		return ERR_OK;
	if (l->in_tx)
		return l->tx_err = ERR_SQL_LOST;
	if (clock_mono_us() < l->retry_at_us)
		return ERR_UNAVAILABLE;
	if (!connect_once(op, l, arena_z(op->arena, l->conf->db_name), &f)) {
		l->retry_at_us = clock_mono_us() + PAUSE_AFTER_FAILURE_US;
		fault_count(op, ERR_UNAVAILABLE);
		link_log_down(op, l, &f);
		return ERR_UNAVAILABLE;
	}
	/* One that answers and takes no change is back when it takes one again. */
	if (!l->was_refused)
		link_log_back(op, l);
	return ERR_OK;
}

struct sql_link *
sql_open(const struct conf *c)
{
	struct arena *own = arena_new(sizeof(struct sql_link) + 4096);
	struct sql_link *l = arena_alloc(own, sizeof(*l));

	l->own = own;
	l->conf = c;
	return l;
}

void
sql_close(struct sql_link *l)
{
	if (l == NULL)
		return;
	link_drop(l);
	arena_free(l->own);
}

void
sql_be_patient(struct sql_link *l)
{
	link_drop(l);
	l->patient = true;
}

struct sql_link *
sql_twin(const struct sql_link *l)
{
	return sql_open(l->conf);
}

void
sql_hurry(struct sql_link *l, int64_t until_us)
{
	l->until_us = until_us;
}

bool
sql_no_database(const struct sql_link *l)
{
	return l->no_database;
}

struct str
sql_database_name(const struct sql_link *l)
{
	return l->conf->db_name;
}

enum err
sql_create_database(struct op *op, struct sql_link *l, struct str *why_out)
{
	struct str name = l->conf->db_name;
	struct sql_fault f = { 0 };
	struct strbuf b;
	bool ok;

	strbuf_init_arena(&b, op->arena, 256, 4096);
	strbuf_addz(&b, "CREATE DATABASE IF NOT EXISTS `");
	for (size_t i = 0; i < name.len; i++) {
		if (name.at[i] == '`')
			strbuf_addc(&b, '`');
		strbuf_addc(&b, name.at[i]);
	}
	strbuf_addz(&b, "` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci");
	link_drop(l);
	ok = strbuf_ok(&b) && connect_once(op, l, NULL, &f) && link_query(op, l, strbuf_str(&b), &f);
	link_drop(l);
	l->retry_at_us = 0;
	if (ok)
		return ERR_OK;
	*why_out = arena_printf(op->arena, "%u: %s", f.number, f.words);
	return ERR_UNAVAILABLE;
}

bool
sql_ping(struct op *op, struct sql_link *l)
{
	int64_t start = clock_mono_us();
	bool ok = false;

	if (l->db != NULL) {
		op->n_sql++;
		ok = mysql_ping(l->db) == 0;
		op->db_us += clock_mono_us() - start;
		if (!ok)
			link_drop(l);
	}
	/* A fresh connection has just answered its set-up. */
	return ok || link_need(op, l) == ERR_OK;
}

const char *
sql_server_version(const struct sql_link *l)
{
	return l->version;
}

const char *
sql_why_down(const struct sql_link *l)
{
	return l->why_down;
}
