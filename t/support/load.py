"""People who make calls through nginx while something breaks, and who remember what they were told.

    receiver = Receiver()
    with Stack(jobs=True, **events_to(receiver)) as stack:
        load = Load(stack, receiver).start()       # 16 clients; returns when each has had clean answers
        load.broke()                               # the fault begins now
        ...
        load.mended()                              # what was away is back
        load.recovered()                           # waits until every client is served again; the seconds
        load.stop()                                # every client ends the call it is in
        figures = load.verify(also=())             # AssertionError with all that is wrong (load_truth.py)
        figures.write("MySQL: kill -9", rounds=1)  # for docs/reliability.md (figures.py)

broke, mended, recovered may come again and again. `also`: statuses that this fault excuses, e.g. (502,). Of a
stack only url, env["TGO_KEY"] and db() are used; without a receiver delivery is not looked at.

Each client plays one call after the other, with people of its own and a request every `pause_s`; what was refused or
got lost is asked again after RETRY_S until the answer is certain. An answer is
    CLEAN    2xx, or a 4xx that the client had to expect
    REFUSED  503 unavailable: a promise that nothing happened, and held to it
    UNSURE   503 outcome_unknown, 502, 504, a lost connection: it happened or it did not
    WRONG    anything else; the client stops, and wait_until(), recovered(), verify() say so
SPDX-License-Identifier: MIT
"""
import dataclasses
import http.client
import json
import random
import secrets
import socket
import struct
import threading
import time
import urllib.parse

from support import load_truth
from support.load_call import CLEAN, REFUSED, UNSURE, WRONG, Call, CallOver, Truth
from support.wait import wait_until

LOST = 0                      # the status of no answer at all
CLIENT_TIMEOUT_S, RETRY_S = 10, 0.1
RUN = 5                       # so many clean answers in a row, and a client counts as served


def events_to(receiver, **more):
    """Configuration of a stack whose events go there; repeats after pauses short enough to wait for."""
    return {"BUSINESS_WEBHOOK_ENDPOINTS": json.dumps([receiver.endpoint()]), "WEBHOOK_RETRY_S": "0.2,0.5,1,2,5",
            "WEBHOOK_PROBE_MIN_S": "0.2", "WEBHOOK_PROBE_MAX_S": "1", **more}


@dataclasses.dataclass(frozen=True)
class Answer:
    client: int
    kind: str                 # create, join, sync, get, leave, reject, end, invite, token, absent
    room: str
    status: int               # 0: none came
    key: str                  # of an error; what became of the connection where none came
    outcome: str
    began: float              # time.monotonic()
    took: float

    @property
    def ended(self):
        return self.began + self.took


@dataclasses.dataclass
class Outage:
    began: float
    mended: float = None


class Client(threading.Thread):
    """Somebody with an app: one request at a time."""

    def __init__(self, load, number):
        super().__init__(daemon=True, name=f"client {number}")
        self.load, self.number = load, number
        self.rng = random.Random(f"{load.seed}-{number}")
        self.answers, self.calls, self.failure, self.wrong = [], [], None, None
        self.connection = None

    def run(self):
        try:
            while not self.load.stopping.is_set() and self.wrong is None:
                self.play(Call(self, f"{self.load.prefix}{self.number}-{len(self.calls)}"))
        except Exception as e:
            self.failure = e
            raise

    def play(self, call):
        self.calls.append(call.truth)
        try:
            call.play()
        except CallOver:
            pass

    # ---- one question ----

    def ask(self, kind, method, path, truth, body=None, change=None):
        """Until the answer is certain: the JSON of a 2xx, None of an expected 4xx. change: (event type, uid)."""
        while True:
            if not self.load.stopping.is_set():
                self.load.stopping.wait(self.load.pause_s)
            asked_ms = int(time.time() * 1000)
            answer, said = self.once(kind, method, path, truth, body)
            self.answers.append(answer)
            truth.learn(answer, change, asked_ms, said)
            if answer.outcome == CLEAN:
                return said if 200 <= answer.status < 300 else None
            if answer.outcome == WRONG:
                self.wrong = answer
            if answer.outcome == WRONG or self.load.gave_up.is_set():
                raise CallOver
            self.load.gave_up.wait(RETRY_S)

    def once(self, kind, method, path, truth, body):
        began = time.monotonic()
        try:
            status, said = self.exchange(method, path, body)
            key = said.get("error", "") if isinstance(said, dict) else ""
        except (OSError, http.client.HTTPException) as e:
            self.hang_up()
            status, said, key = LOST, None, type(e).__name__
        except ValueError as e:
            # An answer that is no JSON is nobody's business to expect.
            self.hang_up()
            status, said, key = -1, None, str(e)
        took = time.monotonic() - began
        outcome = outcome_of(kind, status, key, truth)
        return Answer(self.number, kind, truth.room, status, key, outcome, began, took), said

    def exchange(self, method, path, body):
        if self.connection is None:
            self.connection = self.load.connect()
        headers = {"Authorization": f"Bearer {self.load.key}", "Content-Type": "application/json"}
        text = None if body is None else json.dumps(body)
        self.connection.request(method, "/api/v1" + path, text, headers)
        response = self.connection.getresponse()
        said = json.loads(response.read())
        if not self.load.keep_alive:
            self.hang_up()
        return response.status, said

    def hang_up(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


def outcome_of(kind, status, key, truth):
    if status in (LOST, 502, 504) or (status == 503 and key == "outcome_unknown"):
        return UNSURE
    if status == 503 and key == "unavailable":
        return REFUSED
    if 200 <= status < 300 or truth.expects(kind, status, key):
        return CLEAN
    return WRONG


class Load:
    """keep_alive=False: a connection for each request, for faults that close idle ones."""

    def __init__(self, stack, receiver=None, clients=16, pause_s=0.05, seed=None, keep_alive=True):
        self.stack, self.receiver, self.pause_s, self.keep_alive = stack, receiver, pause_s, keep_alive
        self.seed = seed if seed is not None else secrets.randbelow(10**6)
        self.prefix = f"load-{secrets.token_hex(3)}-"
        where = urllib.parse.urlsplit(stack.url)
        self.host, self.port, self.key = where.hostname, where.port, stack.env["TGO_KEY"]
        self.stopping, self.gave_up = threading.Event(), threading.Event()
        self.outages = []
        self.clients = [Client(self, i) for i in range(clients)]

    def connect(self):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=CLIENT_TIMEOUT_S)
        if not self.keep_alive:
            connection.connect()
            # Closed by a reset: thousands of closed ones would use up the host's ports.
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return connection

    def start(self):
        self.outages.append(Outage(time.monotonic(), time.monotonic()))
        for client in self.clients:
            client.start()
        self.recovered(30)
        self.outages.clear()
        return self

    def stop(self, within=15):
        """A call that cannot be ended in that time is left as it is."""
        self.stopping.set()
        deadline = time.monotonic() + within
        for client in self.clients:
            client.join(max(0, deadline - time.monotonic()))
        self.gave_up.set()
        for client in self.clients:
            client.join(CLIENT_TIMEOUT_S + 5)
            client.hang_up()
            assert not client.is_alive(), f"{client.name} never ends"

    # ---- a fault's times ----

    def broke(self):
        self.outages.append(Outage(time.monotonic()))

    def mended(self):
        self.outages[-1].mended = time.monotonic()

    def recovered(self, timeout=15):
        """Seconds from mended() until the first of RUN clean answers in a row of the last client to have them."""
        outage = self.outages[-1]

        def look():
            done = self.recovery_s(outage)
            return None if done is None else (done,)

        return self.wait_until(look, timeout, what="clean answers for every client")[0]

    def wait_until(self, predicate, timeout, what):
        """For something that the clients see; ends at once when one has had a wrong answer, for it says no more."""
        def look():
            wrong = [c.wrong or c.failure for c in self.clients if c.wrong or c.failure]
            assert not wrong, f"waiting for {what}: {wrong[0]!r}"
            return predicate()

        return wait_until(look, timeout, what=what)

    def recovery_s(self, outage):
        """As recovered() says; None while a client is not served yet."""
        worst = 0.0
        for client in self.clients:
            before, after = split(list(client.answers), outage.mended)
            first = first_run(after)
            if first is None:
                return None
            # Nobody who had to wait: what was asked before was answered well, what is asked now, too.
            untouched = first == 0 and after[0].began >= outage.mended and before and before[-1].outcome == CLEAN
            worst = max(worst, 0.0 if untouched else after[first].ended - outage.mended)
        return worst

    @property
    def answers(self):
        return [answer for client in self.clients for answer in list(client.answers)]

    @property
    def calls(self):
        return [truth for client in self.clients for truth in list(client.calls)]

    def during(self, outage=-1):
        """The answers to what was asked or still open during an outage."""
        one = self.outages[outage]
        until = one.mended or time.monotonic()
        return [a for a in self.answers if a.ended >= one.began and a.began <= until]

    def verify(self, also=(), within=60, bound_s=5.0, max_call_s=86400):
        """Everything that must hold afterwards, see load_truth.py; call it after stop(), with all servers up."""
        return load_truth.verify(self, also, within, bound_s, max_call_s)


def split(answers, moment):
    i = next((i for i, a in enumerate(answers) if a.ended > moment), len(answers))
    return answers[:i], answers[i:]


def first_run(answers):
    in_a_row = 0
    for i, answer in enumerate(answers):
        in_a_row = in_a_row + 1 if answer.outcome == CLEAN else 0
        if in_a_row == RUN:
            return i - RUN + 1
    return None


__all__ = ["Answer", "CLEAN", "Call", "Load", "Outage", "REFUSED", "Truth", "UNSURE", "WRONG", "events_to"]
