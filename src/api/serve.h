/* serve - one request from route to reply: finds the route, who calls, reads the body within the
 * route's limit, runs the handler, words the error, writes the closing log line.
 * SPDX-License-Identifier: MIT */
#ifndef API_SERVE_H
#define API_SERVE_H

#include "call/services.h"
#include "http/http.h"

/* Reads the body into rq->body: fcgi_read_body, or a test's. */
typedef enum err (*body_reader)(void *arg, struct arena *a, struct request *rq, int64_t max_bytes);

void api_serve(struct op *op, struct services *sv, struct request *rq, body_reader read_body, void *arg,
    struct reply *rp);
/* A request was answered; route: its index among LABEL_ROUTE. */
void serve_count(struct op *op, size_t route, int status);
/* The names of the routes, before anybody else names one and before the fork: api_serve counts by their place. */
void api_routes_count_in(struct meter *m);
/* What an operation took and was assigned, the same fields in each closing line. */
void serve_log_op(struct log_line *l, const struct op *op);
/* Every route names who may call it; else a line on stderr and false: the worker refuses to start. */
bool api_routes_ok(void);

#endif
