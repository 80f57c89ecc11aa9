/* room_columns - the columns of rtc_room as the stores read them, so that every SELECT of whole rooms
 * uses one list. SPDX-License-Identifier: MIT */
#ifndef STORE_ROOM_COLUMNS_H
#define STORE_ROOM_COLUMNS_H

#include "model/call.h"
#include "sql/sql.h"

/* A room as it is read: with the clock of the moment, and what the Go server's rows lack left 0. */
struct room_row {
	struct room room;
	int64_t now_ms;
};
#define ROOM_SELECT                                                                              \
	SQL_NOW_MS ", r.id, r.room_id, r.creator, r.rtc_type, r.invite_on, r.status, "               \
	"r.max_participants, r.source_channel_id, r.source_channel_type, r.ring_timeout_s, "         \
	"r.metadata, r.version, r.seq, r.created_at_ms, r.updated_at_ms, r.started_at_ms, "          \
	"r.answered_at_ms, r.ended_at_ms, r.end_reason, r.ended_by, r.next_deadline_ms, "            \
	"r.livekit_node, r.livekit_url, r.livekit_sid, r.host_since_ms, r.look_at_ms, "     \
	"r.listed_at_ms"
enum { N_ROOM_COLS = 28 };
extern const struct sql_col ROOM_COLS[N_ROOM_COLS];

/* A participant with the call it belongs to, for lists over several calls. */
struct participant_row {
	struct participant p;
	struct str room_id;
};
#define PARTICIPANT_SELECT                                                                       \
	"p.room_id, p.id, p.uid, p.name, p.status, p.device_type, p.device_id, p.join_time, "        \
	"p.leave_time, p.deadline_ms, p.claimed, p.removed, p.left_how, p.left_at_ms, p.sid, "       \
	"p.last_left_sid, p.sid_at_ms, p.session_from_ms, p.missing_at_ms"
enum { N_PARTICIPANT_COLS = 19 };
extern const struct sql_col PARTICIPANT_COLS[N_PARTICIPANT_COLS];
/* Gives each call the rows that are its own; rows are ordered by room, then by id. They live on in the calls. */
void participant_rows_give(struct participant_row *rows, size_t n_rows, struct call *const *calls, size_t n_calls);

#endif
