"""schemathesis over docs/openapi.json, through nginx: requests made from the document, good and bad, answered
as it says. Never a 5xx, no status it does not have, no body of another shape, nothing bad taken.

Pinned by seed, bounded by examples: 15 for each operation and 40 walks, in `scripts/test full` 200 and 300.
Not checked: that what the document allows is always taken (unknown calls, uids a key must name and a ticket
need not, opaque cursors), and that what was deleted is gone (people put out of a call stay in its history).
SPDX-License-Identifier: MIT
"""
import os
import pathlib
import re
import subprocess
import sys

import pytest

from support.document import FILE
from support.rounds import rounds

SEED = 20260401
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance",
          "response_headers_conformance",
          "response_schema_conformance", "negative_data_rejection", "missing_required_header",
          "unsupported_method",
          "allow_header_conformance", "ignored_auth")
WALKS = """
hooks = "support.schemathesis_hooks"
[phases.stateful]
max-steps = 8
generation = { mode = "positive" }
inference = { algorithms = [] }
"""
TESTS = pathlib.Path(__file__).resolve().parents[1]
ABSOLUTE = ("/swagger/index.html", "/api/docs/swagger.json", "/metrics")


def run(tmp_path, authorization, *args, checks=CHECKS):
    """(operations tested, requests made); fails with all that was said."""
    program = pathlib.Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [program, "run", FILE, "-H", f"Authorization: {authorization}", "--seed", str(SEED), "--checks",
         ",".join(checks),
         "--continue-on-failure", "--no-shrink", "--generation-database", "none", "--warnings", "off",
         "--request-timeout", "10", *args],
        cwd=tmp_path, env={**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(TESTS)}, text=True,
        stdin=subprocess.DEVNULL, capture_output=True, timeout=1500)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    return (int(re.search(r"Tested: (\d+)", done.stdout)[1]), int(re.search(r"(\d+) generated", done.stdout)[1]))


@pytest.fixture(scope="module")
def origin(stack):
    return ["--origin", stack.url, *[word for path in ABSOLUTE for word in ("--exclude-path", path)]]


def n_operations(document):
    return sum(1 for path,
               item in document.raw["paths"].items() if path not in ABSOLUTE for name in item if name in ("get",
                   "post", "put", "delete"))


def test_every_operation_with_a_key(stack, document, origin, tmp_path):
    n = rounds(15, 200)
    tested, made = run(tmp_path, "Bearer " + stack.env["TGO_KEY"], *origin, "--phases",
                       "examples,coverage,fuzzing", "-n", str(n))
    assert tested == n_operations(document) and made > 1500


def test_every_operation_with_a_ticket(call, document, origin, tmp_path, fresh):
    """Most of it is refused; the refusals too are as described."""
    tested, _ = run(tmp_path, "Bearer " + call.ticket(fresh()), *origin, "--phases", "examples,fuzzing", "-n",
                    str(rounds(10, 100)),
                    checks=[c for c in CHECKS if c not in ("negative_data_rejection", "ignored_auth")])
    assert tested == n_operations(document)


def test_walks_from_call_to_call(stack, origin, tmp_path):
    """create, then where the document's links lead: join, leave, invite, end, in any order."""
    (tmp_path / "schemathesis.toml").write_text(WALKS)
    tested, made = run(tmp_path, "Bearer " + stack.env["TGO_KEY"], *origin, "--phases", "stateful", "-n",
                       str(rounds(40, 300)))
    assert tested >= 10 and made > 100


@pytest.mark.parametrize("path", ABSOLUTE)
def test_absolute_paths(stack, tmp_path, path):
    tested, _ = run(tmp_path, "Bearer x", "--url", stack.url, "--include-path", path, "--phases",
                    "examples,coverage,fuzzing", "-n", "5")
    assert tested == 1


def test_nothing_is_wrong_afterwards(invariants):
    invariants()
