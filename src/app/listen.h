/* listen - the socket the worker serves: its own (--listen), or one from systemd or spawn-fcgi.
 * Shape:     non-blocking, close-on-exec, backlog 1024 (a full backlog turns into instant 502s).
 * Ownership: listen_close closes it, and removes the socket file if this process made it.
 * Errors:    false with one line in err; nothing stays open.
 * SPDX-License-Identifier: MIT */
#ifndef APP_LISTEN_H
#define APP_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attrs.h"

struct listener {
	int fd;
	bool beyond_loopback;     /* whoever reaches it may forge requests: worth a warning */
	const char *path;         /* of a socket file made here; else NULL. Points into `where` */
	dev_t dev;
	ino_t ino;                /* of that file, so that a successor's is not removed */
};

/* "unix:/path" (mode 0660; a file nobody listens on is replaced) or "host:port", "[::1]:port". */
bool listen_at(const char *where, struct listener *out, char *err, size_t err_cap) MUST_CHECK;
/* From the environment block: LISTEN_PID is this process and LISTEN_FDS >= 1: fd 3; else fd 0 if it
 * is a listening socket. */
bool listen_inherit(char *const *envp, struct listener *out, char *err, size_t err_cap) MUST_CHECK;
void listen_close(struct listener *l);

#endif
