/* http - as much of HTTP/1.1 as nginx's answers need: a length, or chunks.
 * SPDX-License-Identifier: MIT */
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

bool
http_open(struct http *c, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int yes = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->n = 0;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&at, sizeof(at)) != 0) {
		http_close(c);
		return false;
	}
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	return true;
}

void
http_close(struct http *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
}

bool
http_send(struct http *c, const char *text, size_t n)
{
	c->n = 0;
	/* Blocking and small: all of it goes. */
	return send(c->fd, text, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* Behind "Name:" in the head; NULL without such a line. */
static const char *
header(const char *head, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line != NULL && line[2] != '\r'; line = strstr(line + 2, "\r\n"))
		if (strncasecmp(line + 2, name, n) == 0 && line[2 + n] == ':')
			return line + 2 + n + 1 + strspn(line + 2 + n + 1, " ");
	return NULL;
}

static enum answer
chunks(const char *at, const char *end)
{
	for (;;) {
		char *after;
		unsigned long n;

		if (strstr(at, "\r\n") == NULL)
			return ANSWER_PART;
		n = strtoul(at, &after, 16);
		if (after == at)
			return ANSWER_BROKEN;
		at = strstr(after, "\r\n") + 2;
		if (n + 2 > (size_t)(end - at))
			return ANSWER_PART;
		at += n + 2;
		if (n == 0)
			return ANSWER_WHOLE;
	}
}

/* HTTP itself has no word for what is neither: an answer that ends with its connection is none of nginx's here. */
static enum answer
judge(const struct http *c, int *status_out, bool *last_out)
{
	const char *body = strstr(c->in, "\r\n\r\n"), *found;

	if (body == NULL)
		return ANSWER_PART;
	body += 4;
	if (strncmp(c->in, "HTTP/1.1 ", 9) != 0)
		return ANSWER_BROKEN;
	*status_out = (int)strtol(c->in + 9, NULL, 10);
	found = header(c->in, "Connection");
	*last_out = found != NULL && strncasecmp(found, "close", 5) == 0;
	if ((found = header(c->in, "Content-Length")) != NULL)
		return (size_t)(c->in + c->n - body) >= strtoul(found, NULL, 10) ? ANSWER_WHOLE : ANSWER_PART;
	if (header(c->in, "Transfer-Encoding") != NULL)
		return chunks(body, c->in + c->n);
	return ANSWER_BROKEN;
}

enum answer
http_read(struct http *c, int *status_out, bool *last_out)
{
	ssize_t got = recv(c->fd, c->in + c->n, ANSWER_MAX - c->n, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return ANSWER_PART;
	if (got <= 0)
		return ANSWER_BROKEN;
	c->n += (size_t)got;
	c->in[c->n] = '\0';
	return judge(c, status_out, last_out);
}
