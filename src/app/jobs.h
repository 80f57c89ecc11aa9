/* jobs - tgo-call-jobs: which process does what, and when it may begin.
 * SPDX-License-Identifier: MIT */
#ifndef APP_JOBS_H
#define APP_JOBS_H

#include "app/master.h"
#include "jobs/task.h"

struct jobs {
	char instance[40];        /* the same for all processes of this tgo-call-jobs */
	struct listener metrics;  /* the master's; fd -1: none */
	char metrics_address[80]; /* as configured */
};

void jobs_init(struct jobs *j);
/* Opens the metrics port where one is configured. That it cannot be opened stops nobody: a line was logged. */
void jobs_open_port(struct jobs *j, const struct setup *s);
/* For a plan: another address has another socket. */
void jobs_reloaded(const struct setup *fresh, void *jobs);
/* NULL: there is no task of that name. */
const struct task_kind *jobs_find(const char *name);
/* Opens everything, waits for a database with our schema, runs the task, closes everything: the exit
 * status. ready_fd: see process_say_up. The caller has blocked process_signals. */
int jobs_run_task(const struct jobs *j, const struct task_kind *k, const struct setup *s, struct meter *meter,
    int ready_fd);
/* For a plan: the child of slot i does TASKS[i], the one after them serves the metrics port. */
int jobs_child(const struct child *c, void *jobs);

#endif
