/* invite - ringing more people in a call that goes on.
 * SPDX-License-Identifier: MIT */
#include "rules/moves.h"
#include "rules/verbs.h"

/* The uids of an invitation, sorted out. */
struct sorted_out {
	struct str *rings, *busy, *already;
	size_t n_rings, n_busy, n_already;
};

static void
sort_out(const struct call *c, const struct invite_in *in, struct sorted_out *s)
{
	size_t n;
	struct str *uids = verbs_invitees(c->arena, in->uids, in->n_uids, S(""), &n);

	s->rings = arena_array(c->arena, n + 1, sizeof(struct str));
	s->busy = arena_array(c->arena, n + 1, sizeof(struct str));
	s->already = arena_array(c->arena, n + 1, sizeof(struct str));
	for (size_t i = 0; i < n; i++) {
		const struct participant *p = call_find(c, uids[i]);

		if (p != NULL && participant_status_active(p->status))
			s->already[s->n_already++] = uids[i];
		else if (uid_in(uids[i], in->busy, in->n_busy))
			s->busy[s->n_busy++] = uids[i];
		else
			s->rings[s->n_rings++] = uids[i];
	}
}

static void
ring(struct call *c, struct str uid, int64_t timeout_s)
{
	struct participant *p = call_find(c, uid);

	if (p == NULL) {
		p = call_add_row(c, uid);
		p->claimed = true;
	} else {
		(void)move_do(c, p, MOVE_INVITE, LEFT_NOT);
	}
	p->deadline_ms = c->now_ms + timeout_s * 1000;
	/* Removed, or turned away when it came in uninvited: now it is welcome. */
	call_act(c, ACTION_FORGET_REMOVE, p->uid, S(""));
}

static void
mark_busy(struct call *c, struct str uid)
{
	struct participant *p = call_find(c, uid);

	if (p == NULL)
		p = call_add_row(c, uid);
	(void)move_do(c, p, MOVE_BE_BUSY, LEFT_BUSY);
}

enum err
verb_invite(struct call *c, const struct invite_in *in, struct invite_out *out)
{
	struct sorted_out s = { 0 };
	struct str by = in->by.len > 0 ? in->by : c->room.creator;
	struct told told = { .uid = by };

	if (room_status_final(c->room.status))
		return ERR_ROOM_NOT_ACTIVE;
	sort_out(c, in, &s);
	*out = (struct invite_out){ .already = s.already, .n_already = s.n_already,
	    .busy = s.busy, .n_busy = s.n_busy };
	if (s.n_rings == 0)
		return s.n_busy > 0 ? ERR_PARTICIPANT_IN_CALL : ERR_OK;
	if ((int64_t)(call_count_active(c) + s.n_rings) > c->room.max_participants ||
	    !call_has_room_for(c, in->uids, in->n_uids))
		return ERR_ROOM_FULL;

	for (size_t i = 0; i < s.n_busy; i++)
		mark_busy(c, s.busy[i]);
	if (s.n_busy > 0) {
		told.busy = s.busy;
		told.n_busy = s.n_busy;
		event_tell(c, EVENT_BUSY, &told);
		told.busy = NULL;
	}
	for (size_t i = 0; i < s.n_rings; i++)
		ring(c, s.rings[i], in->timeout_s > 0 ? in->timeout_s : c->room.timeout_s);
	told.invited = s.rings;
	told.n_invited = s.n_rings;
	told.reason = S("invite");
	event_tell(c, EVENT_INVITED, &told);
	return ERR_OK;
}
