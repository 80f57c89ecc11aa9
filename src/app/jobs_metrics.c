/* jobs_metrics - the socket, and the loop of the process that serves it.
 * SPDX-License-Identifier: MIT */
#include "app/jobs_metrics.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/process.h"
#include "base/clock.h"
#include "http/metrics_port.h"

enum { BACKLOG = 64, RETRY_MS = 1000, LEAVE_US = 5 * 1000 * 1000 };

/* ---- the socket ---- */

static int
bind_socket(const struct addrinfo *ai)
{
	int on = 1, fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), e;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	e = errno;
	close(fd);
	errno = e;
	return -1;
}

/* "127.0.0.1:9464", "[::1]:9464": the form is the configuration's promise. -1 with errno. */
static int
listen_to(struct str address)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char host[64], port[8];
	size_t colon = address.len;
	int fd;

	while (colon > 0 && address.at[colon - 1] != ':')
		colon--;
	if (colon < 2 || colon - 1 >= sizeof(host) || address.len - colon >= sizeof(port)) {
		errno = EINVAL;
		return -1;
	}
	(void)snprintf(port, sizeof(port), "%.*s", (int)(address.len - colon), address.at + colon);
	if (address.at[0] == '[')
		(void)snprintf(host, sizeof(host), "%.*s", (int)colon - 3, address.at + 1);
	else
		(void)snprintf(host, sizeof(host), "%.*s", (int)colon - 1, address.at);
	if (getaddrinfo(host, port, &hints, &found) != 0) {
		errno = EINVAL;
		return -1;
	}
	fd = bind_socket(found);
	freeaddrinfo(found);
	return fd;
}

static void
log_where(struct log *log, int fd)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof(ss);
	char host[64] = "", port[8] = "", where[80];

	if (getsockname(fd, (struct sockaddr *)&ss, &n) != 0 ||
	    getnameinfo((struct sockaddr *)&ss, n, host, sizeof(host), port, sizeof(port),
	    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return;
	(void)snprintf(where, sizeof(where), strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host, port);
	log_note(log, LOG_INFO, "指标端口已打开", "metrics_listening", where);
}

bool
jobs_metrics_listen(struct str address, struct log *log, struct listener *out)
{
	char why[200];

	*out = (struct listener){ .fd = -1 };
	if (address.len == 0)
		return true;
	out->fd = listen_to(address);
	if (out->fd >= 0) {
		log_where(log, out->fd);
		return true;
	}
	(void)snprintf(why, sizeof(why), "JOBS_METRICS_LISTEN=%.*s: %s", STR_ARG(address), strerror(errno));
	log_note(log, LOG_ERROR, "指标端口无法打开", "metrics_port_failed", why);
	return false;
}

/* ---- the process ---- */

struct serving {
	const struct child *child;
	struct metrics_port *port;
	int signal_fd;
	bool stopping;
};

static void
write_metrics(struct strbuf *out, void *arg)
{
	const struct serving *s = arg;

	if (s->child->meter != NULL)
		meter_print(s->child->meter, out);
}

static void
take_signals(struct serving *s)
{
	struct log *log = s->child->setup->log;
	struct signalfd_siginfo si;

	while (read(s->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT)
			s->stopping = true;
		else if (si.ssi_signo == SIGUSR1 && !log_reopen(log))
			log_note(log, LOG_ERROR, "日志无法重新打开", "log_reopen_failed", strerror(errno));
	}
}

/* Until something comes at the signals or at `fd` (-1: only the signals), or ms have passed. */
static void
wait_for(struct serving *s, int fd, int ms)
{
	struct pollfd fds[2] = { { .fd = s->signal_fd, .events = POLLIN }, { .fd = fd, .events = POLLIN } };

	(void)poll(fds, N_ELEMS(fds), ms);
	take_signals(s);
}

/* An address somebody else has is free one day. False: told to leave before that. */
static bool
await_socket(struct serving *s, struct listener *own)
{
	struct str address = s->child->setup->conf->jobs_metrics_listen;

	while (!s->stopping) {
		own->fd = listen_to(address);
		if (own->fd >= 0) {
			log_where(s->child->setup->log, own->fd);
			return true;
		}
		wait_for(s, -1, RETRY_MS);
	}
	return false;
}

static void
serve(struct serving *s)
{
	int64_t leave_at_us;

	while (!s->stopping) {
		wait_for(s, metrics_port_fd(s->port), metrics_port_wait_ms(s->port));
		metrics_port_run(s->port);
	}
	leave_at_us = clock_mono_us() + LEAVE_US;
	while (!metrics_port_drain(s->port) && clock_mono_us() < leave_at_us) {
		wait_for(s, metrics_port_fd(s->port), metrics_port_wait_ms(s->port));
		metrics_port_run(s->port);
	}
}

static int
open_signals(void)
{
	sigset_t set;

	process_signals(&set);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* From the moment it can hear, it counts as up: its predecessor may go. */
int
jobs_metrics_run(const struct child *c, const struct listener *inherited)
{
	struct serving s = { .child = c, .signal_fd = open_signals() };
	struct listener own = *inherited;
	int status = EXIT_SUCCESS;

	process_say_up(c->ready_fd);
	if (s.signal_fd < 0)
		return EXIT_FAILURE;
	if (own.fd >= 0 || await_socket(&s, &own)) {
		s.port = metrics_port_open(own.fd, c->setup->conf, write_metrics, &s);
		if (s.port != NULL)
			serve(&s);
		else
			status = EXIT_FAILURE;
	}
	metrics_port_close(s.port);
	listen_close(&own);
	close(s.signal_fd);
	return status;
}
