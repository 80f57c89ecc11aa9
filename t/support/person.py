"""A real LiveKit participant: t/livekit/person.mjs as a child process. SPDX-License-Identifier: MIT"""
import json
import os
import pathlib
import queue
import signal
import subprocess
import threading
import time

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "livekit" / "person.mjs"


class Person:
    def __init__(self):
        assert os.environ.get("NODE_TOOLS"), "NODE_TOOLS: the folder with node_modules (scripts/test makes it)"
        # A session of its own: `node` may be a wrapper around the process that holds the connection.
        self.process = subprocess.Popen(["node", str(SCRIPT)], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        start_new_session=True)
        self.events = []
        self._incoming = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            # The library logs to the same stream.
            if line.startswith('{"event":'):
                self._incoming.put(json.loads(line))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def do(self, what, **more):
        self.process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self.process.stdin.flush()

    def wait(self, event, timeout=30, **fields):
        """The next event of that kind (earlier ones that were not waited for count too)."""
        deadline = time.monotonic() + timeout
        while True:
            for one in self.events:
                if one["event"] == event and all(one.get(k) == v for k, v in fields.items()):
                    self.events.remove(one)
                    return one
            left = deadline - time.monotonic()
            assert left > 0, f"no {event} {fields} in {timeout} s; seen: {self.events}"
            try:
                self.events.append(self._incoming.get(timeout=left))
            except queue.Empty:
                pass
            bad = [e for e in self.events if e["event"] == "error"]
            assert event == "error" or not bad, bad

    def connect(self, answer):
        """With the url and token of one of our answers."""
        self.do("connect", url=answer["url"], token=answer["token"])
        return self.wait("connected")

    def hears(self, who, timeout):
        """Whether a tone of theirs arrives within so many seconds."""
        try:
            self.wait("heard", timeout, **{"from": who})
        except AssertionError:
            return False
        return True

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(timeout=10)


def hear_again(pair, uids, tickets):
    """Two who publish, whose node was lost and whose library has reconnected, hear each other. The library's own
    reconnecting may leave a side connected but without media: on a busy machine that was 7 of 21 times with one bare
    LiveKit killed and started again, nothing of ours in between. Such a pair connects anew with the tickets it has, as
    an app would: it is changed in place. Returns how many sessions that took."""
    if all(one.hears(uid, 20) for one, uid in zip(pair, reversed(uids))):
        return 0
    for i, ticket in enumerate(tickets):
        pair[i].kill()
        pair[i] = Person()
        pair[i].connect(ticket)
        pair[i].do("publish")
    for one, uid in zip(pair, reversed(uids)):
        one.wait("heard", 60, **{"from": uid})
    return len(pair)
