"""A tgo-call-worker of a test's own, started, signalled and looked at from outside.

Takes TGO_BIN, the folder with the programs. SPDX-License-Identifier: MIT
"""
import fcntl
import json
import os
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

from support import fcgi_client as fcgi


def until(what, seconds=10, every=0.01):
    """Waits until what() is true; returns what it returned."""
    end = time.monotonic() + seconds
    while True:
        got = what()
        if got:
            return got
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(every)


def stat_of(pid):
    """(state, parent) of a process, None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], int(fields[1])


def is_alive(pid):
    found = stat_of(pid)
    return found is not None and found[0] not in "ZX"


def children_of(pid):
    return sorted(int(p) for p in os.listdir("/proc")
                  if p.isdigit() and is_alive(p) and (stat_of(p) or ("", 0))[1] == pid)


def unread(sock):
    """What the worker has not read yet of what we sent."""
    return struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)))[0]


class Service:
    """A worker of its own in a folder of its own."""

    def __init__(self, folder, settings):
        self.folder, self.sock, self.log = folder, str(folder / "s"), folder / "log"
        self.env_file = folder / "env"
        self.err = folder / "err"
        self.binary = str(Path(os.environ["TGO_BIN"]).resolve() / "tgo-call-worker")
        self.where, self.proc = self.sock, None
        self.settings = {"WORKERS": 2, "LOG_FILE": self.log, "LOG_LEVEL": "debug", "AUTH_MODE": "open",
                         "DB_SOCKET": folder / "no-db", "REDIS_SOCKET": folder / "no-redis",
                         "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s" * 40, **settings}
        self.configure()

    def configure(self, **changes):
        self.settings.update(changes)
        self.env_file.write_text("".join(f"{k}={v}\n" for k, v in self.settings.items()))

    def spawn(self, argv, stdin=subprocess.DEVNULL):
        env = {"PATH": os.environ["PATH"]}
        env.update((k, v) for k, v in os.environ.items() if k.startswith(("ASAN_", "UBSAN_", "LSAN_", "GCOV_")))
        # libfcgi itself forgets 48 bytes over a question it does not know. What we forget of its requests is seen through
        # nginx, by the tests of the API.
        env["LSAN_OPTIONS"] = f"suppressions={Path(__file__).with_name('lsan.supp')}:print_suppressions=0"
        self.proc = subprocess.Popen(argv, stdin=stdin, stderr=self.err.open("ab"), env=env, cwd=self.folder)
        return self

    def start(self, *more, listen=None):
        self.spawn([self.binary, "--listen", listen or f"unix:{self.sock}", "--env-file", str(self.env_file), *more])
        return self.wait()

    def wait(self):
        until(self.serves)
        return self

    def serves(self):
        assert self.proc.poll() is None, f"left with {self.proc.returncode}: {self.err.read_text()}"
        try:
            return self.get().status == 200
        except (ConnectionError, FileNotFoundError):
            return False

    def get(self, uri="/health", **more):
        return fcgi.request(self.where, "GET", uri, **more)

    def connect(self):
        return fcgi.Connection(self.where)

    @property
    def pid(self):
        return self.proc.pid

    def children(self):
        return children_of(self.pid)

    def full(self, n):
        """The n children, once they are there."""
        return until(lambda: len(self.children()) == n and self.children())

    def signal(self, signo):
        self.proc.send_signal(signo)

    def lines(self, event=None, log=None):
        text = (log or self.log).read_text() if (log or self.log).exists() else ""
        found = [json.loads(line) for line in text.splitlines()]
        return [line for line in found if event in (None, line["event"])]

    def stop(self, seconds=15):
        if self.proc is None or self.proc.poll() is not None:
            return self.proc and self.proc.returncode
        self.signal(signal.SIGTERM)
        return self.proc.wait(seconds)

    def clean_up(self):
        if self.proc is not None and self.proc.poll() is None:
            left = self.children()
            self.proc.kill()
            self.proc.wait()
            until(lambda: not any(is_alive(p) for p in left), 15)
