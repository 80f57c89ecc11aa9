"""docs/events.md: its receivers, run as they stand if their language is on this machine, and its examples against the
events of a running system. SPDX-License-Identifier: MIT
"""
import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest
import requests

from support.client import Api
from support.livekit_hook import Hook, now_ms, person
from support.ports import free_port
from support.stack import ROOT
from support.wait import wait_until

GUIDES = ["docs/events.md", "docs/zh-CN/events.md"]
NEW = "whsec_" + base64.b64encode(b"a secret of twenty-four.").decode()
OLD = "the-old-secret"
# Language of the block, its file, and how it is run.
RECEIVERS = {
    "python": ("receiver.py", ["python3", "receiver.py"]),
    "go": ("receiver.go", ["go", "run", "receiver.go"]),
    "js": ("receiver.mjs", ["node", "receiver.mjs"]),
    "php": ("receiver.php", ["php", "-S", "127.0.0.1:{port}", "receiver.php"]),
    "java": ("Receiver.java", ["java", "Receiver.java"]),
}
GO_SERVERS_TYPES = {"room.started", "room.finished", *("participant." + one for one in
                    ("joined", "left", "rejected", "missed", "cancelled", "invited"))}
BODY = '{"room_id":"r","uids":["安","b"],"event_id":"%s","seq":1}'


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text_of(name), re.M | re.S)


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def key_of(secret):
    return base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()


class Running:
    """A receiver of the guide in a folder of its own, and a sender for it."""

    def __init__(self, language, folder):
        name, argv = RECEIVERS[language]
        (code,) = blocks(GUIDES[0], language)
        (folder / name).write_text(code, encoding="utf-8")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/hook"
        env = {**os.environ, "PORT": str(self.port), "WEBHOOK_SECRETS": f"{NEW} {OLD}", "GOTOOLCHAIN": "local"}
        self.process = subprocess.Popen([one.format(port=self.port) for one in argv], cwd=folder, env=env, text=True,
                                        encoding="utf-8", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=(folder / "err").open("wb"), start_new_session=True)
        self.printed = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.n = 0
        wait_until(self.answers, 120, 0.1, f"{argv}: {(folder / 'err').read_text()}")

    def read(self):
        self.printed.extend(iter(self.process.stdout.readline, ""))

    def answers(self):
        assert self.process.poll() is None
        try:
            return requests.get(self.url, timeout=5).status_code in (405, 501)
        except requests.ConnectionError:
            return False

    def event(self, secrets=(NEW,), first=NEW, at=None, event_id=None, body=None, **changed):
        """Sends a delivery as ours are; `changed` replaces headers (None: takes it away). The answer's status."""
        self.n += 1
        event_id = event_id or f"01a1fcee-fe26-768d-8569-{self.n:012x}"
        body = (body or BODY % event_id).encode()
        sent = str(int(time.time()) if at is None else at)
        signed = f"{event_id}.{sent}.".encode() + body
        signatures = [b"v1," + base64.b64encode(mac(key_of(s), signed)) for s in secrets]
        headers = {"Content-Type": "application/json", "X-Event-Type": "room.started", "X-Event-ID": event_id,
                   "X-Timestamp": sent, "X-Signature": mac(first.encode(), body).hex(), "webhook-id": event_id,
                   "webhook-timestamp": sent, "webhook-signature": b" ".join(signatures).decode()}
        headers.update({name.replace("_", "-"): value for name, value in changed.items()})
        headers = {name: value for name, value in headers.items() if value is not None}
        body = changed.get("sent", body)
        headers.pop("sent", None)
        self.last = (event_id, body)
        return requests.post(self.url + "?event_type=room.started", data=body, headers=headers, timeout=20).status_code

    def has_printed(self, event_id):
        return [line for line in self.printed if f" {event_id} " in line]

    def close(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self.reader.join(10)
        self.process.stdout.close()


@pytest.fixture(scope="module", params=[one for one, (_, argv) in RECEIVERS.items() if shutil.which(argv[0])])
def receiver(request, tmp_path_factory):
    running = Running(request.param, tmp_path_factory.mktemp(request.param))
    yield running
    running.close()


class TestReceiver:
    def test_a_signed_event_is_taken_and_printed(self, receiver):
        assert receiver.event() == 204
        event_id, body = receiver.last
        (line,) = wait_until(lambda: receiver.has_printed(event_id), 10)
        assert line == f"room.started {event_id} {body.decode()}\n"

    def test_a_repeat_is_taken_and_printed_once(self, receiver):
        assert receiver.event(event_id="repeated") == 204
        assert receiver.event(event_id="repeated") == 204
        assert receiver.event(event_id="after") == 204
        wait_until(lambda: receiver.has_printed("after"), 10)
        assert len(receiver.has_printed("repeated")) == 1

    @pytest.mark.parametrize("secrets, first", [
        ((OLD,), OLD), ((NEW, OLD), NEW), (("somebody's", OLD), OLD), ((NEW,), OLD),
    ])
    def test_while_the_secret_is_changed(self, receiver, secrets, first):
        assert receiver.event(secrets=secrets, first=first) == 204

    @pytest.mark.parametrize("changed", [
        {"first": "somebody's"}, {"X_Signature": None}, {"X_Signature": "00"}, {"X_Signature": ""},
        {"secrets": ("somebody's",)}, {"secrets": ()}, {"webhook_signature": None}, {"webhook_signature": "v1,"},
        {"webhook_signature": "v1,!!! v1"}, {"webhook_id": "another"}, {"webhook_id": None},
        {"webhook_timestamp": None}, {"webhook_timestamp": "now"}, {"webhook_timestamp": "-1"},
        {"webhook_timestamp": ""},
        {"sent": b'{"room_id":"another"}'}, {"sent": b""},
    ], ids=str)
    def test_what_is_not_ours_is_refused(self, receiver, changed):
        assert receiver.event(**changed) == 401
        refused, _ = receiver.last
        assert receiver.event() == 204
        wait_until(lambda: receiver.has_printed(receiver.last[0]), 10)
        assert not [line for line in receiver.printed if refused in line]

    @pytest.mark.parametrize("seconds", [-3600, -400, 400])
    def test_old_and_future_ones_are_refused(self, receiver, seconds):
        assert receiver.event(at=int(time.time()) + seconds) == 401

    def test_a_few_minutes_are_allowed(self, receiver):
        assert receiver.event(at=int(time.time()) - 200) == 204

    def test_big_ones(self, receiver):
        assert receiver.event(body=json.dumps({"uids": ["x" * 40] * 20000})) == 204
        try:
            assert receiver.event(body=json.dumps({"uids": ["x" * 40] * 60000})) == 413
        except requests.ConnectionError:
            pass                                   # refused without reading all of it


def test_one_receiver_a_language():
    for language in RECEIVERS:
        assert len(blocks(GUIDES[0], language)) == 1, language


# ---- the examples and tables ----

def told_of(name):
    """The types and examples of a guide."""
    found = re.findall(r"^`([a-z.]+)`\n\n```json\n(.*?)^```$", text_of(name), re.M | re.S)
    return {kind: json.loads(text) for kind, text in found}


@pytest.fixture(scope="module")
def happened(stack):
    """Every type once: the calls that the examples were taken from, with other names."""
    api, hook, tail = Api(stack), Hook(stack.env, Api(stack)), str(now_ms())
    ann, bob, cat, dan = (f"{one}-{tail}" for one in ("ann", "bob", "cat", "dan"))

    def create(name, *uids, creator=ann):
        room = f"{name}-{tail}"
        assert api.post("/rooms", {"creator": creator, "uids": list(uids), "room_id": room}).status_code == 200
        return room

    room = create("first", bob)
    hook.tell("room_started", room, "RM_1")
    hook.tell("participant_joined", room, "RM_1", person(ann, "PA_1" + tail, now_ms(), device="app"))
    api.post(f"/rooms/{room}/join", {"uid": bob})
    api.post(f"/rooms/{room}/leave", {"uid": bob})
    api.post(f"/rooms/{create('second', bob)}/reject", {"uid": bob})
    api.post(f"/rooms/{create('third', bob)}/leave", {"uid": ann})
    api.put(f"/rooms/{create('fourth', bob)}/participants/{bob}/status", {"status": 4})
    create("busy", dan, creator=cat)
    create("fifth", bob, dan)
    connection = stack.db()
    with connection.cursor() as c:
        c.execute("SELECT type, data FROM event WHERE room_id LIKE %s ORDER BY id", (f"%-{tail}",))
        rows = c.fetchall()
    connection.close()
    return {row["type"]: json.loads(row["data"]) for row in rows}


@pytest.mark.parametrize("name", GUIDES)
def test_examples_are_what_is_sent(happened, name):
    """Each type has one, with the same keys in the same order and values of the same kind."""
    examples = told_of(name)
    assert set(examples) == set(happened) and len(examples) == 10
    for kind, example in examples.items():
        assert list(example) == list(happened[kind]), kind
        for key, value in example.items():
            assert isinstance(happened[kind][key], type(value)), f"{kind}: {key}"


@pytest.mark.parametrize("name", GUIDES)
def test_the_tables_name_every_type_and_field(happened, name):
    first_cells = re.findall(r"^\| ([^|]+) \|", text_of(name), re.M)
    named = {one.strip() for cell in first_cells for one in cell.split(",")}
    assert set(happened) <= named
    assert {key for data in happened.values() for key in data} <= named
    always = {m[1] for m in re.finditer(r"^\| ([a-z.]+) \|.*\| (?:always|总是) \|$", text_of(name), re.M)}
    assert always == GO_SERVERS_TYPES


def test_both_languages_say_the_same():
    def skeleton(name):
        text = text_of(name)
        rows = re.findall(r"^\| ([a-z_., ]+) \|.*$(?!\n\|-)", text, re.M)
        return rows, len(re.findall(r"^##+ ", text, re.M)), set(re.findall(r"`((?:GET|POST) /[^`]*|[A-Z_]{6,})`", text))

    english, chinese = map(skeleton, GUIDES)
    assert english[0] == chinese[0] and english[2] == chinese[2]
    # The receivers' own headings are in the English one only.
    assert english[1] - chinese[1] == len(RECEIVERS)
