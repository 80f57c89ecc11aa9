/* op - what travels with one operation (a request, a command, later a job): its memory, its log, its
 * name, its cost, and what it was assigned. Passed first to everything that can fail or log.
 * Ownership: everything it points at lives in `arena` or longer.
 * SPDX-License-Identifier: MIT */
#ifndef BASE_OP_H
#define BASE_OP_H

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "base/meter.h"

struct once;

struct op {
	struct arena *arena;
	struct log *log;
	struct meter *meter;          /* NULL: nothing is counted */
	struct str request_id;
	const char *lang;             /* "zh-CN", ... : one of i18n's, never NULL */
	struct str region;            /* where who asks is, as they or a CDN say; "" = not said */

	const char *bad_field;        /* with ERR_INVALID_PARAMETERS: the field to name; else NULL */
	struct str err_room_id;       /* with an error: the room it is about, or empty */
	const struct str *busy_uids;  /* with ERR_PARTICIPANT_IN_CALL */
	size_t n_busy_uids;

	struct str uid, room_id;      /* for the closing log line */
	struct str livekit_url, livekit_node;

	int64_t nodes_ahead_s;        /* LiveKit's clock minus this host's where this one was found to be wrong; else 0 */

	int retry_after_s;            /* with ERR_RATE_LIMITED */
	struct once *once;            /* of a request with an Idempotency-Key (call/once.h); NULL: done as often as asked */

	int n_sql;                    /* statements sent */
	int64_t db_us;                /* time spent waiting for the database */
	int64_t started_us;           /* clock_mono_us at the start */
};

#endif
