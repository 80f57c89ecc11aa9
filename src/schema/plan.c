/* plan - the dry run: every statement that would run, on how many rows, and how much it is in the way.
 * SPDX-License-Identifier: MIT */
#include "schema/schema_private.h"

#include "schema/effect.h"

enum { MAX_NEW_TABLES = 64 };

/* Tables that the statements printed so far would have made: what comes after them cannot be asked
 * of the database yet. */
struct plan {
	const struct schema_job *job;
	bool no_database;
	struct str made[MAX_NEW_TABLES];
	size_t n_made;
};

struct count_row { int64_t n; };

static const struct sql_col COUNT_COLS[] = { SQL_COL(struct count_row, n) };

static bool
is_made(const struct plan *p, struct str table)
{
	for (size_t i = 0; i < p->n_made; i++)
		if (str_eq(p->made[i], table))
			return true;
	return p->no_database;
}

/* The first guard the database itself can say no to; guards on tables yet to be made are left open. */
static enum err
skipped_by(const struct plan *p, const struct schema_stmt *s, const struct schema_guard **guard_out)
{
	const struct schema_job *j = p->job;

	*guard_out = NULL;
	for (size_t i = 0; i < s->n_guards; i++) {
		bool holds = true;
		enum err e;

		if (is_made(p, s->guards[i].table))
			continue;
		if ((e = catalogue_guard(j->op, j->link, &s->guards[i], &holds)) != ERR_OK)
			return e;
		if (!holds) {
			*guard_out = &s->guards[i];
			return ERR_OK;
		}
	}
	return ERR_OK;
}

/* The name comes out of our own files, and still is quoted as a name. */
static enum err
count_rows(const struct schema_job *j, struct str table, int64_t *n_out)
{
	struct sql_stmt count = { .name = "schema_count", .cols = COUNT_COLS, .n_cols = 1, .once = true };
	struct count_row row = { 0 };
	bool found;
	enum err e;

	count.text = arena_z(j->op->arena,
	    arena_printf(j->op->arena, "SELECT COUNT(*) FROM `%.*s`", STR_ARG(table)));
	if ((e = sql_one(j->op, j->link, &count, NULL, 0, &row, &found)) == ERR_OK)
		*n_out = row.n;
	return e;
}

static enum err
print_stmt(struct plan *p, const struct schema_stmt *s)
{
	const struct schema_job *j = p->job;
	const struct schema_guard *guard;
	struct str table, brief = job_brief(j, s->text);
	enum schema_effect effect = schema_effect_of(s->text, &table);
	bool has = false;
	int64_t n = 0;
	enum err e;

	if ((e = skipped_by(p, s, &guard)) != ERR_OK)
		return e;
	if (guard != NULL) {
		job_say(j, "  skip  %.*s  (%.*s)", STR_ARG(brief), STR_ARG(guard->line));
		return ERR_OK;
	}
	if (table.len > 0 && !p->no_database &&
	    (e = catalogue_has_table(j->op, j->link, table, &has)) != ERR_OK)
		return e;
	if (has && (e = count_rows(j, table, &n)) != ERR_OK)
		return e;
	job_say(j, "  run   %.*s", STR_ARG(brief));
	if (effect == EFFECT_CREATES && !has && p->n_made < MAX_NEW_TABLES)
		p->made[p->n_made++] = table;
	if (table.len == 0)
		job_say(j, "        %s", schema_effect_text(effect));
	else if (!has)
		job_say(j, "        %.*s: not there yet; %s", STR_ARG(table),
		    schema_effect_text(effect == EFFECT_CREATES ? effect : EFFECT_NONE));
	else
		job_say(j, "        %.*s: %lld rows; %s", STR_ARG(table), (long long)n,
		    schema_effect_text(effect));
	return ERR_OK;
}

static enum err
print_migration(struct plan *p, const struct schema_migration *m)
{
	struct str rest = str_of(m->text);
	struct schema_stmt s;
	const char *why = "";
	enum schema_split got;

	job_say(p->job, "%s: pending", m->name);
	while ((got = schema_next(&rest, &s, &why)) == SPLIT_STMT) {
		enum err e = print_stmt(p, &s);

		if (e != ERR_OK)
			return e;
	}
	if (got == SPLIT_END)
		return ERR_OK;
	job_say(p->job, "%s: %s: %.*s", m->name, why, STR_ARG(job_brief(p->job, s.text)));
	return ERR_INTERNAL;
}

enum err
plan_print(const struct schema_job *j)
{
	struct plan *p = arena_alloc(j->op->arena, sizeof(*p));
	bool *done = arena_array(j->op->arena, j->set->n + 1, sizeof(*done));
	size_t n = 0;
	enum err e = ERR_OK;

	p->job = j;
	p->no_database = sql_no_database(j->link);
	if (p->no_database)
		job_say(j, "the database %.*s does not exist and would be created",
		    STR_ARG(sql_database_name(j->link)));
	else
		e = schema_done(j->op, j->link, j->set, &done);
	for (size_t i = 0; e == ERR_OK && i < j->set->n; i++) {
		if (done[i])
			continue;
		n++;
		e = print_migration(p, &j->set->at[i]);
	}
	if (e == ERR_OK)
		job_say(j, "%zu of %zu migrations would run; nothing was changed", n, j->set->n);
	return e;
}
