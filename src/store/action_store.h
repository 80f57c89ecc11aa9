/* action_store - what LiveKit is still to be asked for (livekit_action): claimed by one process for a while,
 * and what became of it. Rows are written by outbox_store in the transaction that asks for them.
 * SPDX-License-Identifier: MIT */
#ifndef STORE_ACTION_STORE_H
#define STORE_ACTION_STORE_H

#include "sql/sql.h"

struct action_row {
	int64_t id;
	struct str kind, room_id, uid, sid;   /* as the columns */
	int64_t attempts;                     /* this one included */
	int64_t created_at_ms, now_ms;
	bool is_back;                         /* the person takes part in the call and was not put out since */
};
/* Due ones, at most `limit`: nobody else gets them within claim_ms, then whoever comes first. */
enum err action_store_claim(struct op *op, struct sql_link *l, int64_t limit, int64_t claim_ms,
    struct action_row **rows_out, size_t *n_out) MUST_CHECK;
/* Ms until the next is due: 0 when one is, -1 when there is none. */
enum err action_store_next(struct op *op, struct sql_link *l, int64_t *ms_out) MUST_CHECK;
/* Whatever became of them: the newest with an id below that, at most `limit`, the newest first. */
struct action_past { int64_t id, created_at_ms, now_ms; struct str room_id; };
enum err action_store_past(struct op *op, struct sql_link *l, int64_t below, int64_t limit, struct action_past **out,
    size_t *n_out) MUST_CHECK;
enum err action_store_done(struct op *op, struct sql_link *l, const int64_t *ids, size_t n) MUST_CHECK;
/* error: at most 255 characters of UTF-8. */
enum err action_store_again(struct op *op, struct sql_link *l, int64_t id, int64_t in_ms, struct str error)
    MUST_CHECK;
enum err action_store_failed(struct op *op, struct sql_link *l, int64_t id, struct str error) MUST_CHECK;

extern const struct sql_stmt *const ACTION_STORE_STMTS[];

#endif
