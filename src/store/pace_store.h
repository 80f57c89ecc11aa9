/* pace_store - how many calls were made, entered and ended between two moments: for rates. A moment is a pair of row
 * numbers, so that what is counted is read along primary keys, however large the tables are.
 * What a transaction committed after a moment with a number taken before it is counted in neither part: for eyes, not
 * for bills. Errors: those of the sql room.
 * SPDX-License-Identifier: MIT */
#ifndef STORE_PACE_STORE_H
#define STORE_PACE_STORE_H

#include "sql/sql.h"

struct pace_mark { int64_t room_id, event_id; };
enum err pace_store_mark(struct op *op, struct sql_link *l, struct pace_mark *out) MUST_CHECK;

struct pace { int64_t n_created, n_joined, n_ended; };
/* Behind `from`, up to and with `to`. */
enum err pace_store_between(struct op *op, struct sql_link *l, const struct pace_mark *from,
    const struct pace_mark *to, struct pace *out) MUST_CHECK;

extern const struct sql_stmt *const PACE_STORE_STMTS[];

#endif
