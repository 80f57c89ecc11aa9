"""A call as the contract describes it (calls.md): small, slow and without any of the server's code, so
that both can be held against each other. Times are Unix ms; nothing here asks a clock.

An operation returns (status, error key). What it did is in the rooms: status, rows, events, actions.

SPDX-License-Identifier: MIT
"""
import dataclasses

RINGING, RUNNING, FINISHED, CANCELLED, REJECTED, BUSY, MISSED = range(7)
INVITING, JOINED, P_REJECTED, LEFT, P_MISSED, P_BUSY, P_CANCELLED = range(7)
REASON = {FINISHED: "hangup", CANCELLED: "cancelled", REJECTED: "rejected", BUSY: "busy", MISSED: "missed"}
OK = (200, "")
# LiveKit's reasons after which the person is gone; after all others they may be back in a moment.
GONE_FOR_GOOD = ("PARTICIPANT_REMOVED", "ROOM_DELETED", "ROOM_CLOSED")
NOT_SURE_MS = 1500


class Unsure(Exception):
    """The real clock would decide this one: not a case for a test."""


def before(a, b):
    """a < b, of two times that may be apart by what the computer needs for a step."""
    if 0 < abs(a - b) < NOT_SURE_MS:
        raise Unsure
    return a < b


@dataclasses.dataclass
class Device:
    type: str = ""
    id: str = ""

    def same(self, other):
        if self.id and other.id:
            return self.id == other.id
        return not self.type or not other.type or self.type == other.type


ANY = Device()


@dataclasses.dataclass
class Row:
    uid: str
    status: int = INVITING
    device: Device = dataclasses.field(default_factory=Device)
    ever_joined: bool = False
    deadline: int = 0
    claimed: bool = False
    removed: bool = False
    returns: bool = False            # ended as missed, or lost: whoever is seen has come back
    left_at: int = 0
    sid: str = ""
    sid_at: int = 0
    session_from: int = 0
    last_left_sid: str = ""

    @property
    def active(self):
        return self.status in (INVITING, JOINED)


@dataclasses.dataclass
class Event:
    type: str
    uid: str
    status: int
    rows: list
    lists: dict = dataclasses.field(default_factory=dict)
    reason: str = ""
    device: Device = None


@dataclasses.dataclass
class Cause:
    """Of a change that may end the call: what settle() needs to know of it."""
    by: str = ""
    lost: bool = False               # nobody's wish
    removed: bool = False
    rang_out: bool = False
    creator_went: bool = False


class Room:
    def __init__(self, room_id, creator, seats, invite_on, timeout_ms, now):
        self.room_id, self.creator, self.seats = room_id, creator, seats
        self.invite_on, self.timeout_ms, self.created_at = invite_on, timeout_ms, now
        self.status, self.rows, self.events = RINGING, [], []
        self.answered, self.started, self.reason, self.ended_by = False, False, "", ""
        self.put_out, self.closing = set(), False        # actions ever asked for

    def row(self, uid):
        return next((row for row in self.rows if row.uid == uid), None)

    def add(self, uid, status=INVITING):
        self.rows.append(Row(uid, status))
        return self.rows[-1]

    @property
    def live(self):
        return self.status in (RINGING, RUNNING)

    @property
    def active(self):
        return [row for row in self.rows if row.active]

    @property
    def joined(self):
        return [row for row in self.rows if row.status == JOINED]

    def tell(self, kind, uid="", reason="", device=None, **lists):
        said = [(row.uid, row.status) for row in self.rows]
        self.events.append(Event(kind, uid, self.status, said, lists, reason, device))

    def tell_of(self, kind, row, **lists):
        self.tell(kind, row.uid, device=row.device, **lists)

    # ---- one row ----

    def leave_active(self, row, status, now, returns=False):
        row.last_left_sid = row.sid or row.last_left_sid
        row.status, row.sid, row.deadline, row.claimed = status, "", 0, False
        row.left_at, row.returns = now, returns

    def ring(self, row, now, timeout_ms):
        row.status, row.deadline, row.claimed, row.removed = INVITING, now + timeout_ms, True, False
        row.returns, row.device = False, ANY

    def enter(self, row, device, session_from):
        row.status, row.device, row.ever_joined = JOINED, device, True
        row.session_from, row.deadline, row.returns = session_from, 0, False
        self.answered |= len(self.joined) > 1
        self.tell_of("participant.accepted", row)

    def hang_up(self, row, now, cause):
        """joined or the ringing creator -> 3, who rings -> 2."""
        if row.status == JOINED or row.uid == self.creator:
            self.leave_active(row, LEFT, now, returns=cause.lost)
            self.tell_of("participant.left", row)
        else:
            self.leave_active(row, P_REJECTED, now)
            self.tell_of("participant.rejected", row)
        cause.creator_went |= row.uid == self.creator

    def start(self):
        if self.status == RINGING:
            self.status, self.started = RUNNING, True
            self.tell("room.started")

    # ---- the end ----

    def end(self, status, reason, now, by=""):
        self.status, self.reason, self.ended_by = status, reason, by
        self.closing = True
        for row in self.active:
            if row.status == JOINED:
                self.leave_active(row, LEFT, now)
                self.tell_of("participant.left", row)
            else:
                became = {MISSED: P_MISSED, REJECTED: P_REJECTED}.get(status, P_CANCELLED)
                self.leave_active(row, became, now)
        self.tell("room.finished")

    def outcome(self):
        others = [row.status for row in self.rows if row.uid != self.creator]
        if self.answered:
            return FINISHED
        if others and all(one == P_BUSY for one in others):
            return BUSY
        if others and all(one in (P_REJECTED, P_BUSY) for one in others):
            return REJECTED
        return MISSED

    def settle(self, cause, now):
        if not self.live:
            return
        verdict = self.verdict(cause)
        if verdict is None:
            return
        status, told = verdict
        if told:
            self.tell("participant.cancelled", self.creator)
        self.end(status, "lost" if cause.lost else REASON[status], now, cause.by)

    def verdict(self, cause):
        """(final status, whether the creator is told of as the one who cancelled), or None: it goes on."""
        others = [row for row in self.rows if row.uid != self.creator]
        came = any(row.ever_joined for row in others)
        creator = self.row(self.creator)
        if cause.creator_went and not creator.active and not came:
            return CANCELLED, creator.status != P_CANCELLED
        if self.seats == 2:
            if cause.rang_out:
                return (FINISHED if self.answered else MISSED), False
            if cause.removed:
                return (FINISHED if self.answered else CANCELLED), False
            return (FINISHED if self.answered or came else self.outcome()), False
        if not self.joined and (self.answered or not creator.active):
            return self.outcome(), False
        if not self.active:
            return self.outcome(), False
        if self.invite_on and not self.answered and others and self.active == [creator]:
            return self.outcome(), False
        return None

    # ---- deadlines ----

    def ring_out(self, rows, now):
        for row in rows:
            self.leave_active(row, P_MISSED, now, returns=True)
        self.tell("participant.missed", missed_uids=[row.uid for row in rows])

    def due(self, now):
        return [row for row in self.active if row.deadline and row.deadline <= now]


class Model:
    def __init__(self, grace_ms, max_call_ms):
        self.grace_ms, self.max_call_ms, self.rooms = grace_ms, max_call_ms, {}

    def busy(self, uid, elsewhere_than=None):
        return any(room is not elsewhere_than and room.live and (row := room.row(uid)) and row.active
                   for room in self.rooms.values())

    # ---- the API ----

    def create(self, now, room_id, creator, uids, *, seats=0, invite_on=0, timeout_ms=60000):
        uids = [uid for uid in dict.fromkeys(uids) if uid and uid != creator]
        if seats > 0 and seats < 1 + len(uids):
            return 400, "room_full"
        if room_id in self.rooms:
            return 409, "room_already_exists"
        if self.busy(creator):
            return 409, "creator_in_another_call"
        seats = seats if seats > 0 else max(2, 1 + len(uids))
        busy = [uid for uid in uids if self.busy(uid)]
        room = Room(room_id, creator, seats, invite_on, timeout_ms, now)
        nobody = uids and len(busy) == len(uids)
        for uid in uids + [creator]:
            if uid in busy or nobody:
                room.add(uid, P_BUSY).left_at = now
            else:
                room.ring(room.add(uid), now, timeout_ms)
        room.row(creator).device = Device("app")
        self.rooms[room_id] = room
        if nobody:
            room.status, room.reason = BUSY, "busy"
        if busy:
            room.tell("participant.busy", creator, busy_uids=busy)
        if nobody:
            room.tell("room.finished")
            return 409, "participant_in_call"
        if len(busy) < len(uids):
            invited = [uid for uid in uids if uid not in busy]
            room.tell("participant.invited", creator, reason="create", invited_uids=invited)
        return OK

    def join_refused(self, room, uid):
        row = room.row(uid)
        if not room.live:
            return 409, "room_not_active"
        if row and row.removed:
            return 403, "participant_removed"
        if not row and room.invite_on:
            return 403, "participant_not_invited"
        if len([one for one in room.active if one.uid != uid]) >= room.seats:
            return 409, "room_full"
        return None

    def join(self, now, room_id, uid, device=Device("app"), takeover=None):
        room = self.rooms[room_id]
        if refused := self.join_refused(room, uid):
            return refused
        row = room.row(uid) or room.add(uid)
        if row.status == JOINED and row.device.same(device):
            row.session_from = now
            if row.deadline:
                row.deadline = now + self.grace_ms
            return OK
        if row.status == JOINED and not (row.sid == "" if takeover is None else takeover):
            return 409, "joined_elsewhere"
        row.last_left_sid, row.sid = row.sid or row.last_left_sid, ""
        room.enter(row, device, now)
        return OK

    def leave(self, now, room_id, uid, device=ANY):
        room = self.rooms[room_id]
        row = room.row(uid)
        if not room.live:
            return OK
        if not row:
            return 404, "participant_not_found"
        if not row.active or (row.status == JOINED and not row.device.same(device)):
            return OK
        cause = Cause(by=uid)
        room.hang_up(row, now, cause)
        room.settle(cause, now)
        return OK

    def reject(self, now, room_id, uid, reason="declined", device=ANY):
        room = self.rooms[room_id]
        row = room.row(uid)
        if not room.live:
            return OK
        if not row:
            return 404, "participant_not_found"
        if uid == room.creator:
            return self.leave(now, room_id, uid, device)
        if row.status == JOINED:
            return (409, "illegal_transition") if row.device.same(device) else OK
        if row.status == INVITING:
            busy = reason == "busy"
            room.leave_active(row, P_BUSY if busy else P_REJECTED, now)
            if busy:
                room.tell_of("participant.busy", row, busy_uids=[uid])
            else:
                room.tell_of("participant.rejected", row)
            room.settle(Cause(by=uid), now)
        return OK

    def invite(self, now, room_id, uids, by=None, timeout_ms=None):
        room = self.rooms[room_id]
        if not room.live:
            return 409, "room_not_active"
        by = by or room.creator
        wanted = [uid for uid in dict.fromkeys(uids) if uid and not (room.row(uid) and room.row(uid).active)]
        busy = [uid for uid in wanted if self.busy(uid, elsewhere_than=room)]
        ringing = [uid for uid in wanted if uid not in busy]
        if not wanted:
            return OK
        if not ringing:
            return 409, "participant_in_call"
        if len(room.active) + len(ringing) > room.seats:
            return 409, "room_full"
        for uid in busy:
            row = room.row(uid) or room.add(uid)
            row.status, row.left_at, row.returns = P_BUSY, now, False
        if busy:
            room.tell("participant.busy", by, busy_uids=busy)
        for uid in ringing:
            room.ring(room.row(uid) or room.add(uid), now, timeout_ms or room.timeout_ms)
        room.tell("participant.invited", by, reason="invite", invited_uids=ringing)
        return OK

    def end(self, now, room_id):
        room = self.rooms[room_id]
        if room.live:
            room.end(FINISHED if room.answered else CANCELLED, "ended", now)
        return OK

    def remove(self, now, room_id, uid):
        room = self.rooms[room_id]
        row = room.row(uid)
        if not row:
            return 404, "participant_not_found"
        if row.removed or not room.live:
            return OK
        room.put_out.add((uid, row.sid))
        row.removed = True
        if row.active:
            cause = Cause(removed=True, creator_went=uid == room.creator)
            room.leave_active(row, LEFT, now)
            room.tell_of("participant.left", row)
            room.settle(cause, now)
        return OK

    def put_room(self, now, room_id, status):
        room = self.rooms[room_id]
        if status == room.status:
            return OK
        if not room.live or status == RINGING or (status in (REJECTED, BUSY, MISSED) and room.answered):
            return 409, "illegal_transition"
        if status == RUNNING:
            room.start()
        else:
            room.end(status, "ended" if status == FINISHED else REASON[status], now)
        return OK

    def put_row(self, now, room_id, uid, status):
        room = self.rooms[room_id]
        row = room.row(uid)
        if status == JOINED:
            return self.join(now, room_id, uid, ANY)
        if not row:
            return 404, "participant_not_found"
        if status == INVITING:
            return OK if row.status == INVITING else (409, "illegal_transition")
        if not row.active:
            return OK
        if status == LEFT:
            return self.leave(now, room_id, uid)
        if status in (P_REJECTED, P_BUSY):
            return self.reject(now, room_id, uid, "busy" if status == P_BUSY else "declined")
        if row.status == JOINED:
            return 409, "illegal_transition"
        if status == P_MISSED:
            room.ring_out([row], now)
            room.settle(Cause(rang_out=True), now)
            return OK
        room.leave_active(row, P_CANCELLED, now)
        room.tell_of("participant.cancelled", row)
        room.settle(Cause(creator_went=uid == room.creator), now)
        return OK

    def sync(self, uid, device=ANY):
        """The calls that are shown to this person's app."""
        return {room.room_id: row.status for room in self.rooms.values() if room.live and (row := room.row(uid))
                and (row.status == INVITING or (row.status == JOINED and row.device.same(device)))}

    # ---- what LiveKit tells ----

    def room_started(self, now, room_id):
        room = self.rooms[room_id]
        if room.live:
            room.start()
        else:
            room.closing = True

    def participant_joined(self, now, room_id, uid, sid, joined_at, device=ANY):
        room = self.rooms[room_id]
        if not room.live:
            room.closing = True
            return
        row = room.row(uid)
        if row and self.old_session(row, sid, joined_at):
            return
        if self.join_refused(room, uid):
            room.put_out.add((uid, sid))
            return
        room.start()
        row = row or room.add(uid)
        if row.status != JOINED:
            room.enter(row, row.device if row.device != ANY else device, joined_at)
        elif row.device == ANY:
            row.device = device
        if row.sid != sid:
            row.sid, row.sid_at, row.deadline = sid, joined_at, 0
            room.tell_of("participant.joined", row)

    @staticmethod
    def old_session(row, sid, joined_at):
        if sid == row.last_left_sid or (sid != row.sid and joined_at < row.sid_at):
            return True
        return not row.active and not row.returns and joined_at < row.left_at

    def participant_left(self, now, room_id, uid, sid, joined_at, reason):
        room = self.rooms[room_id]
        row = room.row(uid) if room.live else None
        if not row or not self.left_counts(row, sid, joined_at):
            return
        row.sid_at, row.last_left_sid = joined_at, sid
        was_joined = row.status == JOINED
        row.sid = ""
        if not was_joined:
            return
        reloaded = reason == "CLIENT_INITIATED" and joined_at < row.session_from
        if (reason == "CLIENT_INITIATED" and not reloaded) or reason in GONE_FOR_GOOD or self.grace_ms == 0:
            wish = reason == "CLIENT_INITIATED" and not reloaded
            cause = Cause(by=uid if wish else "", lost=not wish)
            room.hang_up(row, now, cause)
            row.returns = reason not in GONE_FOR_GOOD and not wish
            room.settle(cause, now)
        else:
            row.deadline = now + self.grace_ms

    @staticmethod
    def left_counts(row, sid, joined_at):
        if row.sid:
            return joined_at >= row.sid_at
        return sid != row.last_left_sid and joined_at >= row.sid_at and not before(joined_at, row.session_from - 5000)

    # ---- time ----

    def advance(self, by_ms):
        """All that happened is that much longer ago."""
        for room in self.rooms.values():
            room.created_at -= by_ms
            for row in room.rows:
                for name in ("deadline", "left_at", "sid_at", "session_from"):
                    if getattr(row, name):
                        setattr(row, name, getattr(row, name) - by_ms)

    def too_long(self, room, now):
        return self.max_call_ms and room.created_at + self.max_call_ms <= now

    def fire(self, now, connected):
        """Deadlines that are over; connected: {room_id: [(uid, sid, joined_at)]}."""
        for room in self.rooms.values():
            if not room.live:
                continue
            if self.too_long(room, now):
                room.end(FINISHED if room.answered else CANCELLED, "max_duration", now)
            elif room.due(now):
                self.fire_room(room, now, connected.get(room.room_id, []))

    def fire_room(self, room, now, connected):
        for uid, sid, joined_at in connected:
            if room.row(uid):
                self.participant_joined(now, room.room_id, uid, sid, joined_at)
        rang = [row for row in room.due(now) if row.status == INVITING]
        lost = [row for row in room.due(now) if row.status == JOINED]
        cause = Cause(rang_out=bool(rang), lost=bool(lost))
        if rang:
            room.ring_out(rang, now)
        for row in lost:
            room.hang_up(row, now, cause)
        if rang or lost:
            room.settle(cause, now)

    def near(self, now, margin_ms):
        """Whether the real clock might fire, or not, a deadline during a step."""
        times = [row.deadline for room in self.rooms.values() if room.live for row in room.active if row.deadline]
        times += [room.created_at + self.max_call_ms for room in self.rooms.values() if room.live and self.max_call_ms]
        return any(abs(at - now) < margin_ms for at in times)
