/* router - a table of routes and the search in it.
 * Patterns begin at the base "/api/v1" unless they are marked `absolute`; "/api" without v1 is an alias
 * of every one of them. "{x}" stands for one segment.
 * SPDX-License-Identifier: MIT */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include "http/caller.h"
#include "http/http.h"

struct services;                  /* what handlers work with: call/services.h */

typedef enum err (*route_handler)(struct op *op, struct services *sv, const struct request *rq,
    const struct caller *who, struct reply *rp);

struct route {
	enum method method;
	const char *pattern;
	bool absolute;
	route_handler handler;
	unsigned who;                 /* enum who bits; 0 does not start the server */
	int64_t body_max_bytes;       /* 0: a body is ignored */
};

/* The route for rq, its args filled in. NULL: no such path (*allow_out = NULL), or the path exists
 * with other methods (OPTIONS among them): *allow_out is the Allow header's value, in the arena. HEAD is
 * GET. Of two patterns that fit, the one with fewer {x} is meant, whatever their order. */
const struct route *route_find(struct arena *a, const struct route *routes, size_t n, struct request *rq,
    const char **allow_out);
/* "/api/v1/rooms/{room_id}/join", for logs */
struct str route_name(struct arena *a, const struct route *r);

#endif
