/* Configuration, log and number of processes of a start.
 * SPDX-License-Identifier: MIT */
#include "app/setup.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "app/database.h"
#include "jobs/task.h"

static bool
serves_api(const struct options *o)
{
	return o->program == PROGRAM_WORKER && o->part == PART_API;
}

/* Those this process may run on. */
static int64_t
n_processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	return CPU_COUNT(&set);
}

static void
choose_workers(struct setup *s, const struct options *o, int64_t max_connections)
{
	int64_t wanted = o->workers > 0 ? o->workers : s->conf->workers;
	int64_t unbounded = database_workers(wanted, n_processors(), 0);
	struct log_line l;

	/* Few, and seldom at the database: what it has room for is not their measure. */
	if (o->part == PART_ROUTE) {
		s->n_workers = o->workers > 0 ? o->workers : s->conf->route_workers;
		return;
	}
	s->n_workers = database_workers(wanted, n_processors(), max_connections);
	if (s->n_workers == unbounded)
		return;
	log_begin(&l, s->log, LOG_WARN, "数据库连接数不足，工作进程数已减少", "workers_reduced", S(""));
	log_i64(&l, "wanted", unbounded);
	log_i64(&l, "workers", s->n_workers);
	log_i64(&l, "max_connections", max_connections);
	log_end(&l);
}

/* conf and log are open. */
static bool
check_database(struct setup *s, const struct options *o, char *err, size_t err_cap)
{
	struct database_facts db;

	database_look(s->conf, s->log, &db);
	if (db.state == DATABASE_OTHER_SCHEMA) {
		snprintf(err, err_cap, "%s", db.cure);
		return false;
	}
	s->schema_known = db.state == DATABASE_READY;
	if (db.state == DATABASE_AWAY)
		log_note(s->log, LOG_WARN, "数据库暂不可用，恢复后自动继续", "database_away", NULL);
	if (o->program == PROGRAM_WORKER)
		choose_workers(s, o, db.max_connections);
	else
		s->n_workers = (int64_t)N_TASKS + (s->conf->jobs_metrics_listen.len > 0);
	return true;
}

/* The API alone answers for who may call. */
static bool
check_keys(const struct setup *s, const struct options *o, char *err, size_t err_cap)
{
	if (serves_api(o) && !conf_can_authorise(s->conf, err, err_cap))
		return false;
	if (s->conf->n_livekit_keys > 0)
		return true;
	snprintf(err, err_cap, "LIVEKIT_API_KEY and LIVEKIT_API_SECRET (or LIVEKIT_KEYS) are not set: "
	    "no token could be made");
	return false;
}

static bool
open_log(struct setup *s, char *err, size_t err_cap)
{
	char path[512];

	snprintf(path, sizeof(path), "%.*s", STR_ARG(s->conf->log_file));
	s->log = log_open(path, (enum log_level)s->conf->log_level);
	if (s->log == NULL)
		snprintf(err, err_cap, "cannot open the log %s: %s",
		    path[0] != '\0' ? path : DEFAULT_LOG_FILE, strerror(errno));
	return s->log != NULL;
}

bool
setup_load(const struct options *o, struct setup *out, char *err, size_t err_cap)
{
	struct setup s = { 0 };

	s.conf = conf_load(o->env_file, err, err_cap);
	if (s.conf == NULL)
		return false;
	if (!check_keys(&s, o, err, err_cap) || !open_log(&s, err, err_cap) ||
	    !check_database(&s, o, err, err_cap)) {
		setup_free(&s);
		return false;
	}
	if (serves_api(o) && s.conf->auth_mode == AUTH_MODE_OPEN)
		log_note(s.log, LOG_WARN, "AUTH_MODE=open：任何人都可以调用接口", "auth_open", NULL);
	*out = s;
	return true;
}

void
setup_free(struct setup *s)
{
	if (s->log != NULL)
		log_close(s->log);
	if (s->conf != NULL)
		conf_free(s->conf);
	*s = (struct setup){ 0 };
}
