"""Holds what the clients of load.py were told against the database and the business backend.

What must be true after any fault:
  - no wrong answer, none slower than the bound;
  - each acknowledged change has its event, once, and none that was refused or came before it was asked for;
  - each answer's claim about a call is what the call's events up to that number say;
  - a call that was never acknowledged nor in doubt is not there; I1 to I7 hold;
  - every event was delivered, first in the order of its call.

SPDX-License-Identifier: MIT
"""
import collections
import json

from support.figures import Figures
from support.invariants import check_invariants, ended_with_room, newest_states
from support.load_call import CLEAN, CREATED, INVITED, REFUSED, UNSURE, WRONG
from support.wait import wait_until

SHOWN = 12
# A stored millisecond is cut off, and the clients' clock is read a moment before they ask.
CLOCKS_APART_MS = 5


def verify(load, also, within, bound_s, max_call_s):
    events, rooms = read(load)
    problems = promise_problems(load, also, bound_s) + truth_problems(load, events, rooms, max_call_s)
    repeats = 0
    if load.receiver is not None:
        more, repeats = delivery_problems(load.receiver, events, within)
        problems += more
    assert not problems, f"{len(problems)} problems:\n" + "\n".join(problems[:SHOWN])
    return figures_of(load, events, repeats)


def promise_problems(load, also, bound_s):
    return [f"{c.name}: {c.failure!r}" for c in load.clients if c.failure is not None] + list(
        wrong_answers(load.answers, also, bound_s))


def truth_problems(load, events, rooms, max_call_s=86400):
    problems = []
    for truth in load.calls:
        problems += call_problems(truth, rooms.get(truth.room), events.get(truth.room, []))
    return problems + invariant_problems(load.stack, max_call_s)


def read(load):
    """(room -> its events in order, room -> its row), of this load."""
    events, db = collections.defaultdict(list), load.stack.db()
    with db.cursor() as c:
        c.execute("SELECT room_id, seq, type, uid, data, event_id, created_at_ms FROM event WHERE room_id LIKE %s"
                  " ORDER BY room_id, seq", (load.prefix + "%",))
        for row in c.fetchall():
            row["data"] = json.loads(row["data"])
            events[row["room_id"]].append(row)
        c.execute("SELECT room_id, status, creator, seq FROM rtc_room WHERE room_id LIKE %s", (load.prefix + "%",))
        rooms = {row["room_id"]: row for row in c.fetchall()}
    db.close()
    return events, rooms


def invariant_problems(stack, max_call_s):
    db = stack.db()
    try:
        return check_invariants(db, max_call_s=max_call_s)
    finally:
        db.close()


def wrong_answers(answers, also, bound_s):
    # No answer at all is no answer of ours, unless the fault is one of nginx or of a worker.
    allowed = {503, *also}
    for a in answers:
        if a.outcome == WRONG or (a.outcome != CLEAN and a.status not in allowed):
            yield f"wrong: {a}"
        elif a.took > bound_s:
            yield f"slower than {bound_s} s: {a}"


# ---- one call ----

def call_problems(truth, room, events):
    if room is None:
        if truth.exists:
            yield f"{truth.room} was acknowledged and is not there"
        return
    if not truth.exists and not truth.unsure_of["create"]:
        yield f"{truth.room} was refused and is there"
    for (kind, uid), change in truth.changes.items():
        yield from change_problems(truth, kind, uid, change, events)
    for fact in set(truth.facts):
        yield from fact_problems(truth, fact, events)


def tells(event, kind, uid):
    data = event["data"]
    if kind == CREATED:
        return event["type"] == "participant.invited" and data["reason"] == "create"
    if kind == INVITED:
        return event["type"] == "participant.invited" and data["reason"] == "invite" and uid in data["invited_uids"]
    return event["type"] == kind and (kind == "room.finished" or event["uid"] == uid)


def change_problems(truth, kind, uid, change, events):
    found = [e for e in events if tells(e, kind, uid)]
    if change.acknowledged and not found:
        yield f"{truth.room}: {kind} of {uid} was acknowledged and is not there"
    if len(found) > 1:
        yield f"{truth.room}: {kind} of {uid} {len(found)} times"
    if truth.was_late:
        return
    for event in found:
        if change.possible_from_ms is None:
            yield f"{truth.room}: {kind} of {uid} was refused and is there"
        elif event["created_at_ms"] < change.possible_from_ms - CLOCKS_APART_MS:
            yield f"{truth.room}: {kind} of {uid} happened {change.possible_from_ms - event['created_at_ms']} ms" \
                  " before it can have: a refused try did it"


def fact_problems(truth, fact, events):
    if fact.seq > len(events):
        yield f"{truth.room}: {fact} was acknowledged, the call has {len(events)} events"
        return
    told = events[:fact.seq]
    status = told[-1]["data"]["status"] if told else 0
    if status != fact.status:
        yield f"{truth.room}: {fact}, but its event says status {status}"
    newest = newest_states([(e["type"], e["uid"], e["data"]) for e in told])
    as_was = {"status": status, "creator": truth.creator}
    for uid, said in fact.people:
        was = newest.get(uid, 0 if uid == truth.creator else None)
        if said != was and not ended_with_room(as_was, uid, was, said):
            yield f"{truth.room}: {fact} of {uid}, but its events made it {was}"


# ---- the business backend ----

def delivery_problems(receiver, events, within):
    wanted = {e["event_id"] for told in events.values() for e in told}

    def missing():
        return wanted - {g.event_id for g in receiver.taken()}

    try:
        wait_until(lambda: not missing(), within, 0.2)
    except AssertionError:
        return [f"{len(missing())} of {len(wanted)} events were not delivered within {within} s"], 0
    problems, taken = list(receiver.problems), [g for g in receiver.taken() if g.event_id in wanted]
    first = collections.defaultdict(dict)
    for got in taken:
        first[got.room].setdefault(got.seq)
    for room, seqs in first.items():
        if list(seqs) != list(range(1, len(events[room]) + 1)):
            problems.append(f"{room}: delivered in the order {list(seqs)}")
    return problems, len(taken) - len(wanted)


def figures_of(load, events, repeats):
    answers = load.answers
    recoveries = [load.recovery_s(o) for o in load.outages if o.mended is not None]
    told = collections.Counter(f"{a.status} {a.key}".strip() for a in answers if a.outcome in (REFUSED, UNSURE))
    bad = [a.took for a in answers if a.outcome in (REFUSED, UNSURE)]
    return Figures(
        answers=len(answers), not_served=dict(told), slowest_s=max(a.took for a in answers),
        slowest_refusal_s=max(bad, default=0.0), recovery_s=max((r for r in recoveries if r is not None), default=0.0),
        acknowledged=sum(c.acknowledged for t in load.calls for c in t.changes.values()), calls=len(load.calls),
        events=sum(map(len, events.values())), repeats=repeats)
