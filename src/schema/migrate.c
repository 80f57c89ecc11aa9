/* migrate - brings a database up to this program's schema: creates it, takes the lock, runs what is
 * missing, records each migration with what the server said.
 * SPDX-License-Identifier: MIT */
#include "schema/schema_private.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/utf8.h"

enum { LINE_BYTES = 1024, BRIEF_BYTES = 100, ERROR_BYTES = 900 };

static const char *const OWN_TABLES[] = {
	"CREATE TABLE IF NOT EXISTS schema_migrations ("
	" version INT NOT NULL COMMENT 'number of the migration file',"
	" name VARCHAR(100) NOT NULL COMMENT 'name of the file without its ending',"
	" status VARCHAR(20) NOT NULL COMMENT 'pending (running, or interrupted), success, failed',"
	" error VARCHAR(1000) NOT NULL DEFAULT '' COMMENT 'what the server said when it failed',"
	" executed_at_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'start of the last run, Unix ms (UTC)',"
	" duration_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'how long the last run took',"
	" PRIMARY KEY (version)"
	") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
	" COMMENT='migrations this database has had'",
	"CREATE TABLE IF NOT EXISTS schema_lock ("
	" id INT NOT NULL COMMENT 'always 1',"
	" holder VARCHAR(100) NOT NULL DEFAULT '' COMMENT 'host:process:random of who migrates; empty: free',"
	" until_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'end of the lease, Unix ms (UTC)',"
	" PRIMARY KEY (id)"
	") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
	" COMMENT='one row: who is migrating'",
	"INSERT INTO schema_lock (id) VALUES (1) ON DUPLICATE KEY UPDATE id = 1",
};

static const struct sql_stmt RECORD_START = {
	.name = "schema_record_start",
	.text = "INSERT INTO schema_migrations (version, name, status, error, executed_at_ms, duration_ms)"
	    " VALUES (?, ?, 'pending', '', " SQL_NOW_MS ", 0)"
	    " ON DUPLICATE KEY UPDATE name = VALUES(name), status = 'pending', error = '',"
	    " executed_at_ms = VALUES(executed_at_ms), duration_ms = 0",
};
static const struct sql_stmt RECORD_END = {
	.name = "schema_record_end",
	.text = "UPDATE schema_migrations SET status = ?, error = ?, duration_ms = ? WHERE version = ?",
};

void
job_say(const struct schema_job *j, const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if (n >= LINE_BYTES)
		n = LINE_BYTES - 1;
	j->run->print(j->run->arg, (struct str){ line, (size_t)n });
}

struct str
job_brief(const struct schema_job *j, struct str text)
{
	struct strbuf b;
	bool space = false;
	size_t i = 0;

	strbuf_init_arena(&b, j->op->arena, BRIEF_BYTES + 16, BRIEF_BYTES + 16);
	for (; i < text.len && b.len < BRIEF_BYTES; i++) {
		char c = text.at[i];

		if (c == '\n' || c == '\r' || c == '\t' || c == ' ') {
			space = b.len > 0;
			continue;
		}
		if (space)
			strbuf_addc(&b, ' ');
		space = false;
		strbuf_addc(&b, c);
	}
	/* Not in the middle of a character. */
	while (i < text.len && ((unsigned char)text.at[i] & 0xC0) == 0x80)
		strbuf_addc(&b, text.at[i++]);
	if (i < text.len)
		strbuf_addz(&b, " ...");
	return strbuf_str(&b);
}

/* The server may cut its words in the middle of a character, and would refuse them back so. */
static struct str
clean(struct op *op, struct str words)
{
	struct strbuf b;

	strbuf_init_arena(&b, op->arena, 256, ERROR_BYTES + 8);
	while (words.len > 0 && b.len < ERROR_BYTES) {
		uint32_t cp;
		size_t n = utf8_next(words, &cp);

		strbuf_add(&b, n > 0 ? (struct str){ words.at, n } : S("?"));
		n += n == 0;
		words = (struct str){ words.at + n, words.len - n };
	}
	return strbuf_str(&b);
}

static enum err
record_end(const struct schema_job *j, const struct schema_migration *m, int64_t started_us,
    struct str error)
{
	struct sql_arg args[] = {
		sql_str(error.len == 0 ? S("success") : S("failed")), sql_str(clean(j->op, error)),
		sql_i64((clock_mono_us() - started_us) / 1000), sql_i64(m->version),
	};
	enum err e = ERR_SQL_AGAIN;

	/* What was done cannot be undone; its record is worth more than one try. */
	for (int i = 0; i < 3 && e != ERR_OK; i++)
		e = sql_run(j->op, j->link, &RECORD_END, args, N_ELEMS(args), NULL);
	return e;
}

static enum err
run_stmt(const struct schema_job *j, const struct schema_stmt *s, struct str *why_out)
{
	const struct schema_guard *failed;
	struct str brief = job_brief(j, s->text), words = S("");
	enum err e;

	if ((e = catalogue_guards(j->op, j->link, s, &failed)) != ERR_OK) {
		*why_out = S("the guards of a statement could not be checked");
		return e;
	}
	if (failed != NULL) {
		job_say(j, "  skip  %.*s  (%.*s)", STR_ARG(brief), STR_ARG(failed->line));
		return ERR_OK;
	}
	job_say(j, "  run   %.*s", STR_ARG(brief));
	if ((e = sql_text(j->op, j->link, s->text, &words)) != ERR_OK)
		*why_out = arena_printf(j->op->arena, "%.*s (in: %.*s)", STR_ARG(words), STR_ARG(brief));
	return e;
}

static enum err
set_session(const struct schema_job *j, struct str *why_out)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < j->run->n_session && e == ERR_OK; i++)
		e = sql_text(j->op, j->link, j->run->session[i], why_out);
	return e;
}

/* Leaves the words of what went wrong in *why_out. */
static enum err
run_statements(const struct schema_job *j, const struct schema_migration *m,
    const struct lease *lease, struct str *why_out)
{
	struct str rest = str_of(m->text);
	struct schema_stmt s;
	const char *why = "";
	enum schema_split got;
	enum err e;

	if ((e = set_session(j, why_out)) != ERR_OK)
		return e;
	while ((got = schema_next(&rest, &s, &why)) == SPLIT_STMT) {
		if ((e = lease_renew(j, lease)) != ERR_OK) {
			*why_out = S("the lock was lost");
			return e;
		}
		if ((e = run_stmt(j, &s, why_out)) != ERR_OK)
			return e;
	}
	if (got == SPLIT_END)
		return ERR_OK;
	*why_out = arena_printf(j->op->arena, "%s: %.*s", why, STR_ARG(job_brief(j, s.text)));
	return ERR_INTERNAL;
}

static enum err
run_migration(const struct schema_job *j, const struct schema_migration *m, const struct lease *lease)
{
	struct sql_arg args[] = { sql_i64(m->version), sql_str(str_of(m->name)) };
	int64_t started_us = clock_mono_us();
	struct str why = S("");
	enum err e;

	job_say(j, "%s: running", m->name);
	if ((e = sql_run(j->op, j->link, &RECORD_START, args, N_ELEMS(args), NULL)) != ERR_OK) {
		job_say(j, "%s: cannot be recorded in schema_migrations", m->name);
		return e;
	}
	e = run_statements(j, m, lease, &why);
	if (e != ERR_OK && why.len == 0)
		why = S("failed");
	if (e != ERR_OK)
		job_say(j, "%s: FAILED: %.*s", m->name, STR_ARG(why));
	if (record_end(j, m, started_us, why) != ERR_OK) {
		job_say(j, "%s: its end cannot be recorded; run it again", m->name);
		return ERR_UNAVAILABLE;
	}
	if (e == ERR_OK)
		job_say(j, "%s: done in %lld ms", m->name,
		    (long long)((clock_mono_us() - started_us) / 1000));
	return e == ERR_OK || e == ERR_UNAVAILABLE ? e : ERR_INTERNAL;
}

static enum err
run_missing(const struct schema_job *j, const struct lease *lease)
{
	bool *done = NULL;
	enum err e;

	/* Read under the lock: another may have done it while we waited. */
	if ((e = schema_done(j->op, j->link, j->set, &done)) != ERR_OK)
		return e;
	for (size_t i = 0; i < j->set->n && e == ERR_OK; i++)
		if (!done[i])
			e = run_migration(j, &j->set->at[i], lease);
	return e;
}

static enum err
make_own_tables(const struct schema_job *j)
{
	for (size_t i = 0; i < N_ELEMS(OWN_TABLES); i++) {
		struct str why;
		enum err e = sql_text(j->op, j->link, str_of(OWN_TABLES[i]), &why);

		/* Two that start at once may deadlock on the row; it is there then. */
		if (e != ERR_OK && e != ERR_SQL_AGAIN) {
			job_say(j, "cannot prepare the database: %.*s", STR_ARG(why));
			return e;
		}
	}
	return ERR_OK;
}

static enum err
migrate(const struct schema_job *j)
{
	struct schema_status st = { 0 };
	struct lease lease;
	enum err e;

	if ((e = make_own_tables(j)) != ERR_OK)
		return e;
	if ((e = lease_take(j, &lease)) != ERR_OK)
		return e;
	e = run_missing(j, &lease);
	lease_release(j, &lease);
	if (e == ERR_OK && (e = schema_status(j->op, j->link, j->set, &st)) == ERR_OK)
		job_say(j, "the schema is at version %d", st.applied);
	return e;
}

/* True: there is nothing to do, or nothing we may do (*err_out). */
static bool
is_settled(const struct schema_job *j, enum err *err_out)
{
	struct schema_status st = { 0 };

	*err_out = schema_status(j->op, j->link, j->set, &st);
	if (*err_out != ERR_OK)
		return true;
	if (st.state == SCHEMA_OK) {
		job_say(j, "the schema is at version %d: nothing to do", st.applied);
		return true;
	}
	if (st.state != SCHEMA_NEWER)
		return false;
	job_say(j, "the schema is at version %d, this program knows %d: use the newer release",
	    st.applied, st.newest);
	*err_out = ERR_INTERNAL;
	return true;
}

enum err
schema_migrate(struct op *op, struct sql_link *l, const struct schema_set *set,
    const struct schema_run *run)
{
	struct schema_job j = { op, l, set, run };
	struct str why = S("");
	enum err e = ERR_OK;

	sql_be_patient(l);
	if (!sql_ping(op, l) && !sql_no_database(l)) {
		job_say(&j, "the database cannot be reached: %s", sql_why_down(l));
		return ERR_UNAVAILABLE;
	}
	if (sql_no_database(l) && !run->dry_run) {
		if ((e = sql_create_database(op, l, &why)) != ERR_OK) {
			job_say(&j, "the database cannot be created: %.*s", STR_ARG(why));
			return e;
		}
		job_say(&j, "created the database %.*s", STR_ARG(sql_database_name(l)));
	}
	if (!sql_no_database(l) && is_settled(&j, &e))
		return e;
	return run->dry_run ? plan_print(&j) : migrate(&j);
}
