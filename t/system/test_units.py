"""The units of systemd/: they can be read, name each other, and shut out what they do not need.

SPDX-License-Identifier: MIT
"""
import re
import shutil
import subprocess

import pytest

from support.stack import ROOT

UNITS = sorted(path.name for path in (ROOT / "systemd").glob("*.service"))
pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    """Copies whose programs are there: what is not installed yet is no fault of a unit."""
    folder = tmp_path_factory.mktemp("units")
    for path in (ROOT / "systemd").iterdir():
        if path.suffix in (".service", ".socket"):
            (folder / path.name).write_text(re.sub(r"/usr/bin/(tgo-call[a-z-]*|spawn-fcgi)", "/bin/true",
                                                   path.read_text()))
    return folder


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_can_be_read(units, name):
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", units / name], capture_output=True, text=True,
                          timeout=60)
    said = [line for line in (done.stdout + done.stderr).splitlines() if "tgo-call" in line]
    assert done.returncode == 0 and said == []


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_exposed_little(units, name):
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", units / name],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-500:]


def test_nobody_else_reaches_a_socket():
    """Whoever connects may pose as anybody: 0660 in a folder of 0750, whichever unit makes them."""
    for path in (ROOT / "systemd").glob("*.socket"):
        said = dict(re.findall(r"^(SocketMode|SocketUser|SocketGroup|DirectoryMode)=(.*)$", path.read_text(), re.M))
        assert said == {"SocketMode": "0660", "SocketUser": "tgo-call", "SocketGroup": "www-data",
                        "DirectoryMode": "0750"}, path.name
    for path in (ROOT / "systemd").glob("*.service"):
        text = path.read_text()
        assert re.findall(r"^RuntimeDirectoryMode=(.*)$", text, re.M) in ([], ["0750"]), path.name
        for line in re.findall(r"^ExecStart=.*spawn-fcgi.*$", text, re.M):
            assert " -M 0660 " in line, path.name
    assert re.search(r"^d /run/tgo-call +0750 tgo-call www-data ", (ROOT / "systemd/tgo-call.tmpfiles").read_text(),
                     re.M)
    assert "install -d -m 0750 -o tgo-call -g tgo-call /run/tgo-call" in (ROOT / "packaging/Dockerfile").read_text()


def test_rotation_tells_every_service():
    told = re.search(r"for unit in ([^;]+);", (ROOT / "systemd/tgo-call.logrotate").read_text()).group(1).split()
    assert sorted(told) == UNITS


@pytest.mark.parametrize("name", UNITS)
def test_a_migration_has_the_time_it_takes(name):
    """systemd's own limit of 90 s holds for ExecStartPre, too: it would end a long ALTER half way, again and again."""
    text = (ROOT / "systemd" / name).read_text()
    assert re.search(r"^ExecStartPre=.*tgo-call migrate$", text, re.M)
    assert re.findall(r"^TimeoutStartSec=(.*)$", text, re.M) == ["infinity"]
