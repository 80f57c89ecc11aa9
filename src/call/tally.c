/* tally - what a commit means in counters.
 * SPDX-License-Identifier: MIT */
#include "call/tally.h"

enum { VIDEO = 1, US_PER_MS = 1000 };

static void
tally_end(struct meter *m, const struct room *r)
{
	meter_add(m, METER_CALLS_ENDED, str_of(room_status_name(r->status)), r->end_reason, 1);
	if (r->answered_at_ms > 0)
		meter_time(m, METER_CALL_TIME, S(""), (r->ended_at_ms - r->answered_at_ms) * US_PER_MS);
}

void
tally_change(struct meter *m, const struct call *c)
{
	const struct room *r = &c->room;

	if (!c->was.stored)
		meter_add(m, METER_CALLS_CREATED, r->rtc_type == VIDEO ? S("video") : S("voice"), S(""), 1);
	if (!c->was.answered && call_answered(c)) {
		meter_add(m, METER_CALLS_ANSWERED, S(""), S(""), 1);
		meter_time(m, METER_RING_TIME, S(""), (r->answered_at_ms - r->created_at_ms) * US_PER_MS);
	}
	if (!c->was.final && room_status_final(r->status))
		tally_end(m, r);
}

void
tally_assigned(struct meter *m, struct str node, struct str from)
{
	if (node.len > 0)
		meter_add(m, METER_ASSIGNMENTS, node, from.len > 0 ? S("moved") : S("new"), 1);
}
