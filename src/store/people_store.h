/* people_store - questions about people over all calls: locks on them, who is busy, what calls they are in.
 * Busy means an active row in an active call. SPDX-License-Identifier: MIT */
#ifndef STORE_PEOPLE_STORE_H
#define STORE_PEOPLE_STORE_H

#include "sql/sql.h"
#include "store/room_columns.h"

/* Inside a transaction, before anything else: one statement locks all of them (sorted bytewise). */
enum err people_store_lock(struct op *op, struct sql_link *l, const struct str *sorted, size_t n) MUST_CHECK;
/* Of these, who is busy in a call other than except_room ("": in any); sorted bytewise. */
enum err people_store_busy(struct op *op, struct sql_link *l, const struct str *uids, size_t n,
    struct str except_room, struct str **busy_out, size_t *n_out) MUST_CHECK;

/* What a create has to know, in one statement, once it holds its people. */
struct create_look {
	int64_t now_ms;               /* the database's clock */
	bool taken;                   /* there is a room of that id */
	struct str *busy;             /* as of people_store_busy, in any call */
	size_t n_busy;
};
enum err people_store_look(struct op *op, struct sql_link *l, struct str room_id, const struct str *uids,
    size_t n, struct create_look *out) MUST_CHECK;

struct calling_row { struct str room_id, uid; int status; };
/* Active rows of these people in active calls. */
enum err people_store_calling(struct op *op, struct sql_link *l, const struct str *uids, size_t n,
    struct calling_row **rows_out, size_t *n_out) MUST_CHECK;

/* Active calls in which uid is active, oldest first, without their participants. Of more than 100, some 100. */
enum err people_store_active_rooms(struct op *op, struct sql_link *l, struct str uid,
    struct room_row **rows_out, size_t *n_out) MUST_CHECK;

extern const struct sql_stmt *const PEOPLE_STORE_STMTS[];

#endif
