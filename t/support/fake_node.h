/* fake_node - a media node as far as a probe and our registry see one: it answers GET / on an address of its own, and has a
 * record in LiveKit's Redis. It can die (connections are refused), freeze (they are taken and nothing comes), wake, and be
 * started anew (another id).
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_FAKE_NODE_H
#define SUPPORT_FAKE_NODE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/unit.h"

struct fake_node {
	char ip[16];                  /* 127.0.0.x */
	int port;                     /* kept when it is started anew */
	char addr[32];
	pid_t pid;                    /* 0: does not run */
	char said[64];                /* its status line's end */
};

enum { FAKE_CONNECTIONS = 64 };

static inline int
fake_node_listen(struct fake_node *n)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)n->port) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;

	ck_assert_int_eq(inet_pton(AF_INET, n->ip, &a.sin_addr), 1);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, FAKE_CONNECTIONS), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	n->port = ntohs(a.sin_port);
	return fd;
}

static inline void
fake_node_answer(const struct fake_node *n, struct pollfd *p)
{
	char request[4096], reply[256];
	ssize_t got = read(p->fd, request, sizeof(request));
	int len = snprintf(reply, sizeof(reply), "HTTP/1.1 %s\r\nContent-Length: 2\r\n\r\nOK", n->said);

	if (got <= 0 || write(p->fd, reply, (size_t)len) != len) {
		(void)close(p->fd);
		p->fd = -1;
	}
}

static inline void
fake_node_serve(const struct fake_node *n, int fd)
{
	struct pollfd all[FAKE_CONNECTIONS] = { { .fd = fd, .events = POLLIN } };

	for (int i = 1; i < FAKE_CONNECTIONS; i++)
		all[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	while (poll(all, FAKE_CONNECTIONS, -1) >= 0) {
		for (int i = 1; i < FAKE_CONNECTIONS; i++)
			if (all[i].fd >= 0 && all[i].revents != 0)
				fake_node_answer(n, &all[i]);
		for (int i = 1; all[0].revents != 0 && i < FAKE_CONNECTIONS; i++)
			if (all[i].fd < 0) {
				all[i].fd = accept(fd, NULL, NULL);
				break;
			}
	}
	_exit(0);
}

/* ip of its own, since LiveKit's records name no port. said: "200 OK", ... */
static inline void
fake_node_start(struct fake_node *n, const char *ip, const char *said)
{
	int fd;

	(void)snprintf(n->ip, sizeof(n->ip), "%s", ip);
	(void)snprintf(n->said, sizeof(n->said), "%s", said);
	fd = fake_node_listen(n);
	(void)snprintf(n->addr, sizeof(n->addr), "%s:%d", ip, n->port);
	n->pid = fork();
	ck_assert_int_ge(n->pid, 0);
	if (n->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		fake_node_serve(n, fd);
	}
	(void)close(fd);
}

static inline void
fake_node_kill(struct fake_node *n)
{
	if (n->pid == 0)
		return;
	(void)kill(n->pid, SIGKILL);
	(void)waitpid(n->pid, NULL, 0);
	n->pid = 0;
}

/* Returns when it stands still. */
static inline void
fake_node_freeze(const struct fake_node *n)
{
	(void)kill(n->pid, SIGSTOP);
	(void)waitpid(n->pid, NULL, WUNTRACED);
}

static inline void
fake_node_wake(const struct fake_node *n)
{
	(void)kill(n->pid, SIGCONT);
}

/* ---- its record: livekit.Node, as section 1.2 of the notes has it ---- */

static inline size_t
fake_varint(unsigned char *at, uint64_t v)
{
	size_t n = 0;

	for (; v > 127; v >>= 7)
		at[n++] = (unsigned char)(v & 127) | 128;
	at[n++] = (unsigned char)v;
	return n;
}

static inline size_t
fake_text(unsigned char *at, int field, const void *text, size_t n)
{
	size_t len = fake_varint(at, (uint64_t)field << 3 | 2);

	len += fake_varint(at + len, n);
	memcpy(at + len, text, n);
	return len + n;
}

static inline size_t
fake_number(unsigned char *at, int field, uint64_t v)
{
	size_t len = fake_varint(at, (uint64_t)field << 3);

	return len + fake_varint(at + len, v);
}

/* state: LiveKit's NodeState, 1 = SERVING. at: room for 256 bytes. */
static inline size_t
fake_node_record(unsigned char *at, const char *id, const char *ip, int64_t updated_s, int state)
{
	unsigned char stats[64];
	size_t n = fake_number(stats, 1, (uint64_t)updated_s - 60), len;

	n += fake_number(stats + n, 2, (uint64_t)updated_s);
	len = fake_text(at, 1, id, strlen(id));
	len += fake_text(at + len, 2, ip, strlen(ip));
	len += fake_text(at + len, 4, stats, n);
	return len + fake_number(at + len, 6, (uint64_t)state);
}

#endif
