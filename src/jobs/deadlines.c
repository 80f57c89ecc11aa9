/* deadlines - who does not answer is missed, who does not come back is lost, and no call lasts for ever: all in time.
 * Due calls are found, LiveKit is asked who is connected, and the deadlines are carried out.
 * SPDX-License-Identifier: MIT */
#include "jobs/tasks.h"

#include "base/clock.h"
#include "call/timely.h"

enum {
	DUE_MAX = 320,               /* one ListRooms for all of them */
	ROOMS_MS = 1000,
	PEOPLE_MS = 1500,            /* that no node has the room, LiveKit says after a second */
	AGAIN_MS = 5,                /* somebody else is at work on what is due */
	NO_DATABASE_MS = 1000,
	CLOCK_US = 2000000
};

/* Kept between passes. */
struct deadlines {
	int64_t silent_until_us;     /* LiveKit did not answer: not asked again before */
	int64_t clock_at_us;         /* when the nodes' clock is to be read again */
};

/* Due calls with what LiveKit said of each. */
struct hearing {
	struct task *t;
	struct op *op;
	struct deadlines *kept;
	struct due due;
	struct str *rooms;           /* their room_ids */
	struct seen_room *seen;
	bool *wanted;                /* it takes ListParticipants, too */
	size_t n_wanted, n_passed;
};

/* Where we know nobody to be in, the count in LiveKit's list of rooms is enough; so it is where the list lacks a room
 * whose media never began. */
static bool
takes_people(const struct due_row *r, const struct seen_room *s)
{
	return s->heard && (s->n_people > 0 || (r->n_joined > 0 && (s->listed || r->has_media)));
}

static void
ask_for_rooms(struct hearing *h)
{
	const struct census census = task_census(h->t);
	size_t n = h->due.n, n_heard = 0;

	census_rooms(h->op, &census, h->rooms, n, ROOMS_MS, h->seen);
	for (size_t i = 0; i < n; i++) {
		n_heard += h->seen[i].heard;
		h->wanted[i] = takes_people(&h->due.rooms[i], &h->seen[i]);
		h->n_wanted += h->wanted[i];
	}
	if (n_heard == 0)
		h->kept->silent_until_us = clock_mono_us() + h->t->sv.conf->deadline_retry_ms * 1000;
}

static void
ask_for_people(struct hearing *h)
{
	const struct census census = task_census(h->t);

	census_people(h->op, &census, h->rooms, h->wanted, h->due.n, PEOPLE_MS, h->seen);
}

/* Fires those that wanted people to be asked for, or the others. */
static enum err
fire(struct hearing *h, bool wanted)
{
	struct due some = { .now_ms = h->due.now_ms };
	struct seen_room *seen = arena_array(h->op->arena, h->due.n, sizeof(*seen));
	struct fire_count count;
	enum err e;

	some.rooms = arena_array(h->op->arena, h->due.n, sizeof(*some.rooms));
	for (size_t i = 0; i < h->due.n; i++) {
		if (h->wanted[i] != wanted)
			continue;
		seen[some.n] = h->seen[i];
		some.rooms[some.n++] = h->due.rooms[i];
	}
	e = op_fire(h->op, &h->t->sv, &some, seen, &count);
	h->n_passed += count.n_passed;
	return e;
}

static enum err
hear_and_fire(struct hearing *h)
{
	size_t n = h->due.n;
	enum err e;

	h->rooms = arena_array(h->op->arena, n, sizeof(*h->rooms));
	h->seen = arena_array(h->op->arena, n, sizeof(*h->seen));
	h->wanted = arena_array(h->op->arena, n, sizeof(*h->wanted));
	for (size_t i = 0; i < n; i++)
		h->rooms[i] = h->due.rooms[i].room_id;
	if (clock_mono_us() >= h->kept->silent_until_us)
		ask_for_rooms(h);
	/* A call whose people take long to be listed keeps no other waiting. */
	if ((e = fire(h, false)) != ERR_OK || h->n_wanted == 0)
		return e;
	ask_for_people(h);
	return fire(h, true);
}

/* While there is nothing else to do: by the time LiveKit is asked, a step of this host's clock has to be known, or it
 * refuses our token. */
static void
follow_clock(struct task *t, struct op *op, struct deadlines *kept)
{
	struct node *nodes;
	size_t n;

	if (clock_mono_us() < kept->clock_at_us)
		return;
	kept->clock_at_us = clock_mono_us() + CLOCK_US;
	if (nodes_read(op, t->sv.livekit_kv, &nodes, &n))
		(void)node_clock_now_s(registry_clock(t->sv.registry), nodes, n);
}

static int64_t
pass(struct task *t, struct op *op, void *state)
{
	struct hearing h = { .t = t, .op = op, .kept = state };

	if (op_due(op, &t->sv, DUE_MAX, &h.due) != ERR_OK)
		return task_failed(t, NO_DATABASE_MS);
	t->db_ahead_ms = h.due.now_ms - clock_wall_ms();
	if (h.due.n == 0) {
		follow_clock(t, op, h.kept);
		return h.due.next_ms == 0 ? TASK_POLL_MS : h.due.next_ms - h.due.now_ms;
	}
	if (hear_and_fire(&h) != ERR_OK)
		return task_failed(t, NO_DATABASE_MS);
	return h.n_passed == h.due.n ? AGAIN_MS : 0;
}

const struct task_kind TASK_DEADLINES = {
	.name = "deadlines",
	.hears = EAR_DEADLINE,
	.channel = KV_WAKE,
	.gap_ms = AGAIN_MS,
	.state_size = sizeof(struct deadlines),
	.pass = pass,
};
