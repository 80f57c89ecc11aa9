/* route_load - asks the routing workers as nginx does, so many times a second, whether they keep up or not: each
 * question has its moment, and what it waits beyond that counts.
 * use: route_load SOCKET TOKENS RATE SECONDS    (TOKENS: a file, one a line)
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, TOKENS_MAX = 4096, RECORD_MAX = 8192, NS_PER_S = 1000000000 };

struct load {
	struct sockaddr_un at;
	char *tokens[TOKENS_MAX];
	size_t n_tokens, n_questions;
	double rate;
	int64_t begin_ns;
	int64_t *late_us;             /* -1: not answered as it should be */
};

struct part {
	struct load *load;
	size_t first;
	pthread_t thread;
};

static int64_t
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void
sleep_until(int64_t at_ns)
{
	struct timespec t = { .tv_sec = at_ns / NS_PER_S, .tv_nsec = at_ns % NS_PER_S };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

/* A record of FastCGI: type, content. */
static size_t
put_record(unsigned char *at, int type, const void *content, size_t n)
{
	const unsigned char head[8] = { 1, (unsigned char)type, 0, 1, (unsigned char)(n >> 8),
		(unsigned char)(n & 255), 0, 0 };

	memcpy(at, head, sizeof(head));
	if (n > 0)
		memcpy(at + sizeof(head), content, n);
	return sizeof(head) + n;
}

static size_t
put_pair(unsigned char *at, const char *name, const char *value)
{
	size_t n_name = strlen(name), n_value = strlen(value), n = 0;

	at[n++] = (unsigned char)n_name;
	at[n++] = (unsigned char)(128 | n_value >> 24);
	at[n++] = (unsigned char)(n_value >> 16 & 255);
	at[n++] = (unsigned char)(n_value >> 8 & 255);
	at[n++] = (unsigned char)(n_value & 255);
	memcpy(at + n, name, n_name);
	memcpy(at + n + n_name, value, n_value);
	return n + n_name + n_value;
}

static size_t
put_question(unsigned char *at, const char *token)
{
	static const unsigned char BEGIN[8] = { 0, 1, 0 };
	unsigned char params[RECORD_MAX / 2];
	char uri[RECORD_MAX / 4];
	size_t n = 0, n_params;

	(void)snprintf(uri, sizeof(uri), "/_route/join?bad_node=&protocol=15&access_token=%s", token);
	n_params = put_pair(params, "REQUEST_METHOD", "GET");
	n_params += put_pair(params + n_params, "REQUEST_URI", uri);
	n_params += put_pair(params + n_params, "HTTP_USER_AGENT", "route_load");
	n += put_record(at + n, 1, BEGIN, sizeof(BEGIN));
	n += put_record(at + n, 4, params, n_params);
	n += put_record(at + n, 4, NULL, 0);
	return n + put_record(at + n, 5, NULL, 0);
}

static int
ask(const struct load *l, const char *token)
{
	unsigned char question[RECORD_MAX];
	char answer[RECORD_MAX];
	size_t n = put_question(question, token), got = 0;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), good;
	ssize_t k = 0;

	if (fd < 0)
		return 0;
	good = connect(fd, (const struct sockaddr *)&l->at, sizeof(l->at)) == 0 &&
	    write(fd, question, n) == (ssize_t)n;
	while (good && got < sizeof(answer) - 1 && (k = read(fd, answer + got, sizeof(answer) - 1 - got)) > 0)
		got += (size_t)k;
	(void)close(fd);
	answer[got] = '\0';
	/* Past the record's head, which holds zeros. */
	return good && k == 0 && got > 8 && strstr(answer + 8, "Status: 200") != NULL &&
	    strstr(answer + 8, "X-LiveKit-Node: ") != NULL;
}

static void *
run(void *arg)
{
	const struct part *p = arg;
	struct load *l = p->load;

	for (size_t i = p->first; i < l->n_questions; i += THREADS) {
		int64_t due_ns = l->begin_ns + (int64_t)((double)i / l->rate * NS_PER_S);
		int good;

		sleep_until(due_ns);
		good = ask(l, l->tokens[i % l->n_tokens]);
		l->late_us[i] = good ? (now_ns() - due_ns) / 1000 : -1;
	}
	return NULL;
}

static void
read_tokens(struct load *l, const char *path)
{
	static char lines[TOKENS_MAX][RECORD_MAX / 4 - 128];
	FILE *f = fopen(path, "r");

	while (f != NULL && l->n_tokens < TOKENS_MAX && fgets(lines[l->n_tokens], sizeof(lines[0]), f) != NULL) {
		lines[l->n_tokens][strcspn(lines[l->n_tokens], "\n")] = '\0';
		l->tokens[l->n_tokens] = lines[l->n_tokens];
		l->n_tokens++;
	}
	if (f != NULL)
		(void)fclose(f);
}

static int
ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int
report(struct load *l)
{
	size_t n_bad = 0, n;

	qsort(l->late_us, l->n_questions, sizeof(*l->late_us), ascending);
	while (n_bad < l->n_questions && l->late_us[n_bad] < 0)
		n_bad++;
	n = l->n_questions - n_bad;
	printf("asked %zu bad %zu p50_us %lld p90_us %lld p99_us %lld max_us %lld\n", l->n_questions, n_bad,
	    n == 0 ? -1LL : (long long)l->late_us[n_bad + n / 2],
	    n == 0 ? -1LL : (long long)l->late_us[n_bad + n * 90 / 100],
	    n == 0 ? -1LL : (long long)l->late_us[n_bad + n * 99 / 100],
	    n == 0 ? -1LL : (long long)l->late_us[l->n_questions - 1]);
	return n_bad == 0 && n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct load l = { .at = { .sun_family = AF_UNIX } };
	struct part parts[THREADS];

	if (argc != 5 || strlen(argv[1]) >= sizeof(l.at.sun_path)) {
		fprintf(stderr, "use: route_load SOCKET TOKENS RATE SECONDS\n");
		return EXIT_FAILURE;
	}
	memcpy(l.at.sun_path, argv[1], strlen(argv[1]));
	read_tokens(&l, argv[2]);
	l.rate = strtod(argv[3], NULL);
	l.n_questions = (size_t)(l.rate * strtod(argv[4], NULL));
	l.late_us = calloc(l.n_questions + 1, sizeof(*l.late_us));
	if (l.n_tokens == 0 || l.n_questions == 0 || l.late_us == NULL)
		return EXIT_FAILURE;
	l.begin_ns = now_ns() + NS_PER_S / 10;
	for (size_t i = 0; i < THREADS; i++) {
		parts[i] = (struct part){ .load = &l, .first = i };
		if (pthread_create(&parts[i].thread, NULL, run, &parts[i]) != 0)
			return EXIT_FAILURE;
	}
	for (size_t i = 0; i < THREADS; i++)
		(void)pthread_join(parts[i].thread, NULL);
	return report(&l);
}
