"""Calls of the past, made by SQL: what a database holds after years. SPDX-License-Identifier: MIT"""
import time

CHUNK = 100000
BYTES_A_CALL = 3500               # with indexes, the events of the newest tenth, and the log of what made it
PERSON_CALLS = 20                 # so many calls a person had
LIVE = 1000                       # one in so many is under way
EVENTS = 6
EVENT_SHARE = 10                  # events are kept for a shorter time than calls: one in so many calls still has them
APART_MS = 3000                   # between one call and the next
HISTORY = 50                      # calls in the past of somebody who is asked about

ROOM = "LOWER(MD5(CONCAT('room', seq)))"
IS_LIVE = f"seq % {LIVE} = 0"
# Whoever is in a call that is under way is in no other.
CALLER = f"IF({IS_LIVE}, CONCAT('live-a-', seq), CONCAT('person-', seq * 7919 % {{people}}))"
CALLEE = f"IF({IS_LIVE}, CONCAT('live-b-', seq), CONCAT('person-', {{people}} + seq * 104729 % {{people}}))"
# Half of the calls took place; the others were cancelled, rejected, or nobody answered.
STATUS = f"IF({IS_LIVE}, 1, IF(seq % 2 = 0, 2, ELT(1 + seq % 4, 3, 4, 5, 6)))"
ROW_STATUS = f"IF({IS_LIVE}, 1, IF(seq % 2 = 0, 3, 4))"
AT = "{newest} - ({size} - seq) * " + str(APART_MS)
WHEN = f"FROM_UNIXTIME(({AT}) DIV 1000)"
BODY = ("CONCAT('{{\"room_id\":\"', " + ROOM + ", '\",\"rtc_type\":0,\"invite_on\":0,\"status\":1,\"max_participants\":2,"
        "\"participants\":[\"', REPEAT('x', 400), '\"]}}')")

STATEMENTS = [
    "INSERT INTO rtc_room (room_id, creator, status, max_participants, created_at, updated_at, version, seq, created_at_ms,"
    " updated_at_ms, started_at_ms, answered_at_ms, ended_at_ms, end_reason, next_deadline_ms, livekit_url, look_at_ms,"
    " ring_timeout_s)"
    f" SELECT {ROOM}, {CALLER}, {STATUS}, 2, {WHEN}, {WHEN}, 4, {EVENTS}, {AT}, {AT} + 2000, {AT} + 500, {AT} + 1000,"
    f" IF({IS_LIVE}, 0, {AT} + 60000), IF({IS_LIVE}, '', 'hangup'), IF({IS_LIVE}, {{newest}} + 86400000, 0),"
    f" 'wss://rtc.example.com', IF({IS_LIVE}, {{newest}} + 86400000, 0), 60 FROM seq_{{first}}_to_{{last}}",
    *("INSERT INTO rtc_participant (room_id, uid, status, device_type, join_time, leave_time, claimed, left_how, left_at_ms,"
      " session_from_ms, created_at, updated_at)"
      f" SELECT {ROOM}, {who}, {ROW_STATUS}, 'app', ({AT}) DIV 1000, IF({IS_LIVE}, 0, ({AT}) DIV 1000 + 60), {IS_LIVE},"
      f" IF({IS_LIVE}, '', 'leave'), IF({IS_LIVE}, 0, {AT} + 60000), {AT} + 1000, {WHEN}, {WHEN}"
      " FROM seq_{first}_to_{last}" for who in (CALLEE, CALLER)),
    *(f"INSERT IGNORE INTO rtc_user (uid, version) SELECT {who}, 1 FROM seq_{{first}}_to_{{last}}"
      for who in (CALLEE, CALLER)),
    "INSERT INTO event (event_id, room_id, seq, type, uid, data, created_at_ms, pos)"
    " SELECT CONCAT(LEFT(m, 8), '-', SUBSTR(m, 9, 4), '-7', SUBSTR(m, 14, 3), '-8', SUBSTR(m, 18, 3), '-', SUBSTR(m, 21)),"
    " room, e, 'participant.joined', who, body, at, s * 10 + e FROM"
    f" (SELECT MD5(CONCAT('event', r.seq, '-', e.seq)) m, r.room, e.seq e, r.who, r.body, r.at, r.seq s FROM"
    f" (SELECT seq, {ROOM} room, {CALLER} who, {BODY} body, {AT} at FROM seq_{{first}}_to_{{last}}"
    f" WHERE seq % {EVENT_SHARE} = 0) r JOIN seq_1_to_{EVENTS} e) made",
]
TABLES = ("rtc_room", "rtc_participant", "rtc_user", "event")


def settings(cursor, buffer_pool, quick):
    """quick: durability is for what is measured."""
    cursor.execute(f"SET GLOBAL innodb_buffer_pool_size = {buffer_pool}")
    cursor.execute("SET GLOBAL innodb_log_file_size = 1073741824")
    cursor.execute(f"SET GLOBAL innodb_flush_log_at_trx_commit = {0 if quick else 1}")


def fill(db, first, size):
    """Calls first to size, as if the last was made just now."""
    people, newest = max(10, size // PERSON_CALLS), int(time.time() * 1000)
    with db.cursor() as c:
        c.execute("SET SESSION unique_checks = 0, time_zone = '+00:00'")
        c.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        for begin in range(first, size + 1, CHUNK):
            for text in STATEMENTS:
                c.execute(text.format(first=begin, last=min(begin + CHUNK - 1, size), people=people, size=size,
                                      newest=newest))
        c.execute("ANALYZE TABLE " + ", ".join(TABLES))
        c.fetchall()


def newest_row(db):
    with db.cursor() as c:
        c.execute("SELECT COALESCE(MAX(id), 0) AS id FROM rtc_participant")
        return c.fetchone()["id"]


def give_history(db, after, size):
    """Whoever was written into a call after that row has been in calls before."""
    with db.cursor() as c:
        c.execute("INSERT INTO rtc_participant (room_id, uid, status, left_how, created_at, updated_at)"
                  " SELECT LOWER(MD5(CONCAT('room', 1 + (p.id * 7919 + h.seq * 104729) MOD %s))), p.uid, 3, 'leave',"
                  " UTC_TIMESTAMP(), UTC_TIMESTAMP() FROM rtc_participant p JOIN seq_1_to_%s h WHERE p.id > %s",
                  (size, HISTORY, after))


def bytes_on_disk(db):
    with db.cursor() as c:
        c.execute("SELECT SUM(data_length + index_length) AS n FROM information_schema.tables"
                  " WHERE table_schema = DATABASE()")
        return int(c.fetchone()["n"])
