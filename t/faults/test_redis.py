"""Redis killed, frozen, full, emptied, demoted and loading, while 16 clients make calls.

Redis holds only what may be lost: whoever calls notices nothing but, once a second and worker, a pause of at most
200 ms. Not one answer may be missing, every event is delivered, and rings end when they should. Afterwards all that
load_truth.py asks for.

SPDX-License-Identifier: MIT
"""
import statistics
import time

import pytest
import redis

from fake_media import livekit, stack  # noqa: F401
from redis_server import RedisServer
from rings import Rings
from support.jobs_process import jobs_of
from support.rounds import rounds
from support.wait import wait_until

TIME_LIMIT_S = 0.2            # of a command of ours


@pytest.fixture
def server(stack):
    one = RedisServer(stack)
    yield one
    one.clean_up()


@pytest.fixture
def told(stack):
    """told(): the lines "redis_unavailable" since the test began."""
    jobs = jobs_of(stack)
    before = len(jobs.lines("redis_unavailable"))
    return lambda: jobs.lines("redis_unavailable")[before:]


def untouched(load, fault, n, late_ms):
    """Nobody noticed."""
    load.stop()
    figures = load.verify()
    assert figures.not_served == {}
    took = [a.took for outage in range(len(load.outages)) for a in load.during(outage)]
    # Were every command waited for, each answer would be slower than this.
    assert statistics.median(took) < TIME_LIMIT_S
    figures.write(fault, n, f"rings at most {late_ms} ms late")


def test_killed_and_started_again(load, stack, server, told):
    """Short: 2 rounds, full: 10."""
    n, late = rounds(2, 10), []
    for _ in range(n):
        load.broke()
        server.kill()
        rings = Rings(stack).begin()
        late.append(rings.on_time())
        server.start()
        server.back()
        load.mended()
        load.recovered()
    untouched(load, "Redis: kill -9, started again", n, max(late))
    assert told()


def test_frozen(load, stack, server, told):
    """Short: once for 4 s, full: twice for 10 s."""
    n, seconds = rounds((1, 4), (2, 10))
    late = []
    for _ in range(n):
        load.broke()
        server.freeze()
        try:
            rings = Rings(stack).begin()
            late.append(rings.on_time())
            # The fault is this long; there is nothing to wait for but time.
            time.sleep(max(0, seconds - (time.monotonic() - load.outages[-1].began)))
        finally:
            server.thaw()
        server.back()
        load.mended()
        load.recovered()
    untouched(load, f"Redis: frozen for {seconds} s (SIGSTOP)", n, max(late))
    assert any("Resource temporarily unavailable" in line["error"] for line in told())


@pytest.mark.full
def test_out_of_memory(load, stack, server, told):
    """maxmemory is far below what is in it, and nothing may be evicted. Only in full: 3."""
    n, late = rounds(1, 3), []
    for _ in range(n):
        load.broke()
        server.own.config_set("maxmemory", "100kb")
        try:
            with pytest.raises(redis.OutOfMemoryError):
                server.own.set("one more", "x")
            late.append(Rings(stack).begin().on_time())
        finally:
            server.own.config_set("maxmemory", "0")
        load.mended()
        load.recovered()
    untouched(load, "Redis: out of memory (noeviction)", n, max(late))
    assert any(line["error"].startswith("OOM") for line in told())


@pytest.mark.full
def test_flushed(load, stack, server):
    """FLUSHALL again and again. Only in full: 200."""
    n = rounds(20, 200)
    load.broke()
    rings = Rings(stack).begin()
    for _ in range(n):
        server.own.flushall()
        # The cache fills again with what the clients do.
        wait_until(lambda: server.own.keys("tgo:room:*"), 10, what="something to lose")
    late = rings.on_time()
    load.mended()
    load.recovered()
    untouched(load, "Redis: FLUSHALL", n, late)


@pytest.mark.full
def test_a_replica_answers(load, stack, server, told):
    """A failover half way: it reads and refuses to write. Only in full: 3."""
    n, late = rounds(1, 3), []
    for _ in range(n):
        load.broke()
        server.own.replicaof("127.0.0.1", "1")
        try:
            with pytest.raises(redis.ReadOnlyError):
                server.own.set("one more", "x")
            late.append(Rings(stack).begin().on_time())
        finally:
            server.own.replicaof("NO", "ONE")
        load.mended()
        load.recovered()
    untouched(load, "Redis: a read-only replica answers", n, max(late))
    assert any(line["error"].startswith("READONLY") for line in told())


@pytest.mark.full
def test_loading(load, stack, server, told):
    """Started with seconds of data to load, it answers LOADING. Only in full: 3."""
    n, late = rounds(1, 3), []
    for _ in range(n):
        load.broke()
        server.start_slowly()
        rings = Rings(stack).begin()
        server.back()
        late.append(rings.on_time())
        load.mended()
        load.recovered()
    untouched(load, "Redis: LOADING", n, max(late))
    assert any(line["error"].startswith("LOADING") for line in told())
