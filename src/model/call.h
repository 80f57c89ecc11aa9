/* call - one call in memory: the room, its participants in the order they were added, and what a change
 * has to leave behind: events, actions for LiveKit. Rules change it, the store loads and saves it.
 * Ownership: all of it lives in the arena it was made in, texts included.
 * Time:      now_ms is the database's, read under the room's lock; nothing here asks a clock.
 * SPDX-License-Identifier: MIT */
#ifndef MODEL_CALL_H
#define MODEL_CALL_H

#include "base/arena.h"
#include "model/status.h"

struct room {
	int64_t id;                     /* 0: not stored yet */
	struct str room_id, creator;
	int rtc_type, invite_on, status;
	int64_t max_participants;
	struct str source_channel_id;
	int source_channel_type;
	int64_t timeout_s;              /* ring time-out */
	struct str metadata;            /* a JSON object as text, or empty */
	int64_t version, seq;
	int64_t created_at_ms, updated_at_ms, started_at_ms, answered_at_ms, ended_at_ms;
	struct str end_reason, ended_by;
	int64_t next_deadline_ms;
	struct str livekit_node, livekit_url;
	struct str livekit_sid;
	int64_t host_since_ms;
	int64_t look_at_ms;             /* the reconciler's next look; 0: as soon as it can */
	int64_t listed_at_ms;           /* its last ListParticipants */
};

struct participant {
	int64_t id;                     /* 0: not stored yet */
	struct str uid, name;
	int status;
	struct str device_type, device_id;
	int64_t join_time, leave_time;  /* Unix s */
	int64_t deadline_ms;            /* inviting: ring deadline; joined: rejoin deadline; 0 none */
	bool claimed, removed;
	struct str left_how;
	int64_t left_at_ms;
	struct str sid, last_left_sid;  /* LiveKit sessions */
	int64_t sid_at_ms, session_from_ms;
	int64_t missing_at_ms;          /* joined, and not in LiveKit's list at that look; 0: seen since */
	bool invited_anew;              /* created_at is to be reset (as the Go server does) */
	bool dirty;                     /* to be written */
};

struct call_event {
	const char *type;               /* "participant.left" */
	struct str event_id, uid, data;
	int64_t seq;
};

enum action_kind { ACTION_DELETE_ROOM, ACTION_REMOVE_PARTICIPANT, ACTION_FORGET_REMOVE };
struct call_action {
	enum action_kind kind;
	struct str uid, sid;
};

/* Settings that rules depend on. */
struct call_policy {
	int64_t rejoin_grace_ms;
	int64_t max_call_ms;            /* 0: off */
	int64_t deadline_retry_ms;      /* LiveKit is silent at a deadline: asked again after */
	int64_t ring_overdue_ms, rejoin_overdue_ms;     /* and so long after it nobody is taken to be there */
	int64_t close_interval_ms;      /* between two actions that close the same media room */
	int64_t reconcile_ms;           /* between two looks at LiveKit's lists; 0: there are none */
	int64_t join_grace_ms;          /* who joined has so long to appear in them */
	int64_t look_again_ms;          /* between the two looks after which somebody missing is lost */
};

struct call {
	struct arena *arena;
	struct call_policy policy;
	int64_t now_ms;
	int64_t overdue_until_ms;       /* LiveKit is silent: deadlines that have passed wait until then; 0: they do not */
	struct room room;
	struct { bool stored, answered, final; } was;   /* when it was loaded: a commit's news are what differs now */
	struct participant **rows;
	size_t n_rows, cap_rows;
	struct call_event *events;
	size_t n_events, cap_events;
	struct call_action *actions;
	size_t n_actions, cap_actions;
	bool changed;                   /* something is to be saved */
	bool sooner;                    /* by the store: what was saved is due earlier than before */
};

void call_init(struct call *c, struct arena *a, struct call_policy policy);
struct participant *call_add_row(struct call *c, struct str uid);         /* zeroed, dirty */
/* Whether the call can remember these people, too. Everybody it ever had stands in its events: they may take as much room
 * as a thousand with the longest ids do, which is some 3,000 with ids of 36 bytes. */
bool call_has_room_for(const struct call *c, const struct str *uids, size_t n);
struct participant *call_find(const struct call *c, struct str uid);      /* NULL: no row */
void call_touch(struct call *c, struct participant *p);                   /* to be written */
struct call_event *call_add_event(struct call *c);                         /* zeroed, with the next seq */
void call_act(struct call *c, enum action_kind kind, struct str uid, struct str sid);

/* What was read from the database: the Go server once wrote down whatever status it was told. One that is none belongs to
 * a call that is over, or to somebody who is gone: the rules know only those that there are. */
void call_mend_statuses(struct call *c);
size_t call_count(const struct call *c, int status);
size_t call_count_active(const struct call *c);
bool call_is_one_to_one(const struct call *c);
bool call_is_creator(const struct call *c, const struct participant *p);
bool call_answered(const struct call *c);
int64_t call_duration_s(const struct call *c);
/* Least deadline that is still to come for this call (calls.md, I7); 0: none. */
int64_t call_next_deadline(const struct call *c);
/* Uids of all rows (active_only: of the active ones), in order, in the arena. */
struct str *call_uids(const struct call *c, bool active_only, size_t *n_out);

/* Two devices are the same by device_id where both have one, else by type; an empty one equals all. */
bool device_same(struct str type_a, struct str id_a, struct str type_b, struct str id_b);

#endif
