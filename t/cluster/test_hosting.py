"""Whoever races for a fresh room: every participant's connection goes straight to the node that hosts the room, by
nginx's log, LiveKit's own map and the node's own log. SPDX-License-Identifier: MIT
"""
import asyncio
import concurrent.futures

from support import cluster
from support.rounds import rounds
from support.signalling import Client, all_of, close_all
from support.wait import wait_until

NODES = "three"
CLIENTS = 16


async def race(url, tokens):
    """All at the same moment; everybody sees everybody. The ids of the nodes that host them."""
    clients = [Client(url, token) for token in tokens]
    refused = [e for e in await all_of(clients) if isinstance(e, BaseException)]
    assert not refused, refused
    identities = {c.identity for c in clients}
    for one in clients:
        for other in identities - {one.identity}:
            await one.sees(other)
    await close_all(clients)
    return {c.node_id for c in clients}


async def races(url, rooms):
    return await asyncio.gather(*(race(url, tokens) for tokens in rooms))


def call_of_all(stack):
    """A fresh call everybody may enter: its id, its people, their tokens."""
    room, people, answer = cluster.new_call(stack, CLIENTS)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [answer, *pool.map(lambda uid: cluster.joined(stack, room, uid), people[1:])]
    return room, people, [one["token"] for one in answers]


def nginx_lines(stack, room):
    """All CLIENTS of them; nginx writes a line when its connection has ended."""
    found = []

    def look():
        found[:] = [one for one in cluster.access_lines(stack) if one["room"] == room and one["status"] == 101]
        return len(found) >= CLIENTS
    wait_until(look, 20, what=f"{CLIENTS} lines of {room}")
    return found


def sessions(stack, addr, room):
    return {one["participant"] for one in cluster.node_log(stack, addr)
            if one["msg"] == "starting RTC session" and one.get("room") == room}


def test_sixteen_race_for_a_fresh_room(nodes, db):
    ours = cluster.node_ids(nodes)
    for _ in range(rounds(1, 10)):
        calls = [call_of_all(nodes) for _ in range(4)]
        given = cluster.homes(db, [room for room, _, _ in calls])
        hosts = asyncio.run(races(nodes.url, [tokens for _, _, tokens in calls]))
        assert [{ours[id] for id in ids} for ids in hosts] == [{given[room]} for room, _, _ in calls]
        for room, people, _ in calls:
            here = given[room]
            assert cluster.homes(db, [room]) == {room: here} and cluster.mapped(nodes, room) in (here, None)
            lines = nginx_lines(nodes, room)
            assert [(one["upstream_addr"], one["livekit_node"]) for one in lines] == [(here, here)] * CLIENTS
            for addr in cluster.addresses(nodes):
                assert sessions(nodes, addr, room) == (set(people) if addr == here else set())


def test_livekits_map_names_the_node_before_anybody_comes(nodes, db):
    for _ in range(10):
        room, _, _ = cluster.new_call(nodes)
        assert cluster.mapped(nodes, room) == cluster.homes(db, [room])[room]
