/* call - the call in memory: look-ups, counts, growing lists.
 * SPDX-License-Identifier: MIT */
#include "model/call.h"

#include <string.h>

/* When a thousand people go at once, a thousand events that name everybody are in memory. A person takes the id and what
 * stands around it in room.finished. */
enum { PERSON_BYTES = 28, PEOPLE_BYTES_MAX = 200 * 1000 };

/* Makes room for one more element of an array in the arena. */
static void *
grown(struct arena *a, void *at, size_t n, size_t *cap, size_t size)
{
	void *bigger;

	if (n < *cap)
		return at;
	*cap = *cap == 0 ? 8 : *cap * 2;
	bigger = arena_array(a, *cap, size);
	if (n > 0)
		memcpy(bigger, at, n * size);
	return bigger;
}

void
call_init(struct call *c, struct arena *a, struct call_policy policy)
{
	memset(c, 0, sizeof(*c));
	c->arena = a;
	c->policy = policy;
}

struct participant *
call_add_row(struct call *c, struct str uid)
{
	struct participant *p = arena_alloc(c->arena, sizeof(*p));

	p->uid = arena_str(c->arena, uid);
	call_touch(c, p);
	c->rows = grown(c->arena, c->rows, c->n_rows, &c->cap_rows, sizeof(struct participant *));
	c->rows[c->n_rows++] = p;
	return p;
}

bool
call_has_room_for(const struct call *c, const struct str *uids, size_t n)
{
	size_t n_bytes = 0;

	for (size_t i = 0; i < c->n_rows; i++)
		n_bytes += c->rows[i]->uid.len + PERSON_BYTES;
	for (size_t i = 0; i < n; i++)
		n_bytes += call_find(c, uids[i]) == NULL ? uids[i].len + PERSON_BYTES : 0;
	return n_bytes <= PEOPLE_BYTES_MAX;
}

struct participant *
call_find(const struct call *c, struct str uid)
{
	for (size_t i = 0; i < c->n_rows; i++)
		if (str_eq(c->rows[i]->uid, uid))
			return c->rows[i];
	return NULL;
}

void
call_touch(struct call *c, struct participant *p)
{
	p->dirty = true;
	c->changed = true;
}

struct call_event *
call_add_event(struct call *c)
{
	struct call_event *e;

	c->events = grown(c->arena, c->events, c->n_events, &c->cap_events, sizeof(struct call_event));
	e = &c->events[c->n_events++];
	memset(e, 0, sizeof(*e));
	e->seq = ++c->room.seq;
	c->changed = true;
	return e;
}

void
call_act(struct call *c, enum action_kind kind, struct str uid, struct str sid)
{
	c->actions = grown(c->arena, c->actions, c->n_actions, &c->cap_actions, sizeof(struct call_action));
	c->actions[c->n_actions++] = (struct call_action){ .kind = kind, .uid = uid, .sid = sid };
	c->changed = true;
}

void
call_mend_statuses(struct call *c)
{
	if (c->room.status < 0 || c->room.status >= ROOM_STATUS_COUNT)
		c->room.status = ROOM_FINISHED;
	for (size_t i = 0; i < c->n_rows; i++)
		if (c->rows[i]->status < 0 || c->rows[i]->status >= P_STATUS_COUNT)
			c->rows[i]->status = P_LEFT;
}

size_t
call_count(const struct call *c, int status)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_rows; i++)
		n += c->rows[i]->status == status;
	return n;
}

size_t
call_count_active(const struct call *c)
{
	return call_count(c, P_INVITING) + call_count(c, P_JOINED);
}

bool
call_is_one_to_one(const struct call *c)
{
	return c->room.max_participants == 2;
}

bool
call_is_creator(const struct call *c, const struct participant *p)
{
	return str_eq(p->uid, c->room.creator);
}

bool
call_answered(const struct call *c)
{
	return c->room.answered_at_ms > 0;
}

int64_t
call_duration_s(const struct call *c)
{
	int64_t until = c->room.ended_at_ms;

	if (!call_answered(c) || until <= c->room.answered_at_ms)
		return 0;
	return (until - c->room.answered_at_ms) / 1000;
}

/* When a row's deadline is to be looked at: when it comes, or, where LiveKit has to be asked again, later. */
static int64_t
due_at(const struct call *c, const struct participant *p)
{
	if (c->overdue_until_ms > 0 && p->deadline_ms <= c->now_ms)
		return c->overdue_until_ms;
	return p->deadline_ms;
}

int64_t
call_next_deadline(const struct call *c)
{
	int64_t least = 0;

	if (room_status_final(c->room.status))
		return 0;
	if (c->policy.max_call_ms > 0)
		least = c->room.created_at_ms + c->policy.max_call_ms;
	for (size_t i = 0; i < c->n_rows; i++) {
		const struct participant *p = c->rows[i];

		if (!participant_status_active(p->status) || p->deadline_ms == 0)
			continue;
		if (least == 0 || due_at(c, p) < least)
			least = due_at(c, p);
	}
	return least;
}

struct str *
call_uids(const struct call *c, bool active_only, size_t *n_out)
{
	struct str *uids = arena_array(c->arena, c->n_rows + 1, sizeof(*uids));
	size_t n = 0;

	for (size_t i = 0; i < c->n_rows; i++)
		if (!active_only || participant_status_active(c->rows[i]->status))
			uids[n++] = c->rows[i]->uid;
	*n_out = n;
	return uids;
}

bool
device_same(struct str type_a, struct str id_a, struct str type_b, struct str id_b)
{
	if (id_a.len > 0 && id_b.len > 0)
		return str_eq(id_a, id_b);
	return type_a.len == 0 || type_b.len == 0 || str_eq(type_a, type_b);
}
