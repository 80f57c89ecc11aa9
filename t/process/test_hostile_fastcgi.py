"""Peers that speak FastCGI badly to the workers' socket: none of them is answered as somebody else, none keeps a worker,
and the pool is whole afterwards.

SPDX-License-Identifier: MIT
"""
import json
import multiprocessing
import os
import random
import resource
import signal
import socket
import struct
import threading
import time
from pathlib import Path

import pytest
import requests

from support import fcgi_client as fcgi
from support.fcgi_nginx import OwnNginx
from support.rounds import rounds
from support.worker_process import is_alive, stat_of, until

pytestmark = pytest.mark.skipif("TGO_BIN" not in os.environ, reason="TGO_BIN is not set")

BODY = b'{"creator": "alice"}'
POST = fcgi.params_of("POST", "/api/v1/rooms", BODY)
HEAD = fcgi.head(POST)
WHOLE = HEAD + fcgi.stream(fcgi.STDIN, BODY)
PLAIN = fcgi.head(fcgi.params_of()) + fcgi.stream(fcgi.STDIN, b"")
# Eight known names: more than libfcgi's answer has room for. It ends the process ("stack smashing detected").
OVERRUN = fcgi.record(fcgi.GET_VALUES, fcgi.pairs([("FCGI_MAX_CONNS", "")] * 8), 0)
KILLER = HEAD + OVERRUN + fcgi.record(fcgi.STDIN)


def raw_pair(name_length, value_length, rest):
    return struct.pack(">II", name_length | 0x80000000, value_length | 0x80000000) + rest


def params_record(content):
    return fcgi.begin() + fcgi.record(fcgi.PARAMS, content) + fcgi.record(fcgi.PARAMS)


def with_params(extra):
    return fcgi.head(fcgi.params_of() + extra) + fcgi.record(fcgi.STDIN)


def hang_up(c):
    c.sock.shutdown(socket.SHUT_WR)


def answer(c):
    """status None: hung up on."""
    try:
        return c.response()
    except ConnectionResetError:
        return fcgi.Response(b"", b"", False)


def says(s, data):
    with s.connect() as c:
        try:
            c.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return answer(c)


@pytest.fixture
def pool(service):
    """Two workers, and the proof that the same two serve afterwards."""
    s = service().start()
    before = s.full(2)
    yield s
    assert s.get().status == 200
    assert s.full(2) == before
    assert not s.lines("worker_died") and not s.lines("worker_stuck")


# --- one bad dialogue at a time ---

HUNG_UP_ON = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "another version": b"\x02" + PLAIN[1:],
    "zeroes": bytes(64),
    "noise": random.Random(1).randbytes(5000),
    "an authorizer": fcgi.begin(fcgi.AUTHORIZER) + HEAD[16:],
    "a filter": fcgi.begin(fcgi.FILTER) + HEAD[16:],
    "role 0": fcgi.begin(0) + HEAD[16:],
    "role 257": fcgi.begin(257) + HEAD[16:],
    "BEGIN of nobody": fcgi.begin(request_id=0) + HEAD[16:],
    "BEGIN of 16 bytes": fcgi.record(fcgi.BEGIN_REQUEST, b"\0\1" + bytes(14)) + HEAD[16:],
    "no BEGIN": HEAD[16:] + fcgi.record(fcgi.STDIN),
    "two BEGINs": fcgi.begin() + PLAIN,
    "another's params": fcgi.begin() + fcgi.stream(fcgi.PARAMS, fcgi.pairs(POST), 2),
    "no params": fcgi.begin() + fcgi.stream(fcgi.STDIN, BODY),
    "aborted before it began": fcgi.record(fcgi.ABORT_REQUEST) + PLAIN,
    "aborted before its params": fcgi.begin() + fcgi.record(fcgi.ABORT_REQUEST) + PLAIN[16:],
    "an unknown type": fcgi.record(99) + PLAIN,
    "an unknown type in the params": fcgi.begin() + fcgi.record(99, b"x" * 8) + PLAIN[16:],
    "questions": fcgi.record(fcgi.GET_VALUES, fcgi.pairs({"FCGI_MAX_CONNS": ""}), 0),
    "questions that kill libfcgi": OVERRUN,
    "the same before the params": fcgi.begin() + OVERRUN + PLAIN[16:],
    "lengths that kill libfcgi": params_record(raw_pair(0x7ffffffe, 2, b"AB")),
    "INT_MAX and INT_MAX": params_record(raw_pair(0x7fffffff, 0x7fffffff, b"AB")),
    "a name longer than all": params_record(b"\x7f\x01AB"),
    "a value longer than all": params_record(raw_pair(1, 0x10000, b"AB")),
    "half a length": params_record(b"\x01"),
}


@pytest.mark.parametrize("name", HUNG_UP_ON)
def test_no_head_that_a_server_sends(pool, name):
    begun = time.monotonic()
    reply = says(pool, HUNG_UP_ON[name])
    assert reply.status is None and not reply.ended
    assert time.monotonic() - begun < 4


REFUSED = {
    "'=' in a name": [("X=HTTP_AUTHORIZATION", "y")],
    "no name": [("", "x")],
    "NUL in a value": [("HTTP_X_LANGUAGE", b"en\0-US")],
    "NUL in a name": [("HTTP_A\0B", "x")],
    "600 of them": [(f"HTTP_H{i}", "x") for i in range(600)],
    "two lengths": [("CONTENT_LENGTH", "5")],
    "two methods": [("REQUEST_METHOD", "GET")],
    "two paths": [("REQUEST_URI", "/health")],
    "two addresses": [("REMOTE_ADDR", "127.0.0.1")],
}


@pytest.mark.parametrize("name", REFUSED)
def test_params_that_cannot_be_trusted(pool, name):
    reply = says(pool, with_params(REFUSED[name]))
    assert (reply.status, json.loads(reply.body)["error"]) == (400, "invalid_parameters")


def test_as_many_params_as_nginx_has_headers_for(pool):
    assert says(pool, with_params([(f"HTTP_H{i}", "x" * 100) for i in range(490)])).status == 200


def memory_kib(pid):
    return int(next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines()
                    if line.startswith("VmHWM")).split()[1])


@pytest.mark.parametrize("n, value", [(100_000, "x"), (1_000_000, ""), (60, "x" * 60_000)])
def test_no_number_of_params_fills_the_memory(pool, n, value):
    before = max(map(memory_kib, pool.children()))
    with pool.connect() as c:
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            c.send(fcgi.begin())
            for i in range(0, n, 60):
                c.send(fcgi.stream(fcgi.PARAMS, fcgi.pairs([(f"HTTP_H{j}", value) for j in range(i, i + 60)]))[:-8])
            c.response()
            raise ConnectionResetError("hung up on after all of it")
    assert max(map(memory_kib, pool.children())) - before < 2048


# What follows a head that is well: libfcgi's to read, ours to answer. (the status of a route that reads its body; ANY:
# libfcgi's own affair)
ANY = None
AFTER_THE_HEAD = {
    "whole": (fcgi.stream(fcgi.STDIN, BODY), 503),
    "in single bytes": (b"".join(fcgi.record(fcgi.STDIN, BODY[i:i + 1]) for i in range(len(BODY)))
                        + fcgi.record(fcgi.STDIN), 503),
    "aborted at once": (fcgi.record(fcgi.ABORT_REQUEST), 400),
    "aborted in the middle": (fcgi.record(fcgi.STDIN, BODY[:5]) + fcgi.record(fcgi.ABORT_REQUEST), 400),
    "aborted after all of it": (fcgi.record(fcgi.STDIN, BODY) + fcgi.record(fcgi.ABORT_REQUEST), 400),
    "shorter": (fcgi.stream(fcgi.STDIN, BODY[:-1]), 400),
    "longer": (fcgi.stream(fcgi.STDIN, BODY + b" "), 400),
    "a lot longer": (fcgi.stream(fcgi.STDIN, BODY + b" " * 1_000_000), 400),
    "none": (fcgi.record(fcgi.STDIN), 400),
    "another's": (fcgi.stream(fcgi.STDIN, BODY, 2) + fcgi.stream(fcgi.STDIN, BODY), ANY),
    "another BEGIN": (fcgi.begin(request_id=2) + fcgi.stream(fcgi.STDIN, BODY), 503),
    "BEGIN of its own again": (fcgi.begin() + fcgi.stream(fcgi.STDIN, BODY), ANY),
    "params again": (fcgi.stream(fcgi.PARAMS, fcgi.pairs(POST)) + fcgi.stream(fcgi.STDIN, BODY), 400),
    "an unknown type": (fcgi.record(99) + fcgi.stream(fcgi.STDIN, BODY), 400),
    "an unknown question": (fcgi.record(99, b"", 0) + fcgi.stream(fcgi.STDIN, BODY), 503),
    "a question": (fcgi.record(fcgi.GET_VALUES, fcgi.pairs({"FCGI_MAX_CONNS": ""}), 0)
                   + fcgi.stream(fcgi.STDIN, BODY), 503),
    "another version": (b"\x02" + fcgi.stream(fcgi.STDIN, BODY)[1:], 400),
    "noise": (random.Random(2).randbytes(5000), 400),
}


@pytest.mark.parametrize("name", AFTER_THE_HEAD)
def test_no_body_that_a_server_sends(pool, name):
    data, status = AFTER_THE_HEAD[name]
    with pool.connect() as c:
        c.send(HEAD + data)
        hang_up(c)
        reply = answer(c)
        assert status is ANY or reply.status == status, reply.body
        assert reply.status in (None, 400, 503)
        assert reply.status is None or json.loads(reply.body)["code"] == reply.status


# --- half of a request, cut at each byte ---

def test_hung_up_at_each_byte(pool):
    for n in range(len(WHOLE)):
        with pool.connect() as c:
            c.send(WHOLE[:n])
            hang_up(c)
            assert answer(c).status == (None if n < len(HEAD) else 400), n


def test_in_two_pieces_cut_at_each_byte(pool):
    """Late is not never: what comes within the door's time is answered as if it had come at once."""
    for n in range(1, len(WHOLE)):
        with pool.connect() as c:
            c.send(WHOLE[:n])
            time.sleep(0.004)
            c.send(WHOLE[n:])
            assert c.response().status == 503, n


def test_silent_from_each_byte_on(service):
    s = service(WORKERS=8).start()
    before = s.full(8)
    step = rounds(6, 1)
    held = []
    for n in range(0, len(HEAD), step):
        held.append(s.connect())
        held[-1].send(WHOLE[:n])
    for c in held:
        c.sock.settimeout(60)
        assert c.is_closed()
        c.sock.close()
    assert s.get().status == 200
    assert s.full(8) == before and not s.lines("worker_died") and not s.lines("worker_stuck")


def test_silent_in_the_body(service):
    """Each read of a body has its own bound: answered 400 after it."""
    s = service(WORKERS=8).start()
    before = s.full(8)
    held = [s.connect() for _ in range(8)]
    for i, c in enumerate(held):
        c.send(WHOLE[:len(HEAD) + 4 * i])
    for c in held:
        c.sock.settimeout(30)
        assert c.response().status == 400
        c.sock.close()
    assert s.get().status == 200
    assert s.full(8) == before and not s.lines("worker_died") and not s.lines("worker_stuck")


# --- the watchdog ---

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


def test_a_peer_that_never_stops_is_ended(service):
    """After its answer it goes on sending: libfcgi reads until the peer has closed."""
    s = service(WORKERS=1, WORKER_STUCK_S=1).start()
    before = s.full(1)
    c = s.connect()
    c.send(PLAIN)
    with Drip(c, b"x" * 10, 0.05):
        assert c.response().status == 200
        replaced(s, "writing", before[0])
        assert s.get().status == 200


def test_a_worker_that_hangs_is_ended(service):
    s = service(WORKERS=1, WORKER_STUCK_S=1).start()
    pid = s.full(1)[0]
    with s.connect() as c:
        c.send(WHOLE[:-8])
        until(lambda: s.proc.poll() is None and stat_of(pid)[0] == "S")
        os.kill(pid, signal.SIGSTOP)
        replaced(s, "reading_body", pid)
        assert s.get().status == 200


def test_a_dripping_head_needs_no_watchdog(pool):
    with pool.connect() as c:
        begun = time.monotonic()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for i in range(len(HEAD)):
                c.send(HEAD[i:i + 1])
                time.sleep(0.05)
        assert time.monotonic() - begun < 3


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


# --- crashes ---

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


# --- a storm ---

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


# --- smuggling ---

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
