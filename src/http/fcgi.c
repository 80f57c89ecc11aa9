/* The FastCGI side of a worker, over libfcgi.
 * SPDX-License-Identifier: MIT */
#include "http/fcgi.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "http/door.h"
#include "http/params.h"
#include "http/scraper.h"

/* What is left of a refused body is read and thrown away up to here; nginx's own limit is far
 * below. */
enum { DRAIN_MAX_BYTES = 16 * 1024 * 1024 };

struct fcgi {
	FCGX_Request rq;
	int epoll_fd;
	int signal_fd;            /* -1 until the first wait names the signals */
	bool odd;                 /* the head of this request is HEAD_ODD */
	struct door door;
};

static bool
watch(const struct fcgi *f, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0;
}

struct fcgi *
fcgi_open(int listen_fd, struct held *held)
{
	struct fcgi *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->door.listen_fd = listen_fd;
	f->door.held = held;
	f->signal_fd = -1;
	f->rq.ipcFd = -1;
	/* libfcgi gives 2 s to a peer that does not close. */
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "200", 0);
	f->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (f->epoll_fd < 0 || FCGX_Init() != 0 || FCGX_InitRequest(&f->rq, -1, 0) != 0 ||
	    /* Exclusive: a request wakes one worker, not all of them. */
	    !watch(f, listen_fd, EPOLLIN | EPOLLEXCLUSIVE)) {
		int why = errno;

		fcgi_close(f);
		errno = why;
		return NULL;
	}
	signal(SIGPIPE, SIG_IGN);         /* FCGX_Init has put a handler of its own in its place */
	return f;
}

void
fcgi_close(struct fcgi *f)
{
	if (f == NULL)
		return;
	FCGX_Free(&f->rq, 1);
	if (f->signal_fd >= 0)
		close(f->signal_fd);
	if (f->epoll_fd >= 0)
		close(f->epoll_fd);
	free(f);
}

/* Sleeps until a request or a signal is there. The signals stay blocked all the time, so that none
 * can cut a read or a write of libfcgi short: the signalfd only wakes us, sigtimedwait takes the
 * signal. */
static bool
sleep_until_ready(struct fcgi *f, bool *request_out)
{
	struct epoll_event ev[2];
	int n = epoll_wait(f->epoll_fd, ev, N_ELEMS(ev), -1);

	*request_out = false;
	if (n < 0)
		return errno == EINTR;
	for (int i = 0; i < n; i++)
		*request_out = *request_out || ev[i].data.fd == f->door.listen_fd;
	return true;
}

/* Hands a connection to libfcgi as one it has kept. Without a listening socket it has none to go on with where it
 * does not like this one: it closes it and comes back. False: that happened. */
static bool
begin_request(struct fcgi *f, int fd)
{
	f->rq.ipcFd = fd;
	f->rq.keepConnection = 1;
	return FCGX_Accept_r(&f->rq) == 0;
}

enum fcgi_event
fcgi_wait(struct fcgi *f, const sigset_t *set, int *signo_out)
{
	static const struct timespec AT_ONCE = { 0, 0 };
	bool request;
	int rc;

	held_idle(f->door.held);
	if (f->signal_fd < 0) {
		f->signal_fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
		if (f->signal_fd < 0 || !watch(f, f->signal_fd, EPOLLIN))
			return FCGI_ERROR;
	}
	for (;;) {
		/* Signals first, or a busy worker would never see one. After sleeping it is the
		 * request that comes first: its wake-up came to this worker alone, so nobody else
		 * would take it. */
		rc = sigtimedwait(set, NULL, &AT_ONCE);
		if (rc > 0) {
			*signo_out = rc;
			return FCGI_SIGNAL;
		}
		if (!sleep_until_ready(f, &request))
			return FCGI_ERROR;
		if (!request)
			continue;
		rc = door_take(&f->door, &f->odd);
		if (rc == DOOR_BROKEN)
			return FCGI_ERROR;
		if (rc >= 0 && begin_request(f, rc))
			return FCGI_REQUEST;
		held_idle(f->door.held);
	}
}

void
fcgi_read(struct fcgi *f, struct arena *a, struct request *rq)
{
	held_turn(f->door.held, HELD_WORKING);
	params_read(f->rq.envp, a, rq);
	rq->malformed = rq->malformed || f->odd;
}

struct str
fcgi_header(const struct fcgi *f, struct arena *a, struct str name)
{
	return params_header(f->rq.envp, a, name);
}

/* Reads until n bytes are there, the body ends or the peer is gone. */
static size_t
read_up_to(FCGX_Stream *in, char *at, size_t n)
{
	size_t have = 0;

	while (have < n) {
		size_t want = n - have < 65536 ? n - have : 65536;
		int got = FCGX_GetStr(at + have, (int)want, in);

		if (got <= 0)
			break;
		have += (size_t)got;
	}
	return have;
}

enum err
fcgi_read_body(struct fcgi *f, struct arena *a, struct request *rq, int64_t max_bytes)
{
	char more;
	char *at;
	size_t n;
	bool whole;

	if (rq->content_length < 0)
		return ERR_INVALID_PARAMETERS;
	if (rq->content_length > max_bytes)
		return ERR_BODY_TOO_LARGE;
	n = (size_t)rq->content_length;
	at = arena_alloc(a, n + 1);
	held_turn(f->door.held, HELD_BODY);
	whole = read_up_to(f->rq.in, at, n) == n && read_up_to(f->rq.in, &more, 1) == 0 &&
	    FCGX_GetError(f->rq.in) == 0;
	held_turn(f->door.held, HELD_WORKING);
	if (!whole)
		return ERR_INVALID_PARAMETERS;
	rq->body = (struct str){ at, n };
	return ERR_OK;
}

static void
drain(FCGX_Stream *in)
{
	char waste[8192];
	size_t n = 0, got;

	do {
		got = read_up_to(in, waste, sizeof(waste));
		n += got;
	} while (got == sizeof(waste) && n < DRAIN_MAX_BYTES);
}

static void
put(FCGX_Stream *out, struct str s)
{
	if (s.len > 0)
		FCGX_PutStr(s.at, (int)s.len, out);
}

/* A line break inside a value would be a header of the sender's own. */
static bool
is_header_text(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.at[i] < 0x20 || s.at[i] == 0x7f)
			return false;
	}
	return true;
}

static void
put_header(FCGX_Stream *out, const char *name, struct str value)
{
	struct str n = str_of(name);

	if (n.len == 0 || !is_header_text(n) || !is_header_text(value))
		return;
	put(out, n);
	put(out, S(": "));
	put(out, value);
	put(out, S("\r\n"));
}

static void
put_header_i64(FCGX_Stream *out, const char *name, int64_t v)
{
	char text[24];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	strbuf_add_i64(&b, v);
	put_header(out, name, strbuf_str(&b));
}

static void
put_cors(FCGX_Stream *out, const struct reply *rp)
{
	if (rp->vary_origin)
		put_header(out, "Vary", S("Origin"));
	if (rp->cors_origin.len == 0)
		return;
	put_header(out, "Access-Control-Allow-Origin", rp->cors_origin);
	put_header(out, "Access-Control-Expose-Headers", S("X-Request-Id, Retry-After, Idempotency-Replayed"));
	if (!rp->preflight)
		return;
	if (rp->allow != NULL)
		put_header(out, "Access-Control-Allow-Methods", str_of(rp->allow));
	put_header(out, "Access-Control-Allow-Headers",
	    S("Authorization, Content-Type, X-Language, Accept-Language, Idempotency-Key, "
	      "X-Request-Id, X-Region"));
	put_header(out, "Access-Control-Max-Age", S("86400"));
}

void
fcgi_finish(struct fcgi *f, const struct request *rq, const struct reply *rp,
    const struct fcgi_header *extra, size_t n_extra)
{
	FCGX_Stream *out = f->rq.out;
	bool whole = strbuf_ok(&rp->body);
	struct str body = strbuf_str(&rp->body);
	const char *type = rp->content_type;

	held_turn(f->door.held, HELD_BODY);
	drain(f->rq.in);
	held_turn(f->door.held, HELD_WRITING);
	/* A body that did not fit its buffer must not go out as a success. */
	put_header_i64(out, "Status", whole ? rp->status : 500);
	if (rp->status != 204) {
		put_header(out, "Content-Type",
		    str_of(type != NULL ? type : "application/json; charset=utf-8"));
		put_header_i64(out, "Content-Length", (int64_t)body.len);
	}
	if (rp->allow != NULL)
		put_header(out, "Allow", str_of(rp->allow));
	if (rp->asks_password)
		put_header(out, "WWW-Authenticate", S(SCRAPER_CHALLENGE));
	if (rp->retry_after_s > 0)
		put_header_i64(out, "Retry-After", rp->retry_after_s);
	if (rp->replayed)
		put_header(out, "Idempotency-Replayed", S("true"));
	put_cors(out, rp);
	for (size_t i = 0; i < n_extra; i++)
		put_header(out, extra[i].name, extra[i].value);
	put(out, S("\r\n"));
	if (!rq->head && rp->status != 204)
		put(out, body);
	/* Never kept, whatever the peer asked for: an idle kept connection would pin this worker,
	 * and what it left unread would be taken for the next request. */
	f->rq.keepConnection = 0;
	/* libfcgi waits for the peer to close first, lest bytes that nobody read cost it the answer. None are left of a
	 * request that was read to its end. */
	if (FCGX_HasSeenEOF(f->rq.in) && FCGX_GetError(f->rq.in) == 0)
		FCGX_Detach(&f->rq);
	FCGX_Finish_r(&f->rq);
}
