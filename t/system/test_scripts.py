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


# ---- packages ----

OVER_SBIN = ["unshare", "--mount", "sh", "-ec",
             'mount --make-rprivate / && mount --bind "$HERE/sbin" /usr/sbin && exec "$@"', "-"]


@pytest.fixture
def sbin(tmp_path):
    """What is /usr/sbin to a script under OVER_SBIN."""
    folder = tmp_path / "sbin"
    folder.mkdir()
    return folder


def install(shell, tmp_path, programs):
    """packages_install, whose apt-get installs until it is told to end."""
    programs("apt-get", """
        [ "$1" != update ] || exit 0
        cp /usr/sbin/policy-rc.d "$HERE/seen" && : >"$HERE/begun"
        [ -e "$HERE/at-once" ] || exec sleep 60
    """)
    (tmp_path / "begun").unlink(missing_ok=True)
    process = shell('packages_install some-package 6>"$HERE/lock"', OVER_SBIN)
    wait_until(lambda: (tmp_path / "begun").exists() or process.poll() is not None, 20, 0.02, what="an installation")
    return process


@pytest.mark.skipif(os.geteuid() != 0, reason="a mount needs root")
class TestPolicy:
    """/usr/sbin/policy-rc.d, which keeps services from starting, is there while packages are installed and no longer."""

    @pytest.mark.parametrize("signo", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_interrupted(self, shell, sbin, tmp_path, programs, signo):
        process = install(shell, tmp_path, programs)
        assert (sbin / "policy-rc.d").read_text().startswith("#!/bin/sh\n") and os.access(sbin / "policy-rc.d", os.X_OK)
        os.killpg(process.pid, signo)
        assert ended(process)[0] != 0
        assert list(sbin.iterdir()) == []

    def test_done(self, shell, sbin, tmp_path, programs):
        (tmp_path / "at-once").touch()
        assert ended(install(shell, tmp_path, programs))[0] == 0
        assert "exit 101" in (tmp_path / "seen").read_text() and list(sbin.iterdir()) == []

    def test_one_left_over_by_a_run_that_was_killed(self, shell, sbin, tmp_path, programs):
        process = install(shell, tmp_path, programs)
        os.killpg(process.pid, signal.SIGKILL)
        ended(process)
        assert (sbin / "policy-rc.d").exists()
        (tmp_path / "at-once").touch()
        assert ended(install(shell, tmp_path, programs))[0] == 0
        assert "exit 101" in (tmp_path / "seen").read_text() and list(sbin.iterdir()) == []

    def test_somebody_elses_stays(self, shell, sbin, tmp_path, programs):
        (sbin / "policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
        (tmp_path / "at-once").touch()
        assert ended(install(shell, tmp_path, programs))[0] == 0
        assert (sbin / "policy-rc.d").read_text() == "#!/bin/sh\nexit 101\n"
