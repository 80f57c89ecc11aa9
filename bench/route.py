"""The measuring part of bench/route. SPDX-License-Identifier: MIT"""
import json
import os
import subprocess
import sys

from support import cluster
from support.client import Api
from support.logs import AppLog
from support.stack import Stack


def tokens(stack, n):
    """A token for each of n calls, so that every question is about another room."""
    api, found = Api(stack), []
    for i in range(n):
        answer = api.post("/rooms", {"creator": f"ann-{i}", "uids": [f"bob-{i}"]})
        assert answer.status_code == 200, answer.text
        found.append(answer.json()["token"])
    return found


def percentile(values, p):
    return sorted(values)[min(len(values) - 1, len(values) * p // 100)]


def main(rate=2000, seconds=10, n_calls=500):
    settings = {name: os.environ[name] for name in ("ROUTE_WORKERS", "LOG_LEVEL") if name in os.environ}
    with Stack(nodes=2, **settings) as stack:
        cluster.all_serve(stack)
        file = stack.var / "tokens"
        file.write_text("".join(one + "\n" for one in tokens(stack, n_calls)))
        load = [f"{os.environ['BIN']}/bench/route_load", stack.var / "run/route.sock", file]
        subprocess.run([*load, "200", "2"], check=True, stdout=subprocess.DEVNULL)     # connections are open now
        log = AppLog(stack.env["APP_LOG"])
        done = subprocess.run([*load, str(rate), str(seconds)], stdout=subprocess.PIPE, text=True)
        print(f"{rate}/s for {seconds} s over {n_calls} calls, {os.cpu_count()} cores: {done.stdout.strip()}")
        lines = log.lines(event="routed")
        spent = [one["ms"] * 1000 for one in lines]
        print(f"in the worker: p50_us {percentile(spent, 50):.0f} p99_us {percentile(spent, 99):.0f}, "
              f"{sum(one['n_sql'] for one in lines)} statements for the database in {len(lines)} questions")
        nodes = cluster.addresses(stack)
        print(json.dumps({"nodes": {a: sum(one["livekit_node"] == a for one in lines) for a in nodes}}))
        return done.returncode


sys.exit(main(*map(int, sys.argv[1:])))
