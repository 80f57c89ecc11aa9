/* fcgi - the FastCGI side of a worker: waits, accepts, reads the request, writes the reply. The only
 * file that knows libfcgi; the recipe (signals blocked, EPOLLEXCLUSIVE, drained bodies, no kept
 * connections) is the one measured for Debian's build.
 * Process:   fcgi_open after fork, once; signals must already be blocked.
 * SPDX-License-Identifier: MIT */
#ifndef HTTP_FCGI_H
#define HTTP_FCGI_H

#include <signal.h>

#include "http/held.h"
#include "http/http.h"

struct fcgi;

/* listen_fd is a listening socket, non-blocking. What it does is noted in held (NULL: nowhere). NULL with errno set
 * on failure. */
struct fcgi *fcgi_open(int listen_fd, struct held *held);
void fcgi_close(struct fcgi *f);

enum fcgi_event { FCGI_REQUEST, FCGI_SIGNAL, FCGI_ERROR };

/* Waits for a request or for a signal of `set` (all of `set` blocked by the caller); the signal's
 * number in *signo_out. FCGI_REQUEST: fcgi_read comes next. FCGI_ERROR: the worker should leave. */
enum fcgi_event fcgi_wait(struct fcgi *f, const sigset_t *set, int *signo_out);

/* Parameters into rq (copied into the arena); the body stays unread until fcgi_read_body. rq->malformed: answer 400. */
void fcgi_read(struct fcgi *f, struct arena *a, struct request *rq);
/* A header by its name as it is sent ("CF-IPCountry"), copied; "": there is none. */
struct str fcgi_header(const struct fcgi *f, struct arena *a, struct str name);
/* Reads the body if it is at most max_bytes: ERR_OK, ERR_BODY_TOO_LARGE, or ERR_INVALID_PARAMETERS (it was
 * shorter or longer than CONTENT_LENGTH said, or the client went). */
enum err fcgi_read_body(struct fcgi *f, struct arena *a, struct request *rq, int64_t max_bytes) MUST_CHECK;
/* Drains what is left of the request (so that a peer that only sends cannot block us while we only
 * write), then status, headers, body (not for HEAD), and finishes it. Names and values with a byte
 * below 0x20 or 0x7f are dropped; a body that failed its buffer goes out as 500 without it.
 * `extra`: name, value pairs, n of them. */
struct fcgi_header { const char *name; struct str value; };
void fcgi_finish(struct fcgi *f, const struct request *rq, const struct reply *rp,
    const struct fcgi_header *extra, size_t n_extra);

#endif
