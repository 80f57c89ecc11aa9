/* worker - the process that serves: one request at a time, until it is told to leave.
 * SPDX-License-Identifier: MIT */
#ifndef APP_WORKER_H
#define APP_WORKER_H

#include "app/options.h"
#include "conf/conf.h"
#include "http/held.h"

struct sample;

struct worker {
	const struct conf *conf;
	struct log *log;
	struct meter *meter;
	struct sample *state, *links;     /* what the workers have in common, as in services.h */
	struct held *held;        /* for the master's watchdog; NULL: none */
	enum part part;
	int listen_fd;
	int ready_fd;             /* the master's pipe, for process_say_up; -1: none */
	bool schema_known;        /* right a moment ago; else looked at when a database answers */
};

/* Opens everything, serves, closes everything: the exit status. The caller has blocked process_signals. */
int worker_run(const struct worker *w);

#endif
