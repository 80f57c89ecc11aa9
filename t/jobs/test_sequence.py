"""Events get their numbers, and a delivery for each receiver that wants them: all of them, once, in the order of
their calls, whoever numbers. SPDX-License-Identifier: MIT"""
import hashlib
import json
import os
import secrets
import signal
import threading
import time

import pytest

from support.client import Api
from support.wait import wait_until

URLS = ["http://127.0.0.1:9/all", "http://127.0.0.1:9/go", "http://127.0.0.1:9/later"]
ALL, GO, LATER = (hashlib.sha256(url.encode()).hexdigest()[:16] for url in URLS)
# A receiver nobody answers at, tried once a long while: here it is about what is queued for it.
QUIET = {"WEBHOOK_PROBE_MIN_S": "3600", "WEBHOOK_PROBE_MAX_S": "3600", "WEBHOOK_RETRY_S": "3600"}


def receivers(*urls, everything=URLS[0]):
    return json.dumps([{"url": url, "secret": "s", **({"events": ["*"]} if url == everything else {})} for url in urls])


class Table:
    def __init__(self, db):
        self.db = db

    def ask(self, text, *args):
        with self.db.cursor() as c:
            c.execute(text, args)
            return c.fetchall()

    def one(self, text, *args):
        return next(iter(self.ask(text, *args)[0].values()))

    def clear(self):
        for name in ("event_delivery", "webhook_endpoint", "event", "jobs_lease"):
            self.ask(f"DELETE FROM {name}")

    def add(self, n, room="room", kind="participant.left", db=None):
        """n events of a call, in one statement."""
        first = self.one("SELECT COALESCE(MAX(seq), 0) FROM event WHERE room_id = %s", room)
        with (db or self.db).cursor() as c:
            c.execute("INSERT INTO event (event_id, room_id, seq, type, data, created_at_ms)"
                      f" SELECT CONCAT(%s, '-', seq), %s, seq + %s, %s, '{{}}', %s FROM seq_1_to_{n}",
                      (secrets.token_hex(8), room, first, kind, time.time_ns() // 1_000_000))

    def unnumbered(self):
        return self.one("SELECT COUNT(*) FROM event WHERE pos = 0")

    def wait_numbered(self, seconds=20):
        wait_until(lambda: self.unnumbered() == 0, seconds, what="numbers for all events")

    def is_whole(self):
        """Numbers from 1 without a gap, none twice, by seq within each call; the lease knows the last."""
        row = self.ask("SELECT COUNT(*) AS n, COUNT(DISTINCT pos) AS d, MIN(pos) AS least, MAX(pos) AS most"
                       " FROM event")[0]
        assert row["n"] == row["d"] == row["most"] - row["least"] + 1, row
        assert self.ask("SELECT a.room_id FROM event a JOIN event b ON b.room_id = a.room_id AND b.seq = a.seq + 1"
                        " WHERE b.pos <= a.pos LIMIT 1") == ()
        assert self.one("SELECT value FROM jobs_lease WHERE name = 'sequence'") == row["most"]

    def queued(self, endpoint):
        return self.one("SELECT COUNT(*) FROM event_delivery WHERE endpoint_id = %s", endpoint)


@pytest.fixture
def table(quiet_stack):
    connection = quiet_stack.db()
    made = Table(connection)
    made.clear()
    yield made
    connection.close()


def test_each_receiver_gets_what_it_wants(quiet_stack, table, make_jobs):
    for kind in ("room.started", "participant.accepted", "participant.joined", "participant.busy", "room.finished"):
        table.add(1, kind=kind)
    jobs = make_jobs(quiet_stack, BUSINESS_WEBHOOK_ENDPOINTS=receivers(*URLS[:2]), **QUIET).start()
    table.wait_numbered()
    table.is_whole()
    wanted = {ALL: ["room.started", "participant.accepted", "participant.joined", "participant.busy", "room.finished"],
              GO: ["room.started", "participant.joined", "room.finished"]}
    for endpoint, kinds in wanted.items():
        rows = table.ask("SELECT d.*, e.id, e.type AS event_type FROM event_delivery d JOIN event e ON e.pos = d.pos"
                         " WHERE d.endpoint_id = %s ORDER BY d.pos", endpoint)
        assert [row["event_type"] for row in rows] == kinds
        assert all(row["type"] == row["event_type"] and row["event_no"] == row["id"] and row["room_id"] == "room" and
                   row["created_at_ms"] > 0 for row in rows)
    assert [line["pos"] for line in jobs.lines("sequence_taken")] == [0]


def test_calls_of_the_api(quiet_stack, table, make_jobs):
    """What the API commits is numbered a moment later: it says a word through Redis."""
    make_jobs(quiet_stack, BUSINESS_WEBHOOK_ENDPOINTS=receivers(*URLS[:2]), **QUIET).start()
    api, tail = Api(quiet_stack), secrets.token_hex(3)
    room = api.post("/rooms", {"creator": f"ann-{tail}", "uids": [f"bob-{tail}"]}).json()["room_id"]
    api.post(f"/rooms/{room}/reject", {"uid": f"bob-{tail}"})
    wait_until(lambda: [e["type"] for e in api.get(f"/events?room_id={room}").json()["events"]] ==
               ["participant.invited", "participant.rejected", "room.finished"], 5)
    table.is_whole()


def test_an_event_committed_late_is_not_skipped(quiet_stack, table, make_jobs):
    """Two transactions: the one with the smaller ids ends last. Whoever read by id would miss its events."""
    make_jobs(quiet_stack, BUSINESS_WEBHOOK_ENDPOINTS=receivers(URLS[0]), **QUIET).start()
    slow, redis = quiet_stack.db(autocommit=False), quiet_stack.redis()
    for i in range(20):
        table.add(2, f"slow-{i}", db=slow)
        table.add(3, f"quick-{i}")
        redis.publish("tgo:wake", 0)
        wait_until(lambda: table.one("SELECT MIN(pos) FROM event WHERE room_id = %s", f"quick-{i}") > 0, 10)
        slow.commit()
        redis.publish("tgo:wake", 0)
        wait_until(lambda: table.one("SELECT MIN(pos) FROM event WHERE room_id = %s", f"slow-{i}") > 0, 10)
        ids = {row["room_id"]: row for row in table.ask("SELECT room_id, MIN(id) AS id, MIN(pos) AS pos FROM event"
                                                        " WHERE room_id IN (%s, %s) GROUP BY room_id",
                                                        f"slow-{i}", f"quick-{i}")}
        assert ids[f"slow-{i}"]["id"] < ids[f"quick-{i}"]["id"]
        assert ids[f"slow-{i}"]["pos"] > ids[f"quick-{i}"]["pos"]
    slow.close()
    table.is_whole()
    assert table.queued(ALL) == 100


def test_a_transaction_that_is_not_over_holds_nobody_up(quiet_stack, table, make_jobs):
    open_one = quiet_stack.db(autocommit=False)
    table.add(5, "open", db=open_one)
    table.add(1200, "others")
    make_jobs(quiet_stack).start()
    wait_until(lambda: table.one("SELECT COUNT(*) FROM event WHERE pos > 0") == 1200, 10)
    open_one.rollback()
    open_one.close()
    table.add(1, "others")
    table.wait_numbered()
    table.is_whole()


def test_receivers_come_and_go(quiet_stack, table, make_jobs):
    def states():
        return {row["id"]: row["state"] for row in table.ask("SELECT id, state FROM webhook_endpoint")}

    def taken():
        return table.ask("SELECT id, added_at_ms FROM webhook_endpoint WHERE id = %s", GO)[0]["added_at_ms"]

    jobs = make_jobs(quiet_stack, BUSINESS_WEBHOOK_ENDPOINTS=receivers(*URLS[:2]), **QUIET).start()
    wait_until(lambda: states() == {ALL: "active", GO: "active"}, 10)
    table.add(3)
    table.wait_numbered()
    first = taken()
    # One goes, one comes: it gets what happens from now on.
    jobs.configure(BUSINESS_WEBHOOK_ENDPOINTS=receivers(URLS[0], URLS[2]))
    jobs.signal(signal.SIGHUP)
    wait_until(lambda: states() == {ALL: "active", GO: "removed", LATER: "active"}, 20)
    table.add(4)
    table.wait_numbered()
    assert [table.queued(one) for one in (ALL, GO, LATER)] == [7, 3, 4]
    # It comes back; one that answered 410 stays disabled, and its events wait.
    table.ask("UPDATE webhook_endpoint SET state = 'disabled' WHERE id = %s", ALL)
    jobs.configure(BUSINESS_WEBHOOK_ENDPOINTS=receivers(*URLS))
    jobs.signal(signal.SIGHUP)
    wait_until(lambda: states() == {ALL: "disabled", GO: "active", LATER: "active"}, 20)
    assert taken() > first
    table.add(1)
    table.wait_numbered()
    assert [table.queued(one) for one in (ALL, GO, LATER)] == [8, 4, 5]
    # None at all.
    jobs.configure(BUSINESS_WEBHOOK_ENDPOINTS="")
    jobs.signal(signal.SIGHUP)
    wait_until(lambda: set(states().values()) == {"removed"}, 20)
    table.add(1)
    table.wait_numbered()
    assert [table.queued(one) for one in (ALL, GO, LATER)] == [8, 4, 5]
    table.is_whole()


def test_another_takes_over(quiet_stack, table, make_jobs):
    """Two of them; the one that numbers is frozen, killed, stopped: the other goes on where it was, and what wakes
    up again writes nothing."""
    both = [make_jobs(quiet_stack, BUSINESS_WEBHOOK_ENDPOINTS=receivers(URLS[0]), **QUIET).start() for _ in range(2)]

    def holder():
        found = table.ask("SELECT p.pid FROM jobs_lease l JOIN jobs_process p ON p.id = l.holder"
                          " WHERE l.name = 'sequence' AND l.until_ms > UNIX_TIMESTAMP(UTC_TIMESTAMP(3)) * 0")
        return found[0]["pid"] if found else None

    def add_some():
        table.add(200, "steady")
        table.wait_numbered()

    add_some()
    first = wait_until(holder, 10)
    os.kill(first, signal.SIGSTOP)
    add_some()
    assert holder() != first
    os.kill(first, signal.SIGCONT)
    add_some()
    second = holder()
    os.kill(second, signal.SIGKILL)
    add_some()
    busy = next(one for one in both if holder() in one.children())
    assert busy.stop() == 0
    before = time.monotonic()
    add_some()
    # Given back, not waited for: a lease lasts five seconds.
    assert time.monotonic() - before < 4
    table.is_whole()
    assert table.queued(ALL) == table.one("SELECT COUNT(*) FROM event") == 1000


def test_frozen_while_another_came_and_went(quiet_stack, table, make_jobs):
    """The lease is free again when it wakes up. The other one knew fewer receivers: all of them count again."""
    def active():
        return {row["id"] for row in table.ask("SELECT id FROM webhook_endpoint WHERE state = 'active'")}

    def holder():
        return table.one("SELECT COALESCE(MAX(p.pid), 0) FROM jobs_lease l JOIN jobs_process p ON p.id = l.holder"
                         " WHERE l.name = 'sequence'")

    first = make_jobs(quiet_stack, BUSINESS_WEBHOOK_ENDPOINTS=receivers(*URLS[:2]), **QUIET).start()
    wait_until(lambda: active() == {ALL, GO}, 10)
    frozen = first.tasks()["sequence"]
    first.freeze("sequence")
    other = make_jobs(quiet_stack, BUSINESS_WEBHOOK_ENDPOINTS=receivers(URLS[0]), **QUIET).start()
    wait_until(lambda: active() == {ALL}, 15)
    assert other.stop() == 0
    os.kill(frozen, signal.SIGCONT)
    wait_until(lambda: holder() == frozen, 10)
    table.add(3)
    table.wait_numbered()
    assert active() == {ALL, GO}
    assert [table.queued(one) for one in (ALL, GO)] == [3, 3]
    table.is_whole()


def test_who_lost_the_lease_writes_nothing(quiet_stack, table, make_jobs):
    """The lease is taken, and the events are numbered, between its reading them and its transaction."""
    make_jobs(quiet_stack, BUSINESS_WEBHOOK_ENDPOINTS=receivers(URLS[0]), **QUIET).start()
    table.add(5)
    table.wait_numbered()
    other, redis = quiet_stack.db(autocommit=False), quiet_stack.redis()
    with other.cursor() as c:
        c.execute("UPDATE jobs_lease SET holder = 'other', until_ms = %s, value = value + 5 WHERE name = 'sequence'",
                  (2**50,))
        table.add(5)
        redis.publish("tgo:wake", 0)
        wait_until(lambda: table.one("SELECT COUNT(*) FROM information_schema.processlist"
                                     " WHERE info LIKE 'UPDATE jobs_lease SET until_ms%%'") > 0, 10)
        c.execute("SET @pos = 5")
        c.execute("UPDATE event SET pos = (@pos := @pos + 1) WHERE pos = 0 ORDER BY id DESC")
        other.commit()
    theirs = table.ask("SELECT id, pos FROM event ORDER BY id")
    assert [row["pos"] for row in theirs] == [1, 2, 3, 4, 5, 10, 9, 8, 7, 6]
    table.ask("UPDATE jobs_lease SET until_ms = 0 WHERE name = 'sequence'")
    table.add(1)
    table.wait_numbered()
    assert table.ask("SELECT id, pos FROM event ORDER BY id")[:-1] == theirs
    assert table.one("SELECT MAX(pos) FROM event") == 11 and table.queued(ALL) == 6
    other.close()


def test_killed_again_and_again(quiet_stack, table, make_jobs):
    """While events come: each has one number and one delivery for each receiver."""
    jobs = make_jobs(quiet_stack, BUSINESS_WEBHOOK_ENDPOINTS=receivers(*URLS[:2]), **QUIET).start()
    stop = threading.Event()

    def write(name):
        connection = quiet_stack.db()
        i = 0
        while not stop.is_set():
            Table(connection).add(7, f"{name}-{i % 5}")
            i += 1
            time.sleep(0.01)
        connection.close()

    writers = [threading.Thread(target=write, args=(f"w{i}",)) for i in range(2)]
    for one in writers:
        one.start()
    try:
        for _ in range(6):
            time.sleep(0.3)
            jobs.kill("sequence")
            table.ask("UPDATE jobs_lease SET until_ms = 0 WHERE name = 'sequence'")
    finally:
        stop.set()
        for one in writers:
            one.join()
    table.wait_numbered()
    table.is_whole()
    n = table.one("SELECT COUNT(*) FROM event")
    assert n > 300 and table.queued(ALL) == table.queued(GO) == n


def test_a_lost_lease_row_gives_no_number_twice(quiet_stack, table, make_jobs):
    table.add(10)
    jobs = make_jobs(quiet_stack).start()
    table.wait_numbered()
    jobs.stop()
    table.ask("DELETE FROM jobs_lease")
    table.add(10)
    make_jobs(quiet_stack).start()
    table.wait_numbered()
    table.is_whole()


def test_without_redis(quiet_stack, table, make_jobs):
    """Looking by itself is enough."""
    make_jobs(quiet_stack, REDIS_SOCKET="/nonexistent").start()
    for _ in range(3):
        table.add(1)
        table.wait_numbered(5)
