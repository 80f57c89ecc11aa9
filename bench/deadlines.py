"""The measuring part of bench/deadlines. SPDX-License-Identifier: MIT"""
import datetime
import os
import pathlib
import sys
import tempfile

from support.jobs_process import Jobs
from support.logs import AppLog
from support.stack import Stack
from support.time_passes import db_now
from support.wait import wait_until

HOUR_MS, LEAD_MS, SECOND_MS = 3600000, 4000, 1000


def fill(db, name, n, first_ms, span_ms):
    """n calls of two that ring; their deadlines are spread evenly over the span."""
    at = f"{first_ms} + (seq - 1) * {span_ms} DIV {n}"
    with db.cursor() as c:
        c.execute("START TRANSACTION")
        c.execute("INSERT INTO rtc_room (room_id, creator, created_at, updated_at, created_at_ms, updated_at_ms,"
                  f" next_deadline_ms, look_at_ms) SELECT CONCAT('{name}-', seq), CONCAT('ann-{name}-', seq), NOW(3),"
                  f" NOW(3), {first_ms} - 60000, {first_ms} - 60000, {at}, {first_ms} + {HOUR_MS}"
                  f" FROM seq_1_to_{n}")
        c.execute("INSERT INTO rtc_participant (room_id, uid, claimed, deadline_ms, created_at, updated_at)"
                  f" SELECT CONCAT('{name}-', seq), CONCAT(who, '-{name}-', seq), 1, {at}, NOW(3), NOW(3)"
                  f" FROM seq_1_to_{n}, (SELECT 'bob' AS who UNION SELECT 'ann') w")
        c.execute("COMMIT")


def lateness(db, log, name, n):
    """ms from each call's deadline to the line that says it was carried out, after the commit."""
    lines = {one["room_id"]: one for one in log.lines(event="deadline_fired") if one["room_id"].startswith(name + "-")}
    assert len(lines) == n, f"{len(lines)} of {n} calls have a line"
    with db.cursor() as c:
        c.execute("SELECT COUNT(*) AS n FROM event WHERE type = 'participant.missed' AND room_id LIKE %s", (name + "-%",))
        assert c.fetchone()["n"] == n
    return lines


def one_round(db, redis, log, name, n):
    start = db_now(db) + LEAD_MS
    log.mark()
    fill(db, name, n, start, SECOND_MS)
    redis.publish("tgo:wake", start)
    with db.cursor() as c:
        def over():
            c.execute("SELECT COUNT(*) AS n FROM rtc_room WHERE status = 6 AND room_id LIKE %s", (name + "-%",))
            return c.fetchone()["n"] == n
        wait_until(over, 60, interval=0.5, what="all of them missed")
    lines = lateness(db, log, name, n)
    due = {f"{name}-{i}": start + (i - 1) * SECOND_MS // n for i in range(1, n + 1)}
    late = sorted(datetime.datetime.fromisoformat(one["timestamp"]).timestamp() * 1000 - due[room]
                  for room, one in lines.items())
    print(f"{name}: lateness ms  p50 {late[n // 2]:.0f}  p99 {late[n * 99 // 100]:.0f}  max {late[-1]:.0f}"
          f"  (earliest {late[0]:.0f})", flush=True)


def main():
    pending, n, n_rounds = [int(one) for one in (sys.argv[1:] + ["10000", "1000", "3"][len(sys.argv) - 1:])]
    with tempfile.TemporaryDirectory() as folder, Stack(nodes=1, jobs=True) as stack:
        more = [Jobs(stack, pathlib.Path(folder), LOG_FILE=stack.env["APP_LOG"], LOG_LEVEL="info").start()
                for _ in range(int(os.environ.get("PROCESSES", "1")) - 1)]
        db, redis, log = stack.db(), stack.redis(), AppLog(stack.env["APP_LOG"])
        fill(db, "wait", pending - n, db_now(db) + HOUR_MS, HOUR_MS)
        print(f"{pending} calls wait, {n} run out in a second, {len(more) + 1} x tgo-call-jobs, {os.cpu_count()} cores")
        for i in range(n_rounds):
            one_round(db, redis, log, f"round{i + 1}", n)
        for one in more:
            one.stop()
            one.clean_up()


main()
