/* call_store - loads one call under its lock and saves what rules changed of it: rtc_room,
 * rtc_participant, and the event and action rows that belong to the change.
 * Errors:    those of the sql room. SPDX-License-Identifier: MIT */
#ifndef STORE_CALL_STORE_H
#define STORE_CALL_STORE_H

#include "model/call.h"
#include "sql/sql.h"

/* Inside a transaction: takes the room's lock (a write: version + 1), then reads the database's time,
 * the room and its rows into c (initialised by call_init). */
enum err call_store_lock(struct op *op, struct sql_link *l, struct str room_id, struct call *c,
    bool *found_out) MUST_CHECK;
/* The same without a lock, for answers. */
enum err call_store_load(struct op *op, struct sql_link *l, struct str room_id, struct call *c,
    bool *found_out) MUST_CHECK;
/* Inside the transaction of call_store_lock, or of call_store_insert for a new call. */
enum err call_store_save(struct op *op, struct sql_link *l, struct call *c) MUST_CHECK;
/* A new call with all its rows, events and actions. ERR_SQL_DUPLICATE: the room_id is taken. */
enum err call_store_insert(struct op *op, struct sql_link *l, struct call *c) MUST_CHECK;
/* The database's time, and whether a room_id is taken: the first look of a create. */
enum err call_store_probe(struct op *op, struct sql_link *l, struct str room_id, int64_t *now_ms_out,
    bool *taken_out) MUST_CHECK;

extern const struct sql_stmt *const CALL_STORE_STMTS[];     /* NULL at the end */

#endif
