"""One world of a few people and calls: every step goes to the running system and to the model, and then
both are held against each other. Worlds do not touch each other: many can be played at the same time.

Time is moved, not waited for: a step "advance" makes all that is stored of this world older.
SPDX-License-Identifier: MIT
"""
import copy
import http.client
import json
import time

from compare import (SOON_MS, Mismatch, expected_event, expected_room, expected_row, same, same_deadlines,
                     stored_room, stored_row, told)
from model import ANY, JOINED, Device, Model, Unsure
from support.livekit_hook import CONTENT_TYPE, event, now_ms, person, sign
from support.time_passes import db_now
from support.wait import wait_until

ROOM_TIMES = ("created_at_ms", "started_at_ms", "answered_at_ms", "ended_at_ms", "next_deadline_ms", "host_since_ms",
              "look_at_ms", "listed_at_ms")
ROW_TIMES = ("deadline_ms", "left_at_ms", "sid_at_ms", "session_from_ms", "missing_at_ms")
LOST_ANSWER = (502, 503, 504)


class Http:
    """requests, without its weight: most of a world's time is spent here."""

    def __init__(self, stack):
        self.stack, self.line = stack, None

    def send(self, method, path, body=None, headers=None, data=None):
        data = data if data is not None else json.dumps(body).encode() if body is not None else None
        headers = headers or {"Authorization": f"Bearer {self.stack.env['TGO_KEY']}",
                              "Content-Type": "application/json"}
        for again in (True, False):
            fresh = self.line is None
            self.line = self.line or http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=30)
            try:
                self.line.request(method, "/api/v1" + path, data, headers)
                answer = self.line.getresponse()
                return answer.status, json.loads(answer.read())
            except (OSError, http.client.HTTPException):
                self.line.close()
                self.line = None
                # nginx closes an idle connection without a word; only then is the request surely not done.
                if fresh or not again:
                    raise


class World:
    def __init__(self, stack, media, db, name, *, grace_ms, max_call_ms):
        self.stack, self.media, self.db, self.name = stack, media, db, name
        self.http = Http(stack)
        self.model = Model(grace_ms, max_call_ms)
        self.sessions, self.heard, self.lost_answers = {}, set(), 0
        self.began = {}                  # when LiveKit made the room: nobody was in it before
        self.redis = stack.redis()

    def id(self, short):
        return f"{short}.{self.name}"

    # ---- a step ----

    def possible(self, step):
        """The model after it; None where the step makes no sense now or the real clock would decide it."""
        after = copy.deepcopy(self.model)
        try:
            self.to_model(after, now_ms(), step)
        except (Unsure, KeyError):
            return None
        return None if after.near(now_ms(), SOON_MS) else after

    def play(self, step):
        """False: not possible now, nothing was done."""
        if self.possible(step) is None:
            return False
        before = copy.deepcopy(self.model)
        expected = self.to_model(self.model, now_ms(), step)
        self.remember(step)
        answer = self.to_system(step)
        if answer is not None and answer[0] in LOST_ANSWER:
            self.after_a_lost_answer(before)
        else:
            self.compare_answer(answer, expected)
            self.compare()
        if step[0] == "told" and self.model is not before:
            self.heard.add(step[1:])
        return True

    def compare_answer(self, answer, expected):
        if answer and "participants" in answer[1]:
            self.compare_room(answer[1])
        said = answer and (answer[0], answer[1].get("error", ""))
        if said and expected and said != expected:
            raise Mismatch(f"answered {said} {answer[1].get('message', '')}, the model says {expected}")

    def after_a_lost_answer(self, before):
        """It was done, or it was not; a transaction under way is waited for by its lock."""
        self.lost_answers += 1
        time.sleep(0.1)
        self.select("UPDATE rtc_room SET version = version + 1 WHERE room_id IN %s", self.room_ids() or [""])
        try:
            self.compare()
        except Mismatch as done:
            self.model = before
            try:
                self.compare()
            except Mismatch as not_done:
                raise Mismatch(f"neither done:\n{done}\nnor not done:\n{not_done}") from None

    def to_model(self, model, now, step):
        verb, *args = step
        return getattr(self, "model_" + verb)(model, now, *args)

    def to_system(self, step):
        verb, *args = step
        return getattr(self, "do_" + verb)(*args)

    def remember(self, step):
        """What a step changes on LiveKit's side, before the system hears of it."""
        verb, *args = step
        if hasattr(self, "media_" + verb):
            getattr(self, "media_" + verb)(*args)

    # ---- the API ----

    def model_create(self, model, now, room, creator, uids, options):
        return model.create(now, self.id(room), self.id(creator), [self.id(uid) if uid else "" for uid in uids],
                            seats=options.get("max_participants", 0), invite_on=options.get("invite_on", 0),
                            timeout_ms=options["timeout"] * 1000)

    def do_create(self, room, creator, uids, options):
        return self.http.send("POST", "/rooms", {"room_id": self.id(room), "creator": self.id(creator),
                                                 "uids": [self.id(uid) if uid else "" for uid in uids], **options})

    def body(self, uid, device, **more):
        named = {"device_type": device[0], "device_id": device[1]} if device else {}
        said = {"uid": self.id(uid), **named, **more}
        return {key: value for key, value in said.items() if value not in ("", None)}

    def post(self, room, what, body):
        return self.http.send("POST", f"/rooms/{self.id(room)}/{what}", body)

    def model_join(self, model, now, room, uid, device, takeover):
        return model.join(now, self.id(room), self.id(uid), Device(*device) if device else Device("app"), takeover)

    def do_join(self, room, uid, device, takeover):
        return self.post(room, "join", self.body(uid, device, takeover=takeover))

    def model_leave(self, model, now, room, uid, device):
        return model.leave(now, self.id(room), self.id(uid), Device(*device))

    def do_leave(self, room, uid, device):
        return self.post(room, "leave", self.body(uid, device))

    def model_reject(self, model, now, room, uid, reason, device):
        return model.reject(now, self.id(room), self.id(uid), reason, Device(*device))

    def do_reject(self, room, uid, reason, device):
        return self.post(room, "reject", self.body(uid, device, reason=reason))

    def model_invite(self, model, now, room, uids, by):
        return model.invite(now, self.id(room), [self.id(uid) for uid in uids], by and self.id(by))

    def do_invite(self, room, uids, by):
        body = {"uids": [self.id(uid) for uid in uids], **({"by": self.id(by)} if by else {})}
        return self.post(room, "invite", body)

    def model_end(self, model, now, room):
        return model.end(now, self.id(room))

    def do_end(self, room):
        return self.post(room, "end", {})

    def model_remove(self, model, now, room, uid):
        return model.remove(now, self.id(room), self.id(uid))

    def do_remove(self, room, uid):
        return self.http.send("DELETE", f"/rooms/{self.id(room)}/participants/{self.id(uid)}")

    def model_put_room(self, model, now, room, status):
        return model.put_room(now, self.id(room), status)

    def do_put_room(self, room, status):
        return self.http.send("PUT", f"/rooms/{self.id(room)}/status", {"status": status})

    def model_put_row(self, model, now, room, uid, status):
        return model.put_row(now, self.id(room), self.id(uid), status)

    def do_put_row(self, room, uid, status):
        path = f"/rooms/{self.id(room)}/participants/{self.id(uid)}/status"
        return self.http.send("PUT", path, {"status": status})

    def model_sync(self, model, now, uid, device):
        self.shown = model.sync(self.id(uid), Device(*device))

    def do_sync(self, uid, device):
        named = "".join(f"&device_{key}={value}" for key, value in zip(("type", "id"), device) if value)
        status, said = self.http.send("GET", f"/rooms/sync?uid={self.id(uid)}{named}")
        if status in LOST_ANSWER:
            return status, said
        shown = {one["room_id"]: one["my_status"] for one in said}
        if shown != self.shown:
            raise Mismatch(f"sync shows {shown}, the model {self.shown}")
        return None

    # ---- LiveKit: people come and go, and what of it is told, and when, is another matter ----

    def model_connect(self, model, now, label, room, uid, device):
        model.rooms[self.id(room)]

    def media_connect(self, label, room, uid, device):
        self.media_disconnect_of(room, uid, "DUPLICATE_IDENTITY")
        self.began.setdefault(room, now_ms())
        time.sleep(0.002)
        one = {"room": room, "uid": uid, "device": device, "sid": f"PA_{label}.{self.name}", "joined_at": now_ms(),
               "connected": True, "reason": None}
        time.sleep(0.002)
        self.sessions[label] = one
        self.show(room)

    def media_disconnect_of(self, room, uid, reason):
        for one in self.sessions.values():
            if (one["room"], one["uid"], one["connected"]) == (room, uid, True):
                one.update(connected=False, reason=reason)

    def show(self, room):
        self.media.show(self.id(room), self.connected(room))

    def connected(self, room):
        return [(self.id(one["uid"]), one["sid"], one["joined_at"]) for one in self.sessions.values()
                if one["room"] == room and one["connected"]]

    def do_connect(self, *_):
        return None

    def model_disconnect(self, model, now, label, reason):
        if not self.sessions[label]["connected"]:
            raise Unsure

    def media_disconnect(self, label, reason):
        self.sessions[label].update(connected=False, reason=reason)
        self.show(self.sessions[label]["room"])

    def do_disconnect(self, *_):
        return None

    def model_told(self, model, now, kind, label, number):
        """number: the same one again is the same webhook again."""
        if (kind, label, number) in self.heard:
            return 200, ""
        if kind in ("started", "finished"):
            if kind == "started":
                model.room_started(now, self.id(label))
            model.rooms[self.id(label)]
            return 200, ""
        one = self.sessions[label]
        at = self.id(one["room"]), self.id(one["uid"]), one["sid"], one["joined_at"]
        if kind == "joined":
            model.participant_joined(now, *at, Device(one["device"]) if one["device"] else ANY)
        elif kind == "left":
            if one["connected"]:
                raise Unsure
            model.participant_left(now, *at, one["reason"])
        return 200, ""

    def do_told(self, kind, label, number):
        id_ = f"EV_{kind}.{label}.{number}.{self.name}"
        if kind in ("started", "finished"):
            began = self.began.setdefault(label, now_ms())
            body = event(f"room_{kind}", self.id(label), f"RM_{self.id(label)}", id=id_,
                         created_at_ms=began if kind == "started" else None)
        else:
            one = self.sessions[label]
            who = person(self.id(one["uid"]), one["sid"], one["joined_at"],
                         reason=one["reason"] if kind == "left" else None, device=one["device"])
            name = "participant_connection_aborted" if kind == "aborted" else f"participant_{kind}"
            body = event(name, self.id(one["room"]), f"RM_{self.id(one['room'])}", who, id=id_)
        data = json.dumps(body, separators=(",", ":")).encode()
        signed = sign(data, self.stack.env["LIVEKIT_API_KEY"], self.stack.env["LIVEKIT_API_SECRET"])
        return self.http.send("POST", "/webhooks/livekit", data=data,
                              headers={"Authorization": signed, "Content-Type": CONTENT_TYPE})

    # ---- time ----

    def model_advance(self, model, now, by_ms):
        model.advance(by_ms)
        if model.near(now, SOON_MS):
            raise Unsure
        model.fire(now, {self.id(room): [(uid, sid, at - by_ms) for uid, sid, at in self.connected(room)]
                         for room in self.labels()})

    def labels(self):
        return {one["room"] for one in self.sessions.values()}

    def do_advance(self, by_ms):
        for one in self.sessions.values():
            one["joined_at"] -= by_ms
        self.began = {room: at - by_ms for room, at in self.began.items()}
        for room in self.labels():
            self.media.connected[self.id(room)] = self.connected(room)
        rooms = self.room_ids()
        if not rooms:
            return None
        self.db.rollback()
        self.db.begin()
        self.select(shift("rtc_room", ROOM_TIMES) + ", version = version + 1 WHERE room_id IN %s ORDER BY id",
                    *[by_ms] * len(ROOM_TIMES), rooms)
        self.select(shift("rtc_participant", ROW_TIMES) + " WHERE room_id IN %s ORDER BY id",
                    *[by_ms] * len(ROW_TIMES), rooms)
        # Just come, not long overdue: while LiveKit is slow to answer (a busy machine), the jobs are patient. What is
        # over because it lasted too long is that from its beginning on.
        soonest = db_now(self.db) - 1000
        self.select("UPDATE rtc_participant SET deadline_ms = GREATEST(deadline_ms, %s) WHERE room_id IN %s AND"
                    " deadline_ms > 0", soonest, rooms)
        self.select("UPDATE rtc_room SET next_deadline_ms = GREATEST(next_deadline_ms, %s),"
                    " created_at_ms = GREATEST(created_at_ms, %s) WHERE room_id IN %s AND next_deadline_ms > 0",
                    soonest, soonest - self.model.max_call_ms, rooms)
        self.db.commit()
        wait_until(self.nothing_due, 30, what="jobs to fire what is due")
        return None

    def unlike_livekit(self):
        """Live calls that do not agree with who is really connected, as the reconciler should leave them."""
        ids = self.room_ids() or [""]
        live = {row["room_id"] for row in
                self.select("SELECT room_id FROM rtc_room WHERE room_id IN %s AND status IN (0, 1)", ids)}
        rows = {(row["room_id"], row["uid"]): row
                for row in self.select("SELECT * FROM rtc_participant WHERE room_id IN %s", ids)}
        put_out = {(row["room_id"], row["uid"], row["sid"]) for row in
                   self.select("SELECT * FROM livekit_action WHERE room_id IN %s AND kind = 'remove_participant'", ids)}
        there = {(room, uid): sid for room in live for uid, sid, _ in self.media.connected.get(room, [])}
        for at, row in rows.items():
            if at[0] in live and row["status"] == JOINED and at not in there:
                yield f"{at} is joined, and not there: {row}"
        for at, sid in there.items():
            row = rows.get(at, {"status": None, "last_left_sid": ""})
            # Who hung up, and is called again, is not in before a new session.
            if row["status"] != JOINED and (*at, sid) not in put_out and row["last_left_sid"] != sid:
                yield f"{at} is there with {sid}, and {row['status']}"

    def nothing_due(self):
        # While LiveKit is silent the call is put off, and the rows' deadlines stay where they were.
        due = self.select("SELECT room_id FROM rtc_room r WHERE room_id IN %s AND status IN (0, 1) AND"
                          " (next_deadline_ms > 0 AND next_deadline_ms <= %s OR EXISTS (SELECT 1 FROM rtc_participant p"
                          " WHERE p.room_id = r.room_id AND p.status IN (0, 1) AND p.deadline_ms > 0 AND"
                          " p.deadline_ms <= %s))", self.room_ids(), now_ms(), now_ms())
        if due:
            self.redis.publish("tgo:wake", "0")
        return not due

    # ---- both against each other ----

    def select(self, sql, *args):
        with self.db.cursor() as c:
            c.execute(sql, args)
            return c.fetchall()

    def room_ids(self):
        return list(self.model.rooms)

    def compare(self):
        ids = self.room_ids()
        if not ids:
            return
        rooms = {row["room_id"]: row for row in self.select("SELECT * FROM rtc_room WHERE room_id IN %s", ids)}
        people, actions, events = {}, {}, {}
        for table, found, order in (("rtc_participant", people, "id"), ("livekit_action", actions, "id"),
                                    ("event", events, "seq")):
            for row in self.select(f"SELECT * FROM {table} WHERE room_id IN %s ORDER BY {order}", ids):
                found.setdefault(row["room_id"], []).append(row)
        for room in self.model.rooms.values():
            stored = rooms.get(room.room_id)
            if stored is None:
                raise Mismatch(f"no room {room.room_id}")
            at = room.room_id
            same("events", [told(one) for one in events.get(at, [])],
                 [expected_event(room, i, one) for i, one in enumerate(room.events, 1)])
            same("room", stored_room(stored, actions.get(at, [])), expected_room(room))
            same("people", [stored_row(row, room.live) for row in people.get(at, [])],
                 [expected_row(row, room.live) for row in room.rows])
            same_deadlines(people.get(at, []), room)

    def compare_shown(self, room):
        """GET of the room shows what is stored."""
        status, said = self.http.send("GET", f"/rooms/{self.id(room)}")
        if status not in LOST_ANSWER:
            self.compare_room(said)

    def compare_room(self, said):
        """A Room in an answer."""
        room = self.model.rooms[said["room_id"]]
        same("answer", {"people": [(one["uid"], one["status"]) for one in said["participants"]],
                        **{key: said[key] for key in ("status", "end_reason", "ended_by", "seq", "max_participants")}},
             {"people": [(row.uid, row.status) for row in room.rows], "status": room.status, "end_reason": room.reason,
              "ended_by": room.ended_by, "seq": len(room.events), "max_participants": room.seats})


def shift(table, columns):
    return f"UPDATE {table} SET " + ", ".join(f"{one} = IF({one} = 0, 0, {one} - %s)" for one in columns)
