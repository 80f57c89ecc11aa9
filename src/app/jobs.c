/* The processes of tgo-call-jobs.
 * SPDX-License-Identifier: MIT */
#include "app/jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/database.h"
#include "app/jobs_metrics.h"
#include "app/process.h"
#include "app/services.h"
#include "base/clock.h"
#include "base/rng.h"
#include "i18n/i18n.h"

enum { LOOK_ARENA_BYTES = 1024 * 1024, LOOK_PAUSE_S = 1 };

void
jobs_init(struct jobs *j)
{
	struct strbuf b;

	*j = (struct jobs){ .metrics = { .fd = -1 } };
	strbuf_init(&b, j->instance, sizeof(j->instance));
	rng_hex32(&b);
}

void
jobs_open_port(struct jobs *j, const struct setup *s)
{
	struct str address = s->conf->jobs_metrics_listen;

	(void)jobs_metrics_listen(address, s->log, &j->metrics);
	(void)snprintf(j->metrics_address, sizeof(j->metrics_address), "%.*s", STR_ARG(address));
}

void
jobs_reloaded(const struct setup *fresh, void *jobs)
{
	struct jobs *j = jobs;

	/* The same socket: nobody who scrapes is refused. */
	if (str_eq(fresh->conf->jobs_metrics_listen, str_of(j->metrics_address)))
		return;
	listen_close(&j->metrics);
	jobs_open_port(j, fresh);
}

const struct task_kind *
jobs_find(const char *name)
{
	for (size_t i = 0; i < N_TASKS; i++) {
		if (strcmp(TASKS[i]->name, name) == 0)
			return TASKS[i];
	}
	return NULL;
}

/* False: told to leave. */
static bool
pause_a_moment(struct log *log)
{
	struct timespec t = { .tv_sec = LOOK_PAUSE_S };
	sigset_t set;
	int signo;

	process_signals(&set);
	signo = sigtimedwait(&set, NULL, &t);
	if (signo == SIGUSR1)
		log_reopen(log);
	return signo != SIGTERM && signo != SIGINT;
}

/* One that was away at the start may come back with another schema than ours: then nothing is done until
 * somebody has migrated it. False: told to leave before that. */
static bool
await_database(const struct services *sv, struct arena *a)
{
	char cure[200];
	bool told = false;

	for (;;) {
		struct op op = { .arena = a, .log = sv->log, .lang = LANG_DEFAULT,
		    .started_us = clock_mono_us() };
		enum database_state state = database_schema(&op, sv->db, cure, sizeof(cure));

		if (state == DATABASE_READY)
			return true;
		if (state == DATABASE_OTHER_SCHEMA && !told)
			log_note(sv->log, LOG_ERROR, "数据库结构版本不符", "schema_mismatch", cure);
		told = told || state == DATABASE_OTHER_SCHEMA;
		if (!pause_a_moment(sv->log))
			return false;
		arena_reset(a);
	}
}

static int
begin(const struct jobs *j, const struct task_kind *k, const struct services *sv, bool schema_known)
{
	struct arena *a;
	bool go;

	if (!schema_known) {
		a = arena_new(LOOK_ARENA_BYTES);
		go = a != NULL && await_database(sv, a);
		arena_free(a);
		if (!go)
			return EXIT_SUCCESS;
	}
	return task_main(k, sv, str_of(j->instance));
}

int
jobs_run_task(const struct jobs *j, const struct task_kind *k, const struct setup *s, struct meter *meter,
    int ready_fd)
{
	struct services sv;
	int status;

	if (!services_open_jobs(&sv, s->conf, s->log))
		return EXIT_FAILURE;
	sv.meter = meter;
	process_say_up(ready_fd);
	status = begin(j, k, &sv, s->schema_known);
	services_close(&sv);
	return status;
}

int
jobs_child(const struct child *c, void *jobs)
{
	struct jobs *j = jobs;

	if (c->slot >= N_TASKS)
		return jobs_metrics_run(c, &j->metrics);
	listen_close(&j->metrics);
	return jobs_run_task(j, TASKS[c->slot], c->setup, c->meter, c->ready_fd);
}
