/* options - the worker's command line.
 * SPDX-License-Identifier: MIT */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"

struct options {
	const char *listen;           /* NULL: the socket is inherited */
	const char *env_file;         /* NULL: the usual places */
	int64_t workers;              /* 0: as configured */
	bool no_master, version, help;
};

enum { OPTIONS_WORKERS_MAX = 1024 };

extern const char OPTIONS_HELP[];

/* False: one line in err says what is wrong. The texts point into argv. */
bool options_parse(int argc, char *const *argv, struct options *out, char *err, size_t err_cap)
    MUST_CHECK;

#endif
