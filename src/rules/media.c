/* media - LiveKit's hints applied to a call.
 * SPDX-License-Identifier: MIT */
#include "rules/media.h"

#include "rules/moves.h"
#include "rules/settle.h"
#include "rules/verbs.h"

/* How much older than our own note of a join its media session may be: hosts' clocks differ. */
enum { CLOCK_SLACK_MS = 5000, HOST_SLACK_MS = 2000 };

/* The room is over and LiveKit does not know: it is told again. */
static bool
closed_again(struct call *c)
{
	if (!room_status_final(c->room.status))
		return false;
	call_act(c, ACTION_DELETE_ROOM, S(""), S(""));
	return true;
}

static void
keep_room_sid(struct call *c, struct str sid)
{
	if (sid.len == 0 || str_eq(sid, c->room.livekit_sid))
		return;
	c->room.livekit_sid = sid;
	c->changed = true;
}

void
media_room_started(struct call *c, const struct media_room *r)
{
	int64_t since = r->created_at_ms - HOST_SLACK_MS;

	if (closed_again(c))
		return;
	keep_room_sid(c, r->sid);
	if (since > c->room.host_since_ms) {
		c->room.host_since_ms = since;
		c->changed = true;
	}
	verb_start(c);
}

/* A session that ended, or one that was followed by another, or one from before the person left. */
static bool
is_old_session(const struct participant *p, const struct media_session *s)
{
	bool came_back_on_its_own = str_eq(p->left_how, S("missed")) || str_eq(p->left_how, S("lost"));

	if (str_eq(s->sid, p->last_left_sid))
		return true;
	if (s->joined_at_ms < p->sid_at_ms && !str_eq(s->sid, p->sid))
		return true;
	return !participant_status_active(p->status) && s->joined_at_ms < p->left_at_ms &&
	    !came_back_on_its_own;
}

/* A join by the API decided the device; LiveKit's word counts where nobody said any. */
static void
take_device(struct call *c, struct participant *p, const struct media_session *s)
{
	if (p->device_type.len > 0 || p->device_id.len > 0 || s->device_type.len + s->device_id.len == 0)
		return;
	p->device_type = s->device_type;
	p->device_id = s->device_id;
	call_touch(c, p);
}

static void
enter_by_media(struct call *c, struct participant *p, const struct media_session *s)
{
	move_tell(c, p, MOVE_JOIN, LEFT_NOT);
	/* The membership began with this very session: a hang-up of it is one, not a reload. */
	if (s->joined_at_ms < p->session_from_ms)
		p->session_from_ms = s->joined_at_ms;
}

/* A session that is to count: the checks of join, then the row. */
static void
take_session(struct call *c, struct participant *p, struct str room_sid, const struct media_session *s)
{
	if ((p == NULL || p->status != P_JOINED) && verb_join_check(c, s->uid) != ERR_OK) {
		call_act(c, ACTION_REMOVE_PARTICIPANT, s->uid, s->sid);
		return;
	}
	keep_room_sid(c, room_sid);
	/* Since when it is hosted stays unknown: others may have been in longer, and would pass for ghosts. */
	verb_start(c);
	if (p == NULL)
		p = call_add_row(c, s->uid);
	take_device(c, p, s);
	if (p->status != P_JOINED)
		enter_by_media(c, p, s);
	if (p->deadline_ms != 0 || p->missing_at_ms != 0) {
		p->deadline_ms = p->missing_at_ms = 0;
		call_touch(c, p);
	}
	if (str_eq(p->sid, s->sid))
		return;
	p->sid = s->sid;
	p->sid_at_ms = s->joined_at_ms;
	call_touch(c, p);
	event_tell_of(c, EVENT_JOINED, p);
}

void
media_participant_joined(struct call *c, const struct media_room *r, const struct media_session *s)
{
	struct participant *p = call_find(c, s->uid);

	if (closed_again(c) || (p != NULL && is_old_session(p, s)))
		return;
	take_session(c, p, r->sid, s);
}

void
media_participant_there(struct call *c, const struct media_session *s)
{
	if (!closed_again(c))
		take_session(c, call_find(c, s->uid), S(""), s);
}

static bool
left_counts(const struct participant *p, const struct media_session *s)
{
	int64_t from = p->session_from_ms - CLOCK_SLACK_MS;

	if (p->sid.len > 0)
		return s->joined_at_ms >= p->sid_at_ms;
	return !str_eq(s->sid, p->last_left_sid) && s->joined_at_ms >= p->sid_at_ms &&
	    s->joined_at_ms >= from;
}

/* It may be told to reconnect in full, or reload its page: it has a while to come back. */
static void
give_grace(struct call *c, struct participant *p)
{
	if (c->policy.rejoin_grace_ms == 0) {
		move_tell(c, p, MOVE_LEAVE, LEFT_LOST);
		call_settle(c, CAUSE_LOST, S(""));
		return;
	}
	p->sid = S("");
	p->missing_at_ms = 0;
	p->deadline_ms = c->now_ms + c->policy.rejoin_grace_ms;
}

void
media_participant_left(struct call *c, const struct media_session *s, enum media_left why)
{
	struct participant *p = call_find(c, s->uid);
	bool reload;

	if (p == NULL || room_status_final(c->room.status) || !left_counts(p, s))
		return;
	reload = s->joined_at_ms < p->session_from_ms;
	p->sid_at_ms = s->joined_at_ms;
	p->last_left_sid = s->sid;
	p->sid = S("");
	call_touch(c, p);
	if (p->status != P_JOINED)
		return;
	if (why == MEDIA_LEFT_OTHER || (why == MEDIA_LEFT_CLIENT && reload)) {
		give_grace(c, p);
		return;
	}
	move_tell(c, p, MOVE_LEAVE, LEFT_LEAVE);
	call_settle(c, why == MEDIA_LEFT_CLIENT ? CAUSE_CLIENT : CAUSE_LOST,
	    why == MEDIA_LEFT_CLIENT ? p->uid : S(""));
}

void
media_room_finished(struct call *c, const struct media_room *r)
{
	if (room_status_final(c->room.status))
		return;
	if (r->sid.len > 0 && c->room.livekit_sid.len > 0 && !str_eq(r->sid, c->room.livekit_sid))
		return;
	if (c->room.livekit_sid.len > 0) {
		c->room.livekit_sid = S("");
		c->changed = true;
	}
	if (call_count_active(c) == 0) {
		call_end(c, settle_outcome(c), END_EMPTIED, S(""));
	} else {
		c->room.look_at_ms = c->now_ms;
		c->changed = true;
	}
}

bool
media_counts(const struct call *c, const struct seen_room *seen, const struct media_session *s)
{
	return seen->host != HOST_GONE && s->joined_at_ms >= c->room.host_since_ms;
}
