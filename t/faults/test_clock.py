"""The clock of a host of ours stepped by an hour, while 16 clients make calls: no ring ends early or late by it, no
call is taken for one on a dead node, and what LiveKit and receivers get bears a time that they accept. Afterwards all
that load_truth.py asks for.

SPDX-License-Identifier: MIT
"""
import contextlib
import pathlib
import threading
import time

import jwt
import pytest

from fake_media import livekit, stack  # noqa: F401
from processes import WORKERS, revive, whole, worker_part
from rings import Rings
from support.client import Api
from support.livekit_hook import Hook, now_ms, person
from support.logs import AppLog
from support.part import Part
from support.rounds import rounds
from support.wait import wait_until

# Who makes the load's calls has no media, and must not be missed.
SETTINGS = {"RECONCILE_INTERVAL": "1", "JOIN_GRACE": "20", "LOOK_AGAIN_S": "1", "REJOIN_GRACE": "1"}
STEPS = ("+3600", "-3600", "+0")          # seconds the host's clock is put to, one after the other
LEEWAY_S = 60                # LiveKit's, for the times of a token


def finish(load, fault, n, note=""):
    load.mended()
    load.recovered()
    load.stop()
    figures = load.verify()
    figures.write(fault, n, note)
    return figures


class Clock:
    """The wall clock of one program; the monotonic one goes on as the kernel's does."""

    def __init__(self, folder):
        self.file = folder / "clock"
        self.step("+0")
        library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
        assert library is not None, "Debian's package faketime is missing"
        self.environ = {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(self.file),
                        "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def step(self, to):
        new = self.file.with_suffix(".new")
        new.write_text(to + "\n")
        new.rename(self.file)


def restart_with(part, clock):
    part.environ = {**part.environ, **clock.environ}
    part.kill(15)
    revive(part)


@pytest.fixture
def records(stack, livekit):
    """The media node writes its record in Redis, by the true clock."""
    fresh, livekit.redis, livekit.alive = livekit.redis is None, stack.redis(), True
    livekit.beat()
    if fresh:
        threading.Thread(target=livekit.keep_beating, daemon=True).start()
    yield livekit
    livekit.alive = False


class Talk:
    """Two people in a call, with media, for as long as the test goes on."""

    def __init__(self, stack, livekit, room):
        self.stack, self.room, self.api = stack, room, Api(stack)
        hook, people = Hook(stack.env, self.api), (f"{room}-ann", f"{room}-bob")
        assert self.api.post("/rooms", {"room_id": room, "creator": people[0], "uids": [people[1]]}).ok
        hook.tell("room_started", room, "RM_1")
        for uid in people:
            assert self.api.post(f"/rooms/{room}/join", {"uid": uid}).ok
            at = now_ms()
            sid = livekit.join(room, uid, joined_at_ms=at)
            hook.tell("participant_joined", room, "RM_1", person(uid, sid, at))
        self.grow_old()

    def grow_old(self):
        """As if they had been in it for a while: so whoever is not in LiveKit's lists is missed."""
        with contextlib.closing(self.stack.db()) as db, db.cursor() as c:
            c.execute("UPDATE rtc_participant SET session_from_ms = session_from_ms - 60000 WHERE room_id = %s",
                      (self.room,))

    def goes_on(self):
        said = self.api.get(f"/rooms/{self.room}").json()
        return (said["status"], [p["status"] for p in said["participants"]]) == (1, [1, 1])

    def looks(self):
        """How often it was held against LiveKit's lists."""
        with contextlib.closing(self.stack.db()) as db, db.cursor() as c:
            c.execute("SELECT look_at_ms FROM rtc_room WHERE room_id = %s", (self.room,))
            return c.fetchone()["look_at_ms"]


def looked_at_again(talk, times=4):
    for _ in range(times):
        before = talk.looks()
        wait_until(lambda: talk.looks() != before, 20, what="another look at the call")
        assert talk.goes_on()


def test_clock_of_the_jobs(load, stack, records, tmp_path):
    """Stepped by an hour forth and back. No ring ends early or late, no call is taken for one on a dead node, and
    events bear a time their receiver accepts. Short: 1 round, full: 5."""
    n, late, clock, jobs = rounds(1, 5), [], Clock(tmp_path), Part(stack, "jobs")
    talk = Talk(stack, records, f"{load.prefix}talk")
    patient = Rings(stack).begin(seconds=600)
    restart_with(jobs, clock)
    for _ in range(n):
        for to in STEPS:
            load.broke()
            clock.step(to)
            looked_at_again(talk)
            late.append(Rings(stack).begin().on_time())
            load.mended()
            load.recovered()
    assert {row["status"] for row in patient.rows()} == {0}
    jobs.kill(15)
    Part.start(jobs_without(jobs, clock))
    figures = finish(load, "clock of the jobs' host stepped by 1 h, forth and back", n * len(STEPS),
                     f"rings at most {max(late)} ms late")
    assert figures.not_served == {}


def jobs_without(part, clock):
    part.environ = {name: value for name, value in part.environ.items() if name not in clock.environ}
    return part


def token_is_of_now(talk):
    said = talk.api.post(f"/rooms/{talk.room}/token", {"uid": f"{talk.room}-ann"}).json()
    claims = jwt.decode(said["token"], options={"verify_signature": False})
    return abs(claims["nbf"] - time.time()) < LEEWAY_S < claims["exp"] - time.time()


@pytest.mark.full
def test_clock_of_the_workers(load, stack, records, tmp_path):
    """The same with the workers' clock: calls and rings are as ever, new calls have a node, and it takes their tokens.
    Only in full: 5."""
    n, late, clock, worker = rounds(1, 5), [], Clock(tmp_path), worker_part(stack)
    talk, log = Talk(stack, records, f"{load.prefix}talk"), AppLog(stack.env["APP_LOG"])
    load.broke()
    restart_with(worker, clock)
    whole(stack, "worker", WORKERS)
    load.mended()
    load.recovered()
    for _ in range(n):
        for to in STEPS:
            load.broke()
            clock.step(to)
            # Each worker finds out by itself that the node has another clock than it.
            wait_until(lambda: assigned(log.mark()), 20, what="new calls given to the node")
            wait_until(lambda: all(token_is_of_now(talk) for _ in range(2 * WORKERS)), 20, what="tokens the node takes")
            late.append(Rings(stack).begin().on_time())
            load.mended()
            load.recovered()
    assert talk.goes_on()
    load.broke()
    worker.kill(15)
    revive(jobs_without(worker, clock))
    whole(stack, "worker", WORKERS)
    finish(load, "clock of the workers' host stepped by 1 h, forth and back", n * len(STEPS),
           f"rings at most {max(late)} ms late; 503 while the test restarts the workers")


def assigned(log, calls=2 * WORKERS):
    """So many new calls, each with a node."""
    wait_until(lambda: len(log.lines(event="room_created")) >= calls, 10, what="new calls")
    return all(one["livekit_node"] for one in log.lines(event="room_created"))
