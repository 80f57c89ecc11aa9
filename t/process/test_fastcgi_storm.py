"""Hostile peers at the workers' socket by the dozen, and requests in bodies: nobody gets another's answer.

SPDX-License-Identifier: MIT
"""
import json
import multiprocessing
import os
import random
import threading
import time

import pytest
import requests

from support import fcgi_client as fcgi
from support.bad_fastcgi import AFTER_THE_HEAD, HEAD, HUNG_UP_ON, KILLER, WHOLE, hang_up
from support.fcgi_nginx import OwnNginx
from support.rounds import rounds

pytestmark = pytest.mark.skipif("TGO_BIN" not in os.environ, reason="TGO_BIN is not set")


class Storm:
    """Clients of all kinds at once, seeded; processes, so that they take no time from the honest ones' threads."""

    def __init__(self, s, n, seed):
        fork = multiprocessing.get_context("fork")
        self.s, self.ending, self.done = s, fork.Event(), fork.Value("q", 0)
        self.crowd = fcgi.begin() + fcgi.stream(fcgi.PARAMS, fcgi.pairs([(f"H{i}", "x") for i in range(20_000)]))
        self.threads = [fork.Process(target=self.work, args=(random.Random(seed * 1000 + i),), daemon=True)
                        for i in range(n)]

    @property
    def n_done(self):
        return self.done.value

    def dialogue(self, rng):
        kind = rng.randrange(10)
        if kind < 3:
            return rng.choice(list(HUNG_UP_ON.values())), False
        if kind < 5:
            return HEAD + rng.choice(list(AFTER_THE_HEAD.values()))[0], False
        if kind == 5:
            return KILLER, False
        if kind == 6:
            return self.crowd, False
        if kind == 7:
            damaged = bytearray(WHOLE)
            for _ in range(rng.randint(1, 5)):
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
            return bytes(damaged), False
        return WHOLE[:rng.randrange(len(WHOLE))], rng.random() < 0.3

    def work(self, rng):
        while not self.ending.is_set():
            data, silent = self.dialogue(rng)
            try:
                with self.s.connect() as c:
                    c.send(data)
                    if silent:
                        self.ending.wait(rng.random() * 2)
                    elif rng.random() < 0.5:
                        hang_up(c)
                        c.sock.recv(100)
            except OSError:
                pass
            with self.done.get_lock():
                self.done.value += 1

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for t in self.threads:
            t.join()


class Honest:
    """Clients whose answers must be theirs: each has an id of its own, and its own of two routes."""

    def __init__(self, s, nginx):
        self.s, self.nginx, self.ending = s, nginx, threading.Event()
        self.wrong, self.n_done, self.slowest = [], 0, 0.0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.work, args=(i,)) for i in range(8)]

    def ask(self, i, uri, name):
        if i % 2 == 0:
            with fcgi.Connection(self.s.where, 30) as c:
                c.send(fcgi.head(fcgi.params_of("GET", uri, REQUEST_ID=name)) + fcgi.record(fcgi.STDIN))
                reply = c.response()
            return reply.status, reply.headers.get("x-request-id"), reply.body
        reply = requests.get(self.nginx.url + uri, headers={"X-Test-Id": name}, timeout=30)
        return reply.status_code, reply.headers.get("X-Request-Id"), reply.content

    def work(self, i):
        n = 0
        while not self.ending.is_set():
            n += 1
            name, uri = f"honest-{i}-{n}", ["/health", f"/api/v1/nothing-{i}-{n}"][n % 2]
            begun = time.monotonic()
            try:
                status, told, body = self.ask(i, uri, name)
                want = (200, {"status": "ok"}) if n % 2 == 0 else (404, "not_found")
                got = (status, json.loads(body) if n % 2 == 0 else json.loads(body)["error"])
                bad = None if (got, told) == (want, name) else (uri, status, told, body)
            except Exception as e:  # noqa: BLE001 - whatever it is, it is a wrong answer
                bad = (uri, repr(e))
            with self.lock:
                self.n_done += 1
                self.slowest = max(self.slowest, time.monotonic() - begun)
                if bad is not None:
                    self.wrong.append(bad)

    __enter__, __exit__ = Storm.__enter__, Storm.__exit__


def test_a_storm_costs_the_others_no_wrong_answer(service, tmp_path):
    s = service(WORKERS=8, WORKER_STUCK_S=3, LOG_LEVEL="error").start()
    s.full(8)
    folder = tmp_path / "nginx"
    folder.mkdir()
    # The processes fork before the threads begin.
    with OwnNginx(folder, s.sock) as nginx, Storm(s, 12, seed=6) as storm, Honest(s, nginx) as honest:
        time.sleep(rounds(6, 60))
    assert honest.wrong == []
    assert honest.n_done > 50 and storm.n_done > 100
    # The head of one hostile peer after the other, at worst a body's; never longer than the watchdog allows.
    assert honest.slowest < 15
    s.full(8)
    begun = s.children()
    for _ in range(50):
        assert s.get().status == 200
    assert s.children() == begun
    assert {line["pause_ms"] for line in s.lines("worker_died")} == {0}
    print(f"honest {honest.n_done}, slowest {honest.slowest:.3f} s; hostile {storm.n_done}; "
          f"crashes {len(s.lines('worker_died'))}, stuck {len(s.lines('worker_stuck'))}")


FORGED = (fcgi.head(fcgi.params_of("GET", "/forged-path", REQUEST_ID="forged"), keep=True)
          + fcgi.record(fcgi.STDIN))


def smuggling_body(rng):
    """A request in the body, so that wherever libfcgi's block of 8192 bytes ends one of them begins soon."""
    filler = rng.randrange(8192)
    return b"x" * filler + FORGED * ((rng.randint(20_000, 120_000) - filler) // len(FORGED) + 1)


@pytest.mark.parametrize("keep", [False, True], ids=["closed", "kept"])
def test_a_body_never_becomes_a_request(service, tmp_path, keep):
    """Refused unread: 401 by its caller, 413 by its length, 404 and 405 by its path. An nginx that keeps connections may
    take one that is just being closed, and says 502 for it: rarely, and it is its own answer, not ours."""
    s = service(WORKERS=8, AUTH_MODE="key", API_KEYS="test:" + "0" * 64).start()
    folder = tmp_path / "nginx"
    folder.mkdir()
    wrong, closed = [], []

    def work(i):
        rng, session = random.Random(i), requests.Session()
        for n in range(rounds(60, 400)):
            path, status = [("/api/v1/rooms", 401), ("/api/v1/webhooks/livekit", 413), ("/nothing", 404),
                            ("/health", 405)][rng.randrange(4)]
            body = smuggling_body(rng) if status != 413 else b"x" * 3_000_000 + FORGED * 50
            name = f"smuggler-{i}-{n}"
            try:
                reply = session.post(nginx.url + path, body, headers={"X-Test-Id": name}, timeout=30)
            except requests.RequestException as e:
                wrong.append(repr(e))
                continue
            if keep and reply.status_code == 502:
                closed.append(name)
            elif (reply.status_code, reply.headers.get("X-Request-Id")) != (status, name):
                wrong.append((path, reply.status_code, reply.headers.get("X-Request-Id"), reply.text))

    with OwnNginx(folder, s.sock, keep) as nginx:
        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    assert wrong == [] and len(closed) <= rounds(60, 400) * 8 // 50
    told = s.log.read_text()
    assert "smuggler-" in told
    assert "forged" not in told
    assert not s.lines("worker_died")
