/* The table of tasks: a process each, so that what waits for somebody keeps nothing else waiting.
 * SPDX-License-Identifier: MIT */
#include "jobs/tasks.h"

const struct task_kind *const TASKS[] = {
	&TASK_DEADLINES,
	&TASK_SEQUENCE,
	&TASK_DELIVER,
	&TASK_ACTIONS,
	&TASK_RECONCILE,
	&TASK_KEEPER,
	&TASK_NODES,
};
const size_t N_TASKS = N_ELEMS(TASKS);
