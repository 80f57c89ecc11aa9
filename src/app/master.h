/* master - forks the workers and looks after them; no request passes through it.
 * Signals:   TERM, INT: stop, what is under way is finished (at most 10 s); HUP: read the
 *            configuration again, keep the old one if the new one is bad, renew the workers one by
 *            one; USR1: open the log again, here and in the workers. The caller has blocked them.
 * SPDX-License-Identifier: MIT */
#ifndef APP_MASTER_H
#define APP_MASTER_H

#include "app/listen.h"
#include "app/setup.h"

/* Returns the exit status, once the last worker is gone. `s` may be another set by then; the
 * listener is closed. */
int master_run(const struct options *o, struct setup *s, struct listener *listener);

#endif
