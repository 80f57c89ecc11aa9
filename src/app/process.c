/* Beginning and end of a program.
 * SPDX-License-Identifier: MIT */
#include "app/process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/privileges.h"
#include "base/clock.h"

/* More processes than that share slots: it stays exact. */
enum { METER_SLOTS_MAX = 64 };

void
process_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGUSR1);
}

/* Before anything else: no file of ours is for everybody, and a signal waits until somebody is
 * there to take it. */
static void
settle(void)
{
	sigset_t set;

	umask(0027);
	privileges_keep_low();
	signal(SIGPIPE, SIG_IGN);
	process_signals(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void
process_started(const struct options *o, const struct setup *s, const char *where, int64_t n)
{
	static const struct rlimit NONE = { 0, 0 };
	struct log_line l;

	/* Our secrets belong into no core file, and another process of the same user (nginx's
	 * workers) may not read them. Only now: a log such as /dev/stdout could not be opened any
	 * more. */
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &NONE);
	log_begin(&l, s->log, LOG_INFO, "服务已启动", "started", S(""));
	log_z(&l, "program", options_name(o->program));
	log_z(&l, "version", PACKAGE_VERSION);
	log_i64(&l, "pid", getpid());
	log_i64(&l, "workers", n);
	if (where != NULL)
		log_z(&l, "listen", where);
	log_end(&l);
}

struct meter *
process_meter(const struct setup *s, size_t n)
{
	struct meter *m = meter_new(n < 1 ? 1 : n < METER_SLOTS_MAX ? n : METER_SLOTS_MAX);

	if (m == NULL)
		log_note(s->log, LOG_ERROR, "指标不可用", "meter_failed", strerror(errno));
	log_count_in(s->log, m);
	meter_set(m, METER_BUILD, S(PACKAGE_VERSION), 1);
	meter_set(m, METER_START_TIME, S(""), clock_wall_ms() / 1000);
	return m;
}

void
process_say_up(int fd)
{
	pid_t pid = getpid();
	ssize_t n;

	if (fd < 0)
		return;
	/* A lost word is the master's to notice: it keeps the process before this one. */
	n = write(fd, &pid, sizeof(pid));
	(void)n;
	close(fd);
}

static int
set_up_and_run(const struct options *o, char *const *envp, process_run run)
{
	struct setup s;
	char err[SETUP_ERR_CAP] = "";
	int status;

	if (!setup_load(o, &s, err, sizeof(err))) {
		fprintf(stderr, "%s: %s\n", options_name(o->program), err);
		return EX_CONFIG;
	}
	status = run(o, &s, envp);
	setup_free(&s);
	return status;
}

int
process_main(enum program p, int argc, char *const *argv, char *const *envp, process_run run)
{
	const char *name = options_name(p);
	struct options o;
	char err[256];

	if (!options_parse(p, argc, argv, &o, err, sizeof(err))) {
		fprintf(stderr, "%s: %s\n", name, err);
		return EX_USAGE;
	}
	if (o.help) {
		printf("%s", options_help(p));
		return EXIT_SUCCESS;
	}
	if (o.version) {
		printf("%s " PACKAGE_VERSION "\n", name);
		return EXIT_SUCCESS;
	}
	settle();
	if (o.user != NULL && !privileges_drop(o.user, err, sizeof(err))) {
		fprintf(stderr, "%s: %s\n", name, err);
		return EX_CONFIG;
	}
	return set_up_and_run(&o, envp, run);
}
