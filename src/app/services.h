/* app/services - opens and closes what a process works with, in one visible order.
 * SPDX-License-Identifier: MIT */
#ifndef APP_SERVICES_H
#define APP_SERVICES_H

#include "call/services.h"

/* After fork. False: a line was logged. */
bool services_open(struct services *sv, const struct conf *c, struct log *log) MUST_CHECK;
/* The same and what the background work needs besides. */
bool services_open_jobs(struct services *sv, const struct conf *c, struct log *log) MUST_CHECK;
void services_close(struct services *sv);

#endif
