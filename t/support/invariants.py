"""I1 to I7 of the contract, by SQL. Every check names what is wrong, row by row.

SPDX-License-Identifier: MIT
"""
import json

ACTIVE_ROOM = "r.status IN (0, 1)"
ACTIVE_ROW = "p.status IN (0, 1)"

# Each finds the rows that break a rule; none is what we want.
RULES = {
    "I1 a uid with two claimed active rows":
        f"SELECT p.uid, COUNT(*) n FROM rtc_participant p WHERE {ACTIVE_ROW} AND p.claimed = 1"
        " GROUP BY p.uid HAVING COUNT(*) > 1",
    "I2 more people than seats":
        "SELECT r.room_id, r.max_participants, COUNT(*) n FROM rtc_room r"
        f" JOIN rtc_participant p ON p.room_id = r.room_id WHERE {ACTIVE_ROW}"
        " GROUP BY r.room_id, r.max_participants HAVING COUNT(*) > r.max_participants",
    "I3 an active row in a final room":
        "SELECT r.room_id, r.status, p.uid, p.status p_status FROM rtc_room r"
        f" JOIN rtc_participant p ON p.room_id = r.room_id WHERE r.status > 1 AND {ACTIVE_ROW}",
    "I5 seq with a gap, or not the room's":
        "SELECT r.room_id, r.seq, COUNT(e.seq) n, MIN(e.seq) lo, MAX(e.seq) hi FROM rtc_room r"
        " LEFT JOIN event e ON e.room_id = r.room_id WHERE r.seq > 0 GROUP BY r.room_id, r.seq"
        " HAVING COUNT(e.seq) <> r.seq OR MIN(e.seq) <> 1 OR MAX(e.seq) <> r.seq",
    "I5 an event of a room that counts none":
        "SELECT e.room_id, COUNT(*) n FROM event e LEFT JOIN rtc_room r ON r.room_id = e.room_id"
        " WHERE COALESCE(r.seq, 0) = 0 GROUP BY e.room_id",
    "I6 room.finished not exactly once in a final room, or in a live one":
        "SELECT r.room_id, r.status, COUNT(e.id) n FROM rtc_room r LEFT JOIN event e"
        " ON e.room_id = r.room_id AND e.type = 'room.finished' WHERE r.seq > 0"
        " GROUP BY r.room_id, r.status HAVING COUNT(e.id) <> (r.status > 1)",
    "I4 room.started not exactly once where the media began, or where it did not":
        "SELECT r.room_id, r.status, r.started_at_ms, COUNT(e.id) n FROM rtc_room r LEFT JOIN event e"
        " ON e.room_id = r.room_id AND e.type = 'room.started' WHERE r.seq > 0"
        " GROUP BY r.room_id, r.status, r.started_at_ms"
        " HAVING COUNT(e.id) <> (r.started_at_ms > 0) OR (r.status = 1 AND COUNT(e.id) <> 1)"
        " OR (r.status = 0 AND COUNT(e.id) <> 0)",
    "I4 participant.joined before room.started":
        "SELECT j.room_id, j.seq FROM event j LEFT JOIN event s ON s.room_id = j.room_id"
        " AND s.type = 'room.started' WHERE j.type = 'participant.joined' AND COALESCE(s.seq, j.seq + 1) > j.seq",
    "I7 an inviting row without a deadline":
        "SELECT p.room_id, p.uid FROM rtc_participant p JOIN rtc_room r ON r.room_id = p.room_id"
        f" WHERE {ACTIVE_ROOM} AND p.status = 0 AND p.deadline_ms = 0",
    "I7 next_deadline missing, or too late for a row":
        "SELECT r.room_id, r.next_deadline_ms, p.uid, p.status, p.deadline_ms FROM rtc_room r"
        f" JOIN rtc_participant p ON p.room_id = r.room_id WHERE {ACTIVE_ROOM} AND {ACTIVE_ROW}"
        " AND p.deadline_ms > 0 AND (r.next_deadline_ms = 0 OR r.next_deadline_ms >"
        " p.deadline_ms + IF(p.status = 0, 10000, 30000))",
}
MAX_CALL = ("SELECT r.room_id, r.next_deadline_ms, r.created_at_ms FROM rtc_room r"
            f" WHERE {ACTIVE_ROOM} AND r.seq > 0 AND (r.next_deadline_ms = 0 OR"
            " r.next_deadline_ms > r.created_at_ms + %s * 1000 + 10000)")

# I4: what the newest event about a person has to be for the state its row is in. In a final room the rows
# that still rang changed without an event of their own; participants of room.finished tells.
STATE_EVENT = {
    "participant.accepted": 1, "participant.rejected": 2, "participant.left": 3,
    "participant.missed": 4, "participant.busy": 5, "participant.invited": 0, "participant.cancelled": 6,
}
# end(): what becomes of a row that rings, by the final status.
RANG_AT_END = {2: 6, 3: 6, 4: 2, 5: 6, 6: 4}
LISTED = {"participant.missed": "missed_uids", "participant.busy": "busy_uids",
          "participant.invited": "invited_uids"}


def check_invariants(connection, max_call_s=86400):
    """The problems found, as texts; one snapshot of the database for all of them."""
    with connection.cursor() as c:
        c.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        c.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        problems = []
        for rule, sql in RULES.items():
            c.execute(sql)
            problems += [f"{rule}: {row}" for row in c.fetchall()]
        if max_call_s:
            c.execute(MAX_CALL, (max_call_s,))
            problems += [f"I7 next_deadline misses MAX_CALL_S: {row}" for row in c.fetchall()]
        problems += changes_told(c)
        c.execute("COMMIT")
    return problems


def changes_told(c):
    c.execute("SELECT room_id, status, creator FROM rtc_room WHERE seq > 0")
    rooms = {row["room_id"]: row for row in c.fetchall()}
    c.execute("SELECT room_id, uid, status FROM rtc_participant")
    rows = {}
    for row in c.fetchall():
        rows.setdefault(row["room_id"], {})[row["uid"]] = row["status"]
    c.execute("SELECT room_id, seq, type, uid, data FROM event ORDER BY room_id, seq")
    events = {}
    for row in c.fetchall():
        events.setdefault(row["room_id"], []).append((row["type"], row["uid"], json.loads(row["data"])))
    problems = []
    for room_id, room in rooms.items():
        told = events.get(room_id, [])
        problems += [f"I4 {room_id}: {text}" for text in room_told(room, rows.get(room_id, {}), told)]
    return problems


def room_told(room, statuses, told):
    if not told:
        return
    if told[-1][2]["status"] != room["status"]:
        yield f"status {room['status']}, newest event says {told[-1][2]['status']}"
    newest = newest_states(told)
    for uid, status in statuses.items():
        # Who was never told of is the creator, ringing since the call was made.
        was = newest.get(uid, 0 if uid == room["creator"] else None)
        if status != was and not ended_with_room(room, uid, was, status):
            yield f"{uid} is {status}, its newest event made it {was}"
    if room["status"] > 1:
        said = {one["uid"]: one["status"] for one in told[-1][2].get("participants", [])}
        if told[-1][0] != "room.finished" or said != statuses:
            yield f"rows {statuses}, {told[-1][0]} said {said}"


def ended_with_room(room, uid, was, status):
    """Whether a row that rang may have become this by the end of the call alone."""
    if was != 0 or room["status"] <= 1:
        return False
    everybody_was_busy = room["status"] == 5 and status == 5 and uid == room["creator"]
    return status == RANG_AT_END[room["status"]] or everybody_was_busy


def newest_states(told):
    newest = {}
    for kind, uid, data in told:
        if kind not in STATE_EVENT:
            continue
        # A creator who left is told of again, as the one who cancelled the call.
        if kind == "participant.cancelled" and newest.get(uid) == 3:
            continue
        for one in data.get(LISTED[kind]) or [] if kind in LISTED else [uid]:
            newest[one] = STATE_EVENT[kind]
    return newest
