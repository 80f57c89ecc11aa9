"""Started as the Go server is: its .env in the working directory, or its compose environment, unchanged.

The one thing it never had is an answer to who may call. Without any the worker says which lines to paste;
with one of them, wherever it stands, the same .env starts it. SPDX-License-Identifier: MIT
"""
import os
import subprocess
from pathlib import Path

import pytest

from support import fcgi_client as fcgi
from support.worker_process import until

# The names of the Go server's example file, with values of its kind. Most are read by its compose file and
# scripts only; all of them stand in the same .env.
DOTENV = """\
# ---- server ----
ENV=production
PORT=8080
LOG_LEVEL=info
GIN_MODE=release
TZ=Asia/Shanghai
DOMAIN=rtc.example.com
SERVER_HOST=0.0.0.0

# ---- database ----
DB_HOST=127.0.0.1
DB_PORT=1
DB_USER=tgo
DB_PASSWORD=a$b#c
DB_NAME=tgo_rtc

# ---- redis ----
REDIS_HOST=127.0.0.1
REDIS_PORT=1
REDIS_PASSWORD=redispass
REDIS_DB=0
REDIS_MAXMEMORY=512mb
REDIS_MAXMEMORY_POLICY=noeviction

# ---- livekit ----
LIVEKIT_URL=http://127.0.0.1:7880
LIVEKIT_CLIENT_URL=wss://rtc.example.com
LIVEKIT_API_KEY=devkey
LIVEKIT_API_SECRET=a-secret-of-more-than-thirty-two-characters
LIVEKIT_TIMEOUT=3600
LIVEKIT_NODES=10.0.0.1:7880,10.0.0.2:7880
LIVEKIT_PORT=7880
LIVEKIT_AUTO_CREATE_ROOM=true
LIVEKIT_EMPTY_TIMEOUT=300
LIVEKIT_MAX_PARTICIPANTS=100
PARTICIPANT_TIMEOUT_CHECK_INTERVAL=10

# ---- business webhook ----
BUSINESS_WEBHOOK_ENDPOINTS=[{"url":"http://127.0.0.1:9000/hook","secret":"s","timeout":10}]
BUSINESS_WEBHOOK_URLS=
BUSINESS_WEBHOOK_SECRET=
BUSINESS_WEBHOOK_TIMEOUT=10
BUSINESS_WEBHOOK_LOG_CLEANUP_ENABLED=true
BUSINESS_WEBHOOK_LOG_RETENTION_DAYS=30
BUSINESS_WEBHOOK_LOG_CLEANUP_INTERVAL=86400
ROOM_API_URL=http://localhost:8080/api/v1/rooms
"""
# What its compose file hands to the container.
COMPOSE = {
    "ENV": "production", "PORT": "8080", "DB_HOST": "127.0.0.1", "DB_PORT": "1", "DB_USER": "root",
    "DB_PASSWORD": "p", "DB_NAME": "tgo_rtc", "REDIS_HOST": "127.0.0.1", "REDIS_PORT": "1", "REDIS_PASSWORD": "r",
    "LIVEKIT_URL": "http://livekit:7880", "LIVEKIT_CLIENT_URL": "", "LIVEKIT_API_KEY": "devkey",
    "LIVEKIT_API_SECRET": "a-secret-of-more-than-thirty-two-characters", "LIVEKIT_TIMEOUT": "10",
    "PARTICIPANT_TIMEOUT_CHECK_INTERVAL": "5", "BUSINESS_WEBHOOK_ENDPOINTS": "[]", "BUSINESS_WEBHOOK_URLS": "",
    "BUSINESS_WEBHOOK_SECRET": "",
}


class Started:
    """The worker in a folder, with an environment and nothing else."""

    def __init__(self, folder, env):
        self.sock, self.err = folder / "s", folder / "err"
        self.env = {"PATH": os.environ["PATH"], **env}
        self.bin = Path(os.environ["TGO_BIN"]).resolve()
        self.folder = folder
        self.proc = subprocess.Popen([self.bin / "tgo-call-worker", "--listen", f"unix:{self.sock}", "--workers", "2"],
                                     cwd=folder, env=self.env, stderr=self.err.open("wb"), stdin=subprocess.DEVNULL)

    def serves(self):
        assert self.proc.poll() is None, self.err.read_text()
        try:
            return fcgi.request(str(self.sock), "GET", "/health").status == 200
        except (ConnectionError, FileNotFoundError):
            return False

    def config(self):
        """The effective configuration as `tgo-call config` tells it."""
        done = subprocess.run([self.bin / "tgo-call", "config"], cwd=self.folder, env=self.env, text=True,
                              capture_output=True, check=True)
        return done.stdout


@pytest.fixture
def start(tmp_path):
    made = []

    def begin(dotenv="", **env):
        if dotenv:
            (tmp_path / ".env").write_text(dotenv)
        made.append(Started(tmp_path, env))
        return made[-1]

    yield begin
    for one in made:
        if one.proc.poll() is None:
            one.proc.terminate()
            one.proc.wait(15)


def test_its_env_file_starts_us_unchanged(start):
    s = start(DOTENV, AUTH_OPEN_NETWORKS="127.0.0.0/8,172.16.0.0/12")
    until(s.serves)
    told = s.config()
    assert "wss://rtc.example.com" in told and "3600" in told and "Asia/Shanghai" in told
    assert "a-secret-of-more" not in told and "a$b#c" not in told and "redispass" not in told


def test_its_compose_environment_starts_us(start):
    s = start(AUTH_MODE="open", **COMPOSE)
    until(s.serves)
    # An empty LIVEKIT_CLIENT_URL is an unset one: it falls back to LIVEKIT_URL.
    assert s.config().count("http://livekit:7880") >= 2


@pytest.mark.parametrize("line", ["API_KEYS=backend:" + "0" * 64, "AUTH_OPEN_NETWORKS=10.0.0.0/8", "AUTH_MODE=open"])
def test_any_of_the_lines_it_says_to_paste_will_do(start, line):
    until(start(DOTENV + line + "\n").serves)


def test_nobody_may_call_is_refused_with_the_lines_to_paste(start):
    s = start(DOTENV)
    assert s.proc.wait(15) == 78
    said = s.err.read_text()
    for name in ("API_KEYS=", "AUTH_OPEN_NETWORKS=", "AUTH_MODE=open"):
        assert name in said
