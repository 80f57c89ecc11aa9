"""What was kept long enough goes, and nothing else does. SPDX-License-Identifier: MIT"""
import secrets
import time

import pytest

from support.wait import wait_until

DAY = 86_400_000
ACTIVE, GONE = "a" * 16, "b" * 16


def now_ms():
    return time.time_ns() // 1_000_000


@pytest.fixture
def ask(quiet_stack):
    connection = quiet_stack.db()

    def run(text, *args):
        with connection.cursor() as c:
            c.execute(text, args)
            return c.fetchall()

    for name in ("event_delivery", "event", "livekit_event", "livekit_action", "business_webhook_log", "jobs_lease",
                 "webhook_endpoint", "jobs_process", "rtc_participant", "rtc_room"):
        run(f"DELETE FROM {name}")
    yield run
    connection.close()


@pytest.fixture
def count(ask):
    return lambda table, where="1 = 1": ask(f"SELECT COUNT(*) AS n FROM {table} WHERE {where}")[0]["n"]


@pytest.fixture
def keeper(quiet_stack, make_jobs):
    """keeper(CONFIG="value", ...): the task alone, until it has done two rounds."""

    def run(**settings):
        jobs = make_jobs(quiet_stack, KEEP_INTERVAL_S="0.2", RECONCILE_INTERVAL="0", **settings)
        jobs.spawn("--task", "keeper")
        return jobs

    return run


def add_events(ask, n, days, room=None, pos=True):
    """n events so many days old; their numbers are those of their rows."""
    room = room or "r" + secrets.token_hex(6)
    ask("INSERT INTO event (event_id, room_id, seq, type, data, created_at_ms) SELECT CONCAT(%s, seq), %s, seq,"
        f" 'participant.left', '{{}}', %s FROM seq_1_to_{n}", room, room, now_ms() - int(days * DAY))
    if pos:
        ask("UPDATE event SET pos = id WHERE room_id = %s", room)
    return room


def deliver(ask, room, endpoint, state, where="1 = 1"):
    ask("INSERT INTO event_delivery (endpoint_id, pos, event_no, room_id, type, state)"
        f" SELECT %s, pos, id, room_id, type, %s FROM event WHERE room_id = %s AND {where}", endpoint, state, room)


def test_events(ask, count, keeper):
    for one, state in ((ACTIVE, "disabled"), (GONE, "removed")):
        ask("INSERT INTO webhook_endpoint (id, url, state) VALUES (%s, 'http://x', %s)", one, state)
    old = add_events(ask, 1200, 31)
    deliver(ask, old, ACTIVE, 2)
    deliver(ask, old, GONE, 0)
    young = add_events(ask, 10, 29)
    deliver(ask, young, ACTIVE, 2)
    waiting = add_events(ask, 700, 40)
    deliver(ask, waiting, ACTIVE, 0, "seq <= 650")
    deliver(ask, waiting, ACTIVE, 1, "seq > 650")
    deliver(ask, waiting, GONE, 2)
    exhausted = add_events(ask, 5, 31)
    deliver(ask, exhausted, ACTIVE, 3)
    unnumbered = add_events(ask, 3, 100, pos=False)
    jobs = keeper()
    wait_until(lambda: count("event", f"room_id IN ('{old}', '{exhausted}')") == 0, 20)
    wait_until(lambda: jobs.lines("kept_long_enough"), 10)
    assert sum(line["events"] for line in jobs.lines("kept_long_enough")) == 1205
    assert {room: count("event", f"room_id = '{room}'") for room in (young, waiting, unnumbered)} == {
        young: 10, waiting: 700, unnumbered: 3}
    assert count("event_delivery") == 10 + 700 + 700
    # Once they are through, they go too.
    ask("UPDATE event_delivery SET state = 2 WHERE room_id = %s", waiting)
    wait_until(lambda: count("event", f"room_id = '{waiting}'") == 0, 20)
    assert count("event_delivery") == 10


def test_other_rows(ask, count, keeper):
    for days, n in ((8, 1100), (6, 10)):
        ask("INSERT INTO livekit_event (id, event, received_at_ms) SELECT CONCAT(%s, seq), 'x', %s"
            f" FROM seq_1_to_{n}", f"{days}-", now_ms() - days * DAY)
        for state in ("done", "failed", "open"):
            ask("INSERT INTO livekit_action (kind, room_id, state, due_at_ms) SELECT 'delete_room', seq, %s, %s"
                f" FROM seq_1_to_{n}", state, now_ms() - days * DAY)
    for days in (2, 0.5):
        ask("INSERT INTO jobs_process (id, instance, task, beat_at_ms) VALUES (%s, 'x', 'keeper', %s)", str(days),
            now_ms() - int(days * DAY))
    keeper()
    wait_until(lambda: count("livekit_event") == 10 and count("livekit_action", "state <> 'open'") == 20 and
               count("jobs_process", "instance = 'x'") == 1, 20)
    assert count("livekit_action", "state = 'open'") == 1110
    assert ask("SELECT id FROM jobs_process WHERE instance = 'x'")[0]["id"] == "0.5"


def test_answers(ask, count, keeper):
    """Kept for their Idempotency-Key, by IDEMPOTENCY_TTL."""
    ask("DELETE FROM idempotency")
    for age_s, n in ((70, 1100), (50, 10), (0, 5)):
        ask("INSERT INTO idempotency (id, body_sha256, answer, created_at_ms) SELECT CONCAT(%s, '-', seq), '', '', %s"
            f" FROM seq_1_to_{n}", age_s, now_ms() - age_s * 1000)
    jobs = keeper(IDEMPOTENCY_TTL="65")
    wait_until(lambda: count("idempotency", "LEFT(id, 3) = '70-'") == 0, 20)
    wait_until(lambda: jobs.lines("kept_long_enough"), 10)
    assert sum(line["answers"] for line in jobs.lines("kept_long_enough")) == 1100
    assert count("idempotency") == 15


def test_the_periods_are_configuration(ask, count, keeper):
    add_events(ask, 3, 3)
    kept = add_events(ask, 3, 1)
    ask("INSERT INTO livekit_event (id, received_at_ms) VALUES ('a', %s), ('b', %s)", now_ms() - 3 * DAY, now_ms())
    for at_ms in (now_ms() - 3 * DAY, now_ms()):
        ask("INSERT INTO livekit_action (kind, room_id, state, due_at_ms) VALUES ('x', 'a', 'done', %s)", at_ms)
    keeper(EVENT_RETENTION_DAYS="2", LIVEKIT_EVENT_RETENTION_DAYS="2", ACTION_RETENTION_DAYS="2")
    wait_until(lambda: [count(t) for t in ("event", "livekit_event", "livekit_action")] == [3, 1, 1], 20)
    assert count("event", f"room_id = '{kept}'") == 3


def add_log(ask, n, days):
    ask("INSERT INTO business_webhook_log (event_type, created_at) SELECT 'a', FROM_UNIXTIME(%s)"
        f" FROM seq_1_to_{n}", int(time.time() - days * 86400))


def test_the_webhook_log_is_kept_by_default(ask, count, keeper):
    add_log(ask, 3, 400)
    room = add_events(ask, 1, 31)
    keeper()
    wait_until(lambda: count("event", f"room_id = '{room}'") == 0, 20)
    assert count("business_webhook_log") == 3


@pytest.mark.parametrize("tz", ["Asia/Shanghai", "America/New_York"])
def test_the_webhook_log_knows_no_time_zone(ask, count, keeper, tz):
    """Its created_at is a moment, not local time as in the Go server's DATETIME columns: an hour too old is too old."""
    add_log(ask, 7, 5 + 1 / 24)
    add_log(ask, 3, 5 - 1 / 24)
    room = add_events(ask, 1, 31)
    jobs = keeper(TZ=tz, BUSINESS_WEBHOOK_LOG_CLEANUP_ENABLED="true", BUSINESS_WEBHOOK_LOG_RETENTION_DAYS="5",
                  BUSINESS_WEBHOOK_LOG_CLEANUP_INTERVAL="1")
    wait_until(lambda: count("event", f"room_id = '{room}'") == 0 and jobs.lines("kept_long_enough"), 20)
    assert count("business_webhook_log") == 3
    assert jobs.lines("kept_long_enough")[0]["webhook_log"] == 7


def test_the_webhook_log_goes_by_its_own_interval(ask, count, keeper):
    add_log(ask, 1200, 5.1)
    add_log(ask, 3, 4.9)
    on = {"BUSINESS_WEBHOOK_LOG_CLEANUP_ENABLED": "true", "BUSINESS_WEBHOOK_LOG_RETENTION_DAYS": "5"}
    jobs = keeper(**on)
    wait_until(lambda: count("business_webhook_log") == 3, 20)
    # The next round of it comes in a day.
    add_log(ask, 2, 6)
    room = add_events(ask, 1, 31)
    wait_until(lambda: count("event", f"room_id = '{room}'") == 0, 20)
    assert count("business_webhook_log") == 5
    assert jobs.stop() == 0
    keeper(BUSINESS_WEBHOOK_LOG_CLEANUP_INTERVAL="1", **on)
    wait_until(lambda: count("business_webhook_log") == 3, 20)
    add_log(ask, 2, 6)
    wait_until(lambda: count("business_webhook_log") == 3, 20)


def add_calls(ask, n, status, created_days, ended_days):
    tag = secrets.token_hex(5)
    ask("INSERT INTO rtc_room (room_id, creator, status, created_at_ms, ended_at_ms)"
        f" SELECT CONCAT(%s, seq), 'ann', %s, %s, %s FROM seq_1_to_{n}", tag, status, now_ms() - created_days * DAY if created_days else 0,
        now_ms() - ended_days * DAY if ended_days else 0)
    for uid in ("ann", "bob"):
        ask("INSERT INTO rtc_participant (room_id, uid, status)"
            " SELECT room_id, %s, 3 FROM rtc_room WHERE room_id LIKE %s", uid, tag + "%")
    return f"room_id LIKE '{tag}%%'"


def test_calls_stay_for_ever(ask, count, keeper):
    calls = add_calls(ask, 3, 2, 4000, 4000)
    room = add_events(ask, 1, 31)
    keeper()
    wait_until(lambda: count("event", f"room_id = '{room}'") == 0, 20)
    assert count("rtc_room", calls) == 3 and count("rtc_participant", calls) == 6


def test_calls_go_when_asked_for(ask, count, keeper):
    old = [add_calls(ask, 110, status, 91, 91) for status in (2, 3, 4, 5, 6)]
    go_server = add_calls(ask, 3, 2, 91, 0)
    kept = [add_calls(ask, 3, 2, 89, 89), add_calls(ask, 3, 1, 200, 0), add_calls(ask, 3, 0, 200, 0),
            add_calls(ask, 3, 2, 95, 89), add_calls(ask, 3, 6, 0, 0)]
    jobs = keeper(CALL_RETENTION_DAYS="90")
    wait_until(lambda: all(count("rtc_room", one) == 0 for one in (*old, go_server)), 20)
    assert all(count("rtc_participant", one) == 0 for one in (*old, go_server))
    assert [(count("rtc_room", one), count("rtc_participant", one)) for one in kept] == [(3, 6)] * 5
    wait_until(lambda: jobs.lines("kept_long_enough"), 10)
    assert sum(line["rooms"] for line in jobs.lines("kept_long_enough")) == 553


def test_one_of_two_does_it(ask, count, keeper):
    first, second = keeper(), keeper()
    wait_until(lambda: ask("SELECT holder FROM jobs_lease WHERE name = 'keeper'"), 20)
    holder = ask("SELECT holder FROM jobs_lease WHERE name = 'keeper'")[0]["holder"]
    add_events(ask, 2000, 31)
    wait_until(lambda: count("event") == 0, 20)
    assert ask("SELECT holder FROM jobs_lease WHERE name = 'keeper'")[0]["holder"] == holder
    # It is killed: the other one goes on.
    pid = ask("SELECT pid FROM jobs_process WHERE id = %s", holder)[0]["pid"]
    busy = next(one for one in (first, second) if pid == one.pid or pid in one.children())
    busy.crash()
    add_events(ask, 2000, 31)
    wait_until(lambda: count("event") == 0, 20)
    assert ask("SELECT holder FROM jobs_lease WHERE name = 'keeper'")[0]["holder"] != holder
