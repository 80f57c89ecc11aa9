"""Media nodes killed, frozen and forgotten by their Redis, while 16 clients make calls.

Calls go on: new ones are given to the node that is left. A ring ends when it should, or, where LiveKit cannot be
asked whether somebody is there after all, at most 10 s later. Afterwards all that load_truth.py asks for.

SPDX-License-Identifier: MIT
"""
import random
import time

import pytest
import redis

from rings import LATE_MS, LIVEKIT_SILENT_MS, Rings
from support.cluster import addresses, node_ids, part
from support.part import Part
from support.rounds import rounds
from support.wait import wait_until

NODES = 2
SERVED_WITHIN_S = 20


@pytest.fixture(scope="module", autouse=True)
def real_nodes(stack):
    if not stack.env["LIVEKIT_NODES"]:
        pytest.fail("no livekit-server: it is neither in PATH nor could it be made")


@pytest.fixture
def victim(load, stack):
    """One of the nodes, by the load's seed."""
    return Part(stack, random.Random(load.seed).choice([part(stack, one) for one in addresses(stack)]))


def address_of(stack, node):
    return next(one for one in addresses(stack) if part(stack, one) == node.name)


def new_calls_are_served(load):
    """Nobody's next answers come from a node that is away."""
    began = time.monotonic()

    def served():
        mine = [[a for a in list(c.answers) if a.began > began and a.kind == "create"] for c in load.clients]
        return all(one and one[-1].outcome == "clean" for one in mine)

    wait_until(served, SERVED_WITHIN_S, what="new calls for every client")


def finish(load, fault, n, late):
    load.stop()
    figures = load.verify()
    assert figures.not_served == {}
    figures.write(fault, n, f"rings at most {max(late)} ms late")


def test_node_killed_and_started_again(load, stack, victim):
    """Short: 1 round, full: 10."""
    n, late = rounds(1, 10), []
    for _ in range(n):
        before = {id for id, address in node_ids(stack).items() if address == address_of(stack, victim)}
        load.broke()
        victim.kill()
        new_calls_are_served(load)
        late.append(Rings(stack).begin().on_time(LIVEKIT_SILENT_MS + LATE_MS))
        victim.start()
        wait_until(lambda: {i for i, a in node_ids(stack).items() if a == address_of(stack, victim)} - before, 30,
                   what="the node under its new id")
        load.mended()
        load.recovered()
    finish(load, "LiveKit: a node killed, started again", n, late)


@pytest.mark.full
def test_node_frozen(load, stack, victim):
    """Only in full: three times for 20 s."""
    n, seconds = rounds((1, 5), (3, 20))
    late = []
    for _ in range(n):
        load.broke()
        victim.freeze()
        try:
            new_calls_are_served(load)
            late.append(Rings(stack).begin().on_time(LIVEKIT_SILENT_MS + LATE_MS))
            # The fault is this long; there is nothing to wait for but time.
            time.sleep(max(0, seconds - (time.monotonic() - load.outages[-1].began)))
        finally:
            victim.thaw()
        load.mended()
        load.recovered()
    finish(load, f"LiveKit: a node frozen for {seconds} s (SIGSTOP)", n, late)


@pytest.mark.full
def test_all_nodes_killed(load, stack):
    """Without any node a call can be made, rung and answered; there is nobody to serve its media. Only in full: 5."""
    n, late = rounds(1, 5), []
    nodes = [Part(stack, part(stack, one)) for one in addresses(stack)]
    for _ in range(n):
        before = set(node_ids(stack))
        load.broke()
        for node in nodes:
            node.kill()
        late.append(Rings(stack).begin().on_time(LIVEKIT_SILENT_MS + LATE_MS))
        for node in nodes:
            node.start()
        wait_until(lambda: len(set(node_ids(stack)) - before) >= len(nodes), 30, what="the nodes under new ids")
        load.mended()
        load.recovered()
    finish(load, "LiveKit: all nodes killed, started again", n, late)


@pytest.mark.full
def test_redis_of_livekit_emptied(load, stack):
    """FLUSHALL takes LiveKit's records and its map of rooms, too. Only in full: 30."""
    n, late = rounds(3, 30), []
    with redis.Redis(unix_socket_path=stack.env["REDIS_SOCKET"]) as server:
        for _ in range(n):
            load.broke()
            server.flushall()
            late.append(Rings(stack).begin().on_time(LIVEKIT_SILENT_MS + LATE_MS))
            # Nodes write their records anew every few seconds.
            wait_until(lambda: len(node_ids(stack)) >= NODES, 30, what="the nodes' records")
            load.mended()
            load.recovered()
    finish(load, "LiveKit: its Redis emptied", n, late)
