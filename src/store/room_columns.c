/* room_columns - which column goes to which field, and which row to which call.
 * SPDX-License-Identifier: MIT */
#include "store/room_columns.h"

const struct sql_col ROOM_COLS[N_ROOM_COLS] = {
	SQL_COL(struct room_row, now_ms),
	SQL_COL(struct room_row, room.id),
	SQL_COL(struct room_row, room.room_id),
	SQL_COL(struct room_row, room.creator),
	SQL_COL(struct room_row, room.rtc_type),
	SQL_COL(struct room_row, room.invite_on),
	SQL_COL(struct room_row, room.status),
	SQL_COL(struct room_row, room.max_participants),
	SQL_COL(struct room_row, room.source_channel_id),
	SQL_COL(struct room_row, room.source_channel_type),
	SQL_COL(struct room_row, room.timeout_s),
	SQL_COL(struct room_row, room.metadata),
	SQL_COL(struct room_row, room.version),
	SQL_COL(struct room_row, room.seq),
	SQL_COL(struct room_row, room.created_at_ms),
	SQL_COL(struct room_row, room.updated_at_ms),
	SQL_COL(struct room_row, room.started_at_ms),
	SQL_COL(struct room_row, room.answered_at_ms),
	SQL_COL(struct room_row, room.ended_at_ms),
	SQL_COL(struct room_row, room.end_reason),
	SQL_COL(struct room_row, room.ended_by),
	SQL_COL(struct room_row, room.next_deadline_ms),
	SQL_COL(struct room_row, room.livekit_node),
	SQL_COL(struct room_row, room.livekit_url),
	SQL_COL(struct room_row, room.livekit_sid),
	SQL_COL(struct room_row, room.host_since_ms),
	SQL_COL(struct room_row, room.look_at_ms),
	SQL_COL(struct room_row, room.listed_at_ms),
};

const struct sql_col PARTICIPANT_COLS[N_PARTICIPANT_COLS] = {
	SQL_COL(struct participant_row, room_id),
	SQL_COL(struct participant_row, p.id),
	SQL_COL(struct participant_row, p.uid),
	SQL_COL(struct participant_row, p.name),
	SQL_COL(struct participant_row, p.status),
	SQL_COL(struct participant_row, p.device_type),
	SQL_COL(struct participant_row, p.device_id),
	SQL_COL(struct participant_row, p.join_time),
	SQL_COL(struct participant_row, p.leave_time),
	SQL_COL(struct participant_row, p.deadline_ms),
	SQL_COL(struct participant_row, p.claimed),
	SQL_COL(struct participant_row, p.removed),
	SQL_COL(struct participant_row, p.left_how),
	SQL_COL(struct participant_row, p.left_at_ms),
	SQL_COL(struct participant_row, p.sid),
	SQL_COL(struct participant_row, p.last_left_sid),
	SQL_COL(struct participant_row, p.sid_at_ms),
	SQL_COL(struct participant_row, p.session_from_ms),
	SQL_COL(struct participant_row, p.missing_at_ms),
};

static struct call *
call_of(struct str room_id, struct call *const *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(calls[i]->room.room_id, room_id))
			return calls[i];
	return NULL;
}

void
participant_rows_give(struct participant_row *rows, size_t n_rows, struct call *const *calls, size_t n_calls)
{
	for (size_t from = 0, to; from < n_rows; from = to) {
		struct call *c = call_of(rows[from].room_id, calls, n_calls);

		for (to = from; to < n_rows && str_eq(rows[to].room_id, rows[from].room_id);)
			to++;
		if (c == NULL)
			continue;
		c->cap_rows = to - from + 8;          /* a few may come in */
		c->rows = arena_array(c->arena, c->cap_rows, sizeof(struct participant *));
		for (size_t i = from; i < to; i++)
			c->rows[c->n_rows++] = &rows[i].p;
	}
}
