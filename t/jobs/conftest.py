"""What the tests of tgo-call-jobs share. Here `stack` runs it, and so does make_stack unless told otherwise.

SPDX-License-Identifier: MIT
"""
import itertools
import secrets

import pytest

from support.jobs_process import Jobs, jobs_of
from support.stack import Stack

_run, _number = secrets.token_hex(3), itertools.count(1)


@pytest.fixture(scope="session")
def stack():
    """The API and tgo-call-jobs, without media nodes."""
    with Stack(nodes=0, jobs=True) as running:
        yield running


@pytest.fixture(scope="module")
def make_stack():
    """make_stack(nodes=0, jobs=True, CONFIG="value", ...): one of its own."""
    made = []

    def make(nodes=0, jobs=True, **env):
        made.append(Stack(nodes=nodes, jobs=jobs, **env).start())
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture(scope="module")
def quiet_stack():
    """One whose jobs are the tests' own."""
    with Stack(nodes=0, jobs=False) as running:
        yield running


@pytest.fixture
def jobs(stack):
    """The stack's own tgo-call-jobs."""
    running = jobs_of(stack)
    yield running
    running.close()


@pytest.fixture
def make_jobs(tmp_path):
    """make_jobs(stack, CONFIG="value", ...): a tgo-call-jobs more on that stack's servers, not started yet."""
    made = []

    def make(stack, **settings):
        folder = tmp_path / f"jobs-{len(made)}"
        folder.mkdir()
        made.append(Jobs(stack, folder, **settings))
        return made[-1]

    yield make
    for one in made:
        one.clean_up()


@pytest.fixture(scope="session")
def fresh():
    """fresh("alice"): an id nobody has had."""
    return lambda name="u": f"{name}-{_run}-{next(_number)}"
