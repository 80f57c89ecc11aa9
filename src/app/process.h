/* process - what the two programs that serve have in common: how they begin, their signals, the word of a
 * child to its master.
 * SPDX-License-Identifier: MIT */
#ifndef APP_PROCESS_H
#define APP_PROCESS_H

#include <signal.h>

#include "app/setup.h"
#include "base/meter.h"

/* TERM, INT: leave after what is under way; USR1: open the log again; HUP: the master's business. All of
 * them are blocked, and taken where somebody waits for them. */
void process_signals(sigset_t *set);

/* From the command line to the end: `run` gets what it needs and returns the exit status. */
typedef int (*process_run)(const struct options *o, struct setup *s, char *const *envp);
int process_main(enum program p, int argc, char *const *argv, char *const *envp, process_run run);

/* The line "started"; where: of the socket, or NULL; n: processes. Call it once nothing can refuse any
 * more: from here on the process shows nobody its memory. */
void process_started(const struct options *o, const struct setup *s, const char *where, int64_t n);

/* The counters of n processes; NULL: a line was logged, and nothing is counted. */
struct meter *process_meter(const struct setup *s, size_t n);

/* In the child: writes its pid to the master, and closes fd; -1: nobody waits. */
void process_say_up(int fd);

#endif
