"""Simultaneous first joins of fresh rooms: both meet in every one, and on the node the room was given.

SPDX-License-Identifier: MIT
"""
import asyncio

from support import cluster
from support.person import Person
from support.rounds import rounds
from support.signalling import Client, all_of, close_all
from support.wait import wait_until

NODES = "two"
PAIRS, AT_ONCE = rounds(60, 500), 20
# Who joined is given up after JOIN_GRACE without media: no more are made at a time than connect until then.
IN_ONE_GO = 60


async def meet(url, pairs):
    """Both of each pair connect at the same moment; (room, both clients) of each. Nobody stays in the end."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(room, tokens):
        async with gate:
            both = [Client(url, token) for token in tokens]
            refused = [e for e in await all_of(both) if isinstance(e, BaseException)]
            assert not refused, (room, refused)
            await both[0].sees(both[1].identity)
            await both[1].sees(both[0].identity)
            return room, both
    met = await asyncio.gather(*(one(*pair) for pair in pairs))
    for _, both in met:
        await close_all(both)
    return met


def test_both_see_each_other_in_every_room(nodes, db):
    people, given, met = {}, {}, []
    while len(people) < PAIRS:
        pairs = []
        for _ in range(min(IN_ONE_GO, PAIRS - len(people))):
            room, (ann, bob), answer = cluster.new_call(nodes)
            people[room] = {ann, bob}
            pairs.append((room, [answer["token"], cluster.joined(nodes, room, bob)["token"]]))
        given |= cluster.homes(db, [room for room, _ in pairs])
        met += asyncio.run(meet(nodes.url, pairs))
    ids = cluster.node_ids(nodes)
    assert len(met) == PAIRS
    for room, both in met:
        assert {one.identity for one in both} == people[room]
        assert {ids[one.node_id] for one in both} == {given[room]}, room
    assert set(given.values()) == set(cluster.addresses(nodes))
    # nginx took each of them straight there.
    lines = wait_until(lambda: (lambda some: some if len(some) == 2 * PAIRS else None)(
        [one for one in cluster.access_lines(nodes) if one["room"] in people]), 20, what="nginx's lines")
    for one in lines:
        assert one["upstream_addr"] == one["livekit_node"] == given[one["room"]], one


def test_three_real_pairs_at_once(nodes):
    calls = [cluster.new_call(nodes) for _ in range(3)]
    tickets = [(answer, cluster.joined(nodes, room, people[1])) for room, people, answer in calls]
    everybody = [(Person(), Person()) for _ in calls]
    try:
        for pair, both in zip(everybody, tickets):
            for one, ticket in zip(pair, both):
                one.do("connect", url=ticket["url"], token=ticket["token"])
        for pair in everybody:
            for one in pair:
                one.wait("connected", 60)
            pair[0].do("publish")
        for pair, (_, people, _) in zip(everybody, calls):
            pair[1].wait("heard", 60, **{"from": people[0]})
    finally:
        for one in (one for pair in everybody for one in pair):
            one.kill()
