"""Fixtures of every pytest tier: running stacks and what looks into them.

A stack is what scripts/run starts, in a temporary folder on free ports, so that tests run beside a stack of
yours. BIN=DIR uses programs that are built already; TGO_KEEP=1 keeps the folder for a look afterwards.
SPDX-License-Identifier: MIT
"""
import os
import signal

import pytest

from support.client import Api
from support.invariants import check_invariants
from support.logs import AppLog
from support.stack import Stack


def pytest_configure(config):
    """Told to end (scripts/test does so when it is interrupted), the fixtures still stop what they started."""
    def end(*_):
        signal.signal(signal.SIGTERM, lambda *_: None)
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, end)
    config.addinivalue_line("markers", "full: only in the full tier (TGO_FULL)")


def pytest_collection_modifyitems(config, items):
    if os.environ.get("TGO_FULL"):
        return
    config.hook.pytest_deselected(items=[one for one in items if one.get_closest_marker("full")])
    items[:] = [one for one in items if not one.get_closest_marker("full")]


@pytest.fixture(scope="session")
def stack():
    """The API without media nodes: quick to start, enough for most tests."""
    with Stack(nodes=0) as running:
        yield running


@pytest.fixture(scope="session")
def livekit_stack():
    """The same with two real LiveKit nodes."""
    with Stack(nodes=2) as running:
        if not running.env["LIVEKIT_NODES"]:
            pytest.fail("no livekit-server: it is neither in PATH nor could it be made")
        yield running


@pytest.fixture(scope="module")
def make_stack():
    """make_stack(nodes=0, jobs=False, CONFIG="value", ...): one of its own, for tests of configuration and
    faults."""
    made = []

    def make(nodes=0, jobs=False, **env):
        made.append(Stack(nodes=nodes, jobs=jobs, **env).start())
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def db(stack):
    connection = stack.db()
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def redis_client(stack):
    return stack.redis()


@pytest.fixture
def api(stack):
    return Api(stack)


@pytest.fixture
def logs(stack):
    """The application's log from the test's begin on."""
    return AppLog(stack.env["APP_LOG"])


@pytest.fixture
def invariants(stack):
    """Call it to check I1 to I7 of the contract on everything in the database."""

    def check(**options):
        connection = stack.db()
        try:
            problems = check_invariants(connection, **options)
        finally:
            connection.close()
        assert problems == []

    return check
