"""tgo-call events, redeliver, endpoints, and check's test event. SPDX-License-Identifier: MIT"""
import base64
import hashlib
import hmac
import http.server
import json
import re
import threading
import time

import pytest

from support.ctl import Ctl
from support.wait import wait_until

URLS = ["http://ann:secret@127.0.0.1:9/all", "http://127.0.0.1:9/go"]
ALL, GO = (hashlib.sha256(url.encode()).hexdigest()[:16] for url in URLS)
RECEIVERS = json.dumps([{"url": URLS[0], "secret": "s", "events": ["*"]}, {"url": URLS[1], "secret": "s"}])


@pytest.fixture
def ctl(stack, tmp_path):
    return Ctl.of(stack, tmp_path, BUSINESS_WEBHOOK_ENDPOINTS=RECEIVERS)


@pytest.fixture
def ask(db):
    def run(text, *args):
        with db.cursor() as c:
            c.execute(text, args)
            return c.fetchall()

    return run


@pytest.fixture
def story(call, fresh, ask):
    """A call that was refused; its room and its events, numbered by hand."""
    room = call.post("/rooms", {"creator": fresh("ann"), "uids": [fresh("bob")]}).json()
    call.post(f"/rooms/{room['room_id']}/reject", {"uid": room["uids"][0]})
    ask("SET @pos = (SELECT MAX(pos) FROM event)")
    ask("UPDATE event SET pos = (@pos := @pos + 1) WHERE room_id = %s ORDER BY id", room["room_id"])
    ask("DELETE FROM event_delivery")
    ask("DELETE FROM webhook_endpoint")
    for one, url in ((ALL, URLS[0]), (GO, URLS[1])):
        ask("INSERT INTO webhook_endpoint (id, url, added_at_ms) VALUES (%s, %s, 1)", one, url)
    events = ask("SELECT * FROM event WHERE room_id = %s ORDER BY pos", room["room_id"])
    yield room["room_id"], events
    ask("DELETE FROM event WHERE room_id = %s AND seq > 3", room["room_id"])
    ask("UPDATE event SET created_at_ms = %s WHERE room_id = %s", events[0]["created_at_ms"], room["room_id"])
    ask("DELETE FROM event_delivery")
    ask("DELETE FROM webhook_endpoint")


def test_events(ctl, story):
    room, events = story
    kinds = [e["type"] for e in events]
    assert kinds == ["participant.invited", "participant.rejected", "room.finished"]
    found = ctl.ok("events", "--room", room)
    assert [e["type"] for e in found["events"]] == kinds and found["next"] == events[-1]["pos"]
    assert found["events"][0]["data"] == json.loads(events[0]["data"])
    after = events[0]["pos"]
    assert [e["pos"] for e in ctl.ok("events", "--after", after)["events"]] == [after + 1, after + 2]
    assert [e["pos"] for e in ctl.ok("events", "--after", after, "-n", 1)["events"]] == [after + 1]
    assert [e["pos"] for e in ctl.ok("events", "--limit", 2)["events"]] == [after + 1, after + 2]
    chosen = ctl.ok("events", "--after", after - 1, "--type", "room.finished,participant.invited")
    assert [e["type"] for e in chosen["events"]] == ["participant.invited", "room.finished"]
    code, text = ctl.on_a_terminal("events", "--room", room)
    assert code == 0 and len(text.splitlines()) == 3
    assert re.match(rf"{after}  \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d  participant.invited +{room}  1  ", text)


def test_follow(ctl, story, ask):
    """What comes is printed as it comes, a line each."""
    room, events = story
    process = ctl.start("events", "--follow", "--after", events[0]["pos"])
    try:
        for event in events[1:]:
            assert json.loads(process.stdout.readline())["pos"] == event["pos"]
        ask("INSERT INTO event (event_id, room_id, seq, type, data, created_at_ms, pos)"
            " VALUES (%s, %s, 9, 'room.started', '{}', 1, %s)", f"follow-{room}"[:36], room, events[-1]["pos"] + 1)
        assert json.loads(process.stdout.readline())["type"] == "room.started"
        process.stdout.close()
        ask("INSERT INTO event (event_id, room_id, seq, type, data, created_at_ms, pos)"
            " VALUES (%s, %s, 10, 'room.started', '{}', 1, %s)", f"foll2-{room}"[:36], room, events[-1]["pos"] + 2)
        # Nobody reads any more.
        assert process.wait(20) == 1
    finally:
        process.kill()
        process.stderr.close()
        process.wait()


def test_redeliver(ctl, story, ask, logs):
    room, events = story
    assert ctl.ok("redeliver", events[-1]["event_id"]) == {"queued": 2}
    assert {d["endpoint_id"] for d in ask("SELECT * FROM event_delivery WHERE state = 1")} == {ALL, GO}
    ask("DELETE FROM event_delivery")
    ask("UPDATE event SET created_at_ms = 1000000000000 WHERE room_id = %s", room)
    assert ctl.ok("redeliver", "--since", "2001-09-08", "--until", 1000000001, "--endpoint", GO) == {"queued": 3}
    assert {d["endpoint_id"] for d in ask("SELECT * FROM event_delivery WHERE state = 1")} == {GO}
    chosen = ("--since", "1000000000", "--until", 1000000001, "--type", "room.finished")
    assert ctl.ok("redeliver", *chosen) == {"queued": 2}
    code, text = ctl.on_a_terminal("redeliver", events[0]["event_id"])
    assert (code, text) == (0, "2 queued\n")
    assert [line["queued"] for line in logs.lines(event="redelivered")] == [2, 3, 2, 2]


@pytest.mark.parametrize("line, word", [
    (["redeliver"], "takes an EVENT_ID, or --since"), (["redeliver", "x", "--since", "1h"], "takes an EVENT_ID"),
    (["redeliver", "--until", "1h"], "takes an EVENT_ID"), (["redeliver", "--since", "soon"], "--since"),
    (["redeliver", "a", "b"], "usage: tgo-call redeliver"), (["redeliver", "--since", "1h", "--type", ","], "--type"),
    (["events", "--after", "-1"], "--after"), (["events", "--limit", "0"], "--limit"),
    (["events", "--limit", "1001"], "--limit"), (["events", "--type", "a,,b"], "--type"),
    (["events", "x"], "usage: tgo-call events"), (["endpoints", "x"], "usage: tgo-call endpoints"),
    (["endpoints", "--enable"], "--enable needs a value")])
def test_wrong_use(ctl, line, word):
    done = ctl(*line)
    assert done.returncode == 2 and word in done.stderr, done.stderr


def test_what_is_not_there(ctl, story):
    for line, word in ((["redeliver", "nope"], "nope: no such event"),
                       (["redeliver", "--since", "1h", "--endpoint", "x"], "no such receiver"),
                       (["endpoints", "--enable", "nope"], "nope: no such receiver")):
        done = ctl(*line)
        assert done.returncode == 1 and word in done.stderr, done.stderr


def test_endpoints(ctl, story, ask):
    _, events = story
    ask("UPDATE webhook_endpoint SET state = 'disabled', last_status = 410, last_failed_at_ms = 1000000000000"
        " WHERE id = %s", ALL)
    ask("INSERT INTO event_delivery (endpoint_id, pos, event_no, room_id, type, created_at_ms)"
        " VALUES (%s, %s, %s, %s, 'a', %s)", ALL, events[0]["pos"], events[0]["id"], events[0]["room_id"],
        time.time_ns() // 1_000_000 - 70_000)
    found = ctl.ok("endpoints")["endpoints"]
    one = next(e for e in found if e["id"] == ALL)
    assert (one["state"], one["pending"], one["url"]) == ("disabled", 1, "http://***@127.0.0.1:9/all")
    assert one["events"] == ["*"] and 70 <= one["oldest_pending_s"] < 90
    code, text = ctl.on_a_terminal("endpoints")
    assert code == 0 and text.splitlines()[0].split() == ["ID", "STATE", "PENDING", "OLDEST", "LAST", "OK", "LAST",
                                                          "FAILED", "STATUS", "URL"]
    assert "secret" not in text and f"{ALL}  disabled  1" in text
    found = ctl.ok("endpoints", "--enable", ALL)["endpoints"]
    assert {e["state"] for e in found} == {"active"}
    ask("UPDATE webhook_endpoint SET down_since_ms = 5 WHERE id = %s", GO)
    assert f"{GO}  down" in ctl.on_a_terminal("endpoints")[1]


# ---- the test event of check ----

@pytest.fixture
def receiver():
    """receiver(status): its address; receiver.got: the requests it was sent."""
    servers, got = [], []

    def make(status=204, body=b""):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                got.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_address[1]}"

    make.got = got
    yield make
    for one in servers:
        one.shutdown()
        one.server_close()


def receivers(done):
    return {c["name"]: c for c in json.loads(done.stdout)["checks"] if c["name"].startswith("receiver")}


def test_check_sends_a_signed_test_event(ctl, receiver):
    secret = "whsec_" + base64.b64encode(b"k" * 24).decode()
    good, bad = receiver() + "/in?x=1", receiver(500, b"not today")
    settings = json.dumps([{"url": good.replace("//", "//u:p@"), "secret": secret, "secret_old": "before"},
                           {"url": bad, "secret": "s"}, {"url": "http://127.0.0.1:1/", "secret": "s"}])
    found = receivers(ctl("check", BUSINESS_WEBHOOK_ENDPOINTS=settings))
    assert [found[f"receiver {i}"]["status"] for i in (1, 2, 3)] == ["ok", "warn", "warn"]
    assert "took a test event: 204" in found["receiver 1"]["message"] and "u:p" not in found["receiver 1"]["message"]
    assert "500: not today" in found["receiver 2"]["message"] and found["receiver 2"]["cure"]
    assert "127.0.0.1:1" in found["receiver 3"]["message"]
    path, head, body = next(one for one in receiver.got if one[0].startswith("/in"))
    data = json.loads(body)
    assert path == f"/in?x=1&event_type=tgo.test&event_id={data['event_id']}"
    assert head["X-Event-Type"] == "tgo.test" and head["X-Event-ID"] == data["event_id"] == head["webhook-id"]
    assert head["X-Signature"] == hmac.new(secret.encode(), body, "sha256").hexdigest()
    signed = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + body
    assert head["webhook-signature"] == " ".join(
        "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in (b"k" * 24, b"before"))
    assert abs(int(head["webhook-timestamp"]) - time.time()) < 60
    assert data["room_id"] == "" and {"creator", "status", "uids", "created_at", "duration"} <= set(data)


def test_check_keeps_to_the_fence(ctl, receiver):
    url = receiver()
    settings = json.dumps([{"url": url, "secret": "s"}])
    found = receivers(ctl("check", BUSINESS_WEBHOOK_ENDPOINTS=settings, WEBHOOK_ALLOW_PRIVATE="false"))
    assert found["receiver 1"]["status"] == "warn" and "WEBHOOK_ALLOW_PRIVATE" in found["receiver 1"]["cure"]
    assert receiver.got == []


def test_check_without_receivers(ctl):
    found = receivers(ctl("check", BUSINESS_WEBHOOK_ENDPOINTS=None))
    assert found["receivers"]["status"] == "ok"


def test_check_sends_to_many(ctl, receiver):
    url = receiver()
    settings = json.dumps([{"url": f"{url}/{i}", "secret": "s"} for i in range(20)])
    found = receivers(ctl("check", BUSINESS_WEBHOOK_ENDPOINTS=settings))
    assert sorted({one["status"] for one in found.values()}) == ["ok"]
    wait_until(lambda: len(receiver.got) == 20, 5)
