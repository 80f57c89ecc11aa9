"""Who does not answer is missed, who does not come back is lost, in time and once: by processes of the task `deadlines`
that may be several, may be killed, and whose LiveKit and Redis may be away. SPDX-License-Identifier: MIT
"""
import random
import threading
import time

import pymysql
import pytest

from support.client import Api
from support.fake_livekit import FakeLiveKit
from support.invariants import check_invariants
from support.rounds import rounds
from support.story import Story
from support.time_passes import NOW, db_now, run_down
from support.wait import wait_until

# Well within a poll without Redis; a machine that is busy takes its time.
SOON_S = 20


@pytest.fixture(scope="module")
def livekit(quiet_stack):
    fake = FakeLiveKit(quiet_stack.env["LIVEKIT_API_SECRET"])
    yield fake
    fake.stop()


@pytest.fixture(scope="module")
def db(quiet_stack):
    connection = quiet_stack.db()
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def redis_client(quiet_stack):
    return quiet_stack.redis()


@pytest.fixture
def api(quiet_stack):
    return Api(quiet_stack)


@pytest.fixture
def story(quiet_stack, api, db, fresh):
    return Story(quiet_stack, api, db, fresh)


@pytest.fixture
def calls(story):
    """calls(20): so many calls of two that ring; their ids."""

    def make(n, **more):
        rooms = [story.fresh("room") for _ in range(n)]
        for room in rooms:
            answer = story.api.post("/rooms", {"creator": story.fresh("ann"), "uids": [story.fresh("bob")],
                                               "room_id": room, **more})
            assert answer.status_code == 200, answer.text
        return rooms

    return make


@pytest.fixture
def deadlines(quiet_stack, livekit, make_jobs, db):
    """deadlines(CONFIG="value", ...): a process of that task."""
    livekit.heal()

    def start(**settings):
        jobs = make_jobs(quiet_stack, **{"LIVEKIT_URL": livekit.url, **settings})
        jobs.spawn("--task", "deadlines")
        wait_until(lambda: select(db, "SELECT id FROM jobs_process WHERE pid = %s", jobs.pid), SOON_S)
        return jobs

    yield start
    assert check_invariants(db) == []


def select(db, sql, *args):
    with db.cursor() as c:
        c.execute(sql, args)
        return c.fetchall()


def in_status(db, rooms, status):
    found = select(db, "SELECT COUNT(*) AS n FROM rtc_room WHERE room_id IN %s AND status = %s", rooms, status)
    return found[0]["n"]


def all_missed(db, rooms, timeout=SOON_S):
    wait_until(lambda: in_status(db, rooms, 6) == len(rooms), timeout, what="every call missed")


def told_once(db, rooms):
    """participant.missed and room.finished, once a room."""
    found = select(db, "SELECT room_id, SUM(type = 'participant.missed') AS missed,"
                       " SUM(type = 'room.finished') AS ended FROM event WHERE room_id IN %s GROUP BY room_id", rooms)
    assert len(found) == len(rooms)
    assert [one for one in found if (one["missed"], one["ended"]) != (1, 1)] == []


# ---- what becomes of a call ----

BEGIN = {
    "nobody": ["create ann bob"],
    "creator waits": ["create ann bob", "join ann"],
    "group, nobody": ["create ann bob,cat,dan invite_on=1 seats=5", "join ann"],
    "open group, nobody": ["create ann bob,cat seats=5", "join ann"],
    "group, some": ["create ann bob,cat,dan seats=5", "join ann", "join bob"],
    "group, refused": ["create ann bob,cat invite_on=1 seats=5", "join ann", "reject bob"],
    "answered": ["create ann bob seats=3", "join ann", "join bob", "joined ann PA_1", "joined bob PA_2",
                 "left bob PA_2 STATE_MISMATCH"],
    "two of three": ["create ann bob,cat seats=3", "join ann", "join bob", "joined ann PA_1", "joined bob PA_2",
                     "left bob PA_2 STATE_MISMATCH"],
}
RUN_OUT = [
    ("nobody", "bob", "", "room=6 missed/; bob=4 ann=4; invited(ann)invited[bob]@0 missed()missed[bob]@0 finished@6; "
                          "delete_room"),
    ("creator waits", "bob", "", "room=6 missed/; bob=4 ann=3; invited(ann)invited[bob]@0 accepted(ann)@0 "
                                 "missed()missed[bob]@0 left(ann)@6 finished@6; delete_room"),
    ("creator waits", "bob", "bob", "room=1; bob=1 ann=1; invited(ann)invited[bob]@0 accepted(ann)@0 started@1 "
                                    "accepted(bob)@1 joined(bob)@1"),
    ("group, nobody", "bob cat dan", "", "room=6 missed/; bob=4 cat=4 dan=4 ann=3; invited(ann)invited[bob,cat,dan]@0 "
     "accepted(ann)@0 missed()missed[bob,cat,dan]@0 left(ann)@6 finished@6; delete_room"),
    ("open group, nobody", "bob cat", "", "room=0; bob=4 cat=4 ann=1; invited(ann)invited[bob,cat]@0 accepted(ann)@0 "
                                          "missed()missed[bob,cat]@0"),
    ("group, some", "cat dan", "", "room=0; bob=1 cat=4 dan=4 ann=1; invited(ann)invited[bob,cat,dan]@0 "
                                   "accepted(ann)@0 accepted(bob)@0 missed()missed[cat,dan]@0"),
    ("group, some", "cat dan", "dan ann", "room=1; bob=1 cat=4 dan=1 ann=1; invited(ann)invited[bob,cat,dan]@0 "
     "accepted(ann)@0 accepted(bob)@0 started@1 accepted(dan)@1 joined(dan)@1 joined(ann)@1 missed()missed[cat]@1"),
    ("group, refused", "cat", "", "room=6 missed/; bob=2 cat=4 ann=3; invited(ann)invited[bob,cat]@0 accepted(ann)@0 "
                                  "rejected(bob)@0 missed()missed[cat]@0 left(ann)@6 finished@6; delete_room"),
    ("two of three", "bob cat", "ann", "room=1; bob=3 cat=4 ann=1; invited(ann)invited[bob,cat]@0 accepted(ann)@0 "
     "accepted(bob)@0 started@1 joined(ann)@1 joined(bob)@1 missed()missed[cat]@1 left(bob)@1"),
    ("answered", "bob", "bob", "room=1; bob=1 ann=1; invited(ann)invited[bob]@0 accepted(ann)@0 accepted(bob)@0 "
                               "started@1 joined(ann)@1 joined(bob)@1 joined(bob)@1"),
]


@pytest.mark.parametrize("begin,late,there,end", RUN_OUT)
def test_a_deadline(deadlines, story, livekit, db, redis_client, begin, late, there, end):
    story.play(BEGIN[begin])
    for name in there.split():
        # Of a session that was told of before, LiveKit shows the same.
        sid = "PA_1" if (name, "PA_1") in story.joined_at else None
        livekit.join(story.room, story.name(name), sid=sid, joined_at_ms=story.joined_at.get((name, sid)))
    version = story.room_row()["version"]
    deadlines()
    run_down(db, [story.room], uids=[story.name(one) for one in late.split()], redis=redis_client)
    wait_until(lambda: story.room_row()["version"] >= version + 2, SOON_S)
    assert story.text() == end


def test_one_line_a_room(deadlines, calls, db, redis_client):
    rooms, jobs = calls(2), deadlines()
    run_down(db, rooms, redis=redis_client)
    all_missed(db, rooms)
    lines = wait_until(lambda: [one for one in jobs.lines("deadline_fired") if one["room_id"] in rooms], SOON_S)
    assert sorted(one["room_id"] for one in lines) == sorted(rooms)
    assert {(one["level"], one["what"], one["missed"], one["lost"]) for one in lines} == {("info", "ring", 2, 0)}


def test_each_call_its_own_time(deadlines, calls, db):
    """By the clock, not by us: ring time-outs of 5, 6 and 7 s."""
    deadlines()
    rooms = [calls(1, timeout=s)[0] for s in (7, 5, 6)]
    all_missed(db, rooms)
    for room, s in zip(rooms, (7, 5, 6)):
        took = select(db, "SELECT e.created_at_ms - r.created_at_ms AS ms FROM event e JOIN rtc_room r"
                          " ON r.room_id = e.room_id WHERE e.room_id = %s AND e.type = 'participant.missed'", room)
        assert s * 1000 <= took[0]["ms"] < s * 1000 + 3000
    told_once(db, rooms)


@pytest.mark.parametrize("answered,end", [(True, "room=2 max_duration/; bob=3 ann=3"),
                                          (False, "room=3 max_duration/; bob=6 ann=3")])
@pytest.mark.parametrize("silent", [False, True])
def test_no_call_lasts_for_ever(deadlines, story, livekit, db, redis_client, answered, end, silent):
    story.play(["create ann bob", "join ann", *(["join bob"] if answered else [])])
    if silent:
        livekit.fail("*", 500)
    for name in ("ann", "bob"):
        livekit.join(story.room, story.name(name))
    select(db, "UPDATE rtc_room SET created_at_ms = created_at_ms - 3600000, next_deadline_ms = created_at_ms + 1,"
               " version = version + 1 WHERE room_id = %s", story.room)
    deadlines(MAX_CALL_S=3600)
    redis_client.publish("tgo:wake", 0)
    wait_until(lambda: story.room_row()["status"] > 1, SOON_S)
    assert story.text().startswith(end) and story.text().endswith("; delete_room")


# ---- LiveKit does not answer ----

def test_a_silent_livekit_is_waited_for_and_not_for_ever(deadlines, calls, livekit, db, redis_client):
    rooms = calls(3)
    jobs = deadlines(RING_OVERDUE_S=3, DEADLINE_RETRY_S=0.3)
    livekit.silent("*")
    at = run_down(db, rooms, late_ms=0, redis=redis_client)
    while db_now(db) < at + 2500:
        assert in_status(db, rooms, 0) == 3 and check_invariants(db) == []
        time.sleep(0.1)
    all_missed(db, rooms)
    first = select(db, "SELECT MIN(created_at_ms) AS at FROM event WHERE room_id IN %s AND type = 'participant.missed'",
                   rooms)[0]["at"]
    assert at + 3000 <= first
    assert {one["what"] for one in jobs.lines("deadline_fired")} == {"ring"}
    told_once(db, rooms)


@pytest.mark.parametrize("fault", ["fail", "hang_up", "refused"])
def test_livekit_comes_back_in_time(deadlines, story, livekit, db, redis_client, fault):
    """Somebody is connected, and LiveKit says so a little late: nobody is missed."""
    story.play(["create ann bob", "join ann"])
    livekit.join(story.room, story.name("bob"))
    settings = {"LIVEKIT_URL": "http://127.0.0.1:1"} if fault == "refused" else {}
    jobs = deadlines(RING_OVERDUE_S=600, DEADLINE_RETRY_S=0.2, **settings)
    if fault != "refused":
        getattr(livekit, fault)("*", *([500] if fault == "fail" else []))
    run_down(db, [story.room], redis=redis_client)
    wait_until(lambda: story.room_row()["next_deadline_ms"] > db_now(db) - 50, SOON_S, what="pushed back")
    time.sleep(0.5)
    assert (story.row("bob")["status"], story.room_row()["status"]) == (0, 0)
    if fault == "refused":
        jobs.stop()
        deadlines()
    livekit.heal()
    wait_until(lambda: story.row("bob")["status"] == 1, SOON_S)
    assert "missed" not in story.text()


def test_many_calls_and_a_silent_livekit(deadlines, calls, livekit, db, redis_client):
    """It costs a second now and then, not a second for each."""
    rooms = calls(rounds(100, 400))
    deadlines(RING_OVERDUE_S=1, DEADLINE_RETRY_S=1)
    livekit.silent("*")
    before = len(livekit.asked("ListRooms"))
    run_down(db, rooms, redis=redis_client)
    all_missed(db, rooms)
    told_once(db, rooms)
    assert 0 < len(livekit.asked("ListRooms")) - before < 10


# ---- several processes, and their deaths ----

def test_two_processes(deadlines, calls, db, redis_client):
    rooms = calls(rounds(80, 400))
    deadlines(), deadlines()
    run_down(db, rooms, redis=redis_client)
    all_missed(db, rooms)
    told_once(db, rooms)


def test_killed_at_any_moment(deadlines, calls, db, redis_client):
    """Each call is missed once, however often the one who says so dies on the way."""
    n_killed = 0
    for _ in range(rounds(3, 25)):
        rooms = calls(40)
        run_down(db, rooms)
        while in_status(db, rooms, 6) < len(rooms):
            jobs = deadlines()
            redis_client.publish("tgo:wake", 0)
            time.sleep(random.random() * 0.05)
            jobs.proc.kill()
            jobs.proc.wait()
            n_killed += 1
        told_once(db, rooms)
    print(n_killed, "processes killed")


def test_what_came_due_while_nobody_looked(deadlines, calls, db):
    rooms = calls(5)
    run_down(db, rooms, late_ms=3600000)
    deadlines()
    all_missed(db, rooms)
    told_once(db, rooms)


def test_an_answer_at_the_very_deadline(deadlines, calls, api, quiet_stack, db, redis_client):
    """Either it counts and nobody is missed, or it comes too late and is told so."""
    jobs, outcomes = deadlines(), []
    for _ in range(rounds(30, 300)):
        room = calls(1)[0]
        bob, ann = [one["uid"] for one in select(db, "SELECT uid FROM rtc_participant WHERE room_id = %s ORDER BY id",
                                                 room)]
        assert api.post(f"/rooms/{room}/join", {"uid": ann}).status_code == 200
        at, answers = run_down(db, [room], late_ms=-60, redis=redis_client), []

        def answer():
            mine = Api(quiet_stack)
            time.sleep(max(0, (at - time.time() * 1000 + random.uniform(-6, 12)) / 1000))
            answers.append(mine.post(f"/rooms/{room}/join", {"uid": bob}).status_code)

        thread = threading.Thread(target=answer)
        thread.start()
        thread.join()
        wait_until(lambda: in_status(db, [room], 6) or answers == [200], SOON_S)
        told = [one["type"] for one in select(db, "SELECT type FROM event WHERE room_id = %s ORDER BY seq", room)]
        joined = answers == [200]
        assert answers in ([200], [409])
        assert told[2:] == (["participant.accepted"] if joined else ["participant.missed", "participant.left",
                                                                     "room.finished"])
        outcomes.append(joined)
    print(sum(outcomes), "of", len(outcomes), "in time")
    assert jobs.proc.poll() is None


# ---- one room that cannot be written ----

def test_one_call_spoils_nothing_for_the_others(deadlines, quiet_stack, calls, db, redis_client):
    rooms, name = calls(20), quiet_stack.env["DB_NAME"]
    bad = rooms[7]
    root = pymysql.connect(unix_socket=quiet_stack.env["DB_SOCKET"], user="root", database=name, autocommit=True)
    try:
        root.query(f"CREATE TRIGGER poison BEFORE INSERT ON event FOR EACH ROW IF NEW.room_id = '{bad}' THEN"
                   " SIGNAL SQLSTATE '45000'; END IF")
        jobs = deadlines()
        run_down(db, rooms, redis=redis_client)
        all_missed(db, [one for one in rooms if one != bad])
        failed = wait_until(lambda: jobs.lines("deadline_failed"), SOON_S)
        assert {one["room_id"] for one in failed} == {bad}
        row = select(db, f"SELECT status, next_deadline_ms - {NOW} AS ms FROM rtc_room WHERE room_id = %s", bad)[0]
        assert row["status"] == 0 and row["ms"] <= 1000
    finally:
        root.query("DROP TRIGGER poison")
        root.close()
    all_missed(db, rooms)
    told_once(db, rooms)


# ---- Redis is away; last, because others need it ----

def test_without_redis(deadlines, calls, quiet_stack, db):
    deadlines()
    rooms = calls(3)
    quiet_stack.stop("redis")
    try:
        run_down(db, rooms)
        all_missed(db, rooms)
        told_once(db, rooms)
        late = calls(1, timeout=5)
        all_missed(db, late)
    finally:
        quiet_stack.start()
