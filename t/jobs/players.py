"""A system whose LiveKit a test speaks for, players of random worlds on it, and who kills its processes.

SPDX-License-Identifier: MIT
"""
import concurrent.futures
import itertools
import os
import random
import secrets
import signal
import threading
import traceback

from compare import Mismatch
from media import Media
from steps import Steps
from support.invariants import check_invariants
from support.jobs_process import Jobs
from support.worker_process import children_of
from world import World

MAX_CALL_S = 86400
CLIENTS = 6
STEPS = 40
SHORTER_TRIES = 120


class System:
    """An API and two tgo-call-jobs, without the reconciler: a world tells LiveKit's lies on purpose."""

    def __init__(self, make_stack, folders, grace_s=40, **settings):
        self.settings, self.grace_s, self.folders = {**settings, "REJOIN_GRACE": str(grace_s)}, grace_s, folders
        self.stack = make_stack(jobs=False, **self.settings)
        self.media = Media(self.stack.env["LIVEKIT_API_SECRET"], self.stack.redis())
        self.jobs = [self.make_jobs(RECONCILE_INTERVAL="0") for _ in range(2)]

    def make_jobs(self, **more):
        return Jobs(self.stack, self.folders.mktemp("jobs"), LIVEKIT_URL=self.media.url, **{**self.settings, **more})

    def __enter__(self):
        for one in self.jobs:
            one.start()
        return self

    def __exit__(self, *_):
        for one in self.jobs:
            one.clean_up()
        self.media.stop()

    def problems(self):
        connection = self.stack.db()
        try:
            return check_invariants(connection, max_call_s=MAX_CALL_S)
        finally:
            connection.close()


class Watch(threading.Thread):
    """I1 to I7 hold at any moment: looked at all the while, and at the end."""

    def __init__(self, system):
        super().__init__()
        self.system, self.over, self.found = system, threading.Event(), []

    def run(self):
        while not self.found and not self.over.wait(1):
            self.found += self.system.problems()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        problems = self.found + self.system.problems()
        assert problems == [], problems


class Killer(threading.Thread):
    """Kills a child of one of these masters now and then."""

    def __init__(self, *masters, every_s=0.4):
        super().__init__()
        self.masters, self.every_s, self.over, self.killed = masters, every_s, threading.Event(), 0

    def run(self):
        while not self.over.wait(self.every_s):
            children = children_of(random.choice(self.masters))
            if children:
                kill(random.choice(children))
                self.killed += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Players:
    """Plays worlds, several at the same time, each with connections of its own."""

    def __init__(self, system):
        self.system = system
        self.run, self.number = secrets.token_hex(2), itertools.count(1)
        self.local, self.lost_answers, self.worlds = threading.local(), 0, []
        self.pool = concurrent.futures.ThreadPoolExecutor(CLIENTS)

    def world(self):
        if not hasattr(self.local, "db"):
            self.local.db = self.system.stack.db()
        return World(self.system.stack, self.system.media, self.local.db, f"{self.run}{next(self.number)}",
                     grace_ms=self.system.grace_s * 1000, max_call_ms=MAX_CALL_S * 1000)

    def play(self, seed):
        """(seed, steps, what went wrong or None)."""
        world = self.world()
        self.worlds.append(world)
        steps, played = Steps(seed, world), []
        try:
            for _ in range(STEPS):
                step = steps.next()
                played.append(step)
                world.play(step)
                steps.done(step)
            for room in steps.rooms:
                world.compare_shown(room)
        except Mismatch as e:
            return seed, played, e
        except Exception:
            return seed, played, traceback.format_exc()
        finally:
            self.lost_answers += world.lost_answers
        return seed, played, None

    def again(self, steps):
        world = self.world()
        try:
            for step in steps:
                world.play(step)
        except Mismatch as e:
            return e
        return None

    def shorter(self, steps, why):
        """Without the steps that it does not need."""
        tries, at = SHORTER_TRIES, len(steps) - 2
        while at >= 0 and tries:
            fewer = steps[:at] + steps[at + 1:]
            found = self.again(fewer)
            if found is not None:
                steps, why = fewer, found
            at, tries = at - 1, tries - 1
        return steps, why

    def told(self, seed, steps, why, shorten):
        if isinstance(why, Mismatch) and shorten:
            steps, why = self.shorter(steps, why)
        lines = "\n".join(f"  {step!r}" for step in steps)
        return f"seed {seed}: {why}\n{lines}\nTGO_MODEL_SEED={seed} scripts/test jobs -- -k test_model"

    def play_all(self, seeds, shorten=True):
        bad = [one for one in self.pool.map(self.play, seeds) if one[2] is not None]
        texts = [self.told(*one, shorten) for one in bad[:3]]
        assert not texts, "\n\n".join([f"{len(bad)} of {len(seeds)} went wrong", *texts])
