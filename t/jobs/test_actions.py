"""What LiveKit was to be told: rooms that are over are closed, people who are to be out are put out, whatever LiveKit,
its Redis or our processes do meanwhile; and nobody who came back is.

SPDX-License-Identifier: MIT
"""
import contextlib
import os
import signal
import time

import pymysql
import pytest

from support.client import Api
from support.fake_livekit import FakeLiveKit
from support.invariants import check_invariants
from support.jobs_process import rows
from support.wait import wait_until

CLAIM_S = 10


@pytest.fixture
def fake(quiet_stack):
    redis = quiet_stack.redis()
    redis.delete("nodes", "rooms", "room_node_map")
    server = FakeLiveKit(quiet_stack.env["LIVEKIT_API_SECRET"], redis=redis)
    yield server
    server.stop()


class World:
    """One stack with a LiveKit that is ours, and jobs that only carry out actions (the others find nothing to do)."""

    def __init__(self, stack, fake, make_jobs):
        self.stack, self.fake, self.make_jobs = stack, fake, make_jobs
        self.api, self.db = Api(stack), stack.db()

    def jobs(self, **settings):
        return self.make_jobs(self.stack, **{"LIVEKIT_URL": self.fake.url, "RECONCILE_INTERVAL": "0",
                                             "ACTION_RETRY_S": "0.1,0.2,0.3", **settings}).start()

    def call(self, fresh, *others):
        """A group call in which everybody has joined and is connected; room, uids, {uid: sid}."""
        room, uids = fresh("room"), [fresh(name) for name in ("ann", *others)]
        made = self.api.post("/rooms", {"creator": uids[0], "uids": uids[1:], "room_id": room, "max_participants": 9})
        assert made.status_code == 200, made.text
        for uid in uids:
            assert self.api.post(f"/rooms/{room}/join", {"uid": uid}).status_code == 200
        return room, uids, {uid: self.fake.join(room, uid) for uid in uids}

    def wanted(self, room, kind="remove_participant", uid="", sid="", created_at_ms=None):
        """An action as another process would have left it; its id."""
        at = created_at_ms or int(time.time() * 1000)
        with self.db.cursor() as c:
            c.execute("INSERT INTO livekit_action (kind, room_id, uid, sid, due_at_ms, created_at_ms)"
                      " VALUES (%s, %s, %s, %s, %s, %s)", (kind, room, uid, sid, at, at))
            return c.lastrowid

    def action(self, room):
        found = rows(self.db, "SELECT * FROM livekit_action WHERE room_id = %s", room)
        assert len(found) == 1, found
        return found[0]

    def ends_as(self, room, state, timeout=5):
        return wait_until(lambda: (lambda a: a if a["state"] == state else None)(self.action(room)), timeout,
                          what=f"{room} {state}: {self.action(room)}")


@pytest.fixture
def world(quiet_stack, fake, make_jobs):
    made = World(quiet_stack, fake, make_jobs)
    yield made
    problems = check_invariants(made.db)
    with made.db.cursor() as c:
        c.execute("UPDATE livekit_action SET state = 'done' WHERE state = 'open'")
    made.db.close()
    assert problems == []


def test_a_call_that_is_over_is_over_in_livekit_too(world, fresh):
    jobs = world.jobs()
    room, _, _ = world.call(fresh, "bob")
    assert world.api.post(f"/rooms/{room}/end").status_code == 200
    # Woken by the end itself: no poll of seconds lies between.
    wait_until(lambda: room not in world.fake.rooms, 2)
    done = world.ends_as(room, "done")
    assert (done["attempts"], done["last_error"]) == (1, "")
    line = [one for one in jobs.lines("livekit_action_done") if one["room_id"] == room]
    assert len(line) == 1 and line[0]["kind"] == "delete_room" and line[0]["outcome"] == "done"


def test_who_was_removed_is_put_out_and_nobody_else(world, fresh):
    world.jobs()
    room, (ann, bob, cyd), _ = world.call(fresh, "bob", "cyd")
    assert world.api.delete(f"/rooms/{room}/participants/{bob}").status_code == 200
    wait_until(lambda: set(world.fake.rooms[room]) == {ann, cyd}, 2)
    world.ends_as(room, "done")
    assert [b["identity"] for b in world.fake.asked("RemoveParticipant", room)] == [bob]


def leave_a_place(world, room):
    world.fake.redis.hset("room_node_map", room, "ND_gone")


def test_a_room_that_livekit_forgot_gives_its_place_up(world, fresh):
    """As after a join that failed half way: the map names a node, and no room is there."""
    closed, kept = fresh("room"), fresh("room")
    leave_a_place(world, closed)
    leave_a_place(world, kept)
    world.wanted(closed, "delete_room")
    world.jobs()
    world.ends_as(closed, "done")
    assert not world.fake.redis.hexists("room_node_map", closed)
    assert world.fake.redis.hexists("room_node_map", kept)
    assert world.fake.asked("DeleteRoom", closed) == []


# ---- who is not put out ----

def nobody_there(world, room, bob, sid):
    world.fake.leave(room, bob)
    return sid


def no_room(world, room, bob, sid):
    world.fake.close(room)
    return sid


def another_session(world, room, bob, sid):
    world.fake.join(room, bob)
    return sid


def joined_again(world, room, bob, sid):
    assert world.api.post(f"/rooms/{room}/join", {"uid": bob}).status_code == 200
    return sid


def joined_again_whichever_session(world, room, bob, sid):
    joined_again(world, room, bob, sid)
    return ""


def invited_again(world, room, bob, sid):
    assert world.api.post(f"/rooms/{room}/invite", {"uids": [bob]}).status_code == 200
    return sid


@pytest.mark.parametrize("case", [nobody_there, no_room, another_session, joined_again,
                                  joined_again_whichever_session, invited_again])
def test_not_put_out(world, fresh, case):
    room, (_, bob, _), sids = world.call(fresh, "bob", "cyd")
    assert world.api.post(f"/rooms/{room}/leave", {"uid": bob}).status_code == 200
    sid = case(world, room, bob, sids[bob])
    world.wanted(room, uid=bob, sid=sid)
    world.jobs()
    world.ends_as(room, "done")
    assert world.fake.asked("RemoveParticipant", room) == []


@pytest.mark.parametrize("known", [True, False])
def test_who_left_and_will_not_go_is_put_out(world, fresh, known):
    room, (_, bob, _), sids = world.call(fresh, "bob", "cyd")
    assert world.api.post(f"/rooms/{room}/leave", {"uid": bob}).status_code == 200
    world.wanted(room, uid=bob, sid=sids[bob] if known else "")
    world.jobs()
    world.ends_as(room, "done")
    assert bob not in world.fake.rooms[room]


def test_who_was_removed_for_good_does_not_come_back_by_staying(world, fresh):
    """An active row of somebody put out since is none that protects."""
    room, (_, bob, _), sids = world.call(fresh, "bob", "cyd")
    with world.db.cursor() as c:
        c.execute("UPDATE rtc_participant SET removed = 1 WHERE room_id = %s AND uid = %s", (room, bob))
    world.wanted(room, uid=bob, sid=sids[bob])
    world.jobs()
    world.ends_as(room, "done")
    assert bob not in world.fake.rooms[room]


# ---- when LiveKit does not do as it is told ----

FAULTS = {
    "500": (lambda fake, method: fake.fail(method, 500), "500 "),
    "a proxy's 404": (lambda fake, method: fake.fail(method, 404, "bad_route"), "404 "),
    "401": (lambda fake, method: fake.fail(method, 401, "unauthenticated"), "401 "),
    "hangs up": (lambda fake, method: fake.hang_up(method), ""),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ["DeleteRoom", "ListRooms"])
def test_tried_again_until_it_is_done(world, fresh, fault, method):
    fail, error = FAULTS[fault]
    room, _, _ = world.call(fresh, "bob")
    fail(world.fake, method)
    world.wanted(room, "delete_room")
    jobs = world.jobs()
    tried = wait_until(lambda: (lambda a: a if a["attempts"] >= 4 else None)(world.action(room)))
    assert tried["state"] == "open"
    assert tried["last_error"].startswith(error if method == "DeleteRoom" else "LiveKit does not say")
    assert room in world.fake.rooms
    world.fake.heal()
    world.ends_as(room, "done")
    assert room not in world.fake.rooms and jobs.lines("livekit_action_failed") == []


@pytest.mark.parametrize("method", ["GetParticipant", "RemoveParticipant"])
def test_a_removal_is_tried_again(world, fresh, method):
    room, (_, bob, _), sids = world.call(fresh, "bob", "cyd")
    assert world.api.post(f"/rooms/{room}/leave", {"uid": bob}).status_code == 200
    world.fake.fail(method, 503, "unavailable")
    world.wanted(room, uid=bob, sid=sids[bob])
    world.jobs()
    wait_until(lambda: world.action(room)["attempts"] >= 3)
    assert bob in world.fake.rooms[room]
    world.fake.heal()
    world.ends_as(room, "done")
    assert bob not in world.fake.rooms[room]


def test_who_comes_back_between_two_tries_stays(world, fresh):
    room, (_, bob, _), sids = world.call(fresh, "bob", "cyd")
    assert world.api.post(f"/rooms/{room}/leave", {"uid": bob}).status_code == 200
    world.fake.fail("RemoveParticipant", 500)
    world.wanted(room, uid=bob, sid=sids[bob])
    world.jobs()
    wait_until(lambda: world.action(room)["attempts"] >= 2)
    joined_again(world, room, bob, None)
    world.fake.heal()
    world.ends_as(room, "done")
    assert bob in world.fake.rooms[room]


def test_a_silent_livekit_keeps_no_other_action_waiting_for_ever(world, fresh):
    silent, (_, bob, _), sids = world.call(fresh, "bob", "cyd")
    other, _, _ = world.call(fresh, "bob")
    assert world.api.post(f"/rooms/{silent}/leave", {"uid": bob}).status_code == 200
    world.fake.silent("RemoveParticipant")
    world.wanted(silent, uid=bob, sid=sids[bob])
    world.wanted(other, "delete_room")
    world.jobs()
    world.ends_as(other, "done")
    tried = wait_until(lambda: (lambda a: a if a["last_error"] else None)(world.action(silent)), 10)
    assert "timed out" in tried["last_error"].lower()
    world.fake.heal()
    world.ends_as(silent, "done", 10)


def test_given_up_in_the_end(world, fresh):
    room, _, _ = world.call(fresh, "bob")
    world.fake.fail("DeleteRoom", 500)
    world.wanted(room, "delete_room", created_at_ms=int(time.time() * 1000) - 86400 * 1000)
    jobs = world.jobs()
    failed = world.ends_as(room, "failed")
    assert failed["attempts"] == 1 and failed["last_error"].startswith("500 ")
    line, = jobs.lines("livekit_action_failed")
    assert line["level"] == "error" and line["room_id"] == room and line["error"].startswith("500 ")


def test_pauses_grow_as_configured(world, fresh):
    """The last pause repeats; each lies a fifth around what the list says."""
    room, _, _ = world.call(fresh, "bob")
    world.fake.fail("DeleteRoom", 500)
    world.wanted(room, "delete_room")
    world.jobs(ACTION_RETRY_S="0.2,60")

    def pause():
        return world.action(room)["due_at_ms"] / 1000 - time.time()

    # While it is under way it is claimed for less.
    wait_until(lambda: world.action(room)["attempts"] == 2 and pause() > CLAIM_S)
    assert 45 < pause() <= 72


def test_a_room_on_a_dead_node_is_closed_on_another(world, fresh):
    """LiveKit cannot delete it there; it makes it anew where it can."""
    room, _, _ = world.call(fresh, "bob")
    world.fake.node_dies()
    world.wanted(room, "delete_room")
    world.jobs()
    world.ends_as(room, "done")
    about = [m for m, b, _ in world.fake.calls if room in (b.get("room"), b.get("name"))]
    assert about == ["CreateRoom", "DeleteRoom"] and room not in world.fake.rooms


def test_nobody_is_looked_for_on_a_dead_node(world, fresh):
    room, (_, bob, _), sids = world.call(fresh, "bob", "cyd")
    assert world.api.post(f"/rooms/{room}/leave", {"uid": bob}).status_code == 200
    world.fake.node_dies()
    world.wanted(room, uid=bob, sid=sids[bob])
    world.jobs()
    wait_until(lambda: world.action(room)["attempts"] >= 2)
    assert world.fake.asked("GetParticipant", room) == []
    world.fake.node_lives()
    world.ends_as(room, "done")
    assert bob not in world.fake.rooms[room]


def test_without_livekits_redis(world, fresh):
    room, (_, bob, _), sids = world.call(fresh, "bob", "cyd")
    assert world.api.post(f"/rooms/{room}/leave", {"uid": bob}).status_code == 200
    world.wanted(room, uid=bob, sid=sids[bob])
    world.jobs(LIVEKIT_REDIS_SOCKET=world.stack.var / "no-such-socket")
    world.ends_as(room, "done")
    assert bob not in world.fake.rooms[room]


# ---- several processes, and dead ones ----

def test_two_processes_share(world, fresh):
    closed = [fresh("room") for _ in range(150)]
    for room in closed:
        world.fake.join(room, "x")
        world.wanted(room, "delete_room")
    first, second = world.jobs(), world.jobs()
    wait_until(lambda: not world.fake.rooms.keys() & set(closed), 20)
    for room in closed:
        world.ends_as(room, "done")
    asked = [b["room"] for b in world.fake.asked("DeleteRoom")]
    assert sorted(asked) == sorted(closed)
    assert len(first.lines("livekit_action_done")) + len(second.lines("livekit_action_done")) == len(closed)


def test_a_claim_of_a_dead_process_is_free_within_seconds(world, fresh):
    room, _, _ = world.call(fresh, "bob")
    world.fake.silent("DeleteRoom")
    world.wanted(room, "delete_room")
    jobs = world.jobs()
    wait_until(lambda: world.fake.asked("DeleteRoom", room))
    claimed_until = world.action(room)["due_at_ms"] / 1000
    child = jobs.tasks()["actions"]
    jobs.signal(signal.SIGSTOP)                   # it starts no other in its place
    os.kill(child, signal.SIGKILL)
    assert CLAIM_S - 5 < claimed_until - time.time() <= CLAIM_S
    world.fake.heal()
    world.jobs()
    time.sleep(0.5)
    assert room in world.fake.rooms               # it is still somebody's
    assert world.ends_as(room, "done", CLAIM_S + 5)["attempts"] == 2


def test_killed_again_and_again_everything_is_done(world, fresh):
    jobs = world.jobs()
    closed = [fresh("room") for _ in range(60)]
    for n, room in enumerate(closed):
        world.fake.join(room, "x")
        world.wanted(room, "delete_room")
        if n % 20 == 10:
            os.kill(jobs.tasks()["actions"], signal.SIGKILL)
            jobs.full()
    wait_until(lambda: not world.fake.rooms.keys() & set(closed), CLAIM_S + 20)
    for room in closed:
        world.ends_as(room, "done", CLAIM_S + 5)


def test_the_database_goes_away(world, fresh):
    """One that was asked for just before is done when it is back."""
    jobs = world.jobs()
    with world.db.cursor() as c:
        c.execute("SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID()")
        for one in c.fetchall():
            with contextlib.suppress(pymysql.err.MySQLError):      # it has ended by itself
                c.execute(f"KILL {one['id']}")
    room, _, _ = world.call(fresh, "bob")
    world.wanted(room, "delete_room")
    world.ends_as(room, "done", 15)
    assert jobs.full()
