"""Events on their way to the business backend: order, repeats, pauses, outages, signatures, crashes. The receivers
check every signature.

SPDX-License-Identifier: MIT
"""
import base64
import dataclasses
import email.utils
import hashlib
import json
import os
import random
import signal
import time

import pytest

from support.client import Api
from support.receiver import CLOSE, HANG, Receiver, Stream
from support.rounds import rounds
from support.wait import wait_until
from support.worker_process import is_alive

# Short pauses, so that tests need not wait; what is tested is their order and their number.
QUICK = {"WEBHOOK_RETRY_S": "0.2,0.2,0.2,0.2", "WEBHOOK_HOLD_S": "0.6", "WEBHOOK_PROBE_MIN_S": "0.2",
         "WEBHOOK_PROBE_MAX_S": "0.4"}


@pytest.fixture
def receivers():
    """receivers(n, **options): that many; at the end none may have had anything to complain of."""
    made = []

    def make(n=1, **options):
        made.extend(Receiver(**options) for _ in range(n))
        return made[-n:]

    yield make
    for one in made:
        one.stop()
        assert one.problems == []


@pytest.fixture
def stream(quiet_stack, fresh):
    one = Stream(quiet_stack, fresh)
    yield one
    one.close()


@pytest.fixture
def deliver(quiet_stack, make_jobs):
    """deliver([endpoint, ...], OPTION="value"): a tgo-call-jobs that delivers to them."""
    running = []

    def start(endpoints, **settings):
        one = make_jobs(quiet_stack, BUSINESS_WEBHOOK_ENDPOINTS=json.dumps(endpoints), **{**QUICK, **settings})
        running.append(one)
        one.spawn()
        ids = [f"endpoint:{endpoint_id(e['url'])}" for e in endpoints]
        wait_until(lambda: set(ids) <= set(held(one.db)), 20, what="the receivers' leases")
        return one

    yield start
    for one in running:
        if one.proc.poll() is None:
            one.stop()


def endpoint_id(url):
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def held(db):
    """{lease: pid} of those somebody holds."""
    with db.cursor() as c:
        c.execute("SELECT l.name, p.pid FROM jobs_lease l JOIN jobs_process p ON p.id = l.holder "
                  "WHERE l.until_ms > UNIX_TIMESTAMP(NOW(3)) * 1000")
        return {row["name"]: row["pid"] for row in c.fetchall()}


def settled(stream, receiver, n, seconds=20):
    """All n rows are delivered."""
    wait_until(lambda: stream.states(receiver) == {2: n}, seconds, what=f"{n} delivered, not {stream.states(receiver)}")


def in_order(receiver, stream, rooms):
    for room in rooms:
        assert receiver.seqs(room) == list(range(1, stream.seqs[room] + 1)), room


# ---- the plain way ----

def test_in_order_signed_and_once(stream, receivers, deliver):
    [r] = receivers()
    jobs = deliver([r.endpoint()])
    rooms = [stream.room() for _ in range(20)]
    for _ in range(10):
        stream.emit(*rooms)
    settled(stream, r, 200)
    in_order(r, stream, rooms)
    assert len(r.all()) == 200
    row = stream.delivery(r, r.all()[0].event_id)
    assert (row["attempts"], row["last_status"], row["last_answer"]) == (1, 204, "")
    got = r.all()[0]
    assert got.headers["x-event-type"] == "participant.joined"
    assert "user-agent" not in got.headers or "curl" not in got.headers["user-agent"]
    assert stream.log(got.event_id) == ()
    assert stream.endpoint(r)["last_ok_at_ms"] > 0
    assert jobs.lines("delivery_failed") == []


def test_a_call_of_the_api_is_heard(quiet_stack, stream, receivers, deliver, fresh):
    [r] = receivers()
    deliver([r.endpoint()])
    api, room, ann, bob = Api(quiet_stack), fresh("room"), fresh("ann"), fresh("bob")
    api.post("/rooms", {"creator": ann, "uids": [bob], "room_id": room, "device_type": "web"})
    api.post(f"/rooms/{room}/leave", {"uid": bob})
    wait_until(lambda: any(g.type == "room.finished" for g in r.taken()), 10, what="room.finished")
    told = [(g.seq, g.type) for g in r.taken() if g.room == room]
    assert told == sorted(told)
    assert [t for _, t in told][0] == "participant.invited" and told[-1][1] == "room.finished"
    assert "participant.rejected" in [t for _, t in told]


def test_each_gets_what_it_asked_for(stream, receivers, deliver):
    go, all_types, one = receivers(3)
    default = go.endpoint()
    del default["events"]
    deliver([default, all_types.endpoint(), one.endpoint(events=["participant.busy"])])
    kinds = ["room.started", "participant.accepted", "participant.busy", "room.finished"]
    room = stream.room()
    for kind in kinds:
        stream.emit(room, type=kind)
    settled(stream, all_types, 4)
    assert [g.type for g in all_types.taken()] == kinds
    wait_until(lambda: len(go.taken()) == 2 and len(one.taken()) == 1, 5)
    assert [g.type for g in go.taken()] == ["room.started", "room.finished"]
    assert [g.type for g in one.taken()] == ["participant.busy"]


def test_a_large_event(stream, receivers, deliver):
    [r] = receivers()
    deliver([r.endpoint()])
    room = stream.room()
    stream.emit(room)
    stream.emit(room, more={"participants": ["x" * 40] * 20000})
    stream.emit(room)
    settled(stream, r, 3)
    in_order(r, stream, [room])
    assert len(r.all()[1].body) > 800_000


def test_secrets_change_over(stream, receivers, deliver):
    new = "whsec_" + base64.b64encode(b"the new one").decode()
    old_only, new_only = receivers(2)
    raw = receivers(1, secret="not base64, and ö")[0]
    new_only.secret = new_only.verify_with = new
    # The plain signature has room for one secret only: the new one.
    old_only.secret, old_only.verify_with = new, old_only.secret
    deliver([old_only.endpoint(secret_old=old_only.verify_with), new_only.endpoint(secret_old="whatever"), raw.endpoint()])
    stream.emit(stream.room())
    for r in (old_only, new_only, raw):
        settled(stream, r, 1)
    assert len(old_only.all()[0].headers["webhook-signature"].split()) == 2
    assert len(raw.all()[0].headers["webhook-signature"].split()) == 1


def test_no_faster_than_asked(stream, receivers, deliver):
    [r] = receivers()
    deliver([r.endpoint(rate=50)])
    stream.emit(*[stream.room() for _ in range(100)])
    settled(stream, r, 100)
    at = sorted(g.at for g in r.taken())
    assert all(at[i + 55] - at[i] >= 0.9 for i in range(len(at) - 55))


# ---- failures ----

def test_a_failing_event_holds_its_call_then_lets_go(stream, receivers, deliver):
    bad = {}
    [r] = receivers(answer=lambda got: (500, {}, "nein, danke".encode()) if got.event_id in bad else 204)
    jobs = deliver([r.endpoint()])
    room, other = stream.room(), stream.room()
    stream.emit(room)
    settled(stream, r, 1)
    with stream.together():
        [poison] = stream.emit(room)
        bad[poison] = True
        stream.emit(room, other, room)
    wait_until(lambda: other in [g.room for g in r.taken()], 5)
    wait_until(lambda: r.seqs(room) == [1, 3, 4], 10, what="the followers")
    first = r.of(poison)[0].at
    follower = next(g for g in r.taken() if g.room == room and g.seq == 3)
    assert follower.at - first >= 0.55
    assert next(g for g in r.taken() if g.room == other).at - first < 0.5
    wait_until(lambda: stream.delivery(r, poison)["state"] == 3, 10, what="exhausted")
    row = stream.delivery(r, poison)
    assert (row["attempts"], row["last_status"], row["last_answer"]) == (5, 500, "nein, danke")
    assert len(r.of(poison)) == 5
    log = stream.log(poison)
    assert [(one["retry"], one["status"], one["error"]) for one in log] == [(i, 500, "HTTP 500") for i in range(5)]
    assert log[0]["response"] == "nein, danke" and log[0]["url"].startswith(r.url + "&event_type=")
    envelope = json.loads(log[0]["request"])
    assert list(envelope) == ["event_type", "event_id", "timestamp", "data", "retry", "retry_after"]
    assert envelope["data"]["seq"] == 2
    assert len(jobs.lines("delivery_failed")) == 5
    assert [line["event_id"] for line in jobs.lines("delivery_exhausted")] == [poison]
    # One event alone is not taken for an outage.
    assert jobs.lines("endpoint_down") == [] and stream.endpoint(r)["down_since_ms"] == 0


def test_a_call_waits_no_longer_than_it_must(stream, receivers, deliver):
    """Also when the failed event's next try is far off."""
    [r] = receivers(answer=lambda got: 500 if got.seq == 1 else 200)
    deliver([r.endpoint()], WEBHOOK_RETRY_S="300", WEBHOOK_HOLD_S="1")
    room = stream.room()
    with stream.together():
        [first] = stream.emit(room)
        stream.emit(room)
    wait_until(lambda: r.seqs(room) == [2], 10, what="the follower")
    assert r.taken()[0].at - r.of(first)[0].at >= 0.95
    row = wait_until(lambda: (lambda d: d if d["state"] == 1 else None)(stream.delivery(r, first)), 5)
    assert row["attempts"] == 1 and row["due_at_ms"] - row["last_try_at_ms"] >= 299_000


def test_a_refused_event_holds_nobody(stream, receivers, deliver):
    [r] = receivers(answer=lambda got: 400 if got.type == "participant.busy" and got.tries < 2 else 200)
    jobs = deliver([r.endpoint()], WEBHOOK_HOLD_S="60", WEBHOOK_RETRY_S="1,1")
    room = stream.room()
    with stream.together():
        stream.emit(room)
        [refused] = stream.emit(room, type="participant.busy")
        stream.emit(room)
    wait_until(lambda: r.seqs(room)[:2] == [1, 3], 5)
    row = wait_until(lambda: (lambda d: d if d["attempts"] else None)(stream.delivery(r, refused)), 0.8)
    assert (row["state"], row["attempts"], row["last_status"]) == (1, 1, 400) and row["due_at_ms"] > 0
    settled(stream, r, 3)
    assert r.seqs(room) == [1, 3, 2] and len(r.of(refused)) == 3
    assert jobs.lines("endpoint_down") == []


def test_many_refused_are_no_outage(stream, receivers, deliver):
    [r] = receivers(answer=lambda got: 404 if got.type == "participant.busy" else 200)
    jobs = deliver([r.endpoint()], WEBHOOK_RETRY_S="60")
    rooms = [stream.room() for _ in range(30)]
    with stream.together():
        stream.emit(*rooms, type="participant.busy")
        stream.emit(*rooms)
    wait_until(lambda: stream.states(r) == {1: 30, 2: 30}, 10)
    assert jobs.lines("endpoint_down") == []


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after(stream, receivers, deliver, form):
    def answer(got):
        if got.tries:
            return 200
        value = "2" if form == "seconds" else email.utils.formatdate(time.time() + 3, usegmt=True)
        return 429, {"Retry-After": value}, b""

    [r] = receivers(answer=answer)
    deliver([r.endpoint()])
    [event] = stream.emit(stream.room())
    settled(stream, r, 1)
    first, second = r.of(event)
    assert second.at - first.at >= 1.9


@pytest.mark.parametrize("what, words", [
    (HANG, "timed out"), (CLOSE, ""), ((302, {"Location": "http://127.0.0.1:1/"}, b""), "HTTP 302"), (503, "HTTP 503"),
])
def test_other_failures(stream, receivers, deliver, what, words):
    [r] = receivers(answer=lambda got: 200 if got.tries else what)
    deliver([r.endpoint(timeout=0.5)])
    [event] = stream.emit(stream.room())
    settled(stream, r, 1)
    assert len(r.of(event)) == 2
    [log] = stream.log(event)
    assert words.lower() in log["error"].lower() and log["error"]
    assert log["status"] == (what if isinstance(what, int) else what[0] if isinstance(what, tuple) else 0)


def test_ten_megabytes_of_answer(stream, receivers, deliver):
    big = b"x" * 10_000_000
    [r] = receivers(answer=lambda got: (200 if got.tries else 500, {}, big))
    deliver([r.endpoint()])
    room = stream.room()
    event = stream.emit(room, room)[0]
    settled(stream, r, 2)
    assert len(stream.log(event)[0]["response"]) <= 64 * 1024
    assert len(stream.delivery(r, event)["last_answer"]) <= 255
    in_order(r, stream, [room])


def test_an_answer_that_is_no_text(stream, receivers, deliver):
    [r] = receivers(answer=lambda got: 200 if got.tries else (500, {}, b"\xff\x00\xe4\xb8'\"\\"))
    deliver([r.endpoint()])
    [event] = stream.emit(stream.room())
    settled(stream, r, 1)
    assert stream.log(event)[0]["response"] == "\ufffd\x00\ufffd\ufffd'\"\\"


def test_addresses_that_are_fenced(stream, receivers, deliver):
    [r] = receivers()
    metadata = {"url": "http://169.254.169.254/latest", "secret": "s", "timeout": 2, "events": ["*"]}
    jobs = deliver([r.endpoint(), metadata], WEBHOOK_ALLOW_PRIVATE="false")
    stream.emit(stream.room())
    wait_until(lambda: len(jobs.lines("delivery_failed")) >= 2, 10)
    assert r.all() == []
    assert all("not allowed" in line["error"] for line in jobs.lines("delivery_failed"))
    jobs.stop()
    jobs = deliver([r.endpoint(), metadata])
    settled(stream, r, 1)
    wait_until(lambda: any("169.254.169.254" in line["error"] for line in jobs.lines("delivery_failed")), 10)


# ---- outages ----

def test_an_outage_and_everything_after_it_in_order(stream, receivers, deliver):
    r, healthy = receivers(2)
    jobs = deliver([r.endpoint(), healthy.endpoint()], WEBHOOK_RETRY_S="60,60")
    rooms = [stream.room() for _ in range(40)]
    stream.emit(*rooms)
    settled(stream, r, 40)
    r.stop()
    for _ in range(10):
        stream.emit(*rooms)
    wait_until(lambda: stream.endpoint(r)["down_since_ms"] > 0, 10, what="the receiver is held to be down")
    settled(stream, healthy, 440)
    in_order(healthy, stream, rooms)
    assert [line["endpoint"] for line in jobs.lines("endpoint_down")] == [r.id]
    # Nothing is counted meanwhile, and nothing let go or given up.
    tried = len(jobs.lines("delivery_failed"))
    wait_until(lambda: len(jobs.lines("delivery_failed")) >= tried + 2, 10, what="single tries")
    with stream.db.cursor() as c:
        c.execute("SELECT COALESCE(SUM(attempts), 0) AS n FROM event_delivery WHERE endpoint_id = %s AND state <> 2",
                  (r.id,))
        assert c.fetchone()["n"] <= 5 + 64
    assert stream.states(r)[0] == 400
    r.start()
    settled(stream, r, 440)
    in_order(r, stream, rooms)
    [back] = jobs.lines("endpoint_up")
    assert back["endpoint"] == r.id and 390 <= back["pending"] <= 400
    assert stream.endpoint(r)["down_since_ms"] == 0


def test_an_outage_survives_a_restart(stream, receivers, deliver):
    [r] = receivers()
    jobs = deliver([r.endpoint()], WEBHOOK_PROBE_MIN_S="3", WEBHOOK_PROBE_MAX_S="3")
    rooms = [stream.room() for _ in range(10)]
    r.stop()
    stream.emit(*rooms)
    wait_until(lambda: stream.endpoint(r)["down_since_ms"] > 0, 10)
    since = stream.endpoint(r)["down_since_ms"]
    jobs.stop()
    jobs = deliver([r.endpoint()], WEBHOOK_PROBE_MIN_S="3", WEBHOOK_PROBE_MAX_S="3")
    wait_until(lambda: jobs.lines("delivery_failed"), 10)
    assert len(jobs.lines("delivery_failed")) == 1          # one try, not ten
    assert stream.endpoint(r)["down_since_ms"] == since
    r.start()
    settled(stream, r, 10)


def test_one_event_cannot_keep_a_receiver_shut(stream, receivers, deliver):
    poison = set()
    down = [True]
    [r] = receivers(answer=lambda got: 500 if down[0] or got.event_id in poison else 200)
    jobs = deliver([r.endpoint()], WEBHOOK_HOLD_S="60")
    rooms = [stream.room() for _ in range(8)]
    poison.update(stream.emit(rooms[0]))
    stream.emit(*rooms[1:])
    # All of the first ones are answered, and a single try: what is under way must not open it by chance.
    wait_until(lambda: jobs.lines("endpoint_down") and len(jobs.lines("delivery_failed")) > 8, 10)
    down[0] = False
    wait_until(lambda: stream.states(r).get(2) == 7, 10, what="all others")
    assert jobs.lines("endpoint_up")


def test_what_was_let_go_comes_first_again_after_an_outage(stream, receivers, deliver):
    mood = ["refuse"]

    def answer(got):
        if mood[0] == "refuse":
            return 400 if got.seq == 1 else 200
        return 503 if mood[0] == "down" else 200

    [r] = receivers(answer=answer)
    jobs = deliver([r.endpoint()], WEBHOOK_RETRY_S="300,300,300")
    room = stream.room()
    [first] = stream.emit(room)
    wait_until(lambda: stream.delivery(r, first) and stream.delivery(r, first)["state"] == 1, 10)
    mood[0] = "down"
    stream.emit(room, *[stream.room() for _ in range(9)])
    wait_until(lambda: jobs.lines("endpoint_down"), 10)
    mood[0] = "well"
    settled(stream, r, 11)
    wait_until(lambda: r.seqs(room) in ([1, 2], [2, 1]), 5)


def test_gone_and_enabled_again(quiet_stack, stream, receivers, deliver):
    mood = ["gone"]
    [r] = receivers(answer=lambda got: 410 if mood[0] == "gone" else 200)
    jobs = deliver([r.endpoint()])
    rooms = [stream.room() for _ in range(5)]
    stream.emit(*rooms)
    wait_until(lambda: stream.endpoint(r)["state"] == "disabled", 10)
    stream.emit(*rooms)
    tries = len(r.all())
    wait_until(lambda: stream.states(r) == {0: 10}, 5)
    assert len(jobs.lines("endpoint_disabled")) == 1
    mood[0] = "well"
    assert len(r.all()) == tries
    answer = Api(quiet_stack).post(f"/webhooks/endpoints/{r.id}/enable", {}, key=quiet_stack.env["TGO_OPS_KEY"])
    assert answer.status_code == 200, answer.text
    settled(stream, r, 10)
    in_order(r, stream, rooms)


def test_redelivered(stream, receivers, deliver):
    """As the API leaves a row whose event is to be delivered once more."""
    [r] = receivers()
    deliver([r.endpoint()])
    [event] = stream.emit(stream.room())
    settled(stream, r, 1)
    with stream.db.cursor() as c:
        c.execute("UPDATE event_delivery SET state = 1, attempts = 0, due_at_ms = UNIX_TIMESTAMP(NOW(3)) * 1000 "
                  "WHERE endpoint_id = %s", (r.id,))
    stream.redis.publish("tgo:numbered", 1)
    wait_until(lambda: len(r.of(event)) == 2, 10)
    settled(stream, r, 1)


# ---- processes ----

def test_a_graceful_stop_loses_and_repeats_nothing(stream, receivers, deliver):
    def slowly(got):
        time.sleep(random.uniform(0, 0.05))
        return 200

    [r] = receivers(answer=slowly)
    jobs = deliver([r.endpoint()])
    rooms = [stream.room() for _ in range(30)]
    for _ in range(4):
        stream.emit(*rooms)
    for _ in range(3):
        before = len(r.taken())
        wait_until(lambda: len(r.taken()) > before + 5, 10)
        assert jobs.stop() == 0
        assert f"endpoint:{r.id}" not in held(stream.db)
        assert stream.states(r).get(2, 0) == len(r.taken())
        for _ in range(4):
            stream.emit(*rooms)
        jobs = deliver([r.endpoint()])
    settled(stream, r, 480)
    in_order(r, stream, rooms)
    assert len(r.all()) == 480


@pytest.mark.parametrize("n_processes", [1, 2])
def test_killed_over_and_over(stream, receivers, deliver, n_processes):
    """Rounds: 8; full: 50. Every event comes, repeated ones are the same, and no call misses a number."""
    receivers_made = receivers(2, answer=lambda got: 204)
    endpoints = [r.endpoint() for r in receivers_made]
    processes = [deliver(endpoints) for _ in range(n_processes)]
    rooms = [stream.room() for _ in range(20)]
    for i in range(rounds(8, 50) // n_processes):
        stream.emit(*rooms, *rooms)
        time.sleep(random.uniform(0, 0.2))
        victim = random.choice(processes).tasks().get("deliver")
        if victim is not None:
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda: not is_alive(victim), 5)
        stream.emit(*rooms)
    n = sum(stream.seqs[room] for room in rooms)
    for r in receivers_made:
        settled(stream, r, n, 60)
        for room in rooms:
            # A repeated stretch aside, each call's numbers come one after the other.
            first_seen = list(dict.fromkeys(r.seqs(room)))
            assert first_seen == list(range(1, stream.seqs[room] + 1)), room


def test_two_processes_share_and_take_over(quiet_stack, stream, receivers, make_jobs):
    made = receivers(4)
    endpoints = json.dumps([r.endpoint() for r in made])
    one, another = (make_jobs(quiet_stack, BUSINESS_WEBHOOK_ENDPOINTS=endpoints, **QUICK).spawn() for _ in range(2))
    names = {f"endpoint:{r.id}" for r in made}
    wait_until(lambda: names <= set(held(stream.db)), 15)
    owners = {held(stream.db)[name] for name in names}
    rooms = [stream.room() for _ in range(10)]
    stream.emit(*rooms)
    for r in made:
        settled(stream, r, 10)
    victim = another if set(another.tasks().values()) & owners else one
    rest = one if victim is another else another
    victim.crash()
    stream.emit(*rooms)
    for r in made:
        settled(stream, r, 20, 20)
        in_order(r, stream, rooms)
    assert {held(stream.db)[name] for name in names} <= set(rest.tasks().values())
    rest.stop()


@dataclasses.dataclass
class Frozen:
    """A holder of one receiver's lease that was stopped in the middle of its first delivery, and who took it over."""
    receiver: object
    jobs: object
    pid: int
    heir: object
    room: str
    events: list
    hold: list

    def thaw(self):
        self.hold[0] = False
        os.kill(self.pid, signal.SIGCONT)


def frozen_with(stream, receivers, deliver, n):
    """n events of one room are there; the first hangs in the frozen process, and the heir delivers all of them."""
    hold = [True]

    def answer(got):
        while hold[0] and got.seq == 1 and got.tries == 0:
            time.sleep(0.02)
        return 200

    [r] = receivers(answer=answer)
    jobs = deliver([r.endpoint(timeout=60)])
    pid = held(stream.db)[f"endpoint:{r.id}"]
    room = stream.room()
    events = [event for _ in range(n) for event in stream.emit(room)]
    wait_until(lambda: r.of(events[0]) or r.tries[events[0]] == 1, 10)
    os.kill(pid, signal.SIGSTOP)
    heir = deliver([r.endpoint(timeout=60)])
    wait_until(lambda: held(stream.db).get(f"endpoint:{r.id}") in set(heir.tasks().values()), 15)
    settled(stream, r, n)
    return Frozen(r, jobs, pid, heir, room, events, hold)


def test_frozen_past_its_lease_it_writes_nothing(stream, receivers, deliver):
    it = frozen_with(stream, receivers, deliver, 2)
    r, events = it.receiver, it.events
    attempts = stream.delivery(r, events[0])["attempts"]
    it.thaw()
    wait_until(lambda: it.jobs.lines("endpoint_lost"), 10)
    row = stream.delivery(r, events[0])
    assert (row["state"], row["attempts"]) == (2, attempts)
    assert r.tries[events[1]] == 1
    stream.emit(it.room)
    settled(stream, r, 3)


def test_frozen_while_another_came_and_went(stream, receivers, deliver):
    """The lease is free again when it wakes up: what it holds is old all the same, and nothing of it is sent."""
    it = frozen_with(stream, receivers, deliver, 5)
    r = it.receiver
    assert it.heir.stop() == 0
    it.thaw()
    wait_until(lambda: held(stream.db).get(f"endpoint:{r.id}") == it.pid, 10)
    stream.emit(it.room)
    settled(stream, r, 6)
    assert [r.tries[event] for event in it.events] == [2, 1, 1, 1, 1]
    assert it.jobs.stop() == 0
