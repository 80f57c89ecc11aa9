"""The measuring part of bench/growth. SPDX-License-Identifier: MIT"""
import os
import secrets
import shutil
import sys
import tempfile
import time

import fill
from stage import Stage, bench_stack, keep, machine, median, say_machine

PATHS = ("health", "sync", "get", "create", "join")
GOALS = {"sync": 1.2}             # the cost at the largest size, as a multiple of that at the smallest
ROUNDS = 3
POOL = 1000


def in_bytes(text):
    return int(text[:-1]) << {"K": 10, "M": 20, "G": 30}[text[-1]] if text[-1] in "KMG" else int(text)


def that_fit(sizes, folder):
    free = shutil.disk_usage(folder).free
    fit = [size for size in sizes if size * fill.BYTES_A_CALL < free * 0.8]
    print(f"{folder}: {free >> 30} GB free, about {fill.BYTES_A_CALL} bytes a call: {', '.join(f'{s:,}' for s in fit)} calls"
          + (f"; no room for {', '.join(f'{s:,}' for s in sizes if s not in fit)}" if len(fit) < len(sizes) else ""))
    return fit


def pool(stage, db, size):
    """Calls that are under way, of people with a past."""
    after = fill.newest_row(db)
    prefix = stage.pool(POOL)
    fill.give_history(db, after, size)
    return prefix


def measure(stage, prefix, seconds):
    found = {path: [] for path in PATHS}
    for _ in range(ROUNDS):
        made, about = 0, secrets.token_hex(4)
        for path in PATHS:
            if path in ("create", "join"):
                one = stage.costed(path, about, "-s", seconds, *(["-m", made] if path == "join" else []))
                made = one["ops"]
            else:
                one = stage.costed(path, prefix, "-s", seconds, "-y", "-m", POOL)
            found[path].append(one)
    return {path: {"rate": median(all_of, "rate"), "cost_us": 1e6 / median(all_of, "rate"), "p99_ms": median(all_of, "p99_ms"),
                   "database_us": median(all_of, "cpu_us", "database")} for path, all_of in found.items()}


def show(sizes):
    first = sizes[0]
    print(f"\n{'calls':>11}{'GB':>7}" + "".join(f"{path + ' us':>12}{'x':>6}" for path in PATHS))
    for one in sizes:
        cells = "".join(f"{one['paths'][path]['cost_us']:12.0f}"
                        f"{one['paths'][path]['cost_us'] / first['paths'][path]['cost_us']:6.2f}" for path in PATHS)
        print(f"{one['size']:11,}{one['bytes'] / 2**30:7.2f}{cells}")
    for path, goal in GOALS.items():
        times = sizes[-1]["paths"][path]["cost_us"] / first["paths"][path]["cost_us"]
        print(f"{path}: {times:.2f} times the cost, goal {goal}{'' if times <= goal else ' - missed'}"
              " (health is the same work at every size: its x is the machine's own)")


def main(seconds=5.0, *sizes):
    wanted = sorted(int(size) for size in sizes) or [10**4, 10**5, 10**6, 10**7]
    tempfile.tempdir = os.environ.get("DIR") or None
    buffer_pool = in_bytes(os.environ.get("BUFFER_POOL", "4G"))
    on, found, filled = machine(), [], 0
    say_machine(on)
    wanted = that_fit(wanted, tempfile.gettempdir())
    with bench_stack() as stack:
        stage, db = Stage(stack), stack.db()
        for size in wanted:
            began = time.monotonic()
            with stage.root.cursor() as c:
                fill.settings(c, buffer_pool, quick=True)
                fill.fill(db, filled + 1, size)
                fill.settings(c, buffer_pool, quick=False)
            filled = size
            print(f"{size:,} calls, filled in {time.monotonic() - began:.0f} s", flush=True)
            paths = measure(stage, pool(stage, db, size), seconds)
            found.append({"size": size, "bytes": fill.bytes_on_disk(db), "paths": paths})
            # At once: the next size may take an hour, or the disk.
            keep("growth", {"machine": on, "seconds": seconds, "buffer_pool": buffer_pool, "goals": GOALS, "sizes": found})
        db.close()
        stage.close()
    if found:
        show(found)


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
