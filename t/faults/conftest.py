"""Servers that die, hang and come back, under a load of 16 clients.

A module has a stack with jobs and a business backend of its own; NODES in the module says how many media nodes,
SETTINGS what else it is configured with. SPDX-License-Identifier: MIT
"""
import pytest

from support.load import Load, events_to
from support.receiver import Receiver
from support.stack import Stack


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
