/* window - items by number, queues by call, and two lists of heads.
 * SPDX-License-Identifier: MIT */
#include "jobs/window.h"

#include <stdlib.h>
#include <string.h>

enum { ITEM_SLOTS = 4096, ROOM_SLOTS = 1024 };     /* powers of two */

struct room_queue {
	struct str room_id;           /* behind this struct */
	struct item *head, *tail;
	struct room_queue *next_same;
};

struct item_list { struct item *first, *last; };

struct window {
	size_t n, n_bytes;
	struct item_list ready, waiting;
	struct item *items[ITEM_SLOTS];
	struct room_queue *rooms[ROOM_SLOTS];
};

/* ---- lists ---- */

static struct item_list *
list_of(struct window *w, const struct item *i)
{
	if (i->place == ITEM_READY)
		return &w->ready;
	return i->place == ITEM_WAITING ? &w->waiting : NULL;
}

/* The only door between places. */
static void
move(struct window *w, struct item *i, enum item_place to)
{
	struct item_list *list = list_of(w, i);

	if (list != NULL) {
		*(i->prev != NULL ? &i->prev->next : &list->first) = i->next;
		*(i->next != NULL ? &i->next->prev : &list->last) = i->prev;
	}
	i->prev = i->next = NULL;
	i->place = to;
	if ((list = list_of(w, i)) == NULL)
		return;
	i->prev = list->last;
	*(list->last != NULL ? &list->last->next : &list->first) = i;
	list->last = i;
}

/* It is its call's head now, or loose. */
static void
become_head(struct window *w, struct item *i)
{
	move(w, i, i->next_try_at_ms > 0 ? ITEM_WAITING : ITEM_READY);
}

/* ---- tables ---- */

static struct item **
item_slot(struct window *w, int64_t pos)
{
	return &w->items[(uint64_t)pos % ITEM_SLOTS];
}

static bool
has(struct window *w, int64_t pos)
{
	for (const struct item *i = *item_slot(w, pos); i != NULL; i = i->next_same)
		if (i->pos == pos)
			return true;
	return false;
}

/* FNV-1a */
static struct room_queue **
room_slot(struct window *w, struct str room_id)
{
	uint32_t h = 2166136261U;

	for (size_t i = 0; i < room_id.len; i++)
		h = (h ^ (unsigned char)room_id.at[i]) * 16777619U;
	return &w->rooms[h % ROOM_SLOTS];
}

static struct room_queue *
room_of(struct window *w, struct str room_id)
{
	struct room_queue **slot = room_slot(w, room_id), *q;
	char *text;

	for (q = *slot; q != NULL; q = q->next_same)
		if (str_eq(q->room_id, room_id))
			return q;
	if ((q = calloc(1, sizeof(*q) + room_id.len + 1)) == NULL)
		return NULL;
	text = (char *)(q + 1);
	memcpy(text, room_id.at, room_id.len);
	q->room_id = (struct str){ text, room_id.len };
	q->next_same = *slot;
	*slot = q;
	return q;
}

static void
free_room(struct window *w, struct room_queue *q)
{
	struct room_queue **at = room_slot(w, q->room_id);

	while (*at != q)
		at = &(*at)->next_same;
	*at = q->next_same;
	free(q);
}

/* ---- a call's queue ---- */

/* By number, but never before what is under way: usually that is the end. */
static void
enqueue(struct window *w, struct room_queue *q, struct item *i)
{
	struct item *before = q->tail, *head = q->head;

	while (before != NULL && before->pos > i->pos && before->place != ITEM_FLYING)
		before = before->before;
	i->queue = q;
	i->before = before;
	i->behind = before != NULL ? before->behind : head;
	*(before != NULL ? &before->behind : &q->head) = i;
	*(i->behind != NULL ? &i->behind->before : &q->tail) = i;
	if (before != NULL)
		return;
	if (head != NULL)
		move(w, head, ITEM_BEHIND);
	become_head(w, i);
}

static void
dequeue(struct window *w, struct item *i)
{
	struct room_queue *q = i->queue;
	bool was_head;

	if (q == NULL)
		return;
	was_head = q->head == i;
	*(i->before != NULL ? &i->before->behind : &q->head) = i->behind;
	*(i->behind != NULL ? &i->behind->before : &q->tail) = i->before;
	i->before = i->behind = NULL;
	i->queue = NULL;
	if (q->head == NULL)
		free_room(w, q);
	else if (was_head)
		become_head(w, q->head);
}

/* Out of all tables and lists; whose it is now is the caller's business. */
static void
detach(struct window *w, struct item *i)
{
	struct item **at = item_slot(w, i->pos);

	dequeue(w, i);
	move(w, i, ITEM_OVER);
	while (*at != i)
		at = &(*at)->next_same;
	*at = i->next_same;
	w->n--;
	w->n_bytes -= i->n_bytes;
}

/* ---- public ---- */

struct window *
window_new(void)
{
	return calloc(1, sizeof(struct window));
}

/* A slot's items that are not `kept`, one after the other. */
static struct item *
first_to_drop(struct item *i, bool all)
{
	while (i != NULL && !all && (i->place == ITEM_FLYING || i->place == ITEM_OVER))
		i = i->next_same;
	return i;
}

static void
drop_items(struct window *w, bool all)
{
	for (size_t slot = 0; slot < ITEM_SLOTS; slot++) {
		struct item *i;

		while ((i = first_to_drop(w->items[slot], all)) != NULL) {
			i->orphan = i->place == ITEM_FLYING;
			detach(w, i);
			if (!i->orphan)
				item_free(i);
		}
	}
}

void
window_clear(struct window *w)
{
	drop_items(w, false);
}

void
window_abandon(struct window *w)
{
	if (w == NULL)
		return;
	drop_items(w, true);
	free(w);
}

bool
window_has_room(const struct window *w, size_t n_bytes)
{
	return w->n < WINDOW_ROWS && (w->n == 0 || w->n_bytes + n_bytes <= WINDOW_BYTES);
}

size_t
window_n(const struct window *w)
{
	return w->n;
}

bool
window_add(struct window *w, const struct delivery_row *row, bool loose)
{
	struct room_queue *q = NULL;
	struct item *i, **slot = item_slot(w, row->pos);

	if (has(w, row->pos))
		return true;
	if ((i = item_new(row)) == NULL)
		return false;
	if (!loose && (q = room_of(w, row->room_id)) == NULL) {
		item_free(i);
		return false;
	}
	i->loose = loose;
	i->next_same = *slot;
	*slot = i;
	w->n++;
	w->n_bytes += i->n_bytes;
	if (loose)
		move(w, i, ITEM_READY);
	else
		enqueue(w, q, i);
	return true;
}

struct item *
window_ready(const struct window *w)
{
	return w->ready.first;
}

struct item *
window_waiting(const struct window *w)
{
	return w->waiting.first;
}

void
window_fly(struct window *w, struct item *i)
{
	move(w, i, ITEM_FLYING);
}

void
window_wait(struct window *w, struct item *i, int64_t next_try_at_ms)
{
	i->next_try_at_ms = next_try_at_ms;
	move(w, i, next_try_at_ms > 0 ? ITEM_WAITING : ITEM_READY);
}

void
window_let_go(struct window *w, struct item *i)
{
	move(w, i, ITEM_OVER);
	dequeue(w, i);
}

void
window_remove(struct window *w, struct item *i)
{
	detach(w, i);
	item_free(i);
}

int64_t
window_wake(struct window *w, int64_t now_ms)
{
	struct item *next;
	int64_t least = INT64_MAX;

	for (struct item *i = w->waiting.first; i != NULL; i = next) {
		next = i->next;
		if (i->next_try_at_ms <= now_ms)
			move(w, i, ITEM_READY);
		else if (i->next_try_at_ms < least)
			least = i->next_try_at_ms;
	}
	return least;
}

size_t
window_untried(struct window *w, int64_t *pos, size_t max)
{
	size_t n = 0;

	for (size_t slot = 0; slot < ITEM_SLOTS; slot++)
		for (struct item *i = w->items[slot]; i != NULL && n < max; i = i->next_same)
			if (!i->loose && i->first_try_at_ms > 0 && i->place != ITEM_OVER)
				pos[n++] = i->pos;
	return n;
}
