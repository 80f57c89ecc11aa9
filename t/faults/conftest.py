"""Servers that die, hang and come back, under a load of 16 clients.

A module has a stack with jobs and a business backend of its own; NODES in the module says how many media nodes,
SETTINGS what else it is configured with. SPDX-License-Identifier: MIT
"""
import os

import pytest

from support.load import Load, events_to
from support.receiver import Receiver
from support.stack import Stack


def pytest_configure(config):
    config.addinivalue_line("markers", "full: only in the full tier (TGO_FULL)")


def pytest_collection_modifyitems(config, items):
    if os.environ.get("TGO_FULL"):
        return
    config.hook.pytest_deselected(items=[one for one in items if one.get_closest_marker("full")])
    items[:] = [one for one in items if not one.get_closest_marker("full")]


@pytest.fixture(scope="module")
def receiver():
    one = Receiver()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def stack(request, receiver):
    settings = getattr(request.module, "SETTINGS", {})
    with Stack(nodes=getattr(request.module, "NODES", 0), jobs=True, **events_to(receiver, **settings)) as running:
        yield running


@pytest.fixture
def load(stack, receiver):
    """Running; the test stops and verifies it."""
    one = Load(stack, receiver).start()
    yield one
    one.stop()
