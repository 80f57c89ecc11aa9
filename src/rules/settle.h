/* settle - end() and settle(): how a call gets its final status (calls.md, "Operations"). The decision is
 * a table, read from the top; the first row whose facts hold decides.
 * SPDX-License-Identifier: MIT */
#ifndef RULES_SETTLE_H
#define RULES_SETTLE_H

#include "model/event.h"

/* Why somebody stopped being active. */
enum cause {
	CAUSE_CLIENT,        /* the person's own act, through any door */
	CAUSE_REMOVED,       /* a moderator's */
	CAUSE_RING_DEADLINE, /* rang out */
	CAUSE_LOST,          /* nobody's: the media session went and did not come back, or LiveKit put it out */
	CAUSE_RANG_AND_LOST  /* one person rang out and another was lost, at the same moment */
};

/* What the table asks about. */
enum fact {
	FACT_GROUP              = 1 << 0,
	FACT_CREATOR_GONE       = 1 << 1,   /* left, lost, removed, cancelled; not: ran out at a deadline */
	FACT_OTHER_EVER_JOINED  = 1 << 2,   /* a row other than the creator's */
	FACT_ANSWERED           = 1 << 3,
	FACT_SOMEBODY_JOINED    = 1 << 4,
	FACT_SOMEBODY_ACTIVE    = 1 << 5,
	FACT_CREATOR_ACTIVE     = 1 << 6,
	FACT_OTHERS_ACTIVE      = 1 << 7,   /* a row other than the creator's */
	FACT_INVITE_ONLY        = 1 << 8,
	FACT_HAS_OTHERS         = 1 << 9,   /* at least one row other than the creator's */
	FACT_BY_RING_DEADLINE   = 1 << 10,
	FACT_BY_MODERATOR       = 1 << 11
};
enum verdict { VERDICT_STATUS, VERDICT_OUTCOME };
struct settle_row {
	const char *why;
	unsigned must, must_not;            /* enum fact bits */
	enum verdict verdict;
	enum room_status status;            /* VERDICT_STATUS */
	bool tells_cancelled;               /* participant.cancelled (uid = creator) before the end */
};
extern const struct settle_row SETTLE[];
extern const size_t N_SETTLE;

unsigned settle_facts(const struct call *c, enum cause cause);
/* The row that decides, or NULL: the call goes on. */
const struct settle_row *settle_find(unsigned facts);
/* 2 answered; 5 every other row is busy; 4 every other row is rejected or busy; else 6. */
enum room_status settle_outcome(const struct call *c);

/* The last step of every operation that took a row out of active. by: whose act it was, or empty. */
void call_settle(struct call *c, enum cause cause, struct str by);
/* Final status, rows, events, the action that closes the media room. */
void call_end(struct call *c, enum room_status status, enum end_reason reason, struct str by);

#endif
