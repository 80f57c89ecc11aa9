/* http_server - a server of a test's own on loopback, a process a connection: it answers what the path
 * names, well or badly.
 *   /echo       the request itself as the body            /redirect   302 to /echo
 *   /error      503, three bytes                          /retry      503 with Retry-After: 7
 *   /mib /more  1 MiB, and a byte more                    /ten        10 MiB
 *   /pid        as many bytes as its process id           /slow       /pid after 200 ms
 *   /silent     nothing                                   /close      nothing, and closes
 *   /half       breaks off within the body
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_HTTP_SERVER_H
#define SUPPORT_HTTP_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/unit.h"

enum { MIB = 1 << 20 };

struct http_server {
	/* A test's own paths: true when it answered. NULL: none. */
	bool (*also)(int fd, const char *request);
	char url[64];                 /* "http://127.0.0.1:PORT" */
	int port;
	pid_t pid;
};

static inline void
send_all(int fd, const char *at, size_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, at, n);

		if (k <= 0)
			return;
		at += k;
		n -= (size_t)k;
	}
}

static inline void
answer(int fd, const char *status, const char *more, size_t n_body)
{
	static char body[MIB];
	char head[512];

	memset(body, 'b', sizeof(body));
	(void)snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n", status, n_body,
	    more);
	send_all(fd, head, strlen(head));
	for (; n_body > MIB; n_body -= MIB)
		send_all(fd, body, MIB);
	send_all(fd, body, n_body);
}

/* Promises more than it sends. */
static inline void
answer_half(int fd)
{
	const char *text = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";

	send_all(fd, text, strlen(text));
	_exit(0);
}

/* The request itself as the body, so that the test sees what was sent. */
static inline void
echo(int fd, const char *request, size_t n)
{
	char head[128];

	(void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
	send_all(fd, head, strlen(head));
	send_all(fd, request, n);
}

/* Reads one whole request; false at the end of the connection. */
static inline bool
read_request(int fd, char *at, size_t cap, size_t *n_out)
{
	size_t n = 0;

	for (;;) {
		ssize_t k = read(fd, at + n, cap - n - 1);
		const char *body, *length;

		if (k <= 0)
			return false;
		n += (size_t)k;
		at[n] = '\0';
		if ((body = strstr(at, "\r\n\r\n")) == NULL)
			continue;
		length = strstr(at, "Content-Length: ");
		*n_out = n;
		if (length == NULL || strlen(body + 4) >= strtoul(length + 16, NULL, 10))
			return true;
	}
}

static inline void
serve_connection(const struct http_server *s, int fd)
{
	static char request[65536];
	size_t n;

	while (read_request(fd, request, sizeof(request), &n)) {
		if (s->also != NULL && s->also(fd, request))
			continue;
		if (strstr(request, " /echo ") != NULL)
			echo(fd, request, n);
		else if (strstr(request, " /redirect ") != NULL)
			answer(fd, "302 Found", "Location: /echo\r\n", 0);
		else if (strstr(request, " /error ") != NULL)
			answer(fd, "503 Service Unavailable", "", 3);
		else if (strstr(request, " /retry ") != NULL)
			answer(fd, "503 Service Unavailable", "retry-AFTER:  7 \r\n", 3);
		else if (strstr(request, " /close ") != NULL)
			_exit(0);
		else if (strstr(request, " /half ") != NULL)
			answer_half(fd);
		else if (strstr(request, " /ten ") != NULL)
			answer(fd, "200 OK", "", 10 * MIB);
		else if (strstr(request, " /slow ") != NULL && usleep(200000) == 0)
			answer(fd, "200 OK", "", (size_t)getpid());
		else if (strstr(request, " /mib ") != NULL)
			answer(fd, "200 OK", "", MIB);
		else if (strstr(request, " /more ") != NULL)
			answer(fd, "200 OK", "", MIB + 1);
		else if (strstr(request, " /pid ") != NULL)
			answer(fd, "200 OK", "", (size_t)getpid());
		else
			(void)pause();                       /* /silent */
	}
	_exit(0);
}

/* A test that fails never comes to its tear-down. */
static inline void
die_with_parent(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* A process a connection: the pid tells connections apart. */
static inline void
serve(const struct http_server *s, int listener)
{
	(void)signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fork() == 0) {
			die_with_parent();
			serve_connection(s, fd);
		}
		(void)close(fd);
	}
}

static inline void
http_server_start(struct http_server *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, 128), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	s->port = ntohs(a.sin_port);
	(void)snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d", s->port);
	if ((s->pid = fork()) == 0) {
		die_with_parent();
		serve(s, fd);
	}
	(void)close(fd);
}

static inline void
http_server_stop(struct http_server *s)
{
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
}

#endif
