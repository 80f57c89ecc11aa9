"""LiveKit's hints and what the API does, in the columns that a status does not show: deadlines, claims,
sessions, devices, and the bodies of events. SPDX-License-Identifier: MIT
"""
import time

import pytest

from support.livekit_hook import Hook, event, now_ms, person
from support.story import Story

GO_ROOM = ["room_id", "creator", "rtc_type", "invite_on", "status", "max_participants", "duration", "uids",
           "created_at", "updated_at"]
GO_PERSON = ["uid", "device_type", "invited_uids", "missed_uids"]
OUR_ROOM = ["event_id", "seq", "source_channel_id", "source_channel_type", "end_reason", "ended_by", "answered_at",
            "metadata"]
OUR_PERSON = ["busy_uids", "device_id", "reason"]
SLACK_MS = 3000


@pytest.fixture
def story(stack, call, db, fresh):
    return Story(stack, call, db, fresh)


def keys_of(kind):
    about_person = kind.startswith("participant.")
    keys = GO_ROOM + GO_PERSON * about_person + OUR_ROOM + OUR_PERSON * about_person
    return keys + ["participants"] * (kind in ("room.finished", "participant.invited"))


# ---- events ----

def test_bodies_of_events(story, invariants):
    """Every type's body: all keys, the Go server's first and in its order, and what they say."""
    story.play(["create zoe yan other=elsewhere", "create ann bob,cat,dan,zoe seats=9 source_channel_type=7",
                "join ann web:d1", "started", "joined ann PA_a", "reject bob", "put cat 4", "put dan 6",
                "invite cat by=ann", "join cat app", "joined cat PA_c", "leave cat", "end"])
    events, names = story.events(), story.names
    assert {e["type"] for e in events} == {
        "room.started", "room.finished", "participant.accepted", "participant.joined", "participant.left",
        "participant.rejected", "participant.busy", "participant.missed", "participant.invited",
        "participant.cancelled"}
    everybody = [names[n] for n in ("bob", "cat", "dan", "zoe", "ann")]
    room = story.room_row()
    for number, e in enumerate(events, 1):
        data = e["data"]
        assert list(data) == keys_of(e["type"]), e["type"]
        assert (e["seq"], data["seq"], data["event_id"]) == (number, number, e["event_id"])
        assert (data["room_id"], data["creator"], data["max_participants"]) == (story.room, names["ann"], 9)
        assert data["created_at"] == room["created_at_ms"] // 1000
        assert data["updated_at"] == e["created_at_ms"] // 1000
        assert (data["source_channel_type"], data["metadata"]) == (7, {})
        assert data.get("uid", "") == e["uid"]
        if e["type"] != "participant.invited":
            assert data["uids"] == everybody
    invited = [e["data"] for e in events if e["type"] == "participant.invited"]
    assert [one["uids"] for one in invited] == [[], [names["ann"]]]
    assert [one["reason"] for one in invited] == ["create", "invite"]
    assert [p["uid"] for p in invited[0]["participants"]] == everybody
    finished = events[-1]["data"]
    assert {p["uid"]: p["status"] for p in finished["participants"]} == {
        names["bob"]: 2, names["cat"]: 3, names["dan"]: 6, names["zoe"]: 5, names["ann"]: 3}
    assert (finished["end_reason"], finished["ended_by"]) == ("ended", "")
    assert finished["answered_at"] == room["answered_at_ms"] // 1000 > 0
    assert finished["duration"] == (room["ended_at_ms"] - room["answered_at_ms"]) // 1000
    accepted = next(e["data"] for e in events if e["type"] == "participant.accepted")
    assert (accepted["device_type"], accepted["device_id"]) == ("web", "d1")
    invariants()


# ---- the rows behind the statuses ----

def test_a_ringing_call(story):
    story.play(["create ann bob timeout=30 seats=9"])
    room, bob, ann = story.room_row(), story.row("bob"), story.row("ann")
    assert bob["deadline_ms"] == ann["deadline_ms"] == room["next_deadline_ms"] == room["created_at_ms"] + 30000
    assert (bob["claimed"], ann["claimed"], ann["device_type"]) == (1, 1, "app")
    story.play(["join ann", "invite cat"])
    assert story.room_row()["next_deadline_ms"] == bob["deadline_ms"]
    cat = story.row("cat")
    assert abs(cat["deadline_ms"] - now_ms() - 30000) < SLACK_MS and cat["claimed"] == 1
    story.play(["join bob", "reject cat"])
    room = story.room_row()
    assert room["next_deadline_ms"] == room["created_at_ms"] + 86400 * 1000
    assert (story.row("cat")["claimed"], story.row("cat")["left_how"]) == (0, "reject")
    assert room["answered_at_ms"] > 0
    story.play(["end"])
    room = story.room_row()
    assert room["next_deadline_ms"] == 0 and room["ended_at_ms"] >= room["answered_at_ms"]
    assert [story.row(n)["claimed"] for n in ("ann", "bob", "cat")] == [0, 0, 0]


def test_version_counts_transactions_and_seq_events(story):
    story.play(["create ann bob seats=9"])
    assert (story.room_row()["version"], story.room_row()["seq"]) == (1, 1)
    story.play(["join ann", "leave bob", "leave bob"])
    room = story.room_row()
    assert (room["version"], room["seq"]) == (3, 3)       # the second leave left nothing behind


def test_a_session(story):
    story.play(["create ann bob seats=9", "joined bob PA_1 on=tv"])
    bob = story.row("bob")
    at = story.joined_at["bob", "PA_1"]
    assert (bob["sid"], bob["sid_at_ms"], bob["last_left_sid"]) == ("PA_1", at, "")
    assert (bob["device_type"], bob["deadline_ms"], bob["claimed"]) == ("tv", 0, 1)
    assert bob["session_from_ms"] == at
    room = story.room_row()
    assert (room["livekit_sid"], room["host_since_ms"]) == ("RM_1", 0)        # others may have been in it longer
    story.play(["left bob PA_1 CLIENT_INITIATED"])
    bob = story.row("bob")
    assert (bob["sid"], bob["sid_at_ms"], bob["last_left_sid"]) == ("", at, "PA_1")
    assert (bob["left_how"], bob["status"]) == ("leave", 3) and abs(bob["left_at_ms"] - now_ms()) < SLACK_MS


def test_the_api_decides_the_device(story):
    story.play(["create ann bob seats=9", "join bob web:d1", "joined bob PA_1 on=tv"])
    assert (story.row("bob")["device_type"], story.row("bob")["device_id"]) == ("web", "d1")


@pytest.mark.parametrize("reason", ["DUPLICATE_IDENTITY", "MIGRATION", "SIGNAL_CLOSE", "JOIN_FAILURE",
                                    "SERVER_SHUTDOWN", "NEVER_HEARD_OF", None])
def test_a_rejoin_grace(story, invariants, reason):
    story.play(["create ann bob seats=9", "join bob", "joined bob PA_1"])
    story.hook.tell("participant_left", story.room, "RM_1",
                    person(story.name("bob"), "PA_1", story.joined_at["bob", "PA_1"], reason=reason))
    bob = story.row("bob")
    assert (bob["status"], bob["sid"], bob["last_left_sid"]) == (1, "", "PA_1")
    assert abs(bob["deadline_ms"] - now_ms() - 15000) < SLACK_MS
    assert story.room_row()["next_deadline_ms"] == bob["deadline_ms"]
    invariants()
    story.play(["joined bob PA_1"])
    assert story.row("bob")["deadline_ms"] == bob["deadline_ms"]
    story.play(["joined bob PA_2 +900"])
    assert (story.row("bob")["deadline_ms"], story.row("bob")["sid"]) == (0, "PA_2")


def test_no_grace_at_all(stack, worker, call, db, fresh, invariants):
    story = Story(stack, call, db, fresh)
    story.play(["create ann bob", "join ann", "join bob", "joined bob PA_1"])
    hook = Hook(stack.env, worker(REJOIN_GRACE=0))
    at = story.joined_at["bob", "PA_1"]
    answer = hook.send(event("participant_left", story.room, "RM_1",
                             person(story.name("bob"), "PA_1", at, reason="SIGNAL_CLOSE")))
    assert answer.status_code == 200
    assert story.text().startswith("room=2 lost/; bob=3 ann=3;")
    assert story.row("bob")["left_how"] == "lost"
    invariants()


def test_host_since_only_moves_forward(story):
    story.play(["create ann bob seats=9"])
    t = now_ms() // 1000 * 1000
    for created, since in ((t, t), (t + 5000, t + 5000), (t + 1000, t + 5000)):
        story.hook.tell("room_started", story.room, "RM_1", created_at_ms=created)
        assert story.room_row()["host_since_ms"] == since - 2000
    assert story.text().count("started@1") == 1


def test_room_finished(story, invariants):
    story.play(["create ann bob seats=9", "started RM_1", "finished RM_0"])
    assert story.room_row()["livekit_sid"] == "RM_1" and story.room_row()["look_at_ms"] > now_ms() + SLACK_MS
    story.play(["finished RM_1"])
    room = story.room_row()
    assert (room["status"], room["livekit_sid"]) == (1, "") and abs(room["look_at_ms"] - now_ms()) < SLACK_MS
    invariants()


# ---- repeats, strangers, things unknown ----

def test_a_repeat_does_nothing(story):
    story.play(["create ann bob seats=9", "join bob"])
    body = event("participant_left", story.room, "RM_1",
                 person(story.name("bob"), "PA_1", now_ms(), reason="CLIENT_INITIATED"))
    assert [story.hook.send(body).status_code for _ in range(3)] == [200, 200, 200]
    story.play(["join bob"])
    version = story.room_row()["version"]
    assert story.hook.send(body).status_code == 200
    assert (story.room_row()["version"], story.row("bob")["status"]) == (version, 1)
    assert len(story.select("SELECT id FROM livekit_event WHERE id = %s", body["id"])) == 1


@pytest.mark.parametrize("more", [{"kind": "EGRESS"}, {"kind": "AGENT"}, {"kind": "SIP"}, {"kind": "INGRESS"},
                                  {"permission": {"hidden": True}}])
def test_no_person(story, more):
    story.play(["create ann bob seats=9"])
    story.hook.tell("participant_joined", story.room, "RM_1", person("EG_1", "PA_1", now_ms(), **more))
    assert story.text().startswith("room=0; bob=0 ann=0; invited(ann)invited[bob]@0")


@pytest.mark.parametrize("identity", ["", " a", "a" * 41, "a\nb"])
def test_no_valid_uid(story, identity):
    story.play(["create ann bob seats=9"])
    story.hook.tell("participant_joined", story.room, "RM_1", person(identity, "PA_1", now_ms()))
    assert story.text().startswith("room=0; bob=0 ann=0; invited(ann)invited[bob]@0")


def test_unknown_rooms_events_and_fields(story, fresh):
    story.play(["create ann bob seats=9"])
    before = story.room_row()
    for body in (event("participant_joined", fresh("nowhere"), "RM_1", person("x", "PA_1", now_ms())),
                 event("track_published", story.room, "RM_1", person(story.name("bob"), "PA_1", now_ms())),
                 event("egress_started", "", ""), {"event": "room_started"}, {"id": "EV_x"}, {}):
        assert story.hook.send({**body, "ofTomorrow": {"a": [1]}}).status_code == 200
    assert story.room_row() == before


def test_seconds_where_milliseconds_are_missing(story):
    """An older node says joinedAt only: the latest that it can mean."""
    story.play(["create ann bob seats=9"])
    who = person(story.name("bob"), "PA_1", now_ms())
    del who["joinedAtMs"]
    story.hook.tell("participant_joined", story.room, "RM_1", who)
    assert story.row("bob")["sid_at_ms"] == int(who["joinedAt"]) * 1000 + 999


def test_time_is_the_databases(story, db):
    """What is stored does not come from the worker's clock or time zone."""
    with db.cursor() as c:
        c.execute("SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000 now_ms")
        before = c.fetchone()["now_ms"]
        story.play(["create ann bob"])
        c.execute("SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000 now_ms")
        after = c.fetchone()["now_ms"]
    assert before <= story.room_row()["created_at_ms"] <= after
    assert abs(before - time.time() * 1000) < 60000
