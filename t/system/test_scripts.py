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


# ---- tools ----

# Makes an environment whose pip does what $HERE/pip says.
PYTHON3 = """
    [ "$1 $2" = "-m venv" ] || exit 0
    mkdir -p "$3/bin"
    printf '#!/bin/sh\\necho pip >>"$HERE/calls"\\n. "$HERE/pip"\\n' >"$3/bin/pip"
    cp "$3/bin/pip" "$3/bin/python"
    chmod +x "$3/bin/pip" "$3/bin/python"
"""


def calls(tmp_path):
    return (tmp_path / "calls").read_text().split() if (tmp_path / "calls").exists() else []


def test_a_node_that_was_not_installed_is_not_there(shell, tmp_path, programs):
    """Asked in a condition too, where `set -e` does not count."""
    programs("python3", PYTHON3)
    programs("node", "echo v10.0.0\n")
    (tmp_path / "pip").write_text("exit 1\n")
    code, out, err = ended(shell("if tools_find_node; then echo found; fi"))
    assert (code, out, calls(tmp_path)) == (0, "", ["pip"]), err
    assert list((tmp_path / "cache").rglob("ready")) == []
    (tmp_path / "pip").write_text("exit 0\n")
    code, out, err = ended(shell("if tools_find_node; then echo found; fi"))
    assert (code, out, calls(tmp_path)) == (0, "found\n", ["pip", "pip"]), err


@pytest.mark.parametrize("function", ["tools_python", "tools_node"])
def test_what_was_not_installed_fails(shell, tmp_path, programs, function):
    programs("python3", PYTHON3)
    programs("node", "echo v24.0.0\n")
    programs("npm", 'echo npm >>"$HERE/calls"; exit 1\n')
    (tmp_path / "pip").write_text("exit 1\n")
    for script, expected in ((f"{function}; echo there", 1), (f"if {function}; then echo there; fi", 0)):
        code, out, _ = ended(shell(script))
        assert (code, out) == (expected, ""), script
    assert len(calls(tmp_path)) == 2 and list((tmp_path / "cache").rglob("ready")) == []


def waits_for_a_lock(process):
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            if "(flock)" in stat.read_text() and os.getpgid(int(stat.parent.name)) == process.pid:
                return True
        except OSError:
            continue  # ended meanwhile
    return False


@pytest.mark.parametrize("function", ["tools_swagger_ui", "tools_node"])
def test_two_at_a_time_make_it_once(shell, tmp_path, programs, function):
    """As stacks do that start side by side: the folder that the first one fills is not taken from it."""
    programs("node", "echo v24.0.0\n")
    programs("npm", """
        echo npm >>"$HERE/calls"
        while [ ! -e "$HERE/go" ]; do sleep 0.05; done
        : >"$PWD/made"
    """)
    script = f'{function} >/dev/null; find "$CACHE" -name made | wc -l'
    first = shell(script)
    wait_until(lambda: len(calls(tmp_path)) == 1, 20, 0.02, what="the first one's npm")
    second = shell(script)
    wait_until(lambda: len(calls(tmp_path)) == 2 or waits_for_a_lock(second), 20, 0.02, what="the second one")
    (tmp_path / "go").touch()
    assert [ended(process)[:2] for process in (first, second)] == [(0, "1\n")] * 2
    assert calls(tmp_path) == ["npm"]


def test_swagger_ui_that_cannot_be_had_is_no_error(shell, tmp_path, programs):
    programs("node", "echo v24.0.0\n")
    programs("npm", "exit 1\n")
    code, out, _ = ended(shell("tools_swagger_ui"))
    assert code == 0 and out.endswith("/node_modules/swagger-ui-dist\n")
    assert list((tmp_path / "cache").rglob("ready")) == []
