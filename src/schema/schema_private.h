/* schema_private - what the files of this room share; nobody else includes it.
 * SPDX-License-Identifier: MIT */
#ifndef SCHEMA_SCHEMA_PRIVATE_H
#define SCHEMA_SCHEMA_PRIVATE_H

#include "schema/schema.h"
#include "schema/split.h"

/* One migrate run, from start to end. */
struct schema_job {
	struct op *op;
	struct sql_link *link;
	const struct schema_set *set;
	const struct schema_run *run;
};
void job_say(const struct schema_job *j, const char *fmt, ...) PRINTF(2, 3);
/* The beginning of a statement on one line. */
struct str job_brief(const struct schema_job *j, struct str text);

/* catalogue.c: what the database has */
enum err catalogue_has_table(struct op *op, struct sql_link *l, struct str table, bool *has_out) MUST_CHECK;
enum err catalogue_guard(struct op *op, struct sql_link *l, const struct schema_guard *g,
    bool *holds_out) MUST_CHECK;
/* All guards of a statement; *failed_out: the first that does not hold, or NULL. */
enum err catalogue_guards(struct op *op, struct sql_link *l, const struct schema_stmt *s,
    const struct schema_guard **failed_out) MUST_CHECK;

/* status.c */
/* Which migrations of the set the database has not: done[i] belongs to set->at[i]. */
enum err schema_done(struct op *op, struct sql_link *l, const struct schema_set *set,
    bool **done_out) MUST_CHECK;

/* lease.c: the written lock, and a small process that renews it while a statement runs */
struct lease {
	char holder[100];
	int keeper_fd;                /* closing it ends the keeper; -1: none */
	int keeper_pid;
};
enum err lease_take(const struct schema_job *j, struct lease *lease_out) MUST_CHECK;
/* ERR_UNAVAILABLE: it is no longer ours. */
enum err lease_renew(const struct schema_job *j, const struct lease *lease) MUST_CHECK;
void lease_release(const struct schema_job *j, struct lease *lease);

/* plan.c: the dry run */
enum err plan_print(const struct schema_job *j) MUST_CHECK;

#endif
