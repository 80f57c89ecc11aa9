"""The worker as a process: how it gets its socket, lives through crashes, signals and odd peers.

Takes TGO_BIN, the folder with tgo-call-worker. Neither database nor Redis is needed: the workers start without them.
SPDX-License-Identifier: MIT
"""
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest
from support import fcgi_client as fcgi
from support.worker_process import is_alive, unread, until

pytestmark = pytest.mark.skipif("TGO_BIN" not in os.environ, reason="TGO_BIN is not set")

CREATE = b'{"creator": "alice"}'


def half_a_request(service, body=b"x" * 10):
    """A request that a worker has taken and waits for the rest of: this route reads its body."""
    c = service.connect()
    c.begin(fcgi.params_of("POST", "/api/v1/rooms", body))
    c.body(body[:4], end=False)
    until(lambda: unread(c.sock) == 0)
    return c


def finish(c, body=b"x" * 10):
    c.body(body[4:])
    return c.response()


# --- where the socket comes from ---

def test_listen_unix(service):
    s = service().start()
    reply = s.get()
    assert (reply.status, json.loads(reply.body)) == (200, {"status": "ok"})
    assert reply.headers["content-type"].startswith("application/json")
    assert stat.S_IMODE(os.stat(s.sock).st_mode) == 0o660
    assert s.stop() == 0
    assert not os.path.exists(s.sock)


def test_listen_tcp(service):
    s = service()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    s.where = ("127.0.0.1", port)
    s.start(listen=f"127.0.0.1:{port}")
    assert s.get().status == 200
    assert not s.lines("listening_beyond_loopback")
    assert s.stop() == 0


def test_listen_beyond_loopback_warns(service):
    s = service()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    s.where = ("127.0.0.1", port)
    s.start(listen=f"0.0.0.0:{port}")
    assert s.lines("listening_beyond_loopback")[0]["level"] == "warn"


def test_fd_0_from_spawn_fcgi(service):
    assert shutil.which("spawn-fcgi"), "install Debian's package spawn-fcgi"
    s = service()
    s.spawn(["spawn-fcgi", "-n", "-s", s.sock, "-M", "0660", "--", s.binary, "--env-file", str(s.env_file)]).wait()
    assert len(s.full(2)) == 2
    assert s.get().status == 200
    assert s.stop() == 0


def test_fd_3_from_systemd(service):
    s = service()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(s.sock)
        listening.listen(16)
        s.spawn(["sh", "-c", 'exec 3<&0 0</dev/null; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"', "sh", s.binary,
                 "--env-file", str(s.env_file)], stdin=listening).wait()
        assert s.get().status == 200
        assert s.stop() == 0
        # The manager's socket stays, and keeps who comes meanwhile.
        with s.connect() as c:
            c.begin(fcgi.params_of())
            c.body(b"")
            s.spawn(["sh", "-c", 'exec 3<&0 0</dev/null; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"', "sh",
                     s.binary, "--env-file", str(s.env_file)], stdin=listening)
            assert c.response().status == 200


def test_nothing_to_listen_on(service):
    s = service()
    s.spawn([s.binary, "--env-file", str(s.env_file)])
    assert s.proc.wait(10) == 78
    assert "--listen" in s.err.read_text()


def test_second_one_does_not_steal_the_socket(service):
    first = service().start()
    second = service()
    second.spawn([second.binary, "--listen", f"unix:{first.sock}", "--env-file", str(second.env_file)])
    assert second.proc.wait(10) == 78
    assert first.sock in second.err.read_text()
    assert first.get().status == 200


def test_file_left_by_a_crash_is_replaced(service):
    s = service().start()
    before = s.full(2)
    s.proc.kill()
    s.proc.wait()
    until(lambda: not any(is_alive(p) for p in before))
    assert os.path.exists(s.sock)
    s.start()


def test_no_master(service):
    s = service(WORKERS=4).start("--no-master")
    assert s.children() == []
    assert s.get().status == 200
    assert s.stop() == 0


# --- refusals ---

@pytest.mark.parametrize("settings, says", [
    ({"AUTH_MODE": "key"}, "API_KEYS"),
    ({"WORKERS": "many"}, "WORKERS"),
    ({"LOG_FILE": "/no/such/folder/log"}, "/no/such/folder/log"),
])
def test_refuses_to_start(service, settings, says):
    s = service(**settings)
    s.spawn([s.binary, "--listen", f"unix:{s.sock}", "--env-file", str(s.env_file)])
    assert s.proc.wait(10) == 78
    assert says in s.err.read_text()
    assert not os.path.exists(s.sock)


@pytest.mark.parametrize("argv, status, says", [
    (["--version"], 0, "tgo-call-worker "), (["--help"], 0, "--listen"), (["--workers", "0"], 64, "--workers"),
])
def test_command_line(argv, status, says, tmp_path):
    binary = str(Path(os.environ["TGO_BIN"]).resolve() / "tgo-call-worker")
    done = subprocess.run([binary, *argv], capture_output=True, text=True, cwd=tmp_path, timeout=10)
    assert done.returncode == status
    assert says in done.stdout + done.stderr


def test_open_mode_is_warned_of(service):
    s = service().start()
    assert [line["level"] for line in s.lines("auth_open")] == ["warn"]
    assert s.lines("started")[0]["workers"] == 2


# --- deaths ---

def test_killed_child_is_replaced(service):
    s = service().start()
    victim = s.full(2)[0]
    os.kill(victim, signal.SIGKILL)
    until(lambda: victim not in s.children() and len(s.children()) == 2)
    died = until(lambda: s.lines("worker_died"))[0]
    assert (died["pid"], died["signal"], died["level"]) == (victim, 9, "error")
    assert s.get().status == 200


def test_crashing_loop_is_slowed_down(service):
    s = service(WORKERS=1).start()
    seen, end = set(), time.monotonic() + 3
    while time.monotonic() < end:
        for pid in s.children():
            seen.add(pid)
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)
    # The first had served; then five deaths for nothing, then pauses of 100, 200, 400, 800 and 1600 ms.
    assert 7 <= len(seen) <= 13
    until(lambda: s.lines("worker_died"))
    pauses = [line["pause_ms"] for line in s.lines("worker_died")]
    assert pauses[:8] == [0, 0, 0, 0, 0, 0, 100, 200]
    assert pauses == sorted(pauses)
    assert s.get(timeout=15).status == 200


def test_a_child_told_to_leave_is_replaced_at_once(service):
    s = service(WORKERS=1).start()
    for _ in range(8):
        pid = s.full(1)[0]
        assert s.get().status == 200
        os.kill(pid, signal.SIGTERM)
        until(lambda: pid not in s.children())
    assert s.get().status == 200
    assert not s.lines("worker_died")
    assert [line["pause_ms"] for line in s.lines("worker_left")] == [0] * 8


def test_children_do_not_outlive_the_master(service):
    s = service().start()
    left = s.full(2)
    s.proc.kill()
    s.proc.wait()
    until(lambda: not any(is_alive(p) for p in left), 5)


def test_worker_leaves_after_max_requests(service):
    s = service(WORKERS=1, MAX_REQUESTS=3).start()
    pids = set()
    for _ in range(12):
        assert s.get().status == 200
        pids.update(s.children())
    until(lambda: len(pids | set(s.children())) >= 4)
    assert not s.lines("worker_died")


# --- SIGTERM ---

@pytest.mark.parametrize("more", [[], ["--no-master"]])
def test_term_finishes_what_is_under_way(service, more):
    s = service(WORKERS=1).start(*more)
    with half_a_request(s) as c:
        s.signal(signal.SIGTERM)
        if not more:
            until(lambda: s.lines("stopping"))
            with pytest.raises((ConnectionRefusedError, FileNotFoundError)):
                s.get()
        assert s.proc.poll() is None
        reply = finish(c)
        assert reply.ended and reply.status is not None
    assert s.proc.wait(5) == 0
    assert s.lines("stopped")


def test_term_does_not_wait_for_ever(service):
    s = service(WORKERS=1).start()
    c = half_a_request(s)
    # Fed byte by byte it is never done, and never still for long.
    feeding = threading.Event()

    def feed():
        while not feeding.wait(0.5):
            try:
                c.body(b"y", end=False)
            except OSError:
                return

    thread = threading.Thread(target=feed)
    thread.start()
    begun = time.monotonic()
    s.signal(signal.SIGTERM)
    assert s.proc.wait(15) == 0
    assert 9 < time.monotonic() - begun < 12
    feeding.set()
    thread.join()
    c.sock.close()


def test_idle_workers_stop_at_once(service):
    s = service(WORKERS=8).start()
    s.full(8)
    begun = time.monotonic()
    assert s.stop() == 0
    assert time.monotonic() - begun < 2


# --- SIGHUP ---

class Load:
    """Requests without a pause, from a few threads; every one must be answered with 200."""

    def __init__(self, service, n=3):
        self.service, self.ending, self.n_done, self.bad = service, threading.Event(), 0, []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.work) for _ in range(n)]

    def work(self):
        while not self.ending.is_set():
            try:
                got = self.service.get().status
            except Exception as e:  # noqa: BLE001 - whatever it is, it is a lost request
                got = repr(e)
            with self.lock:
                self.n_done += 1
                if got != 200:
                    self.bad.append(got)

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for t in self.threads:
            t.join()


def test_hup_under_load_loses_no_request(service):
    s = service(WORKERS=4).start()
    with Load(s) as load:
        for round_ in range(1, 6):
            before = set(s.children())
            s.signal(signal.SIGHUP)
            until(lambda: len(s.lines("workers_renewed")) == round_)
            until(lambda: len(s.children()) == 4)
            assert not before & set(s.children())
    assert load.bad == []
    assert load.n_done > 100
    assert not s.lines("worker_died")


def test_hup_keeps_a_busy_worker_until_it_is_done(service):
    s = service(WORKERS=1).start()
    old = s.full(1)[0]
    with half_a_request(s) as c:
        s.signal(signal.SIGHUP)
        until(lambda: len(s.children()) == 2)
        until(lambda: s.lines("workers_renewed"))
        assert s.get().status == 200
        assert is_alive(old)
        assert finish(c).ended
    assert old not in s.full(1)


def test_hup_takes_a_new_number_of_workers(service):
    s = service(WORKERS=2).start()
    s.full(2)
    for n in (5, 1, 3):
        s.configure(WORKERS=n)
        s.signal(signal.SIGHUP)
        s.full(n)
        until(lambda: s.lines("config_reloaded")[-1]["workers"] == n)
    assert s.get().status == 200


@pytest.mark.parametrize("bad", [{"WORKERS": "x"}, {"AUTH_MODE": "key"}, {"LOG_FILE": "/no/such/folder/log"}])
def test_hup_refuses_a_bad_configuration(service, bad):
    s = service().start()
    before = s.full(2)
    s.configure(**bad)
    s.signal(signal.SIGHUP)
    refused = until(lambda: s.lines("config_refused"))[0]
    assert refused["level"] == "error"
    assert re.search("WORKERS|API_KEYS|/no/such/folder/log", json.dumps(refused))
    assert s.get().status == 200
    assert s.children() == before


@pytest.mark.parametrize("bad", [{"AUTH_MODE": "key"}, {"LOG_FILE": "/no/such/folder/log"}])
def test_a_refused_configuration_leaves_the_time_zone(service, bad):
    """Workers that are started later, too, write local time of the zone that counts."""
    s = service(WORKERS=1, TZ="Asia/Shanghai").start()
    s.configure(TZ="America/New_York", **bad)
    s.signal(signal.SIGHUP)
    until(lambda: s.lines("config_refused"))
    before = s.full(1)[0]
    os.kill(before, signal.SIGKILL)
    until(lambda: s.full(1) != [before])
    assert s.get().status == 200
    assert {line["timestamp"][-6:] for line in s.lines()} == {"+08:00"}
    # And one that is taken brings its own.
    s.configure(**{**s.settings, "AUTH_MODE": "open", "LOG_FILE": s.log})
    s.signal(signal.SIGHUP)
    until(lambda: s.lines("workers_renewed"))
    assert s.lines("workers_renewed")[-1]["timestamp"][-6:] in ("-04:00", "-05:00")


def test_two_hups_at_once(service):
    s = service(WORKERS=3).start()
    before = set(s.full(3))
    s.signal(signal.SIGHUP)
    until(lambda: set(s.children()) - before)
    s.signal(signal.SIGHUP)
    until(lambda: len(s.lines("config_reloaded")) == 2 and s.lines("workers_renewed"))
    assert not before & set(s.full(3))
    assert s.get().status == 200


# --- SIGUSR1 ---

def test_usr1_opens_the_log_again(service):
    s = service(WORKERS=1).start()
    child = s.full(1)[0]
    rotated = s.log.with_suffix(".1")
    s.log.rename(rotated)
    s.signal(signal.SIGUSR1)
    until(s.log.exists)

    def child_writes_here():
        s.get(uri="/nothing-there")
        return any(line.get("route") is not None or line.get("request_id") for line in s.lines())

    until(child_writes_here)
    os.kill(child, signal.SIGKILL)
    until(lambda: s.lines("worker_died"))
    n_before = len(s.lines(log=rotated))
    s.get(uri="/nothing-there")
    assert len(s.lines(log=rotated)) == n_before


# --- requests ---

def test_request_id_is_kept_or_made(service):
    s = service(WORKERS=1).start()
    assert s.get(REQUEST_ID="0a1B-77").headers["x-request-id"] == "0a1B-77"
    for bad in ("", "a b", "a\r\nSet-Cookie: x=y", "é", "x" * 65):
        reply = s.get(REQUEST_ID=bad)
        assert re.fullmatch("[0-9a-f]{32}", reply.headers["x-request-id"])
        assert "set-cookie" not in reply.headers


def test_head_has_the_headers_only(service):
    s = service(WORKERS=1).start()
    get, head = s.get(), fcgi.request(s.where, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.body))


@pytest.mark.parametrize("said, body, status", [
    (len(CREATE), CREATE, 503),                 # whole: only the database is missing
    (len(CREATE) + 1, CREATE, 400),             # shorter than said
    (len(CREATE) - 1, CREATE, 400),             # longer than said
    (0, CREATE, 400),
    ("", CREATE, 400),
    ("-1", CREATE, 400),
    ("20x", CREATE, 400),
    ("99999999999999999999", CREATE, 400),
    (300 * 1024, CREATE, 413),
    (300 * 1024, b"x" * (300 * 1024), 413),     # refused unread, and thrown away
])
def test_body_and_content_length(service, said, body, status):
    s = service(WORKERS=1).start()
    with s.connect() as c:
        c.begin(fcgi.params_of("POST", "/api/v1/rooms", body, content_length=said))
        c.body(body)
        reply = c.response()
        assert (reply.status, reply.ended) == (status, True), reply.body
        assert c.is_closed()
    assert s.get().status == 200


def test_rest_of_a_refused_body_is_taken(service):
    s = service(WORKERS=1).start()
    body = b"x" * (300 * 1024)
    with s.connect() as c:
        c.begin(fcgi.params_of("POST", "/api/v1/rooms", body))
        time.sleep(0.6)                         # longer than the library itself would wait for the rest
        c.body(body)
        assert c.response().status == 413


def test_peer_that_hangs_up_in_the_middle(service):
    s = service(WORKERS=1).start()
    for _ in range(3):
        half_a_request(s).sock.close()
    assert s.get().status == 200
    assert not s.lines("worker_died")


def test_peer_that_says_nothing_holds_nobody_up(service):
    s = service(WORKERS=1).start()
    with s.connect():
        begun = time.monotonic()
        assert s.get().status == 200
        assert time.monotonic() - begun < 1.5


def test_connection_is_never_kept(service):
    s = service(WORKERS=1).start()
    with s.connect() as c:
        c.begin(fcgi.params_of(), keep=True)
        c.body(b"")
        assert c.response().status == 200
        assert c.is_closed()
    assert s.get().status == 200


def test_doubled_authorization_is_refused(service):
    s = service(WORKERS=1).start()
    twice = [("Authorization", "Bearer a"), ("Authorization", "Bearer b")]
    reply = fcgi.request(s.where, "POST", "/api/v1/rooms", CREATE, headers=twice)
    assert reply.status == 400


def test_many_requests_at_once(service):
    s = service(WORKERS=4).start()
    with Load(s, 16) as load:
        until(lambda: load.n_done > 1000, 30)
    assert load.bad == []
