"""A business backend that receives events: it checks both signatures of every request, by itself and with the
package of Standard Webhooks, remembers what came, and answers what a test wants.

SPDX-License-Identifier: MIT
"""
import base64
import collections
import contextlib
import dataclasses
import hashlib
import hmac
import http.server
import json
import secrets
import socket
import threading
import time
import urllib.parse

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

SECRET = "whsec_" + base64.b64encode(b"one secret of the tests").decode()
HANG, CLOSE = "hang", "close"


@dataclasses.dataclass(frozen=True)
class Got:
    """A request: what it said, how often its event had come before, and what it was answered."""
    event_id: str
    type: str
    room: str
    seq: int
    tries: int
    body: bytes
    path: str
    headers: dict
    at: float
    status: object = None


def standard_key(secret):
    """For the package: the key in base64, as it wants it."""
    if secret.startswith("whsec_"):
        return secret
    return "whsec_" + base64.b64encode(secret.encode()).decode()


class Receiver:
    """answer(got) -> a status, or (status, headers, body), or HANG, or CLOSE. `problems` must stay empty."""

    def __init__(self, secret=SECRET, answer=None, verify_with=None):
        self.secret, self.answer = secret, answer or (lambda got: 204)
        self.verify_with = verify_with or secret
        self.got, self.problems = [], []
        self.tries, self.bodies, self.lock = collections.Counter(), {}, threading.Lock()
        self.closing = threading.Event()
        self.server, self.port = None, 0
        self.start()
        # A port comes again, and a receiver is known by its address.
        self.url = f"http://127.0.0.1:{self.port}/hook/{secrets.token_hex(4)}?from=test"

    def start(self):
        """Again after stop(), on the same port."""
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            timeout = 60

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.serve(self, body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, allow_reuse_address, request_queue_size = True, True, 256
            connections = set()

            def get_request(self):
                one, where = super().get_request()
                self.connections.add(one)
                return one, where

            def handle_error(self, *_):
                pass

        self.closing.clear()
        Server.connections = set()
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        """As when the machine is switched off: nobody listens, and what is open breaks."""
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
        for one in list(self.server.connections):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def endpoint(self, **more):
        return {"url": self.url, "secret": self.secret, "timeout": 5, "events": ["*"], **more}

    @property
    def id(self):
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]

    # ---- one request ----

    def serve(self, handler, body):
        got = self.note(handler, body)
        what = self.answer(got)
        status, headers, text = what if isinstance(what, tuple) else (what, {}, b"")
        with self.lock:
            self.got.append(dataclasses.replace(got, status=status))
        if status == HANG:
            self.closing.wait(30)
        if status in (HANG, CLOSE):
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if status != 204:
            handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def note(self, handler, body):
        headers = {k.lower(): v for k, v in handler.headers.items()}
        data = json.loads(body)
        event_id = headers.get("x-event-id", "")
        with self.lock:
            tries = self.tries[event_id]
            self.tries[event_id] += 1
            first = self.bodies.setdefault(event_id, body)
            self.problems += self.check(handler.path, headers, body)
            if first != body:
                self.problems.append(f"{event_id} came with another body")
        return Got(event_id, headers.get("x-event-type"), data["room_id"], data["seq"], tries, body, handler.path,
                   headers, time.monotonic())

    def check(self, path, headers, body):
        bad = []
        plain = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)
        data = json.loads(body)
        if not hmac.compare_digest(plain, headers.get("x-signature", "")):
            bad.append("X-Signature is wrong")
        try:
            Webhook(standard_key(self.verify_with)).verify(body, headers)
        except WebhookVerificationError as e:
            bad.append(f"webhook-signature: {e}")
        wanted = {"from": ["test"], "event_type": [headers.get("x-event-type")], "event_id": [headers.get("x-event-id")]}
        if query != wanted:
            bad.append(f"the query is {query}")
        if headers.get("webhook-id") != data["event_id"] or headers.get("x-event-id") != data["event_id"]:
            bad.append("the ids differ")
        if abs(int(headers.get("x-timestamp", 0)) - time.time()) > 60:
            bad.append("X-Timestamp is not now")
        if headers.get("content-type") != "application/json":
            bad.append(f"Content-Type {headers.get('content-type')}")
        return bad

    # ---- what came ----

    def all(self):
        with self.lock:
            return list(self.got)

    def taken(self):
        return [g for g in self.all() if isinstance(g.status, int) and 200 <= g.status < 300]

    def seqs(self, room):
        """The numbers of a call's events as they were taken."""
        return [g.seq for g in self.taken() if g.room == room]

    def of(self, event_id):
        return [g for g in self.all() if g.event_id == event_id]


class Stream:
    """Events put into the database as if calls had caused them, and a word to the process that numbers them."""

    def __init__(self, stack, fresh):
        self.db, self.redis, self.fresh = stack.db(), stack.redis(), fresh
        self.seqs, self.ids = collections.Counter(), {}
        self.number = 0

    def room(self):
        return self.fresh("room")

    @contextlib.contextmanager
    def together(self):
        """What is emitted inside is committed at once."""
        self.db.begin()
        yield
        self.db.commit()
        self.redis.publish("tgo:wake", 0)

    def emit(self, *rooms, type="participant.joined", more=None):
        """One event for each room named, in one transaction; their ids."""
        made = []
        for room in rooms:
            self.seqs[room] += 1
            made.append(self.row(room, self.seqs[room], type, more or {}))
        with self.db.cursor() as c:
            c.executemany("INSERT INTO event (event_id, room_id, seq, type, data, created_at_ms) "
                          "VALUES (%s, %s, %s, %s, %s, %s)", made)
        self.redis.publish("tgo:wake", 0)
        return [one[0] for one in made]

    def row(self, room, seq, kind, more):
        self.number += 1
        event_id = "%08x-0000-7000-8000-%012x" % (int(time.time()), self.number + hash(room) % 2**40)
        self.ids[room, seq] = event_id
        data = {"room_id": room, "event_id": event_id, "seq": seq, "status": 1, "uids": ["安", "b/ö"], **more}
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        return event_id, room, seq, kind, text, int(time.time() * 1000)

    def delivery(self, receiver, event_id):
        """Its row for this receiver, or None."""
        with self.db.cursor() as c:
            c.execute("SELECT d.* FROM event_delivery d JOIN event e ON e.id = d.event_no "
                      "WHERE d.endpoint_id = %s AND e.event_id = %s", (receiver.id, event_id))
            return c.fetchone()

    def states(self, receiver):
        """How many rows stand in which state."""
        with self.db.cursor() as c:
            c.execute("SELECT state, COUNT(*) AS n FROM event_delivery WHERE endpoint_id = %s GROUP BY state",
                      (receiver.id,))
            return {row["state"]: row["n"] for row in c.fetchall()}

    def log(self, event_id):
        with self.db.cursor() as c:
            c.execute("SELECT * FROM business_webhook_log WHERE event_id = %s ORDER BY id", (event_id,))
            return c.fetchall()

    def endpoint(self, receiver):
        with self.db.cursor() as c:
            c.execute("SELECT * FROM webhook_endpoint WHERE id = %s", (receiver.id,))
            return c.fetchone()

    def close(self):
        self.db.close()
