"""Our own processes killed, renewed and started again, while 16 clients make calls.

A worker serves one request at a time: whoever kills one costs at most that request its answer (503 outcome_unknown,
by nginx), and nobody else anything. Renewals, reloads and restarts in order cost nothing at all. Afterwards all that
load_truth.py asks for.

SPDX-License-Identifier: MIT
"""
import os
import random
import signal
import socket
import subprocess
import threading

import pytest

from fake_media import livekit, stack  # noqa: F401
from processes import WORKERS, alive, children_of, revive, whole, worker_part
from rings import Rings
from support.jobs_process import jobs_of
from support.load import Load
from support.part import Part
from support.rounds import rounds
from support.stack import process_runs
from support.wait import wait_until

def finish(load, fault, n, note=""):
    load.mended()
    load.recovered()
    load.stop()
    figures = load.verify()
    figures.write(fault, n, note)
    return figures


def test_workers_killed(load, stack):
    """kill -9 of a worker at random. Short: 30, full: 500."""
    n, rng = rounds(30, 500), random.Random(load.seed)
    load.broke()
    for _ in range(n):
        victim = rng.choice(whole(stack, "worker", WORKERS))
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: not process_runs(victim), 10)
    whole(stack, "worker", WORKERS)
    figures = finish(load, "workers: kill -9 at random", n)
    assert set(figures.not_served) <= {"503 outcome_unknown"}, figures.not_served
    # One request at most went with each of them.
    assert sum(figures.not_served.values()) <= n


def test_jobs_killed(load, stack):
    """kill -9 of a background task at random, three calls ringing for each ten. Short: 30, full: 500."""
    n, rng, running = rounds(30, 500), random.Random(load.seed), jobs_of(stack)
    late, many = [], len(alive(stack, "jobs"))
    load.broke()
    for i in range(n):
        rings = Rings(stack).begin() if i % 10 == 0 else None
        victim = rng.choice(whole(stack, "jobs", many))
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: not process_runs(victim), 10)
        if rings is not None:
            late.append(rings.on_time())
    running.full()
    running.close()
    figures = finish(load, "jobs: kill -9 at random", n, note=f"rings at most {max(late)} ms late")
    assert figures.not_served == {}


@pytest.mark.full
def test_masters_killed(load, stack):
    """kill -9 of the masters of workers and jobs, started anew by their supervisor. Only in full: 20."""
    n = rounds(2, 20)
    worker, jobs = worker_part(stack), Part(stack, "jobs")
    for i in range(n):
        load.broke()
        orphans = alive(stack, "worker") + alive(stack, "jobs")
        for part in (worker, jobs):
            part.kill()
        # None outlives its master: a supervisor would have both, the old and the new.
        wait_until(lambda: not any(map(process_runs, orphans)), 15, what="orphans that leave")
        for part in (worker, jobs):
            revive(part)
        whole(stack, "worker", WORKERS)
        load.mended()
        load.recovered()
    figures = finish(load, "masters of workers and jobs: kill -9, started again by hand", n)
    assert "500" not in " ".join(figures.not_served)


class Supervisor:
    """Holds the socket of the workers itself, as systemd's socket unit does, and starts the service again when it
    has died."""

    def __init__(self, stack):
        self.part = Part(stack, "worker")
        self.path, self.stack = str(stack.var / "run" / "fcgi.sock"), stack
        stack.stop("worker")
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen(511)
        os.chmod(self.path, 0o660)
        self.ending, self.starts = threading.Event(), 0
        self.start()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def start(self):
        binary = os.path.join(self.stack.env["TGO_BIN"], "tgo-call-worker")
        log = open(self.stack.var / "log" / "worker.log", "ab")
        # The shell puts the socket where systemd puts it, and its own pid becomes that of the service.
        script = f'exec 3<&{self.socket.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0"'
        self.child = subprocess.Popen(["bash", "-c", script, binary], cwd=self.part.cwd, env=self.part.environ,
                                      stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                      pass_fds=[self.socket.fileno()])
        log.close()
        self.starts += 1

    def watch(self):
        while not self.ending.is_set():
            self.child.wait()
            if not self.ending.is_set():
                self.start()

    def served_by(self):
        return wait_until(lambda: len(children_of(self.child.pid)) == WORKERS and self.child.pid, 20)

    def close(self):
        self.ending.set()
        self.child.terminate()
        self.child.wait(15)
        self.thread.join(5)
        self.socket.close()
        os.unlink(self.path)


@pytest.fixture
def supervisor(stack):
    one = Supervisor(stack)
    yield one
    one.close()
    stack.start()


def test_a_service_with_a_socket_unit(supervisor, stack, receiver):
    """The same where the socket is systemd's: requests wait in it. kill -9 of the master, and `systemctl restart`
    (SIGTERM), in turns: not one request fails. Short: 6 rounds, full: 60."""
    n = rounds(6, 60)
    supervisor.served_by()
    load = Load(stack, receiver).start()
    for i in range(n):
        load.broke()
        before = supervisor.served_by()
        os.kill(before, signal.SIGKILL if i % 2 else signal.SIGTERM)
        wait_until(lambda: supervisor.child.pid != before, 15)
        supervisor.served_by()
        load.mended()
        load.recovered()
    figures = finish(load, "master of the workers: kill -9 or restart under a socket unit", n)
    assert figures.not_served == {}


@pytest.mark.full
def test_renewals(load, stack):
    """SIGHUP: every process replaced, one by one. Only in full: 30."""
    n, running = rounds(3, 30), jobs_of(stack)
    load.broke()
    for _ in range(n):
        before = {part: alive(stack, part) for part in ("worker", "route", "jobs")}
        for part in before:
            os.kill(stack.pid(part), signal.SIGHUP)
        for part, old in before.items():
            wait_until(lambda: len(alive(stack, part)) == len(old) and not set(old) & set(alive(stack, part)), 30,
                       what=f"other processes of {part}")
    running.close()
    assert finish(load, "workers and jobs renewed (SIGHUP)", n).not_served == {}


def nginx_workers(stack):
    return children_of(stack.pid("nginx"))


def test_nginx_reloads(stack, receiver):
    """Short: 5 rounds, full: 50. nginx closes idle connections when it reloads, which any client has to expect:
    these ones open one for each request."""
    n, load = rounds(5, 50), Load(stack, receiver, keep_alive=False).start()
    load.broke()
    for _ in range(n):
        old = nginx_workers(stack)
        os.kill(stack.pid("nginx"), signal.SIGHUP)
        wait_until(lambda: nginx_workers(stack) and not set(old) & set(nginx_workers(stack)), 30,
                   what="other workers of nginx")
    assert finish(load, "nginx reloaded", n).not_served == {}


@pytest.mark.full
def test_jobs_stopped_and_started(load, stack):
    """SIGTERM, and started again. Only in full: 20."""
    n, jobs, late = rounds(2, 20), Part(stack, "jobs"), []
    for _ in range(n):
        load.broke()
        jobs.kill(signal.SIGTERM)
        rings = Rings(stack).begin(seconds=0.2)
        jobs.start()
        late.append(rings.on_time())
        load.mended()
        load.recovered()
    figures = finish(load, "jobs stopped and started", n, note=f"rings at most {max(late)} ms late")
    assert figures.not_served == {}
