"""Every endpoint as it is meant to be used: each field of its answer, aliases, HEAD, OPTIONS, CORS.

The fixture `call` holds every answer against docs/openapi.json besides. SPDX-License-Identifier: MIT
"""
import json
import re
import time

import jwt
import pytest
import requests

from support.client import Api, raw_http
from support.fake_livekit import FakeLiveKit, with_media
from support.shapes import (COMMON, PARTICIPANT, ROOM, ROOM_RESP, check, check_error, no_null,
                            swift_room_resp)
from support.wait import wait_until


def ok(answer, status=200):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    body = answer.json()
    no_null(body)
    return body


def made(call, fresh, n=1, **more):
    """A call of n invitees; its RoomResp."""
    body = {"creator": fresh("alice"), "uids": [fresh("bob") for _ in range(n)], **more}
    return check(ok(call.post("/rooms", body)), ROOM_RESP)


def joined(call, room, uid, **more):
    return check(ok(call.post(f"/rooms/{room['room_id']}/join", {"uid": uid, **more})), ROOM_RESP)


class TestCreate:
    def test_every_field(self, call, fresh, stack):
        alice, bob, carol, room_id = fresh("alice"), fresh("bob"), fresh("carol"), fresh("room")
        before = int(time.time() * 1000) - 1
        body = check(ok(call.post("/rooms", {
            "creator": alice, "uids": [carol, bob], "room_id": room_id, "rtc_type": 1, "invite_on": 1,
            "max_participants": 9, "timeout": 30, "source_channel_id": "channel_ios", "source_channel_type": 2,
            "metadata": {"order": 17, "nested": {"a": [1, None]}}, "device_type": "web", "device_id": "d1",
            "name": "爱丽丝", "region": "eu"})), ROOM_RESP)
        after = int(time.time() * 1000) + 1
        assert body["metadata"] == {"order": 17, "nested": {"a": [1, None]}}
        created = time.mktime(time.strptime(body["created_at"], "%Y-%m-%d %H:%M:%S"))
        assert before // 1000 - 1 <= created <= after / 1000
        assert before <= body["server_time"] <= after
        assert body["deadline"] == body["server_time"] + 30_000
        assert body["token"].count(".") == 2
        assert body["url"] == f"ws://127.0.0.1:{stack.port}"
        wanted = {
            "room_id": room_id, "creator": alice, "status": 0, "max_participants": 9, "timeout": 30,
            "uids": [carol, bob, alice], "rtc_type": 1, "source_channel_id": "channel_ios",
            "source_channel_type": 2,
            "invite_on": 1, "seq": 1, "my_status": 0, "busy_uids": []}
        assert {k: body[k] for k in wanted} == wanted

    def test_defaults(self, call, fresh, stack):
        alice = fresh("alice")
        body = check(ok(call.post("/rooms", {"creator": alice})), ROOM_RESP)
        wanted = {"creator": alice, "status": 0, "max_participants": 2, "timeout": 60, "uids": [alice],
                  "rtc_type": 0,
                  "source_channel_id": "", "source_channel_type": 0, "invite_on": 0, "seq": 0, "my_status": 0,
                  "busy_uids": [], "metadata": {}}
        assert {k: body[k] for k in wanted} == wanted
        assert len(body["room_id"]) == 32
        row = ok(call.get(f"/rooms/{body['room_id']}/participants/{alice}"))
        assert (row["device_type"], row["device_id"], row["name"]) == ("app", "", "")

    def test_null_is_absent(self, call, fresh):
        alice = fresh("alice")
        fields = ("uids", "room_id", "rtc_type", "call_type", "invite_on", "max_participants", "timeout",
                  "device_type",
                  "device_id", "name", "source_channel_id", "source_channel_type", "metadata")
        body = check(ok(call.post("/rooms", {"creator": alice, **{f: None for f in fields}})), ROOM_RESP)
        assert (body["max_participants"], body["timeout"], body["metadata"]) == (2, 60, {})

    @pytest.mark.parametrize("asked, wanted", [({"call_type": 1}, 1), ({"call_type": 1, "rtc_type": 0}, 0),
                                               ({}, 0)])
    def test_call_type(self, call, fresh, asked, wanted):
        assert made(call, fresh, **asked)["rtc_type"] == wanted

    @pytest.mark.parametrize("asked, seats", [(0, 4), (-1, 4), (None, 4), (4, 4), (1000, 1000)])
    def test_seats(self, call, fresh, asked, seats):
        assert made(call, fresh, n=3, max_participants=asked)["max_participants"] == seats

    def test_invitees_are_cleaned(self, call, fresh):
        alice, bob, carol = fresh("alice"), fresh("bob"), fresh("carol")
        body = ok(call.post("/rooms", {"creator": alice, "uids": [bob, "", alice, bob, carol]}))
        assert body["uids"] == [bob, carol, alice]
        assert body["max_participants"] == 3

    def test_some_are_busy(self, call, fresh):
        busy = made(call, fresh)["uids"][0]
        bob = fresh("bob")
        body = ok(call.post("/rooms", {"creator": fresh("alice"), "uids": [busy, bob]}))
        assert body["busy_uids"] == [busy]
        assert ok(call.get(f"/rooms/{body['room_id']}/participants/{busy}"))["status"] == 5
        assert ok(call.get(f"/rooms/{body['room_id']}/participants/{bob}"))["status"] == 0

    def test_ticket_need_not_name_itself(self, call, fresh):
        alice = fresh("alice")
        body = ok(call.post("/rooms", {"uids": [fresh("bob")]}, ticket=call.ticket(alice, device_id="phone-1")))
        assert body["creator"] == alice
        row = ok(call.get(f"/rooms/{body['room_id']}/participants/{alice}"))
        assert row["device_id"] == "phone-1"

    @pytest.mark.parametrize("room_id", ["通话-1", "a b", "é" * 40, "😀" * 40, "A", "a+b", "a&b=c", 'q"q', "\\",
                                         "SYNC", "..."])
    def test_ids_are_kept_as_given(self, call, fresh, room_id):
        uid = (room_id[:20] + "-" + fresh(""))[:40].strip()
        alone = room_id[:40 - len(uid)] + uid if len(room_id) + len(uid) <= 40 else uid
        body = ok(call.post("/rooms", {"creator": uid, "room_id": alone}))
        assert (body["room_id"], body["creator"]) == (alone, uid)
        got = ok(call.get("/rooms/" + requests.utils.quote(alone, safe="")))
        assert (got["room_id"], got["creator"]) == (alone, uid)

    def test_ids_differ_by_bytes(self, call, fresh):
        name = fresh("case")
        for room_id in (name, name.upper(), name + "\u00e9", name + "e\u0301"):
            assert ok(call.post("/rooms", {"creator": room_id, "room_id": room_id}))["room_id"] == room_id
            assert ok(call.get(f"/rooms/{room_id}"))["room_id"] == room_id


class TestRead:
    def test_room(self, call, fresh):
        room = made(call, fresh, n=2, metadata={"a": 1}, source_channel_id="c", source_channel_type=9, rtc_type=1)
        body = check(ok(call.get(f"/rooms/{room['room_id']}")), ROOM)
        for key in COMMON:
            if key != "server_time":
                assert body[key] == room[key], key
        wanted = {"started_at": 0, "answered_at": 0, "ended_at": 0, "duration": 0, "end_reason": "",
                  "ended_by": "",
                  "livekit_node": ""}
        assert {k: body[k] for k in wanted} == wanted
        assert body["updated_at"] > 0
        assert [p["uid"] for p in body["participants"]] == room["uids"]

    def test_answered_and_ended(self, call, fresh):
        room = made(call, fresh)
        bob, alice = room["uids"]
        joined(call, room, alice)
        joined(call, room, bob)
        body = ok(call.get(f"/rooms/{room['room_id']}"))
        assert body["answered_at"] > 0 and body["ended_at"] == 0
        body = check(ok(call.post(f"/rooms/{room['room_id']}/leave", {"uid": bob})), ROOM)
        assert (body["status"], body["end_reason"], body["ended_by"]) == (2, "hangup", bob)
        assert body["ended_at"] >= body["answered_at"] > 0
        assert body["duration"] in (body["ended_at"] - body["answered_at"],
                                    body["ended_at"] - body["answered_at"] - 1)
        assert [p["status"] for p in body["participants"]] == [3, 3]

    def test_participants(self, call, fresh):
        room = made(call, fresh, n=2)
        bob, carol, alice = room["uids"]
        joined(call, room, bob, device_type="web", device_id="tab-1", name="鲍勃")
        rows = ok(call.get(f"/rooms/{room['room_id']}/participants"))
        assert [check(p, PARTICIPANT)["uid"] for p in rows] == [bob, carol, alice]
        p = check(ok(call.get(f"/rooms/{room['room_id']}/participants/{bob}")), PARTICIPANT)
        assert p["join_time"] > 0
        wanted = {"room_id": room["room_id"], "uid": bob, "name": "鲍勃", "status": 1, "device_type": "web",
                  "device_id": "tab-1", "leave_time": 0, "deadline": 0, "reconnecting": False, "room_status": 0}
        assert {k: p[k] for k in wanted} == wanted
        ringing = ok(call.get(f"/rooms/{room['room_id']}/participants/{carol}"))
        assert (ringing["status"], ringing["join_time"]) == (0, 0) and ringing["deadline"] == room["deadline"]

    def test_room_of_a_ticket(self, call, fresh):
        room = made(call, fresh)
        for path in ("", "/participants", f"/participants/{room['uids'][1]}"):
            ok(call.get(f"/rooms/{room['room_id']}{path}", ticket=room["uids"][0]))
            check_error(call.get(f"/rooms/{room['room_id']}{path}", ticket=fresh()), 404, "room_not_found")


class TestSync:
    def test_ringing_and_joined_from_here(self, call, fresh):
        room = made(call, fresh, max_participants=9)
        bob = room["uids"][0]
        [one] = ok(call.get(f"/rooms/sync?uid={bob}"))
        check(one, ROOM_RESP)
        assert (one["my_status"], one["deadline"]) == (0, room["deadline"])
        joined(call, room, bob, device_type="web", device_id="tab-1")
        [one] = ok(call.get(f"/rooms/sync?uid={bob}&device_type=web&device_id=tab-1"))
        assert (one["my_status"], one["deadline"], one["token"].count(".")) == (1, 0, 2)
        assert ok(call.get(f"/rooms/sync?uid={bob}&device_id=tab-2")) == []
        assert ok(call.get(f"/rooms/sync?uid={bob}&device_type=app")) == []
        assert [r["room_id"] for r in ok(call.get(f"/rooms/sync?uid={bob}"))] == [room["room_id"]]

    def test_uids_are_the_active(self, call, fresh):
        room = made(call, fresh, n=2)
        bob, carol, alice = room["uids"]
        ok(call.post(f"/rooms/{room['room_id']}/reject", {"uid": carol}))
        [one] = ok(call.get(f"/rooms/sync?uid={alice}"))
        assert one["uids"] == [bob, alice]

    def test_nothing(self, call, fresh):
        assert ok(call.get(f"/rooms/sync?uid={fresh()}")) == []

    def test_ticket_is_its_own(self, call, fresh):
        room = made(call, fresh)
        [one] = ok(call.get("/rooms/sync", ticket=room["uids"][0]))
        assert one["room_id"] == room["room_id"]

    def test_over_is_gone(self, call, fresh):
        room = made(call, fresh)
        ok(call.post(f"/rooms/{room['room_id']}/end"))
        assert ok(call.get(f"/rooms/sync?uid={room['uids'][0]}")) == []


class TestJoin:
    @pytest.mark.parametrize("by_body", [False, True])
    def test_every_field(self, call, fresh, by_body):
        room = made(call, fresh, n=2, metadata={"x": 1}, source_channel_id="channel_flutter")
        bob = room["uids"][0]
        what = {"uid": bob, "device_type": "ios", "device_id": "i1", "name": "Bob", "takeover": False,
                "ttl_s": 60}
        path = "/participants/join" if by_body else f"/rooms/{room['room_id']}/join"
        body = check(ok(call.post(path, {**what, "room_id": room["room_id"]} if by_body else what)), ROOM_RESP)
        same = ("room_id", "creator", "url", "status", "created_at", "max_participants", "timeout", "uids",
                "rtc_type",
                "source_channel_id", "source_channel_type", "invite_on", "metadata", "busy_uids")
        assert {k: body[k] for k in same} == {k: room[k] for k in same}
        assert (body["my_status"], body["deadline"], body["seq"]) == (1, 0, 2)
        claims = jwt.decode(body["token"], options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == 60

    def test_open_group_takes_who_knows_it(self, call, fresh):
        room = made(call, fresh, max_participants=3)
        dave = fresh("dave")
        assert joined(call, room, dave)["uids"] == [*room["uids"], dave]

    def test_takeover(self, call, fresh):
        room = made(call, fresh, n=2)
        bob = room["uids"][0]
        path = f"/rooms/{room['room_id']}/join"
        joined(call, room, bob, device_id="one")
        check_error(call.post(path, {"uid": bob, "device_id": "two", "takeover": False}), 409, "joined_elsewhere")
        joined(call, room, bob, device_id="two", takeover=True)
        assert ok(call.get(f"/rooms/{room['room_id']}/participants/{bob}"))["device_id"] == "two"


class TestLeaveAndReject:
    @pytest.mark.parametrize("by_body", [False, True])
    def test_leave(self, call, fresh, by_body):
        room = made(call, fresh, n=2)
        bob = room["uids"][0]
        joined(call, room, bob)
        path = "/participants/leave" if by_body else f"/rooms/{room['room_id']}/leave"
        what = {"uid": bob, "device_type": "app", "device_id": "any"}
        body = check(ok(call.post(path, {**what, "room_id": room["room_id"]} if by_body else what)), ROOM)
        assert [p["status"] for p in body["participants"]] == [3, 0, 0]
        assert body["participants"][0]["leave_time"] > 0

    @pytest.mark.parametrize("reason, status", [(None, 2), ("declined", 2), ("busy", 5)])
    def test_reject(self, call, fresh, reason, status):
        room = made(call, fresh, n=2)
        body = check(ok(call.post(f"/rooms/{room['room_id']}/reject",
                                  {"uid": room["uids"][0], "reason": reason})), ROOM)
        assert [p["status"] for p in body["participants"]] == [status, 0, 0]

    def test_reject_of_a_1_to_1_ends_it(self, call, fresh):
        room = made(call, fresh)
        body = ok(call.post(f"/rooms/{room['room_id']}/reject", {"uid": room["uids"][0], "device_type": "app"}))
        assert (body["status"], body["end_reason"]) == (4, "rejected")


class TestModeration:
    def test_invite(self, call, fresh):
        room = made(call, fresh, n=1, max_participants=9)
        busy, dave = made(call, fresh)["uids"][0], fresh("dave")
        bob, alice = room["uids"]
        body = check(ok(call.post(f"/rooms/{room['room_id']}/invite", {
            "uids": [bob, dave, busy, dave, ""], "by": bob, "timeout": 600})), {**ROOM, "already": [str]})
        assert (body["already"], body["busy_uids"]) == ([bob], [busy])
        rows = {p["uid"]: p for p in body["participants"]}
        assert (rows[dave]["status"], rows[busy]["status"]) == (0, 5)
        assert rows[dave]["deadline"] == body["server_time"] + 600_000

    def test_invite_nobody(self, call, fresh):
        room = made(call, fresh)
        body = ok(call.post(f"/rooms/{room['room_id']}/invite", {"uids": [room["uids"][0], ""]}))
        assert (body["already"], body["seq"]) == ([room["uids"][0]], room["seq"])

    @pytest.mark.parametrize("answered, status", [(False, 3), (True, 2)])
    def test_end(self, call, fresh, answered, status):
        room = made(call, fresh)
        if answered:
            for uid in room["uids"]:
                joined(call, room, uid)
        body = check(ok(call.post(f"/rooms/{room['room_id']}/end")), ROOM)
        assert (body["status"], body["end_reason"], body["ended_by"]) == (status, "ended", "")
        again = ok(call.post(f"/rooms/{room['room_id']}/end", {}))
        assert (again["seq"], again["ended_at"]) == (body["seq"], body["ended_at"])

    def test_end_by_the_creator(self, call, fresh):
        room = made(call, fresh)
        body = ok(call.post(f"/rooms/{room['room_id']}/end", ticket=room["creator"]))
        assert body["ended_by"] == room["creator"]

    def test_a_thousand_people(self, call, fresh, db):
        """Each of them is told of, with the ids of all: some fifty megabytes of events."""
        room = made(call, lambda name: fresh("somebody-with-a-long-name"), 999)
        with db.cursor() as c:
            c.execute("UPDATE rtc_participant SET status = 1, join_time = 1, deadline_ms = 0 WHERE room_id = %s",
                      (room["room_id"],))
            body = check(ok(call.post(f"/rooms/{room['room_id']}/end")), ROOM)
            assert (body["status"], len(body["participants"])) == (3, 1000)
            c.execute("SELECT COUNT(*) AS n FROM event WHERE room_id = %s AND type = 'participant.left'",
                      (room["room_id"],))
            assert c.fetchone()["n"] == 1000

    def test_remove(self, call, fresh):
        room = made(call, fresh, n=2)
        bob = room["uids"][0]
        joined(call, room, bob)
        body = check(ok(call.delete(f"/rooms/{room['room_id']}/participants/{bob}")), ROOM)
        assert body["participants"][0]["status"] == 3
        assert ok(call.delete(f"/rooms/{room['room_id']}/participants/{bob}"))["seq"] == body["seq"]

    @pytest.mark.parametrize("status, reason", [(1, ""), (2, "ended"), (3, "cancelled"), (4, "rejected"),
                                                (5, "busy"), (6, "missed")])
    def test_room_status(self, call, fresh, status, reason):
        room = made(call, fresh)
        body = check(ok(call.put(f"/rooms/{room['room_id']}/status", {"status": status})), ROOM)
        assert (body["status"], body["end_reason"]) == (status, reason)
        assert (body["started_at"] > 0) == (status == 1) and (body["ended_at"] > 0) == (status != 1)
        assert ok(call.put(f"/rooms/{room['room_id']}/status", {"status": status}))["seq"] == body["seq"]

    @pytest.mark.parametrize("asked, status", [(0, 0), (1, 1), (2, 2), (3, 2), (4, 4), (5, 5), (6, 6)])
    def test_participant_status(self, call, fresh, asked, status):
        room = made(call, fresh, n=2)
        bob = room["uids"][0]
        body = check(ok(call.put(f"/rooms/{room['room_id']}/participants/{bob}/status", {"status": asked})),
                     PARTICIPANT)
        assert (body["uid"], body["status"]) == (bob, status)


@pytest.fixture(scope="module")
def livekit(stack):
    fake = FakeLiveKit(stack.env["LIVEKIT_API_SECRET"])
    yield fake
    fake.stop()


@pytest.fixture(scope="module")
def at(worker, livekit):
    return worker(LIVEKIT_URL=livekit.url)


class TestMute:
    @pytest.fixture
    def room(self, call, fresh, livekit):
        room = made(call, fresh)
        livekit.calls.clear()
        livekit.refuse = None
        livekit.people[room["room_id"], room["uids"][0]] = [
            {"sid": "TR_a", "source": "MICROPHONE", "muted": False},
            {"sid": "TR_v", "source": "CAMERA", "muted": False},
            {"sid": "TR_s", "source": "SCREEN_SHARE", "muted": True},
            {"sid": "TR_t", "source": "SCREEN_SHARE_AUDIO", "muted": False}]
        return room

    def mute(self, at, stack, document, room, body, **who):
        path = f"/rooms/{room['room_id']}/participants/{room['uids'][0]}/mute"
        answer = at.post(path, body, **(who or {"key": stack.env["TGO_KEY"]}))
        document.check_answer("POST", "/api/v1" + path, answer)
        return answer

    @pytest.mark.parametrize("body, muted", [
        (None, {"TR_a", "TR_v", "TR_t"}), ({}, {"TR_a", "TR_v", "TR_t"}),
        ({"source": None, "muted": None}, {"TR_a", "TR_v", "TR_t"}),
        ({"source": "microphone"}, {"TR_a"}), ({"source": "camera", "muted": True}, {"TR_v"}),
        ({"source": "screen_share"}, {"TR_t"}), ({"muted": False}, {"TR_s"}),
        ({"source": "camera", "muted": False}, set())])
    def test_which_tracks(self, at, stack, document, livekit, room, body, muted):
        check(ok(self.mute(at, stack, document, room, body)), PARTICIPANT)
        asked = [b for method, b, _ in livekit.calls if method == "MutePublishedTrack"]
        assert {b["track_sid"] for b in asked} == muted
        assert all(b["muted"] is (body or {}).get("muted",
                                                  True) or (body or {}).get("muted") is None for b in asked)
        assert all(video == {"roomAdmin": True, "room": room["room_id"]} for *_, video in livekit.calls)

    def test_itself(self, at, stack, document, livekit, room, call):
        ok(self.mute(at, stack, document, room, {}, ticket=call.ticket(room["uids"][0])))

    def test_not_connected(self, at, stack, document, livekit, room):
        livekit.people.clear()
        check_error(self.mute(at, stack, document, room, {}), 404, "participant_not_found")

    def test_livekit_refuses(self, at, stack, document, livekit, room):
        livekit.refuse = 412
        check_error(self.mute(at, stack, document, room, {"muted": False}), 409, "illegal_transition")

    def test_no_livekit(self, call, room, db):
        """Who never had a media session is not connected, whatever LiveKit says or does not."""
        path = f"/rooms/{room['room_id']}/participants/{room['uids'][0]}/mute"
        check_error(call.post(path, {}), 404, "participant_not_found")
        with_media(db, room["room_id"], room["uids"][0])
        answer = call.post(path, {})
        check_error(answer, 503, "unavailable")
        assert answer.headers["Retry-After"] == "1"


@pytest.fixture(scope="module")
def history(call, fresh):
    """Five calls of one creator, the oldest first: room ids, creator, an invitee of all of them."""
    alice, bob, ids = fresh("alice"), fresh("bob"), []
    for i in range(5):
        ids.append(ok(call.post("/rooms", {"creator": alice, "uids": [bob]}))["room_id"])
        if i < 4:
            ok(call.post(f"/rooms/{ids[-1]}/end"))
    return ids, alice, bob


class TestLists:
    def test_page(self, call, history):
        ids, alice, _ = history
        body = ok(call.get(f"/rooms?creator={alice}&limit=3"))
        assert set(body) == {"rooms", "total", "next_cursor"}
        assert [check(r, ROOM)["room_id"] for r in body["rooms"]] == ids[:1:-1]
        assert body["total"] == 5
        assert [p["uid"] for p in body["rooms"][0]["participants"]] == body["rooms"][0]["uids"]
        rest = ok(call.get(f"/rooms?creator={alice}&limit=3&cursor={body['next_cursor']}"))
        assert [r["room_id"] for r in rest["rooms"]] == ids[1::-1]
        assert (rest["next_cursor"], rest["total"]) == ("", 5)

    @pytest.mark.parametrize("query, wanted", [
        ("", [4, 3, 2, 1, 0]), ("&offset=3", [1, 0]), ("&offset=9", []), ("&status=0", [4]), ("&status=0,1", [4]),
        ("&status=3", [3, 2, 1, 0]), ("&status=0,3&limit=2", [4, 3]), ("&status=", [4, 3, 2, 1, 0]),
        ("&since=4102444800", []),
        ("&until=1", []), ("&since=1&until=4102444800", [4, 3, 2, 1, 0]), ("&until=0", [4, 3, 2, 1, 0])])
    def test_filters(self, call, history, query, wanted):
        ids, alice, bob = history
        for who in (f"creator={alice}", f"uid={bob}", f"uid={alice}&creator={alice}"):
            body = ok(call.get(f"/rooms?{who}{query}"))
            assert [ids.index(r["room_id"]) for r in body["rooms"]] == wanted, who

    def test_default_length(self, call, fresh):
        alice = fresh("alice")
        for _ in range(11):
            room = ok(call.post("/rooms", {"creator": alice}))["room_id"]
            ok(call.post(f"/rooms/{room}/end"))
        body = ok(call.get(f"/rooms?creator={alice}"))
        assert (len(body["rooms"]), body["total"]) == (10, 11)
        assert len(ok(call.get(f"/users/{alice}/calls"))["calls"]) == 10

    def test_everybodys(self, call, history):
        ids, *_ = history
        body = ok(call.get("/rooms?limit=100"))
        seen = [r["room_id"] for r in body["rooms"]]
        assert set(ids) <= set(seen) and len(seen) <= 100 and body["total"] >= len(seen)

    @pytest.mark.parametrize("query", ["status=0", "status=0,1", "status=3,2,0", "status=6", "status=0,1,2,3,4,5,6",
                                       "status=0,3&since=1", "status=0,3&until=1", "status=3&since=4102444800"])
    def test_everybodys_by_status(self, call, history, db, query):
        """Page by page, by cursor and by offset, as the table has them."""
        wanted = query.partition("&")[0].partition("=")[2]
        with db.cursor() as c:
            c.execute(f"SELECT room_id FROM rtc_room WHERE status IN ({wanted}) ORDER BY created_at_ms DESC, id DESC")
            truth = [row["room_id"] for row in c.fetchall()] if "until" not in query and "4102" not in query else []
        seen, cursor, limit = [], "", 7 if query == "status=0" else 60
        for _ in range(len(truth) // limit + 2):
            body = ok(call.get(f"/rooms?{query}&limit={limit}" + (f"&cursor={cursor}" if cursor else "")))
            seen += [r["room_id"] for r in body["rooms"]]
            assert body["total"] == len(truth)
            if not (cursor := body["next_cursor"]):
                break
        assert seen == truth and not cursor
        body = ok(call.get(f"/rooms?{query}&limit=2&offset=1"))
        assert [r["room_id"] for r in body["rooms"]] == truth[1:3]

    def test_pages_of_very_large_calls(self, call, fresh, db):
        """A page that would be too large is a shorter one, and the next goes on behind it."""
        ann, bob, n = fresh("ann"), fresh("bob"), 22
        people = [f"{i:04d}-" + "人" * 35 for i in range(999)]
        rooms = [ok(call.post("/rooms", {"creator": ann, "uids": [bob], "rtc_type": 0}))["room_id"]]
        ok(call.post(f"/rooms/{rooms[0]}/end"))
        with db.cursor() as c:
            for i in range(1, n):
                rooms.append(f"{rooms[0][:30]}-{i}")
                c.execute("INSERT INTO rtc_room (room_id, creator, status, max_participants, created_at_ms, updated_at_ms,"
                          " ended_at_ms, version) SELECT %s, creator, status, 1000, created_at_ms + %s, updated_at_ms,"
                          " ended_at_ms, 1 FROM rtc_room WHERE room_id = %s", (rooms[-1], i, rooms[0]))
                if i == 1:
                    c.executemany("INSERT INTO rtc_participant (room_id, uid, status) VALUES (%s, %s, 3)",
                                  [(rooms[1], uid) for uid in [bob, *people]])
                else:
                    c.execute("INSERT INTO rtc_participant (room_id, uid, status) SELECT %s, uid, 3 FROM rtc_participant"
                              " WHERE room_id = %s", (rooms[-1], rooms[1]))
        try:
            for path, list_of in ((f"/rooms?creator={ann}", "rooms"), (f"/users/{bob}/calls?", "calls")):
                seen, cursor, pages = [], "", 0
                while pages == 0 or cursor:
                    # Not held against the document: that takes seconds for each.
                    body = ok(Api(call.stack).get(f"{path}&limit=100" + (f"&cursor={cursor}" if cursor else "")))
                    seen += [r["room_id"] for r in body[list_of]]
                    cursor, pages = body["next_cursor"], pages + 1
                assert seen == rooms[::-1] and pages > 1
        finally:
            with db.cursor() as c:
                for room in rooms[1:]:
                    c.execute("DELETE FROM rtc_participant WHERE room_id = %s", (room,))
                    c.execute("DELETE FROM rtc_room WHERE room_id = %s", (room,))

    def test_user_calls(self, call, history):
        ids, alice, bob = history
        body = ok(call.get(f"/users/{bob}/calls?limit=2", ticket=bob))
        assert set(body) == {"calls", "next_cursor"}
        for one in body["calls"]:
            check(one, {**ROOM, "my_status": int})
        assert [(r["room_id"], r["my_status"]) for r in body["calls"]] == [(ids[4], 0), (ids[3], 6)]
        seen = []
        cursor = ""
        while True:
            body = ok(call.get(f"/users/{bob}/calls?limit=2&cursor={cursor}"))
            seen += [r["room_id"] for r in body["calls"]]
            if not (cursor := body["next_cursor"]):
                break
        assert seen == ids[::-1]
        assert ok(call.get(f"/users/{bob}-nobody/calls")) == {"calls": [], "next_cursor": ""}

    def test_calling(self, call, fresh):
        room = made(call, fresh, n=2)
        bob, carol, alice = room["uids"]
        joined(call, room, bob)
        ok(call.post(f"/rooms/{room['room_id']}/reject", {"uid": carol}))
        body = ok(call.post("/participants/calling", {"uids": [alice, bob, carol, fresh()]}))
        wanted = [{"room_id": room["room_id"], "uid": bob, "status": 1},
                  {"room_id": room["room_id"], "uid": alice, "status": 0}]
        assert body == {"data": wanted}
        assert [type(v) for v in body["data"][0].values()] == [str, str, int]
        assert ok(call.post("/participants/calling", {"uids": []})) == {"data": []}


class TestTokensAndTickets:
    def test_refresh(self, call, fresh):
        room = made(call, fresh)
        bob = room["uids"][0]
        first = joined(call, room, bob)
        body = check(ok(call.post(f"/rooms/{room['room_id']}/token", {"uid": bob, "ttl_s": 86400})), ROOM_RESP)
        assert body["my_status"] == 1 and body["token"] != first["token"] and body["seq"] == first["seq"]

    def test_token_endpoint(self, call, fresh, stack):
        room = fresh("room")
        body = ok(call.post("/token", {"room_name": room, "participant_identity": fresh("p"),
                                       "participant_name": "P"}), 201)
        check(body, {"server_url": str, "participant_token": str, "room_name": str, "participant_name": str})
        assert (body["server_url"], body["room_name"],
                body["participant_name"]) == (f"ws://127.0.0.1:{stack.port}", room, "P")

    def test_ticket(self, call, fresh):
        uid = fresh()
        before = int(time.time())
        body = check(ok(call.post("/tickets", {"uid": uid, "device_id": "d-1", "ttl_s": 60})),
                     {"ticket": str, "expires_at": int})
        assert before + 60 <= body["expires_at"] <= before + 63
        assert ok(call.get("/rooms/sync", ticket=body["ticket"])) == []


class TestOperation:
    @pytest.mark.parametrize("path", ["/health", "/api/v1/health", "/api/health"])
    def test_health(self, call, path):
        assert ok(call.get(path, root=True, key=None)) == {"status": "ok"}

    @pytest.mark.parametrize("path", ["/readyz", "/api/v1/readyz", "/api/readyz"])
    def test_readyz(self, call, path):
        """No media nodes here, and nobody does the background work: degraded, and of use all the same."""
        body = ok(call.get(path, root=True, key=None))
        assert body["status"] == "degraded"
        state = {name: one["status"] for name, one in body["checks"].items()}
        assert state == {"mysql": "ok", "redis": "ok", "livekit": "unavailable", "log": "ok", "schema": "ok",
                         "jobs": "degraded"}
        assert all(type(body["checks"][name]["ms"]) is int for name in ("mysql", "redis", "livekit"))
        assert body["checks"]["jobs"]["alive"] == 0
        assert body["checks"]["schema"]["version"] == body["checks"]["schema"]["wanted"] > 0

    def test_migrations(self, call):
        rows = ok(call.get("/migrations/history"))
        for row in rows:
            check(row, {"version": int, "name": str, "status": str, "error": str, "executed_at": str,
                        "duration_ms": int})
        assert [row["version"] for row in rows] == sorted(row["version"] for row in rows) and len(rows) >= 2
        assert all(row["status"] == "success" and row["error"] == "" for row in rows)
        assert ok(call.get("/migrations/status")) == {"total": len(rows), "success": len(rows), "failed": 0,
                                                      "pending": 0}


# ---- paths, methods, browsers ----

PLAIN = [("GET", "/rooms"), ("GET", "/rooms/sync?uid=nobody"), ("GET", "/users/nobody/calls"),
         ("GET", "/migrations/status"),
         ("GET", "/migrations/history"), ("GET", "/health")]


@pytest.mark.parametrize("method, path", PLAIN)
def test_aliases_and_trailing_slash(call, method, path):
    path, _, query = path.partition("?")
    wanted = None
    for base in ("/api/v1", "/api"):
        for slash in ("", "/"):
            answer = call.request(method, f"{base}{path}{slash}?{query}", root=True)
            ok(answer)
            body = re.sub(r'"server_time":\d+', "", answer.text)
            assert wanted is None or body == wanted
            wanted = body


def test_alias_of_a_whole_call(call, fresh):
    alice, bob = fresh("alice"), fresh("bob")
    room = swift_room_resp(call.post("/api/rooms/", {"creator": alice, "uids": [bob]}))["room_id"]
    swift_room_resp(call.post(f"/api/rooms/{room}/join/", {"uid": bob}))
    check(ok(call.get(f"/api/rooms/{room}/")), ROOM)
    ok(call.delete(f"/api/rooms/{room}/participants/{bob}/"))
    ok(call.post(f"/api/rooms/{room}/leave/", {"uid": alice}))


@pytest.mark.parametrize("path", ["/api/v1/rooms//", "/api/v1//rooms", "//api/v1/rooms", "/api/v1/rooms/x/",
                                  "/api/v2/rooms", "/api/v1",
                                  "/api", "/api/", "/api/v1/rooms/x/y", "/api/v1/Rooms",
                                  "/api/v1/rooms/x/join/now"])
def test_unknown_paths(call, path):
    if path == "/api/v1/rooms/x/":
        check_error(call.get(path, root=True), 404, "room_not_found")
    elif path.startswith("//"):
        assert call.get(path, root=True).status_code in (404, 503)      # not ours: the media nodes'
    else:
        check_error(call.get(path, root=True), 404, "not_found")


def test_segments_are_decoded_once(call, fresh):
    name = fresh("a%41")
    check_error(call.post("/rooms", {"creator": fresh(), "room_id": name}), 400, "invalid_parameters", "room_id")
    name = fresh("a b+c")
    ok(call.post("/rooms", {"creator": fresh(), "room_id": name}))
    assert ok(call.get("/rooms/" + name.replace(" ", "%20")))["room_id"] == name
    assert ok(call.get("/%72ooms/" + name.replace(" ", "%20")))["room_id"] == name
    check_error(call.get("/rooms/" + name.replace(" ", "%2520")), 404, "room_not_found")
    check_error(call.get("/rooms/x%2fparticipants"), 404, "room_not_found")


@pytest.mark.parametrize("path", ["/rooms/%zz", "/rooms/%", "/rooms/%f", "/rooms/%ff", "/rooms/%c0%80",
                                  "/rooms/%ed%a0%80"])
def test_bad_escapes(stack, document, path):
    """Sent as they are: a library would mend them."""
    request = f"GET /api/v1{path} HTTP/1.0\r\nHost: x\r\nAuthorization: Bearer {stack.env['TGO_KEY']}\r\n\r\n"
    answer = raw_http(stack, request.encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1] == b"400"
    assert json.loads(body)["error"] == "invalid_parameters"


@pytest.mark.parametrize("method, path", PLAIN)
def test_head(call, method, path):
    got, head = call.get(path), call.request("HEAD", path)
    assert head.status_code == 200 and head.content == b""
    assert head.headers["Content-Type"] == got.headers["Content-Type"]
    assert head.headers["Content-Length"] == str(len(got.content))


def test_head_of_an_error(call):
    head = call.request("HEAD", "/rooms/none")
    assert head.status_code == 404 and head.content == b""
    assert int(head.headers["Content-Length"]) > 0
    assert call.request("HEAD", "/rooms/x/join").status_code == 405


def allowed(document):
    """Full path -> Allow, out of the document."""
    methods = {}
    for method, path, _ in document.operations():
        methods.setdefault(path, set()).add(method)
    names = {"GET": "GET, HEAD", "POST": "POST", "PUT": "PUT", "DELETE": "DELETE"}
    return {path: ", ".join([names[m] for m in names if m in found] + ["OPTIONS"]) for path,
            found in methods.items()}


def test_options_and_405_everywhere(call, document):
    for path, allow in allowed(document).items():
        # /rooms/sync is also a room_id's place, as far as methods go: no method is added by that.
        path = path.replace("{room_id}", "r").replace("{uid}", "u")
        answer = call.request("OPTIONS", path, root=True, key=None)
        assert (answer.status_code, answer.headers["Allow"], answer.content) == (204, allow, b""), path
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "PROPFIND"):
            if method in allow.replace(" ", "").split(","):
                continue
            answer = call.request(method, path, root=True, key=None)
            check_error(answer, 405, "method_not_allowed")
            assert answer.headers["Allow"] == allow, path
    check_error(call.request("OPTIONS", "/nothing", key=None), 404, "not_found")


class TestCors:
    """scripts/run answers every origin."""
    ORIGIN = {"Origin": "https://app.example"}

    def test_preflight(self, call):
        answer = call.request("OPTIONS", "/rooms", key=None, headers={
            **self.ORIGIN, "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization"})
        h = answer.headers
        assert answer.status_code == 204
        assert h["Access-Control-Allow-Origin"] == "*" and h["Vary"] == "Origin"
        assert h["Access-Control-Allow-Methods"] == "GET, HEAD, POST, OPTIONS"
        allowed_headers = {name.strip().lower() for name in h["Access-Control-Allow-Headers"].split(",")}
        assert {"authorization", "content-type", "x-language", "idempotency-key"} <= allowed_headers
        assert int(h["Access-Control-Max-Age"]) > 0
        assert "Access-Control-Allow-Credentials" not in h

    @pytest.mark.parametrize("method, path, status, more", [
        ("GET", "/health", 200, {}), ("GET", "/rooms", 401, {"key": None}), ("GET", "/rooms/none", 404, {}),
        ("PATCH", "/rooms", 405, {}), ("POST", "/rooms", 400, {"json": {}}), ("GET", "/nothing", 404, {}),
        ("POST", "/rooms", 415, {"data": b"x", "headers": {"Content-Type": "text/plain"}}),
        ("POST", "/tickets", 413, {"data": b" " * 70000}),
        ("GET", "/rooms", 400, {"headers": {"Authorization": "a\tb"}})])
    def test_on_every_answer(self, call, method, path, status, more):
        headers = {**self.ORIGIN, **more.pop("headers", {})}
        answer = call.request(method, path, headers=headers, **more)
        assert answer.status_code in (status, 401)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Methods" not in answer.headers

    def test_no_origin_no_headers(self, call):
        assert "Access-Control-Allow-Origin" not in call.get("/health", key=None).headers

    @pytest.mark.parametrize("setting, origin, wanted", [
        ("https://a.example, https://b.example", "https://b.example", "https://b.example"),
        ("https://a.example, https://b.example", "https://c.example", None),
        ("https://a.example", "https://a.example.evil", None), ("https://a.example", "null", None),
        ("", "https://a.example", None)])
    def test_a_list_of_origins(self, worker, setting, origin, wanted):
        at = worker(CORS_ORIGINS=setting)
        for answer in (at.get("/health", headers={"Origin": origin}),
                       at.get("/rooms", headers={"Origin": origin}),
                       at.request("OPTIONS", "/rooms", headers={"Origin": origin})):
            assert answer.headers.get("Access-Control-Allow-Origin") == wanted
            assert answer.headers.get("Vary") == ("Origin" if setting else None)
        # Or a cache would give this one to an origin.
        assert at.get("/health").headers.get("Vary") == ("Origin" if setting else None)


def test_every_list_in_a_browser_is_whole(call, fresh, stack):
    """Answers do not come to pieces when many people are in them."""
    uids = [fresh("u") for _ in range(999)]
    body = check(ok(call.post("/rooms", {"creator": fresh("alice"), "uids": uids})), ROOM_RESP)
    assert body["uids"][:-1] == uids and body["max_participants"] == 1000
    room = check(ok(call.get(f"/rooms/{body['room_id']}")), ROOM)
    assert len(room["participants"]) == 1000
    wait_until(lambda: ok(call.post(f"/rooms/{body['room_id']}/end"))["status"] == 3)
