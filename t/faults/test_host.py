"""A host with no file descriptor left, or a full disk for logs, while 16 clients make calls. Afterwards all that
load_truth.py asks for. Its clock: test_clock.py.

SPDX-License-Identifier: MIT
"""
import contextlib
import json
import os
import pathlib
import resource
import shutil
import time

import pytest

from disk import disk, fill
from fake_media import livekit, stack  # noqa: F401
from processes import WORKERS, alive, whole
from rings import LATE_MS, LIVEKIT_SILENT_MS, Rings
from support.client import Api
from support.jobs_process import jobs_of
from support.load import Load, events_to
from support.rounds import rounds
from support.stack import Stack
from support.wait import wait_until


def finish(load, fault, n, note=""):
    load.mended()
    load.recovered()
    load.stop()
    figures = load.verify()
    figures.write(fault, n, note)
    return figures


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
    """While none can be opened, rings end (late where no connection to LiveKit is open) and events wait; then they are
    delivered. Only in full: 10."""
    n, late, running = rounds(1, 10), [], jobs_of(stack)
    server = stack.redis()
    for _ in range(n):
        load.broke()
        # Each delivery takes a connection of its own, and Redis has to be connected to anew.
        receiver.answer = lambda got: (204, {"Connection": "close"}, b"")
        with no_descriptors(alive(stack, "jobs")):
            server.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            server.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            late.append(Rings(stack).begin().on_time(LIVEKIT_SILENT_MS + LATE_MS))
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
        # What was rotated away is no longer in the way of the next round, nor counted in it.
        path.write_text("")
        lost_before = lost
        load.broke()
        ballast = fill(folder)
        wait_until(lambda: lost_by_metrics(stack) > lost + 200, 30, what="lines that find no room")
        assert readiness(stack) == ("degraded", "unavailable")
        ballast.unlink()
        load.mended()
        load.recovered()
        lost = lost_by_metrics(stack)
        wait_until(lambda: told(path) >= lost_at_least(lost - lost_before), 20, what="lines that tell of the loss")
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
