"""docs/switching.md: its commands, in their order, from a living database of the Go server to calls on ours and back.

Blocks of the language sh are run as they stand; those called console are an engine's or systemd's and stand for what
the test does with the stack. SPDX-License-Identifier: MIT
"""
import json
import os
import re
import subprocess
import time

import pytest

from support.go_database import GoDatabase
from support.stack import ROOT
from support.wait import wait_until

GUIDES = ["docs/switching.md", "docs/zh-CN/switching.md"]
# What each command block is known by, in the order of the guide.
STEPS = ["db=", "cp .env", "tgo-call check", "--dry-run", "_copy", "before.sql.gz", "diff before.txt", "/readyz",
         "/leave", "tgo-call migrate"]


def blocks(name, language="sh"):
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / name).read_text(encoding="utf-8"), re.M | re.S)


def commands(block):
    return "\n".join(re.sub(r"\s+# .*", "", line) for line in block.splitlines())


def test_both_languages_give_the_same_commands():
    for language in ("sh", "console"):
        english, chinese = ([commands(block) for block in blocks(name, language)] for name in GUIDES)
        assert english == chinese and english
    assert len(blocks(GUIDES[0])) == len(STEPS)
    assert [step for step, block in zip(STEPS, blocks(GUIDES[0])) if step not in block] == []


class Reader:
    """Somebody in a folder with the Go server's .env and a my.cnf, following the guide."""

    def __init__(self, stack, folder, guide):
        self.stack, self.folder = stack, folder
        self.blocks = dict(zip(STEPS, blocks(guide)))
        env = stack.env
        (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in {
            "DB_SOCKET": env["DB_SOCKET"], "DB_USER": env["DB_USER"], "DB_PASSWORD": env["DB_PASSWORD"],
            "DB_NAME": "tgo_rtc", "REDIS_SOCKET": env["REDIS_SOCKET"], "LIVEKIT_URL": stack.url,
            "LIVEKIT_CLIENT_URL": stack.url.replace("http", "ws"), "LIVEKIT_API_KEY": env["LIVEKIT_API_KEY"],
            "LIVEKIT_API_SECRET": env["LIVEKIT_API_SECRET"], "LIVEKIT_TIMEOUT": 60, "LOG_FILE": folder / "log",
            "PARTICIPANT_TIMEOUT_CHECK_INTERVAL": 5}.items()))
        (folder / "my.cnf").write_text(f"[client]\nsocket={env['DB_SOCKET']}\nuser={env['DB_USER']}\n"
                                       f"password={env['DB_PASSWORD']}\n")

    def follow(self, step):
        setup = self.blocks["db="].replace("http://localhost:8080", self.stack.url)
        path = f"{self.stack.env['TGO_BIN']}:{os.environ['PATH']}"
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", setup + self.blocks[step]], cwd=self.folder, text=True,
                              encoding="utf-8", env={"PATH": path, "HOME": str(self.folder), "LANG": "C.UTF-8"},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        assert done.returncode == 0, f"{self.blocks[step]}\n{done.stdout}"
        return done.stdout

    def checks(self, step):
        """What check said: {name: status}."""
        told = json.loads(self.follow(step).splitlines()[-1])
        return {one["name"]: one["status"] for one in told["checks"]}

    def api_keys(self):
        return re.search(r"^API_KEYS=(.*)$", (self.folder / "tgo-call.env").read_text(), re.M)[1]


def fill(go):
    now = time.time()
    go.insert_room("done", "ann", now - 7200, status=2)
    go.insert_participant("done", "ann", now - 7200, status=3, join_time=int(now - 7190), leave_time=int(now - 7000))
    go.insert_room("talk", "gus", now - 300, status=1, max_participants=9)
    go.insert_participant("talk", "gus", now - 300, status=1, device_type="web", join_time=int(now - 299))
    go.insert_room("stale", "jon", now - 9000, status=6)
    go.insert_participant("stale", "jon", now - 9000, status=1, join_time=int(now - 8990))


def stop_ours(stack):
    stack.stop(*[part for part in ("worker", "jobs") if (stack.var / "run" / f"{part}.pid").exists()])


@pytest.mark.parametrize("guide", GUIDES)
def test_the_whole_way(make_stack, tmp_path, guide):
    stack = make_stack(jobs=True)
    stop_ours(stack)
    connection = stack.db()
    with connection.cursor() as c:
        c.execute("DROP DATABASE tgo_rtc")
    connection.close()
    go = GoDatabase(stack, "UTC", name="tgo_rtc")
    fill(go)
    reader = Reader(stack, tmp_path, guide)

    before = go.everything()
    reader.follow("cp .env")
    found = reader.checks("tgo-call check")
    assert found["schema"] == "fail" and found["mysql"] == found["redis"] == "ok"
    said = reader.follow("--dry-run")
    assert "rtc_room: 3 rows" in said and "newest row" in said
    assert '"room_id":"talk"' in reader.follow("_copy")
    assert go.everything() == before and go.run("SHOW DATABASES LIKE 'tgo\\_rtc\\_copy'") == ()

    reader.follow("before.sql.gz")
    reader.follow("diff before.txt")
    stack.start(API_KEYS=reader.api_keys())
    found = reader.checks("/readyz")
    assert found["schema"] == "ok" and found["nginx"] == "ok"
    said = reader.follow("/leave")
    assert '"participant.accepted"' in said and '"room.finished"' in said

    # The first pass puts right what the Go server left behind.
    wait_until(lambda: go.participant("stale", "jon")["status"] == 3, 30, 0.2, "stale rows of the Go server")

    # The way back, and what the Go server does meanwhile.
    stop_ours(stack)
    now = time.time()
    go.insert_room("back", "zoe", now)
    go.insert_participant("back", "zoe", now)
    assert "1 rows got their times in UTC" in reader.follow("tgo-call migrate")
    stack.start(API_KEYS=reader.api_keys())
    assert go.room("back")["created_at_ms"] > 0
    go.db.close()
