"""Two real nodes whose webhooks are lost, that die, freeze and come back: our calls agree with the people who are
really connected, the events come, and nobody who talks is put out. SPDX-License-Identifier: MIT"""
import secrets
import signal
import time

import pytest

from support.client import Api
from support.invariants import check_invariants
from support.jobs_process import rows
from support.person import Person
from support.stack import Stack
from support.wait import wait_until

SHORT = {"RECONCILE_INTERVAL": "1", "LOOK_AGAIN_S": "1", "JOIN_GRACE": "3", "LIST_SOON_S": "2", "REJOIN_GRACE": "10",
         "REJOIN_OVERDUE_S": "5", "CLOSE_INTERVAL_S": "1"}
A_MINUTE = 60
HOOK = "location ~ ^/api(?:/v1)?/webhooks/livekit/?$ {"


@pytest.fixture(scope="module")
def nodes():
    with Stack(nodes=2, jobs=True, **SHORT) as running:
        if not running.env["LIVEKIT_NODES"]:
            pytest.fail("no livekit-server: it is neither in PATH nor could it be made")
        yield running


@pytest.fixture
def api(nodes):
    return Api(nodes)


@pytest.fixture
def db(nodes):
    connection = nodes.db()
    yield connection
    problems = check_invariants(connection)
    connection.close()
    assert problems == []


@pytest.fixture
def deaf(nodes):
    """LiveKit's webhooks are taken, and lost: nginx answers them itself."""
    site = nodes.var / "nginx/conf.d/tgo-call.conf"
    whole = site.read_text()
    assert HOOK in whole
    tell(nodes, site, whole.replace(HOOK, HOOK + " return 204;"))
    yield
    tell(nodes, site, whole)


def tell(nodes, site, text):
    """nginx takes this site; what is connected stays so. Its new workers are known by answering with it."""
    site.write_text(text)
    nodes.kill("nginx", signal.SIGHUP)
    wanted = 204 if "return 204;" in text else 401
    wait_until(lambda: Api(nodes).post("/webhooks/livekit", {}, key=None).status_code == wanted, 15,
               what=f"webhooks answered with {wanted}")


def room_row(db, room):
    return rows(db, "SELECT * FROM rtc_room WHERE room_id = %s", room)[0]


def row(db, room, uid):
    return rows(db, "SELECT * FROM rtc_participant WHERE room_id = %s AND uid = %s", room, uid)[0]


def status(db, room, *uids):
    return [row(db, room, uid)["status"] for uid in uids]


def events(db, room, uid=None):
    return [e["type"] for e in rows(db, "SELECT type, uid FROM event WHERE room_id = %s ORDER BY seq", room)
            if uid in (None, e["uid"])]


def call(api, n):
    """A call of n people; its room, and what each connects with, by uid."""
    tail = secrets.token_hex(4)
    people = [f"{name}-{tail}" for name in ("ann", "bob", "cyd")[:n]]
    answer = api.post("/rooms", {"creator": people[0], "uids": people[1:], "room_id": f"room-{tail}"}).json()
    tickets = {people[0]: answer}
    for uid in people[1:]:
        tickets[uid] = api.post(f"/rooms/{answer['room_id']}/join", {"uid": uid}).json()
    return answer["room_id"], tickets


def host(nodes, room):
    """The part of the stack that hosts the room."""
    cache = nodes.redis()
    record = nodes_hash(nodes)[cache.hget("room_node_map", room)]
    return next(f"livekit-{i}" for i in (1, 2) if f"127.0.0.{10 + i}".encode() in record)


def nodes_hash(nodes):
    import redis
    raw = redis.Redis(unix_socket_path=nodes.env["REDIS_SOCKET"])
    return {k.decode(): v for k, v in raw.hgetall("nodes").items()}


def other(nodes, part):
    """The address of the node that is not this part: nginx would go on trying the frozen one."""
    return "ws://" + nodes.env["LIVEKIT_NODES"].split(",")[1 if part == "livekit-1" else 0]


def in_livekit(nodes, room):
    return nodes.redis().hexists("rooms", room)


def talk(*people):
    """Each of them hears somebody."""
    for one in people:
        one.do("publish")
    for one in people:
        one.wait("heard", timeout=60)


def test_people_come_and_go_and_nobody_tells(nodes, api, db, deaf):
    room, tickets = call(api, 3)
    ann, bob, cyd = tickets
    with Person() as a, Person() as b, Person() as c:
        for uid, one in zip(tickets, (a, b, c)):
            one.connect(tickets[uid])
        wait_until(lambda: all(row(db, room, uid)["sid"] for uid in tickets), A_MINUTE, what="all three found out")
        assert status(db, room, ann, bob, cyd) == [1, 1, 1] and room_row(db, room)["status"] == 1
        assert all("participant.joined" in events(db, room, uid) for uid in tickets)
        assert "room.started" in events(db, room)

        c.do("disconnect")
        c.wait("disconnected")
        wait_until(lambda: row(db, room, cyd)["status"] == 3, A_MINUTE, what="cyd's going found out")
        assert row(db, room, cyd)["left_how"] == "lost"
        assert status(db, room, ann, bob) == [1, 1]

        # One dies without a word; the call is over when nobody is left.
        b.kill()
        wait_until(lambda: row(db, room, bob)["status"] == 3, 2 * A_MINUTE, what="bob's death found out")
        assert row(db, room, ann)["status"] == 1
        a.do("disconnect")
        a.wait("disconnected")
        wait_until(lambda: room_row(db, room)["status"] == 2, A_MINUTE, what="the call over")
    for uid in tickets:
        assert events(db, room, uid).count("participant.left") == 1
    assert events(db, room)[-1] == "room.finished"
    wait_until(lambda: not in_livekit(nodes, room), A_MINUTE, what="the media room gone")


def test_back_before_anybody_told(nodes, api, db, deaf):
    """A second session of the same person, and no webhook of either."""
    room, tickets = call(api, 2)
    ann, bob = tickets
    with Person() as a, Person() as b:
        a.connect(tickets[ann])
        b.connect(tickets[bob])
        wait_until(lambda: row(db, room, bob)["sid"], A_MINUTE, what="bob found out")
        first = row(db, room, bob)["sid"]
        b.kill()
        with Person() as again:
            again.connect(tickets[bob])
            wait_until(lambda: row(db, room, bob)["sid"] not in ("", first), A_MINUTE, what="the second session")
            talk(a, again)
            assert room_row(db, room)["status"] == 1 and "participant.left" not in events(db, room)


def test_ghosts_of_a_killed_node(nodes, api, db):
    """Its records stay in Redis. Who reconnects elsewhere talks on; who died with it is no ghost of ours."""
    room, tickets = call(api, 3)
    ann, bob, cyd = tickets
    with Person() as a, Person() as b, Person() as c:
        for uid, one in zip(tickets, (a, b, c)):
            one.connect(tickets[uid])
        wait_until(lambda: all(row(db, room, uid)["sid"] for uid in tickets), 20, what="everybody known")
        part, first = host(nodes, room), {uid: row(db, room, uid)["sid"] for uid in tickets}
        c.kill()
        nodes.kill(part)
        try:
            wait_until(lambda: row(db, room, cyd)["status"] == 3, A_MINUTE, what="cyd lost")
            wait_until(lambda: all(row(db, room, uid)["sid"] not in ("", first[uid]) for uid in (ann, bob)), A_MINUTE,
                       what="the sessions elsewhere")
            talk(a, b)
            assert status(db, room, ann, bob) == [1, 1] and room_row(db, room)["status"] == 1
            for uid in (ann, bob):
                assert "participant.left" not in events(db, room, uid)
        finally:
            nodes.start()


def test_everybody_died_with_the_node(nodes, api, db):
    room, tickets = call(api, 2)
    with Person() as a, Person() as b:
        for uid, one in zip(tickets, (a, b)):
            one.connect(tickets[uid])
        wait_until(lambda: all(row(db, room, uid)["sid"] for uid in tickets), 20, what="everybody known")
        part = host(nodes, room)
        a.kill()
        b.kill()
        nodes.kill(part)
        try:
            wait_until(lambda: room_row(db, room)["status"] == 2, A_MINUTE, what="the call over")
            assert room_row(db, room)["end_reason"] == "lost" and status(db, room, *tickets) == [3, 3]
        finally:
            nodes.start()


def test_a_frozen_node_that_comes_back(nodes, api, db):
    room, tickets = call(api, 2)
    ann, bob = tickets
    with Person() as a, Person() as b:
        a.connect(tickets[ann])
        b.connect(tickets[bob])
        wait_until(lambda: row(db, room, ann)["sid"] and row(db, room, bob)["sid"], 20, what="both known")
        part = host(nodes, room)
        nodes.kill(part, signal.SIGSTOP)
        began = time.monotonic()
        try:
            wait_until(lambda: row(db, room, bob)["deadline_ms"] > 0, 20, what="taken for gone")
            while time.monotonic() - began < 11:      # longer than it takes to be held for dead
                time.sleep(0.1)
        finally:
            nodes.kill(part, signal.SIGCONT)
        wait_until(lambda: row(db, room, ann)["deadline_ms"] == row(db, room, bob)["deadline_ms"] == 0, A_MINUTE,
                   what="taken for there again")
        talk(a, b)
        until = time.monotonic() + 15                 # its late words and lists come
        while time.monotonic() < until:
            assert status(db, room, ann, bob) == [1, 1] and room_row(db, room)["status"] == 1
            time.sleep(0.2)
        assert "participant.left" not in events(db, room)
        assert not [e for e in a.events + b.events if e["event"] == "put_out"]


def test_a_frozen_node_that_comes_back_too_late(nodes, api, db):
    """Its people went to another node meanwhile. What it says and wipes afterwards touches nobody."""
    room, tickets = call(api, 2)
    ann, bob = tickets
    with Person() as a, Person() as b:
        a.connect(tickets[ann])
        b.connect(tickets[bob])
        wait_until(lambda: row(db, room, ann)["sid"] and row(db, room, bob)["sid"], 20, what="both known")
        part, first = host(nodes, room), {uid: row(db, room, uid)["sid"] for uid in tickets}
        nodes.kill(part, signal.SIGSTOP)
        try:
            a.kill()
            b.kill()
            with Person() as c, Person() as d:
                # Placing goes by heartbeats: the frozen one is out after 5 s.
                wait_until(lambda: row(db, room, bob)["deadline_ms"] > 0, 20, what="taken for gone")
                c.connect({**tickets[ann], "url": other(nodes, part)})
                d.connect({**tickets[bob], "url": other(nodes, part)})
                wait_until(lambda: all(row(db, room, uid)["sid"] not in ("", first[uid]) for uid in tickets), A_MINUTE,
                           what="the sessions elsewhere")
                nodes.kill(part, signal.SIGCONT)
                talk(c, d)
                until = time.monotonic() + 45         # it drops its dead, closes the room, wipes the records
                while time.monotonic() < until:
                    assert status(db, room, ann, bob) == [1, 1] and room_row(db, room)["status"] == 1
                    time.sleep(0.5)
                assert "participant.left" not in events(db, room)
                assert not [e for e in c.events + d.events if e["event"] == "put_out"]
        finally:
            nodes.kill(part, signal.SIGCONT)


def test_a_call_that_ends_disappears_from_livekit(nodes, api, db):
    room, tickets = call(api, 2)
    with Person() as a, Person() as b:
        for uid, one in zip(tickets, (a, b)):
            one.connect(tickets[uid])
        wait_until(lambda: all(row(db, room, uid)["sid"] for uid in tickets), 20, what="everybody known")
        assert api.post(f"/rooms/{room}/end").status_code == 200
        a.wait("put_out", 20)
        b.wait("put_out", 20)
        wait_until(lambda: not in_livekit(nodes, room), 20, what="the media room gone")


def test_who_will_not_leave_is_put_out_and_who_came_back_is_not(nodes, api, db):
    room, tickets = call(api, 3)
    ann, bob, cyd = tickets
    with Person() as a, Person() as b, Person() as c:
        for uid, one in zip(tickets, (a, b, c)):
            one.connect(tickets[uid])
        wait_until(lambda: all(row(db, room, uid)["sid"] for uid in tickets), 20, what="everybody known")
        assert api.post(f"/rooms/{room}/leave", {"uid": cyd}).status_code == 200
        c.wait("put_out", 20)
        assert row(db, room, cyd)["status"] == 3
        with Person() as again:
            again.connect(api.post(f"/rooms/{room}/join", {"uid": cyd}).json())
            wait_until(lambda: row(db, room, cyd)["sid"], 20, what="cyd known again")
            talk(a, again)
            time.sleep(5)                             # several looks
            assert status(db, room, ann, bob, cyd) == [1, 1, 1]
            assert not [e for e in again.events if e["event"] == "put_out"]
