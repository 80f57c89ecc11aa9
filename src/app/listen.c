/* The socket the worker serves.
 * SPDX-License-Identifier: MIT */
#include "app/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

enum { BACKLOG = 1024, SYSTEMD_FD = 3 };
/* The head of a request has to fit what is received and not read yet (http/door.h). */
enum { HEAD_ROOM = 256 * 1024 };

static const char NOTHING_INHERITED[] =
    "nothing to listen on: give --listen unix:/path, or start through spawn-fcgi or a systemd "
    "socket";

static bool
is_listening_socket(int fd)
{
	int on = 0;
	socklen_t n = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && on != 0;
}

static bool
is_beyond_loopback(int fd)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof(ss);
	const struct sockaddr_in *in4 = (const void *)&ss;
	const struct sockaddr_in6 *in6 = (const void *)&ss;

	if (getsockname(fd, (struct sockaddr *)&ss, &n) != 0)
		return false;
	if (ss.ss_family == AF_INET)
		return (ntohl(in4->sin_addr.s_addr) >> 24) != 127;
	if (ss.ss_family == AF_INET6)
		return !IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
	return false;
}

/* listen() also on an inherited socket: it only sets the backlog anew. */
static bool
make_ready(int fd, struct listener *out)
{
	int flags = fcntl(fd, F_GETFL);

	if (listen(fd, BACKLOG) != 0 || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return false;
	out->fd = fd;
	out->beyond_loopback = is_beyond_loopback(fd);
	return true;
}

/* Whether `sa` is a socket file that nobody listens on (any more). A file that is no socket refuses
 * connections with the same words. */
static bool
is_stale(const struct sockaddr_un *sa)
{
	struct stat st;
	bool refused;
	int fd;

	if (lstat(sa->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	refused =
	    connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) != 0 && errno == ECONNREFUSED;
	close(fd);
	return refused;
}

/* Binds with the mode 0660 from the first moment on. */
static bool
bind_unix(int fd, const struct sockaddr_un *sa)
{
	mode_t before = umask(0117);
	bool bound = bind(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0;

	if (!bound && errno == EADDRINUSE) {
		if (is_stale(sa) && unlink(sa->sun_path) == 0)
			bound = bind(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0;
		else
			errno = EADDRINUSE;
	}
	umask(before);
	return bound;
}

static bool
listen_unix(const char *path, struct listener *out, char *err, size_t err_cap)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t n = strlen(path);
	struct stat st;
	int fd;

	if (n == 0 || n >= sizeof(sa.sun_path)) {
		snprintf(err, err_cap, "cannot listen on unix:%s: a socket's path has 1..%zu bytes",
		    path, sizeof(sa.sun_path) - 1);
		return false;
	}
	memcpy(sa.sun_path, path, n);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || !bind_unix(fd, &sa) || !make_ready(fd, out) || stat(path, &st) != 0) {
		snprintf(err, err_cap, "cannot listen on unix:%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	out->path = path;
	out->dev = st.st_dev;
	out->ino = st.st_ino;
	return true;
}

static int
bind_tcp(const struct addrinfo *ai)
{
	int on = 1, room = HEAD_ROOM;
	int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, ai->ai_protocol);

	if (fd < 0)
		return -1;
	/* Its connections inherit both. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return fd;
	on = errno;
	close(fd);
	errno = on;
	return -1;
}

/* "host:port" or "[v6]:port" into two C strings. */
static bool
split_host_port(const char *where, char *host, size_t host_cap, const char **port_out)
{
	const char *colon = strrchr(where, ':');
	struct str h;
	int64_t port;

	if (colon == NULL || colon == where || !parse_i64(str_of(colon + 1), 1, 65535, &port))
		return false;
	h = (struct str){ where, (size_t)(colon - where) };
	if (str_starts(h, S("[")) && str_ends(h, S("]")))
		h = (struct str){ h.at + 1, h.len - 2 };
	else if (memchr(h.at, ':', h.len) != NULL)
		return false;
	if (h.len == 0 || h.len >= host_cap)
		return false;
	memcpy(host, h.at, h.len);
	host[h.len] = '\0';
	*port_out = colon + 1;
	return true;
}

static bool
listen_tcp(const char *where, struct listener *out, char *err, size_t err_cap)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char host[256];
	const char *port;
	int fd, rc;

	if (!split_host_port(where, host, sizeof(host), &port)) {
		snprintf(err, err_cap, "bad --listen %s: want unix:/path or host:port", where);
		return false;
	}
	rc = getaddrinfo(host, port, &hints, &found);
	if (rc != 0) {
		snprintf(err, err_cap, "cannot listen on %s: %s", where, gai_strerror(rc));
		return false;
	}
	fd = bind_tcp(found);
	freeaddrinfo(found);
	if (fd < 0 || !make_ready(fd, out)) {
		snprintf(err, err_cap, "cannot listen on %s: %s", where, strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	return true;
}

bool
listen_at(const char *where, struct listener *out, char *err, size_t err_cap)
{
	*out = (struct listener){ .fd = -1 };
	if (str_starts(str_of(where), S("unix:")))
		return listen_unix(where + 5, out, err, err_cap);
	return listen_tcp(where, out, err, err_cap);
}

/* A number of the environment block; -1 when it is not there or not one. */
static int64_t
env_number(char *const *envp, struct str name)
{
	int64_t n;

	for (; *envp != NULL; envp++) {
		struct str pair = str_of(*envp), key;

		if (str_split(&pair, '=', &key) && str_eq(key, name))
			return parse_i64(pair, 0, INT32_MAX, &n) ? n : -1;
	}
	return -1;
}

bool
listen_inherit(char *const *envp, struct listener *out, char *err, size_t err_cap)
{
	int fd = STDIN_FILENO;

	*out = (struct listener){ .fd = -1 };
	if (env_number(envp, S("LISTEN_PID")) == (int64_t)getpid() &&
	    env_number(envp, S("LISTEN_FDS")) >= 1)
		fd = SYSTEMD_FD;
	if (!is_listening_socket(fd)) {
		snprintf(err, err_cap, "%s", NOTHING_INHERITED);
		return false;
	}
	if (!make_ready(fd, out)) {
		snprintf(err, err_cap, "cannot use the inherited socket: %s", strerror(errno));
		return false;
	}
	return true;
}

void
listen_close(struct listener *l)
{
	struct stat st;

	if (l->fd < 0)
		return;
	close(l->fd);
	l->fd = -1;
	if (l->path != NULL && stat(l->path, &st) == 0 && st.st_dev == l->dev &&
	    st.st_ino == l->ino)
		unlink(l->path);
}
