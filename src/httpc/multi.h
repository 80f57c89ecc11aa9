/* multi - many outbound HTTP calls at the same time, in one thread (libcurl's multi interface).
 * Same rules as httpc.h: no redirects, no proxy, certificates checked, connections kept.
 * Ownership: what a call points at must live until its answer was taken; an answer's body lives in the
 *            call's own memory until multi_done_free.
 * Fork:      open after fork.
 * SPDX-License-Identifier: MIT */
#ifndef HTTPC_MULTI_H
#define HTTPC_MULTI_H

#include <poll.h>

#include "httpc/httpc.h"

struct httpc_multi;

/* Which addresses may be connected to, checked on the resolved address (a name cannot lie about it). */
enum reach {
	REACH_ALL,                                        /* our own servers: LiveKit */
	REACH_NOT_LINK_LOCAL,                             /* operator's endpoints: no link-local, metadata, multicast, unspecified */
	REACH_PUBLIC                                      /* and no private, loopback or shared address either */
};

/* parallel: most calls under way in all; connections kept: as many. NULL only when libcurl cannot start. */
struct httpc_multi *multi_open(size_t parallel);
/* Calls under way are dropped. NULL is fine. */
void multi_close(struct httpc_multi *m);

struct multi_call {
	struct http_call call;
	struct str headers[12];                           /* "Name: value", besides content type and bearer */
	size_t n_headers;
	enum reach reach;
	size_t answer_max;                                /* bytes kept of the body; the rest is read and dropped up to 64 KiB, then cut off */
	void *tag;                                        /* handed back with the answer */
};
/* False: `parallel` calls are under way already, or there is no memory. */
bool multi_start(struct httpc_multi *m, const struct multi_call *c) MUST_CHECK;
size_t multi_n_under_way(const struct httpc_multi *m);

struct multi_done {
	void *tag;
	bool answered;                                    /* an HTTP answer came, whatever its status */
	int status;                                       /* 0: none */
	struct str body;                                  /* its beginning */
	struct str retry_after;                           /* that header's value, or "" */
	char why[256];                                    /* !answered: why */
	bool refused_address;                             /* `reach` forbids it */
	bool refused;                                     /* nobody listens there */
	bool timed_out;                                   /* nobody answered in time */
	int64_t us;                                       /* how long it took */
	void *memory;                                     /* of body and retry_after */
};
/* Waits until an answer is there, one of `fds` (may be NULL) has something, or timeout_ms passed. */
void multi_wait(struct httpc_multi *m, struct pollfd *fds, size_t n_fds, int timeout_ms);
/* Takes one answer; false: none there. */
bool multi_take(struct httpc_multi *m, struct multi_done *out) MUST_CHECK;
void multi_done_free(struct multi_done *d);

/* All of these calls, `parallel` of them at a time, each within its own time-out; answers (in the arena) in
 * the order of calls: e is ERR_OK when an HTTP answer came. For tasks that wait for all of them anyway;
 * not to be mixed with multi_start on the same m. */
struct many_answer { enum err e; struct http_answer answer; };
void multi_all(struct op *op, struct httpc_multi *m, const struct http_call *calls, size_t n, size_t parallel,
    struct many_answer *answers_out);

#endif
