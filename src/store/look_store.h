/* look_store - which calls the reconciler is to look at, and when next. Claiming and scheduling are one write: a look
 * that is not finished (a crash, LiveKit silent) is done again in its turn.
 * Errors:    those of the sql room. SPDX-License-Identifier: MIT */
#ifndef STORE_LOOK_STORE_H
#define STORE_LOOK_STORE_H

#include "sql/sql.h"

/* A call as it was when it was claimed; look_at_ms is the time it had been claimed for. */
struct look {
	int64_t id, version;
	struct str room_id;
	int status;
	int64_t look_at_ms, updated_at_ms, listed_at_ms;
	/* Its rows. Doubted: missing in a look so long ago that a second one decides. Waiting: of a host that was gone,
	 * their session may go on. Adopted: joined by the Go server, with a ring deadline that is none of theirs. */
	int64_t n_active, n_joined, n_without_sid, n_missing, n_doubted, n_waiting, n_adopted;
};

struct look_times {
	int64_t now_ms;               /* the database's */
	int64_t until_ms;             /* calls whose look was scheduled up to then, or up to now, are claimed */
	int64_t interval_ms;          /* the next look comes so much later */
	int64_t look_again_ms;
	int64_t final_for_ms;         /* calls that ended up to so long ago are looked at, at growing intervals */
};

enum err look_store_now(struct op *op, struct sql_link *l, int64_t *now_ms_out) MUST_CHECK;
/* Inside a transaction: at most `max` calls that are under way, and as many that ended lately, of those that nobody has
 * locked; scheduled anew. */
enum err look_store_claim(struct op *op, struct sql_link *l, const struct look_times *t, int64_t max,
    struct look **out, size_t *n_out) MUST_CHECK;
/* Who in these calls is missing since before_ms or longer; at most 1,000, the others have their turn later. */
struct doubted_row { struct str room_id, uid; };
enum err look_store_doubted(struct op *op, struct sql_link *l, int64_t before_ms, const struct str *rooms, size_t n,
    struct doubted_row **out, size_t *n_out) MUST_CHECK;
/* LiveKit was asked who is in these calls. */
enum err look_store_listed(struct op *op, struct sql_link *l, const int64_t *ids, size_t n) MUST_CHECK;

extern const struct sql_stmt *const LOOK_STORE_STMTS[];

#endif
