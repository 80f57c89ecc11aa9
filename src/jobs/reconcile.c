/* reconcile - finds out what LiveKit forgot to say: calls are held against its lists, each in its turn, all of them
 * after a start, and at once where a change asks for it.
 * SPDX-License-Identifier: MIT */
#include "jobs/tasks.h"

#include "call/heal.h"
#include "call/look.h"

enum {
	ROOMS_MS = 2000,
	PEOPLE_MS = 2000,
	BY_NAME_MS = 4000,           /* LiveKit takes 3 s to find that no node has the person */
	POLL_MS = 1000,
	NO_DATABASE_MS = 1000,
	GAP_MS = 500,
	/* What is asked for and applied at a time: LiveKit tells a kilobyte or more about each person. */
	PART_PEOPLE = 2000,
	PART_BYTES = 256 << 20,
};

/* Kept between passes. */
struct reconcile {
	struct healing healing;
	struct look_sweep sweep;
	bool said_off;
};

/* The calls of one pass. */
struct hearing {
	struct task *t;
	struct look *looks;
	struct str *rooms;
	struct seen_room *seen;
	size_t n;
	int64_t now_ms;              /* the database's */
	bool trouble;
};

/* Those who are missing again, from the nodes themselves: the answers go to where their calls are. */
static enum err
ask_by_name(struct op *op, const struct hearing *h, const struct looks *looks, struct seen_room *seen)
{
	const struct census census = task_census(h->t);
	struct missing_person *people;
	struct doubted_row *rows;
	size_t n;
	enum err e;

	if ((e = op_look_doubted(op, &h->t->sv, looks, h->now_ms, &rows, &n)) != ERR_OK || n == 0)
		return e;
	people = arena_array(op->arena, n, sizeof(*people));
	for (size_t i = 0; i < n; i++)
		people[i] = (struct missing_person){ .room_id = rows[i].room_id, .uid = rows[i].uid };
	census_by_name(op, &census, people, n, BY_NAME_MS);
	for (size_t i = 0; i < looks->n; i++) {
		seen[i].asked = arena_array(op->arena, n, sizeof(*seen[i].asked));
		for (size_t k = 0; k < n; k++)
			if (people[k].sure && str_eq(people[k].room_id, looks->at[i].room_id))
				seen[i].asked[seen[i].n_asked++] = (struct asked_person){ people[k].uid,
				    people[k].there };
	}
	return ERR_OK;
}

/* Looks [from, to): their people, and what follows. */
static enum err
apply_part(struct op *op, const struct hearing *h, size_t from, size_t to)
{
	const struct census census = task_census(h->t);
	struct seen_room *seen = &h->seen[from];
	size_t n = to - from, n_changed;
	bool *listed = arena_array(op->arena, n, sizeof(*listed));
	const struct looks looks = { .at = &h->looks[from], .seen = seen, .listed = listed, .n = n };
	enum err e;

	for (size_t i = 0; i < n; i++)
		listed[i] = look_wants_list(&looks.at[i], &seen[i], h->t->sv.conf, h->now_ms, h->trouble);
	census_people(op, &census, &h->rooms[from], listed, n, PEOPLE_MS, seen);
	for (size_t i = 0; i < n; i++)
		listed[i] = listed[i] && seen[i].people_known;
	if ((e = ask_by_name(op, h, &looks, seen)) != ERR_OK)
		return e;
	return op_look_apply(op, &h->t->sv, &looks, &n_changed);
}

/* As many as have PART_PEOPLE people by LiveKit's own count, one at least. */
static size_t
part_end(const struct hearing *h, size_t from)
{
	int64_t people = h->seen[from].n_people;
	size_t to = from + 1;

	while (to < h->n && people + h->seen[to].n_people <= PART_PEOPLE)
		people += h->seen[to++].n_people;
	return to;
}

static enum err
apply_all(struct op *op, struct hearing *h)
{
	struct arena *own = arena_new(PART_BYTES);
	struct op part = *op;
	enum err e = ERR_OK;

	part.arena = own;
	for (size_t from = 0, to; from < h->n && e == ERR_OK && !h->t->stopping; from = to) {
		to = part_end(h, from);
		arena_reset(own);
		e = apply_part(&part, h, from, to);
		task_signals(h->t);
		task_beat(h->t, &part);
	}
	arena_free(own);
	return e;
}

/* Once more where the first answer did not come: behind a balancer that is another node, and one of them may be frozen. */
static void
ask_for_rooms(struct op *op, const struct hearing *h)
{
	const struct census census = task_census(h->t);

	for (int tries = 0; tries < 2; tries++) {
		size_t n_heard = 0;

		census_rooms(op, &census, h->rooms, h->n, ROOMS_MS, h->seen);
		for (size_t i = 0; i < h->n; i++)
			n_heard += h->seen[i].heard;
		if (n_heard == h->n)
			break;
	}
}

static enum err
hear_and_apply(struct task *t, struct op *op, int64_t now_ms, struct look *looks, size_t n)
{
	struct hearing h = { .t = t, .looks = looks, .n = n, .now_ms = now_ms,
	    .trouble = kv_hook_trouble(op, t->sv.kv) };

	h.rooms = arena_array(op->arena, n, sizeof(*h.rooms));
	h.seen = arena_array(op->arena, n, sizeof(*h.seen));
	for (size_t i = 0; i < n; i++)
		h.rooms[i] = looks[i].room_id;
	ask_for_rooms(op, &h);
	return apply_all(op, &h);
}

static int64_t
idle_ms(const struct conf *c)
{
	return c->reconcile_interval_ms / 2 < POLL_MS ? c->reconcile_interval_ms / 2 : POLL_MS;
}

static int64_t
pass(struct task *t, struct op *op, void *state)
{
	struct reconcile *r = state;
	struct look *looks;
	bool full;
	size_t n;

	if (!r->healing.done)
		return op_heal(op, &t->sv, &r->healing) == ERR_OK ? 0 : task_failed(t, NO_DATABASE_MS);
	if (t->sv.conf->reconcile_interval_ms == 0) {
		if (!r->said_off)
			log_note(t->sv.log, LOG_WARN, "对账已关闭: 丢失的 LiveKit 事件不会被发现", "reconcile_off",
			    "RECONCILE_INTERVAL=0");
		r->said_off = true;
		return TASK_POLL_MS;
	}
	if (op_look_claim(op, &t->sv, &r->sweep, &looks, &n, &full) != ERR_OK)
		return task_failed(t, NO_DATABASE_MS);
	if (n > 0 && hear_and_apply(t, op, r->sweep.now_ms, looks, n) != ERR_OK)
		return task_failed(t, NO_DATABASE_MS);
	return full ? 0 : idle_ms(t->sv.conf);
}

const struct task_kind TASK_RECONCILE = {
	.name = "reconcile",
	.hears = EAR_ANY,
	.channel = KV_WAKE,
	.gap_ms = GAP_MS,
	.state_size = sizeof(struct reconcile),
	.pass = pass,
};
