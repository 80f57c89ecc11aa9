/* reconcile - who is there, who is missing, and what follows.
 * SPDX-License-Identifier: MIT */
#include "rules/reconcile.h"

#include "rules/media.h"
#include "rules/moves.h"
#include "rules/settle.h"

/* As far as clocks of LiveKit's nodes and of the database may differ: LiveKit itself takes no more. */
enum { HOST_SLACK_MS = 5000 };

/* Looks at the call again at that time, if it is not to be looked at sooner. */
static void
look_by(struct call *c, int64_t at_ms)
{
	if (c->room.look_at_ms > 0 && c->room.look_at_ms <= at_ms)
		return;
	c->room.look_at_ms = at_ms;
	c->changed = true;
}

/* The Go server let somebody in whose ring deadline was set here: it is none of a person who is joined. */
static void
adopt_joined(struct call *c)
{
	for (size_t i = 0; i < c->n_rows; i++) {
		struct participant *p = c->rows[i];

		if (p->status != P_JOINED || p->session_from_ms != 0 || p->deadline_ms == 0)
			continue;
		p->deadline_ms = 0;
		p->session_from_ms = c->now_ms;
		call_touch(c, p);
	}
}

/* ---- who is there ---- */

static bool
went_unasked(const struct participant *p)
{
	return str_eq(p->left_how, str_of(left_how_name(LEFT_MISSED))) ||
	    str_eq(p->left_how, str_of(left_how_name(LEFT_LOST)));
}

/* Somebody who is listed. Who went by a wish goes for good unless a newer session shows another one; who was given
 * up without being asked came back by being there. */
static void
is_there(struct call *c, const struct media_session *s)
{
	static const struct media_room NOT_SAID = { 0 };
	const struct participant *p = call_find(c, s->uid);

	if (p == NULL || participant_status_active(p->status))
		media_participant_joined(c, &NOT_SAID, s);
	else if (went_unasked(p))
		media_participant_there(c, s);
	else if (str_eq(s->sid, p->last_left_sid) || s->joined_at_ms <= p->left_at_ms)
		call_act(c, ACTION_REMOVE_PARTICIPANT, s->uid, s->sid);
	else
		media_participant_joined(c, &NOT_SAID, s);
}

static void
who_is_there(struct call *c, const struct seen_room *seen)
{
	for (size_t i = 0; i < seen->n_sessions; i++)
		if (media_counts(c, seen, &seen->people[i]))
			is_there(c, &seen->people[i]);
}

/* ---- who is missing ---- */

static const struct media_session *
session_of(const struct seen_room *seen, struct str uid)
{
	for (size_t i = 0; i < seen->n_sessions; i++)
		if (str_eq(seen->people[i].uid, uid))
			return &seen->people[i];
	return NULL;
}

/* In the call by our book, long enough to be in LiveKit's. */
static bool
is_expected(const struct call *c, const struct participant *p)
{
	return p->status == P_JOINED && p->deadline_ms == 0 &&
	    c->now_ms >= p->session_from_ms + c->policy.join_grace_ms;
}

/* An older session than the one we know: who made this list has not seen what came after, and is no witness. */
static bool
is_outdated(const struct participant *p, const struct media_session *s)
{
	return p->sid.len > 0 && !str_eq(s->sid, p->sid) && s->joined_at_ms < p->sid_at_ms;
}

static void
was_seen(struct call *c, struct participant *p)
{
	if (p->missing_at_ms == 0)
		return;
	p->missing_at_ms = 0;
	call_touch(c, p);
}

static const struct asked_person *
asked_for(const struct seen_room *seen, struct str uid)
{
	for (size_t i = 0; i < seen->n_asked; i++)
		if (str_eq(seen->asked[i].uid, uid))
			return &seen->asked[i];
	return NULL;
}

/* How long somebody is missing before that means something. Whose session was one of the host before is on the way to
 * the new one: as long as the rejoin grace. */
static int64_t
patience_ms(const struct call *c, const struct participant *p)
{
	bool lost_its_host = p->sid.len > 0 && p->sid_at_ms < c->room.host_since_ms;

	if (lost_its_host && c->policy.rejoin_grace_ms > c->policy.look_again_ms)
		return c->policy.rejoin_grace_ms;
	return c->policy.look_again_ms;
}

/* The first of two looks asks for the second, and the second is to come with the person asked for by name. */
static bool
missed_twice(struct call *c, struct participant *p, const struct asked_person *asked)
{
	int64_t again;

	if (p->missing_at_ms == 0) {
		p->missing_at_ms = c->now_ms;
		call_touch(c, p);
	}
	again = p->missing_at_ms + patience_ms(c, p);
	if (asked != NULL && asked->there)
		was_seen(c, p);
	else if (c->now_ms < again)
		look_by(c, again);
	else if (asked == NULL)
		look_by(c, c->now_ms + c->policy.look_again_ms);
	else
		return true;
	return false;
}

static bool
is_missing(struct call *c, struct participant *p, const struct seen_room *seen)
{
	const struct media_session *s = session_of(seen, p->uid);

	if (!is_expected(c, p))
		return false;
	if (s != NULL && media_counts(c, seen, s)) {
		was_seen(c, p);
		return false;
	}
	if (s != NULL && is_outdated(p, s))
		return false;
	return missed_twice(c, p, asked_for(seen, p->uid));
}

/* All of them go before the call is settled: one moment, one end. */
static void
who_is_missing(struct call *c, const struct seen_room *seen)
{
	size_t n_lost = 0;

	for (size_t i = 0; i < c->n_rows; i++) {
		if (!is_missing(c, c->rows[i], seen))
			continue;
		move_tell(c, c->rows[i], MOVE_LEAVE, LEFT_LOST);
		n_lost++;
	}
	if (n_lost > 0)
		call_settle(c, CAUSE_LOST, S(""));
}

/* ---- a dead host ---- */

/* Nobody can be connected there. Whoever had a session has the rejoin grace to get one elsewhere, and keeps the old
 * sid: a node that was only frozen goes on with it. */
static void
host_is_gone(struct call *c)
{
	size_t n_lost = 0;

	for (size_t i = 0; i < c->n_rows; i++) {
		struct participant *p = c->rows[i];
		bool waits_for_media = p->sid.len == 0 && !is_expected(c, p);

		if (p->status != P_JOINED || p->deadline_ms != 0 || waits_for_media)
			continue;
		call_touch(c, p);
		if (c->policy.rejoin_grace_ms > 0) {
			p->missing_at_ms = 0;
			p->deadline_ms = c->now_ms + c->policy.rejoin_grace_ms;
			look_by(c, c->now_ms + c->policy.look_again_ms);
			continue;
		}
		move_tell(c, p, MOVE_LEAVE, LEFT_LOST);
		n_lost++;
	}
	if (n_lost > 0)
		call_settle(c, CAUSE_LOST, S(""));
}

/* A session that was there before the move is one of the host before. By LiveKit's clock as far as we know it; ours may
 * be ahead of it. */
static void
host_from_now(struct call *c)
{
	int64_t since = c->now_ms - HOST_SLACK_MS;

	for (size_t i = 0; i < c->n_rows; i++)
		if (c->rows[i]->sid_at_ms >= since)
			since = c->rows[i]->sid_at_ms + 1;
	if (since > c->room.host_since_ms) {
		c->room.host_since_ms = since;
		c->changed = true;
	}
}

void
call_rehosted(struct call *c)
{
	host_from_now(c);
	host_is_gone(c);
}

void
call_reconcile(struct call *c, const struct seen_room *seen)
{
	if (room_status_final(c->room.status)) {
		if (seen->heard && seen->listed)
			call_act(c, ACTION_DELETE_ROOM, S(""), S(""));
		return;
	}
	adopt_joined(c);
	if (!seen->heard)
		return;
	if (seen->host == HOST_GONE) {
		host_is_gone(c);
	} else if (seen->people_known || !seen->listed) {
		who_is_there(c, seen);
		who_is_missing(c, seen);
	}
	if (call_count_active(c) == 0)
		call_settle(c, CAUSE_LOST, S(""));
}

void
call_heal(struct call *c)
{
	int64_t over_s = (c->room.ended_at_ms > 0 ? c->room.ended_at_ms : c->room.updated_at_ms) / 1000;

	if (!room_status_final(c->room.status))
		return;
	for (size_t i = 0; i < c->n_rows; i++) {
		struct participant *p = c->rows[i];
		bool was_joined = p->status == P_JOINED;

		if (!participant_status_active(p->status))
			continue;
		move_at_end(c, p, was_joined ? P_LEFT : RINGING_AT_END[c->room.status]);
		/* The call was over long ago: reports add up these times. */
		if (was_joined)
			p->leave_time = over_s > p->join_time ? over_s : p->join_time;
		if (was_joined && c->room.seq > 0)
			event_tell_of(c, EVENT_LEFT, p);
	}
}
