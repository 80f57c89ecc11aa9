"""The guides' commands, run as they stand: on two LiveKit nodes, with people in real calls.

A block of the language sh is a command that is run; what it has to print is said here, for both languages at
once. SPDX-License-Identifier: MIT
"""
import json
import os
import re
import secrets
import signal
import subprocess
import threading
import time

import pytest

from support.client import Api
from support.logs import AppLog
from support.person import Person
from support.stack import ROOT
from support.wait import wait_until

GUIDES = ["docs/livekit-cluster-logging.md", "docs/zh-CN/livekit-cluster-logging.md"]
READMES = ["README.md", "README.zh-CN.md"]
UID, CALLED, ROOM = "ann", "bob", "first"
N_MORE_CALLS = 5
TOKEN, CREATED, JOINED, EVENT = "LiveKit Token 生成成功", "房间创建成功", "参与者加入房间成功", "LiveKit 事件"


def blocks(name):
    return re.findall(r"^```sh\n(.*?)^```$", (ROOT / name).read_text(encoding="utf-8"), re.M | re.S)


def commands(block):
    """Without comments: what is the same in every language."""
    return "\n".join(re.sub(r"\s+# .*", "", line) for line in block.splitlines())


def is_endless(block):
    return re.search(r"tail -F|logs -f", block) is not None


# ---- what is there to be seen ----

def hold_a_call(api, room, caller, called):
    """With media, until both have hung up."""
    created = api.post("/rooms", {"creator": caller, "uids": [called], "room_id": room}).json()
    joined = api.post(f"/rooms/{room}/join", {"uid": called}).json()
    with Person() as a, Person() as b:
        a.connect(created)
        b.connect(joined)
        a.do("publish")
        b.wait("heard", **{"from": caller})
        # Refused: somebody who is in a call already.
        assert api.post("/rooms", {"creator": caller, "uids": ["cyd"]}).status_code == 409
        for person in (a, b):
            person.do("disconnect")
            person.wait("disconnected")


def connect_once(api, i):
    made = api.post("/rooms", {"creator": f"guide-{i}", "uids": [f"guest-{i}"], "room_id": f"guide-{i}"}).json()
    with Person() as person:
        person.connect(made)


@pytest.fixture(scope="module")
def scene(livekit_stack, tmp_path_factory):
    """A folder as the README's reader has it, after some calls."""
    api = Api(livekit_stack)
    # More lines than "the last hundred" shows: a request that fails is one.
    for i in range(100):
        api.get(f"/rooms/nowhere-{i}")
    hold_a_call(api, ROOM, UID, CALLED)
    for i in range(N_MORE_CALLS):
        connect_once(api, i)
    nginx = AppLog(livekit_stack.env["NGINX_ACCESS_LOG"])
    nginx.offset = 0
    wait_until(lambda: sum(line["status"] == 101 for line in nginx.lines()) >= N_MORE_CALLS + 2, 20,
               what="nginx's lines of the connections that ended")
    log = AppLog(livekit_stack.env["APP_LOG"])
    log.offset = 0
    log.wait_for(room_id=ROOM, msg=EVENT, event="participant_left", timeout=20)
    # `--until` of a whole second must lie behind all of it.
    done = int(time.time())
    wait_until(lambda: int(time.time()) > done)
    return folder_of(livekit_stack, tmp_path_factory.mktemp("reader"))


class Scene:
    def __init__(self, stack, folder):
        self.stack, self.folder, self.env = stack, folder, stack.env
        self.api = Api(stack)

    def shell(self, text):
        """A child in a session of its own, with nothing of our environment but PATH."""
        return subprocess.Popen(["sh", "-eu", "-c", text], cwd=self.folder, text=True, encoding="utf-8",
                                env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"},
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                start_new_session=True)


def folder_of(stack, folder):
    (folder / "var").symlink_to(stack.var)
    return Scene(stack, folder)


# ---- what each command promises ----

def app_lines(text):
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines, "nothing was printed"
    return lines


def holds(*wanted):
    def check(text, scene):
        assert [one for one in wanted if one not in text] == []
    return check


def only(msg, n):
    def check(text, scene):
        lines = app_lines(text)
        assert {line["msg"] for line in lines} == {msg} and len(lines) >= n
        assert any(line.get("room_id") == ROOM for line in lines)
    return check


def about_livekit(text, scene):
    lines = app_lines(text)
    assert {TOKEN, CREATED, JOINED, EVENT} <= {line["msg"] for line in lines}
    assert all("livekit_url" in line or "LiveKit" in line["msg"] for line in lines)


def a_hundred(text, scene):
    assert len(app_lines(text)) == 100


def the_whole_story(text, scene):
    """All that was said of the room so far, and of others."""
    lines = app_lines(text)
    assert {CREATED, JOINED, EVENT} <= {line["msg"] for line in lines if line.get("room_id") == ROOM}
    assert any(line.get("room_id") == "guide-0" for line in lines)


def of_one_person(text, scene):
    lines = app_lines(text)
    assert all(UID in (line.get("uid"), line.get("creator"), *line.get("invited_uids", [])) for line in lines)
    assert {TOKEN, CREATED, EVENT} <= {line["msg"] for line in lines}


def of_one_room(text, scene):
    lines = app_lines(text)
    assert {TOKEN, CREATED, JOINED, EVENT} <= {line.get("msg") for line in lines if line.get("room_id") == ROOM}
    assert any(line.get("uri") == "/api/v1/rooms" and line["room"] == ROOM for line in lines)
    assert any(line.get("msg") == "starting RTC session" and line["room"] == ROOM for line in lines)
    assert all(ROOM in line.values() or ROOM in json.dumps(line) for line in lines)


def of_one_request(text, scene):
    lines = app_lines(text)
    assert len({line["request_id"] for line in lines}) == 1
    assert any("uri" in line for line in lines) and any("msg" in line for line in lines)


def a_file(text, scene):
    assert int(text) >= 5 and (scene.folder / f"call-{ROOM}.log.gz").stat().st_size > 100


def node_of(scene):
    """Log, name and address of the node that hosted the room, found in another way: who reported it active."""
    for path in scene.env["LIVEKIT_LOGS"].split():
        with open(path, encoding="utf-8") as f:
            lines = [json.loads(line) for line in f if line.startswith("{")]
        if any(line["msg"] == "participant active" and line.get("room") == ROOM for line in lines):
            start = next(line for line in lines if line["msg"] == "starting LiveKit server")
            return path, start["nodeID"], start["nodeIP"]
    raise AssertionError("no node had the room")


def the_serving_node(text, scene):
    path, name, _ = node_of(scene)
    assert f"{path}  room {ROOM}  node {name}" in text.splitlines()


def ids_and_addresses(text, scene):
    _, name, address = node_of(scene)
    rows = dict(line.split() for line in text.splitlines())
    assert rows[name] == address and sorted(rows.values()) == ["127.0.0.11", "127.0.0.12"]


def both_nodes_connected(text, scene):
    rows = {m[2]: int(m[1]) for m in re.finditer(r'^\s*(\d+) "upstream_addr":"([^"]*)"$', text, re.M)}
    assert set(rows) == set(scene.env["LIVEKIT_NODES"].split(","))
    assert sum(rows.values()) >= N_MORE_CALLS + 2


def sessions_by_node(text, scene):
    rows = dict(line.rsplit(":", 1) for line in text.splitlines())
    assert list(rows) == scene.env["LIVEKIT_LOGS"].split()
    assert sum(map(int, rows.values())) >= N_MORE_CALLS + 2


def the_newest_token(text, scene):
    (line,) = app_lines(text)
    assert (line["msg"], line["uid"], line["livekit_url"]) == (TOKEN, UID, scene.env["TGO_URL"].replace("http", "ws"))


def the_refusal(text, scene):
    assert app_lines(text)[-1]["error"] == "creator_in_another_call"


def connections(text, scene):
    lines = app_lines(text)
    assert all(line["uri"].startswith("/rtc") and "upstream_addr" in line for line in lines)
    assert any(line["status"] == 101 and line["request_time"] > 0 for line in lines)


def media_lines(text, scene):
    assert text.splitlines() == [f'"{msg}","room":"{ROOM}"' for msg in
                                 ("starting RTC session", "participant active", "participant closing")]


def status_401(text, scene):
    assert text == "401\n"


# A piece of the command, and what it has to print. One that follows has to show what happens meanwhile.
PROMISES = [
    (". var/env", "sets"),
    ('logs -f --tail 20', "follows"),
    ('tail -F "$APP_LOG"\n', "follows"),
    ('tail -F "$APP_LOG" | grep', "follows"),
    ('grep -E "LiveKit|livekit_url" "$APP_LOG"\n', about_livekit),
    (f'grep "{TOKEN}" "$APP_LOG"\n', only(TOKEN, N_MORE_CALLS + 2)),
    (f'grep "{CREATED}"', only(CREATED, N_MORE_CALLS + 1)),
    (f'grep "{JOINED}"', only(JOINED, 1)),
    (f'grep "{EVENT}"', only(EVENT, 5)),
    ("tail -n 100", a_hundred),
    ("--since 1h", the_whole_story),
    ('--since "$from" --until "$to"', the_whole_story),
    ('logs --uid "$uid"\n', of_one_person),
    ('grep -h -F "\\"$room\\""', of_one_room),
    ('grep -h -F "\\"$id\\""', of_one_request),
    ("gzip", a_file),
    ('"nodeIP"', ids_and_addresses),
    ("  room \\1  node \\2", the_serving_node),
    ("uniq -c", both_nodes_connected),
    ("grep -H -c", sessions_by_node),
    ("tail -n 1\n", the_newest_token),
    ('awk \'/"error":', the_refusal),
    ("/rtc/validate", status_401),
    ('"$NGINX_ACCESS_LOG" | tail -n 5', connections),
    ("participant active|participant closing", media_lines),
]


def promise_of(block):
    text = commands(block) + "\n"
    found = [one for one in PROMISES if one[0] in text]
    assert len(found) == 1, f"{len(found)} promises for:\n{block}"
    return found[0]


def test_both_languages_give_the_same_commands():
    english, chinese = ([commands(block) for block in blocks(name)] for name in GUIDES)
    assert english == chinese and len(english) == len(PROMISES)
    assert {promise_of(block)[0] for block in blocks(GUIDES[0])} == {piece for piece, _ in PROMISES}
    english, chinese = ([commands(block) for block in blocks(name) if ". var/env" in block] for name in READMES)
    assert len(english) == len(chinese) == 1


def run(scene, setup, block):
    process = scene.shell(setup + block)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, ""), f"{block}\nexit status {process.returncode}\n{out}{err}"
    return out


def follow(scene, setup, block):
    """Runs until it has shown a call that was made after it began; then it is stopped, as by Ctrl-C."""
    process = scene.shell(setup + block)
    seen = []
    reader = threading.Thread(target=lambda: seen.extend(iter(process.stdout.readline, "")), daemon=True)
    reader.start()
    made = []

    def shown():
        tail = secrets.token_hex(4)
        made.append(f"follow-{tail}")
        assert scene.api.post("/rooms", {"creator": f"f-{tail}", "uids": [f"g-{tail}"],
                                         "room_id": made[-1]}).status_code == 200
        return any(room in line for room in made for line in seen)

    try:
        wait_until(shown, 15, interval=0.3, what=f"a line of a new call in: {block}")
        assert process.poll() is None, "it ended by itself"
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(10)
        reader.join(10)
        process.stdout.close()
        process.stderr.close()
    return "".join(seen)


@pytest.mark.parametrize("number", range(len(PROMISES)))
@pytest.mark.parametrize("name", GUIDES)
def test_command(scene, name, number):
    setup, block = blocks(name)[0], blocks(name)[number]
    _, promise = promise_of(block)
    if promise == "sets":
        assert number == 0
        run(scene, block, "")
    elif promise == "follows":
        assert is_endless(block)
        text = follow(scene, setup, block)
        if "grep" in block:
            about_livekit_only(text)
    else:
        assert not is_endless(block)
        promise(run(scene, setup, block), scene)


def about_livekit_only(text):
    assert text and all("LiveKit" in line or "livekit_url" in line for line in text.splitlines())


@pytest.mark.parametrize("name", GUIDES)
def test_the_table_of_lines_is_true(scene, name):
    """Text, fields and their order, of each line the guide lists, against the lines that were written."""
    text = (ROOT / name).read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \|[^\n]*\| ([\w, ]+) \|$", text, re.M)
    assert {TOKEN, CREATED, JOINED, "请求完成", EVENT} == {msg for msg, _ in rows}
    log = AppLog(scene.env["APP_LOG"])
    log.offset = 0
    for msg, fields in rows:
        line = log.lines(msg=msg)[0]
        end = [] if msg == EVENT else ["event"]
        assert list(line) == ["level", "timestamp", "msg", "request_id", *fields.split(", "), *end]


@pytest.mark.parametrize("name", READMES)
def test_first_call_of_the_readme(make_stack, tmp_path, name):
    (block,) = [block for block in blocks(name) if ". var/env" in block]
    text = run(folder_of(make_stack(), tmp_path), "", block)
    assert text.count('"token":"') == 2 and '"participants":[' in text
    for msg in (CREATED, JOINED, TOKEN):
        assert f'"msg":"{msg}"' in text
    assert re.search(r'"creator":"ann".*"uids":\["bob","ann"\]', text)
