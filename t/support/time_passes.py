"""Deadlines that come at once: what waits in a call is moved into the past. SPDX-License-Identifier: MIT"""

NOW = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)"


def db_now(db):
    with db.cursor() as c:
        c.execute(f"SELECT {NOW} AS now")
        return c.fetchone()["now"]


def run_down(db, rooms, late_ms=1, uids=None, redis=None):
    """As if the deadlines of these calls (of these people in them) had come late_ms ago (negative: will come), all at
    the same moment. With redis those who wait for one are told."""
    with db.cursor() as c:
        c.execute("START TRANSACTION")
        c.execute("UPDATE rtc_room SET version = version + 1 WHERE room_id IN %s", (rooms,))
        c.execute(f"SELECT {NOW} - %s AS at", (late_ms,))
        at = c.fetchone()["at"]
        c.execute("UPDATE rtc_participant SET deadline_ms = %s WHERE room_id IN %s AND deadline_ms > 0"
                  + (" AND uid IN %s" if uids else ""), (at, rooms, *([uids] if uids else [])))
        c.execute("UPDATE rtc_room SET next_deadline_ms = %s WHERE room_id IN %s AND status IN (0, 1)", (at, rooms))
        c.execute("COMMIT")
    if redis is not None:
        redis.publish("tgo:wake", at)
    return at
