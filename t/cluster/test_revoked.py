"""Whose token the route lets through, once something has become of its holder: every way to be put out or to leave, and
each way back. A node remembers what came to it, so that "refused" means that nothing did.

Who was removed by a moderator, or whose call is over, stays out, with Redis and without. Everybody else may come back:
a call's participant who left or was cancelled joins again by coming (the contract's state machine), so the token holds.
SPDX-License-Identifier: MIT
"""
import pytest

from support import cluster
from support.at_route import IN, OUT, OVER, Call, ask
from support.client import Api
from support.logs import AppLog
from support.routed_node import RoutedNode
from support.stack import Stack
from support.wait import wait_until


@pytest.fixture(scope="module")
def one():
    node = RoutedNode("127.0.0.43")
    with Stack(nodes=0, LIVEKIT_NODES=node.addr, LIVEKIT_DOWN_S="1") as running:
        node.redis = running.redis()
        node.record()
        running.node, running.api = node, Api(running)
        running.routed = AppLog(running.env["APP_LOG"])
        wait_until(lambda: ask(running, "/settings").text == node.addr, 10, 0.2)
        yield running
        node.stop()


# what happens (to bob, or to cid who rings), to whom, what the route says afterwards
CASES = {
    "removed while joined": (lambda c: c.of(c.bob, method="delete"), "bob", OUT),
    "removed while ringing": (lambda c: c.of(c.cid, method="delete"), "cid", OUT),
    "left, then removed": (lambda c: (c.post("leave", {"uid": c.bob}), c.of(c.bob, method="delete")), "bob", OUT),
    "removed, then the call moves on": (
        lambda c: (c.of(c.bob, method="delete"), c.post("leave", {"uid": c.cid}), c.post("invite", {"uids": ["d"]})),
        "bob", OUT),
    "removed, invited again": (
        lambda c: (c.of(c.bob, method="delete"), c.post("invite", {"uids": [c.bob]})), "bob", IN),
    "removed, invited, removed again": (
        lambda c: (c.of(c.bob, method="delete"), c.post("invite", {"uids": [c.bob]}), c.of(c.bob, method="delete")),
        "bob", OUT),
    "another one is removed": (lambda c: c.of(c.cid, method="delete"), "bob", IN),
    "left": (lambda c: c.post("leave", {"uid": c.bob}), "bob", IN),
    "refused": (lambda c: c.post("reject", {"uid": c.cid}), "cid", IN),
    "set to 6, cancelled": (lambda c: c.of(c.cid, "/status", {"status": 6}, "put"), "cid", IN),
    "set to 5, busy": (lambda c: c.of(c.cid, "/status", {"status": 5}, "put"), "cid", IN),
    "set to 3, left": (lambda c: c.of(c.bob, "/status", {"status": 3}, "put"), "bob", IN),
    "ended by the API": (lambda c: c.post("end"), "bob", OVER),
    "removed, then ended": (lambda c: (c.of(c.bob, method="delete"), c.post("end")), "bob", OVER),
    "the room set to 3": (lambda c: c.api.put(f"/rooms/{c.room}/status", {"status": 3}), "ann", OVER),
    "everybody left": (lambda c: [c.post("leave", {"uid": u}) for u in (c.bob, c.cid, c.ann)], "ann", OVER),
}


@pytest.mark.parametrize("name", CASES)
def test_after(one, name):
    happens, who, wanted = CASES[name]
    call = Call(one)
    uid = getattr(call, who)
    call.always_says(uid, IN)
    happens(call)
    call.always_says(uid, wanted)


def test_a_crowd_of_headers(one, monkeypatch):
    """More than a worker takes of one request, and fewer than nginx does: it is the token that counts, in the query and
    in its header."""
    monkeypatch.setattr("http.client._MAXHEADERS", 1000)       # the node's
    crowd = {f"x{i}": "" for i in range(900)}
    call = Call(one)
    call.of(call.bob, method="delete")
    for uid, wanted in ((call.bob, OUT), (call.ann, IN)):
        assert call.says(uid, headers=crowd) == wanted
        one.node.came()
        answer = ask(one, headers={**crowd, "Authorization": f"Bearer {call.tokens[uid]}"})
        assert call.told(answer) == wanted
    call.post("end")
    assert call.says(call.ann, headers=crowd) == OVER
    assert ask(one, headers=crowd).text == "no permissions to access the room"
    assert ask(one, token="x", headers=crowd).text == "invalid authorization token"


def test_what_redis_holds(one):
    """Exactly who was removed, under the version of the change that did it."""
    call = Call(one)
    key, redis = f"tgo:room:{call.room}", one.redis()
    before = redis.hgetall(key)
    call.of(call.bob, method="delete")
    assert redis.hget(key, "removed").split("\n") == [call.bob]
    assert int(redis.hget(key, "version")) > int(before["version"])
    call.of(call.cid, method="delete")
    assert sorted(redis.hget(key, "removed").split("\n")) == sorted([call.bob, call.cid])
    assert call.says(call.bob) == call.says(call.cid) == OUT


def test_a_former_life_of_the_room(one):
    """A room_id is nobody else's while its call is kept, and a token does not live as long as the shortest time a call
    is: what was removed and comes again under the same id is another call, which asks for its own people."""
    call = Call(one)
    call.of(call.bob, method="delete")
    call.post("end")
    answer = one.api.post("/rooms", {"creator": "eve", "uids": [call.bob], "room_id": call.room})
    assert (answer.status_code, answer.json()["error"]) == (409, "room_already_exists")
    call.always_says(call.bob, OVER)
    with one.db() as connection, connection.cursor() as cursor:
        for table in ("event", "rtc_participant", "rtc_room"):
            cursor.execute(f"DELETE FROM {table} WHERE room_id = %s", (call.room,))
    one.redis().delete(f"tgo:room:{call.room}")
    answer = one.api.post("/rooms", {"creator": "eve", "uids": ["dan"], "room_id": call.room, "max_participants": 9})
    assert answer.status_code == 200, answer.text
    # Not removed from this one; that he is no part of it, LiveKit's event of his coming will find: here he has no row.
    assert one.api.get(f"/rooms/{call.room}/participants/{call.bob}").status_code == 404
    expired = cluster.access_token(one, call.room, call.bob, exp=1)
    assert ask(one, token=expired).status_code == 401
    call.of("dan", method="delete")
    call.tokens["dan"] = cluster.access_token(one, call.room, "dan")
    call.always_says("dan", OUT)


def test_without_redis(one):
    """MySQL remembers the same."""
    gone, back, over, here = Call(one), Call(one), Call(one), Call(one)
    gone.of(gone.bob, method="delete")
    back.of(back.bob, method="delete")
    back.post("invite", {"uids": [back.bob]})
    over.post("end")
    age, one.node.age = one.node.age, None
    one.stop("redis")
    try:
        assert gone.says(gone.bob) == OUT and over.says(over.bob) == OVER
        assert back.says(back.bob) == here.says(here.bob) == gone.says(gone.ann) == IN
        here.of(here.cid, method="delete")
        assert here.says(here.cid) == OUT, "removed while Redis is away"
    finally:
        one.start()
        one.node.redis, one.node.age = one.redis(), age
        one.node.record()
    assert here.says(here.cid) == OUT
