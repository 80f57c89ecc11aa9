"""tgo-call why, nodes and the route proof of tgo-call check, with real nodes and people. SPDX-License-Identifier: MIT"""
import json
import time

import jwt
import pytest
import requests

from support.client import Api
from support.ctl import Ctl
from support.person import Person
from support.wait import wait_until


@pytest.fixture
def ctl(livekit_stack, tmp_path):
    return Ctl.of(livekit_stack, tmp_path, **{name: livekit_stack.env[name] for name in ("NGINX_ACCESS_LOG", "LIVEKIT_NODES")})


@pytest.fixture
def api(livekit_stack):
    return Api(livekit_stack)


@pytest.fixture
def call(api):
    """Somebody rings somebody; what the caller was answered."""
    name = f"w{time.time_ns()}"
    return api.post("/rooms", {"creator": name, "uids": [name + "-called"], "room_id": "r" + name}).json()


def why(ctl, what, **settings):
    """Exit code, and {(uid, step): step}."""
    done = ctl("why", what, **settings)
    assert done.stdout, done.stderr
    return done.returncode, {(one["uid"], one["name"]): one for one in json.loads(done.stdout)["steps"]}


def status(steps, uid):
    return {name: one["status"] for (who, name), one in steps.items() if who == uid}


def test_nobody(ctl):
    done = ctl("why", "nobody-at-all")
    assert (done.returncode, done.stdout) == (1, "") and "neither a call" in done.stderr


def test_who_never_came(ctl, call):
    code, steps = why(ctl, call["room_id"])
    uid = call["creator"]
    assert steps["", "call"]["status"] == "ok" and steps["", "host"]["status"] == "ok"
    assert status(steps, uid) | {"nginx": "", "node": ""} == \
        {"state": "ok", "token": "ok", "url": "ok", "nginx": "", "node": ""}
    assert call["url"] in steps[uid, "token"]["message"] and abs(steps[uid, "token"]["at"] / 1000 - time.time()) < 60
    assert "arrived" in steps[uid, "nginx"]["message"] and "DNS" in steps[uid, "nginx"]["cure"]
    assert steps[uid, "node"]["message"] == "never connected"
    # Who is rung has not asked for anything yet.
    assert "did not answer" in steps[uid + "-called", "token"]["message"]


def test_who_is_connected(ctl, call, livekit_stack):
    uid = call["creator"]
    with Person() as person:
        person.connect(call)
        code, steps = wait_until(lambda: (lambda found: found if found[0] == 0 else None)(why(ctl, uid)), 20,
                                 what="all is well")
        assert status(steps, uid) == dict.fromkeys(("state", "token", "url", "nginx", "node"), "ok")
        assert "led to 127.0.0.1" in steps[uid, "nginx"]["message"]
        assert steps[uid, "node"]["message"].startswith("connected (PA_")
    # nginx's line comes with the end.
    def ended():
        one = why(ctl, uid)[1][uid, "nginx"]
        return "status 101 from 127.0.0.1" in one["message"]
    wait_until(ended, 20, what="nginx's line")


def test_who_was_refused(ctl, call, livekit_stack):
    claims = jwt.decode(call["token"], options={"verify_signature": False})
    claims.update(exp=int(time.time()) - 600, nbf=int(time.time()) - 1200)
    old = jwt.encode(claims, livekit_stack.env["LIVEKIT_API_SECRET"], "HS256")
    answer = requests.get(f"{livekit_stack.url}/rtc", params={"access_token": old}, timeout=10)
    assert answer.status_code == 401
    code, steps = why(ctl, call["creator"])
    one = steps[call["creator"], "nginx"]
    assert code == 1 or one["status"] == "warn"
    assert "refused" in one["message"] and "token" in one["cure"]


def test_a_call_that_is_over(ctl, api, call):
    assert api.post(f"/rooms/{call['room_id']}/end", {}).status_code == 200
    code, steps = why(ctl, call["room_id"])
    assert code == 1
    assert steps["", "call"]["status"] == "fail" and "over" in steps["", "call"]["message"]


def test_a_url_that_leads_nowhere(ctl, call):
    code, steps = why(ctl, call["creator"], LIVEKIT_CLIENT_URL="ws://127.0.0.1:1")
    # The token's url is what counts: it still leads to LiveKit, but is not what clients are told now.
    assert steps[call["creator"], "url"]["status"] == "warn"


def test_without_our_log(ctl, call):
    code, steps = why(ctl, call["creator"], LOG_FILE="/nowhere/at-all.log")
    one = steps[call["creator"], "token"]
    assert one["status"] == "warn" and "cannot be read" in one["message"]


def test_the_route_is_proved_for_each_node(ctl, livekit_stack):
    found = {one["name"]: one for one in json.loads(ctl("check").stdout)["checks"]}
    assert found["nodes"]["status"] == "ok" and found["livekit version"]["status"] == "ok"
    assert found["route"]["status"] == "ok", found["route"]
    for node in livekit_stack.env["LIVEKIT_NODES"].split(","):
        assert f"{node} answered (ND_" in found["route"]["message"]
    # Nothing of it is left.
    assert [room for room in livekit_stack.redis().hkeys("room_node_map") if room.startswith("tgo-check-")] == []


def test_the_route_without_its_workers(ctl, livekit_stack):
    """Any node takes the client and relays: it works, and is told."""
    livekit_stack.stop("route")
    try:
        found = {one["name"]: one for one in json.loads(ctl("check").stdout)["checks"]}
    finally:
        livekit_stack.start()
    assert found["route"]["status"] in ("ok", "warn"), found["route"]
    assert "answered" in found["route"]["message"] or "relays" in found["route"]["message"]


def test_a_secret_that_is_not_livekits(ctl):
    found = {one["name"]: one for one in json.loads(ctl("check", LIVEKIT_API_SECRET="x" * 40).stdout)["checks"]}
    assert found["route"]["status"] == "fail" and "status 401" in found["route"]["message"]
    assert "LIVEKIT_KEYS" in found["route"]["cure"]


def test_nodes_of_a_running_cluster(ctl, livekit_stack):
    nodes = json.loads(ctl("nodes").stdout)["nodes"]
    assert [one["addr"] for one in nodes] == sorted(livekit_stack.env["LIVEKIT_NODES"].split(","))
    assert {one["state"] for one in nodes} == {"ok"} and all(one["livekit_id"].startswith("ND_") for one in nodes)
