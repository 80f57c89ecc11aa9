"""Calls told as lines: what people, backends and LiveKit do over HTTP, and the end of it read back by SQL in
one line of text, as the unit tests of the rules write it (t/support/scene.h).

    create ann bob,cat seats=9          POST /rooms; other= names another call
    join bob app:d1 takeover            device_type:device_id
    leave bob | reject bob busy | invite cat,dan by=bob | end | remove bob | put 4 | put bob 6
    started | finished RM_1             LiveKit: room_started, room_finished
    joined bob PA_1 -500                participant_joined, joined_at in ms from now; a sid keeps its first
    left bob PA_1 CLIENT_INITIATED      participant_left
    ... -> 409 room_full                what is answered; 200 where nothing is said

SPDX-License-Identifier: MIT
"""
import json
import re

from support.livekit_hook import Hook, now_ms, person

SHORT = re.compile(r"^(participant|room)\.")


class Story:
    def __init__(self, stack, api, db, fresh):
        self.api, self.db, self.fresh = api, db, fresh
        self.hook = Hook(stack.env, api)
        self.names, self.rooms, self.joined_at = {}, {}, {}
        self.room = None
        self.invite_on = None                 # of every create that does not say

    def name(self, short):
        """The uid of somebody in this story: nobody else's in the whole database."""
        return self.names.setdefault(short, self.fresh(short))

    def play(self, lines):
        for line in lines:
            self.step(line)
        return self

    def step(self, line):
        what, _, answered = line.partition(" -> ")
        status, _, key = (answered or "200").partition(" ")
        verb, *args = what.split()
        self.answer = getattr(self, "do_" + verb)(*args)
        said = self.answer.json()
        assert self.answer.status_code == int(status), f"{line}: {self.answer.status_code} {self.answer.text}"
        assert said.get("error", "") == key, f"{line}: {self.answer.text}"

    # ---- the API ----

    def do_create(self, creator, *options):
        body, room = {"creator": self.name(creator)}, "this"
        for one in options:
            key, sign, value = one.partition("=")
            if not sign:
                body["uids"] = [self.name(uid) for uid in one.split(",")]
            elif key == "other":
                room = value
            elif key == "device":
                body["device_type"], _, body["device_id"] = value.partition(":")
            else:
                body[{"seats": "max_participants"}.get(key, key)] = int(value)
        if self.invite_on is not None:
            body.setdefault("invite_on", self.invite_on)
        body["room_id"] = self.rooms.setdefault(room, self.fresh("room"))
        if room == "this":
            self.room = body["room_id"]
        return self.api.post("/rooms", body)

    def at(self, path):
        return f"/rooms/{self.room}{path}"

    def actor(self, uid, args):
        body = {"uid": self.name(uid)}
        for one in args:
            if ":" in one:
                body["device_type"], _, body["device_id"] = one.partition(":")
            elif one in ("takeover", "no-takeover"):
                body["takeover"] = one == "takeover"
            elif one in ("busy", "declined"):
                body["reason"] = one
            else:
                body["device_type"] = one
        return {key: value for key, value in body.items() if value != ""}

    def do_join(self, uid, *args):
        return self.api.post(self.at("/join"), self.actor(uid, args))

    def do_leave(self, uid, *args):
        return self.api.post(self.at("/leave"), self.actor(uid, args))

    def do_reject(self, uid, *args):
        return self.api.post(self.at("/reject"), self.actor(uid, args))

    def do_invite(self, uids, by=None):
        body = {"uids": [self.name(uid) for uid in uids.split(",")]}
        if by is not None:
            body["by"] = self.name(by.removeprefix("by="))
        return self.api.post(self.at("/invite"), body)

    def do_end(self):
        return self.api.post(self.at("/end"))

    def do_remove(self, uid):
        return self.api.delete(self.at(f"/participants/{self.name(uid)}"))

    def do_put(self, first, status=None):
        if status is None:
            return self.api.put(self.at("/status"), {"status": int(first)})
        return self.api.put(self.at(f"/participants/{self.name(first)}/status"), {"status": int(status)})

    # ---- LiveKit ----

    def person(self, uid, sid, more, **kwargs):
        offsets = [int(one) for one in more if re.fullmatch(r"[+-]\d+", one)]
        at = self.joined_at.setdefault((uid, sid), now_ms() + (offsets[0] if offsets else 0))
        return person(self.name(uid), sid, at, **kwargs)

    def do_started(self, sid="RM_1"):
        return self.hook.tell("room_started", self.room, sid)

    def do_finished(self, sid="RM_1"):
        return self.hook.tell("room_finished", self.room, sid)

    def do_joined(self, uid, sid, *more):
        device = next((one.removeprefix("on=") for one in more if one.startswith("on=")), None)
        return self.hook.tell("participant_joined", self.room, "RM_1", self.person(uid, sid, more, device=device))

    def do_left(self, uid, sid, reason, *more):
        return self.hook.tell("participant_left", self.room, "RM_1", self.person(uid, sid, more, reason=reason))

    def do_aborted(self, uid, sid):
        return self.hook.tell("participant_connection_aborted", self.room, "RM_1", self.person(uid, sid, ()))

    # ---- reading it back ----

    def select(self, sql, *args):
        with self.db.cursor() as c:
            c.execute(sql, args)
            return c.fetchall()

    def row(self, uid):
        return self.select("SELECT * FROM rtc_participant WHERE room_id = %s AND uid = %s", self.room,
                           self.name(uid))[0]

    def room_row(self):
        return self.select("SELECT * FROM rtc_room WHERE room_id = %s", self.room)[0]

    def events(self):
        rows = self.select("SELECT * FROM event WHERE room_id = %s ORDER BY seq", self.room)
        return [{**row, "data": json.loads(row["data"])} for row in rows]

    def text(self):
        room = self.room_row()
        said = f"room={room['status']}"
        if room["end_reason"]:
            said += f" {room['end_reason']}/{room['ended_by']}"
        rows = self.select("SELECT * FROM rtc_participant WHERE room_id = %s ORDER BY id", self.room)
        people = " ".join(f"{p['uid']}={p['status']}{'!' if p['removed'] else ''}" for p in rows)
        events = " ".join(map(event_text, self.events()))
        actions = " ".join(map(action_text, self.select(
            "SELECT * FROM livekit_action WHERE room_id = %s ORDER BY id", self.room)))
        text = "; ".join([said, people, events, actions])
        for short, uid in self.names.items():
            text = text.replace(uid, short)
        return text.rstrip("; ")


def event_text(event):
    text = SHORT.sub("", event["type"])
    if event["type"].startswith("participant."):
        text += f"({event['uid']})"
    for kind in ("invited", "missed", "busy"):
        listed = event["data"].get(f"{kind}_uids")
        if listed is not None:
            text += f"{kind}[{','.join(listed)}]"
    return f"{text}@{event['data']['status']}"


def action_text(action):
    if action["kind"] == "delete_room":
        return "delete_room"
    about = ",".join(one for one in (action["uid"], action["sid"]) if one)
    return f"{'remove' if action['state'] == 'open' else 'spared'}({about})"
