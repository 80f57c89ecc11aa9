"""The measuring part of bench/memory. SPDX-License-Identifier: MIT"""
import pathlib
import secrets
import sys

from stage import WORKERS, Stage, bench_stack, keep, machine, say_machine
from support.worker_process import children_of

STEPS = 8                         # requests of one "mixed" op: see bench/steps.c
GOALS_KIB = {"Anonymous": 4096, "Pss": 6144}
PAUSES = 4                        # looks on the way: memory that grows shows


def rollup(pid):
    """KiB by name."""
    lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {line.split(":")[0]: int(line.split()[1]) for line in lines}


def look(stack, requests):
    """The largest and the mean of all workers."""
    workers = children_of(stack.pid("worker"))
    assert len(workers) == WORKERS, f"{len(workers)} workers"
    found = [rollup(pid) for pid in workers]
    out = {"requests": requests, "workers": workers}
    for name in GOALS_KIB:
        values = [one[name] for one in found]
        out[name] = {"max_kib": max(values), "mean_kib": sum(values) / len(values)}
    print(f"after {requests:>8} requests: " + ", ".join(
        f"{name} at most {out[name]['max_kib']} KiB, {out[name]['mean_kib']:.0f} on average" for name in GOALS_KIB), flush=True)
    return out


def main(requests=1000000):
    on = machine()
    say_machine(on)
    # What the worker says of each request is no memory, and a gigabyte of it is a nuisance.
    with bench_stack("error") as stack:
        stage = Stage(stack)
        looks = [look(stack, 0)]
        for i in range(1, PAUSES + 1):
            each = max(1, requests // PAUSES // STEPS)
            stage.load("mixed", f"mixed-{i}-" + secrets.token_hex(4), "-s", 24 * 3600, "-m", each)
            looks.append(look(stack, i * each * STEPS))
        stage.close()
    assert looks[0]["workers"] == looks[-1]["workers"], "a worker was replaced meanwhile"
    for name, goal in GOALS_KIB.items():
        worst = looks[-1][name]["max_kib"]
        print(f"{name}: {worst} KiB, goal {goal} KiB{'' if worst <= goal else ' - missed'}")
    keep("memory", {"machine": on, "goals_kib": GOALS_KIB, "looks": looks})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
