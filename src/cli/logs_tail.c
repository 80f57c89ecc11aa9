/* logs_tail - keeps the last lines it is given.
 * SPDX-License-Identifier: MIT */
#include "cli/logs_tail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_LINES = 64 };

static void *
need(void *p)
{
	if (p != NULL)
		return p;
	(void)fputs("tgo-call: out of memory\n", stderr);
	exit(EXIT_FAILURE);
}

void
tail_init(struct tail *t, size_t cap)
{
	*t = (struct tail){ .cap = cap };
}

/* Room for one more; memory follows what there is, not what was asked for. */
static void
grow(struct tail *t)
{
	size_t now = t->n < FIRST_LINES ? FIRST_LINES : 2 * t->n;

	if (t->n > 0 && (t->n < FIRST_LINES || (t->n & (t->n - 1)) != 0))
		return;
	now = now < t->cap ? now : t->cap;
	t->lines = need(realloc(t->lines, now * sizeof(*t->lines)));
	t->lens = need(realloc(t->lens, now * sizeof(*t->lens)));
}

void
tail_add(struct tail *t, struct str line)
{
	char *copy;

	if (t->cap == 0)
		return;
	copy = need(malloc(line.len + 1));
	memcpy(copy, line.at, line.len);
	if (t->n < t->cap) {
		grow(t);
		t->n++;
	} else {
		free(t->lines[t->next]);
	}
	t->lines[t->next] = copy;
	t->lens[t->next] = line.len;
	t->next = (t->next + 1) % t->cap;
}

struct str
tail_at(const struct tail *t, size_t i)
{
	size_t at = t->n < t->cap ? i : (t->next + i) % t->cap;

	return (struct str){ t->lines[at], t->lens[at] };
}

void
tail_free(struct tail *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->lines[i]);
	free(t->lines);
	free(t->lens);
	*t = (struct tail){ 0 };
}
