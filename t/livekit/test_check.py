"""tgo-call check with real LiveKit nodes: reachable, secret taken, webhooks arriving. SPDX-License-Identifier: MIT"""
import asyncio
import json
import time

import pytest
from livekit import api as livekit

from support.client import Api
from support.ctl import Ctl
from support.fake_livekit import FakeLiveKit
from support.wait import wait_until


@pytest.fixture
def ctl(livekit_stack, tmp_path):
    return Ctl.of(livekit_stack, tmp_path)


def found(done):
    return {one["name"]: one for one in json.loads(done.stdout)["checks"]}


def test_all_is_well_once_livekit_has_told_something(livekit_stack, ctl):
    # Making a room in LiveKit is enough for it to send its first webhook.
    async def make_room():
        async with livekit.LiveKitAPI(livekit_stack.url, livekit_stack.env["LIVEKIT_API_KEY"],
                                  livekit_stack.env["LIVEKIT_API_SECRET"]) as client:
            await client.room.create_room(livekit.CreateRoomRequest(name=room["room_id"]))

    room = Api(livekit_stack).post("/rooms", {"creator": f"c{time.time_ns()}", "uids": [f"d{time.time_ns()}"]}).json()
    asyncio.run(make_room())
    done = wait_until(lambda: (lambda d: d if found(d)["webhooks"]["status"] == "ok" else None)(ctl("check")), 15)
    assert done.returncode == 0, done.stdout
    assert "takes our key" in found(done)["livekit"]["message"]
    assert found(done)["lists"]["status"] == "ok"


def test_a_secret_that_is_not_livekits(ctl):
    done = ctl("check", LIVEKIT_API_SECRET="x" * 40)
    assert done.returncode == 1
    one = found(done)["livekit"]
    assert one["status"] == "fail" and "refuses the key" in one["message"]


def test_a_key_that_is_not_livekits(ctl):
    one = found(ctl("check", LIVEKIT_API_KEY="nobody"))["livekit"]
    assert one["status"] == "fail" and "refuses the key nobody" in one["message"]


def test_lists_that_redis_makes(livekit_stack, ctl):
    """Nodes without the setting answer with what stands in Redis; scripts/run sets it."""
    class Redis(FakeLiveKit):
        def no_node(self):
            return 200, {"participants": []}

    for kind, status, word in ((Redis, "warn", "ghosts"), (FakeLiveKit, "ok", "themselves")):
        fake = kind(livekit_stack.env["LIVEKIT_API_SECRET"])
        one = found(ctl("check", LIVEKIT_URL=fake.url))["lists"]
        assert one["status"] == status and word in one["message"]
        fake.stop()
