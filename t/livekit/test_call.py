"""A call with real participants over two real LiveKit nodes, all through nginx. SPDX-License-Identifier: MIT"""
import json
import secrets
import time
import urllib.error
import urllib.request

import jwt
import pytest

from support.client import Api
from support.invariants import check_invariants
from support.logs import AppLog
from support.person import Person
from support.wait import wait_until


@pytest.fixture
def api(livekit_stack):
    return Api(livekit_stack)


@pytest.fixture
def db(livekit_stack):
    connection = livekit_stack.db()
    yield connection
    problems = check_invariants(connection)
    connection.close()
    assert problems == []


def rows(db, sql, *args):
    with db.cursor() as cursor:
        cursor.execute(sql, args)
        return cursor.fetchall()


def room_row(db, room_id):
    return rows(db, "SELECT * FROM rtc_room WHERE room_id = %s", room_id)[0]


def person_row(db, room_id, uid):
    return rows(db, "SELECT * FROM rtc_participant WHERE room_id = %s AND uid = %s", room_id, uid)[0]


def event_types(db, room_id):
    return [r["type"] for r in rows(db, "SELECT type FROM event WHERE room_id = %s ORDER BY seq", room_id)]


def people():
    tail = secrets.token_hex(4)
    return f"ann-{tail}", f"bob-{tail}", f"room-{tail}"


def test_two_people_talk_and_the_state_follows(livekit_stack, api, db):
    ann, bob, room = people()
    log = AppLog(livekit_stack.env["APP_LOG"])
    created = api.post("/rooms", {"creator": ann, "uids": [bob], "room_id": room}).json()
    joined = api.post(f"/rooms/{room}/join", {"uid": bob}).json()
    with Person() as a, Person() as b:
        assert a.connect(created)["room"] == room
        assert b.connect(joined)["identity"] == bob
        a.do("publish")
        a.wait("published")
        b.wait("heard", **{"from": ann})

        wait_until(lambda: room_row(db, room)["status"] == 1, 10, what="room in progress")
        wait_until(lambda: person_row(db, room, ann)["sid"] and person_row(db, room, bob)["sid"], 10,
                   what="both media sessions known")
        assert person_row(db, room, ann)["status"] == 1
        assert room_row(db, room)["answered_at_ms"] > 0

        b.do("disconnect")
        b.wait("disconnected")
        wait_until(lambda: room_row(db, room)["status"] == 2, 10, what="call finished")
    row = room_row(db, room)
    assert (row["end_reason"], row["ended_by"]) == ("hangup", bob)
    types = event_types(db, room)
    assert types[0] == "participant.invited" and types[-1] == "room.finished"
    assert types.count("participant.joined") == 2 and types.count("participant.left") == 2
    assert types.index("room.started") < types.index("participant.joined")
    for line in log.lines(room_id=room, msg="LiveKit Token 生成成功"):
        assert line["livekit_url"] == created["url"]
    seen = [line["event"] for line in log.lines(room_id=room, msg="LiveKit 事件")]
    assert "participant_joined" in seen and "participant_left" in seen


def test_a_creator_who_only_connects_is_joined_by_livekits_word(api, db):
    ann, bob, room = people()
    created = api.post("/rooms", {"creator": ann, "uids": [bob], "room_id": room}).json()
    assert created["my_status"] == 0
    with Person() as a:
        a.connect(created)
        wait_until(lambda: person_row(db, room, ann)["status"] == 1, 10, what="creator joined")
        assert person_row(db, room, ann)["device_type"] == "app"
        a.do("disconnect")
        wait_until(lambda: room_row(db, room)["status"] == 3, 10, what="cancelled by its creator")


def test_a_client_that_dies_has_a_while_to_come_back(api, db):
    ann, bob, room = people()
    created = api.post("/rooms", {"creator": ann, "uids": [bob], "room_id": room}).json()
    joined = api.post(f"/rooms/{room}/join", {"uid": bob}).json()
    with Person() as a, Person() as b:
        a.connect(created)
        b.connect(joined)
        wait_until(lambda: person_row(db, room, bob)["sid"], 10, what="bob's session known")
        first = person_row(db, room, bob)["sid"]
        b.kill()
        wait_until(lambda: person_row(db, room, bob)["deadline_ms"] > 0, 60, what="bob's rejoin grace")
        assert api.get(f"/rooms/{room}/participants/{bob}").json()["reconnecting"] is True
        with Person() as again:
            again.connect(api.post(f"/rooms/{room}/join", {"uid": bob}).json())
            wait_until(lambda: person_row(db, room, bob)["sid"] not in ("", first), 10,
                       what="bob's second session")
            assert person_row(db, room, bob)["deadline_ms"] == 0
            assert room_row(db, room)["status"] == 1


def twirp(stack, token, method, body):
    request = urllib.request.Request(f"{stack.url}/twirp/livekit.RoomService/{method}",
                                     json.dumps(body).encode(), method="POST",
                                     headers={"Content-Type": "application/json",
                                              "Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as e:
        return e.code


def test_our_token_cannot_create_list_or_delete_rooms(livekit_stack, api):
    ann, bob, room = people()
    token = api.post("/rooms", {"creator": ann, "uids": [bob], "room_id": room}).json()["token"]
    assert twirp(livekit_stack, token, "CreateRoom", {"name": "x"}) == 401
    assert twirp(livekit_stack, token, "ListRooms", {}) == 401
    assert twirp(livekit_stack, token, "DeleteRoom", {"room": room}) == 401
    assert twirp(livekit_stack, token, "RemoveParticipant", {"room": room, "identity": bob}) == 401


def listed_tracks(stack, room, uid):
    """The person's tracks as LiveKit lists them: a moment after they were published."""
    token = jwt.encode({"iss": stack.env["LIVEKIT_API_KEY"], "exp": int(time.time()) + 60,
                        "video": {"roomAdmin": True, "room": room}}, stack.env["LIVEKIT_API_SECRET"], "HS256")
    request = urllib.request.Request(f"{stack.url}/twirp/livekit.RoomService/GetParticipant",
                                     json.dumps({"room": room, "identity": uid}).encode(),
                                     headers={"Content-Type": "application/json",
                                              "Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["tracks"]


def test_mute_by_the_backend(livekit_stack, api, db):
    ann, bob, room = people()
    created = api.post("/rooms", {"creator": ann, "uids": [bob], "room_id": room}).json()
    assert api.post(f"/rooms/{room}/participants/{ann}/mute", {}).status_code == 404
    with Person() as a:
        a.connect(created)
        a.do("publish")
        a.wait("published")
        wait_until(lambda: listed_tracks(livekit_stack, room, ann), 10, what="the track in LiveKit's list")
        muted = api.post(f"/rooms/{room}/participants/{ann}/mute", {"source": "microphone"})
        assert muted.status_code == 200, muted.text
        wait_until(lambda: listed_tracks(livekit_stack, room, ann)[0]["muted"], 10, what="the track muted")
        refused = api.post(f"/rooms/{room}/participants/{ann}/mute", {"muted": False})
        assert (refused.status_code, refused.json()["error"]) == (409, "illegal_transition")


def test_livekit_create_room_before_the_token(livekit_stack, make_stack):
    stack = make_stack(nodes=1, LIVEKIT_CREATE_ROOM="true")
    ann, bob, room = people()
    assert Api(stack).post("/rooms", {"creator": ann, "uids": [bob], "room_id": room}).status_code == 200
    connection = stack.db()
    wait_until(lambda: rows(connection, "SELECT status FROM rtc_room WHERE room_id=%s", room)[0]["status"] == 1,
               10, what="room_started reported")
    stack.stop("livekit-1")
    ann, bob, room = people()
    answer = Api(stack).post("/rooms", {"creator": ann, "uids": [bob], "room_id": room})
    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
    row = rows(connection, "SELECT status, end_reason FROM rtc_room WHERE room_id=%s", room)[0]
    assert (row["status"], row["end_reason"]) == (3, "lost")
    connection.close()


def test_both_nodes_serve_clients(livekit_stack, api, db):
    """nginx balances: over a number of calls each node has seen joins."""
    for _ in range(6):
        ann, bob, room = people()
        with Person() as a:
            a.connect(api.post("/rooms", {"creator": ann, "uids": [bob], "room_id": room}).json())
    upstreams = {line["upstream_addr"] for line in AppLog_all(livekit_stack)
                 if line.get("uri", "").startswith("/rtc") and line.get("status") in (101, "101")}
    assert len(upstreams) == 2


def AppLog_all(stack):
    with open(stack.env["NGINX_ACCESS_LOG"], encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def test_tokens_are_never_in_a_log(livekit_stack, api):
    ann, bob, room = people()
    created = api.post("/rooms", {"creator": ann, "uids": [bob], "room_id": room}).json()
    with Person() as a:
        a.connect(created)
    signature = created["token"].rsplit(".", 1)[1]
    for name in ("APP_LOG", "NGINX_ACCESS_LOG"):
        with open(livekit_stack.env[name], encoding="utf-8") as f:
            assert signature not in f.read()


def hook(stack, body, secret=None, **claims):
    import base64
    import hashlib

    raw = json.dumps(body).encode()
    now = int(time.time())
    digest = base64.b64encode(hashlib.sha256(raw).digest()).decode()
    token = jwt.encode({"iss": stack.env["LIVEKIT_API_KEY"], "nbf": now, "exp": now + 300, "sha256": digest,
                        **claims}, secret or stack.env["LIVEKIT_API_SECRET"], "HS256")
    return raw, token


def send(stack, raw, token):
    request = urllib.request.Request(f"{stack.url}/api/v1/webhooks/livekit", raw, method="POST",
                                     headers={"Content-Type": "application/webhook+json"})
    if token:
        request.add_header("Authorization", token)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as e:
        return e.code


def test_webhooks_signed_unsigned_tampered_repeated(livekit_stack, api, db):
    ann, bob, room = people()
    api.post("/rooms", {"creator": ann, "uids": [bob], "room_id": room})
    body = {"event": "room_started", "id": "EV_" + room, "createdAt": str(int(time.time())),
            "room": {"sid": "RM_x", "name": room}}
    raw, token = hook(livekit_stack, body)
    assert send(livekit_stack, raw, None) == 401
    assert send(livekit_stack, raw + b" ", token) == 401
    assert send(livekit_stack, raw, token[:-2] + ("aa" if token[-2:] != "aa" else "bb")) == 401
    assert send(livekit_stack, *hook(livekit_stack, body, secret="x" * 32)) == 401
    assert send(livekit_stack, *hook(livekit_stack, body, iss="stranger")) == 401
    assert send(livekit_stack, *hook(livekit_stack, body, exp=int(time.time()) - 120)) == 401
    assert room_row(db, room)["status"] == 0
    assert send(livekit_stack, raw, token) == 200
    assert room_row(db, room)["status"] == 1
    seq = room_row(db, room)["seq"]
    assert send(livekit_stack, raw, "Bearer " + token) == 200
    assert room_row(db, room)["seq"] == seq
