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


def test_rotation_tells_every_service():
    told = re.search(r"for unit in ([^;]+);", (ROOT / "systemd/tgo-call.logrotate").read_text()).group(1).split()
    assert sorted(told) == UNITS
