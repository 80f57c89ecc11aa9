"""The logs as their readers see them: a JSON object a line. SPDX-License-Identifier: MIT"""
import json
import pathlib

from support.wait import wait_until

LINE_MAX = 65536


class AppLog:
    """What was appended to a log since this object was made, or since mark()."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.mark()

    def whole_lines(self, offset):
        """A line that crosses a page of the file is seen in halves while it is written, cut in a character at that."""
        if not self.path.exists():
            return b""
        with self.path.open("rb") as f:
            f.seek(offset)
            data = f.read()
        return data[:data.rfind(b"\n") + 1]

    def mark(self):
        size = self.path.stat().st_size if self.path.exists() else 0
        tail = max(0, size - LINE_MAX)
        self.offset = tail + len(self.whole_lines(tail))
        return self

    def text(self):
        return self.whole_lines(self.offset).decode("utf-8")

    def lines(self, **fields):
        """With fields only those where each has that value."""
        parsed = [json.loads(line) for line in self.text().splitlines()]
        return [one for one in parsed if all(one.get(k) == v for k, v in fields.items())]

    def wait_for(self, predicate=None, timeout=5.0, **fields):
        """The first line for which predicate(line) is true and that has the fields."""

        def look():
            return next((one for one in self.lines(**fields) if predicate is None or predicate(one)), None)

        return wait_until(look, timeout, what=f"a log line {fields or predicate} in {self.path}")
