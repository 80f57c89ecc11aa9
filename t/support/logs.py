"""The logs as their readers see them: a JSON object a line. SPDX-License-Identifier: MIT"""
import json
import pathlib

from support.wait import wait_until


class AppLog:
    """What was appended to a log since this object was made, or since mark()."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.mark()

    def mark(self):
        self.offset = self.path.stat().st_size if self.path.exists() else 0
        return self

    def text(self):
        if not self.path.exists():
            return ""
        with self.path.open("rb") as f:
            f.seek(self.offset)
            return f.read().decode("utf-8")

    def lines(self, **fields):
        """Whole lines; with fields only those where each has that value."""
        text = self.text()
        whole = text[:text.rfind("\n") + 1]
        parsed = [json.loads(line) for line in whole.splitlines()]
        return [one for one in parsed if all(one.get(k) == v for k, v in fields.items())]

    def wait_for(self, predicate=None, timeout=5.0, **fields):
        """The first line for which predicate(line) is true and that has the fields."""

        def look():
            return next((one for one in self.lines(**fields) if predicate is None or predicate(one)), None)

        return wait_until(look, timeout, what=f"a log line {fields or predicate} in {self.path}")
