"""docs/apps.md: its commands, and its JavaScript with real media. SPDX-License-Identifier: MIT"""
import json
import os
import pathlib
import re
import secrets
import subprocess
import textwrap

import pytest

from support.client import Api
from support.stack import ROOT

GUIDES = ["docs/apps.md", "docs/zh-CN/apps.md"]
# Two people with the guide's class; the rooms are those of the library for Node, which has media there.
DRIVER = textwrap.dedent("""\
    import { createRequire } from 'node:module';
    import { Calls } from './calls.mjs';
    const { Room } = createRequire(`${process.env.NODE_TOOLS}/package.json`)('@livekit/rtc-node');
    const [server, ann, bob] = process.argv.slice(2).map((one) => JSON.parse(one));
    const said = {};
    const [a, b] = [ann, bob].map(({ uid, ticket }) => new Calls(server, uid, ticket));
    const [roomA, roomB] = [new Room(), new Room()];
    said.room = await a.call(roomA, [bob.uid]);
    said.rings = await b.ringsUntil(said.room) - Date.now();
    await b.answer(roomB, said.room);
    said.answered = await b.ringsUntil(said.room);
    said.seen = [...roomB.remoteParticipants.keys()];
    await b.hangUp(roomB, said.room);
    await roomA.disconnect();
    said.again = await a.ask('POST', '/rooms', { creator: ann.uid, uids: [bob.uid] });
    await b.reject(said.again.room_id);
    said.refused = await b.answer(new Room(), said.again.room_id).catch((e) => e.message);
    said.stranger = await b.ask('GET', `/rooms/nowhere/participants/${bob.uid}`).catch((e) => [e.status, e.key]);
    console.log(`SAID ${JSON.stringify(said)}`);
    process.exit(0);
    """)


def blocks(name, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / name).read_text(encoding="utf-8"), re.M | re.S)


def test_both_languages_show_the_same():
    for language in ("sh", "js", "swift", "kotlin", "dart", "csharp"):
        english, chinese = (blocks(name, language) for name in GUIDES)
        assert english == chinese and english, language


def test_commands(livekit_stack, tmp_path):
    (tmp_path / "var").symlink_to(livekit_stack.var)
    done = subprocess.run(["sh", "-eu", "-c", "".join(blocks(GUIDES[0], "sh"))], cwd=tmp_path, text=True,
                          encoding="utf-8", env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    made, mine, token, over = map(json.loads, done.stdout.splitlines())
    assert made["token"] and made["my_status"] == 0
    assert (mine["status"], mine["room_status"]) == (0, 0) and mine["deadline"] > made["server_time"]
    assert token["server_url"] == made["url"] and token["participant_token"]
    assert (over["status"], over["end_reason"]) == (2, "hangup")
    assert [one["device_type"] for one in over["participants"] if one["uid"] == "bob"] == ["ios"]


@pytest.mark.parametrize("guide", GUIDES)
def test_javascript(livekit_stack, tmp_path, guide):
    (code,) = blocks(guide, "js")
    (tmp_path / "calls.mjs").write_text(code, encoding="utf-8")
    (tmp_path / "driver.mjs").write_text(DRIVER, encoding="utf-8")
    (tmp_path / "node_modules").symlink_to(pathlib.Path(os.environ["NODE_TOOLS"]) / "node_modules")
    api, tail = Api(livekit_stack), secrets.token_hex(4)
    people = [json.dumps({"uid": f"{one}-{tail}", "ticket": api.ticket(f"{one}-{tail}")}) for one in ("ann", "bob")]
    done = subprocess.run(["node", "driver.mjs", json.dumps(livekit_stack.url), *people], cwd=tmp_path, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    lines = [line for line in done.stdout.splitlines() if line.startswith("SAID ")]
    assert done.returncode == 0 and lines, done.stdout + done.stderr
    said = json.loads(lines[0][5:])
    assert 0 < said["rings"] <= 60000 and said["answered"] == 0 and said["seen"] == [f"ann-{tail}"]
    assert said["stranger"] == [404, "room_not_found"] and "409" in said["refused"]
    assert api.get(f"/rooms/{said['room']}").json()["end_reason"] == "hangup"
    assert api.get(f"/rooms/{said['again']['room_id']}").json()["status"] == 4
