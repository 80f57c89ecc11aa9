"""Many clients at once: one of them wins, nobody is answered a 5xx, and the invariants hold while it goes on
and after it. SPDX-License-Identifier: MIT
"""
import collections
import concurrent.futures
import json
import random
import threading

import pytest

from support.client import Api
from support.invariants import check_invariants
from support.livekit_hook import Hook, event, now_ms, person
from support.rounds import rounds

CLIENTS = 32
ROUNDS = rounds(12, 60)


class Crowd:
    """Clients that start at the same moment, each with connections of its own."""

    def __init__(self, stack):
        self.stack = stack
        self.local = threading.local()
        self.pool = concurrent.futures.ThreadPoolExecutor(CLIENTS)

    def api(self):
        if not hasattr(self.local, "api"):
            self.local.api = Api(self.stack)
        return self.local.api

    def all(self, jobs):
        """jobs: functions of an Api. Their answers, in order; none is a server's failure."""
        barrier = threading.Barrier(len(jobs))

        def work(job):
            api = self.api()
            barrier.wait(30)
            return job(api)

        answers = list(self.pool.map(work, jobs))
        for answer in answers:
            assert answer.status_code < 500, f"{answer.request.method} {answer.request.url}: {answer.text}"
        return answers


@pytest.fixture(scope="module")
def crowd(stack):
    one = Crowd(stack)
    yield one
    one.pool.shutdown()


@pytest.fixture
def watched(stack):
    """The invariants hold at any moment: looked at all the while."""
    over, problems = threading.Event(), []

    def watch():
        connection = stack.db()
        while not over.is_set() and not problems:
            problems.extend(check_invariants(connection))
            over.wait(0.2)
        connection.close()

    thread = threading.Thread(target=watch)
    thread.start()
    yield
    over.set()
    thread.join()
    assert problems == []


@pytest.fixture(autouse=True)
def sound(invariants, watched):
    yield
    invariants()


def said(answers):
    """How often each answer was given."""
    return collections.Counter("ok" if a.status_code == 200 else a.json()["error"] for a in answers)


def create(creator, *uids, **more):
    return lambda api: api.post("/rooms", {"creator": creator, "uids": list(uids), **more})


def act(room, what, uid, **more):
    return lambda api: api.post(f"/rooms/{room}/{what}", {"uid": uid, **more})


def hook(body):
    return lambda api: Hook(api.stack.env, api).send(body)


def made(api, *args, **kwargs):
    answer = create(*args, **kwargs)(api)
    assert answer.status_code == 200, answer.text
    return answer.json()["room_id"]


def look(api, room):
    found = api.get(f"/rooms/{room}").json()
    return found["status"], {p["uid"]: p["status"] for p in found["participants"]}


def told(db, room):
    with db.cursor() as c:
        c.execute("SELECT type, uid FROM event WHERE room_id = %s ORDER BY seq", (room,))
        return [(row["type"], row["uid"]) for row in c.fetchall()]


# ---- one wins ----

def test_one_creator(crowd, api, db, fresh):
    ann = fresh("ann")
    answers = crowd.all([create(ann, fresh("bob")) for _ in range(CLIENTS)])
    assert said(answers) == {"ok": 1, "creator_in_another_call": CLIENTS - 1}
    with db.cursor() as c:
        c.execute("SELECT room_id FROM rtc_room WHERE creator = %s", (ann,))
        assert len(c.fetchall()) == 1


def test_one_room_id(crowd, fresh):
    room = fresh("room")
    answers = crowd.all([create(fresh("ann"), fresh("bob"), room_id=room) for _ in range(CLIENTS)])
    assert said(answers) == {"ok": 1, "room_already_exists": CLIENTS - 1}


def test_one_callee(crowd, fresh):
    """Many call the same person: one rings, the others hear that it is busy, and history shows them."""
    bob = fresh("bob")
    answers = crowd.all([create(fresh("ann"), bob) for _ in range(CLIENTS)])
    assert said(answers) == {"ok": 1, "participant_in_call": CLIENTS - 1}
    assert all(a.json()["busy_uids"] == [bob] and a.json()["room_id"] for a in answers if a.status_code == 409)


def test_the_last_seat(crowd, api, fresh):
    room = made(api, fresh("ann"), fresh("bob"), max_participants=3)
    answers = crowd.all([act(room, "join", fresh("eve")) for _ in range(CLIENTS)])
    assert said(answers) == {"ok": 1, "room_full": CLIENTS - 1}


def test_the_last_seat_rung_for(crowd, api, fresh):
    room = made(api, fresh("ann"), fresh("bob"), max_participants=3)
    answers = crowd.all([lambda api: api.post(f"/rooms/{room}/invite", {"uids": [fresh("eve")]})
                         for _ in range(CLIENTS)])
    assert said(answers) == {"ok": 1, "room_full": CLIENTS - 1}


def test_two_devices_answer(crowd, api, db, fresh):
    for _ in range(ROUNDS):
        ann, bob = fresh("ann"), fresh("bob")
        room = made(api, ann, bob)
        answers = crowd.all([act(room, "join", bob, device_type="web", device_id=f"d{n}", takeover=False)
                             for n in range(2)])
        assert said(answers) == {"ok": 1, "joined_elsewhere": 1}
        assert told(db, room).count(("participant.accepted", bob)) == 1


def test_two_devices_answer_and_take_over(crowd, api, db, fresh):
    """Nobody's media would be cut: the later one has it, and each change of hands is told."""
    for _ in range(ROUNDS):
        ann, bob = fresh("ann"), fresh("bob")
        room = made(api, ann, bob)
        answers = crowd.all([act(room, "join", bob, device_type="web", device_id=f"d{n}") for n in range(2)])
        assert said(answers) == {"ok": 2}
        with db.cursor() as c:
            c.execute("SELECT data FROM event WHERE room_id = %s AND type = 'participant.accepted' ORDER BY seq", (room,))
            devices = [json.loads(row["data"])["device_id"] for row in c.fetchall()]
            c.execute("SELECT device_id FROM rtc_participant WHERE room_id = %s AND uid = %s", (room, bob))
            assert sorted(devices) == ["d0", "d1"] and c.fetchone()["device_id"] == devices[-1]


def test_leave_by_everybody(crowd, api, db, fresh):
    for _ in range(ROUNDS):
        ann, bob = fresh("ann"), fresh("bob")
        room = made(api, ann, bob)
        crowd.all([act(room, "join", uid) for uid in (ann, bob)])
        answers = crowd.all([act(room, "leave", uid) for uid in (ann, bob)] * 4)
        assert said(answers) == {"ok": 8}
        assert look(api, room) == (2, {ann: 3, bob: 3})
        types = collections.Counter(told(db, room))
        assert types[("participant.left", ann)] == types[("participant.left", bob)] == 1


def test_a_repeated_webhook(crowd, api, db, fresh):
    bob = fresh("bob")
    room = made(api, fresh("ann"), bob)
    body = event("participant_joined", room, "RM_1", person(bob, "PA_1", now_ms()))
    assert said(crowd.all([hook(body)] * 16)) == {"ok": 16}
    assert told(db, room).count(("participant.joined", bob)) == 1
    assert told(db, room).count(("room.started", "")) == 1


# ---- against each other ----

def test_answer_against_giving_up(crowd, api, fresh):
    for _ in range(ROUNDS):
        ann, bob = fresh("ann"), fresh("bob")
        room = made(api, ann, bob)
        left, joined = crowd.all([act(room, "leave", ann), act(room, "join", bob)])
        assert left.status_code == 200
        if joined.status_code == 200:
            assert look(api, room) == (2, {bob: 3, ann: 3})
        else:
            assert joined.json()["error"] == "room_not_active"
            assert look(api, room) == (3, {bob: 6, ann: 3})


def test_calling_each_other(crowd, fresh):
    """Both at once: one call at most, and whoever lost is told why."""
    for _ in range(ROUNDS):
        ann, bob = fresh("ann"), fresh("bob")
        answers = said(crowd.all([create(ann, bob), create(bob, ann)]))
        assert answers["ok"] == 1
        assert answers["creator_in_another_call"] + answers["participant_in_call"] == 1


def test_circles(crowd, fresh):
    """Everybody calls the next: locks in every order."""
    for _ in range(ROUNDS):
        people = [fresh("u") for _ in range(16)]
        crowd.all([create(people[i], people[(i + 1) % 16], people[(i + 7) % 16]) for i in range(16)])


def test_invitations_crossing(crowd, api, fresh):
    """Two groups and more ring for the same people in different orders: each rings for one of them."""
    for _ in range(ROUNDS):
        people = [fresh("u") for _ in range(8)]
        rooms = [made(api, fresh("ann"), max_participants=100) for _ in range(6)]

        def invite(room):
            uids = random.sample(people, 6)
            return lambda api: api.post(f"/rooms/{room}/invite", {"uids": uids})

        answers = crowd.all([invite(room) for room in rooms * 2])
        assert set(said(answers)) <= {"ok", "participant_in_call"}
        ringing = collections.Counter(uid for room in rooms for uid, status in look(api, room)[1].items()
                                      if status == 0 and uid in people)
        assert max(ringing.values()) == 1


def test_invited_here_creating_there(crowd, api, fresh):
    for _ in range(ROUNDS):
        bob = fresh("bob")
        room = made(api, fresh("ann"), max_participants=9)
        invited, created = crowd.all([lambda api: api.post(f"/rooms/{room}/invite", {"uids": [bob]}),
                                      create(bob, fresh("cat"))])
        assert sorted([invited.status_code, created.status_code]) == [200, 409]


class Storm:
    """Everything at once on one call of six people: API and LiveKit, from a seed."""

    def __init__(self, seed, api, fresh):
        self.dice = random.Random(seed)
        self.people = [fresh("u") for _ in range(6)]
        self.room = made(api, self.people[0], *self.people[1:3], max_participants=4,
                         invite_on=self.dice.randint(0, 1))
        self.sids = {}

    def job(self):
        uid = self.dice.choice(self.people)
        device = {"device_type": "web", "device_id": self.dice.choice(["d1", "d2"])}
        return self.dice.choice([
            act(self.room, "join", uid, **device), act(self.room, "join", uid, takeover=True, **device),
            act(self.room, "leave", uid), act(self.room, "reject", uid), act(self.room, "leave", uid, **device),
            lambda api: api.post(f"/rooms/{self.room}/invite", {"uids": [uid]}),
            lambda api: api.delete(f"/rooms/{self.room}/participants/{uid}"),
            lambda api: api.put(f"/rooms/{self.room}/participants/{uid}/status", {"status": 4}),
            hook(self.news(uid)), hook(self.news(uid)), hook(self.news(uid)),
        ])

    def news(self, uid):
        sid = f"PA_{uid}_{self.dice.randint(0, 2)}"
        at = self.sids.setdefault(sid, now_ms() + self.dice.randint(-500, 500))
        kind = self.dice.choice(["room_started", "room_finished", "participant_joined", "participant_joined",
                                 "participant_left"])
        reason = self.dice.choice(["CLIENT_INITIATED", "SIGNAL_CLOSE", "ROOM_CLOSED"])
        return event(kind, self.room, "RM_1", person(uid, sid, at, reason=reason if kind.endswith("left") else None))


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_storms(crowd, api, invariants, fresh, seed):
    storm = Storm(seed, api, fresh)
    for _ in range(4):
        crowd.all([storm.job() for _ in range(16)])
        invariants()
    ends = [lambda api: api.post(f"/rooms/{storm.room}/end"),
            lambda api: api.put(f"/rooms/{storm.room}/status", {"status": 3})] * 2
    crowd.all([storm.job() for _ in range(12)] + ends)
    status, rows = look(api, storm.room)
    assert status > 1 and not {0, 1} & set(rows.values())


def test_storms_on_the_same_people(crowd, api, fresh):
    """Many calls, few people: creates, invitations and ends take people's locks and rooms' in turn."""
    dice, people, rooms = random.Random(7), [fresh("u") for _ in range(10)], []

    def job():
        what, uid = dice.randint(0, 3), dice.choice(people)
        if what == 0 or not rooms:
            return create(uid, *dice.sample(people, 3), max_participants=9)
        room = dice.choice(rooms)
        if what == 1:
            uids = dice.sample(people, 4)
            return lambda api: api.post(f"/rooms/{room}/invite", {"uids": uids})
        if what == 2:
            return act(room, "join", uid)
        return lambda api: api.post(f"/rooms/{room}/end")

    for _ in range(ROUNDS):
        answers = crowd.all([job() for _ in range(24)])
        rooms = (rooms + [a.json()["room_id"] for a in answers
                          if a.status_code == 200 and a.request.url.endswith("/rooms")])[-8:]
