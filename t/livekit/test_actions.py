"""What two real nodes do when they are told: rooms are closed wherever they live, also where their node died, and
nobody is put out of a room that has none of him. SPDX-License-Identifier: MIT"""
import secrets
import time

import jwt
import pytest
import requests

from support.client import Api
from support.jobs_process import rows
from support.stack import Stack
from support.wait import wait_until

N_ROOMS = 6


@pytest.fixture(scope="module")
def nodes():
    # Only what these tests ask for is done.
    with Stack(nodes=2, jobs=True, RECONCILE_INTERVAL="0", ACTION_RETRY_S="0.5,1") as running:
        if not running.env["LIVEKIT_NODES"]:
            pytest.fail("no livekit-server: it is neither in PATH nor could it be made")
        yield running


@pytest.fixture
def db(nodes):
    connection = nodes.db()
    yield connection
    connection.close()


def ask(nodes, method, **body):
    """LiveKit itself, by the first node: it is the one that lives."""
    grants = {"roomCreate": True, "roomList": True}
    token = jwt.encode({"iss": nodes.env["LIVEKIT_API_KEY"], "exp": int(time.time()) + 60, "video": grants},
                       nodes.env["LIVEKIT_API_SECRET"], "HS256")
    url = f"http://{nodes.env['LIVEKIT_NODES'].split(',')[0]}/twirp/livekit.RoomService/{method}"
    answer = requests.post(url, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def calls_with_rooms(nodes, n):
    """Calls whose rooms LiveKit has, on either node, until there is one on each; {room: node id}."""
    api, made = Api(nodes), []
    while True:
        for _ in range(n):
            tail = secrets.token_hex(4)
            made.append(f"room-{tail}")
            assert api.post("/rooms", {"creator": f"ann-{tail}", "uids": [f"bob-{tail}"], "room_id": made[-1]}).ok
            ask(nodes, "CreateRoom", name=made[-1])
        places = {room: nodes.redis().hget("room_node_map", room) for room in made}
        if len(set(places.values())) == 2:
            return places


def done(db, rooms):
    states = rows(db, "SELECT state FROM livekit_action WHERE room_id IN %s", list(rooms))
    return len(states) == len(rooms) and all(one["state"] == "done" for one in states)


def end_all(nodes, db, rooms):
    for room in rooms:
        assert Api(nodes).post(f"/rooms/{room}/end").ok
    wait_until(lambda: done(db, rooms), 30, what=rows(db, "SELECT * FROM livekit_action WHERE state <> 'done'"))
    assert ask(nodes, "ListRooms", names=list(rooms)) == {"rooms": []}
    assert not any(nodes.redis().hexists("room_node_map", room) for room in rooms)


def test_rooms_are_closed_on_whichever_node(nodes, db):
    end_all(nodes, db, calls_with_rooms(nodes, N_ROOMS))


def test_nobody_is_removed_from_a_room_that_is_none(nodes, db):
    """With the nodes' own lists LiveKit would search for three seconds, and then say something else."""
    room = "room-" + secrets.token_hex(4)
    with db.cursor() as c:
        c.execute("INSERT INTO livekit_action (kind, room_id, uid, sid) VALUES ('remove_participant', %s, 'x', 'PA_x')",
                  (room,))
    wait_until(lambda: done(db, [room]), 10)
    action, = rows(db, "SELECT attempts FROM livekit_action WHERE room_id = %s", room)
    assert action["attempts"] == 1


def test_rooms_of_a_dead_node_are_closed_on_the_other(nodes, db):
    places = calls_with_rooms(nodes, N_ROOMS)
    nodes.kill("livekit-2")
    end_all(nodes, db, places)
