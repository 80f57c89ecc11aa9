"""The measuring part of bench/latency. SPDX-License-Identifier: MIT"""
import os
import secrets
import sys

from stage import Stage, bench_stack, keep, machine, median, say_machine

SHARE = float(os.environ.get("SHARE", 0.5))
GOAL_P99_MS = 20


def round_of(stage, seconds):
    """The most there is to be had, then a part of it."""
    most = stage.load("create", secrets.token_hex(4), "-s", seconds)
    # More connections than at most are busy: what is late is late in the server, not before it.
    asked = stage.load("create", secrets.token_hex(4), "-s", seconds, "-r", most["rate"] * SHARE, connections=256)
    return {"most": most["rate"], "asked": most["rate"] * SHARE, **asked}


def main(seconds=10.0, rounds=3):
    on = machine()
    say_machine(on)
    with bench_stack() as stack:
        stage = Stage(stack)
        stage.load("create", secrets.token_hex(4), "-s", 1)            # connections and statements are there now
        found = []
        for _ in range(int(rounds)):
            found.append(round_of(stage, seconds))
            print("create: {most:.0f}/s at most; asked {asked:.0f}/s, answered {rate:.0f}/s: p50 {p50_ms:.2f} ms,"
                  " p99 {p99_ms:.2f} ms, slowest {max_ms:.0f} ms".format(**found[-1]), flush=True)
        stage.close()
    figures = {key: median(found, key) for key in ("most", "asked", "rate", "p50_ms", "p99_ms", "max_ms")}
    print("median: p50 {p50_ms:.2f} ms, p99 {p99_ms:.2f} ms{missed}".format(
        **figures, missed="" if figures["p99_ms"] < GOAL_P99_MS else f", which misses the goal of {GOAL_P99_MS} ms"))
    keep("latency", {"machine": on, "seconds": seconds, "share": SHARE, "goal_p99_ms": GOAL_P99_MS, "create": figures})


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
