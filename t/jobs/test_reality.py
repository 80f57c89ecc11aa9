"""The whole system at work: people call, nobody answers, processes die, and the business backend hears of all of
it. SPDX-License-Identifier: MIT
"""
import base64
import hashlib
import hmac
import http.server
import json
import secrets
import threading
import urllib.parse

import pytest

from players import Killer, Players, System, Watch
from support.client import Api
from support.rounds import rounds
from support.story import Story
from support.wait import wait_until

SECRET = "the backend's secret"


class Backend:
    """A receiver that takes every event, in the order in which it comes, and believes none that is not signed."""

    def __init__(self):
        self.lock, self.heard, self.wrong = threading.Lock(), [], []
        backend = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
                with backend.lock:
                    backend.take(query, self.headers, body)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 256

            def handle_error(self, *_):
                """A sender that died is no news."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/events?from=calls"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def endpoints(self):
        return json.dumps([{"url": self.url, "secret": SECRET, "timeout": 5, "events": ["*"]}])

    def take(self, query, headers, body):
        hexed = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
        coded = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
        data = json.loads(body)
        right = (headers["X-Signature"] == hexed and f"v1,{coded}" in headers["webhook-signature"].split()
                 and query["from"] == "calls" and query["event_type"] == headers["X-Event-Type"]
                 and {query["event_id"], headers["X-Event-ID"], headers["webhook-id"]} == {data["event_id"]})
        if not right:
            self.wrong.append((query, dict(headers), body))
        self.heard.append((data["room_id"], data["seq"], query["event_type"], data["event_id"], body, data))

    def of(self, room):
        with self.lock:
            return [one for one in self.heard if one[0] == room]

    def types(self, room):
        return [one[2] for one in self.of(room)]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def backend():
    one = Backend()
    yield one
    one.stop()
    assert one.wrong == []


@pytest.fixture(scope="module")
def system(make_stack, tmp_path_factory, backend):
    with System(make_stack, tmp_path_factory, BUSINESS_WEBHOOK_ENDPOINTS=backend.endpoints()) as running:
        connection = running.stack.db()
        wait_until(lambda: select(connection, "SELECT id FROM webhook_endpoint"), 20, what="the endpoint's row")
        connection.close()
        yield running


@pytest.fixture
def db(system):
    connection = system.stack.db()
    yield connection
    connection.close()


@pytest.fixture
def api(system):
    return Api(system.stack)


def select(connection, sql, *args):
    with connection.cursor() as c:
        c.execute(sql, args)
        return c.fetchall()


def test_a_call_that_nobody_answers(api, backend, fresh):
    """Waited for in real time: the shortest ring there is."""
    room, ann, bob = fresh("room"), fresh("ann"), fresh("bob")
    assert api.post("/rooms", {"room_id": room, "creator": ann, "uids": [bob], "timeout": 5}).status_code == 200
    assert api.post(f"/rooms/{room}/join", {"uid": ann}).status_code == 200
    told = wait_until(lambda: "room.finished" in backend.types(room) and backend.of(room), 20)
    assert [one[2] for one in told] == ["participant.invited", "participant.accepted", "participant.missed",
                                        "participant.left", "room.finished"]
    missed, finished = told[2][5], told[-1][5]
    assert (missed["missed_uids"], missed["room_id"]) == ([bob], room)
    assert (finished["status"], finished["end_reason"], finished["duration"]) == (6, "missed", 0)
    assert {one["uid"]: one["status"] for one in finished["participants"]} == {ann: 3, bob: 4}
    assert api.get(f"/rooms/{room}").json()["status"] == 6


def test_the_backend_hears_a_call_in_its_order(system, api, db, backend, fresh):
    story = Story(system.stack, api, db, fresh)
    story.play(["create ann bob", "join ann", "started", "joined ann PA_a", "join bob", "joined bob PA_b",
                "left bob PA_b CLIENT_INITIATED", "left ann PA_a ROOM_DELETED", "finished"])
    told = wait_until(lambda: "room.finished" in backend.types(story.room) and backend.of(story.room), 20)
    assert [one[1] for one in told] == list(range(1, len(told) + 1))
    assert [one[2] for one in told] == [
        "participant.invited", "participant.accepted", "room.started", "participant.joined", "participant.accepted",
        "participant.joined", "participant.left", "participant.left", "room.finished"]
    for stored, heard in zip(story.events(), told):
        assert (stored["event_id"], stored["data"]) == (heard[3], heard[5])


def test_jobs_that_die_forget_nothing(system, db, backend):
    """Random calls, about four in each world, while processes of both tgo-call-jobs are killed, and once all of one."""
    first = secrets.randbelow(1 << 40)
    players, seeds = Players(system), [first + i for i in range(rounds(12, 60))]
    with Watch(system):
        with Killer(*[one.pid for one in system.jobs], every_s=0.15) as killer:
            players.play_all(seeds[::2], shorten=False)
        system.jobs[1].crash()
        system.jobs[1].start()
        with Killer(*[one.pid for one in system.jobs], every_s=0.15) as more:
            players.play_all(seeds[1::2], shorten=False)
    assert killer.killed and more.killed
    wait_until(lambda: not unheard(db, backend), 60, what="every event to be received")
    assert overdue(db) == []
    assert doubled_otherwise(backend) == []
    assert out_of_order(backend) == []


def unheard(db, backend):
    with backend.lock:
        heard = {one[3] for one in backend.heard}
    return {row["event_id"] for row in select(db, "SELECT event_id FROM event")} - heard


def overdue(db):
    """Calls that wait for nothing any more, or for something that should have happened."""
    return list(select(
        db, "SELECT r.room_id, r.status, r.next_deadline_ms FROM rtc_room r WHERE r.status IN (0, 1) AND"
        " (r.next_deadline_ms = 0 OR r.next_deadline_ms < UNIX_TIMESTAMP(UTC_TIMESTAMP(3)) * 1000 - 5000 OR NOT EXISTS"
        " (SELECT 1 FROM rtc_participant p WHERE p.room_id = r.room_id AND p.status IN (0, 1)))"))


def doubled_otherwise(backend):
    """Events that came twice, and not as the same bytes."""
    first = {}
    return [one[3] for one in backend.heard if first.setdefault(one[3], one[4]) != one[4]]


def out_of_order(backend):
    """Events that came before one that was told earlier in the same call."""
    found, newest = [], {}
    for room, seq, kind, *_ in backend.heard:
        if seq > newest.get(room, 0) + 1:
            found.append((room, seq, kind))
        newest[room] = max(seq, newest.get(room, 0))
    return found
