/* master - forks the processes of a program and looks after them; it does none of their work.
 * Watchdog:  see app/watchdog.h. A program that serves without a master (--no-master) has none.
 * Signals:   TERM, INT: stop, what is under way is finished (at most 10 s); HUP: read the
 *            configuration again, keep the old one if the new one is bad, renew the processes one by
 *            one; USR1: open the log again, here and in the processes. The caller has blocked them.
 * SPDX-License-Identifier: MIT */
#ifndef APP_MASTER_H
#define APP_MASTER_H

#include "app/listen.h"
#include "app/setup.h"
#include "http/held.h"

/* What a child is told. */
struct child {
	const struct setup *setup;
	size_t slot;              /* 0, 1, ... */
	int ready_fd;             /* for process_say_up */
	struct meter *meter;      /* the plan's, with this child's slot in use */
	struct held *held;        /* where it notes what it does, for the watchdog; NULL: nobody looks */
};
struct plan {
	size_t n;                         /* children; 0: setup->n_workers */
	int (*run)(const struct child *c, void *arg);     /* in the child: its exit status */
	/* In the master, with a new configuration, before its children are made; NULL: nothing. */
	void (*reloaded)(const struct setup *fresh, void *arg);
	void *arg;
	struct meter *meter;              /* what the children count in; NULL: nothing */
	struct listener *listener;        /* closed as soon as it stops; NULL: none */
	bool watched;                     /* a child held longer than WORKER_STUCK_S is replaced */
};

/* Returns the exit status, once the last child is gone. `s` may be another set by then. */
int master_run(const struct options *o, struct setup *s, const struct plan *plan);

#endif
