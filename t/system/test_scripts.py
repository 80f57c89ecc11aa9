"""scripts/lib, function by function: what is left when something fails half way, is interrupted, or happens twice at
a time.

SPDX-License-Identifier: MIT
"""
import os
import pathlib
import signal
import subprocess

import pytest

from support.stack import ROOT
from support.wait import wait_until

LOAD = f'set -euo pipefail; for part in common packages process tools; do . "{ROOT}/scripts/lib/$part.sh"; done\n'


@pytest.fixture
def programs(tmp_path):
    """programs(name, script) puts a program of that name first in the PATH of what `shell` runs."""
    folder = tmp_path / "programs"
    folder.mkdir()

    def make(name, script):
        (folder / name).write_text("#!/bin/sh\n" + script)
        (folder / name).chmod(0o755)

    return make


@pytest.fixture
def shell(tmp_path):
    """shell(script) begins it, with the functions of scripts/lib, in a process group of its own."""
    running = []
    env = {**os.environ, "PATH": f"{tmp_path}/programs:{os.environ['PATH']}", "TGO_CACHE": str(tmp_path / "cache"),
           "VAR": str(tmp_path), "HERE": str(tmp_path)}

    def begin(script, prefix=()):
        running.append(subprocess.Popen([*prefix, "bash", "-c", LOAD + script], env=env, text=True, start_new_session=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        return running[-1]

    yield begin
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def ended(process):
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


# ---- processes ----

def test_one_that_ended_before_it_was_looked_at_is_dead(shell):
    """Its pid file has no time of its beginning: nobody saw that."""
    code, out, err = ended(shell("""
        mkdir -p "$VAR/run" "$VAR/log"
        true &
        wait
        echo "$! " >"$VAR/run/gone.pid"
        proc_alive gone && echo lives
        proc_await gone 20 false"""))
    assert (code, out) == (1, "") and "gone ended at once" in err


def test_one_that_runs_is_alive_until_it_ends(shell):
    code, out, _ = ended(shell("""
        mkdir -p "$VAR/run" "$VAR/log"
        proc_start here sleep 60
        proc_alive here && echo lives
        proc_stop here 10
        proc_alive here || echo dead"""))
    assert (code, out) == (0, "lives\ndead\n")
