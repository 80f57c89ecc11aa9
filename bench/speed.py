"""The measuring part of scripts/bench. SPDX-License-Identifier: MIT"""
import os
import secrets
import sys

import record
from stage import Echo, Stage, bench_stack, keep, machine, median, say_machine

# What each path's figure is to be, as a part of its limit.
GOALS = {"health": 0.9, "sync": 0.75, "get": 0.75, "create": 0.75, "join": 0.75, "leave": 0.75, "call": 0.75}
REQUESTS = {"call": 4}            # of one op; else 1
READS = ("health", "get", "sync")
POOL = 1000


class Speed:
    """One path after the other, each right behind its echo and its loop, round after round."""

    def __init__(self, stage, echo, tape, seconds):
        self.stage, self.echo, self.seconds = stage, echo, seconds
        self.turns, self.tape = tape.turns, tape.write(stage.folder / "tape")
        self.pool = stage.pool(POOL)
        self.found = {path: [] for path in chosen()}

    def echo_rate(self, port):
        return self.stage.load("health", "echo", "-y", "-m", 1, "-s", self.seconds, port=port)["rate"]

    def round(self):
        """Calls that are made are joined next, and those that were joined are left."""
        ours, loops = "r" + secrets.token_hex(4), "l" + secrets.token_hex(4)
        n = {"ours": None, "loop": None}
        for path in self.found:
            one = self.path(path, ours, loops, n)
            one["echo_ours"] = self.echo_rate(self.echo.port_ours) if path == "health" else None
            self.found[path].append(one)

    def path(self, path, ours, loops, n):
        echo = self.echo_rate(self.echo.port)
        if path in READS:
            about, limits = self.pool, [["-y", "-m", POOL]] * 2
        elif path in ("join", "leave"):
            about, limits = ours, [["-m", n["ours"]], ["-m", n["loop"]]]
        else:
            about, limits = ours + path[0], [[], []]
            about, loops = (ours, loops) if path == "create" else (about, loops + path[0])
        loop = None
        if path != "health":
            loop = self.stage.loop(self.tape, path, self.pool if path in READS else loops, *limits[1], "-s", self.seconds)
        out = self.stage.costed(path, about, *limits[0], "-s", self.seconds)
        if path in ("create", "join"):
            n["ours"], n["loop"] = out["ops"], loop["ops"]
        limit = 1 / (REQUESTS.get(path, 1) / echo + (1 / loop["rate"] if loop else 0))
        return {**out, "echo": echo, "loop": loop["rate"] if loop else None, "limit": limit, "ratio": out["rate"] / limit}


def chosen():
    """join needs what create made, and leave what join did."""
    wanted = os.environ.get("PATHS", ",".join(GOALS)).split(",")
    if {"join", "leave"} & set(wanted):
        wanted += ["create", "join"]
    return [path for path in GOALS if path in wanted]


def summary(speed):
    paths = {}
    for path, found in speed.found.items():
        one = {key: median(found, key) for key in
               ("rate", "echo", "limit", "ratio", "p50_ms", "p99_ms", "max_ms", "statements")}
        one["loop"] = None if path == "health" else median(found, "loop")
        one["echo_ours"] = median(found, "echo_ours") if path == "health" else None
        one["cpu_us"] = {what: median(found, "cpu_us", what) for what in found[0]["cpu_us"]}
        one["round_trips"] = speed.turns.get(path, 0)
        one["goal"], one["requests"] = GOALS[path], REQUESTS.get(path, 1)
        one["rounds"] = [round(each["ratio"], 3) for each in found]
        paths[path] = one
    return paths


def show(paths):
    print(f"\n{'path':8}{'per s':>9}{'echo':>9}{'loop':>9}{'limit':>9}{'ratio':>8}{'goal':>7}{'p50 ms':>9}{'p99 ms':>9}")
    for path, one in paths.items():
        loop = f"{one['loop']:.0f}" if one["loop"] else "-"
        print(f"{path:8}{one['rate']:9.0f}{one['echo']:9.0f}{loop:>9}{one['limit']:9.0f}{one['ratio']:8.2f}{one['goal']:7.2f}"
              f"{one['p50_ms']:9.2f}{one['p99_ms']:9.2f}{'' if one['ratio'] >= one['goal'] else '  missed'}")
    print(f"\n{'per op':8}{'requests':>9}{'statem.':>9}{'trips':>7}" +
          "".join(f"{what + ' us':>12}" for what in ("worker", "nginx", "database", "redis", "client")))
    for path, one in paths.items():
        print(f"{path:8}{one['requests']:9}{one['statements']:9.1f}{one['round_trips']:7}" +
              "".join(f"{one['cpu_us'][what]:12.0f}" for what in ("worker", "nginx", "database", "redis", "client")))
    if "health" in paths:
        ours = paths["health"]["echo_ours"]
        print(f"\nthe echo behind our own nginx configuration: {ours:.0f}/s; health is {paths['health']['rate'] / ours:.2f} of that")


def main(seconds=5.0, rounds=3):
    on = machine()
    say_machine(on)
    with bench_stack() as stack:
        stage = Stage(stack)
        with Echo(stage) as echo:
            speed = Speed(stage, echo, record.record(stack, stage.folder), seconds)
            for i in range(int(rounds)):
                speed.round()
                print(f"round {i + 1}: " + "  ".join(f"{path} {found[-1]['ratio']:.2f}" for path, found in speed.found.items()),
                      flush=True)
        stage.close()
    paths = summary(speed)
    show(paths)
    keep("speed", {"machine": on, "seconds": seconds, "paths": paths})


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
