"""tgo-call-jobs as processes: that of a stack, or more of them of a test's own. SPDX-License-Identifier: MIT"""
import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

import pymysql

from support.wait import wait_until
from support.worker_process import children_of, is_alive

TASKS = ("deadlines", "sequence", "deliver", "actions", "reconcile", "keeper", "nodes")
FROM_STACK = ("DB_SOCKET", "DB_USER", "DB_PASSWORD", "DB_NAME", "REDIS_SOCKET", "LIVEKIT_API_KEY",
              "LIVEKIT_API_SECRET")
OF_SCRIPTS = ("VAR", "PORT", "NODES", "NODE_PORT", "JOBS", "BIN", "WORKERS", "TICKET_SECRET")


def rows(db, text, *args):
    with db.cursor() as c:
        c.execute(text, args)
        return c.fetchall()


class Running:
    """A master of tgo-call-jobs and its children, one for each task."""

    def __init__(self, stack, pid, log):
        self.stack, self.pid, self.log = stack, pid, Path(log)
        self._db = None

    @property
    def db(self):
        """Made when it is first needed, and anew after the server was away."""
        try:
            if self._db is not None:
                self._db.ping(reconnect=False)
        except pymysql.err.Error:
            self._db = None
        if self._db is None:
            self._db = self.stack.db()
        return self._db

    def close(self):
        if self._db is not None:
            self._db.close()
        self._db = None

    def children(self):
        return children_of(self.pid)

    def tasks(self):
        """{task: pid} of the children that have written their rows."""
        pids = set(self.children())
        return {row["task"]: row["pid"] for row in rows(self.db, "SELECT task, pid FROM jobs_process"
                                                        " ORDER BY started_at_ms") if row["pid"] in pids}

    def full(self, tasks=TASKS):
        """All of them, once they are there."""
        return wait_until(lambda: (lambda t: t if sorted(t) == sorted(tasks) else None)(self.tasks()), 20,
                          what=f"all tasks of {self.pid}")

    def instance(self):
        pid = next(iter(self.full().values()))
        return rows(self.db, "SELECT instance FROM jobs_process WHERE pid = %s ORDER BY started_at_ms DESC",
                    pid)[0]["instance"]

    def signal(self, signo, task=None):
        """To the master, or to the process of a task."""
        os.kill(self.tasks()[task] if task else self.pid, signo)

    def kill(self, task):
        """The process of a task, as by a crash; returns when its successor works."""
        before = self.full()[task]
        os.kill(before, signal.SIGKILL)
        return wait_until(lambda: (lambda t: t[task] if t.get(task, before) != before else None)(self.tasks()), 20,
                          what=f"another process for {task}")

    def freeze(self, *tasks):
        """SIGSTOP: all of it, or these tasks; thaw() ends it."""
        for pid in self._pids(tasks):
            os.kill(pid, signal.SIGSTOP)

    def thaw(self, *tasks):
        for pid in self._pids(tasks):
            os.kill(pid, signal.SIGCONT)

    def _pids(self, tasks):
        found = self.tasks()
        return [found[task] for task in tasks] if tasks else [self.pid, *self.children()]

    def lines(self, event=None):
        text = self.log.read_text() if self.log.exists() else ""
        found = [json.loads(line) for line in text.splitlines()]
        return [line for line in found if event in (None, line.get("event"))]


class Jobs(Running):
    """One of a test's own on a stack's servers, with a log of its own; settings go into its --env-file, after those the
    stack was made with."""

    def __init__(self, stack, folder, **settings):
        self.folder = Path(folder)
        super().__init__(stack, 0, self.folder / "log")
        self.proc = None
        self.err, self.env_file = self.folder / "err", self.folder / "env"
        self.binary = Path(stack.env["TGO_BIN"]).resolve() / "tgo-call-jobs"
        ours = {k: v for k, v in stack.settings.items() if k not in OF_SCRIPTS}
        self.settings = {**ours, **{name: stack.env[name] for name in FROM_STACK if stack.env.get(name)},
                         "LIVEKIT_URL": stack.url, "LOG_FILE": self.log, "LOG_LEVEL": "debug",
                         **{k: v for k, v in settings.items() if v is not None}}
        self.configure()

    def configure(self, **changes):
        self.settings.update(changes)
        self.env_file.write_text("".join(f"{k}={v}\n" for k, v in self.settings.items()))

    def spawn(self, *more, argv=None):
        env = {"PATH": os.environ["PATH"]}
        env.update((k, v) for k, v in os.environ.items() if k.startswith(("ASAN_", "UBSAN_", "LSAN_", "GCOV_")))
        self.proc = subprocess.Popen([*(argv or [self.binary]), "--env-file", self.env_file, *more], env=env,
                                     stdin=subprocess.DEVNULL, stderr=self.err.open("ab"), cwd=self.folder)
        self.pid = self.proc.pid
        return self

    def start(self, *more):
        self.spawn(*more)
        self.full()
        return self

    def stop(self, seconds=15):
        """SIGTERM; the exit status."""
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGTERM)
        return self.proc.wait(seconds)

    def crash(self):
        """SIGKILL for the master; returns when its children have left."""
        left = self.children()
        self.proc.kill()
        self.proc.wait()
        try:
            wait_until(lambda: not any(is_alive(p) for p in left), 30, what="children that leave")
        finally:
            for pid in filter(is_alive, left):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def clean_up(self):
        if self.proc is not None and self.proc.poll() is None:
            for pid in [self.pid, *self.children()]:
                # A child may be gone by now.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
            self.crash()
        self.close()
        said = self.err.read_text(errors="replace") if self.err.exists() else ""
        assert "Sanitizer" not in said and "runtime error:" not in said, said[-5000:]


def jobs_of(stack):
    """That which scripts/run started; its lines are among those of the stack's log."""
    return Running(stack, stack.pid("jobs"), stack.env["APP_LOG"])
