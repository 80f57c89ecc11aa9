"""Where new calls go: evenly over three real nodes; fewer to one that has others' rooms; none to one that is drained.

SPDX-License-Identifier: MIT
"""
import asyncio
import collections
import concurrent.futures

from support import cluster
from support.signalling import Client, all_of, close_all
from support.wait import wait_until

NODES = "three"
ROOMS = 200


def calls(stack, n, prefix="spread"):
    """n calls, eight at a time: {room: its creator's answer}."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: cluster.new_call(stack, prefix=prefix), range(n)))
    return {room: answer for room, _, answer in made}


def shares(db, stack, rooms):
    """How many of them each node was given, in the nodes' order."""
    counted = collections.Counter(cluster.homes(db, rooms).values())
    assert set(counted) <= set(cluster.addresses(stack))
    return [counted[addr] for addr in cluster.addresses(stack)]


def test_evenly(nodes, db):
    """Within 10 % of a third each; and so they are in LiveKit, once somebody is in each of them."""
    made = calls(nodes, ROOMS)
    counted = shares(db, nodes, made)
    assert all(abs(one - ROOMS / 3) <= ROOMS / 3 * 0.1 for one in counted), counted
    given = cluster.homes(db, made)

    async def visit():
        clients = [Client(nodes.url, answer["token"]) for answer in made.values()]
        refused = [e for e in await all_of(clients, 20) if isinstance(e, BaseException)]
        hosts = {c.join.room.name: c.node_id for c in clients if c.join is not None}
        await close_all(clients)
        return refused, hosts
    refused, hosts = asyncio.run(visit())
    ids = cluster.node_ids(nodes)
    assert refused == [] and {room: ids[id] for room, id in hosts.items()} == given


def test_fewer_where_others_rooms_are(nodes, db, api):
    """Rooms that LiveKit was given by another backend: its report is all we know of them."""
    loaded = cluster.addresses(nodes)[1]
    id = next(n["livekit_id"] for n in api.get("/nodes", key=api.ops_key).json()["nodes"] if n["addr"] == loaded)
    theirs = [f"theirs-{i}" for i in range(60)]

    async def fill():
        clients = [Client(f"ws://{loaded}", cluster.access_token(nodes, room, "them")) for room in theirs]
        for room in theirs:
            cluster.raw_redis(nodes).hset("room_node_map", room, id)
        refused = [e for e in await all_of(clients, 20) if isinstance(e, BaseException)]
        assert refused == [] and {c.node_id for c in clients} == {id}
        # Its next report, and our next look at it.
        await asyncio.sleep(4)
        counted = await asyncio.to_thread(lambda: shares(db, nodes, calls(nodes, 60)))
        await close_all(clients)
        return counted
    first, second, third = asyncio.run(fill())
    assert second < min(first, third) / 2, (first, second, third)


def test_none_where_it_is_drained(nodes, db, api):
    drained = cluster.addresses(nodes)[2]
    before = next(room for room, addr in cluster.homes(db, calls(nodes, 30)).items() if addr == drained)
    answer = api.post(f"/nodes/{drained}/drain", key=api.ops_key)
    assert answer.status_code == 200, answer.text
    try:
        counted = shares(db, nodes, calls(nodes, 60))
        assert counted[2] == 0 and sum(counted) == 60 and min(counted[:2]) >= 20, counted
        # Nobody had been in that one: who comes now is sent elsewhere.
        uid = before.replace("spread-", "p1-")
        cluster.joined(nodes, before, uid)
        assert cluster.homes(db, [before])[before] != drained
        # It is remembered when everything of ours and Redis start anew.
        nodes.restart("worker", "redis")
        cluster.all_serve(nodes)
        assert shares(db, nodes, calls(nodes, 30))[2] == 0
    finally:
        assert api.post(f"/nodes/{drained}/undrain", key=api.ops_key).status_code == 200
    wait_until(lambda: shares(db, nodes, calls(nodes, 10))[2] > 0, 10, interval=0.5, what="rooms for it again")
