"""`scripts/demo chaos` as somebody sees it who tries it. SPDX-License-Identifier: MIT"""
import re
import subprocess

import pytest

from support.rounds import rounds
from support.stack import ROOT, Stack


@pytest.fixture(scope="module")
def stack():
    """As scripts/run starts it for anybody, with two media nodes."""
    with Stack(nodes=2, jobs=True) as running:
        yield running


def jobs_endpoints(stack):
    """What the background work knows of receivers."""
    text = (stack.var / "run" / "jobs.pid").read_text().split()[0]
    environ = open(f"/proc/{text}/environ", encoding="utf-8").read().split("\0")
    return [one for one in environ if one.startswith("BUSINESS_WEBHOOK")]


def test_chaos(stack):
    """Short: 10 s, full: 60 s."""
    before = jobs_endpoints(stack)
    said = stack.run(ROOT / "scripts/demo", "chaos", DEMO_S=str(rounds(10, 60)))
    assert "Nothing acknowledged was lost." in said
    assert re.findall(r"I(\d) .* holds$", said, re.M) == list("1234567"), said
    hits = re.findall(r"^ +[\d.]+ s  (worker|background task|media node|MySQL) .* (\d+) not served, everybody is again"
                      r" after ([\d.]+) s$", said, re.M)
    assert {kind for kind, _, _ in hits} == {"worker", "background task", "media node", "MySQL"}, said
    assert all(float(took) < 5 for _, _, took in hits), said
    assert re.search(r"events stored, received in order, repeated +([\d,]+), \1, ", said), said
    # The stack is as it was.
    assert jobs_endpoints(stack) == before
    stack.run(ROOT / "scripts/run", "--status")


def test_says_what_there_is():
    done = subprocess.run([ROOT / "scripts/demo"], text=True, capture_output=True, timeout=30)
    assert done.returncode == 0 and "scripts/demo chaos" in done.stdout
    assert subprocess.run([ROOT / "scripts/demo", "peace"], capture_output=True, timeout=30).returncode == 2
