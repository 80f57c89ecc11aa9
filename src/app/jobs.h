/* jobs - tgo-call-jobs: which process does what, and when it may begin.
 * SPDX-License-Identifier: MIT */
#ifndef APP_JOBS_H
#define APP_JOBS_H

#include "app/master.h"
#include "jobs/task.h"

struct jobs {
	char instance[40];        /* the same for all processes of this tgo-call-jobs */
};

void jobs_init(struct jobs *j);
/* NULL: there is no task of that name. */
const struct task_kind *jobs_find(const char *name);
/* Opens everything, waits for a database with our schema, runs the task, closes everything: the exit
 * status. ready_fd: see process_say_up. The caller has blocked process_signals. */
int jobs_run_task(const struct jobs *j, const struct task_kind *k, const struct setup *s, struct meter *meter,
    int ready_fd);
/* For a plan: the child of slot i does TASKS[i]. */
int jobs_child(const struct child *c, void *jobs);

#endif
