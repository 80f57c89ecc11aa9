"""Every row of the contract's tables over HTTP, for 1:1 and group, invite_on 0 and 1, creator and callee, and
LiveKit's news in every order: the state read back from the database, all of it.

A case is a story (support/story.py) and the line it ends with. SPDX-License-Identifier: MIT
"""
import pytest

from support.story import Story

ONE = "create ann bob"
CAT = "create ann bob,cat seats=9"
RANG = "invited(ann)invited[bob]@0"
RANG_CAT = "invited(ann)invited[bob,cat]@0"
UP = ["join ann", "join bob"]
UP_SAID = "accepted(ann)@0 accepted(bob)@0"

# Whatever invite_on says.
CASES = {
    # ---- create ----
    "1:1": ([ONE], f"room=0; bob=0 ann=0; {RANG}"),
    "group": ([CAT], f"room=0; bob=0 cat=0 ann=0; {RANG_CAT}"),
    "nobody called": (["create ann"], "room=0; ann=0"),
    "callee busy": (["create dan bob other=elsewhere", ONE + " -> 409 participant_in_call"],
                    "room=5 busy/; bob=5 ann=5; busy(ann)busy[bob]@5 finished@5"),
    "some busy": (["create dan bob other=elsewhere", CAT],
                  "room=0; bob=5 cat=0 ann=0; busy(ann)busy[bob]@0 invited(ann)invited[cat]@0"),
    "all busy": (["create bob cat other=elsewhere", CAT + " -> 409 participant_in_call"],
                 "room=5 busy/; bob=5 cat=5 ann=5; busy(ann)busy[bob,cat]@5 finished@5"),
    "taken": ([ONE, "end", ONE + " -> 409 room_already_exists"],
              f"room=3 ended/; bob=6 ann=6; {RANG} finished@3; delete_room"),
    # ---- leaving and refusing, before an answer ----
    "creator gives up": ([ONE, "leave ann"], "room=3 cancelled/ann; bob=6 ann=3; "
                         f"{RANG} left(ann)@0 cancelled(ann)@0 finished@3; delete_room"),
    "creator gives up, joined": ([ONE, "join ann", "started", "leave ann"], "room=3 cancelled/ann; bob=6 ann=3; "
                                 f"{RANG} accepted(ann)@0 started@1 left(ann)@1 cancelled(ann)@1 finished@3; "
                                 "delete_room"),
    "creator of a group gives up": ([CAT, "join ann", "reject bob", "leave ann"],
                                    "room=3 cancelled/ann; bob=2 cat=6 ann=3; "
                                    f"{RANG_CAT} accepted(ann)@0 rejected(bob)@0 left(ann)@0 cancelled(ann)@0 "
                                    "finished@3; delete_room"),
    "callee refuses": ([ONE, "join ann", "reject bob"], "room=4 rejected/bob; bob=2 ann=3; "
                       f"{RANG} accepted(ann)@0 rejected(bob)@0 left(ann)@4 finished@4; delete_room"),
    "callee leaves instead": ([ONE, "leave bob"], "room=4 rejected/bob; bob=2 ann=2; "
                              f"{RANG} rejected(bob)@0 finished@4; delete_room"),
    "callee is busy": ([ONE, "join ann", "reject bob busy"], "room=5 busy/bob; bob=5 ann=3; "
                       f"{RANG} accepted(ann)@0 busy(bob)busy[bob]@0 left(ann)@5 finished@5; delete_room"),
    "one of two refuses": ([CAT, "join ann", "reject bob tv:x"], "room=0; bob=2 cat=0 ann=1; "
                           f"{RANG_CAT} accepted(ann)@0 rejected(bob)@0"),
    "creator rejects": ([ONE, "reject ann"], "room=3 cancelled/ann; bob=6 ann=3; "
                        f"{RANG} left(ann)@0 cancelled(ann)@0 finished@3; delete_room"),
    "refused twice": ([CAT, "reject bob", "reject bob busy", "leave bob"],
                      f"room=0; bob=2 cat=0 ann=0; {RANG_CAT} rejected(bob)@0"),
    # ---- after an answer ----
    "callee hangs up": ([ONE, *UP, "leave bob"], "room=2 hangup/bob; bob=3 ann=3; "
                        f"{RANG} {UP_SAID} left(bob)@0 left(ann)@2 finished@2; delete_room"),
    "creator hangs up, twice": ([ONE, *UP, "leave ann", "leave ann", "leave bob"], "room=2 hangup/ann; bob=3 ann=3; "
                                f"{RANG} {UP_SAID} left(ann)@0 left(bob)@2 finished@2; delete_room"),
    "callee came, creator had not": ([ONE, "join bob", "leave bob"], "room=2 hangup/bob; bob=3 ann=6; "
                                     f"{RANG} accepted(bob)@0 left(bob)@0 finished@2; delete_room"),
    "creator of a group goes": ([CAT, *UP, "leave ann"], "room=0; bob=1 cat=0 ann=3; "
                                f"{RANG_CAT} {UP_SAID} left(ann)@0"),
    "the last of a group goes": ([CAT, *UP, "leave ann", "leave bob"], "room=2 hangup/bob; bob=3 cat=6 ann=3; "
                                 f"{RANG_CAT} {UP_SAID} left(ann)@0 left(bob)@0 finished@2; delete_room"),
    "joined cannot refuse": ([ONE, "join bob", "reject bob -> 409 illegal_transition"],
                             f"room=0; bob=1 ann=0; {RANG} accepted(bob)@0"),
    "no such person": ([CAT, "leave eve -> 404 participant_not_found", "reject eve -> 404 participant_not_found",
                        "remove eve -> 404 participant_not_found", "put eve 3 -> 404 participant_not_found"],
                       f"room=0; bob=0 cat=0 ann=0; {RANG_CAT}"),
    # ---- devices ----
    "leave of another device": ([CAT, "join bob web:d1", "leave bob web:d2", "leave bob tv", "reject bob tv"],
                                f"room=0; bob=1 cat=0 ann=0; {RANG_CAT} accepted(bob)@0"),
    "leave of the same device": ([CAT, "join bob web:d1", "leave bob tv:d1"],
                                 f"room=0; bob=3 cat=0 ann=0; {RANG_CAT} accepted(bob)@0 left(bob)@0"),
    "join again": ([CAT, "join bob web:d1", "join bob web", "join bob tv:d1 no-takeover"],
                   f"room=0; bob=1 cat=0 ann=0; {RANG_CAT} accepted(bob)@0"),
    "another device, no media yet": ([CAT, "join bob web:d1", "join bob web:d2"],
                                     f"room=0; bob=1 cat=0 ann=0; {RANG_CAT} accepted(bob)@0 accepted(bob)@0"),
    "another device, media known": ([CAT, "join bob web:d1", "joined bob PA_1",
                                     "join bob web:d2 -> 409 joined_elsewhere",
                                     "join bob tv no-takeover -> 409 joined_elsewhere"],
                                    f"room=1; bob=1 cat=0 ann=0; {RANG_CAT} accepted(bob)@0 started@1 joined(bob)@1"),
    "takeover": ([CAT, "join bob web:d1", "joined bob PA_1", "join bob web:d2 takeover",
                  "left bob PA_1 DUPLICATE_IDENTITY", "joined bob PA_2", "left bob PA_1 CLIENT_INITIATED"],
                 f"room=1; bob=1 cat=0 ann=0; {RANG_CAT} accepted(bob)@0 started@1 joined(bob)@1 accepted(bob)@1 "
                 "joined(bob)@1"),
    # ---- coming back, removed, full ----
    "coming back": ([CAT, *UP, "leave bob", "join bob"], "room=0; bob=1 cat=0 ann=1; "
                    f"{RANG_CAT} {UP_SAID} left(bob)@0 accepted(bob)@0"),
    "over is over": ([ONE, "leave ann", "join bob -> 409 room_not_active", "invite cat -> 409 room_not_active",
                      "put 1 -> 409 illegal_transition", "put 2 -> 409 illegal_transition", "put 3", "end",
                      "remove bob", "reject bob", "leave eve", "put bob 5", "put bob 1 -> 409 room_not_active",
                      "put bob 0 -> 409 illegal_transition"],
                     f"room=3 cancelled/ann; bob=6 ann=3; {RANG} left(ann)@0 cancelled(ann)@0 finished@3; delete_room"),
    "removed from a group": ([CAT, *UP, "joined bob PA_1", "remove bob", "remove bob",
                              "join bob -> 403 participant_removed"],
                             f"room=1; bob=3! cat=0 ann=1; {RANG_CAT} {UP_SAID} started@1 joined(bob)@1 left(bob)@1; "
                             "remove(bob,PA_1)"),
    "removed, then invited": ([CAT, *UP, "remove bob", "invite bob", "join bob"],
                              f"room=0; bob=1 cat=0 ann=1; {RANG_CAT} {UP_SAID} left(bob)@0 "
                              "invited(ann)invited[bob]@0 accepted(bob)@0; spared(bob)"),
    "removed while it rings, 1:1": ([ONE, "join ann", "remove bob"], "room=3 cancelled/; bob=3! ann=3; "
                                    f"{RANG} accepted(ann)@0 left(bob)@0 left(ann)@3 finished@3; "
                                    "remove(bob) delete_room"),
    "removed after an answer, 1:1": ([ONE, *UP, "remove bob"], "room=2 hangup/; bob=3! ann=3; "
                                     f"{RANG} {UP_SAID} left(bob)@0 left(ann)@2 finished@2; remove(bob) delete_room"),
    "creator removed": ([ONE, "join ann", "remove ann"], "room=3 cancelled/; bob=6 ann=3!; "
                        f"{RANG} accepted(ann)@0 left(ann)@0 cancelled(ann)@0 finished@3; remove(ann) delete_room"),
    "removed after it refused": ([CAT, "reject bob", "remove bob"],
                                 f"room=0; bob=2! cat=0 ann=0; {RANG_CAT} rejected(bob)@0; remove(bob)"),
    # ---- invite ----
    "invited besides": ([CAT, "join cat", "invite dan,dan,bob by=cat"], "room=0; bob=0 cat=1 ann=0 dan=0; "
                        f"{RANG_CAT} accepted(cat)@0 invited(cat)invited[dan]@0"),
    "all there already": ([CAT, "join cat", "invite bob,cat"],
                          f"room=0; bob=0 cat=1 ann=0; {RANG_CAT} accepted(cat)@0"),
    "invited is busy": ([CAT, "create dan other=elsewhere", "invite dan -> 409 participant_in_call", "invite dan,eve"],
                        f"room=0; bob=0 cat=0 ann=0 dan=5 eve=0; {RANG_CAT} busy(ann)busy[dan]@0 "
                        "invited(ann)invited[eve]@0"),
    "no seat to ring for": ([ONE, "invite cat -> 409 room_full"], f"room=0; bob=0 ann=0; {RANG}"),
    # ---- what a backend sets ----
    "end before an answer": ([ONE, "join ann", "end", "end"], "room=3 ended/; bob=6 ann=3; "
                             f"{RANG} accepted(ann)@0 left(ann)@3 finished@3; delete_room"),
    "end after one": ([CAT, *UP, "end"], "room=2 ended/; bob=3 cat=6 ann=3; "
                      f"{RANG_CAT} {UP_SAID} left(bob)@2 left(ann)@2 finished@2; delete_room"),
    "put started": ([ONE, "put 1", "put 1", "put 0 -> 409 illegal_transition"],
                    f"room=1; bob=0 ann=0; {RANG} started@1"),
    "put finished": ([ONE, "put 2"], f"room=2 ended/; bob=6 ann=6; {RANG} finished@2; delete_room"),
    "put cancelled": ([ONE, *UP, "put 3"],
                      f"room=3 cancelled/; bob=3 ann=3; {RANG} {UP_SAID} left(bob)@3 left(ann)@3 finished@3; delete_room"),
    "put rejected": ([CAT, "put 4"], f"room=4 rejected/; bob=2 cat=2 ann=2; {RANG_CAT} finished@4; delete_room"),
    "put busy": ([CAT, "put 5"], f"room=5 busy/; bob=6 cat=6 ann=6; {RANG_CAT} finished@5; delete_room"),
    "put missed": ([ONE, "put 6"], f"room=6 missed/; bob=4 ann=4; {RANG} finished@6; delete_room"),
    "put missed after an answer": ([ONE, *UP, "put 4 -> 409 illegal_transition", "put 5 -> 409 illegal_transition",
                                    "put 6 -> 409 illegal_transition"], f"room=0; bob=1 ann=1; {RANG} {UP_SAID}"),
    "rang out, 1:1": ([ONE, "join ann", "put bob 4"], "room=6 missed/; bob=4 ann=3; "
                      f"{RANG} accepted(ann)@0 missed()missed[bob]@0 left(ann)@6 finished@6; delete_room"),
    "the creator's time is over": ([ONE, "put ann 4"],
                                   f"room=6 missed/; bob=4 ann=4; {RANG} missed()missed[ann]@0 finished@6; delete_room"),
    "put joined": ([CAT, "put bob 1", "put bob 1", "join bob tv:x"],
                   f"room=0; bob=1 cat=0 ann=0; {RANG_CAT} accepted(bob)@0"),
    "put refused, busy": ([CAT, "put bob 2", "put cat 5"],
                          "room=4 rejected/cat; bob=2 cat=5 ann=2; "
                          f"{RANG_CAT} rejected(bob)@0 busy(cat)busy[cat]@0 finished@4; delete_room", (1,)),
    "put cancelled, one of a group": ([CAT, "put bob 6", "put bob 6", "put bob 4", "put bob 0 -> 409 illegal_transition"],
                                      f"room=0; bob=6 cat=0 ann=0; {RANG_CAT} cancelled(bob)@0"),
    "put cancelled, the creator": ([ONE, "put ann 6"],
                                   f"room=3 cancelled/; bob=6 ann=6; {RANG} cancelled(ann)@0 finished@3; delete_room"),
    "put on who is joined": ([CAT, "join bob", *[f"put bob {n} -> 409 illegal_transition" for n in (0, 2, 4, 5, 6)],
                              "put bob 3"], "room=0; bob=3 cat=0 ann=0; "
                             f"{RANG_CAT} accepted(bob)@0 left(bob)@0"),
    # ---- LiveKit, in order ----
    "a whole call": ([ONE, "join ann", "started", "joined ann PA_a", "join bob", "joined bob PA_b",
                      "left bob PA_b CLIENT_INITIATED", "left ann PA_a ROOM_DELETED", "finished"],
                     f"room=2 hangup/bob; bob=3 ann=3; {RANG} accepted(ann)@0 started@1 joined(ann)@1 accepted(bob)@1 "
                     "joined(bob)@1 left(bob)@1 left(ann)@2 finished@2; delete_room"),
    "tokens of create alone": ([ONE, "joined ann PA_a", "joined bob PA_b", "left ann PA_a CLIENT_INITIATED"],
                               f"room=2 hangup/ann; bob=3 ann=3; {RANG} started@1 accepted(ann)@1 joined(ann)@1 "
                               "accepted(bob)@1 joined(bob)@1 left(ann)@1 left(bob)@2 finished@2; delete_room"),
    "put out by LiveKit": ([ONE, *UP, "left bob PA_b PARTICIPANT_REMOVED"], "room=2 lost/; bob=3 ann=3; "
                           f"{RANG} {UP_SAID} left(bob)@0 left(ann)@2 finished@2; delete_room"),
    "aborted changes nothing": ([ONE, *UP, "aborted bob PA_b"], f"room=0; bob=1 ann=1; {RANG} {UP_SAID}"),
    # ---- late, doubled, out of order, lost ----
    "doubled": ([CAT, "started", "started", "joined bob PA_b", "joined bob PA_b", "left bob PA_b CLIENT_INITIATED",
                 "left bob PA_b CLIENT_INITIATED", "joined bob PA_b"],
                f"room=1; bob=3 cat=0 ann=0; {RANG_CAT} started@1 accepted(bob)@1 joined(bob)@1 left(bob)@1"),
    "left before joined": ([CAT, "join bob", "left bob PA_b CLIENT_INITIATED", "joined bob PA_b"],
                           f"room=0; bob=3 cat=0 ann=0; {RANG_CAT} accepted(bob)@0 left(bob)@0"),
    "left of who rings": ([CAT, "left bob PA_b CLIENT_INITIATED", "joined bob PA_b"],
                          f"room=0; bob=0 cat=0 ann=0; {RANG_CAT}"),
    "joined after leave": ([CAT, "join bob", "leave bob", "joined bob PA_b -900"],
                           f"room=0; bob=3 cat=0 ann=0; {RANG_CAT} accepted(bob)@0 left(bob)@0"),
    "joined again after leave": ([CAT, "join bob", "joined bob PA_1", "leave bob", "joined bob PA_1",
                                  "joined bob PA_2 +900"],
                                 f"room=1; bob=1 cat=0 ann=0; {RANG_CAT} accepted(bob)@0 started@1 joined(bob)@1 "
                                 "left(bob)@1 accepted(bob)@1 joined(bob)@1"),
    "a new session, then the old one's end": ([CAT, "join bob", "joined bob PA_1", "joined bob PA_2 +900",
                                               "left bob PA_1 CLIENT_INITIATED", "joined bob PA_1"],
                                              f"room=1; bob=1 cat=0 ann=0; {RANG_CAT} accepted(bob)@0 started@1 "
                                              "joined(bob)@1 joined(bob)@1"),
    "the left of an earlier membership": ([CAT, "join bob", "left bob PA_0 CLIENT_INITIATED -6000"],
                                          f"room=0; bob=1 cat=0 ann=0; {RANG_CAT} accepted(bob)@0"),
    "one who missed it is in": ([CAT, "put bob 4", "joined bob PA_1 -900"],
                                f"room=1; bob=1 cat=0 ann=0; {RANG_CAT} missed()missed[bob]@0 started@1 accepted(bob)@1 "
                                "joined(bob)@1"),
    "one who refused stays out": ([CAT, "reject bob", "joined bob PA_1 -900"],
                                  f"room=0; bob=2 cat=0 ann=0; {RANG_CAT} rejected(bob)@0"),
    "re-hosted, same room": ([CAT, "started", "joined bob PA_1", "left bob PA_1 STATE_MISMATCH", "started",
                              "joined bob PA_2 +900"],
                             f"room=1; bob=1 cat=0 ann=0; {RANG_CAT} started@1 accepted(bob)@1 joined(bob)@1 "
                             "joined(bob)@1"),
    "finished before left": ([ONE, *UP, "started", "finished", "left bob PA_b ROOM_CLOSED"],
                             f"room=2 lost/; bob=3 ann=3; {RANG} {UP_SAID} started@1 left(bob)@1 left(ann)@2 finished@2; "
                             "delete_room"),
    "over, and LiveKit does not know": ([ONE, "end", "started", "joined bob PA_1", "finished"],
                                        f"room=3 ended/; bob=6 ann=6; {RANG} finished@3; delete_room"),
    "a stranger to a full call": ([ONE, "joined eve PA_e"], f"room=0; bob=0 ann=0; {RANG}; remove(eve,PA_e)"),
    "a page reload": ([ONE, *UP, "joined bob PA_1", "join bob", "left bob PA_1 CLIENT_INITIATED", "joined bob PA_2 +900",
                       "left bob PA_2 CLIENT_INITIATED"],
                      f"room=2 hangup/bob; bob=3 ann=3; {RANG} {UP_SAID} started@1 joined(bob)@1 joined(bob)@1 "
                      "left(bob)@1 left(ann)@2 finished@2; delete_room"),
}

OPEN = {
    "a stranger joins": ([CAT, "join eve"], f"room=0; bob=0 cat=0 ann=0 eve=1; {RANG_CAT} accepted(eve)@0"),
    "a stranger, full": ([ONE, "join eve -> 409 room_full"], f"room=0; bob=0 ann=0; {RANG}"),
    "a stranger's media": ([CAT, "joined eve PA_e on=tv"],
                           f"room=1; bob=0 cat=0 ann=0 eve=1; {RANG_CAT} started@1 accepted(eve)@1 joined(eve)@1"),
    "all refuse, the creator waits": ([CAT, "join ann", "reject bob", "reject cat"],
                                      f"room=0; bob=2 cat=2 ann=1; {RANG_CAT} accepted(ann)@0 rejected(bob)@0 "
                                      "rejected(cat)@0"),
    "put joined, a stranger": ([CAT, "put eve 1"],
                               f"room=0; bob=0 cat=0 ann=0 eve=1; {RANG_CAT} accepted(eve)@0"),
    "alone": (["create ann seats=9", "join ann", "leave ann"],
              "room=3 cancelled/ann; ann=3; accepted(ann)@0 left(ann)@0 cancelled(ann)@0 finished@3; delete_room"),
}
INVITED = {
    "a stranger joins": ([CAT, "join eve -> 403 participant_not_invited"],
                         f"room=0; bob=0 cat=0 ann=0; {RANG_CAT}"),
    "a stranger's media": ([CAT, "joined eve PA_e"], f"room=0; bob=0 cat=0 ann=0; {RANG_CAT}; remove(eve,PA_e)"),
    "a stranger is asked in": ([CAT, "joined eve PA_e", "invite eve", "joined eve PA_e"],
                               f"room=1; bob=0 cat=0 ann=0 eve=1; {RANG_CAT} invited(ann)invited[eve]@0 started@1 "
                               "accepted(eve)@1 joined(eve)@1; spared(eve,PA_e)"),
    "all refuse": ([CAT, "join ann", "reject bob", "reject cat"],
                   f"room=4 rejected/cat; bob=2 cat=2 ann=3; {RANG_CAT} accepted(ann)@0 rejected(bob)@0 rejected(cat)@0 "
                   "left(ann)@4 finished@4; delete_room"),
    "one refuses, one is busy": ([CAT, "join ann", "reject bob", "reject cat busy"],
                                 f"room=4 rejected/cat; bob=2 cat=5 ann=3; {RANG_CAT} accepted(ann)@0 rejected(bob)@0 "
                                 "busy(cat)busy[cat]@0 left(ann)@4 finished@4; delete_room"),
    "all are busy": ([CAT, "reject bob busy", "reject cat busy"],
                     f"room=5 busy/cat; bob=5 cat=5 ann=6; {RANG_CAT} busy(bob)busy[bob]@0 busy(cat)busy[cat]@0 "
                     "finished@5; delete_room"),
    "one refuses, one misses it": ([CAT, "reject bob", "put cat 4"],
                                   f"room=6 missed/; bob=2 cat=4 ann=4; {RANG_CAT} rejected(bob)@0 missed()missed[cat]@0 "
                                   "finished@6; delete_room"),
    "answered, then alone": ([CAT, *UP, "leave bob", "reject cat"],
                             f"room=0; bob=3 cat=2 ann=1; {RANG_CAT} {UP_SAID} left(bob)@0 rejected(cat)@0"),
    "put joined, a stranger": ([CAT, "put eve 1 -> 403 participant_not_invited"],
                               f"room=0; bob=0 cat=0 ann=0; {RANG_CAT}"),
}


def table():
    for name, (lines, text, *only) in CASES.items():
        for invite_on in only[0] if only else (0, 1):
            yield pytest.param(invite_on, lines, text, id=f"{name}, invite_on {invite_on}")
    for invite_on, cases in enumerate((OPEN, INVITED)):
        for name, (lines, text) in cases.items():
            yield pytest.param(invite_on, lines, text, id=f"{name}, invite_on {invite_on}")


@pytest.fixture
def story(stack, call, db, fresh):
    return Story(stack, call, db, fresh)


@pytest.mark.parametrize("invite_on, lines, text", list(table()))
def test_states(story, invariants, invite_on, lines, text):
    story.invite_on = invite_on
    story.play(lines)
    assert story.text() == text
    invariants()
