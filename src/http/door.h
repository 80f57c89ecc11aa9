/* door - takes connections, and lets in only those whose request's head is whole (head.h): a peer that says nothing,
 * or half of it, costs a worker half a second at most, not its life.
 * Shape:     the head is looked at where it waits (MSG_PEEK); who reads the connection afterwards finds all of it.
 * Ownership: the socket returned is the caller's, blocking, with bounds on each read and write.
 * SPDX-License-Identifier: MIT */
#ifndef HTTP_DOOR_H
#define HTTP_DOOR_H

#include <stdbool.h>

#include "http/head.h"
#include "http/held.h"

struct door {
	int listen_fd;            /* non-blocking */
	struct held *held;        /* NULL: none */
	unsigned char head[HEAD_MAX_BYTES];
};

enum { DOOR_NOBODY = -1, DOOR_BROKEN = -2 };

/* A socket; DOOR_NOBODY: another worker had it, or it was hung up on; DOOR_BROKEN: the listening socket cannot be
 * used, with errno. *odd_out: the head is HEAD_ODD. */
int door_take(struct door *d, bool *odd_out);

#endif
