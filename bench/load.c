/* load - asks a server through HTTP, on so many connections at once: as fast as it answers, or so many times a second
 * whether it keeps up or not (then what a question waits beyond its moment counts). One line of JSON.
 * use: load [-a PORT] [-c CONNECTIONS] [-s SECONDS] [-m MAX] [-y] [-r RATE] [-p PREFIX] OP
 *      load -w [-p PREFIX] OP     prints the op's requests about the prefix's first call
 *   -m: at most so many ops, one about each call of the prefix; -y: round and round over these. TGO_KEY: the API key.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "http.h"
#include "steps.h"
#include "tally.h"

enum { CONNECTIONS_MAX = 1024, NS_PER_S = 1000000000 };

struct load {
	const struct op *op;
	const char *prefix, *key;
	int port, poll_fd, timer_fd;
	size_t n_conns, n_busy;
	uint64_t n_begun, max;
	int64_t begin_ns, end_ns;
	double rate;                  /* 0: as fast as it answers */
	bool round;
	struct tally tally;
};

struct conn {
	struct http http;
	struct ids ids;
	size_t step;
	int64_t from_ns;              /* when this op was due */
	bool busy, hangs_up;
};

static int64_t
due_ns(const struct load *l)
{
	return l->rate > 0 ? l->begin_ns + (int64_t)((double)l->n_begun / l->rate * NS_PER_S) : tally_now_ns();
}

static bool
is_over(const struct load *l)
{
	return due_ns(l) >= l->end_ns || (!l->round && l->n_begun >= l->max);
}

static bool
connect_conn(struct load *l, struct conn *c)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };

	if (!http_open(&c->http, l->port)) {
		fprintf(stderr, "load: 127.0.0.1:%d: %s\n", l->port, strerror(errno));
		return false;
	}
	c->hangs_up = false;
	return epoll_ctl(l->poll_fd, EPOLL_CTL_ADD, c->http.fd, &e) == 0;
}

static bool
send_step(struct load *l, struct conn *c)
{
	char text[REQUEST_MAX];
	size_t n = step_write(l->op->steps[c->step], &c->ids, l->key, text);

	if (c->hangs_up)
		http_close(&c->http);
	if (c->http.fd < 0 && !connect_conn(l, c))
		return false;
	return http_send(&c->http, text, n);
}

static void
give_up(struct load *l, struct conn *c, const char *why)
{
	if (l->tally.n_errors++ == 0)
		fprintf(stderr, "load: %s: %s\n%s\n", l->op->name, why, c->http.n > 0 ? c->http.in : "");
	http_close(&c->http);
	c->busy = false;
	l->n_busy--;
}

/* The next op on a connection that has none, if one is due by now. */
static void
begin_op(struct load *l, struct conn *c)
{
	int64_t due = due_ns(l);

	if (is_over(l) || due > tally_now_ns())
		return;
	ids_of(l->prefix, l->round ? l->n_begun % l->max : l->n_begun, &c->ids);
	l->n_begun++;
	l->n_busy++;
	c->busy = true;
	c->step = 0;
	c->from_ns = due;
	if (!send_step(l, c))
		give_up(l, c, "could not be sent");
}

static void
next_step(struct load *l, struct conn *c, int status)
{
	l->tally.n_requests++;
	if (status != 200) {
		give_up(l, c, "answered with an error");
	} else if (++c->step < l->op->n_steps) {
		if (!send_step(l, c))
			give_up(l, c, "could not be sent");
	} else {
		tally_add(&l->tally, c->from_ns, tally_now_ns());
		c->busy = false;
		l->n_busy--;
	}
}

static void
hear(struct load *l, struct conn *c)
{
	int status = 0;

	switch (c->busy ? http_read(&c->http, &status, &c->hangs_up) : ANSWER_BROKEN) {
	case ANSWER_WHOLE:
		next_step(l, c, status);
		break;
	case ANSWER_BROKEN:
		/* Between two requests a server may hang up: the next one connects anew. */
		if (c->busy)
			give_up(l, c, "hung up");
		else
			http_close(&c->http);
		break;
	case ANSWER_PART:
	case ANSWER_COUNT:
		break;
	}
}

/* Wakes the loop when the next op is due; where all are busy, or ops follow each other, an answer does. */
static void
set_timer(const struct load *l)
{
	int64_t at = due_ns(l);
	struct itimerspec t = { .it_value = { .tv_sec = at / NS_PER_S, .tv_nsec = at % NS_PER_S } };

	if (l->rate > 0 && l->n_busy < l->n_conns && !is_over(l))
		(void)timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &t, NULL);
}

static void
run(struct load *l, struct conn *conns)
{
	struct epoll_event events[CONNECTIONS_MAX];
	uint64_t ticks;

	while (l->n_busy > 0 || !is_over(l)) {
		int n;

		for (size_t i = 0; i < l->n_conns; i++)
			if (!conns[i].busy)
				begin_op(l, &conns[i]);
		if (l->n_busy == 0 && is_over(l))
			break;
		set_timer(l);
		n = epoll_wait(l->poll_fd, events, CONNECTIONS_MAX, l->rate > 0 ? 1000 : 10000);
		/* An answer that stays away for ten seconds is none. */
		if (n == 0 && l->rate <= 0) {
			fprintf(stderr, "load: no answer within 10 s\n");
			l->tally.n_errors += (int64_t)l->n_busy;
			break;
		}
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == NULL)
				(void)!read(l->timer_fd, &ticks, sizeof(ticks));
			else
				hear(l, events[i].data.ptr);
		}
	}
}

static int
describe(const struct load *l)
{
	struct request r;
	struct ids ids;

	ids_of(l->prefix, 0, &ids);
	printf("{\"room\":\"%s\",\"a\":\"%s\",\"b\":\"%s\"}\n", ids.room, ids.a, ids.b);
	for (size_t i = 0; i < l->op->n_steps; i++) {
		step_describe(l->op->steps[i], &ids, &r);
		printf("%s\t%s\t%s\n", r.method, r.path, r.body);
	}
	return EXIT_SUCCESS;
}

static int
measure(struct load *l, double seconds)
{
	struct conn *conns = calloc(l->n_conns, sizeof(*conns));
	struct epoll_event e = { .events = EPOLLIN };
	bool good;

	l->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (conns == NULL || l->poll_fd < 0 || l->timer_fd < 0 ||
	    epoll_ctl(l->poll_fd, EPOLL_CTL_ADD, l->timer_fd, &e) != 0) {
		perror("load");
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < l->n_conns; i++) {
		conns[i].http.fd = -1;
		if (!connect_conn(l, &conns[i]))
			return EXIT_FAILURE;
	}
	l->begin_ns = tally_now_ns();
	l->end_ns = l->begin_ns + (int64_t)(seconds * NS_PER_S);
	run(l, conns);
	tally_print(&l->tally, l->op->name);
	for (size_t i = 0; i < l->n_conns; i++)
		http_close(&conns[i].http);
	free(conns);
	good = l->tally.n_errors == 0;
	tally_free(&l->tally);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
usage(void)
{
	fprintf(stderr, "use: load [-w] [-a PORT] [-c CONNECTIONS] [-s SECONDS] [-m MAX] [-y] [-r RATE] [-p PREFIX] OP\n");
	return EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct load l = { .prefix = "load", .key = getenv("TGO_KEY"), .port = 8080, .n_conns = 32, .max = UINT64_MAX };
	bool show = false;
	double seconds = 5;
	int c;

	while ((c = getopt(argc, argv, "a:c:m:p:r:s:wy")) != -1) {
		switch (c) {
		case 'a': l.port = (int)strtol(optarg, NULL, 10); break;
		case 'c': l.n_conns = strtoul(optarg, NULL, 10); break;
		case 'm': l.max = strtoull(optarg, NULL, 10); break;
		case 'p': l.prefix = optarg; break;
		case 'r': l.rate = strtod(optarg, NULL); break;
		case 's': seconds = strtod(optarg, NULL); break;
		case 'w': show = true; break;
		case 'y': l.round = true; break;
		default: return usage();
		}
	}
	if (l.key == NULL)
		l.key = "";
	if (optind + 1 != argc || (l.op = op_find(argv[optind])) == NULL || l.max == 0 || l.n_conns == 0 ||
	    l.n_conns > CONNECTIONS_MAX)
		return usage();
	return show ? describe(&l) : measure(&l, seconds);
}
