/* deadline - the rules of time.
 * SPDX-License-Identifier: MIT */
#include "rules/deadline.h"

#include "rules/media.h"
#include "rules/moves.h"
#include "rules/settle.h"

void
call_rang_out(struct call *c, struct participant *const *who, size_t n)
{
	struct str *uids = arena_array(c->arena, n + 1, sizeof(*uids));
	const struct told told = { .missed = uids, .n_missed = n };

	for (size_t i = 0; i < n; i++) {
		(void)move_do(c, who[i], MOVE_MISS, LEFT_MISSED);
		uids[i] = who[i]->uid;
	}
	if (n > 0)
		event_tell(c, EVENT_MISSED, &told);
}

static bool
lasted_too_long(const struct call *c)
{
	return c->policy.max_call_ms > 0 && c->now_ms >= c->room.created_at_ms + c->policy.max_call_ms;
}

/* Somebody without a row came on their own: the reconciler's business, no deadline's. */
static void
believe(struct call *c, const struct seen_room *seen)
{
	const struct media_room room = { 0 };

	for (size_t i = 0; i < seen->n_sessions; i++)
		if (call_find(c, seen->people[i].uid) != NULL && media_counts(c, seen, &seen->people[i]))
			media_participant_joined(c, &room, &seen->people[i]);
}

/* Whether a row's time is up. While LiveKit is silent it has a while longer; then until_out moves to when it is to
 * be asked again. */
static bool
is_over(const struct call *c, const struct participant *p, bool heard, int64_t *until_out)
{
	int64_t more = p->status == P_INVITING ? c->policy.ring_overdue_ms : c->policy.rejoin_overdue_ms;
	int64_t again = c->now_ms + c->policy.deadline_retry_ms;

	if (!participant_status_active(p->status) || p->deadline_ms == 0 || p->deadline_ms > c->now_ms)
		return false;
	if (heard || p->deadline_ms + more <= c->now_ms)
		return true;
	if (again > p->deadline_ms + more)
		again = p->deadline_ms + more;
	if (*until_out == 0 || again < *until_out)
		*until_out = again;
	return false;
}

static enum cause
cause_of(const struct fired *f)
{
	if (f->n_lost == 0)
		return CAUSE_RING_DEADLINE;
	return f->n_missed > 0 ? CAUSE_RANG_AND_LOST : CAUSE_LOST;
}

static void
run_out(struct call *c, bool heard, struct fired *out)
{
	struct participant **missed = arena_array(c->arena, c->n_rows + 1, sizeof(struct participant *));
	struct participant **lost = arena_array(c->arena, c->n_rows + 1, sizeof(struct participant *));

	for (size_t i = 0; i < c->n_rows; i++) {
		struct participant *p = c->rows[i];

		if (!is_over(c, p, heard, &c->overdue_until_ms))
			continue;
		if (p->status == P_INVITING)
			missed[out->n_missed++] = p;
		else
			lost[out->n_lost++] = p;
	}
	call_rang_out(c, missed, out->n_missed);
	for (size_t i = 0; i < out->n_lost; i++)
		move_tell(c, lost[i], MOVE_LEAVE, LEFT_LOST);
	if (out->n_missed + out->n_lost > 0)
		call_settle(c, cause_of(out), S(""));
}

void
call_fire(struct call *c, const struct seen_room *seen, struct fired *out)
{
	*out = (struct fired){ 0 };
	if (!room_status_final(c->room.status)) {
		if (lasted_too_long(c)) {
			out->too_long = true;
			call_end(c, call_answered(c) ? ROOM_FINISHED : ROOM_CANCELLED, END_MAX_DURATION, S(""));
		} else {
			if (seen->heard)
				believe(c, seen);
			run_out(c, seen->heard, out);
			out->waits = c->overdue_until_ms > 0 && !room_status_final(c->room.status);
		}
	}
	/* Due, and nothing to do: its next deadline is another one than it was held to be. */
	if (c->room.next_deadline_ms != call_next_deadline(c))
		c->changed = true;
}
