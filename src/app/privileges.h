/* privileges - becomes another user, for good, before anything of the outside is read.
 * SPDX-License-Identifier: MIT */
#ifndef APP_PRIVILEGES_H
#define APP_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attrs.h"

/* No program that is started from here gains rights its starter has not: this program, and all after it. */
void privileges_keep_low(void);
/* who: "user" or "user:group"; without a group the user's own. The supplementary groups become the user's. For root;
 * for that user itself nothing is to be done. False: one line in err, and the process must end. */
bool privileges_drop(const char *who, char *err, size_t err_cap) MUST_CHECK;

#endif
