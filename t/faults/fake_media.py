"""A stack whose media node is a thread of the test's, so that rings end at once when their time is over (a LiveKit
that is silent is waited for) and faults can be had that real nodes cannot be made to have. To be imported by a test
module in place of the stack of conftest.py. SPDX-License-Identifier: MIT
"""
import pytest

from support.fake_livekit import FakeLiveKit
from support.load import events_to
from support.stack import Stack


@pytest.fixture(scope="module")
def livekit():
    fake = FakeLiveKit("the stack's, once there is one")
    fake.probed = True
    yield fake
    fake.stop()


@pytest.fixture(scope="module")
def stack(request, receiver, livekit):
    settings = getattr(request.module, "SETTINGS", {})
    address = livekit.url.removeprefix("http://")
    with Stack(jobs=True, LIVEKIT_NODES=address, **events_to(receiver, **settings)) as running:
        livekit.secret = running.env["LIVEKIT_API_SECRET"]
        yield running


__all__ = ["livekit", "stack"]
