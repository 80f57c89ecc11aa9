/* call_store - loads calls under their locks and saves what rules changed of them: rtc_room,
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
/* Inside the transaction of call_store_lock. */
enum err call_store_save(struct op *op, struct sql_link *l, struct call *c) MUST_CHECK;
/* There too: livekit_node and livekit_url, which call_store_save leaves alone. */
enum err call_store_place(struct op *op, struct sql_link *l, const struct call *c) MUST_CHECK;
/* A new call with all its rows, events and actions. ERR_SQL_DUPLICATE: the room_id is taken. */
enum err call_store_insert(struct op *op, struct sql_link *l, struct call *c) MUST_CHECK;

/* ---- several calls at once: as many statements as for one ----
 * calls[n] are initialised by call_init; one that is not there (or not to be had) keeps room.id 0. */

/* A room as it was when something was found out about it. */
struct room_ref { int64_t id, version; };
/* Inside a transaction that holds no lock yet: of these, the rooms that nobody else holds at the moment and that
 * nobody changed since; their locks as call_store_lock takes them. calls[i] is that of refs[i]. */
enum err call_store_lock_many(struct op *op, struct sql_link *l, const struct room_ref *refs, size_t n,
    struct call *calls) MUST_CHECK;
/* Inside the transaction of call_store_lock_many: those that changed. */
enum err call_store_save_many(struct op *op, struct sql_link *l, struct call *calls, size_t n) MUST_CHECK;

extern const struct sql_stmt *const CALL_STORE_STMTS[];     /* NULL at the end */
extern const struct sql_stmt *const CALL_WRITE_STMTS[];

#endif
