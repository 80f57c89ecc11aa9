/* http - one kept connection of bench/load to 127.0.0.1: a request at a time, its answer read as it comes.
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_HTTP_H
#define BENCH_HTTP_H

#include <stdbool.h>
#include <stddef.h>

enum { ANSWER_MAX = 64 * 1024 };

struct http {
	int fd;                       /* -1: not connected */
	size_t n;
	char in[ANSWER_MAX + 1];
};

enum answer {
	ANSWER_PART,                  /* more is to come */
	ANSWER_WHOLE,
	ANSWER_BROKEN,                /* hung up half way, too long, or no HTTP */
	ANSWER_COUNT
};

/* False: nobody listens. */
bool http_open(struct http *c, int port);
void http_close(struct http *c);
bool http_send(struct http *c, const char *text, size_t n);
/* What has come by now. *status_out and *last_out (the server hangs up after this one) with a whole answer; the
 * answer stays in c->in until the next http_send. */
enum answer http_read(struct http *c, int *status_out, bool *last_out);

#endif
