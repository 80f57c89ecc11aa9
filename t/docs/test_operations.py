"""docs/operations.md: its commands as they stand, in their order, on two LiveKit nodes while somebody is in a call.
SPDX-License-Identifier: MIT"""
import json
import os
import re
import subprocess

import pytest

from support.client import Api
from support.person import Person
from support.stack import ROOT
from support.wait import wait_until

GUIDES = ["docs/operations.md", "docs/zh-CN/operations.md"]
# What each block is known by, in the order of the guide.
STEPS = ["var/env", "check", "top --json", "nodes --json\n", "drain", '"calls"', "undrain", "$APP_LOG\" \"$NGINX_ACCESS_LOG\" $LIVEKIT",
         "routed", "RTC session", "why", "nginx --listen"]


def blocks(name):
    return re.findall(r"^```sh\n(.*?)^```$", (ROOT / name).read_text(encoding="utf-8"), re.M | re.S)


def test_both_languages_give_the_same_commands():
    english, chinese = map(blocks, GUIDES)
    assert english == chinese and len(english) == len(STEPS)
    assert [step for step, block in zip(STEPS, english) if step not in block] == []


class Reader:
    """Somebody in a folder with the stack's var, about a call of the test's own."""

    def __init__(self, stack, folder, guide, uid, room):
        (folder / "var").symlink_to(stack.var)
        self.folder = folder
        self.blocks = [block.replace("uid=dora", f"uid={uid}").replace("room=second", f"room={room}")
                       for block in blocks(guide)]
        self.before = self.blocks[0]

    def follow(self, step):
        """What it prints. What it sets stays set."""
        block = self.blocks[STEPS.index(step)]
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", self.before + block], cwd=self.folder, text=True,
                              encoding="utf-8", stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                              env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"})
        assert (done.returncode, done.stderr) == (0, ""), f"{block}\n{done.returncode}\n{done.stdout}{done.stderr}"
        self.before += "".join(line + "\n" for line in block.splitlines() if re.match(r"(node|id)=", line))
        return done.stdout


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("guide", GUIDES)
def test_guide(livekit_stack, tmp_path, guide):
    uid, room = f"dora-{len(guide)}", f"second-{len(guide)}"
    reader = Reader(livekit_stack, tmp_path, guide, uid, room)
    made = Api(livekit_stack).post("/rooms", {"creator": uid, "uids": [uid + "-called"], "room_id": room}).json()
    with Person() as person:
        person.connect(made)
        look_at_the_cluster(reader, livekit_stack)
        host = drain_and_undrain(reader, livekit_stack)
        wait_until(lambda: json.loads(reader.follow("why"))["ok"], 20, what="all steps well")
        follow_the_person(reader, livekit_stack, uid, room, host)
    reader.follow("nginx --listen")
    text = (tmp_path / "tgo-call.conf").read_text()
    assert all(f"server {node} " in text for node in livekit_stack.env["LIVEKIT_NODES"].split(","))


def look_at_the_cluster(reader, stack):
    found = {one["name"]: one["status"] for one in json.loads(reader.follow("check"))["checks"]}
    assert (found["nodes"], found["route"], found["livekit version"]) == ("ok", "ok", "ok")
    seen = json.loads(reader.follow("top --json"))
    assert seen["mysql"]["up"] and seen["redis"]["up"] and seen["livekit"]["up"] and seen["workers"]["alive"] > 0
    assert seen["a_second"]["requests"] > 0 and seen["people"]["joined"] >= 1
    nodes = json.loads(reader.follow("nodes --json\n"))["nodes"]
    assert {one["addr"] for one in seen["nodes"]} == {one["addr"] for one in nodes}
    assert {one["addr"] for one in nodes} == set(stack.env["LIVEKIT_NODES"].split(","))


def drain_and_undrain(reader, stack):
    drained = json.loads(reader.follow("drain"))
    assert drained["state"] == "drained" and drained["calls"] >= 1
    assert re.fullmatch(r'"calls":[1-9]\d*\n', reader.follow('"calls"'))
    assert json.loads(reader.follow("undrain"))["state"] == "ok"
    return drained["addr"]


def follow_the_person(reader, stack, uid, room, host):
    lines = json_lines(reader.follow(STEPS[7]))
    assert {"房间创建成功", "媒体连接已路由", "LiveKit 事件", "starting RTC session"} <= {line.get("msg") for line in lines}
    assert any(line.get("uri") == "/api/v1/rooms" and line["room"] == room and line["livekit_node"] == host
               for line in lines)
    (routed, *_) = json_lines(reader.follow("routed"))
    assert (routed["uid"], routed["room_id"], routed["livekit_node"]) == (uid, room, host)
    log = stack.env["LIVEKIT_LOGS"].split()[stack.env["LIVEKIT_NODES"].split(",").index(host)]
    assert reader.follow("RTC session").splitlines()[:2] == [f"{log}  {msg}  room {room}" for msg in
                                                             ("starting RTC session", "participant active")]


def test_every_state_is_explained():
    """The table has the words of the document's enum, in both languages."""
    schema = json.loads((ROOT / "docs/openapi.json").read_text())["components"]["schemas"]["Node"]
    states = schema["properties"]["state"]["enum"]
    for name in GUIDES:
        rows = re.findall(r"^\| (\w+) \|", (ROOT / name).read_text(encoding="utf-8"), re.M)
        assert [row for row in rows if row in states] == states
