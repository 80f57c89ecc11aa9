"""LiveKit's nodes as the tests see them: which is where, who hosts a room by LiveKit's own word, and what the logs say
of a connection. SPDX-License-Identifier: MIT
"""
import json
import pathlib
import secrets
import time

import jwt
import redis

from livekit.protocol.models import Room
from support.client import Api
from support.logs import AppLog
from support.wait import wait_until


def addresses(stack):
    return stack.env["LIVEKIT_NODES"].split(",")


def part(stack, addr):
    """livekit-2 of the address 127.0.0.12:port."""
    return f"livekit-{int(addr.rpartition(':')[0].rpartition('.')[2]) - 10}"


def raw_redis(stack):
    return redis.Redis(unix_socket_path=stack.env["REDIS_SOCKET"])


def node_ids(stack):
    """{LiveKit's id: address}. A node that was killed stays in LiveKit's table, so several ids may have one address."""
    records = raw_redis(stack).hgetall("nodes")
    return {key.decode(): addr for key, record in records.items() for addr in addresses(stack)
            if b"\x12" + bytes([len(addr.rpartition(":")[0])]) + addr.rpartition(":")[0].encode() in record}


def mapped(stack, room):
    """The address that LiveKit's own room_node_map names; None where it names none."""
    id = raw_redis(stack).hget("room_node_map", room)
    return None if id is None else node_ids(stack).get(id.decode())


def people_in(stack, room):
    return {one.decode() for one in raw_redis(stack).hkeys(f"room_participants:{room}")}


def media_rooms(stack):
    return [Room.FromString(one).name for one in raw_redis(stack).hvals("rooms")]


def access_token(stack, room, identity, key=None, secret=None, **claims):
    """As another backend with LiveKit's key would make it."""
    now = int(time.time())
    return jwt.encode({"iss": key or stack.env["LIVEKIT_API_KEY"], "sub": identity, "nbf": now - 5, "exp": now + 600,
                       "video": {"roomJoin": True, "room": room}, **claims},
                      secret or stack.env["LIVEKIT_API_SECRET"], "HS256")


def new_call(stack, n=2, prefix="room", **more):
    """A fresh call of n people: its id, its people, and its creator's answer with url and token. The others get theirs
    by joined()."""
    tail = secrets.token_hex(4)
    people = [f"p{i}-{tail}" for i in range(max(n, 2))]
    answer = Api(stack).post("/rooms", {"creator": people[0], "uids": people[1:], "room_id": f"{prefix}-{tail}",
                                        **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["room_id"], people, answer.json()


def joined(stack, room, uid):
    answer = Api(stack).post(f"/rooms/{room}/join", {"uid": uid})
    assert answer.status_code == 200, answer.text
    return answer.json()


def room_row(db, room):
    with db.cursor() as cursor:
        cursor.execute("SELECT * FROM rtc_room WHERE room_id = %s", (room,))
        return cursor.fetchone()


def person_row(db, room, uid):
    with db.cursor() as cursor:
        cursor.execute("SELECT * FROM rtc_participant WHERE room_id = %s AND uid = %s", (room, uid))
        return cursor.fetchone()


def event_types(db, room):
    with db.cursor() as cursor:
        cursor.execute("SELECT type FROM event WHERE room_id = %s ORDER BY seq", (room,))
        return [row["type"] for row in cursor.fetchall()]


def homes(db, rooms):
    """{room: the address it is assigned to}."""
    with db.cursor() as cursor:
        cursor.execute(f"SELECT room_id, livekit_node FROM rtc_room WHERE room_id IN ({','.join(['%s'] * len(rooms))})",
                       list(rooms))
        return {row["room_id"]: row["livekit_node"] for row in cursor.fetchall()}


def access_lines(stack, path="/rtc"):
    """nginx's lines of signalling connections. They are written when a connection has ended."""
    return [one for one in all_lines(stack.env["NGINX_ACCESS_LOG"]) if one["uri"].startswith(path)]


def all_lines(path):
    log = AppLog(path)
    log.offset = 0
    return log.lines()


def node_log(stack, addr):
    """The node's own log, a JSON object a line."""
    text = (pathlib.Path(stack.var) / "log" / f"{part(stack, addr)}.log").read_text(errors="replace")
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def all_serve(stack):
    """Waits until every node answers, LiveKit's records are fresh and ours says of none that it is down."""
    mine = stack.redis()
    wait_until(lambda: set(addresses(stack)) <= set(node_ids(stack).values()), 20, what="all nodes in LiveKit's table")
    wait_until(lambda: not mine.hkeys("tgo:nodes:down"), 20, interval=0.1, what="no node down")
