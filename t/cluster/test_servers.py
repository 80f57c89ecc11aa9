"""The official server library and a whole client against our address, as against a node.

SPDX-License-Identifier: MIT
"""
import asyncio
import secrets

import pytest
from livekit import api as livekit_api

from support import cluster
from support.person import Person
from support.signalling import Client, Refused
from support.wait import wait_until

NODES = "two"


def test_rooms_by_the_server_library(nodes):
    """Create, list, talk to, delete: another backend's room that we know nothing of."""
    name = f"theirs-{secrets.token_hex(4)}"
    before = len(cluster.access_lines(nodes, "/twirp/"))

    async def drive():
        async with livekit_api.LiveKitAPI(nodes.url, nodes.env["LIVEKIT_API_KEY"],
                                          nodes.env["LIVEKIT_API_SECRET"]) as lk:
            made = await lk.room.create_room(livekit_api.CreateRoomRequest(name=name, empty_timeout=60))
            assert made.name == name
            async with Client(nodes.url, cluster.access_token(nodes, name, "them")) as one:
                assert one.join.room.sid == made.sid
                listed = await lk.room.list_rooms(livekit_api.ListRoomsRequest(names=[name]))
                assert [room.name for room in listed.rooms] == [name]
                there = await lk.room.list_participants(livekit_api.ListParticipantsRequest(room=name))
                assert [p.identity for p in there.participants] == ["them"]
                await lk.room.update_room_metadata(livekit_api.UpdateRoomMetadataRequest(room=name, metadata="m"))
                await lk.room.delete_room(livekit_api.DeleteRoomRequest(room=name))
            listed = await lk.room.list_rooms(livekit_api.ListRoomsRequest(names=[name]))
            assert list(listed.rooms) == []
    asyncio.run(drive())
    lines = cluster.access_lines(nodes, "/twirp/")[before:]
    assert {one["status"] for one in lines} == {200} and {one["room"] for one in lines} >= {name}
    assert {one["rpc"] for one in lines} >= {"CreateRoom", "ListRooms", "ListParticipants", "DeleteRoom"}
    assert {one["service"] for one in lines} == {"RoomService"}


def test_their_rooms_by_the_client_library(nodes):
    """Two of another backend with the same key."""
    name = f"theirs-{secrets.token_hex(4)}"
    url = nodes.url.replace("http", "ws")
    with Person() as a, Person() as b:
        a.connect({"url": url, "token": cluster.access_token(nodes, name, "ann")})
        b.connect({"url": url, "token": cluster.access_token(nodes, name, "bob")})
        a.do("publish")
        b.wait("heard", 30, **{"from": "ann"})


@pytest.mark.parametrize("how, status", [("expired", 401), ("stranger", 401), ("no room", 400), ("none", 401)])
def test_bad_tokens_reach_no_node(nodes, how, status):
    room = f"never-{secrets.token_hex(4)}"
    token = {"expired": lambda: cluster.access_token(nodes, room, "eve", exp=1000000000),
             "stranger": lambda: cluster.access_token(nodes, room, "eve", secret="another secret of a stranger, long"),
             "no room": lambda: cluster.access_token(nodes, room, "eve", video={"roomJoin": True}),
             "none": lambda: ""}[how]()

    async def knock(url):
        with pytest.raises(Refused) as refused:
            await Client(url, token).connect()
        return refused.value.status, refused.value.text
    before = len(cluster.access_lines(nodes))
    answer = asyncio.run(knock(nodes.url))
    assert answer[0] == status
    # As a node itself would have said it, which repeats the token: in an answer of ours it could reach a log.
    theirs = asyncio.run(knock("ws://" + cluster.addresses(nodes)[0]))
    assert answer == (theirs[0], theirs[1].replace(f": {token}", "") if token else theirs[1])
    line = wait_until(lambda: cluster.access_lines(nodes)[before:], 5)[0]
    assert line["status"] == status and not set(cluster.addresses(nodes)) & {line["upstream_addr"]}
