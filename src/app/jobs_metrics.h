/* jobs_metrics - the process of tgo-call-jobs that answers GET /metrics at JOBS_METRICS_LISTEN. The tasks know nothing of
 * it: they count in shared memory.
 * The socket is the master's: while this process is renewed, or dies, whoever scrapes waits in its queue and is not
 * refused. Where another process has the address it is tried again every second, here.
 * SPDX-License-Identifier: MIT */
#ifndef APP_JOBS_METRICS_H
#define APP_JOBS_METRICS_H

#include "app/master.h"

/* The socket of an address of the configuration ("address:port", port 0: any free one) and a log line that says where;
 * "" : none, and true. False: a log line says why. out->fd is -1 without one. */
bool jobs_metrics_listen(struct str address, struct log *log, struct listener *out);
/* In the child: until it is told to leave; the exit status. */
int jobs_metrics_run(const struct child *c, const struct listener *inherited);

#endif
