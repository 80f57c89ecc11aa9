/* item - one event on its way to one receiver, with its texts in the same memory.
 * SPDX-License-Identifier: MIT */
#ifndef JOBS_ITEM_H
#define JOBS_ITEM_H

#include "store/delivery_store.h"

enum item_place {
	ITEM_BEHIND,                  /* another of its call comes first */
	ITEM_READY,                   /* may be tried now */
	ITEM_WAITING,                 /* head of its call, tried again at next_try_at_ms */
	ITEM_FLYING,                  /* under way */
	ITEM_OVER                     /* its call goes on; what became of it is still to be written */
};

struct room_queue;
struct item {
	int64_t pos, event_no, event_at_ms;
	struct str room_id, type, event_id, data;      /* behind this struct */
	int64_t attempts, first_try_at_ms, next_try_at_ms;
	int64_t probed_at_ms;         /* last single try while the receiver was down */
	bool loose;                   /* waits for nobody, holds nobody */
	bool orphan;                  /* under way, but no longer the window's: freed with its answer */
	size_t n_bytes;               /* it takes */

	/* the window's own (window.c) */
	enum item_place place;
	struct item *prev, *next;     /* among the ready or the waiting */
	struct item *before, *behind; /* in its call's queue */
	struct room_queue *queue;     /* NULL: loose, or let go */
	struct item *next_same;       /* in the table by number */
};

struct item *item_new(const struct delivery_row *r);   /* NULL: no memory */
void item_free(struct item *i);

#endif
