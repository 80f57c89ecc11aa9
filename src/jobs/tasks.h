/* tasks - the work of tgo-call-jobs, one row of TASKS for each process; one file each.
 * SPDX-License-Identifier: MIT */
#ifndef JOBS_TASKS_H
#define JOBS_TASKS_H

#include "jobs/task.h"

extern const struct task_kind TASK_DEADLINES;     /* who does not answer is missed, in time */
extern const struct task_kind TASK_SEQUENCE;      /* numbers committed events, queues their deliveries */
extern const struct task_kind TASK_DELIVER;       /* events to the business backend */
extern const struct task_kind TASK_ACTIONS;       /* what LiveKit was to be told */
extern const struct task_kind TASK_RECONCILE;     /* what LiveKit forgot to say */
extern const struct task_kind TASK_KEEPER;        /* retention, dead processes' rows */
extern const struct task_kind TASK_NODES;         /* which media nodes answer, what dead ones left */

#endif
