"""Clusters of real LiveKit nodes, with the routing workers and the jobs. SPDX-License-Identifier: MIT"""
import pytest

from support import cluster
from support.client import Api
from support.invariants import check_invariants
from support.stack import Stack


def cluster_of(n):
    with Stack(nodes=n, jobs=True) as running:
        if not running.env["LIVEKIT_NODES"]:
            pytest.fail("no livekit-server: it is neither in PATH nor could it be made")
        cluster.all_serve(running)
        yield running


@pytest.fixture(scope="session")
def two():
    yield from cluster_of(2)


@pytest.fixture(scope="session")
def three():
    yield from cluster_of(3)


@pytest.fixture
def nodes(request):
    """The cluster that the test's file names in NODES; whole again afterwards, and its calls are in order."""
    stack = request.getfixturevalue(request.module.NODES)
    yield stack
    stack.start()
    cluster.all_serve(stack)
    connection = stack.db()
    problems = check_invariants(connection)
    connection.close()
    assert problems == []


@pytest.fixture
def db(nodes):
    connection = nodes.db()
    yield connection
    connection.close()


@pytest.fixture
def api(nodes):
    return Api(nodes)
