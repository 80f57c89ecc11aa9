"""The newest LiveKit that can be had, in place of the one everything else is tried with: it registers as we read it,
hosts what we assign to it, and loses a node without losing a call. Only in `scripts/test full`; skipped where no newer
one can be made. SPDX-License-Identifier: MIT
"""
import asyncio
import os
import pathlib
import shlex
import subprocess

import pytest

from support import cluster
from support.person import Person, hear_again
from support.signalling import Client
from support.stack import ROOT, Stack
from support.wait import wait_until

MODULE = "github.com/livekit/livekit-server"
ATTEMPTS = 6


def in_scripts(command):
    """With what the scripts know: where Go is, where things are kept."""
    parts = " ".join(f". {shlex.quote(str(ROOT / 'scripts/lib' / part))}.sh;" for part in
                     ("common", "packages", "build", "process", "stack", "livekit"))
    done = subprocess.run(["bash", "-c", f"set -euo pipefail; {parts} {command}"], capture_output=True, text=True,
                          timeout=1800, env={**os.environ, "GOTOOLCHAIN": "local", "GOROOT": ""})
    return done.stdout.strip().splitlines() if done.returncode == 0 else []


@pytest.fixture(scope="module")
def newest(tmp_path_factory):
    """(version, folder with livekit-server)."""
    if not os.environ.get("TGO_FULL"):
        pytest.skip("only in scripts/test full")
    found = in_scripts(f'go=$(go_find) && cd / && "$go" list -m -versions {MODULE}')
    tested, = in_scripts("echo $LIVEKIT_VERSION")
    newer = [one.removeprefix("v") for one in " ".join(found).split()[1:]]
    newer = [one for one in newer if "-" not in one and numbers(one) > numbers(tested)]
    for version in sorted(newer, key=numbers, reverse=True)[:ATTEMPTS]:
        made = in_scripts(f"LIVEKIT_VERSION={version}; at=$CACHE/livekit-{version}/livekit-server; "
                          '[ -x "$at" ] || livekit_make "$at" >&2; echo "$at"')
        if made:
            return version, pathlib.Path(made[-1]).parent
    pytest.skip(f"of {newer or 'no versions newer than ' + tested} none can be made here")


def numbers(version):
    return [int(one) for one in version.split(".")]


@pytest.fixture(scope="module")
def stack(newest):
    with Stack(nodes=2, jobs=True, PATH=f"{newest[1]}:{os.environ['PATH']}") as running:
        cluster.all_serve(running)
        yield running


def test_the_newest_version(newest, stack):
    db = stack.db()
    room, (ann, bob), answer = cluster.new_call(stack)
    ticket = cluster.joined(stack, room, bob)
    home = cluster.homes(db, [room])[room]
    assert home in cluster.addresses(stack) and cluster.mapped(stack, room) == home

    async def look():
        async with Client(stack.url, cluster.access_token(stack, f"look-{room}", "eve")) as one:
            return one.join.server_info.version
    assert asyncio.run(look()) == newest[0]
    pair, tickets = [Person(), Person()], [answer, ticket]
    try:
        for one, mine in zip(pair, tickets):
            one.connect(mine)
            one.do("publish")
        for one, uid in zip(pair, (bob, ann)):
            one.wait("heard", 30, **{"from": uid})
        sid = wait_until(lambda: cluster.person_row(db, room, bob)["sid"], 20)
        stack.kill(cluster.part(stack, home))
        wait_until(lambda: cluster.homes(db, [room])[room] != home, 30, what="the call on the other node")
        wait_until(lambda: cluster.person_row(db, room, bob)["sid"] not in ("", sid), 60, what="bob back")
        hear_again(pair, (ann, bob), tickets)
    finally:
        for one in pair:
            one.kill()
    db.close()
