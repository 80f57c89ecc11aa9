"""Thousands of random sequences of operations, webhooks, deadlines and crashes: after each step the system is
what the model (model.py) says it is. A failing sequence is made shorter, printed, and played again by

    TGO_MODEL_SEED=<seed> scripts/test jobs -- -k test_model

SPDX-License-Identifier: MIT
"""
import os
import secrets

import pytest

from players import Killer, Players, System, Watch
from support.rounds import rounds
from support.wait import wait_until

# What random sequences, or thinking about them, once found wrong.
FOUND = {
    "older than the first session that was told of, and there all the same": [
        ("create", "R1", "ann", ("bob", "cat"), {"timeout": 60}), ("connect", "s1", "R1", "bob", None),
        ("advance", 8000), ("connect", "s2", "R1", "ann", None), ("told", "joined", "s2", 1), ("advance", 70000)],
    "both gone without a word, both back in time": [
        ("create", "R1", "ann", ("bob",), {"timeout": 60}), ("connect", "s1", "R1", "ann", None),
        ("told", "joined", "s1", 1), ("connect", "s2", "R1", "bob", None), ("told", "joined", "s2", 1),
        ("disconnect", "s1", "SIGNAL_CLOSE"), ("told", "left", "s1", 1), ("disconnect", "s2", "MIGRATION"),
        ("told", "left", "s2", 1), ("connect", "s3", "R1", "ann", None), ("connect", "s4", "R1", "bob", None),
        ("advance", 70000)],
    "one rings out while the other does not come back": [
        ("create", "R1", "ann", ("bob",), {"timeout": 60}), ("join", "R1", "bob", (), None), ("advance", 30000),
        ("connect", "s1", "R1", "bob", None), ("told", "joined", "s1", 1), ("disconnect", "s1", "SIGNAL_CLOSE"),
        ("told", "left", "s1", 1), ("advance", 70000)],
}

SEEDS = os.environ.get("TGO_MODEL_SEED", "")


def some_seeds(quick, full):
    if SEEDS:
        return [int(one) for one in SEEDS.split(",")]
    first = secrets.randbelow(1 << 40)
    return [first + i for i in range(rounds(quick, full))]


@pytest.fixture(scope="module")
def system(make_stack, tmp_path_factory):
    with System(make_stack, tmp_path_factory) as running:
        yield running


@pytest.mark.parametrize("steps", FOUND.values(), ids=FOUND)
def test_found(system, steps):
    world = Players(system).world()
    for step in steps:
        assert world.play(step), step


def test_random_calls(system):
    with Watch(system):
        Players(system).play_all(some_seeds(100, 2000))


def test_random_calls_with_crashes(system):
    """An answer that was lost with its process leaves two truths; the system has to be in one of them, wholly."""
    players, workers = Players(system), system.stack.pid("worker")
    with Watch(system), Killer(workers, workers, *[one.pid for one in system.jobs]) as killer:
        players.play_all(some_seeds(30, 600), shorten=False)
        # Whether a death meets a request is chance: a few more rounds until one did.
        for _ in range(20):
            if SEEDS or players.lost_answers > 0:
                break
            players.play_all(some_seeds(20, 20), shorten=False)
    assert SEEDS or (killer.killed > 5 and players.lost_answers > 0)


def test_random_calls_without_a_rejoin_grace(make_stack, tmp_path_factory):
    with System(make_stack, tmp_path_factory, grace_s=0) as system, Watch(system):
        Players(system).play_all(some_seeds(20, 300))


def test_what_livekit_did_not_tell_is_found_out(make_stack, tmp_path_factory):
    """Random calls end with many webhooks untold; then the reconciler is let loose on them."""
    quick = {"RECONCILE_INTERVAL": "0.5", "LOOK_AGAIN_S": "0.2", "LIST_INTERVAL_S": "0.5", "LIST_SOON_S": "0.5",
             "JOIN_GRACE": "0.5"}
    with System(make_stack, tmp_path_factory, **quick) as system, Watch(system):
        players = Players(system)
        players.play_all(some_seeds(20, 300))
        for world in players.worlds:
            world.do_advance(130000)
        system.jobs.append(system.make_jobs().start())
        for world in players.worlds:
            wait_until(lambda: not list(world.unlike_livekit()), 60, 0.2, Late(world))


class Late:
    """What was still wrong when waiting for it was over."""

    def __init__(self, world):
        self.world = world

    def __str__(self):
        return f"{self.world.name}: {list(self.world.unlike_livekit())}"
