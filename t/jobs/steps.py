"""Random steps for a world: what people, backends and LiveKit might do next, with LiveKit's webhooks dropped,
doubled, shuffled and late. The same seed gives the same steps. SPDX-License-Identifier: MIT
"""
import random

from model import INVITING, JOINED

PEOPLE = ("ann", "bob", "cat", "dan", "eve")
DEVICES = ((), (), (), ("app", ""), ("web", "d1"), ("web", "d2"), ("tv", ""))
REASONS = ("CLIENT_INITIATED", "CLIENT_INITIATED", "CLIENT_INITIATED", "STATE_MISMATCH", "SIGNAL_CLOSE", "MIGRATION",
           "PARTICIPANT_REMOVED", "ROOM_DELETED", "ROOM_CLOSED", "JOIN_FAILURE")
ADVANCES = (8000, 8000, 30000, 70000, 70000, 130000)
MAX_CALL_STEP = 25 * 3600 * 1000
ROOMS_MAX = 4


class Steps:
    def __init__(self, seed, world):
        self.rng, self.world = random.Random(seed), world
        self.rooms, self.n_sessions, self.untold = [], 0, []

    def next(self):
        """A step that is possible now."""
        while True:
            step = self.propose()
            if self.world.possible(step) is not None:
                return step

    def done(self, step):
        """The step was played: what LiveKit has to tell because of it."""
        if step[0] == "create" and self.world.id(step[1]) in self.world.model.rooms and step[1] not in self.rooms:
            self.rooms.append(step[1])
        if step[0] == "connect":
            self.n_sessions += 1
            self.untold += [("started", step[2], 1), ("joined", step[1], 1)]
        # Whoever is gone has left; a session replaced by another one, too.
        told = {one[1] for one in self.untold if one[0] == "left"}
        for label, one in self.world.sessions.items():
            if not one["connected"] and label not in told and ("left", label) not in self.seen():
                self.untold.append(("left", label, 1))
        if step[0] == "told" and step[1:] in self.untold:
            self.untold.remove(step[1:])

    def seen(self):
        return {(kind, label) for kind, label, _ in self.world.heard}

    def propose(self):
        rng = self.rng
        if not self.rooms or (len(self.rooms) < ROOMS_MAX and rng.random() < self.hunger()):
            return self.create()
        if self.untold and rng.random() < 0.45:
            return self.webhook()
        kinds = (("join", 9), ("connect", 9), ("disconnect", 5), ("leave", 5), ("reject", 4), ("invite", 4),
                 ("remove", 2), ("put_room", 1), ("put_row", 4), ("end", 1), ("advance", 5), ("again", 3),
                 ("sync", 2), ("aborted", 1))
        kind = rng.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]
        return getattr(self, kind)()

    def hunger(self):
        """A world without a live call wants one."""
        return 0.04 if any(room.live for room in self.world.model.rooms.values()) else 0.5

    def room(self):
        """A live one, mostly."""
        live = [one for one in self.rooms if self.world.model.rooms[self.world.id(one)].live]
        return self.rng.choice(live if live and self.rng.random() < 0.93 else self.rooms)

    def uid(self, room, status=None):
        """Somebody of the call, mostly, and mostly in that state."""
        rows = self.world.model.rooms[self.world.id(room)].rows
        fitting = [row for row in rows if status is None or row.status == status] or rows
        if self.rng.random() < 0.85:
            return self.rng.choice(fitting).uid.partition(".")[0]
        return self.rng.choice(PEOPLE)

    def people(self, most):
        return self.rng.sample(PEOPLE, self.rng.randint(0, most))

    def create(self):
        rng = self.rng
        room = f"R{len(self.rooms) + 1}" if not self.rooms or rng.random() < 0.97 else rng.choice(self.rooms)
        uids = self.people(1) or ["bob"] if rng.random() < 0.4 else self.people(4)
        if rng.random() < 0.1:
            uids = uids + uids[:1] + [""]
        options = {"invite_on": rng.randint(0, 1), "timeout": rng.choice((60, 60, 120))}
        if rng.random() < 0.5:
            options["max_participants"] = rng.choice((0, 2, 3, 4, 9, 9))
        return ("create", room, rng.choice(PEOPLE), tuple(uids), options)

    def join(self):
        room = self.room()
        who = self.uid(room, self.rng.choice((INVITING, INVITING, JOINED)))
        return ("join", room, who, self.rng.choice(DEVICES), self.rng.choice((None, None, None, True, False)))

    def leave(self):
        room = self.room()
        if not self.world.model.rooms[self.world.id(room)].joined and self.rng.random() < 0.7:
            return self.join()
        return ("leave", room, self.uid(room, JOINED), self.rng.choice(DEVICES))

    def reject(self):
        room = self.room()
        return ("reject", room, self.uid(room, INVITING), self.rng.choice(("declined", "declined", "busy")),
                self.rng.choice(DEVICES))

    def invite(self):
        room = self.room()
        by = self.uid(room) if self.rng.random() < 0.4 else None
        return ("invite", room, tuple(self.people(3) or ["eve"]), by)

    def remove(self):
        room = self.room()
        return ("remove", room, self.uid(room))

    def end(self):
        return ("end", self.room())

    def put_room(self):
        return ("put_room", self.room(), self.rng.randint(0, 6))

    def put_row(self):
        room = self.room()
        return ("put_row", room, self.uid(room), self.rng.choice((0, 1, 2, 3, 4, 4, 5, 6)))

    def sync(self):
        return ("sync", self.rng.choice(PEOPLE), self.rng.choice(DEVICES))

    def advance(self):
        return ("advance", MAX_CALL_STEP if self.rng.random() < 0.03 else self.rng.choice(ADVANCES))

    def connect(self):
        room = self.room()
        device = self.rng.choice((None, None, "web", "tv"))
        return ("connect", f"s{self.n_sessions + 1}", room, self.uid(room, JOINED), device)

    def disconnect(self):
        there = [label for label, one in self.world.sessions.items() if one["connected"]]
        return ("disconnect", self.rng.choice(there), self.rng.choice(REASONS)) if there else self.connect()

    def webhook(self):
        """The next one, mostly; some are never sent."""
        rng = self.rng
        one = self.untold[0] if rng.random() < 0.75 else rng.choice(self.untold)
        if rng.random() < 0.12:
            self.untold.remove(one)
        return ("told", *one)

    def again(self):
        """What was said before, as the same webhook or as another one with the same words."""
        if not self.world.heard:
            return ("told", "started", self.room(), 1)
        kind, label, number = self.rng.choice(sorted(self.world.heard))
        if self.rng.random() < 0.3:
            return ("told", "finished", self.room(), self.rng.randint(1, 3))
        return ("told", kind, label, self.rng.choice((number, number + 1)))

    def aborted(self):
        labels = list(self.world.sessions)
        return ("told", "aborted", self.rng.choice(labels), 1) if labels else self.connect()
