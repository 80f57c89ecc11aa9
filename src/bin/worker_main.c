/* tgo-call-worker: the FastCGI application.
 * SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "api/serve.h"
#include "app/listen.h"
#include "app/master.h"
#include "app/options.h"
#include "app/setup.h"
#include "app/worker.h"

/* Before anything else: no file of ours is for everybody, and a signal waits until somebody is
 * there to take it. */
static void
settle_process(void)
{
	sigset_t set;

	umask(0027);
	signal(SIGPIPE, SIG_IGN);
	worker_signals(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static bool
open_listener(const struct options *o, char *const *envp, struct listener *out)
{
	char err[512];
	bool open = o->listen != NULL ? listen_at(o->listen, out, err, sizeof(err))
	    : listen_inherit(envp, out, err, sizeof(err));

	if (!open)
		fprintf(stderr, "tgo-call-worker: %s\n", err);
	return open;
}

static void
log_start(const struct options *o, const struct setup *s, const struct listener *listener)
{
	struct log_line l;

	if (listener->beyond_loopback)
		log_note(s->log, LOG_WARN, "监听地址不限于本机：能连上的人都可以伪造请求",
		    "listening_beyond_loopback", o->listen);
	log_begin(&l, s->log, LOG_INFO, "服务已启动", "started", S(""));
	log_z(&l, "version", PACKAGE_VERSION);
	log_i64(&l, "pid", getpid());
	log_i64(&l, "workers", o->no_master ? 1 : s->n_workers);
	log_z(&l, "listen", o->listen != NULL ? o->listen : "inherited");
	log_end(&l);
}

static int
run(const struct options *o, struct setup *s, struct listener *listener)
{
	struct worker alone = {
		.conf = s->conf,
		.log = s->log,
		.listen_fd = listener->fd,
		.ready_fd = -1,
		.schema_known = s->schema_known,
	};
	int status;

	/* Our secrets belong into no core file, and another process of the same user (nginx's
	 * workers) may not read them. Only now: a log such as /dev/stdout could not be opened any
	 * more. */
	prctl(PR_SET_DUMPABLE, 0);
	log_start(o, s, listener);
	status = o->no_master ? worker_run(&alone) : master_run(o, s, listener);
	log_note(s->log, LOG_INFO, "服务已停止", "stopped", NULL);
	return status;
}

static int
start(const struct options *o, char *const *envp)
{
	struct setup s;
	struct listener listener;
	char err[SETUP_ERR_CAP] = "";
	int status;

	if (!api_routes_ok())
		return EX_SOFTWARE;
	if (!setup_load(o, &s, err, sizeof(err))) {
		fprintf(stderr, "tgo-call-worker: %s\n", err);
		return EX_CONFIG;
	}
	if (!open_listener(o, envp, &listener)) {
		setup_free(&s);
		return EX_CONFIG;
	}
	status = run(o, &s, &listener);
	listen_close(&listener);
	setup_free(&s);
	return status;
}

int
main(int argc, char **argv, char **envp)
{
	struct options o;
	char err[256];

	if (!options_parse(argc, argv, &o, err, sizeof(err))) {
		fprintf(stderr, "tgo-call-worker: %s\n", err);
		return EX_USAGE;
	}
	if (o.help || o.version) {
		printf("%s", o.help ? OPTIONS_HELP : "tgo-call-worker " PACKAGE_VERSION "\n");
		return EXIT_SUCCESS;
	}
	settle_process();
	return start(&o, envp);
}
