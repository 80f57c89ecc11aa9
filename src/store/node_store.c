/* node_store - reads and writes livekit_node.
 * SPDX-License-Identifier: MIT */
#include "store/node_store.h"

static const struct sql_col NODE_COLS[] = {
	SQL_COL(struct node_row, addr),
	SQL_COL(struct node_row, host),
	SQL_COL(struct node_row, livekit_id),
	SQL_COL(struct node_row, drained),
	SQL_COL(struct node_row, drained_at_ms),
	SQL_COL(struct node_row, drained_by),
	SQL_COL(struct node_row, seen_at_ms),
	SQL_COL(struct node_row, down_since_ms),
	SQL_COL(struct node_row, now_ms),
};
static const struct sql_stmt LIST = {
	.name = "nodes_list",
	.text = "SELECT addr, host, livekit_id, drained, drained_at_ms, drained_by, seen_at_ms, down_since_ms, "
	    SQL_NOW_MS " FROM livekit_node ORDER BY addr LIMIT ?",
	.cols = NODE_COLS,
	.n_cols = N_ELEMS(NODE_COLS),
};
/* Assignments work from left to right: drained is read before it is set. */
static const struct sql_stmt DRAIN = {
	.name = "node_drain",
	.text = "INSERT INTO livekit_node (addr, drained, drained_at_ms, drained_by) VALUES (?, 1, " SQL_NOW_MS ", ?) "
	    "ON DUPLICATE KEY UPDATE drained_at_ms = IF(drained = 1, drained_at_ms, VALUES(drained_at_ms)), "
	    "drained_by = IF(drained = 1, drained_by, VALUES(drained_by)), drained = 1",
};
static const struct sql_stmt UNDRAIN = {
	.name = "node_undrain",
	.text = "UPDATE livekit_node SET drained = 0, drained_at_ms = 0, drained_by = '' WHERE addr = ?",
};
static const struct sql_col CALLS_COLS[] = {
	SQL_COL(struct node_calls, addr),
	SQL_COL(struct node_calls, n),
};
static const struct sql_stmt CALLS = {
	.name = "nodes_calls",
	.text = "SELECT livekit_node, COUNT(*) FROM rtc_room WHERE status IN (0, 1) GROUP BY livekit_node LIMIT ?",
	.cols = CALLS_COLS,
	.n_cols = N_ELEMS(CALLS_COLS),
};
/* seen_at_ms and down_since_ms of the new row: now or 0. */
static const struct sql_stmt FOUND = {
	.name = "node_found",
	.text = "INSERT INTO livekit_node (addr, host, livekit_id, seen_at_ms, down_since_ms) "
	    "VALUES (?, ?, ?, ? * " SQL_NOW_MS ", ? * " SQL_NOW_MS ") ON DUPLICATE KEY UPDATE "
	    "host = VALUES(host), livekit_id = IF(VALUES(livekit_id) = '', livekit_id, VALUES(livekit_id)), "
	    "down_since_ms = IF(VALUES(down_since_ms) > 0, IF(down_since_ms > 0, down_since_ms, "
	    "VALUES(down_since_ms)), IF(VALUES(seen_at_ms) > 0, 0, down_since_ms)), "
	    "seen_at_ms = GREATEST(seen_at_ms, VALUES(seen_at_ms))",
};
static const struct sql_stmt FORGET = {
	.name = "nodes_forget",
	.text = "DELETE FROM livekit_node WHERE host = '' AND drained = 0 "
	    "AND GREATEST(seen_at_ms, down_since_ms) < " SQL_NOW_MS " - ?",
};

/* A row is a struct str. */
static const struct sql_col TEXT_COLS[] = { { SQL_STR, 0 } };
static const struct sql_stmt FINAL_ROOMS = {
	.name = "rooms_final",
	.text = "SELECT room_id FROM rtc_room WHERE status > 1 AND room_id IN ({})",
	.unit = "?",
	.cols = TEXT_COLS,
	.n_cols = N_ELEMS(TEXT_COLS),
};
static const struct sql_col HOSTED_COLS[] = {
	SQL_COL(struct hosted_room, id),
	SQL_COL(struct hosted_room, room_id),
	SQL_COL(struct hosted_room, host_since_ms),
	SQL_COL(struct hosted_room, moved),
};
/* A page, whatever it holds: to ask for moved calls only might read all calls under way to find none. */
static const struct sql_stmt HOSTED = {
	.name = "rooms_hosted",
	.text = "SELECT id, room_id, host_since_ms, started_at_ms > 0 AND host_since_ms > started_at_ms FROM rtc_room "
	    "WHERE status = 1 AND id > ? ORDER BY id LIMIT ?",
	.cols = HOSTED_COLS,
	.n_cols = N_ELEMS(HOSTED_COLS),
};
static const struct sql_stmt ACTIVE_PEOPLE = {
	.name = "people_active_in_room",
	.text = "SELECT uid FROM rtc_participant WHERE room_id = ? AND status IN (0, 1)",
	.cols = TEXT_COLS,
	.n_cols = N_ELEMS(TEXT_COLS),
};
const struct sql_stmt *const NODE_STORE_STMTS[] = { &LIST, &DRAIN, &UNDRAIN, &CALLS, &FOUND, &FORGET, &FINAL_ROOMS, &HOSTED,
	&ACTIVE_PEOPLE, NULL };

enum err
node_store_list(struct op *op, struct sql_link *l, struct node_row **out, size_t *n_out)
{
	const struct sql_arg arg = sql_i64(NODES_LISTED_MAX);

	return sql_all(op, l, &LIST, &arg, 1, sizeof(**out), out, n_out);
}

enum err
node_store_drain(struct op *op, struct sql_link *l, struct str addr, struct str by)
{
	const struct sql_arg args[] = { sql_str(addr), sql_str(by) };

	return sql_run(op, l, &DRAIN, args, N_ELEMS(args), NULL);
}

enum err
node_store_undrain(struct op *op, struct sql_link *l, struct str addr)
{
	const struct sql_arg arg = sql_str(addr);

	return sql_run(op, l, &UNDRAIN, &arg, 1, NULL);
}

enum err
node_store_calls(struct op *op, struct sql_link *l, struct node_calls **out, size_t *n_out)
{
	const struct sql_arg arg = sql_i64(NODES_LISTED_MAX);

	return sql_all(op, l, &CALLS, &arg, 1, sizeof(**out), out, n_out);
}

enum err
node_store_found(struct op *op, struct sql_link *l, const struct node_found *n)
{
	const struct sql_arg args[] = { sql_str(n->addr), sql_str(n->host), sql_str(n->livekit_id),
		sql_i64(n->answered), sql_i64(n->down) };

	return sql_run(op, l, &FOUND, args, N_ELEMS(args), NULL);
}

enum err
node_store_forget(struct op *op, struct sql_link *l, int64_t age_ms)
{
	const struct sql_arg arg = sql_i64(age_ms);

	return sql_run(op, l, &FORGET, &arg, 1, NULL);
}

enum err
node_store_final_rooms(struct op *op, struct sql_link *l, const struct str *rooms, size_t n, struct str **out,
    size_t *n_out)
{
	struct sql_arg *args = arena_array(op->arena, n, sizeof(*args));

	*n_out = 0;
	if (n == 0)
		return ERR_OK;
	for (size_t i = 0; i < n; i++)
		args[i] = sql_str(rooms[i]);
	return sql_all(op, l, &FINAL_ROOMS, args, n, sizeof(**out), out, n_out);
}

enum err
node_store_hosted_rooms(struct op *op, struct sql_link *l, int64_t id, int64_t max, struct hosted_room **out,
    size_t *n_out)
{
	const struct sql_arg args[] = { sql_i64(id), sql_i64(max) };

	return sql_all(op, l, &HOSTED, args, N_ELEMS(args), sizeof(**out), out, n_out);
}

enum err
node_store_active_people(struct op *op, struct sql_link *l, struct str room_id, struct str **out, size_t *n_out)
{
	const struct sql_arg arg = sql_str(room_id);

	return sql_all(op, l, &ACTIVE_PEOPLE, &arg, 1, sizeof(**out), out, n_out);
}
