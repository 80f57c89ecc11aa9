"""The worker as a process, for the tests of this folder.

SPDX-License-Identifier: MIT
"""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.worker_process import Service  # noqa: E402


@pytest.fixture
def service(tmp_path):
    made = []

    def make(**settings):
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Service(folder, settings))
        return made[-1]

    yield make
    for s in made:
        s.clean_up()
        assert "Sanitizer" not in s.err.read_text(errors="replace") if s.err.exists() else True
