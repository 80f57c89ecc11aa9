/* setup - what a start needs besides the socket: the configuration, the log, the number of processes.
 * Made at the start and again on every SIGHUP, by the same checks.
 * Errors:    false, with the reason in err (a hint may have several lines); nothing stays open, but TZ may be that of
 *            what was refused: who goes on with another one calls conf_use_tz.
 * SPDX-License-Identifier: MIT */
#ifndef APP_SETUP_H
#define APP_SETUP_H

#include "app/options.h"
#include "conf/conf.h"

enum { SETUP_ERR_CAP = 4096 };

struct setup {
	struct conf *conf;
	struct log *log;
	int64_t n_workers;        /* of tgo-call-jobs: one a task, and one for the metrics port */
	bool schema_known;        /* the database answered, and its schema is ours */
};

bool setup_load(const struct options *o, struct setup *out, char *err, size_t err_cap) MUST_CHECK;
void setup_free(struct setup *s);

#endif
