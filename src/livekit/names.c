/* names - asks the resolver without waiting for it.
 * SPDX-License-Identifier: MIT */
#include "livekit/names.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "livekit/address.h"

enum { IP_BYTES = INET6_ADDRSTRLEN };

/* A question the resolver may hold on to for as long as it likes: its memory is no arena's. */
struct question {
	struct gaicb cb;
	struct addrinfo hints;
};
struct name {
	const char *host;             /* NULL: an address already */
	char ip[IP_BYTES];            /* "" = not known */
	bool asked_before;
	int64_t next_at_us;
	struct question *open;        /* NULL: none under way */
};
struct names {
	struct arena *own;            /* this struct lives in it */
	struct name *all;
	size_t n;
};

static void
open_name(struct arena *a, struct str host, struct name *out)
{
	struct str ip;

	/* Texts of struct conf end in a NUL. */
	out->host = host.at;
	if (!address_spell(a, host, &ip))
		return;
	memcpy(out->ip, ip.at, ip.len);
	out->host = NULL;
}

struct names *
names_open(const struct conf *c)
{
	enum { OWN_BYTES = 1024 * 1024 };
	struct arena *own = arena_new(OWN_BYTES);
	struct names *n = arena_alloc(own, sizeof(*n));

	n->own = own;
	n->n = c->n_nodes;
	n->all = arena_array(own, n->n, sizeof(*n->all));
	for (size_t i = 0; i < n->n; i++)
		open_name(own, c->nodes[i].host, &n->all[i]);
	return n;
}

static void
drop_question(struct question *q)
{
	if (q->cb.ar_result != NULL)
		freeaddrinfo(q->cb.ar_result);
	free(q);
}

void
names_close(struct names *n)
{
	if (n == NULL)
		return;
	for (size_t i = 0; i < n->n; i++) {
		struct question *q = n->all[i].open;

		/* One that is being asked stays the resolver's. */
		if (q != NULL && gai_cancel(&q->cb) != EAI_NOTCANCELED)
			drop_question(q);
	}
	arena_free(n->own);
}

static void
ask(struct name *n)
{
	struct question *q = calloc(1, sizeof(*q));
	struct gaicb *list[1];

	if (q == NULL)
		return;
	q->hints = (struct addrinfo){ .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	q->cb.ar_name = n->host;
	q->cb.ar_request = &q->hints;
	list[0] = &q->cb;
	if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) == 0)
		n->open = q;
	else
		free(q);
}

/* Negative: a comes first. */
static int
compare_addresses(const struct sockaddr *a, const struct sockaddr *b)
{
	if (a->sa_family != b->sa_family)
		return a->sa_family == AF_INET ? -1 : 1;
	if (a->sa_family == AF_INET)
		return memcmp(&((const struct sockaddr_in *)(const void *)a)->sin_addr,
		    &((const struct sockaddr_in *)(const void *)b)->sin_addr, sizeof(struct in_addr));
	return memcmp(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
	    &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr, sizeof(struct in6_addr));
}

static const struct sockaddr *
least_address(const struct addrinfo *list)
{
	const struct sockaddr *best = NULL;

	for (; list != NULL; list = list->ai_next) {
		const struct sockaddr *a = list->ai_addr;

		if (a->sa_family != AF_INET && a->sa_family != AF_INET6)
			continue;
		if (best == NULL || compare_addresses(a, best) < 0)
			best = a;
	}
	return best;
}

/* False: the resolver is still at it. */
static bool
take(struct name *n)
{
	struct question *q = n->open;
	int rc = gai_error(&q->cb);
	const struct sockaddr *a;

	if (rc == EAI_INPROGRESS)
		return false;
	a = rc == 0 ? least_address(q->cb.ar_result) : NULL;
	if (a != NULL && a->sa_family == AF_INET)
		(void)inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, n->ip, IP_BYTES);
	else if (a != NULL)
		(void)inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, n->ip,
		    IP_BYTES);
	drop_question(q);
	n->open = NULL;
	return true;
}

/* For all first questions together. */
static void
await(struct names *n, int64_t until_us)
{
	for (size_t i = 0; i < n->n; i++) {
		struct name *one = &n->all[i];

		while (one->open != NULL && !take(one)) {
			const struct gaicb *list[1] = { &one->open->cb };
			int64_t left_us = until_us - clock_mono_us();
			struct timespec t = { .tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000 };

			if (left_us <= 0)
				return;
			(void)gai_suspend(list, 1, &t);
		}
	}
}

void
names_look(struct names *n)
{
	int64_t now_us = clock_mono_us();
	bool first = false;

	for (size_t i = 0; i < n->n; i++) {
		struct name *one = &n->all[i];

		if (one->host == NULL || (one->open != NULL && !take(one)) || now_us < one->next_at_us)
			continue;
		ask(one);
		first = first || !one->asked_before;
		one->asked_before = true;
		one->next_at_us = now_us + NAMES_S * 1000000LL;
	}
	if (first)
		await(n, now_us + NAMES_WAIT_MS * 1000);
}

struct str
names_ip(const struct names *n, size_t i)
{
	return str_of(n->all[i].ip);
}
