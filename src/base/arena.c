/* arena.c - chunks of zeroed memory handed out in order and given back all at once.
 * SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif
#ifdef UNDER_ASAN
#include <sanitizer/asan_interface.h>
#else
#define UNDER_ASAN 0
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum {
	CHUNK_BYTES = 64 * 1024,
	ALIGN = alignof(max_align_t),
	GAP = UNDER_ASAN ? ALIGN : 0,          /* poisoned, so that a step past a block is seen */
	EXIT_SOFTWARE = 70
};

/* | struct chunk | handed out ... | free ... |
 *                ^ bytes          ^ used     ^ size */
struct chunk {
	struct chunk *older;
	size_t size, used;
	alignas(max_align_t) char bytes[];
};

struct cleanup {
	struct cleanup *older;
	void (*fn)(void *);
	void *arg;
};

struct arena {
	struct chunk *newest;
	struct cleanup *cleanups;
	size_t cap, handed_out;
};

/* The arena may be what the log is built on, so stderr is told directly. */
NORETURN static void
die(const char *why)
{
	ssize_t n = write(STDERR_FILENO, why, strlen(why));

	(void)n;
	_exit(EXIT_SOFTWARE);
}

static struct chunk *
chunk_new(size_t size, struct chunk *older)
{
	struct chunk *c = malloc(sizeof(*c) + size);

	if (c == NULL)
		die("arena: the system has no memory left\n");
	c->older = older;
	c->size = size;
	c->used = 0;
	ASAN_POISON_MEMORY_REGION(c->bytes, size);
	return c;
}

static void
chunk_free(struct chunk *c)
{
	ASAN_UNPOISON_MEMORY_REGION(c->bytes, c->size);
	free(c);
}

static void
run_cleanups(struct arena *a)
{
	while (a->cleanups != NULL) {
		struct cleanup *c = a->cleanups;

		a->cleanups = c->older;
		c->fn(c->arg);
	}
}

struct arena *
arena_new(size_t cap_bytes)
{
	struct arena *a = malloc(sizeof(*a));

	if (a == NULL)
		die("arena: the system has no memory left\n");
	*a = (struct arena){ .newest = chunk_new(CHUNK_BYTES, NULL), .cap = cap_bytes };
	return a;
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	arena_reset(a);
	chunk_free(a->newest);
	free(a);
}

void
arena_reset(struct arena *a)
{
	run_cleanups(a);
	while (a->newest->older != NULL) {
		struct chunk *older = a->newest->older;

		chunk_free(a->newest);
		a->newest = older;
	}
	a->newest->used = 0;
	a->handed_out = 0;
	ASAN_POISON_MEMORY_REGION(a->newest->bytes, a->newest->size);
}

void *
arena_alloc(struct arena *a, size_t n_bytes)
{
	size_t need;
	struct chunk *c = a->newest;
	void *block;

	if (n_bytes > a->cap - a->handed_out)
		die("arena: over its cap; a bound on some input is missing\n");
	need = (n_bytes + ALIGN - 1) / ALIGN * ALIGN + GAP;
	if (need > c->size - c->used)
		c = a->newest = chunk_new(need > CHUNK_BYTES ? need : CHUNK_BYTES, c);
	block = c->bytes + c->used;
	c->used += need;
	a->handed_out += n_bytes;
	ASAN_UNPOISON_MEMORY_REGION(block, n_bytes);
	memset(block, 0, n_bytes);
	return block;
}

void *
arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		bytes = SIZE_MAX;                  /* no cap is that high: refused like any other */
	return arena_alloc(a, bytes);
}

struct str
arena_str(struct arena *a, struct str s)
{
	return (struct str){ arena_z(a, s), s.len };
}

char *
arena_z(struct arena *a, struct str s)
{
	char *z = arena_alloc(a, s.len + 1);

	if (s.len > 0)
		memcpy(z, s.at, s.len);
	return z;
}

struct str
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list args;
	char *text;
	int n;

	assert(fmt != NULL);                       /* or gcc, with sanitizers, sees a null format */
	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0)
		die("arena: a format that cannot be printed\n");
	text = arena_alloc(a, (size_t)n + 1);
	va_start(args, fmt);
	(void)vsnprintf(text, (size_t)n + 1, fmt, args);
	va_end(args);
	return (struct str){ text, (size_t)n };
}

void
arena_defer(struct arena *a, void (*fn)(void *), void *arg)
{
	struct cleanup *c = arena_alloc(a, sizeof(*c));

	*c = (struct cleanup){ .older = a->cleanups, .fn = fn, .arg = arg };
	a->cleanups = c;
}
