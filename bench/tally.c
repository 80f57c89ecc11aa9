/* tally - times in the order they came, sorted when they are printed.
 * SPDX-License-Identifier: MIT */
#include "tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { US_PER_MS = 1000, NS_PER_US = 1000, NS_PER_S = 1000000000 };

int64_t
tally_now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void
put(struct tally *t, uint32_t us)
{
	if (t->n == t->n_max) {
		t->n_max = t->n_max == 0 ? 4096 : t->n_max * 2;
		t->us = realloc(t->us, t->n_max * sizeof(*t->us));
		if (t->us == NULL) {
			perror("tally");
			exit(EXIT_FAILURE);
		}
	}
	t->us[t->n++] = us;
}

static void
span(struct tally *t, int64_t from_ns, int64_t to_ns)
{
	if (t->first_ns == 0 || from_ns < t->first_ns)
		t->first_ns = from_ns;
	if (to_ns > t->last_ns)
		t->last_ns = to_ns;
}

void
tally_add(struct tally *t, int64_t from_ns, int64_t to_ns)
{
	put(t, (uint32_t)((to_ns - from_ns) / NS_PER_US));
	span(t, from_ns, to_ns);
}

void
tally_take(struct tally *t, const struct tally *from)
{
	for (size_t i = 0; i < from->n; i++)
		put(t, from->us[i]);
	if (from->n > 0)
		span(t, from->first_ns, from->last_ns);
	t->n_requests += from->n_requests;
	t->n_errors += from->n_errors;
	t->n_again += from->n_again;
}

static int
ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double
ms_at(const struct tally *t, size_t percent)
{
	return t->n == 0 ? 0 : (double)t->us[t->n * percent / 100] / US_PER_MS;
}

void
tally_print(struct tally *t, const char *op)
{
	double seconds = (double)(t->last_ns - t->first_ns) / NS_PER_S;

	if (t->n > 0)
		qsort(t->us, t->n, sizeof(*t->us), ascending);
	printf("{\"op\":\"%s\",\"ops\":%zu,\"requests\":%" PRId64 ",\"seconds\":%.6f,\"rate\":%.1f,\"errors\":%" PRId64
	    ",\"again\":%" PRId64 ",\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}\n", op, t->n, t->n_requests, seconds,
	    seconds > 0 ? (double)t->n / seconds : 0, t->n_errors, t->n_again, ms_at(t, 50), ms_at(t, 99),
	    t->n == 0 ? 0 : (double)t->us[t->n - 1] / US_PER_MS);
}

void
tally_free(struct tally *t)
{
	free(t->us);
	*t = (struct tally){ 0 };
}
