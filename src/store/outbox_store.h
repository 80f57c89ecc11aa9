/* outbox_store - what a change leaves to be done after it: event rows and actions for LiveKit, written in
 * the same transaction, after the participants (lock order). SPDX-License-Identifier: MIT */
#ifndef STORE_OUTBOX_STORE_H
#define STORE_OUTBOX_STORE_H

#include "model/call.h"
#include "sql/sql.h"

enum err outbox_store_events(struct op *op, struct sql_link *l, struct call *const *calls, size_t n) MUST_CHECK;
/* A media room is asked for to be closed once at a time, and once in policy.close_interval_ms. */
enum err outbox_store_actions(struct op *op, struct sql_link *l, struct call *const *calls, size_t n) MUST_CHECK;

/* Records LiveKit's event id in the transaction that applies it: the transaction's first statement.
 * ERR_SQL_DUPLICATE: it was applied before. */
struct media_event_row { struct str id, event, room_id, uid; };
enum err outbox_store_media_event(struct op *op, struct sql_link *l, const struct media_event_row *r) MUST_CHECK;

extern const struct sql_stmt *const OUTBOX_STORE_STMTS[];

#endif
