/* tgo-call-jobs: the background work.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <sysexits.h>

#include "app/jobs.h"
#include "app/process.h"

static int
run(const struct options *o, struct setup *s, char *const *envp)
{
	struct jobs jobs;
	struct plan plan = { .run = jobs_child, .reloaded = jobs_reloaded, .arg = &jobs,
		.listener = &jobs.metrics };
	const struct task_kind *alone = NULL;
	int status;

	(void)envp;
	if (o->task != NULL && (alone = jobs_find(o->task)) == NULL) {
		fprintf(stderr, "tgo-call-jobs: no task is named %s (see --help)\n", o->task);
		return EX_USAGE;
	}
	jobs_init(&jobs);
	/* A reload may add the metrics port. */
	plan.meter = process_meter(s, N_TASKS + 1);
	process_started(o, s, NULL, alone != NULL ? 1 : s->n_workers);
	if (alone == NULL)
		jobs_open_port(&jobs, s);
	status = alone != NULL ? jobs_run_task(&jobs, alone, s, plan.meter, -1) : master_run(o, s, &plan);
	meter_free(plan.meter);
	log_note(s->log, LOG_INFO, "服务已停止", "stopped", NULL);
	return status;
}

int
main(int argc, char **argv, char **envp)
{
	return process_main(PROGRAM_JOBS, argc, argv, envp, run);
}
