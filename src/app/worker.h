/* worker - the process that serves: one request at a time, until it is told to leave.
 * SPDX-License-Identifier: MIT */
#ifndef APP_WORKER_H
#define APP_WORKER_H

#include <signal.h>

#include "conf/conf.h"

struct worker {
	const struct conf *conf;
	struct log *log;
	int listen_fd;
	int ready_fd;             /* the master's pipe, gets our pid when we are up; -1: none */
	bool schema_known;        /* right a moment ago; else looked at when a database answers */
};

/* TERM, INT: leave after the current request; USR1: open the log again; HUP: the master's business.
 * Whoever calls worker_run has blocked them. */
void worker_signals(sigset_t *set);
/* Opens everything, serves, closes everything: the exit status. */
int worker_run(const struct worker *w);

#endif
