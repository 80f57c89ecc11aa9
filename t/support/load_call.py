"""One call as a client of load.py plays it, and what the client then knows to be true of it.

SPDX-License-Identifier: MIT
"""
import collections
import dataclasses
import time
import urllib.parse

CLEAN, REFUSED, UNSURE, WRONG = "clean", "refused", "unsure", "wrong"     # what an answer is, see load.py
RING_S = 600                  # longer than any test: nobody rings out meanwhile
LATE_S = 20                   # a call older than this may have been ended by the background work
# What a late call may be told, because somebody else has changed it.
WHEN_LATE = ("room_not_active", "illegal_transition", "participant_not_found", "forbidden")


# The two invitations, told apart by their event's reason.
CREATED, INVITED = "participant.invited create", "participant.invited invite"


class CallOver(Exception):
    """Nothing more can be asked about this call."""


@dataclasses.dataclass(frozen=True)
class Fact:
    """An answer's claim: at this number of the call's events it was so."""
    kind: str
    seq: int
    status: int
    people: tuple             # ((uid, status), ...), as far as the answer named them


@dataclasses.dataclass
class Change:
    """Something asked for, perhaps more than once, and whether it was acknowledged."""
    acknowledged: bool = False
    possible_from_ms: int = None      # wall clock: no earlier try can have done it; None: no try can


class Truth:
    """What a client may hold the database to."""

    def __init__(self, room):
        self.room, self.began = room, time.monotonic()
        self.creator, self.exists, self.final = "", False, False
        self.facts, self.changes = [], collections.defaultdict(Change)
        self.unsure_of = collections.Counter()
        self.was_late = False

    def late(self):
        self.was_late = self.was_late or time.monotonic() - self.began > LATE_S
        return self.was_late

    def expects(self, kind, status, key):
        """Whether this 4xx is no surprise."""
        if kind == "absent":
            return (status, key) == (404, "room_not_found")
        # An earlier try that nobody could answer for has made it.
        if kind == "create" and self.unsure_of[kind] and (status, key) == (409, "room_already_exists"):
            return True
        return self.late() and status in (403, 404, 409) and key in WHEN_LATE

    def learn(self, answer, change, asked_ms, said):
        one = self.changes[change] if change else None
        if answer.outcome == UNSURE:
            self.unsure_of[answer.kind] += 1
        if one is not None and answer.outcome in (CLEAN, UNSURE) and one.possible_from_ms is None:
            one.possible_from_ms = asked_ms
        if answer.outcome != CLEAN:
            return
        if answer.kind == "create":
            self.exists = True
        if one is not None and 200 <= answer.status < 300 and not self.late():
            one.acknowledged = True
        if 200 <= answer.status < 300 and said:
            self.claim(answer.kind, said)

    def claim(self, kind, said):
        """A Room, a RoomResp, or sync's list of them: what it says of this call."""
        for room in said if isinstance(said, list) else [said]:
            if room["room_id"] != self.room:
                continue
            people = tuple((p["uid"], p["status"]) for p in room.get("participants", []))
            self.facts.append(Fact(kind, room["seq"], room["status"], people))
            self.final = room["status"] > 1


class Call:
    """From create to the end; self.client asks, self.truth remembers."""

    def __init__(self, client, room):
        self.client, self.rng, self.truth = client, client.rng, Truth(room)
        people = [f"{client.load.prefix}{client.number}-{name}" for name in ("ann", "bob", "cat", "dan", "eve")]
        self.rng.shuffle(people)
        self.people = people

    def play(self):
        self.truth.creator = self.people[0]
        if self.rng.random() < 0.6:
            self.two()
        else:
            self.group()
        if not self.truth.final:
            self.end()
        if self.rng.random() < 0.1:
            self.client.ask("absent", "GET", f"/rooms/{self.truth.room}-never", Truth(self.truth.room))

    def two(self):
        creator, callee = self.people[:2]
        self.create([callee], invite_on=1, max_participants=2)
        self.sync(callee)
        self.join(creator)
        if self.rng.random() < 0.25:
            self.reject(callee)
            return
        self.join(callee)
        self.token(callee)
        if self.rng.random() < 0.3:
            self.end()
        else:
            self.leave(self.rng.choice((creator, callee)))
        self.get()

    def group(self):
        creator, one, two, three, four = self.people
        self.create([one, two, three], invite_on=0, max_participants=9)
        self.join(creator)
        self.join(one)
        self.invite([four])
        self.sync(four)
        self.reject(two)
        self.get()
        self.join(four)
        self.leave(one)
        self.token(creator)
        self.leave(four)

    # ---- what an app does ----

    def create(self, uids, **options):
        body = {"creator": self.truth.creator, "room_id": self.truth.room, "uids": uids, "timeout": RING_S, **options}
        change = (CREATED, self.truth.creator)
        if self.client.ask("create", "POST", "/rooms", self.truth, body, change) is None:
            self.get()

    def member(self, kind, uid, told, **more):
        self.client.ask(kind, "POST", self.path(f"/{kind}"), self.truth, {"uid": uid, **more}, told and (told, uid))

    def join(self, uid):
        self.member("join", uid, "participant.accepted")

    def leave(self, uid):
        self.member("leave", uid, "participant.left")

    def reject(self, uid):
        self.member("reject", uid, "participant.rejected")

    def token(self, uid):
        self.member("token", uid, None)

    def invite(self, uids):
        by = self.truth.creator
        self.client.ask("invite", "POST", self.path("/invite"), self.truth, {"uids": uids, "by": by},
                        (INVITED, uids[0]))

    def end(self):
        self.client.ask("end", "POST", self.path("/end"), self.truth, {}, ("room.finished", ""))

    def get(self):
        self.client.ask("get", "GET", self.path(""), self.truth)

    def sync(self, uid):
        self.client.ask("sync", "GET", "/rooms/sync?uid=" + urllib.parse.quote(uid), self.truth)

    def path(self, rest):
        return f"/rooms/{self.truth.room}{rest}"
