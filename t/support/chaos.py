"""The work of `scripts/demo chaos`, see there: kills parts of the stack in VAR at random while 16 clients make calls.

SPDX-License-Identifier: MIT
"""
import collections
import contextlib
import json
import os
import pathlib
import random
import re
import secrets
import signal
import sys
import time

import pymysql
import requests

from support.invariants import check_invariants
from support.load import Load, events_to
from support.part import Part
from support.receiver import Receiver
from support.stack import Stack, process_runs, read_env
from support.wait import wait_until

DOWN_S = (0.1, 1.0)           # how long a server stays away
PAUSE_S = (0.3, 1.5)          # between two hits
RULES = {
    "I1": "nobody is in two calls",
    "I2": "no call has more people than seats",
    "I3": "nobody is left in a call that is over",
    "I4": "every change was told of",
    "I5": "events are numbered without a gap",
    "I6": "every call ended exactly once",
    "I7": "whatever waits has its time to end",
}


class OnStack(Stack):
    """One that somebody has started."""

    def __init__(self, var):
        self.var = pathlib.Path(var).resolve()
        self.settings = {"VAR": str(self.var)}
        self.env = read_env(self.var / "env")
        self.url = self.env["TGO_URL"]


def children_of(pid):
    pids = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in pids if process_runs(int(one))]


class Ears:
    """The business backend, among those the stack tells of its events already."""

    def __init__(self, stack):
        self.receiver, self.jobs = Receiver(), Part(stack, "jobs")
        self.before = dict(self.jobs.environ)
        if self.before.get("BUSINESS_WEBHOOK_URLS") and not self.before.get("BUSINESS_WEBHOOK_ENDPOINTS"):
            raise SystemExit("demo: this stack has BUSINESS_WEBHOOK_URLS, to which no receiver can be added without"
                             " changing what the others get; choose another stack with VAR=")
        ours = events_to(self.receiver)
        known = json.loads(self.before.get("BUSINESS_WEBHOOK_ENDPOINTS") or "[]")
        ours["BUSINESS_WEBHOOK_ENDPOINTS"] = json.dumps(known + json.loads(ours["BUSINESS_WEBHOOK_ENDPOINTS"]))
        self.restart({**self.before, **ours})

    def restart(self, environ):
        self.jobs.kill(signal.SIGTERM)
        self.jobs.environ = environ
        self.jobs.start()

    def close(self):
        self.restart(self.before)
        self.receiver.stop()


class Chaos:
    def __init__(self, stack, load, rng):
        self.stack, self.load, self.rng = stack, load, rng
        self.began, self.hits, self.slowest = time.monotonic(), collections.Counter(), (0.0, "nothing")
        self.targets = {"worker": self.hit_worker, "jobs": self.hit_jobs}
        # A database of somebody else's is not ours to kill.
        if (stack.var / "run" / "mariadb.pid").exists():
            self.targets["MySQL"] = self.hit_mysql
        self.nodes = sorted(one.stem for one in (stack.var / "run").glob("livekit-*.pid"))
        if self.nodes:
            self.targets["node"] = self.hit_node

    def say(self, text):
        print(f"{time.monotonic() - self.began:6.1f} s  {text}", flush=True)

    def go_on(self, seconds):
        """Everything has its turn before anything has its next."""
        deck = []
        while time.monotonic() < self.began + seconds:
            if not deck:
                deck = self.rng.sample(list(self.targets), len(self.targets))
            self.strike(deck.pop())
            time.sleep(self.rng.uniform(*PAUSE_S))

    def strike(self, kind):
        self.hits[kind] += 1
        self.load.broke()
        what = self.targets[kind]()
        self.load.mended()
        took = self.load.recovered(30)
        self.slowest = max(self.slowest, (took, kind))
        lost = sum(a.outcome != "clean" for a in self.load.during())
        self.say(f"{what:<52} {lost:4} not served, everybody is again after {took:.2f} s")

    # ---- what is hit; each returns when it is back ----

    def hit_child(self, part):
        master = self.stack.pid(part)
        before = children_of(master)
        victim = self.rng.choice(before)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: victim not in children_of(master) and len(children_of(master)) == len(before), 20,
                   what=f"another process of {part}")
        return victim

    def hit_worker(self):
        return f"worker {self.hit_child('worker')} killed"

    def hit_jobs(self):
        return f"background task {self.hit_child('jobs')} killed"

    def hit_server(self, name, answers):
        part, away = Part(self.stack, name), self.rng.uniform(*DOWN_S)
        pid = part.pid
        part.kill()
        time.sleep(away)
        part.start()
        wait_until(answers, 60, what=f"{name} again")
        return pid, away

    def hit_mysql(self):
        def answers():
            try:
                self.stack.db().close()
            except pymysql.Error:
                return False
            return True

        pid, away = self.hit_server("mariadb", answers)
        return f"MySQL {pid} killed, started after {away:.1f} s"

    def hit_node(self):
        name = self.rng.choice(self.nodes)
        address = self.stack.env["LIVEKIT_NODES"].split(",")[int(name.rpartition("-")[2]) - 1]

        def answers():
            try:
                return requests.get(f"http://{address}/", timeout=2).ok
            except requests.RequestException:
                return False

        pid, away = self.hit_server(name, answers)
        return f"media node {name} {pid} killed, started after {away:.1f} s"


def broken_rules(stack):
    """({"I1": how many rows break it}, what is wrong with them)."""
    with contextlib.closing(stack.db()) as db:
        problems = check_invariants(db)
    return collections.Counter(re.match(r"I\d", one)[0] for one in problems), problems


def report(chaos, figures, problems):
    """The table; whether all is well."""
    broken, rows = broken_rules(chaos.stack)
    print()
    for rule, words in RULES.items():
        print(f"  {rule}  {words:<46} {'holds' if not broken[rule] else f'BROKEN by {broken[rule]} rows'}")
    print(f"      {'killed':<46} {', '.join(f'{n} {kind}' for kind, n in sorted(chaos.hits.items()))}")
    if figures is not None:
        refused = sum(figures.not_served.values())
        lines = {
            "calls": f"{figures.calls:,}",
            "answers, and how many of them a 503": f"{figures.answers:,}, {refused:,}",
            "changes acknowledged, and found": f"{figures.acknowledged:,}, {figures.acknowledged:,}",
            "events stored, received in order, repeated":
                f"{figures.events:,}, {figures.events:,}, {figures.repeats:,}",
            "slowest answer": f"{figures.slowest_s:.2f} s",
        }
        for what, how in lines.items():
            print(f"      {what:<46} {how}")
    print(f"      {'longest until everybody was served again':<46} {chaos.slowest[0]:.2f} s ({chaos.slowest[1]})")
    for one in [*problems, *rows]:
        print(f"  WRONG  {one}")
    well = figures is not None and not rows
    print("\n  " + ("Nothing acknowledged was lost." if well else "It did NOT hold."))
    return well


def main():
    seconds, seed = float(os.environ.get("DEMO_S") or 60), os.environ.get("DEMO_SEED") or secrets.randbelow(10**6)
    stack = OnStack(os.environ["VAR"])
    if not (stack.var / "run" / "jobs.pid").exists():
        raise SystemExit("demo: this stack runs without jobs; choose another with VAR=")
    print(f"{seconds:.0f} s of chaos on {stack.url}, seed {seed}; 16 clients make calls", flush=True)
    ears = Ears(stack)
    try:
        load = Load(stack, ears.receiver, seed=seed).start()
        chaos = Chaos(stack, load, random.Random(f"chaos-{seed}"))
        try:
            chaos.go_on(seconds)
        finally:
            load.stop()
        figures, problems = None, []
        try:
            figures = load.verify()
            figures.write("scripts/demo chaos", sum(chaos.hits.values()))
        except AssertionError as e:
            problems = str(e).splitlines()
        well = report(chaos, figures, problems)
    finally:
        ears.close()
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
