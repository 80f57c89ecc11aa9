/* census - gathers what LiveKit says of many rooms.
 * SPDX-License-Identifier: MIT */
#include "livekit/census.h"

#include <stdlib.h>

#include "livekit/person.h"
#include "livekit/twirp.h"

enum { WAVE = 4 * CENSUS_PARALLEL };

/* Answers can be large, what is kept of them is not: they are read in memory of their own. */
static const size_t SCRATCH_BYTES = (size_t)1 << 30;

/* ---- which rooms there are ---- */

/* A room asked for, and its place in the caller's arrays. */
struct asked {
	struct str name;
	size_t at;
};

static int
compare_asked(const void *a, const void *b)
{
	const struct asked *x = a, *y = b;

	return str_cmp(x->name, y->name);
}

static struct asked *
sorted_by_name(struct arena *a, const struct str *rooms, size_t n)
{
	struct asked *out = arena_array(a, n, sizeof(*out));

	for (size_t i = 0; i < n; i++)
		out[i] = (struct asked){ rooms[i], i };
	qsort(out, n, sizeof(*out), compare_asked);
	return out;
}

static void
read_rooms(const struct json *reply, const struct asked *asked, size_t n, struct seen_room *out)
{
	const struct json *rooms = json_get(reply, "rooms");

	for (size_t i = 0; i < n; i++)
		out[i].heard = true;
	for (size_t i = 0; i < json_len(rooms); i++) {
		const struct json *room = json_at(rooms, i);
		const struct asked key = { .name = json_str(json_get(room, "name")) };
		const struct asked *found = bsearch(&key, asked, n, sizeof(key), compare_asked);

		if (found == NULL)
			continue;
		out[found->at].listed = true;
		(void)json_i64(json_get(room, "num_participants"), &out[found->at].n_people);
	}
}

static void
list_rooms(struct op *op, const struct census *c, const struct str *rooms, size_t n, int64_t timeout_ms,
    struct seen_room *out)
{
	size_t n_calls = (n + CENSUS_NAMES_MAX - 1) / CENSUS_NAMES_MAX;
	struct http_call *calls = arena_array(op->arena, n_calls, sizeof(*calls));
	struct many_answer *answers = arena_array(op->arena, n_calls, sizeof(*answers));

	for (size_t i = 0; i < n_calls; i++) {
		size_t at = i * CENSUS_NAMES_MAX, some = n - at < CENSUS_NAMES_MAX ? n - at : CENSUS_NAMES_MAX;

		calls[i] = twirp_list_rooms(op, c->conf, rooms + at, some);
		calls[i].timeout_ms = timeout_ms;
	}
	multi_all(op, c->multi, calls, n_calls, CENSUS_PARALLEL, answers);
	for (size_t i = 0; i < n_calls; i++) {
		size_t at = i * CENSUS_NAMES_MAX, some = n - at < CENSUS_NAMES_MAX ? n - at : CENSUS_NAMES_MAX;
		const struct json *reply;

		if (twirp_read(op, "ListRooms", answers[i].e, &answers[i].answer, &reply) == ERR_OK)
			read_rooms(reply, sorted_by_name(op->arena, rooms + at, some), some, out + at);
	}
}

/* ---- who hosts them ---- */

static enum host_state
host_of(const struct node *nodes, size_t n, struct str id, int64_t now_s)
{
	if (id.len == 0)
		return HOST_UNKNOWN;
	for (size_t i = 0; i < n; i++)
		if (str_eq(nodes[i].id, id))
			return node_is_fresh(&nodes[i], now_s) ? HOST_ALIVE : HOST_GONE;
	return HOST_GONE;
}

/* The map first: a node that appears between the two readings must not look gone. */
static void
find_hosts(struct op *op, const struct census *c, const struct str *rooms, size_t n, struct seen_room *out)
{
	struct str *ids = arena_array(op->arena, n, sizeof(*ids));
	struct node *nodes;
	size_t n_nodes;
	int64_t now_s;

	if (c->livekit_kv == NULL || !kv_livekit_map(op, c->livekit_kv, rooms, n, ids) ||
	    !nodes_read(op, c->livekit_kv, &nodes, &n_nodes))
		return;
	now_s = node_clock_now_s(c->clock, nodes, n_nodes);
	for (size_t i = 0; i < n; i++) {
		out[i].node = ids[i];
		out[i].host = host_of(nodes, n_nodes, ids[i], now_s);
	}
}

void
census_rooms(struct op *op, const struct census *c, const struct str *rooms, size_t n, int64_t timeout_ms,
    struct seen_room *out)
{
	struct op scratch = *op;

	for (size_t i = 0; i < n; i++)
		out[i] = (struct seen_room){ 0 };
	if (n == 0)
		return;
	scratch.arena = arena_new(SCRATCH_BYTES);
	list_rooms(&scratch, c, rooms, n, timeout_ms, out);
	arena_free(scratch.arena);
	find_hosts(op, c, rooms, n, out);
}

/* ---- who is in them ---- */

static struct media_session
kept_session(struct arena *a, const struct media_session *m)
{
	return (struct media_session){ .uid = arena_str(a, m->uid), .sid = arena_str(a, m->sid),
	    .joined_at_ms = m->joined_at_ms, .device_type = arena_str(a, m->device_type),
	    .device_id = arena_str(a, m->device_id) };
}

static bool
is_here(const struct json *participant)
{
	return !str_eq(json_str(json_get(participant, "state")), S("DISCONNECTED"));
}

static void
read_people(struct op *scratch, struct arena *keep, const struct json *reply, struct seen_room *out)
{
	const struct json *people = json_get(reply, "participants");
	size_t n = json_len(people);

	out->people = arena_array(keep, n, sizeof(*out->people));
	for (size_t i = 0; i < n; i++) {
		const struct json *p = json_at(people, i);
		struct media_session m;

		if (is_here(p) && person_read(scratch, p, &m))
			out->people[out->n_sessions++] = kept_session(keep, &m);
	}
}

static void
take_answer(struct op *scratch, struct arena *keep, const struct many_answer *a, struct seen_room *out)
{
	bool asked_before = out->heard;
	const struct json *reply;
	enum err e;

	if (asked_before && !out->listed && twirp_no_node(scratch, "ListParticipants", a->e, &a->answer)) {
		out->people_known = true;
		return;
	}
	e = twirp_read(scratch, "ListParticipants", a->e, &a->answer, &reply);
	out->heard = out->people_known = e == ERR_OK || e == ERR_PARTICIPANT_NOT_FOUND;
	if (e != ERR_OK)
		return;
	read_people(scratch, keep, reply, out);
	if (asked_before)
		return;
	out->listed = json_len(json_get(reply, "participants")) > 0;
	out->n_people = (int64_t)out->n_sessions;
}

/* Rooms to be asked about, by their places in the caller's arrays. */
struct wave {
	size_t at[WAVE];
	size_t n;
	int64_t timeout_ms;
};

static void
ask_wave(struct op *op, const struct census *c, const struct str *rooms, const struct wave *w,
    struct seen_room *out)
{
	struct op scratch = *op;
	struct http_call calls[WAVE];
	struct many_answer answers[WAVE];

	scratch.arena = arena_new(SCRATCH_BYTES);
	for (size_t i = 0; i < w->n; i++) {
		calls[i] = twirp_list_participants(&scratch, c->conf, rooms[w->at[i]]);
		calls[i].timeout_ms = w->timeout_ms;
	}
	multi_all(&scratch, c->multi, calls, w->n, CENSUS_PARALLEL, answers);
	for (size_t i = 0; i < w->n; i++)
		take_answer(&scratch, op->arena, &answers[i], &out[w->at[i]]);
	arena_free(scratch.arena);
}

void
census_people(struct op *op, const struct census *c, const struct str *rooms, const bool *wanted, size_t n,
    int64_t timeout_ms, struct seen_room *out)
{
	struct wave w = { .timeout_ms = timeout_ms };

	for (size_t i = 0; i < n; i++) {
		if (!wanted[i])
			continue;
		out[i].people = NULL;
		out[i].n_sessions = 0;
		out[i].people_known = false;
		w.at[w.n++] = i;
		if (w.n < WAVE)
			continue;
		ask_wave(op, c, rooms, &w, out);
		w.n = 0;
	}
	if (w.n > 0)
		ask_wave(op, c, rooms, &w, out);
}

/* ---- one by one ---- */

void
census_by_name(struct op *op, const struct census *c, struct missing_person *people, size_t n, int64_t timeout_ms)
{
	struct op scratch = *op;
	struct http_call *calls;
	struct many_answer *answers;

	if (n == 0)
		return;
	scratch.arena = arena_new(SCRATCH_BYTES);
	calls = arena_array(scratch.arena, n, sizeof(*calls));
	answers = arena_array(scratch.arena, n, sizeof(*answers));
	for (size_t i = 0; i < n; i++) {
		calls[i] = twirp_ask_for(&scratch, c->conf, people[i].room_id, people[i].uid);
		calls[i].timeout_ms = timeout_ms;
	}
	multi_all(&scratch, c->multi, calls, n, CENSUS_BY_NAME_PARALLEL, answers);
	for (size_t i = 0; i < n; i++) {
		struct missing_person *p = &people[i];
		const struct json *reply;
		enum err e = ERR_PARTICIPANT_NOT_FOUND;

		if (!twirp_no_node(&scratch, "UpdateSubscriptions", answers[i].e, &answers[i].answer))
			e = twirp_read(&scratch, "UpdateSubscriptions", answers[i].e, &answers[i].answer, &reply);
		p->there = e == ERR_OK;
		p->sure = e == ERR_OK || e == ERR_PARTICIPANT_NOT_FOUND;
	}
	arena_free(scratch.arena);
}
