"""What LiveKit forgot to say is found out: its lists against our calls, with a LiveKit whose lists and faults a test
decides. SPDX-License-Identifier: MIT"""
import os
import signal
import time

import pytest

from support.client import Api
from support.fake_livekit import FakeLiveKit
from support.invariants import check_invariants
from support.jobs_process import Jobs, rows
from support.livekit_hook import CONTENT_TYPE, Hook, now_ms, person
from support.stack import Stack
from support.wait import wait_until

# Short, so that a minute's story is told in seconds.
SHORT = {"RECONCILE_INTERVAL": "0.5", "LOOK_AGAIN_S": "0.3", "JOIN_GRACE": "1", "LIST_SOON_S": "1", "REJOIN_GRACE": "2",
         "CLOSE_INTERVAL_S": "0.5", "ACTION_RETRY_S": "0.2"}
LOOKS_S = 12


@pytest.fixture(scope="module")
def short_stack():
    with Stack(nodes=0, jobs=False, **SHORT) as running:
        yield running


@pytest.fixture(scope="module")
def media(short_stack):
    fake = FakeLiveKit(short_stack.env["LIVEKIT_API_SECRET"], redis=short_stack.redis())
    yield fake
    fake.stop()


@pytest.fixture(scope="module")
def looking(short_stack, media, tmp_path_factory):
    """tgo-call-jobs that asks that LiveKit."""
    running = Jobs(short_stack, tmp_path_factory.mktemp("jobs"), LIVEKIT_URL=media.url).start()
    yield running
    running.clean_up()


@pytest.fixture
def api(short_stack):
    return Api(short_stack)


@pytest.fixture
def db(short_stack, media, looking):
    connection = short_stack.db()
    yield connection
    media.heal()
    media.node_lives()
    media.wiped.clear()
    problems = check_invariants(connection)
    connection.close()
    assert problems == []


def room_row(db, room):
    return rows(db, "SELECT * FROM rtc_room WHERE room_id = %s", room)[0]


def row(db, room, uid):
    return rows(db, "SELECT * FROM rtc_participant WHERE room_id = %s AND uid = %s", room, uid)[0]


def events(db, room):
    return [(e["type"].partition(".")[2], e["uid"]) for e in
            rows(db, "SELECT type, uid FROM event WHERE room_id = %s ORDER BY seq", room)]


def calling(api, fresh, n=1, **more):
    """A call of ann's that rings at n others: its room, then everybody, ann first."""
    ann, others = fresh("ann"), [fresh("bob") for _ in range(n)]
    answer = api.post("/rooms", {"creator": ann, "uids": others, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["room_id"], ann, *others


def talking(api, db, media, fresh, n=1, **more):
    """The same, with all of them connected, as it was found out."""
    room, *people = calling(api, fresh, n, **more)
    for uid in people:
        media.join(room, uid)
    wait_until(lambda: all(row(db, room, uid)["sid"] for uid in people), LOOKS_S, what="everybody's session known")
    return room, *people


def looks_at(media, room, n, timeout=LOOKS_S):
    """Waits until LiveKit was asked n times more about the room."""
    def count():
        return sum(room in body.get("names", []) for body in media.asked("ListRooms"))

    before = count()
    wait_until(lambda: count() >= before + n, timeout, what=f"{n} looks at {room}")


def test_two_joins_that_nobody_told_of(api, db, media, fresh):
    room, ann, bob = calling(api, fresh)
    media.join(room, ann, attributes={"device_type": "web"})
    media.join(room, bob, kind="STANDARD")
    media.join(room, "agent-x", kind="AGENT")
    wait_until(lambda: row(db, room, bob)["status"] == 1, LOOKS_S, what="bob joined")
    assert room_row(db, room)["status"] == 1 and room_row(db, room)["answered_at_ms"] > 0
    assert row(db, room, ann)["sid"] and row(db, room, bob)["sid"]
    told = events(db, room)
    assert told[:2] == [("invited", ann), ("started", "")]
    assert sorted(told[2:]) == sorted([("accepted", ann), ("joined", ann), ("accepted", bob), ("joined", bob)])
    looks_at(media, room, 3)
    assert events(db, room) == told and len(rows(db, "SELECT 1 FROM rtc_participant WHERE room_id = %s", room)) == 2


def test_somebody_gone_is_lost_after_two_looks(api, db, media, fresh):
    room, ann, bob = talking(api, db, media, fresh)
    media.leave(room, bob)
    wait_until(lambda: row(db, room, bob)["missing_at_ms"] > 0 or room_row(db, room)["status"] == 2, LOOKS_S)
    wait_until(lambda: room_row(db, room)["status"] == 2, LOOKS_S, what="the call over")
    assert row(db, room, bob)["left_how"] == "lost" and room_row(db, room)["end_reason"] == "lost"
    assert events(db, room)[-3:] == [("left", bob), ("left", ann), ("finished", "")]
    wait_until(lambda: room not in media.rooms, LOOKS_S, what="the media room closed")


def test_a_thousand_gone_at_once(api, db, media, fresh):
    """Everybody is named in everybody's event: tens of megabytes of them, in one change."""
    ann = fresh("ann")
    people = [f"{fresh('p')}-".ljust(36, "x") for _ in range(999)]
    answer = api.post("/rooms", {"creator": ann, "uids": people})
    assert answer.status_code == 200, answer.text
    room = answer.json()["room_id"]
    with db.cursor() as c:
        c.execute("UPDATE rtc_participant SET status = 1, join_time = UNIX_TIMESTAMP(), deadline_ms = 0, claimed = 0,"
                  " sid = CONCAT('PA_', id), session_from_ms = 1, sid_at_ms = 1 WHERE room_id = %s", (room,))
        c.execute("UPDATE rtc_room SET status = 1, answered_at_ms = created_at_ms,"
                  " next_deadline_ms = created_at_ms + 86400000, look_at_ms = 1, version = version + 1"
                  " WHERE room_id = %s", (room,))
    wait_until(lambda: room_row(db, room)["status"] == 2, 60, what="the call over")
    told = events(db, room)
    assert sorted(uid for what, uid in told if what == "left") == sorted([ann, *people])
    assert told[-1] == ("finished", "")


def test_the_others_of_a_group_go_on(api, db, media, fresh):
    room, ann, bob, cyd = talking(api, db, media, fresh, n=2)
    media.leave(room, cyd)
    wait_until(lambda: row(db, room, cyd)["status"] == 3, LOOKS_S, what="cyd lost")
    looks_at(media, room, 3)
    assert room_row(db, room)["status"] == 1 and row(db, room, bob)["status"] == 1
    # And comes back, with a session nobody told of.
    media.join(room, cyd)
    wait_until(lambda: row(db, room, cyd)["status"] == 1, LOOKS_S, what="cyd back")
    assert events(db, room)[-3:] == [("left", cyd), ("accepted", cyd), ("joined", cyd)]


def test_who_joined_and_never_appears_is_lost(api, db, media, fresh):
    room, ann, bob = calling(api, fresh)
    for uid in (ann, bob):
        assert api.post(f"/rooms/{room}/join", {"uid": uid}).status_code == 200
    media.join(room, ann)
    wait_until(lambda: room_row(db, room)["status"] == 2, LOOKS_S, what="the call over")
    assert row(db, room, bob)["left_how"] == "lost"
    assert int(room_row(db, room)["ended_at_ms"]) - int(row(db, room, bob)["session_from_ms"]) >= 1000


@pytest.mark.parametrize("fault", ["fail", "silent", "hang_up"])
def test_while_livekit_cannot_be_asked_nothing_is_concluded(api, db, media, looking, fresh, fault):
    room, ann, bob = talking(api, db, media, fresh)
    method = "ListRooms" if fault == "silent" else "*"
    media.fail(method, 500) if fault == "fail" else getattr(media, fault)(method)
    looks_at(media, room, 1)
    media.leave(room, bob)
    version = room_row(db, room)["version"]
    looks_at(media, room, 3, 30)
    assert room_row(db, room)["version"] == version and row(db, room, bob)["status"] == 1
    media.heal()
    wait_until(lambda: room_row(db, room)["status"] == 2, LOOKS_S, what="bob's going found out")


def test_a_list_that_cannot_be_had_concludes_nothing(api, db, media, fresh):
    room, ann, bob = talking(api, db, media, fresh)
    media.fail("ListParticipants", 503, "unavailable")
    media.leave(room, bob)
    looks_at(media, room, 3)
    assert row(db, room, bob)["status"] == 1
    media.heal()
    wait_until(lambda: room_row(db, room)["status"] == 2, LOOKS_S, what="bob's going found out")


def test_a_dead_node_gives_a_while_to_come_back(api, db, media, fresh):
    room, ann, bob = talking(api, db, media, fresh)
    media.node_dies()
    wait_until(lambda: row(db, room, bob)["deadline_ms"] > 0, LOOKS_S, what="bob's rejoin grace")
    assert api.get(f"/rooms/{room}/participants/{bob}").json()["reconnecting"] is True
    assert ("left", bob) not in events(db, room)
    wait_until(lambda: room_row(db, room)["status"] == 2, LOOKS_S, what="nobody came back")
    assert room_row(db, room)["end_reason"] == "lost"


def test_a_node_that_was_only_frozen_loses_nobody(api, db, media, fresh):
    room, ann, bob = talking(api, db, media, fresh)
    told = events(db, room)
    media.node_dies()
    wait_until(lambda: row(db, room, bob)["deadline_ms"] > 0, LOOKS_S, what="bob's rejoin grace")
    media.node_lives()
    wait_until(lambda: row(db, room, bob)["deadline_ms"] == row(db, room, ann)["deadline_ms"] == 0, LOOKS_S,
               what="the grace taken back")
    looks_at(media, room, 4)
    assert room_row(db, room)["status"] == 1 and events(db, room) == told


def test_a_room_wiped_from_redis_goes_on(api, db, media, fresh):
    """A frozen node that came back deletes the records of a call that another node hosts by now."""
    room, ann, bob = talking(api, db, media, fresh)
    told = events(db, room)
    media.wiped.add(room)
    media.redis.hdel("room_node_map", room)
    wait_until(lambda: len(media.asked("UpdateSubscriptions", room)) >= 4, LOOKS_S, what="both asked for by name twice")
    looks_at(media, room, 2)
    assert room_row(db, room)["status"] == 1 and events(db, room) == told
    media.close(room)
    media.wiped.clear()
    wait_until(lambda: room_row(db, room)["status"] == 2, LOOKS_S, what="the end of a room no node has")


def test_a_list_of_a_node_that_hosts_the_room_no_longer(api, db, media, fresh):
    """It was frozen, came back, and answers with the list it has: an empty one."""
    room, ann, bob = talking(api, db, media, fresh)
    told = events(db, room)
    media.lists[room] = []
    media.counts[room] = 0
    wait_until(lambda: len(media.asked("UpdateSubscriptions", room)) >= 4, LOOKS_S, what="both asked for by name twice")
    looks_at(media, room, 3)
    assert room_row(db, room)["status"] == 1 and events(db, room) == told
    # No answer is no answer.
    media.fail("UpdateSubscriptions", 500)
    media.leave(room, bob)
    looks_at(media, room, 4)
    assert room_row(db, room)["status"] == 1 and events(db, room) == told
    media.heal()
    wait_until(lambda: room_row(db, room)["status"] == 2, LOOKS_S, what="bob's going found out")
    del media.lists[room], media.counts[room]


def test_a_call_that_is_over_is_closed_in_livekit(api, db, media, fresh):
    room, ann, bob = talking(api, db, media, fresh)
    media.fail("DeleteRoom", 500)
    assert api.post(f"/rooms/{room}/end").status_code == 200
    wait_until(lambda: media.asked("DeleteRoom", room), LOOKS_S, what="a try to close it")
    media.heal()
    wait_until(lambda: room not in media.rooms, LOOKS_S, what="closed")
    version, updated = room_row(db, room)["version"], room_row(db, room)["updated_at_ms"]
    # Somebody opens it anew with an old token, and LiveKit says nothing of it.
    media.join(room, bob)
    wait_until(lambda: room not in media.rooms, 2 * LOOKS_S, what="closed again")
    assert room_row(db, room)["status"] == 2 and room_row(db, room)["updated_at_ms"] == updated
    assert room_row(db, room)["version"] > version


def test_calls_over_long_ago_are_not_looked_at(api, db, media, fresh):
    room, ann, bob = talking(api, db, media, fresh)
    assert api.post(f"/rooms/{room}/end").status_code == 200
    wait_until(lambda: room not in media.rooms, LOOKS_S, what="closed")
    with db.cursor() as c:
        c.execute("UPDATE rtc_room SET ended_at_ms = ended_at_ms - 3600000, look_at_ms = 1 WHERE room_id = %s", (room,))
    wait_until(lambda: room_row(db, room)["look_at_ms"] == 0, LOOKS_S, what="its last look")


def test_who_hung_up_and_stays_connected_is_put_out(api, db, media, fresh):
    room, ann, bob, cyd = talking(api, db, media, fresh, n=2)
    assert api.post(f"/rooms/{room}/leave", {"uid": cyd}).status_code == 200
    wait_until(lambda: media.asked("RemoveParticipant", room), LOOKS_S, what="cyd put out")
    assert [b["identity"] for b in media.asked("RemoveParticipant", room)] == [cyd]
    assert row(db, room, cyd)["status"] == 3
    # One who comes back is no such person.
    media.join(room, cyd)
    wait_until(lambda: row(db, room, cyd)["status"] == 1, LOOKS_S, what="cyd back")
    looks_at(media, room, 3)
    assert len(media.asked("RemoveParticipant", room)) == 1 and cyd in media.rooms[room]


def test_a_stranger_in_a_full_call_is_put_out(api, db, media, fresh):
    room, ann, bob = talking(api, db, media, fresh)
    stranger = fresh("eve")
    media.join(room, stranger)
    wait_until(lambda: stranger not in media.rooms[room], LOOKS_S, what="eve put out")
    assert len(rows(db, "SELECT 1 FROM rtc_participant WHERE room_id = %s", room)) == 2


def test_a_quiet_call_costs_a_name_in_a_list(api, db, media, fresh):
    room, ann, bob = talking(api, db, media, fresh)
    looks_at(media, room, 2)
    db_before, asked = room_row(db, room), len(media.asked("ListParticipants", room))
    looks_at(media, room, 4)
    after = room_row(db, room)
    assert len(media.asked("ListParticipants", room)) == asked
    changed = {k for k in after if after[k] != db_before[k]}
    assert changed <= {"look_at_ms"}
    # Numbers that differ are looked into, each time; an agent makes such a difference.
    media.join(room, "agent-y", kind="AGENT")
    wait_until(lambda: len(media.asked("ListParticipants", room)) >= asked + 2, LOOKS_S, what="lists")
    assert room_row(db, room)["version"] == db_before["version"]


def test_refused_and_late_webhooks_make_it_look_more_often(short_stack, api, db, media, fresh):
    cache = short_stack.redis()
    room, ann, bob = talking(api, db, media, fresh)
    looks_at(media, room, 2)
    cache.delete("tgo:hook-trouble")
    asked = len(media.asked("ListParticipants", room))
    Hook(short_stack.env, api).tell("track_published", room, "RM_x", created_at_ms=now_ms() - 5000)
    assert not cache.exists("tgo:hook-trouble")
    Hook(short_stack.env, api).tell("track_published", room, "RM_x", created_at_ms=now_ms() - 13000)
    assert 590 < cache.ttl("tgo:hook-trouble") <= 600
    cache.delete("tgo:hook-trouble")
    answer = api.post("/webhooks/livekit", key=None, data=b"{}",
                      headers={"Authorization": "nobody", "Content-Type": CONTENT_TYPE})
    assert answer.status_code == 401 and 590 < cache.ttl("tgo:hook-trouble") <= 600
    wait_until(lambda: len(media.asked("ListParticipants", room)) >= asked + 2, LOOKS_S, what="lists")
    cache.delete("tgo:hook-trouble")


def test_two_share_the_calls(short_stack, api, db, media, make_jobs, fresh):
    rooms = [talking(api, db, media, fresh)[0] for _ in range(3)]
    other = make_jobs(short_stack, LIVEKIT_URL=media.url).start()
    looks_at(media, rooms[0], 2)
    media.calls.clear()
    began = time.monotonic()
    looks_at(media, rooms[0], 5)
    seconds = time.monotonic() - began
    for room in rooms:
        names = sum(room in body["names"] for body in media.asked("ListRooms"))
        assert names <= 2 * seconds + 2, f"{room}: {names} looks in {seconds:.1f} s"
    assert other.stop() == 0


def test_killed_while_it_asks(short_stack, api, db, media, looking, fresh):
    room, ann, bob = talking(api, db, media, fresh)
    media.silent("ListParticipants")
    media.leave(room, bob)
    asked = len(media.asked("ListParticipants", room))
    wait_until(lambda: len(media.asked("ListParticipants", room)) > asked, LOOKS_S, what="it asks")
    looking.kill("reconcile")
    media.heal()
    wait_until(lambda: room_row(db, room)["status"] == 2, LOOKS_S, what="its successor finds out")


def test_frozen_past_a_change_it_does_not_undo_it(short_stack, api, db, media, looking, fresh):
    """What LiveKit said before somebody joined anew says nothing about that."""
    room, ann, bob = talking(api, db, media, fresh)
    pid = looking.full()["reconcile"]
    media.leave(room, bob)
    wait_until(lambda: row(db, room, bob)["missing_at_ms"] > 0, LOOKS_S, 0.005, what="missing once")
    os.kill(pid, signal.SIGSTOP)
    try:
        assert api.post(f"/rooms/{room}/join", {"uid": bob}).status_code == 200
        assert row(db, room, bob)["missing_at_ms"] == 0
        media.join(room, bob)
    finally:
        os.kill(pid, signal.SIGCONT)
    looks_at(media, room, 4)
    assert room_row(db, room)["status"] == 1 and ("left", bob) not in events(db, room)


# ---- other settings ----

def test_room_finished_makes_it_look_at_once(quiet_stack, make_jobs, fresh):
    fake = FakeLiveKit(quiet_stack.env["LIVEKIT_API_SECRET"])
    try:
        make_jobs(quiet_stack, LIVEKIT_URL=fake.url, RECONCILE_INTERVAL=600).start()
        api = Api(quiet_stack)
        room, ann, bob = calling(api, fresh)
        hook = Hook(quiet_stack.env, api)
        hook.tell("room_started", room, "RM_1")
        hook.tell("participant_joined", room, "RM_1", person(ann, "PA_" + ann, now_ms()))
        time.sleep(1.5)                    # two of its passes: it does not look before it is asked to
        assert not any(room in body["names"] for body in fake.asked("ListRooms"))
        hook.tell("room_finished", room, "RM_1")
        wait_until(lambda: any(room in body["names"] for body in fake.asked("ListRooms")), 5, what="a look")
    finally:
        fake.stop()


def test_switched_off(quiet_stack, make_jobs, fresh):
    fake = FakeLiveKit(quiet_stack.env["LIVEKIT_API_SECRET"])
    try:
        jobs = make_jobs(quiet_stack, LIVEKIT_URL=fake.url, RECONCILE_INTERVAL=0).start()
        wait_until(lambda: jobs.lines("reconcile_off"), 10, what="the warning")
        room, *_ = calling(Api(quiet_stack), fresh)
        time.sleep(1)
        assert len(jobs.lines("reconcile_off")) == 1 and jobs.lines("reconcile_off")[0]["level"] == "warn"
        assert not fake.asked("ListRooms")
    finally:
        fake.stop()


STALE = [  # status of the room or None, rows before, rows after
    (2, {"a": 1, "b": 0, "c": 2}, {"a": 3, "b": 6, "c": 2}),
    (4, {"a": 1, "b": 0}, {"a": 3, "b": 2}),
    (6, {"a": 0, "b": 0}, {"a": 4, "b": 4}),
    (None, {"a": 1, "b": 0, "c": 4}, {"a": 3, "b": 6, "c": 4}),
]


def test_stale_rows_of_the_go_server_are_healed(quiet_stack, make_jobs, fresh):
    db = quiet_stack.db()
    wanted = {}
    with db.cursor() as c:
        for status, before, after in STALE:
            room = fresh("go")
            if status is not None:
                c.execute("INSERT INTO rtc_room (room_id, creator, status, created_at, updated_at, created_at_ms,"
                          " updated_at_ms) VALUES (%s, 'x', %s, NOW(), NOW(), 1795000000000, 1795000060000)",
                          (room, status))
            for name, one in before.items():
                c.execute("INSERT INTO rtc_participant (room_id, uid, status, join_time) VALUES (%s, %s, %s, %s)",
                          (room, f"{name}-{room}", one, 1795000010 if one == 1 else 0))
            wanted[room] = {f"{name}-{room}": one for name, one in after.items()}

    def now():
        return {room: {r["uid"]: r["status"] for r in
                       rows(db, "SELECT uid, status FROM rtc_participant WHERE room_id = %s", room)} for room in wanted}

    jobs = make_jobs(quiet_stack, RECONCILE_INTERVAL=0).start()
    wait_until(lambda: now() == wanted, 10, what=f"{wanted}, not {now()}")
    wait_until(lambda: jobs.lines("stale_rows_closed"), 5)
    first = next(iter(wanted))
    gone = rows(db, "SELECT * FROM rtc_participant WHERE room_id = %s AND uid = %s", first, f"a-{first}")[0]
    assert (gone["leave_time"], gone["left_how"], gone["deadline_ms"]) == (1795000060, "ended", 0)
    assert rows(db, "SELECT COUNT(*) n FROM event WHERE room_id IN %s", list(wanted))[0]["n"] == 0
    assert rows(db, "SELECT status FROM rtc_room WHERE room_id = %s", first)[0]["status"] == 2
    assert check_invariants(db) == []
    db.close()
