/* window - the next part of what one receiver is to get, in memory: a queue for each call, of which only the
 * head is tried, and loose items that wait for nobody and hold nobody.
 * Ownership: items are the window's until window_remove; those under way when it is abandoned belong to
 *            whoever takes their answer (item->orphan: item_free).
 * Memory:    bounded by WINDOW_ROWS and WINDOW_BYTES; the caller asks window_has_room before it adds.
 * SPDX-License-Identifier: MIT */
#ifndef JOBS_WINDOW_H
#define JOBS_WINDOW_H

#include "jobs/item.h"

enum { WINDOW_ROWS = 4096, WINDOW_BYTES = 32 << 20 };

struct window;

struct window *window_new(void);                       /* NULL: no memory */
/* Everything but what is under way is freed. */
void window_abandon(struct window *w);                 /* NULL is fine */
/* The same, and the window goes on empty, with what is under way or to be written still in it. */
void window_clear(struct window *w);

bool window_has_room(const struct window *w, size_t n_bytes);
size_t window_n(const struct window *w);
/* A row that is there already is left alone. False: no memory. */
bool window_add(struct window *w, const struct delivery_row *row, bool loose) MUST_CHECK;

/* The first of the ready, of the waiting (item->next goes on); NULL: none. */
struct item *window_ready(const struct window *w);
struct item *window_waiting(const struct window *w);
/* Ready or waiting -> under way. */
void window_fly(struct window *w, struct item *i);
/* Under way -> head again, not before next_try_at_ms. */
void window_wait(struct window *w, struct item *i, int64_t next_try_at_ms);
/* Its call goes on with the next; the item stays, until what became of it is written. */
void window_let_go(struct window *w, struct item *i);
void window_remove(struct window *w, struct item *i);
/* Makes the waiting ready whose time has come. When the next one's comes; INT64_MAX: none waits. */
int64_t window_wake(struct window *w, int64_t now_ms);
/* All that was tried, as if it never was (numbers into pos[], at most max): how many. */
size_t window_untried(struct window *w, int64_t *pos, size_t max);

#endif
