"""The port on which tgo-call-jobs tells what it did: what is counted, who may read it, and that it is there whatever becomes
of the process that serves it.

SPDX-License-Identifier: MIT
"""
import base64
import contextlib
import hashlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from support.client import Api
from support.fake_livekit import FakeLiveKit
from support.jobs_process import TASKS
from support.metrics import scrape
from support.ports import free_port
from support.receiver import HANG, Receiver, Stream
from support.time_passes import run_down
from support.wait import wait_until
from support.worker_process import is_alive

QUICK = {"WEBHOOK_RETRY_S": "0.2,0.2", "WEBHOOK_HOLD_S": "0.4", "WEBHOOK_PROBE_MIN_S": "0.2",
         "WEBHOOK_PROBE_MAX_S": "0.4"}


def where(one):
    """Where it said last that it listens."""
    said = wait_until(lambda: one.lines("metrics_listening"), 10, what="a port")
    return said[-1]["detail"]


def url_of(one):
    return f"http://{where(one)}/metrics"


@pytest.fixture
def metered(quiet_stack, make_jobs):
    """metered(CONFIG="value", ...): a tgo-call-jobs with a port."""

    def start(**settings):
        return make_jobs(quiet_stack, **{"JOBS_METRICS_LISTEN": "127.0.0.1:0", **settings}).start()

    return start


def port_process(one):
    """The child that is no task."""
    return next(iter(set(one.children()) - set(one.full().values())), None)


def ask(address, method="GET", path="/metrics", headers=None, body=None):
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=5)
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


# --- what is counted ---

def outcome_of(status):
    return {204: "delivered", 302: "http_3xx", 404: "http_4xx", 500: "http_5xx", HANG: "timeout"}[status]


def test_every_try_to_deliver_is_counted_by_what_became_of_it(quiet_stack, metered, fresh):
    good, bad = Receiver(), Receiver(answer=lambda got: [500, 404, 302, HANG, 204][min(len(bad.got), 4)])
    gone = Receiver()
    gone.stop()
    stream = Stream(quiet_stack, fresh)
    ends = [one.endpoint(timeout=1) for one in (good, bad, gone)]
    one = metered(BUSINESS_WEBHOOK_ENDPOINTS=json.dumps(ends), WEBHOOK_ALLOW_PRIVATE="true",
                  WEBHOOK_PARALLEL="1", **QUICK)
    url = url_of(one)
    wait_until(lambda: stream.endpoint(good) and stream.endpoint(bad), 10, what="receivers that are known")
    room = stream.room()
    for _ in range(5):
        stream.emit(room)
    wait_until(lambda: len(bad.taken()) >= 2 and len(good.taken()) == 5, 30, what="events that are taken")
    wait_until(lambda: scrape(url).sum("tgo_deliveries_total", endpoint=bad.id, outcome="delivered") >= 2, 10)
    wait_until(lambda: scrape(url).sum("tgo_deliveries_total", endpoint=gone.id, outcome="unreachable") >= 2, 10)
    seen = scrape(url)
    assert seen.all("tgo_deliveries_total", endpoint=good.id) == {
        frozenset({("endpoint", good.id), ("outcome", "delivered")}): 5}
    for status in (500, 404, 302, HANG):
        assert seen.sum("tgo_deliveries_total", endpoint=bad.id, outcome=outcome_of(status)) >= 1, status
    for each in (good, bad, gone):
        assert seen.sum("tgo_delivery_seconds_count", endpoint=each.id) == \
            seen.sum("tgo_deliveries_total", endpoint=each.id)
    assert good.url.partition("//")[2] not in seen.text and good.secret not in seen.text
    one.stop()
    good.stop()
    bad.stop()
    stream.close()


def test_what_is_given_up_is_counted(quiet_stack, metered, fresh):
    bad, stream = Receiver(answer=lambda got: 404), Stream(quiet_stack, fresh)
    one = metered(BUSINESS_WEBHOOK_ENDPOINTS=json.dumps([bad.endpoint()]), **QUICK)
    wait_until(lambda: stream.endpoint(bad), 10, what="a receiver that is known")
    stream.emit(stream.room())
    wait_until(lambda: scrape(url_of(one)).sum("tgo_deliveries_exhausted_total", endpoint=bad.id) == 1, 20)
    assert scrape(url_of(one)).sum("tgo_deliveries_total", endpoint=bad.id, outcome="http_4xx") == 3
    one.stop()
    bad.stop()
    stream.close()


def test_deadlines_actions_and_looks_are_counted(quiet_stack, metered, fresh):
    redis = quiet_stack.redis()
    fake = FakeLiveKit(quiet_stack.env["LIVEKIT_API_SECRET"], redis=redis)
    one = metered(LIVEKIT_URL=fake.url, RECONCILE_INTERVAL="0.5", ACTION_RETRY_S="0.2")
    url, api = url_of(one), Api(quiet_stack)
    missed, db = fresh("missed"), quiet_stack.db()
    answer = api.post("/rooms", {"creator": fresh("ann"), "uids": [fresh("bob")], "room_id": missed})
    assert answer.status_code == 200, answer.text
    run_down(db, [missed], late_ms=7000, redis=redis)
    wait_until(lambda: scrape(url).sum("tgo_deadline_lateness_seconds_count") == 1, 20, what="a deadline")
    assert 7 <= scrape(url).sum("tgo_deadline_lateness_seconds_sum") < 60
    fake.fail("DeleteRoom", 500)
    room, ann = fresh("room"), fresh("ann")
    assert api.post("/rooms", {"creator": ann, "uids": [fresh("bob")], "room_id": room}).status_code == 200
    assert api.post(f"/rooms/{room}/join", {"uid": ann}).status_code == 200
    fake.join(room, ann)
    assert api.post(f"/rooms/{room}/end").status_code == 200
    wait_until(lambda: scrape(url).sum("tgo_livekit_actions_total", kind="delete_room", outcome="again") >= 1, 20)
    fake.heal()
    wait_until(lambda: scrape(url).sum("tgo_livekit_actions_total", kind="delete_room", outcome="done") >= 1, 20)
    wait_until(lambda: scrape(url).sum("tgo_reconciled_total") >= 1, 20, what="a look")
    one.stop()
    fake.stop()
    db.close()


def test_each_task_says_when_it_was_last_there(metered):
    one = metered()
    url = url_of(one)
    wait_until(lambda: set(scrape(url).by("tgo_task_last_pass_timestamp_seconds", "task")) == set(TASKS), 20)
    for task, at in scrape(url).by("tgo_task_last_pass_timestamp_seconds", "task").items():
        assert abs(at - time.time()) < 60, task
    before = scrape(url)
    one.freeze("keeper")
    wait_until(lambda: all(scrape(url).sum("tgo_task_passes_total", task=t) >
                           before.sum("tgo_task_passes_total", task=t) for t in ("nodes", "sequence", "deliver")), 20)
    first = scrape(url).sum("tgo_task_last_pass_timestamp_seconds", task="keeper")
    wait_until(lambda: scrape(url).sum("tgo_task_last_pass_timestamp_seconds", task="nodes") >= first + 4, 20)
    assert scrape(url).sum("tgo_task_last_pass_timestamp_seconds", task="keeper") == first
    one.thaw("keeper")
    wait_until(lambda: scrape(url).sum("tgo_task_last_pass_timestamp_seconds", task="keeper") > first, 20)


def test_a_pass_without_a_database_has_failed(make_stack, make_jobs):
    stack = make_stack(jobs=False)
    one = make_jobs(stack, JOBS_METRICS_LISTEN="127.0.0.1:0").start()
    url = url_of(one)
    one.close()
    stack.kill("mariadb")
    for task in ("deadlines", "sequence", "actions", "reconcile", "keeper", "nodes"):
        wait_until(lambda: scrape(url).sum("tgo_task_passes_total", task=task, outcome="failed") > 0, 30, what=task)


def test_the_counts_survive_those_who_counted(metered):
    one = metered()
    url = url_of(one)
    wait_until(lambda: scrape(url).sum("tgo_task_passes_total", task="nodes") >= 3, 20)
    before = scrape(url).sum("tgo_task_passes_total", task="nodes")
    one.kill("nodes")
    after = scrape(url)
    assert after.sum("tgo_task_passes_total", task="nodes") >= before
    assert after.sum("tgo_process_deaths_total", kind="crashed") == 1


# --- who may read it, and how it is asked ---

@pytest.mark.parametrize("method, path, status", [
    ("GET", "/metrics", 200), ("HEAD", "/metrics", 200), ("GET", "/metrics?x=1", 200), ("GET", "/", 404),
    ("GET", "/metrics/", 404), ("GET", "/metrics/../metrics", 404), ("GET", "/%6detrics", 200), ("POST", "/metrics", 405),
    ("PUT", "/metrics", 405), ("DELETE", "/metrics", 405), ("OPTIONS", "/metrics", 405), ("POST", "/x", 404),
])
def test_methods_and_paths(quiet_stack, metered, method, path, status):
    got, headers, body = ask(where(metered()), method, path, body=b"x" * 20 if method in ("POST", "PUT") else None)
    assert got == status and headers["Connection"] == "close"
    assert headers.get("Allow") == ("GET, HEAD" if status == 405 else None)
    assert (body == b"") == (method == "HEAD")
    if method == "HEAD":
        assert int(headers["Content-Length"]) > 1000


def outside_address():
    """One of this machine's that is not loopback, or None."""
    told = subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split()
    return next((one for one in told if ":" not in one), None)


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_from_elsewhere_only_with_the_password(metered):
    address = outside_address()
    if address is None:
        pytest.skip("this machine has no address but loopback")
    one = metered(JOBS_METRICS_LISTEN="0.0.0.0:0", METRICS_USER="scraper",
                  METRICS_PASSWORD_SHA256=hashlib.sha256(b"let me in").hexdigest())
    port = where(one).rpartition(":")[2]
    assert ask(f"127.0.0.1:{port}")[0] == 200
    for headers in ({}, basic("scraper", "let me out"), basic("other", "let me in"), {"Authorization": "Bearer x"},
                    {"X-Forwarded-For": "127.0.0.1"}):
        status, told, body = ask(f"{address}:{port}", headers=headers)
        assert status == 401 and told["WWW-Authenticate"].startswith("Basic ") and b"tgo_" not in body, headers
    assert ask(f"{address}:{port}", path="/nothing")[0] == 401
    status, _, body = ask(f"{address}:{port}", headers=basic("scraper", "let me in"))
    assert status == 200 and b"tgo_task_passes_total" in body
    assert "let me" not in one.log.read_text()


def test_without_a_password_nobody_from_elsewhere(metered):
    address = outside_address()
    if address is None:
        pytest.skip("this machine has no address but loopback")
    port = where(metered(JOBS_METRICS_LISTEN="0.0.0.0:0")).rpartition(":")[2]
    status, told, body = ask(f"{address}:{port}", headers=basic("", ""))
    assert status == 403 and "WWW-Authenticate" not in told and b"tgo_" not in body
    assert ask(f"127.0.0.1:{port}")[0] == 200


# --- peers that do it badly ---

def test_peers_that_hold_on_hold_nobody_for_long(metered):
    one = metered()
    host, _, port = where(one).rpartition(":")
    held = [socket.create_connection((host, int(port)), timeout=30) for _ in range(48)]
    for each in held:
        each.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
    with dripping(held):
        # Ten seconds for each of two full houses at most, and then some for a slow machine.
        assert scrape(url_of(one), timeout=60).sum("tgo_workers", state="alive") == len(TASKS) + 1
    passes = scrape(url_of(one), timeout=60).sum("tgo_task_passes_total", task="nodes")
    wait_until(lambda: scrape(url_of(one), timeout=60).sum("tgo_task_passes_total", task="nodes") > passes, 60)


@contextlib.contextmanager
def dripping(peers):
    """A byte of each, twice a second."""
    stop = threading.Event()

    def drip():
        while not stop.wait(0.5):
            for each in peers:
                with contextlib.suppress(OSError):
                    each.sendall(b"a")

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        for each in peers:
            each.close()


@pytest.mark.parametrize("bytes_sent", [
    b"\x00" * 5000, b"GET /metrics HTTP/1.1\r\nA: " + b"b" * 100000, b"GET " + b"/" * 100000, b"\r\n" * 5000,
    b"GET /metrics HTTP/9.9\r\n\r\n", b"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
])
def test_nonsense_kills_nobody(metered, bytes_sent):
    one = metered()
    pid = port_process(one)
    host, _, port = where(one).rpartition(":")
    with socket.create_connection((host, int(port)), timeout=15) as peer, contextlib.suppress(OSError):
        peer.sendall(bytes_sent)
        peer.shutdown(socket.SHUT_WR)
        while peer.recv(65536):
            pass
    assert scrape(url_of(one)).text and port_process(one) == pid


# --- the process behind it ---

class Scraper(threading.Thread):
    """Asks again and again; `failed` must stay empty."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.url, self.failed, self.n, self.ended = url, [], 0, threading.Event()
        self.start()

    def run(self):
        while not self.ended.is_set():
            try:
                scrape(self.url, timeout=15)
                self.n += 1
            except Exception as e:
                self.failed.append(repr(e))

    def more(self, n=10):
        until = self.n + n
        wait_until(lambda: self.n >= until, 30, what="more scrapes")

    def end(self):
        self.ended.set()
        self.join(20)
        return self.failed


def test_renewal_refuses_no_scrape(metered):
    one = metered()
    scraper = Scraper(url_of(one))
    for _ in range(3):
        before, pid = one.full(), port_process(one)
        one.signal(signal.SIGHUP)
        wait_until(lambda: not is_alive(pid) and not set(one.full().values()) & set(before.values()), 30, what="renewal")
        scraper.more()
    assert scraper.end() == []


def test_a_crash_refuses_no_scrape_but_the_one_it_was_at(metered):
    one = metered()
    url = url_of(one)
    for _ in range(3):
        pid = port_process(one)
        os.kill(pid, signal.SIGKILL)
        # At once, with the process dead and the next not there yet: the socket's queue holds it.
        assert scrape(url, timeout=15).text
        wait_until(lambda: port_process(one) not in (None, pid), 10, what="another process")
    assert set(one.full()) == set(TASKS)


def test_the_tasks_do_not_hold_the_port(metered):
    """One that outlives a killed master for a while would keep it from the next one."""
    one = metered()
    port = int(where(one).rpartition(":")[2])
    with open("/proc/net/tcp") as f:
        inodes = [line.split()[9] for line in f if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"]
    assert len(inodes) == 1
    holders = [pid for pid in [one.pid, *one.children()] if inodes[0] in sockets(pid)]
    assert sorted(holders) == sorted([one.pid, port_process(one)])


def sockets(pid):
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            found |= set(re.findall(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{fd}")))
    return found


def test_the_port_moves_comes_and_goes_with_the_configuration(metered):
    one = metered()
    first = where(one)
    one.configure(JOBS_METRICS_LISTEN="[::1]:0" if socket.has_ipv6 else "127.0.0.2:0")
    one.signal(signal.SIGHUP)
    wait_until(lambda: where(one) != first, 10, what="another port")
    second = where(one)
    assert ask(second)[0] == 200
    wait_until(lambda: refused(first), 15, what="the old port is closed")
    one.configure(JOBS_METRICS_LISTEN="")
    one.signal(signal.SIGHUP)
    wait_until(lambda: refused(second), 15, what="no port")
    wait_until(lambda: len(one.children()) == len(TASKS), 15)
    one.configure(JOBS_METRICS_LISTEN="127.0.0.1:0")
    one.signal(signal.SIGHUP)
    wait_until(lambda: where(one) != second and ask(where(one))[0] == 200, 15, what="a port again")


def refused(address):
    try:
        ask(address)
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def test_a_port_that_is_taken_keeps_nobody_from_work(metered, make_jobs, quiet_stack):
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        one = metered(JOBS_METRICS_LISTEN=f"127.0.0.1:{port}")
        assert set(one.full()) == set(TASKS)
        said = one.lines("metrics_port_failed")
        assert len(said) == 1 and str(port) in said[0]["detail"] and said[0]["level"] == "error"
        assert one.lines("metrics_listening") == []
    assert wait_until(lambda: not refused(f"127.0.0.1:{port}") and scrape(url_of(one)), 15).text
    assert one.stop() == 0


def test_it_leaves_with_the_others(metered):
    one = metered()
    address = where(one)
    with socket.create_connection(address.rsplit(":", 1), timeout=5) as idle:
        started = time.monotonic()
        assert one.stop() == 0
        assert time.monotonic() - started < 15
        assert idle.recv(1) == b""
    assert refused(address) and not any(is_alive(p) for p in one.children())


def test_no_port_unless_it_is_wanted(quiet_stack, make_jobs):
    one = make_jobs(quiet_stack).start()
    assert len(one.children()) == len(TASKS) and one.lines("metrics_listening") == []
