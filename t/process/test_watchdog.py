"""A worker that is held is replaced after WORKER_STUCK_S, one that crashed at once.

SPDX-License-Identifier: MIT
"""
import os
import resource
import signal
import threading
import time
from pathlib import Path

import pytest

from support import fcgi_client as fcgi
from support.bad_fastcgi import KILLER, PLAIN, WHOLE, says
from support.rounds import rounds
from support.worker_process import is_alive, stat_of, until

pytestmark = pytest.mark.skipif("TGO_BIN" not in os.environ, reason="TGO_BIN is not set")


class Drip(threading.Thread):
    """Sends a byte now and then until it is hung up on: never still, never done."""

    def __init__(self, connection, data=b"x", every=0.1):
        super().__init__(daemon=True)
        self.connection, self.data, self.every, self.ending = connection, data, every, threading.Event()

    def run(self):
        try:
            while not self.ending.wait(self.every):
                self.connection.send(self.data)
        except OSError:
            pass

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.join()
        self.connection.sock.close()


def replaced(s, state, pid=None):
    """The worker that was held is gone after its bound, and another one is there."""
    line = until(lambda: s.lines("worker_stuck"), 15)[0]
    assert line["message" if "message" in line else "msg"] == "工作进程被卡住，已替换"
    assert line["state"] == state and line["level"] == "error"
    assert 1000 < line["held_ms"] < 5000 and line["slot"] == 0
    assert pid is None or line["pid"] == pid
    died = until(lambda: s.lines("worker_died"))[0]
    assert (died["pid"], died["signal"], died["kind"], died["pause_ms"]) == (line["pid"], 9, "stuck", 0)
    until(lambda: not is_alive(line["pid"]))
    return line


def test_a_dripping_body_is_ended(service):
    s = service(WORKERS=1, WORKER_STUCK_S=1).start()
    before = s.full(1)
    c = s.connect()
    c.send(fcgi.head(fcgi.params_of("POST", "/api/v1/rooms", content_length=100_000)))
    with Drip(c, fcgi.record(fcgi.STDIN, b"x")):
        replaced(s, "reading_body", before[0])
        assert s.get().status == 200
        assert before != s.full(1)


def test_a_peer_that_never_stops_holds_nobody(service):
    """After its answer it goes on sending. Nobody reads that: a request that was read to its end is over."""
    s = service(WORKERS=1, WORKER_STUCK_S=1).start()
    before = s.full(1)
    c = s.connect()
    c.send(PLAIN)
    with Drip(c, b"x" * 10, 0.05) as drip:
        assert c.response().status == 200
        assert s.get().status == 200
        drip.join(10)
        assert not drip.is_alive()                    # it was hung up on
    assert s.children() == before and s.lines("worker_stuck") == []


def test_a_worker_that_hangs_is_ended(service):
    s = service(WORKERS=1, WORKER_STUCK_S=1).start()
    pid = s.full(1)[0]
    with s.connect() as c:
        c.send(WHOLE[:-8])
        until(lambda: s.proc.poll() is None and stat_of(pid)[0] == "S")
        os.kill(pid, signal.SIGSTOP)
        replaced(s, "reading_body", pid)
        assert s.get().status == 200


def test_the_one_before_is_watched_too(service):
    """During renewal a place has two workers: the old one is held, the new one serves."""
    s = service(WORKERS=1, WORKER_STUCK_S=2).start()
    old = s.full(1)[0]
    c = s.connect()
    c.send(fcgi.head(fcgi.params_of("POST", "/api/v1/rooms", content_length=100_000)))
    with Drip(c, fcgi.record(fcgi.STDIN, b"x")):
        s.signal(signal.SIGHUP)
        new = until(lambda: set(s.children()) - {old}).pop()
        replaced(s, "reading_body", old)
        assert s.get().status == 200
    assert s.full(1) == [new]
    assert [line["pid"] for line in s.lines("worker_stuck")] == [old]


def test_who_works_is_left_alone(service):
    """Many requests over a time longer than the bound: the clock is each request's own."""
    s = service(WORKERS=1, WORKER_STUCK_S=1).start()
    before, end = s.full(1), time.monotonic() + 3
    while time.monotonic() < end:
        assert s.get().status == 200
    assert s.full(1) == before


def cpu_ticks(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_the_master_sleeps_when_all_are_idle(service):
    s = service(WORKERS=8).start()
    s.full(8)
    before = cpu_ticks(s.pid)
    woken = int(next(line for line in Path(f"/proc/{s.pid}/status").read_text().splitlines()
                     if line.startswith("voluntary_ctxt")).split()[1])
    time.sleep(3)
    now = int(next(line for line in Path(f"/proc/{s.pid}/status").read_text().splitlines()
                   if line.startswith("voluntary_ctxt")).split()[1])
    assert now - woken <= 8 and cpu_ticks(s.pid) - before <= 2


def test_a_crash_is_told_and_mended_at_once(service):
    s = service(WORKERS=1).start()
    pid = s.full(1)[0]
    assert says(s, KILLER).status is None
    died = until(lambda: s.lines("worker_died"))[0]
    assert (died["pid"], died["signal"], died["kind"], died["pause_ms"]) == (pid, signal.SIGABRT, "crashed", 0)
    assert s.get().status == 200


def test_no_number_of_crashes_empties_the_pool(service):
    s = service(WORKERS=2).start()
    n = rounds(60, 1000)
    for i in range(n):
        assert says(s, KILLER).status is None
        if i % 10 == 0:
            assert s.get().status == 200
    until(lambda: len(s.lines("worker_died")) == n)
    assert {line["pause_ms"] for line in s.lines("worker_died")} == {0}
    s.full(2)
    assert s.get().status == 200


def test_a_crash_leaves_no_core(service, tmp_path):
    """Its memory holds secrets."""
    s = service(WORKERS=1)
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        s.start()
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)
    for pid in (s.pid, s.full(1)[0]):
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert next(line for line in limits.splitlines() if line.startswith("Max core")).split()[4:6] == ["0", "0"]
        # Not dumpable: not even its own user may look into it.
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0
    says(s, KILLER)
    until(lambda: s.lines("worker_died"))
    assert [p.name for p in s.folder.iterdir() if "core" in p.name] == []
