/* Takes connections.
 * SPDX-License-Identifier: MIT */
#include "http/door.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"

/* nginx sends the head the moment it is connected. A head that comes in pieces is looked at again after each pause:
 * no poll() wakes for more of what was only peeked at. */
enum { HEAD_MS = 500, PAUSE_MS = 2 };
/* A peer that stands still in the middle of a request; half of what the watchdog gives by default. */
enum { PEER_TIMEOUT_S = 5 };

/* Another worker may have taken the connection, or its peer may have gone: both are daily life. */
static bool
may_go_on(int why)
{
	return why == EAGAIN || why == EWOULDBLOCK || why == EINTR || why == ECONNABORTED || why == EPROTO ||
	    why == ECONNRESET || why == EPIPE || why == ENOTCONN;
}

static void
bound_peer(int fd)
{
	struct timeval tv = { .tv_sec = PEER_TIMEOUT_S };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

/* False: it did not come to pass. */
static bool
wait_for(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, ms) > 0;
}

static enum head_verdict
peek(struct door *d, int fd)
{
	ssize_t n = recv(fd, d->head, sizeof(d->head), MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return HEAD_MORE;
	return n > 0 ? head_judge(d->head, (size_t)n) : HEAD_BAD;
}

static enum head_verdict
await_head(struct door *d, int fd)
{
	enum head_verdict v = peek(d, fd);
	int64_t until_us;
	bool gone = false;

	if (v != HEAD_MORE)
		return v;
	until_us = clock_mono_us() + HEAD_MS * 1000;
	if (!wait_for(fd, POLLIN, HEAD_MS))
		return HEAD_BAD;
	while ((v = peek(d, fd)) == HEAD_MORE && !gone && clock_mono_us() < until_us)
		gone = wait_for(fd, POLLRDHUP, PAUSE_MS);
	return v == HEAD_MORE ? HEAD_BAD : v;
}

int
door_take(struct door *d, bool *odd_out)
{
	int fd = accept4(d->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	enum head_verdict v;

	if (fd < 0)
		return may_go_on(errno) ? DOOR_NOBODY : DOOR_BROKEN;
	held_take(d->held);
	bound_peer(fd);
	v = await_head(d, fd);
	*odd_out = v == HEAD_ODD;
	if (v == HEAD_WHOLE || v == HEAD_ODD)
		return fd;
	close(fd);
	held_idle(d->held);
	return DOOR_NOBODY;
}
