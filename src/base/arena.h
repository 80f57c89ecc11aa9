/* arena - memory that lives as long as one request (or one job), freed all at once.
 * Shape:     chunks of malloc'd memory; blocks are aligned for any type and zeroed.
 * Ownership: the arena owns what it hands out, until arena_reset or arena_free.
 * Errors:    arena_alloc never returns NULL. Inputs are bounded, so going over the cap is a bug of
 *            ours: it writes one line to stderr and exits 70; the master starts another worker.
 * Threads:   one owner. After fork, parent and child each have their own copy. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena;

struct arena *arena_new(size_t cap_bytes);
void arena_free(struct arena *a);                     /* NULL is fine; runs the clean-ups */
void arena_reset(struct arena *a);                    /* runs the clean-ups, newest first; keeps the first chunk */
void *arena_alloc(struct arena *a, size_t n_bytes);
void *arena_array(struct arena *a, size_t n, size_t size);
struct str arena_str(struct arena *a, struct str s);  /* copy, NUL-terminated past its length */
char *arena_z(struct arena *a, struct str s);         /* the same as a C string */
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
void arena_defer(struct arena *a, void (*fn)(void *), void *arg);

#endif
