"""No secret anywhere it does not belong: a run over the whole API, the command line and the faults, with a secret planted
in every place that holds one, and then a look for each in all that was written, answered or can be seen of a process.

The form a secret travels in counts as it: whole, in base64, and the part of a token that makes it valid.
SPDX-License-Identifier: MIT
"""
import base64
import hashlib
import json
import os
import pathlib
import re
import secrets
import subprocess

import pytest
import requests

from support.client import Api
from support.ctl import Ctl
from support.direct import Direct
from support.wait import wait_until
from support.worker_process import children_of


def planted(name):
    return f"PLANTED{name.replace('_', '')}{secrets.token_hex(12)}"


class Told:
    """Everything that was said while this module ran, by where it was said."""

    def __init__(self):
        self.secrets = {name: planted(name) for name in (
            "DB_PASSWORD", "REDIS_PASSWORD", "LIVEKIT_SECRET", "TICKET_SECRET", "WEBHOOK_SECRET", "WEBHOOK_OLD",
            "URL_PASSWORD", "URL_QUERY", "METRICS_PASSWORD", "API_KEY", "HEADER", "WRONG_KEY")}
        self.secrets["WHSEC"] = "whsec_" + base64.b64encode(self.secrets["WEBHOOK_SECRET"].encode()).decode()
        self.said = {}

    def hear(self, where, text):
        self.said[where] = self.said.get(where, "") + text

    def find(self):
        """(where, which secret) for each that is found."""
        forms = {name: {value, base64.b64encode(value.encode()).decode().rstrip("="), value.encode().hex()}
                 for name, value in self.secrets.items()}
        return [(where, name, form) for where, text in self.said.items() for name, found in forms.items()
                for form in found if form in text]


@pytest.fixture(scope="module")
def told():
    return Told()


@pytest.fixture(scope="module")
def own(make_stack, told):
    s = told.secrets
    endpoints = [{"url": f"http://somebody:{s['URL_PASSWORD']}@127.0.0.1:9/hook?access_token={s['URL_QUERY']}",
                  "secret": s["WHSEC"], "secret_old": s["WEBHOOK_OLD"]}]
    stack = make_stack(jobs=True, LOG_LEVEL="debug", TICKET_SECRET=s["TICKET_SECRET"], RATE_LIMITS="off",
                       BUSINESS_WEBHOOK_ENDPOINTS=json.dumps(endpoints), WEBHOOK_ALLOW_PRIVATE="true",
                       API_KEYS=f"planted:{hashlib.sha256(s['API_KEY'].encode()).hexdigest()}", METRICS_USER="scraper",
                       METRICS_PASSWORD_SHA256=hashlib.sha256(s["METRICS_PASSWORD"].encode()).hexdigest())
    s["DB_OF_THE_STACK"], s["LIVEKIT_OF_THE_STACK"] = stack.env["DB_PASSWORD"], stack.env["LIVEKIT_API_SECRET"]
    s["KEY_OF_THE_STACK"], s["OPS_KEY_OF_THE_STACK"] = stack.env["TGO_KEY"], stack.env["TGO_OPS_KEY"]
    return stack


def send(told, own, method, path, authorization, body=None):
    answer = requests.request(method, own.url + path, json=body, timeout=30, allow_redirects=False, headers={
        "Authorization": authorization} if authorization else {})
    told.hear(f"headers of {method} {path}", str(dict(answer.headers)))
    told.hear(f"answer of {method} {path}", re.sub(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "TOKEN", answer.text))
    for token in re.findall(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", answer.text):
        if (method, path.rpartition("/")[2]) != ("GET", "openapi.json"):
            told.secrets[f"signature {token[-12:]}"] = token.rpartition(".")[2]
    return answer


BODY = {"creator": "sec-alice", "uids": ["sec-bob"], "uid": "sec-bob", "room_id": "sec-room", "status": 1, "since": 1,
        "until": 2, "room_name": "sec-room", "participant_identity": "sec-bob", "retention_days": 36500}


def test_the_whole_api(told, own, document):
    s = told.secrets
    ticket = Api(own).ticket("sec-bob", secret=s["TICKET_SECRET"])
    basic = "Basic " + base64.b64encode(f"scraper:{s['METRICS_PASSWORD']}".encode()).decode()
    forged = Api(own).ticket("sec-bob", secret="z" * 40)
    callers = [f"Bearer {s['API_KEY']}", f"Bearer {s['OPS_KEY_OF_THE_STACK']}", f"Bearer {ticket}", f"Bearer {forged}",
               f"Bearer {s['WRONG_KEY']}", f"Basic {s['HEADER']}", s["HEADER"], f"Digest {s['HEADER']}", basic, None]
    told.secrets["ticket"], told.secrets["forged"] = (t.rpartition(".")[2] for t in (ticket, forged))
    assert send(told, own, "POST", "/api/v1/rooms", callers[0], BODY).status_code == 200
    for method, path, _ in document.operations():
        path = re.sub(r"\{room_id\}", "sec-room", path)
        path = re.sub(r"\{\w+\}", "sec-bob", path)
        for caller in callers:
            send(told, own, method, path, caller, BODY if method in ("POST", "PUT") else None)
    for caller in callers:
        for path in ("/metrics", "/nowhere", "/rtc?access_token=" + s["HEADER"], "/rtc/validate?access_token=" + ticket,
                     "/api/v1/rooms?limit=x&key=" + s["HEADER"], "/api/v1/rooms/" + "x" * 50):
            send(told, own, "GET", path, caller)


def test_dead_dependencies(told, own, tmp_path):
    """A database that refuses the password, a Redis that does, a LiveKit that is not there: requests are answered."""
    s = told.secrets
    for name, settings in {
            "database": {"DB_PASSWORD": s["DB_PASSWORD"]}, "database away": {"DB_PASSWORD": s["DB_PASSWORD"], "DB_SOCKET": "/x"},
            "redis": {"REDIS_PASSWORD": s["REDIS_PASSWORD"]},
            "livekit": {"LIVEKIT_API_SECRET": s["LIVEKIT_SECRET"], "LIVEKIT_URL": "http://127.0.0.1:9", "LIVEKIT_CREATE_ROOM": "true"},
    }.items():
        folder = tmp_path / name.replace(" ", "-")
        folder.mkdir()
        at = Direct(folder, own, LOG_LEVEL="debug", **settings)
        try:
            at.service.spawn([at.service.binary, "--listen", f"unix:{at.service.sock}", "--env-file", str(at.service.env_file)])
            wait_until(lambda: at.service.proc.poll() is not None or at.service.serves(), 20)
            if at.service.proc.poll() is None:
                for method, path in (("POST", "/rooms"), ("GET", "/rooms/sec-room"), ("GET", "/readyz"), ("POST", "/tickets")):
                    answer = at.request(method, path, BODY if method == "POST" else None, key=s["KEY_OF_THE_STACK"])
                    told.hear(f"answer with {name}", str(answer.headers.pairs) + re.sub(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "TOKEN",
                                                                                      answer.text))
            see_processes(told, name, [at.service.pid, *children_of(at.service.pid)])
        finally:
            at.service.clean_up()
        for made in (at.service.log, at.service.err):
            told.hear(f"{made.name} with {name}", made.read_text(errors="replace") if made.exists() else "")


COMMANDS = [("config",), ("config", "--example"), ("config", "--man"), ("check",), ("check", "--json"), ("why", "sec-room"),
            ("--help",), ("help",), ("rooms",), ("room", "sec-room"), ("nodes",), ("events",), ("endpoints",), ("migrate", "--dry-run"),
            ("nginx",), ("logs", "--no-follow"), ("token", "--help"), ("no-such-command",)]


def test_the_command_line(told, own, tmp_path):
    """As it is, and with each secret wrong: what is printed names none of them."""
    s = told.secrets
    right = Ctl.of(own, tmp_path, TICKET_SECRET=s["TICKET_SECRET"], BUSINESS_WEBHOOK_ENDPOINTS=json.dumps(
        [{"url": f"http://somebody:{s['URL_PASSWORD']}@127.0.0.1:9/h?k={s['URL_QUERY']}", "secret": s["WHSEC"]}]))
    wrong = Ctl.of(own, tmp_path, DB_PASSWORD=s["DB_PASSWORD"], REDIS_PASSWORD=s["REDIS_PASSWORD"],
                   LIVEKIT_REDIS_PASSWORD=s["REDIS_PASSWORD"], LIVEKIT_API_SECRET=s["LIVEKIT_SECRET"],
                   LIVEKIT_URL="http://127.0.0.1:9", TICKET_SECRET=s["TICKET_SECRET"])
    for name, ctl in (("right", right), ("wrong", wrong)):
        for command in COMMANDS:
            with ctl.start(*command) as process:
                out, err = process.communicate(timeout=90)
            assert process.returncode >= 0, (command, err)
            told.hear(f"{command} {name}", out + err)


BAD = {  # values that are refused, with something secret in them
    "API_KEYS": "k:{0}", "LIVEKIT_KEYS": "key {0}", "TICKET_SECRET": "{0}\x01", "DB_PASSWORD": "{0}\x01",
    "REDIS_PASSWORD": "{0}\x02", "LIVEKIT_API_SECRET": "{0}\x7f", "METRICS_PASSWORD_SHA256": "{0}",
    "BUSINESS_WEBHOOK_SECRET": "{0}\x01", "BUSINESS_WEBHOOK_ENDPOINTS": '[{{"url":"http://a:{0}@","secret":"{0}"}}]',
    "BUSINESS_WEBHOOK_URLS": "http://somebody:{0}@/?key={0}", "LIVEKIT_URL": "http://somebody:{0}@host",
    "LIVEKIT_CLIENT_URL": "ws://somebody:{0}@host",
}


@pytest.mark.parametrize("name", BAD)
def test_a_start_that_fails(told, own, tmp_path, name):
    value = BAD[name].format(told.secrets["HEADER"])
    for program in ("tgo-call-worker", "tgo-call-jobs"):
        done = subprocess.run([f"{own.env['TGO_BIN']}/{program}", "--listen", f"unix:{tmp_path}/s"][:1 if "jobs" in program else 3],
                              env={"PATH": os.environ["PATH"], "AUTH_MODE": "open", "LIVEKIT_API_KEY": "k",
                                   "LIVEKIT_API_SECRET": "s" * 40, name: value}, capture_output=True, text=True, timeout=30,
                              stdin=subprocess.DEVNULL, cwd=tmp_path)
        assert done.returncode == 78 and name in done.stderr, (name, done.stderr)
        told.hear(f"{program} with a bad {name}", done.stdout + done.stderr)


def see_processes(told, name, pids):
    for pid in pids:
        told.hear(f"command line, {name}", pathlib.Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "))
        assert os.stat(f"/proc/{pid}/environ").st_uid == 0 and os.stat(f"/proc/{pid}/mem").st_uid == 0


def test_none_of_them_was_said(told, own):
    """After everything above."""
    if not told.said:
        pytest.skip("nothing was said: the tests before this one did not run")
    Api(own).post("/rooms", {"creator": "sec-zoe", "uids": ["sec-dan"]})
    wait_until(lambda: "delivery_failed" in log_text(own) or "webhook" in log_text(own), 20, 0.2, what="a delivery that fails")
    for part in ("worker", "route", "jobs"):
        see_processes(told, part, [own.pid(part), *children_of(own.pid(part))])
    for path in (own.var / "log").rglob("*"):
        if path.is_file() and path.name != "general.log":
            told.hear(f"log {path.name}", path.read_text(errors="replace"))
    assert len(told.said) > 100 and len(told.secrets) > 20
    assert told.find() == []
    whole = [where for where, text in told.said.items() if where.startswith(("log", "('config'", "('check'"))
             and re.search(r"eyJ[\w-]+\.[\w-]+\.[\w-]{20,}", text)]
    assert whole == []


def log_text(own):
    return pathlib.Path(own.env["APP_LOG"]).read_text(errors="replace")
