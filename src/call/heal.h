/* heal - closes rows that are active in calls that are over or not there (a database taken over from the Go server).
 * SPDX-License-Identifier: MIT */
#ifndef CALL_HEAL_H
#define CALL_HEAL_H

#include "call/services.h"

/* How far it came; zeroed at first. */
struct healing {
	int status;                  /* rows of this status are looked through: 0, then 1, then it is done */
	int64_t after_id;
	int64_t n_closed;
	bool done;
};
/* One bounded step. A call that cannot be had now is left to the next start; ERR_UNAVAILABLE: the database is away. */
enum err op_heal(struct op *op, struct services *sv, struct healing *h) MUST_CHECK;

#endif
