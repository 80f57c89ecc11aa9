"""The demo apps' requests, to the byte of what they send, read by decoders as strict as theirs.

They send no header but Content-Type: the stack is open, as the closed networks they live in.
SPDX-License-Identifier: MIT
"""
import datetime
import json
import zoneinfo

import pytest
import requests

from support.invariants import check_invariants
from support.shapes import flutter_error, no_null, swift_room_resp


@pytest.fixture(scope="module")
def open_stack(make_stack):
    return make_stack(AUTH_MODE="open", TZ="Asia/Shanghai")


class App:
    """One of the apps: what it sends, and what it demands of the answer."""

    def __init__(self, stack, channel, device_type="app"):
        self.base, self.channel, self.device_type = (stack.url + "/").rstrip("/"), channel, device_type

    def send(self, path, body):
        request = requests.Request("POST", self.base + path, data=json.dumps(body),
                                   headers={"Content-Type": "application/json"}).prepare()
        for header in ("Accept", "Accept-Encoding", "User-Agent"):
            request.headers.pop(header, None)
        with requests.Session() as session:
            session.trust_env = False
            return session.send(request, timeout=10)

    def create(self, creator, room_id, callee):
        answer = self.send("/api/v1/rooms", {
            "source_channel_id": self.channel, "source_channel_type": 0, "creator": creator, "room_id": room_id,
            "rtc_type": 1, "invite_on": 0,
            "max_participants": 9, "uids": [callee], "device_type": self.device_type})
        body = swift_room_resp(answer)
        assert (body["source_channel_id"], body["source_channel_type"], body["creator"],
                body["room_id"]) == (self.channel, 0, creator, room_id)
        assert (body["rtc_type"], body["max_participants"], body["status"]) == (1, 9, 0)
        assert body["timeout"] > 0, "the app drops who does not answer after it"
        return body

    def join(self, room_id, uid):
        return swift_room_resp(self.send(f"/api/v1/rooms/{room_id}/join",
                                         {"uid": uid, "device_type": self.device_type}))

    def leave(self, room_id, uid):
        """Twice for each hang-up; nothing of the answer is used."""
        answers = [self.send(f"/api/v1/rooms/{room_id}/leave", {"uid": uid}) for _ in range(2)]
        assert [a.status_code for a in answers] == [200, 200]
        for answer in answers:
            no_null(answer.json())
        return answers[1].json()


@pytest.mark.parametrize("channel", ["channel_ios", "channel_flutter"])
def test_a_call_of_the_demos(open_stack, fresh, channel):
    caller, callee = App(open_stack, channel), App(open_stack, channel)
    alice, bob, room = fresh("alice"), fresh("bob"), fresh("room")
    created = caller.create(alice, room, bob)
    assert created["uids"] == [bob, alice]
    first = caller.join(room, alice)
    second = callee.join(room, bob)
    for body in (first, second):
        assert set(body["uids"]) == {alice, bob}
        assert body["url"] == created["url"] and not body["url"].endswith("/")
    assert len({created["token"], first["token"], second["token"]}) == 3
    caller.leave(room, alice)
    after = callee.leave(room, bob)
    assert (after["status"], after["end_reason"]) == (2, "hangup")
    again = caller.send(f"/api/v1/rooms/{room}/join", {"uid": alice, "device_type": "app"})
    assert again.status_code == 409 and flutter_error(again)["error"] == "room_not_active"


def test_a_1_to_1_call_joins_on_both_sides(open_stack, fresh):
    """The Go server found a full call as soon as the creator was in it."""
    app = App(open_stack, "channel_ios")
    alice, bob, room = fresh("alice"), fresh("bob"), fresh("room")
    swift_room_resp(app.send("/api/v1/rooms", {"creator": alice, "room_id": room, "rtc_type": 0, "invite_on": 1,
                                               "max_participants": 2,
                                               "uids": [bob], "device_type": "app"}))
    for first, second in ((alice, bob), (bob, alice)):
        app.join(room, first)
        app.join(room, second)
    third = app.send(f"/api/v1/rooms/{room}/join", {"uid": fresh("carol"), "device_type": "app"})
    assert third.status_code == 403
    assert app.leave(room, bob)["status"] == 2
    assert app.leave(room, alice)["status"] == 2


def test_the_callee_asks_what_rings(open_stack, fresh):
    app = App(open_stack, "channel_flutter")
    alice, bob, room = fresh("alice"), fresh("bob"), fresh("room")
    app.create(alice, room, bob)
    answer = requests.get(open_stack.url + f"/api/v1/rooms/sync?uid={bob}&device_type=app", timeout=10)
    [ringing] = answer.json()
    no_null(ringing)
    assert ringing["room_id"] == room and type(ringing["token"]) is str and ringing["uids"] == [bob, alice]


def test_a_new_call_after_the_last(open_stack, fresh):
    """Hung up is free again, at once and on both sides."""
    app = App(open_stack, "channel_ios")
    alice, bob = fresh("alice"), fresh("bob")
    for _ in range(3):
        room = fresh("room")
        app.create(alice, room, bob)
        app.join(room, bob)
        app.leave(room, bob)
        app.leave(room, alice)


@pytest.mark.parametrize("path, body, status", [
    ("/api/v1/rooms", {"creator": ""}, 400), ("/api/v1/rooms/none/join", {"uid": "x", "device_type": "app"}, 404),
    ("/api/v1/rooms/none/leave", {"uid": "x"}, 404), ("/api/v1/unknown", {}, 404),
    ("/api/v1/rooms/none", {}, 405), ("/api/v1/rooms/x/leave", {"pad": "x" * 70000}, 413)])
def test_errors_are_objects_with_a_message(open_stack, path, body, status):
    answer = App(open_stack, "channel_flutter").send(path, body)
    assert answer.status_code == status
    no_null(flutter_error(answer))
    assert answer.json()["message"][0] > "\u3000", "Chinese, where nothing else is asked for"


def test_busy_callee(open_stack, fresh):
    app = App(open_stack, "channel_ios")
    bob = fresh("bob")
    app.create(fresh("alice"), fresh("room"), bob)
    answer = app.send("/api/v1/rooms", {"creator": fresh("carol"), "room_id": fresh("room"), "uids": [bob],
                                        "device_type": "app", "max_participants": 9})
    body = flutter_error(answer)
    assert (answer.status_code, body["error"], body["busy_uids"]) == (409, "participant_in_call", [bob])


def test_room_ids_stand_raw_in_paths(open_stack, fresh):
    """The apps paste what they got; what needs no escape works as it is."""
    app = App(open_stack, "channel_ios")
    for odd in ("a.b", "a~b", "a:b", "a@b", "a!b", "a$b", "a'b", "a(b)", "a*b", "a,b", "a;b", "a=b", "a&b",
                "a+b"):
        room, bob = odd + fresh("-"), fresh("bob")
        app.create(fresh("alice"), room, bob)
        assert app.join(room, bob)["room_id"] == room


def test_created_at_is_local(open_stack, fresh):
    body = App(open_stack, "channel_ios").create(fresh("alice"), fresh("room"), fresh("bob"))
    zone = zoneinfo.ZoneInfo("Asia/Shanghai")
    created = datetime.datetime.strptime(body["created_at"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone)
    assert abs((datetime.datetime.now(zone) - created).total_seconds()) < 5


@pytest.mark.parametrize("setting, url", [("wss://media.example/", "wss://media.example"),
                                          ("https://m.example:8443//", "https://m.example:8443"),
                                          ("ws://m.example", "ws://m.example"),
                                          ("wss://m.example/lk/", "wss://m.example/lk")])
def test_url_has_no_trailing_slash(worker, stack, fresh, setting, url):
    """Android appends "/rtc"."""
    at = worker(LIVEKIT_CLIENT_URL=setting)
    body = swift_room_resp(at.post("/rooms", {"creator": fresh()}, key=stack.env["TGO_KEY"]))
    assert body["url"] == url


def test_nothing_is_wrong_afterwards(open_stack):
    db = open_stack.db()
    try:
        assert check_invariants(db) == []
    finally:
        db.close()
