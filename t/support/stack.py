"""One running system: scripts/run and scripts/stop on a temporary folder. SPDX-License-Identifier: MIT"""
import os
import pathlib
import secrets
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

import pymysql
import redis

from support.ports import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Configuration of the shell that runs the tests is not the tests'.
STRANGERS = ("TGO_", "LIVEKIT_", "REDIS_", "AUTH_", "API_KEYS", "BUSINESS_", "CORS_", "LOG_", "LEGACY_",
             "TICKET_", "TOKEN_", "WEBHOOK_", "DB_SOCKET", "JOBS_METRICS_", "METRICS_")
KEPT = ("TGO_CACHE", "TGO_KEEP")


class Stack:
    def __init__(self, nodes=0, jobs=False, **env):
        self.var = pathlib.Path(tempfile.mkdtemp(prefix="tgo-"))
        self.port = free_port()
        self.nodes, self.jobs = nodes, jobs
        self.ticket_secret = secrets.token_hex(32)
        self.settings = {
            "VAR": str(self.var), "PORT": str(self.port), "NODES": str(nodes), "JOBS": "1" if jobs else "0",
            "NODE_PORT": str(free_port(["127.0.0.%d" % (10 + i) for i in range(1, nodes + 1)])),
            "WORKERS": "8", "TICKET_SECRET": self.ticket_secret, **env,
        }
        self.env = {}

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def _environment(self, extra):
        base = {k: v for k, v in os.environ.items() if k in KEPT or not k.startswith(STRANGERS)}
        return {**base, **self.settings, **extra}

    def run(self, *args, **extra):
        """A script or program with the stack's environment; its output, both kinds together."""
        done = subprocess.run([str(a) for a in args], env=self._environment(extra), text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=900)
        assert done.returncode == 0, f"{args}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def start(self, **extra):
        """Starts what does not run; extra is configuration for what is started now."""
        is_new = not self.env
        try:
            self.output = self.run(ROOT / "scripts/run", "--detach", **extra)
        except BaseException:
            if is_new:
                self.run(ROOT / "scripts/stop")
            raise
        self.env = read_env(self.var / "env")
        self.url = self.env["TGO_URL"]
        return self

    def stop(self, *parts):
        """All of it and its folder; with names (worker, redis, livekit-1, ...) only these."""
        self.run(ROOT / "scripts/stop", *parts)
        self.check_sanitizers()
        if not parts and "TGO_KEEP" not in os.environ:
            shutil.rmtree(self.var, ignore_errors=True)

    def check_sanitizers(self):
        """What the sanitizers of such a build had to say, they said on the programs' standard error."""
        for log in self.var.glob("log/*.log"):
            if log.stem not in ("worker", "route", "jobs") and not log.stem.startswith("jobs-"):
                continue
            said = log.read_text(errors="replace")
            assert "Sanitizer" not in said and "runtime error:" not in said, said[-5000:]

    def restart(self, *parts, **extra):
        self.stop(*parts)
        return self.start(**extra)

    def pid(self, part):
        return int((self.var / "run" / f"{part}.pid").read_text().split()[0])

    def kill(self, part, sig=signal.SIGKILL):
        """The part's first process; returns when it is gone (unless the signal is none that ends it)."""
        pid = self.pid(part)
        os.kill(pid, sig)
        deadline = time.monotonic() + 20
        while sig in (signal.SIGKILL, signal.SIGTERM) and process_runs(pid):
            assert time.monotonic() < deadline, f"{part} (pid {pid}) outlives {sig!r}"
            time.sleep(0.01)

    def db(self, **options):
        """A connection as the application's user; autocommit, rows as dictionaries."""
        where = {"unix_socket": self.env["DB_SOCKET"]}
        if not self.env["DB_SOCKET"]:
            where = {"host": os.environ["DB_HOST"], "port": int(os.environ.get("DB_PORT", 3306))}
        return pymysql.connect(**where, **{
            "user": self.env["DB_USER"], "password": self.env["DB_PASSWORD"],
            "database": self.env["DB_NAME"], "charset": "utf8mb4", "autocommit": True,
            "cursorclass": pymysql.cursors.DictCursor, **options})

    def redis(self):
        return redis.Redis(unix_socket_path=self.env["REDIS_SOCKET"], decode_responses=True)


def read_env(path):
    env = {}
    for line in path.read_text().splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        env[name] = "".join(shlex.split(value))
    return env


def process_runs(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
