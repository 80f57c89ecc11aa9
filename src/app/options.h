/* options - the command lines of the two programs that serve.
 * SPDX-License-Identifier: MIT */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"

enum program { PROGRAM_WORKER = 1, PROGRAM_JOBS = 2 };
enum part { PART_API, PART_ROUTE };      /* of the worker: which socket it serves */

struct options {
	enum program program;
	const char *listen;           /* NULL: the socket is inherited */
	const char *env_file;         /* NULL: the usual places */
	const char *user;             /* NULL: stay who we are; else "user" or "user:group" */
	const char *task;             /* NULL: all of them, under a master */
	int64_t workers;              /* 0: as configured */
	enum part part;
	bool no_master, version, help;
};

enum { OPTIONS_WORKERS_MAX = 1024 };

/* "tgo-call-worker", "tgo-call-jobs" */
const char *options_name(enum program p);
const char *options_help(enum program p);

/* False: one line in err says what is wrong. The texts point into argv. */
bool options_parse(enum program p, int argc, char *const *argv, struct options *out, char *err,
    size_t err_cap) MUST_CHECK;

#endif
