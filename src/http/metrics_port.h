/* metrics_port - answers GET /metrics (and HEAD) on a socket of its own, for tgo-call-jobs, which has no web server
 * before it. The only room that knows libmicrohttpd.
 * Shape:     one thread, driven by its owner: poll metrics_port_fd for reading, at most metrics_port_wait_ms long, then
 *            metrics_port_run. At most 32 peers at a time, others wait in the socket's queue; nobody is served for
 *            longer than ten seconds, nobody sends more than 8 KiB; a connection serves one answer.
 * Errors:    none besides a NULL from metrics_port_open; whatever a peer does wrong is answered or hung up on.
 * Fork:      open after fork.
 * SPDX-License-Identifier: MIT */
#ifndef HTTP_METRICS_PORT_H
#define HTTP_METRICS_PORT_H

#include "conf/conf.h"

struct metrics_port;

/* Writes the whole answer; called for each scrape. */
typedef void (*metrics_write)(struct strbuf *out, void *arg);

/* fd: listening, non-blocking; stays the caller's, and open for as long as this is. NULL: the library does not start. */
struct metrics_port *metrics_port_open(int fd, const struct conf *c, metrics_write write, void *arg);
int metrics_port_fd(const struct metrics_port *p);
int metrics_port_wait_ms(const struct metrics_port *p);
void metrics_port_run(struct metrics_port *p);
/* Takes nobody in any more; true: nobody is left. */
bool metrics_port_drain(struct metrics_port *p);
/* Hangs up on whoever is left. NULL is fine. */
void metrics_port_close(struct metrics_port *p);

#endif
