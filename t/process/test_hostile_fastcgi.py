"""Peers that speak FastCGI badly to the workers' socket, one dialogue at a time: none of them is answered as somebody else,
none keeps a worker, and the pool is whole afterwards.

SPDX-License-Identifier: MIT
"""
import json
import os
import time
from pathlib import Path

import pytest

from support import fcgi_client as fcgi
from support.bad_fastcgi import AFTER_THE_HEAD, ANY, HEAD, HUNG_UP_ON, WHOLE, answer, hang_up, says, with_params
from support.rounds import rounds

pytestmark = pytest.mark.skipif("TGO_BIN" not in os.environ, reason="TGO_BIN is not set")


@pytest.fixture
def pool(service):
    """Two workers, and the proof that the same two serve afterwards."""
    s = service().start()
    before = s.full(2)
    yield s
    assert s.get().status == 200
    assert s.full(2) == before
    assert not s.lines("worker_died") and not s.lines("worker_stuck")


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


def test_a_dripping_head_needs_no_watchdog(pool):
    with pool.connect() as c:
        begun = time.monotonic()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for i in range(len(HEAD)):
                c.send(HEAD[i:i + 1])
                time.sleep(0.05)
        assert time.monotonic() - begun < 3
