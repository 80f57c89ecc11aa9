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

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(timeout=10)
