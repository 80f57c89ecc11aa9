/* settle - the table that decides whether a call is over, and the end itself.
 * SPDX-License-Identifier: MIT */
#include "rules/settle.h"

#include <assert.h>

#include "rules/moves.h"

const struct settle_row SETTLE[] = {
	{ .why = "the creator went before anybody else came",
	  .must = FACT_CREATOR_GONE, .must_not = FACT_OTHER_EVER_JOINED,
	  .status = ROOM_CANCELLED, .tells_cancelled = true },

	{ .why = "1:1, a ring ran out, answered before",
	  .must = FACT_BY_RING_DEADLINE | FACT_ANSWERED, .must_not = FACT_GROUP, .status = ROOM_FINISHED },
	{ .why = "1:1, a ring ran out",
	  .must = FACT_BY_RING_DEADLINE, .must_not = FACT_GROUP, .status = ROOM_MISSED },
	{ .why = "1:1, removed by a moderator, answered before",
	  .must = FACT_BY_MODERATOR | FACT_ANSWERED, .must_not = FACT_GROUP, .status = ROOM_FINISHED },
	{ .why = "1:1, removed by a moderator",
	  .must = FACT_BY_MODERATOR, .must_not = FACT_GROUP, .status = ROOM_CANCELLED },
	{ .why = "1:1, one of two hung up",
	  .must = FACT_ANSWERED, .must_not = FACT_GROUP, .status = ROOM_FINISHED },
	{ .why = "1:1, the other side had been in",
	  .must = FACT_OTHER_EVER_JOINED, .must_not = FACT_GROUP, .status = ROOM_FINISHED },
	{ .why = "1:1, it never came to a call",
	  .must_not = FACT_GROUP, .verdict = VERDICT_OUTCOME },

	{ .why = "group, the last one left after a call",
	  .must = FACT_GROUP | FACT_ANSWERED, .must_not = FACT_SOMEBODY_JOINED, .verdict = VERDICT_OUTCOME },
	{ .why = "group, nobody in it and the creator does not wait",
	  .must = FACT_GROUP, .must_not = FACT_SOMEBODY_JOINED | FACT_CREATOR_ACTIVE,
	  .verdict = VERDICT_OUTCOME },
	{ .why = "nobody is active",
	  .must_not = FACT_SOMEBODY_ACTIVE, .verdict = VERDICT_OUTCOME },
	{ .why = "group by invitation, nobody answered, the creator is alone",
	  .must = FACT_GROUP | FACT_INVITE_ONLY | FACT_HAS_OTHERS | FACT_CREATOR_ACTIVE,
	  .must_not = FACT_ANSWERED | FACT_OTHERS_ACTIVE, .verdict = VERDICT_OUTCOME },
};
const size_t N_SETTLE = N_ELEMS(SETTLE);

/* Facts that each row adds to by itself. */
static unsigned
facts_of_row(const struct call *c, const struct participant *p)
{
	bool creator = call_is_creator(c, p);
	bool active = participant_status_active(p->status);
	unsigned f = 0;

	if (!creator)
		f |= FACT_HAS_OTHERS;
	if (!creator && p->join_time > 0)
		f |= FACT_OTHER_EVER_JOINED;
	if (creator && (p->status == P_LEFT || p->status == P_CANCELLED))
		f |= FACT_CREATOR_GONE;
	if (p->status == P_JOINED)
		f |= FACT_SOMEBODY_JOINED;
	if (active)
		f |= FACT_SOMEBODY_ACTIVE | (creator ? FACT_CREATOR_ACTIVE : FACT_OTHERS_ACTIVE);
	return f;
}

unsigned
settle_facts(const struct call *c, enum cause cause)
{
	unsigned f = 0;

	for (size_t i = 0; i < c->n_rows; i++)
		f |= facts_of_row(c, c->rows[i]);
	if (!call_is_one_to_one(c))
		f |= FACT_GROUP;
	if (call_answered(c))
		f |= FACT_ANSWERED;
	if (c->room.invite_on == 1)
		f |= FACT_INVITE_ONLY;
	if (cause == CAUSE_RING_DEADLINE || cause == CAUSE_RANG_AND_LOST)
		f |= FACT_BY_RING_DEADLINE;
	if (cause == CAUSE_REMOVED)
		f |= FACT_BY_MODERATOR;
	return f;
}

const struct settle_row *
settle_find(unsigned facts)
{
	for (size_t i = 0; i < N_SETTLE; i++)
		if ((facts & SETTLE[i].must) == SETTLE[i].must && (facts & SETTLE[i].must_not) == 0)
			return &SETTLE[i];
	return NULL;
}

enum room_status
settle_outcome(const struct call *c)
{
	size_t others = 0, busy = 0, refused = 0;

	if (call_answered(c))
		return ROOM_FINISHED;
	for (size_t i = 0; i < c->n_rows; i++) {
		if (call_is_creator(c, c->rows[i]))
			continue;
		others++;
		busy += c->rows[i]->status == P_BUSY;
		refused += c->rows[i]->status == P_REJECTED;
	}
	if (others == 0)
		return ROOM_MISSED;
	if (busy == others)
		return ROOM_BUSY;
	return busy + refused == others ? ROOM_REJECTED : ROOM_MISSED;
}

void
call_settle(struct call *c, enum cause cause, struct str by)
{
	const struct settle_row *row;
	const struct participant *creator;
	enum room_status status;
	bool lost = cause == CAUSE_LOST || cause == CAUSE_RANG_AND_LOST;

	if (room_status_final(c->room.status))
		return;
	if ((row = settle_find(settle_facts(c, cause))) == NULL)
		return;
	/* A creator whose own row was cancelled has been told of as that already: once is enough. */
	creator = call_find(c, c->room.creator);
	if (row->tells_cancelled && creator != NULL && creator->status != P_CANCELLED)
		event_tell_of(c, EVENT_CANCELLED, creator);
	status = row->verdict == VERDICT_OUTCOME ? settle_outcome(c) : row->status;
	call_end(c, status, lost ? END_LOST : end_reason_of(status), by);
}

void
call_end(struct call *c, enum room_status status, enum end_reason reason, struct str by)
{
	assert(ROOM_MOVES[c->room.status][status] && room_status_final((int)status));
	c->room.status = (int)status;
	c->room.ended_at_ms = c->now_ms;
	c->room.end_reason = str_of(end_reason_name(reason));
	c->room.ended_by = by;
	/* Whether it is over in LiveKit, too. */
	c->room.look_at_ms = c->policy.reconcile_ms > 0 ? c->now_ms + c->policy.reconcile_ms : 0;
	c->changed = true;
	for (size_t i = 0; i < c->n_rows; i++) {
		struct participant *p = c->rows[i];

		if (p->status == P_INVITING) {
			move_at_end(c, p, RINGING_AT_END[status]);
		} else if (p->status == P_JOINED) {
			move_at_end(c, p, P_LEFT);
			event_tell_of(c, EVENT_LEFT, p);
		}
	}
	event_tell(c, EVENT_ROOM_FINISHED, NULL);
	call_act(c, ACTION_DELETE_ROOM, S(""), S(""));
}
