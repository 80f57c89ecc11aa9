"""The worker under valgrind for a short run of every kind of request: no bad access, nothing lost.

SPDX-License-Identifier: MIT
"""
import os
import re
import shutil
from pathlib import Path

import pytest

from support.client import Api
from support.wait import wait_until

WRAPPER = """#!/bin/sh
exec {valgrind} -q --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \\
	--child-silent-after-fork=no --log-file={folder}/%p.txt {worker} "$@"
"""


def programs(folder):
    """A folder of programs whose worker runs under valgrind."""
    made = folder / "bin"
    made.mkdir()
    real = Path(os.environ["TGO_BIN"]).resolve()
    (made / "tgo-call").symlink_to(real / "tgo-call")
    worker = made / "tgo-call-worker"
    worker.write_text(WRAPPER.format(valgrind=shutil.which("valgrind"), folder=folder,
                                     worker=real / "tgo-call-worker"))
    worker.chmod(0o755)
    return made


@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="a program watches its memory in one way at a time")
def test_valgrind_finds_nothing(tmp_path, make_stack):
    stack = make_stack(BIN=str(programs(tmp_path)), WORKERS="2")
    api = Api(stack)
    for n in range(10):
        room, ann, bob = f"vg-{n}", f"ann-{n}", f"bob-{n}"
        assert api.post("/rooms", {"creator": ann, "uids": [bob], "room_id": room,
                                   "metadata": {"n": n}}).status_code == 200
        assert api.post(f"/rooms/{room}/join", {"uid": bob}).status_code == 200
        assert api.post(f"/rooms/{room}/join", {"uid": ann}).status_code == 200
        assert api.get(f"/rooms/sync?uid={bob}").status_code == 200
        assert api.post(f"/rooms/{room}/token", {"uid": bob}).status_code == 200
        assert api.post(f"/rooms/{room}/leave", {"uid": bob}).status_code == 200
        assert api.get(f"/rooms/{room}").status_code == 200
    group = {"creator": "many", "uids": [f"p{i}" for i in range(999)], "room_id": "vg-group"}
    assert api.post("/rooms", group).status_code == 200
    assert api.post("/rooms/vg-group/end").status_code == 200
    for bad in (b"", b"{", b'{"a":1,"a":2}', b"\xff", b"x" * 300000, b"[" * 5000):
        assert api.request("POST", "/rooms", data=bad).status_code in (400, 413)
    assert api.get("/rooms?limit=100").status_code == 200
    assert api.get("/readyz", root=True).status_code == 200
    stack.stop("worker")
    wait_until(lambda: list(tmp_path.glob("*.txt")), 5, what="valgrind's reports")
    said = {f.name: f.read_text() for f in tmp_path.glob("*.txt")}
    assert said and not [text for text in said.values() if re.search(r"\S", text)], said
