"""The load of these tests notices what is wrong: a database, or a backend, that differs from what clients were told.

SPDX-License-Identifier: MIT
"""
import contextlib
import re

import pytest

from support import load_truth
from support.load import WRONG, Answer, Load, outcome_of
from support.load_call import Truth


@pytest.fixture(scope="module")
def over(stack, receiver):
    """A load that has ended and found nothing to complain of."""
    one = Load(stack, receiver, clients=4).start()
    one.wait_until(lambda: sum(t.final for t in one.calls) > 12, 60, "calls that are over")
    one.stop()
    assert one.verify().acknowledged > 20
    return one


@pytest.fixture
def db(stack):
    one = stack.db()
    yield one
    one.close()


def problems(load):
    return load_truth.truth_problems(load, *load_truth.read(load))


TAMPERED = {
    "a call is gone": ("DELETE FROM rtc_room WHERE room_id = %s", "was acknowledged and is not there"),
    "an event is gone": ("DELETE FROM event WHERE room_id = %s AND type = 'participant.accepted' ORDER BY seq LIMIT 1",
                         "participant.accepted of .* was acknowledged and is not there"),
    "the last event is gone": ("DELETE FROM event WHERE room_id = %s ORDER BY seq DESC LIMIT 1",
                               "was acknowledged, the call has"),
    "a call lives on": ("UPDATE rtc_room SET status = 1 WHERE room_id = %s", "I4 .*: status 1"),
    "a person is not where they were": ("UPDATE rtc_participant SET status = 5 WHERE room_id = %s LIMIT 1",
                                        "I4 .* is 5, its newest event made it"),
    "an event tells another status": ("UPDATE event SET data = JSON_SET(data, '$.status', 6) WHERE room_id = %s",
                                      "but its event says status 6"),
    "it happened before it was asked for": ("UPDATE event SET created_at_ms = created_at_ms - 1000 WHERE room_id = %s",
                                            "before it can have"),
    "it happened twice": ("INSERT INTO event (event_id, room_id, seq, type, uid, data, created_at_ms) SELECT CONCAT("
                          "'again', seq, room_id), room_id, seq + 100, type, uid, data, created_at_ms FROM event"
                          " WHERE room_id = %s AND type = 'participant.accepted'", "accepted of .* 2 times"),
}


@contextlib.contextmanager
def undone(db, room):
    """The call's rows as they were before."""
    with db.cursor() as c:
        kept = {}
        for table in ("rtc_room", "rtc_participant", "event"):
            c.execute(f"SELECT * FROM {table} WHERE room_id = %s", (room,))
            kept[table] = c.fetchall()
        try:
            yield c
        finally:
            for table, rows in kept.items():
                c.execute(f"DELETE FROM {table} WHERE room_id = %s", (room,))
                names, marks = ", ".join(rows[0]), ", ".join(["%s"] * len(rows[0]))
                c.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", [tuple(r.values()) for r in rows])


@pytest.mark.parametrize("what", TAMPERED)
def test_a_tampered_call_is_found(over, db, what):
    statement, text = TAMPERED[what]
    room = next(t.room for t in over.calls if t.final)
    with undone(db, room) as c:
        c.execute(statement, (room,))
        assert c.rowcount > 0
        found = problems(over)
    assert any(room in one and re.search(text, one) for one in found), found
    assert problems(over) == []


def test_a_refusal_that_was_none_is_found(over):
    """503 unavailable is a promise that nothing happened."""
    room = next(t.room for t in over.calls if t.final)
    refused = Truth(room)
    refused.creator = "x"
    events, rooms = load_truth.read(over)
    assert any("was refused and is there" in one
               for one in load_truth.call_problems(refused, rooms[room], events[room]))


def test_an_event_that_was_not_delivered_is_found(over, receiver):
    events, _ = load_truth.read(over)
    told = next(iter(events.values()))
    more = dict(told[-1], event_id="never", data={})
    found, _ = load_truth.delivery_problems(receiver, {**events, "more": [more]}, 0)
    assert found and "1 of" in found[0]


@pytest.mark.parametrize("status, key, took, fine", [
    (503, "unavailable", 0.1, True), (503, "outcome_unknown", 4.9, True), (503, "unavailable", 5.1, False),
    (200, "", 5.1, False), (502, "", 0.1, False), (504, "outcome_unknown", 0.1, False), (0, "Reset", 0.1, False),
])
def test_answers_are_held_to_the_promise(status, key, took, fine):
    answer = Answer(0, "get", "r", status, key, outcome_of("get", status, key, Truth("r")), 0.0, took)
    assert (list(load_truth.wrong_answers([answer], (), 5.0)) == []) == fine


@pytest.mark.parametrize("status, key", [(500, "internal"), (404, "room_not_found"), (409, "room_already_exists"),
                                         (409, "creator_in_another_call"), (503, "something"), (401, "unauthorized")])
def test_other_answers_are_wrong(status, key):
    assert outcome_of("create", status, key, Truth("r")) == WRONG


def test_a_call_uses_every_request(over):
    assert {a.kind for a in over.answers} >= {"create", "join", "sync", "get", "leave", "reject", "invite", "token"}
