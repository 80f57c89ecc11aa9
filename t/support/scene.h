/* scene - calls for the tests of the rules: made from one line of text, read back as one line, and held
 * against the invariants of the contract after every step. One scene arena per test: SCENE_CASE.
 *
 *   scene("seats=2 invite_on=1 room=1 answered bob=1 ann=3+")
 *     a call of ann's; rows in this order, by status; '+' was joined once, '!' removed by a moderator
 *   scene_text(c)
 *     "room=3 cancelled/ann; bob=6 ann=3; left(ann)@0 cancelled(ann)@0 finished@3; delete_room"
 *     room status, end reason / ended by; rows; events with the room's status they carry; actions
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_SCENE_H
#define SUPPORT_SCENE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "json/json.h"
#include "model/event.h"
#include "rules/verbs.h"
#include "support/unit.h"

enum { SCENE_ROWS = 64, RING_S = 60, SCENE_GRACE_MS = 15000, SCENE_MAX_CALL_MS = 86400 * 1000,
	SCENE_RETRY_MS = 2000, SCENE_RING_OVERDUE_MS = 10000, SCENE_REJOIN_OVERDUE_MS = 30000 };
static const int64_t SCENE_NOW = 1795224981500;

static struct arena *scene_arena;

/* A call before a step. */
struct before {
	struct room room;
	struct participant rows[SCENE_ROWS];
	size_t n_rows;
};

static inline void
scene_open(void)
{
	scene_arena = arena_new(256u << 20);
}

static inline void
scene_close(void)
{
	arena_free(scene_arena);
}

#define SCENE_CASE(tc) tcase_add_checked_fixture((tc), scene_open, scene_close)

static inline struct str
word(const char *z)
{
	return arena_str(scene_arena, str_of(z));
}

static inline struct actor
person(const char *uid, const char *device_type, const char *device_id)
{
	return (struct actor){ .uid = word(uid), .device_type = word(device_type), .device_id = word(device_id) };
}

/* A row as a life that led to this status leaves it. */
static inline void
scene_row(struct call *c, struct str uid, const char *how)
{
	static const enum left_how HOW[P_STATUS_COUNT] = { LEFT_NOT, LEFT_NOT, LEFT_REJECT, LEFT_LEAVE,
		LEFT_MISSED, LEFT_BUSY, LEFT_CANCELLED };
	struct participant *p = call_add_row(c, uid);

	p->status = how[0] - '0';
	p->claimed = participant_status_active(p->status);
	p->deadline_ms = p->status == P_INVITING ? c->now_ms + RING_S * 1000 : 0;
	p->left_how = str_of(left_how_name(HOW[p->status]));
	if (p->status == P_JOINED || strchr(how, '+') != NULL) {
		p->join_time = c->now_ms / 1000 - 100;
		p->session_from_ms = c->now_ms - 100000;
	}
	if (!participant_status_active(p->status))
		p->left_at_ms = c->now_ms - 10000;
	if (p->status == P_LEFT)
		p->leave_time = c->now_ms / 1000 - 10;
	p->removed = strchr(how, '!') != NULL;
}

/* What a commit does to a call in memory: nothing is new any more. */
static inline void
scene_commit(struct call *c)
{
	c->n_events = c->n_actions = 0;
	c->changed = false;
	c->room.next_deadline_ms = call_next_deadline(c);
	c->overdue_until_ms = 0;
	for (size_t i = 0; i < c->n_rows; i++) {
		c->rows[i]->id = (int64_t)i + 1;
		c->rows[i]->dirty = c->rows[i]->invited_anew = false;
	}
}

static inline void
scene_word(struct call *c, struct str w)
{
	struct str name = w, key;
	int64_t n = 0;

	if (str_eq(w, S("answered"))) {
		c->room.answered_at_ms = c->now_ms - 50000;
		return;
	}
	ck_assert(str_split(&name, '=', &key) && name.len > 0);
	if (str_eq(key, S("room")))
		c->room.status = name.at[0] - '0';
	else if (str_eq(key, S("invite_on")))
		c->room.invite_on = name.at[0] - '0';
	else if (str_eq(key, S("seats")) && parse_i64(name, 1, 1000, &n))
		c->room.max_participants = n;
	else
		scene_row(c, arena_str(scene_arena, key), arena_z(scene_arena, name));
}

static inline struct call *
scene(const char *line)
{
	const struct call_policy policy = { .rejoin_grace_ms = SCENE_GRACE_MS,
	    .max_call_ms = SCENE_MAX_CALL_MS, .deadline_retry_ms = SCENE_RETRY_MS,
	    .ring_overdue_ms = SCENE_RING_OVERDUE_MS, .rejoin_overdue_ms = SCENE_REJOIN_OVERDUE_MS };
	struct call *c = arena_alloc(scene_arena, sizeof(*c));
	struct str rest = word(line), w;

	call_init(c, scene_arena, policy);
	c->now_ms = SCENE_NOW;
	c->room = (struct room){ .id = 1, .room_id = S("r1"), .creator = S("ann"), .rtc_type = 1,
	    .max_participants = 2, .timeout_s = RING_S, .created_at_ms = SCENE_NOW - 200000,
	    .livekit_url = S("ws://media") };
	while (str_split(&rest, ' ', &w))
		if (w.len > 0)
			scene_word(c, w);
	c->room.started_at_ms = c->room.status == ROOM_RINGING ? 0 : SCENE_NOW - 90000;
	scene_commit(c);
	return c;
}

/* ---- reading it back ---- */

static inline void
scene_list(struct strbuf *b, const struct json *data, const char *key, const char *name)
{
	const struct json *list = json_get(data, key);

	if (list == NULL)
		return;
	strbuf_addf(b, "%s[", name);
	for (size_t i = 0; i < json_len(list); i++)
		strbuf_addf(b, "%s%.*s", i > 0 ? "," : "", STR_ARG(json_str(json_at(list, i))));
	strbuf_addz(b, "]");
}

static inline const struct json *
event_data(const struct call_event *e)
{
	const struct json *data = json_parse(scene_arena, e->data, NULL);

	ck_assert_msg(json_type(data) == JSON_OBJECT, "not an object: %.*s", STR_ARG(e->data));
	return data;
}

static inline void
scene_event(struct strbuf *b, const struct call_event *e)
{
	const struct json *data = event_data(e);
	int64_t status = -1;

	ck_assert(json_i64(json_get(data, "status"), &status));
	strbuf_addz(b, strchr(e->type, '.') + 1);
	if (strncmp(e->type, "participant.", 12) == 0)
		strbuf_addf(b, "(%.*s)", STR_ARG(e->uid));
	scene_list(b, data, "invited_uids", "invited");
	scene_list(b, data, "missed_uids", "missed");
	scene_list(b, data, "busy_uids", "busy");
	strbuf_addf(b, "@%d", (int)status);
}

static inline const char *
scene_text(const struct call *c)
{
	static const char *const ACTIONS[] = { "delete_room", "remove", "forget" };
	struct strbuf b;

	strbuf_init_arena(&b, scene_arena, 256, 1 << 20);
	strbuf_addf(&b, "room=%d", c->room.status);
	if (c->room.end_reason.len > 0)
		strbuf_addf(&b, " %.*s/%.*s", STR_ARG(c->room.end_reason), STR_ARG(c->room.ended_by));
	strbuf_addz(&b, ";");
	for (size_t i = 0; i < c->n_rows; i++)
		strbuf_addf(&b, " %.*s=%d%s", STR_ARG(c->rows[i]->uid), c->rows[i]->status,
		    c->rows[i]->removed ? "!" : "");
	strbuf_addz(&b, ";");
	for (size_t i = 0; i < c->n_events; i++) {
		strbuf_addz(&b, " ");
		scene_event(&b, &c->events[i]);
	}
	strbuf_addz(&b, ";");
	for (size_t i = 0; i < c->n_actions; i++) {
		strbuf_addf(&b, " %s", ACTIONS[c->actions[i].kind]);
		if (c->actions[i].kind != ACTION_DELETE_ROOM)
			strbuf_addf(&b, "(%.*s%s%.*s)", STR_ARG(c->actions[i].uid),
			    c->actions[i].sid.len > 0 ? "," : "", STR_ARG(c->actions[i].sid));
	}
	while (b.len > 0 && (b.at[b.len - 1] == ';' || b.at[b.len - 1] == ' '))
		b.at[--b.len] = '\0';
	ck_assert(strbuf_ok(&b));
	return b.at;
}

/* ---- invariants ---- */

static inline struct before
scene_before(const struct call *c)
{
	struct before b;

	memset(&b, 0, sizeof(b));
	ck_assert_uint_le(c->n_rows, SCENE_ROWS);
	memcpy(&b.room, &c->room, sizeof(b.room));
	b.n_rows = c->n_rows;
	for (size_t i = 0; i < c->n_rows; i++)
		memcpy(&b.rows[i], c->rows[i], sizeof(b.rows[i]));
	return b;
}

/* A refusal has changed nothing at all. */
static inline void
scene_unchanged(const struct before *b, const struct call *c)
{
	ck_assert(!c->changed);
	ck_assert_uint_eq(c->n_events, 0);
	ck_assert_uint_eq(c->n_actions, 0);
	ck_assert_uint_eq(c->n_rows, b->n_rows);
	ck_assert_msg(memcmp(&c->room, &b->room, sizeof(b->room)) == 0, "the room was changed");
	for (size_t i = 0; i < c->n_rows; i++)
		ck_assert_msg(memcmp(c->rows[i], &b->rows[i], sizeof(b->rows[i])) == 0,
		    "the row of %.*s was changed", STR_ARG(c->rows[i]->uid));
}

static inline size_t
times_in_list(const struct json *list, struct str uid)
{
	size_t n = 0;

	for (size_t i = 0; i < json_len(list); i++)
		n += str_eq(json_str(json_at(list, i)), uid);
	return n;
}

/* How often events of a type are about uid: as its subject, or in the type's list of people. */
static inline size_t
times_told(const struct call *c, const char *type, const char *list, struct str uid)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_events; i++) {
		if (strcmp(c->events[i].type, type) != 0)
			continue;
		if (list != NULL)
			n += times_in_list(json_get(event_data(&c->events[i]), list), uid);
		else
			n += str_eq(c->events[i].uid, uid);
	}
	return n;
}

/* I4: what became of one row is told as "Events" says. Inside an end, rows that ring cause no event. */
static inline void
check_row_told(const struct call *c, const struct participant *p, int was, bool ended)
{
	static const struct { int to; const char *type, *list; } QUIET_AT_END[] = {
		{ P_REJECTED, "participant.rejected", NULL },
		{ P_MISSED, "participant.missed", "missed_uids" },
		{ P_CANCELLED, "participant.cancelled", NULL },
	};
	size_t left = times_told(c, "participant.left", NULL, p->uid);
	size_t accepted = times_told(c, "participant.accepted", NULL, p->uid);
	/* Found to be in, at a deadline that ended the call. */
	bool came_and_went = ended && p->status == P_LEFT && was != P_JOINED && accepted == 1;
	bool went = p->status == P_LEFT && (was == P_JOINED || was == P_INVITING || came_and_went);
	bool calls = was < 0 && str_eq(p->uid, c->room.creator);

	ck_assert_uint_eq(left, went);
	if (!came_and_went && (was != P_JOINED || p->status != P_JOINED))
		ck_assert_uint_eq(accepted, p->status == P_JOINED);
	/* Of a call just made, its creator is told of as the one who calls. */
	if (p->status == P_BUSY && was != P_BUSY)
		ck_assert_uint_eq(times_told(c, "participant.busy", "busy_uids", p->uid), !calls);
	if (p->status == P_INVITING && was != P_INVITING)
		ck_assert_uint_eq(times_told(c, "participant.invited", "invited_uids", p->uid), !calls);
	for (size_t i = 0; i < N_ELEMS(QUIET_AT_END); i++) {
		size_t n = times_told(c, QUIET_AT_END[i].type, QUIET_AT_END[i].list, p->uid);
		bool moved = was == P_INVITING && p->status == QUIET_AT_END[i].to;
		/* The creator's going is told twice over: as what it did, and as the call's cancelling. */
		bool may = moved || (QUIET_AT_END[i].to == P_CANCELLED && ended &&
		    str_eq(p->uid, c->room.creator));

		ck_assert_uint_le(n, may);
		if (moved && !ended)
			ck_assert_uint_eq(n, 1);
	}
}

static inline void
check_row(const struct call *c, const struct participant *p)
{
	bool active = participant_status_active(p->status);

	ck_assert_msg(active || !p->claimed, "I1: %.*s keeps its claim", STR_ARG(p->uid));
	ck_assert_msg(!active || !room_status_final(c->room.status), "I3: %.*s is active in a call that is over",
	    STR_ARG(p->uid));
	ck_assert_msg(p->status != P_INVITING || p->deadline_ms > 0, "I7: %.*s rings for ever", STR_ARG(p->uid));
	ck_assert(active || p->deadline_ms == 0);
	ck_assert(p->status != P_JOINED || (p->join_time > 0 && !p->removed));
	ck_assert(active || p->sid.len == 0);
	ck_assert(p->status != P_LEFT || p->leave_time > 0);
}

/* I7 again, from the rows. */
static inline void
check_deadline(const struct call *c)
{
	int64_t least = INT64_MAX, got = call_next_deadline(c);

	for (size_t i = 0; i < c->n_rows; i++) {
		const struct participant *p = c->rows[i];
		int64_t at = p->deadline_ms;

		if (!participant_status_active(p->status) || at == 0)
			continue;
		if (c->overdue_until_ms > 0 && at <= c->now_ms) {
			int64_t more = p->status == P_INVITING ? SCENE_RING_OVERDUE_MS : SCENE_REJOIN_OVERDUE_MS;

			at = c->overdue_until_ms;
			ck_assert_int_gt(at, c->now_ms);
			ck_assert_msg(at <= p->deadline_ms + more, "I7: %.*s waits too long", STR_ARG(p->uid));
		}
		if (at < least)
			least = at;
	}
	if (c->policy.max_call_ms > 0 && c->room.created_at_ms + c->policy.max_call_ms < least)
		least = c->room.created_at_ms + c->policy.max_call_ms;
	if (room_status_final(c->room.status) || least == INT64_MAX)
		least = 0;
	ck_assert_int_eq(got, least);
}

static inline size_t
times_type(const struct call *c, const char *type)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_events; i++)
		n += strcmp(c->events[i].type, type) == 0;
	return n;
}

/* Everything that holds after any step; `b` is the call before it. A new row has no status before. */
static inline void
scene_check(const struct before *b, const struct call *c)
{
	bool was_final = room_status_final(b->room.status), is_final = room_status_final(c->room.status);

	ck_assert_msg((int64_t)call_count_active(c) <= c->room.max_participants, "I2: too many: %s", scene_text(c));
	ck_assert_msg(!was_final || c->room.status == b->room.status, "a final state is not for ever");
	ck_assert_uint_eq(times_type(c, "room.finished"), is_final && !was_final);
	ck_assert_uint_eq(times_type(c, "room.started"), b->room.started_at_ms == 0 && c->room.started_at_ms > 0);
	ck_assert((c->room.status != 0) >= (c->room.started_at_ms > 0));
	ck_assert(is_final == (c->room.ended_at_ms > 0 || was_final));
	ck_assert(is_final || c->room.end_reason.len == 0);
	for (size_t i = 0; i < c->n_events; i++)
		ck_assert_int_eq(c->events[i].seq, b->room.seq + (int64_t)i + 1);
	ck_assert_int_eq(c->room.seq, b->room.seq + (int64_t)c->n_events);
	for (size_t i = 0; i < c->n_rows; i++) {
		check_row(c, c->rows[i]);
		check_row_told(c, c->rows[i], i < b->n_rows ? b->rows[i].status : -1, is_final && !was_final);
	}
	check_deadline(c);
	ck_assert(c->changed || (c->n_events == 0 && c->n_actions == 0));
}

#endif
