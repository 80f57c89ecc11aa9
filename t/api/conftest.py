"""What the tests of the API share. SPDX-License-Identifier: MIT"""
import itertools
import secrets

import pytest

from support.direct import Direct
from support.document import CheckedApi, Document

TABLES = ("rtc_room, rtc_participant, rtc_user, event, livekit_event, livekit_action, event_delivery,"
          " webhook_endpoint, business_webhook_log")


@pytest.fixture(scope="session")
def document():
    return Document()


@pytest.fixture(scope="session")
def call(stack, document):
    """A client whose every answer is held against docs/openapi.json."""
    return CheckedApi(stack, document)


_run, _number = secrets.token_hex(3), itertools.count(1)


@pytest.fixture(scope="session")
def fresh():
    """fresh("alice"): an id nobody has had."""
    return lambda name="u": f"{name}-{_run}-{next(_number)}"


@pytest.fixture(scope="module")
def worker(stack, tmp_path_factory):
    """worker(CONFIG="value", ...): a worker of its own on the stack's servers, asked without nginx."""
    made = []

    def make(**settings):
        made.append(Direct(tmp_path_factory.mktemp("worker"), stack, **settings))
        return made[-1].start()

    yield make
    for one in made:
        one.service.clean_up()


@pytest.fixture
def stored(db):
    """stored(): a mark of all that is in the database."""

    def look():
        with db.cursor() as c:
            c.execute(f"CHECKSUM TABLE {TABLES}")
            return [(row["Table"], row["Checksum"]) for row in c.fetchall()]

    return look
