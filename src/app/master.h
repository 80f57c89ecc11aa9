/* master - forks the processes of a program and looks after them; it does none of their work.
 * Signals:   TERM, INT: stop, what is under way is finished (at most 10 s); HUP: read the
 *            configuration again, keep the old one if the new one is bad, renew the processes one by
 *            one; USR1: open the log again, here and in the processes. The caller has blocked them.
 * SPDX-License-Identifier: MIT */
#ifndef APP_MASTER_H
#define APP_MASTER_H

#include "app/listen.h"
#include "app/setup.h"

/* What a child is told. */
struct child {
	const struct setup *setup;
	size_t slot;              /* 0, 1, ... */
	int ready_fd;             /* for process_say_up */
	struct meter *meter;      /* the plan's, with this child's slot in use */
};
struct plan {
	size_t n;                         /* children; 0: setup->n_workers */
	int (*run)(const struct child *c, void *arg);     /* in the child: its exit status */
	void *arg;
	struct meter *meter;              /* what the children count in; NULL: nothing */
	struct listener *listener;        /* closed as soon as it stops; NULL: none */
};

/* Returns the exit status, once the last child is gone. `s` may be another set by then. */
int master_run(const struct options *o, struct setup *s, const struct plan *plan);

#endif
