"""Redis goes away and comes back: the workers' way to it alone, and the server with all that was in it.

SPDX-License-Identifier: MIT
"""
import asyncio
import contextlib
import os

from support import cluster
from support.signalling import Client
from support.wait import wait_until

NODES = "two"


@contextlib.contextmanager
def cut_off(stack):
    """Our processes use Redis' socket, the nodes its port: the socket goes, and every connection through it."""
    socket = stack.env["REDIS_SOCKET"]
    os.rename(socket, socket + ".away")
    stack.env["REDIS_SOCKET"] = socket + ".away"
    try:
        with stack.redis() as admin:
            own = str(admin.client_id())
            for one in admin.client_list():
                if socket in one["addr"] and one["id"] != own:
                    admin.client_kill_filter(_id=one["id"])
        yield
    finally:
        os.rename(socket + ".away", socket)
        stack.env["REDIS_SOCKET"] = socket


async def meet(url, first, second):
    """The later one connects when the earlier one is there; the host they met on."""
    async with Client(url, first) as ann, Client(url, second) as bob:
        await ann.sees(bob.identity)
        await bob.sees(ann.identity)
        assert ann.node_id == bob.node_id
        return ann.node_id


async def meetings(url, pairs):
    return await asyncio.gather(*(meet(url, *pair) for pair in pairs))


def both(stack, call):
    """The tokens of the two of a call, the second one made now."""
    room, people, answer = call
    return answer["token"], cluster.joined(stack, room, people[1])["token"]


def serves(stack):
    """Our own Redis is in use again: rooms are announced to LiveKit before anybody comes."""
    wait_until(lambda: cluster.mapped(stack, cluster.new_call(stack)[0]), 20, interval=0.2,
               what="rooms announced again")


def test_joins_and_routes_go_on_from_mysql(nodes, db):
    before = cluster.new_call(nodes)
    home = cluster.homes(db, [before[0]])[before[0]]
    with cut_off(nodes):
        during = [cluster.new_call(nodes) for _ in range(4)]
        assert not any(cluster.mapped(nodes, call[0]) for call in during)
        ids = cluster.node_ids(nodes)
        # Known before: still on its node, which nginx was told from MySQL.
        assert ids[asyncio.run(meet(nodes.url, *both(nodes, before)))] == home
        lines = wait_until(lambda: (lambda some: some if len(some) == 2 else None)(
            [one for one in cluster.access_lines(nodes) if one["room"] == before[0]]), 10)
        assert {one["upstream_addr"] for one in lines} == {home}
        # Made meanwhile: LiveKit places them, and relays where that is not what we chose.
        assert all(cluster.homes(db, [call[0] for call in during]).values())
        assert set(asyncio.run(meetings(nodes.url, [both(nodes, call) for call in during]))) <= set(ids)
    serves(nodes)
    # Caught up: where somebody was, LiveKit's word counts from the next join on.
    for room, people, _ in during:
        cluster.joined(nodes, room, people[1])
        assert cluster.homes(db, [room])[room] == cluster.mapped(nodes, room)


def test_redis_dies_and_comes_back_empty(nodes, db):
    before = cluster.new_call(nodes)
    nodes.kill("redis")
    during = cluster.new_call(nodes)
    tokens = {call[0]: both(nodes, call) for call in (before, during)}
    nodes.start()
    cluster.all_serve(nodes)
    serves(nodes)
    for room, host in zip(tokens, asyncio.run(meetings(nodes.url, tokens.values()))):
        assert cluster.node_ids(nodes)[host] == cluster.homes(db, [room])[room]


async def forget(stack, room, first, second):
    """LiveKit's map and our cache lose the room between the two; the hosts of both."""
    async with Client(stack.url, first) as ann:
        stack.redis().delete(f"tgo:room:{room}")
        stack.redis().hdel("room_node_map", room)
        async with Client(stack.url, second) as bob:
            await bob.sees(ann.identity)
            await ann.sees(bob.identity)
            return {ann.node_id, bob.node_id}


def test_who_comes_after_redis_forgot_meets_who_is_there(nodes, db):
    """Left alone LiveKit would place such a room anew, beside the people in it."""
    calls = [cluster.new_call(nodes) for _ in range(6)]
    given = cluster.homes(db, [call[0] for call in calls])

    async def all_of_them(pairs):
        return await asyncio.gather(*(forget(nodes, call[0], *pair) for call, pair in zip(calls, pairs)))
    hosts = asyncio.run(all_of_them([both(nodes, call) for call in calls]))
    ids = cluster.node_ids(nodes)
    assert [{ids[id] for id in some} for some in hosts] == [{given[call[0]]} for call in calls]
