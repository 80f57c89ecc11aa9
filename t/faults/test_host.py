"""A host that misbehaves: clocks that are stepped, no file descriptor left, full disks for logs; while 16 clients make
calls. Afterwards all that load_truth.py asks for.

SPDX-License-Identifier: MIT
"""
import contextlib
import json
import os
import pathlib
import resource
import shutil
import threading
import time

import jwt
import pytest

from disk import disk, fill
from fake_media import livekit, stack  # noqa: F401
from processes import WORKERS, alive, revive, whole, worker_part
from rings import LATE_MS, Rings
from support.client import Api
from support.jobs_process import jobs_of
from support.livekit_hook import Hook, now_ms, person
from support.load import Load, events_to
from support.logs import AppLog
from support.part import Part
from support.rounds import rounds
from support.stack import Stack
from support.wait import wait_until

SETTINGS = {"RECONCILE_INTERVAL": "1", "JOIN_GRACE": "1", "LOOK_AGAIN_S": "1", "REJOIN_GRACE": "1"}
STEPS = ("+3600", "-3600", "+0")          # seconds the host's clock is put to, one after the other
LEEWAY_S = 60                # LiveKit's, for the times of a token


def finish(load, fault, n, note="", **more):
    load.mended()
    load.recovered()
    load.stop()
    figures = load.verify(**more)
    figures.write(fault, n, note)
    return figures


# ---- clocks ----

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
    livekit.redis = stack.redis()
    livekit.beat()
    threading.Thread(target=livekit.keep_beating, daemon=True).start()
    return livekit


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
           f"rings at most {max(late)} ms late")


def assigned(log, calls=2 * WORKERS):
    """So many new calls, each with a node."""
    wait_until(lambda: len(log.lines(event="room_created")) >= calls, 10, what="new calls")
    return all(one["livekit_node"] for one in log.lines(event="room_created"))


# ---- file descriptors ----

@contextlib.contextmanager
def no_descriptors(pids):
    """These processes cannot open another one. Who is gone by the end needs none."""
    before = {pid: resource.prlimit(pid, resource.RLIMIT_NOFILE) for pid in pids}
    for pid, (_, hard) in before.items():
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        for pid, limits in before.items():
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)


def test_no_descriptors_for_workers(load, stack):
    """A worker that cannot accept makes room for another: the request waits at the door. Short: 3 rounds, full: 30."""
    n = rounds(3, 30)
    for _ in range(n):
        load.broke()
        before = set(whole(stack, "worker", WORKERS))
        with no_descriptors(before):
            wait_until(lambda: not before & set(alive(stack, "worker")), 20, what="other workers")
        whole(stack, "worker", WORKERS)
        load.mended()
        load.recovered()
    assert finish(load, "workers out of file descriptors", n).not_served == {}


@pytest.mark.full
def test_no_descriptors_for_anybody(load, stack):
    """The master of the workers has none either, for 1.5 s: nobody new can be born. Only in full: 10."""
    n = rounds(1, 10)
    for _ in range(n):
        load.broke()
        master, before = stack.pid("worker"), set(whole(stack, "worker", WORKERS))
        with no_descriptors([master]), no_descriptors(before):
            wait_until(lambda: not before & set(alive(stack, "worker")), 20, what="the end of the workers")
            # The fault is this long; there is nothing to wait for but time.
            time.sleep(1.5)
        load.mended()
        load.recovered()
    finish(load, "workers and their master out of file descriptors", n)


@pytest.mark.full
def test_no_descriptors_for_jobs(load, stack, receiver):
    """While none can be opened, rings end and events wait; then they are delivered. Only in full: 10."""
    n, late, running = rounds(1, 10), [], jobs_of(stack)
    server = stack.redis()
    for _ in range(n):
        load.broke()
        # Each delivery takes a connection of its own, and Redis has to be connected to anew.
        receiver.answer = lambda got: (204, {"Connection": "close"}, b"")
        with no_descriptors(alive(stack, "jobs")):
            server.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            server.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            late.append(Rings(stack).begin().on_time())
            wait_until(lambda: len(undelivered(stack)) > 50, 20, what="events that wait")
        receiver.answer = lambda got: 204
        load.mended()
        load.recovered()
    running.close()
    assert finish(load, "jobs out of file descriptors", n, f"rings at most {max(late)} ms late").not_served == {}


def undelivered(stack):
    with contextlib.closing(stack.db()) as db, db.cursor() as c:
        c.execute("SELECT event_no FROM event_delivery WHERE state IN ('queued', 'again') LIMIT 100")
        return c.fetchall()


# ---- full disks ----

@pytest.fixture
def small_logs(receiver):
    """A stack whose logs, ours and nginx's, lie on a disk of 4 MB."""
    if os.geteuid() != 0:
        pytest.fail("mounting a small disk takes root, as scripts/test as a whole does")
    one = Stack(jobs=True, LOG_LEVEL="debug", **events_to(receiver))
    folder = one.var / "log"
    with disk(folder, 4):
        try:
            yield one.start(), folder
        finally:
            one.stop()
    shutil.rmtree(one.var, ignore_errors=True)


def readiness(stack):
    said = Api(stack).get("/readyz", root=True).json()
    return said["status"], said["checks"]["log"]["status"]


def lost_by_metrics(stack):
    text = Api(stack).get("/metrics", root=True, key=None).text
    return sum(int(line.split()[-1]) for line in text.splitlines() if line.startswith("tgo_log_lines_lost_total"))


def test_log_disk_full(small_logs, receiver):
    """Everything goes on; /readyz, /metrics and, once there is room again, the log say what it lacks. Short: 1 round,
    full: 5."""
    stack, folder = small_logs
    n, load = rounds(1, 5), Load(stack, receiver, pause_s=0.01).start()
    path, lost = pathlib.Path(stack.env["APP_LOG"]), 0
    for _ in range(n):
        # What was rotated away is no longer in the way of the next round.
        path.write_text("")
        load.broke()
        ballast = fill(folder)
        wait_until(lambda: lost_by_metrics(stack) > lost + 200, 30, what="lines that find no room")
        assert readiness(stack) == ("degraded", "unavailable")
        ballast.unlink()
        load.mended()
        load.recovered()
        lost = lost_by_metrics(stack)
        wait_until(lambda: told(path) >= lost_at_least(lost), 20, what="lines that tell of the loss")
        assert readiness(stack)[1] == "ok"
    figures = finish(load, "disk of the logs full, ours and nginx's", n, f"{lost} lines lost and told of")
    assert figures.not_served == {}


def lost_at_least(lost):
    # A process that has nothing to say meanwhile has not told of its own yet.
    return lost // 2


def told(path):
    """How many lines the log says it lacks; every line is whole but those the full disk cut."""
    total, torn = 0, 0
    for line in path.read_text().splitlines():
        try:
            one = json.loads(line)
        except ValueError:
            torn += 1
            continue
        if one["event"] == "log_lines_lost":
            total += one["lines"]
    assert torn <= 16
    return total
