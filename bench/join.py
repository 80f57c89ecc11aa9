"""The measuring part of bench/join. SPDX-License-Identifier: MIT"""
import asyncio
import json
import os
import pathlib
import signal
import subprocess
import sys

from support import cluster
from support.signalling import Client
from support.stack import Stack

WAYS = ("through us", "hosting node", "other node")
WARM_UP = 10


class Library:
    """One process of bench/join.mjs."""

    def __init__(self):
        self.process = subprocess.Popen(["node", str(pathlib.Path(__file__).with_name("join.mjs"))], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def connect_ms(self, url, token):
        self.process.stdin.write(json.dumps({"url": url, "token": token}) + "\n")
        self.process.stdin.flush()
        while not (line := self.process.stdout.readline()).startswith('{"ms":'):
            if not line:
                raise RuntimeError("the library's process ended")
        return json.loads(line)["ms"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


async def raw(url, token):
    async with Client(url, token) as one:
        return one.connect_s * 1000


def raw_ms(url, token):
    return asyncio.run(raw(url, token))


def round_of(stack, db, connect, first=0):
    """A fresh call for each way, so that none profits from another one's room; ms of each. They take turns to begin."""
    taken = {}
    for way in WAYS[first:] + WAYS[:first]:
        room, _, answer = cluster.new_call(stack, prefix="bench")
        home = cluster.homes(db, [room])[room]
        other = next(addr for addr in cluster.addresses(stack) if addr != home)
        url = {"through us": answer["url"], "hosting node": f"ws://{home}", "other node": f"ws://{other}"}[way]
        taken[way] = connect(url, answer["token"])
    return taken


def compare(stack, db, name, n, connect):
    for _ in range(WARM_UP):
        round_of(stack, db, connect)
    rounds = [round_of(stack, db, connect, i % len(WAYS)) for i in range(n)]
    for way in WAYS:
        ms = sorted(one[way] for one in rounds)
        print(f"{name:20} {way:13} ms  p50 {ms[n // 2]:7.2f}  p95 {ms[n * 95 // 100]:7.2f}  max {ms[-1]:7.2f}",
              flush=True)
    extra = sorted(one["through us"] for one in rounds)[n // 2] - sorted(one["hosting node"] for one in rounds)[n // 2]
    print(f"{name:20} through us costs {extra:+.2f} ms at the median", flush=True)


def silent_node(stack, db, sign, n):
    """A call's node falls silent before anybody came; its first join, through us."""
    taken = []
    for _ in range(n):
        room, _, answer = cluster.new_call(stack, prefix="bench")
        part = cluster.part(stack, cluster.homes(db, [room])[room])
        stack.kill(part, sign)
        taken.append(raw_ms(answer["url"], answer["token"]))
        if sign == signal.SIGSTOP:
            stack.kill(part, signal.SIGCONT)
        stack.start()
        cluster.all_serve(stack)
    taken.sort()
    name = {signal.SIGKILL: "its node was killed", signal.SIGSTOP: "its node is frozen"}[sign]
    print(f"{name:20} through us    ms  p50 {taken[n // 2]:7.0f}  max {taken[-1]:7.0f}", flush=True)


def main():
    n, failures = [int(one) for one in (sys.argv[1:] + ["100", "5"][len(sys.argv) - 1:])]
    with Stack(nodes=2, jobs=True) as stack:
        cluster.all_serve(stack)
        db = stack.db()
        print(f"{n} joins of fresh rooms each way, two nodes, {os.cpu_count()} cores shared by everything", flush=True)
        compare(stack, db, "signalling", n, raw_ms)
        library = Library()
        compare(stack, db, "whole connect", n, library.connect_ms)
        library.close()
        if failures > 0:
            silent_node(stack, db, signal.SIGKILL, failures)
            silent_node(stack, db, signal.SIGSTOP, failures)


main()
