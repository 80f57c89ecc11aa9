/* metrics_port - GET /metrics through libmicrohttpd, in one thread.
 * SPDX-License-Identifier: MIT */
#include "http/metrics_port.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/prom.h"
#include "http/scraper.h"

enum {
	PEERS_MAX = 32, PEER_MAX_US = 10 * 1000 * 1000,
	SILENT_MAX_S = 5,             /* the library's own patience between two bytes */
	HEAD_BYTES = 8 * 1024,        /* the library's memory for a connection: what a request may have */
	WAIT_MS = 1000,
	TEXT_BYTES = 64 * 1024, TEXT_BYTES_MAX = 16 << 20
};

struct peer {
	int fd;
	int64_t until_us;
};
struct metrics_port {
	struct MHD_Daemon *daemon;
	const struct conf *conf;
	metrics_write write;
	void *arg;
	struct arena *arena;          /* of one answer */
	struct peer peers[PEERS_MAX];
	size_t n_peers;
	bool draining;
};

/* ---- one request ---- */

/* The header that goes with some answers, or NULL. */
struct extra { const char *name, *value; };

static enum MHD_Result
reply(struct MHD_Connection *c, unsigned status, struct strbuf *text, const struct extra *extra)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(text->len, text->at, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result sent;

	if (r == NULL)
		return MHD_NO;                /* hangs up */
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, status == MHD_HTTP_OK ?
	    PROM_CONTENT_TYPE : "text/plain; charset=utf-8");
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	if (extra != NULL)
		(void)MHD_add_response_header(r, extra->name, extra->value);
	sent = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return sent;
}

static enum MHD_Result
refuse(struct metrics_port *p, struct MHD_Connection *c, unsigned status, const struct extra *extra)
{
	struct strbuf text;

	strbuf_init_arena(&text, p->arena, 64, 64);
	strbuf_addf(&text, "%s\n", MHD_get_reason_phrase_for(status));
	return reply(c, status, &text, extra);
}

static enum MHD_Result
send_metrics(struct metrics_port *p, struct MHD_Connection *c)
{
	struct strbuf text;

	strbuf_init_arena(&text, p->arena, TEXT_BYTES, TEXT_BYTES_MAX);
	p->write(&text, p->arg);
	if (!strbuf_ok(&text))
		return refuse(p, c, MHD_HTTP_INTERNAL_SERVER_ERROR, NULL);
	return reply(c, MHD_HTTP_OK, &text, NULL);
}

/* As text into `room`; "" for what is no IP address. */
static struct str
peer_address(struct MHD_Connection *c, char room[INET6_ADDRSTRLEN])
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *a = info != NULL ? info->client_addr : NULL;
	const void *at = NULL;

	if (a != NULL && a->sa_family == AF_INET)
		at = &((const struct sockaddr_in *)(const void *)a)->sin_addr;
	if (a != NULL && a->sa_family == AF_INET6)
		at = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
	if (at == NULL || inet_ntop(a->sa_family, at, room, INET6_ADDRSTRLEN) == NULL)
		return S("");
	return str_of(room);
}

static enum err
access_of(const struct metrics_port *p, struct MHD_Connection *c)
{
	const char *given = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
	char room[INET6_ADDRSTRLEN];
	const struct request rq = { .authorization = str_of(given), .remote_addr = peer_address(c, room) };

	return scraper_may(p->conf, &rq);
}

/* Who may not read it learns nothing else either. A body is answered before it is read: the library hangs up on it. */
static enum MHD_Result
on_request(void *arg, struct MHD_Connection *c, const char *path, const char *method, const char *version,
    const char *body, size_t *body_size, void **state)
{
	static const struct extra CHALLENGE = { MHD_HTTP_HEADER_WWW_AUTHENTICATE, SCRAPER_CHALLENGE },
	    ALLOW = { MHD_HTTP_HEADER_ALLOW, "GET, HEAD" };
	struct metrics_port *p = arg;
	enum err e;

	(void)version;
	(void)body;
	(void)body_size;
	(void)state;
	arena_reset(p->arena);
	if ((e = access_of(p, c)) != ERR_OK)
		return refuse(p, c, (unsigned)err_http(e), e == ERR_UNAUTHORIZED ? &CHALLENGE : NULL);
	if (strcmp(path, "/metrics") != 0)
		return refuse(p, c, MHD_HTTP_NOT_FOUND, NULL);
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return refuse(p, c, MHD_HTTP_METHOD_NOT_ALLOWED, &ALLOW);
	return send_metrics(p, c);
}

/* ---- peers ---- */

static void
remove_peer(struct metrics_port *p, int fd)
{
	for (size_t i = 0; i < p->n_peers; i++) {
		if (p->peers[i].fd != fd)
			continue;
		p->peers[i] = p->peers[--p->n_peers];
		return;
	}
}

static void
on_connection(void *arg, struct MHD_Connection *c, void **state, enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct metrics_port *p = arg;

	(void)state;
	if (info == NULL)
		return;
	if (what == MHD_CONNECTION_NOTIFY_CLOSED)
		remove_peer(p, info->connect_fd);
	else if (p->n_peers < PEERS_MAX)
		p->peers[p->n_peers++] = (struct peer){ info->connect_fd, clock_mono_us() + PEER_MAX_US };
}

/* One that sends a byte now and then would satisfy the library's patience for ever. */
static void
hang_up_on_the_slow(struct metrics_port *p)
{
	int64_t now_us = clock_mono_us();

	for (size_t i = 0; i < p->n_peers; i++)
		if (now_us >= p->peers[i].until_us)
			(void)shutdown(p->peers[i].fd, SHUT_RDWR);
}

/* ---- the port ---- */

/* The library closes the socket it is given. */
static struct MHD_Daemon *
start_daemon(struct metrics_port *p, int fd)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	struct MHD_Daemon *d;

	if (own < 0)
		return NULL;
	d = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, p, MHD_OPTION_LISTEN_SOCKET, own,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)PEERS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENT_MAX_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_BYTES, MHD_OPTION_NOTIFY_CONNECTION, on_connection, p,
	    MHD_OPTION_END);
	if (d == NULL)
		close(own);
	return d;
}

struct metrics_port *
metrics_port_open(int fd, const struct conf *c, metrics_write write, void *arg)
{
	struct metrics_port *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->conf = c;
	p->write = write;
	p->arg = arg;
	p->arena = arena_new(4 * (size_t)TEXT_BYTES_MAX);
	if (p->arena != NULL && (p->daemon = start_daemon(p, fd)) != NULL)
		return p;
	metrics_port_close(p);
	return NULL;
}

int
metrics_port_fd(const struct metrics_port *p)
{
	return MHD_get_daemon_info(p->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int
metrics_port_wait_ms(const struct metrics_port *p)
{
	MHD_UNSIGNED_LONG_LONG ms;

	/* Somebody who is to be hung up on makes no event. */
	return MHD_get_timeout(p->daemon, &ms) == MHD_YES && ms < WAIT_MS ? (int)ms : WAIT_MS;
}

void
metrics_port_run(struct metrics_port *p)
{
	hang_up_on_the_slow(p);
	(void)MHD_run(p->daemon);
}

bool
metrics_port_drain(struct metrics_port *p)
{
	if (!p->draining) {
		MHD_socket own = MHD_quiesce_daemon(p->daemon);

		p->draining = true;
		if (own >= 0)
			close(own);
	}
	return p->n_peers == 0;
}

void
metrics_port_close(struct metrics_port *p)
{
	if (p == NULL)
		return;
	if (p->daemon != NULL)
		MHD_stop_daemon(p->daemon);
	arena_free(p->arena);
	free(p);
}
