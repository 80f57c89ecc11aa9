"""What a fault test measured. With TGO_FIGURES=FILE (whole path) each test appends a line of JSON; run as a program
with such files this prints the rows of the table in docs/reliability.md, or puts them there:

    python t/support/figures.py FILE... [--into docs/reliability.md ...]

SPDX-License-Identifier: MIT
"""
import collections
import dataclasses
import json
import os
import pathlib
import sys

BEGIN, END = "<!-- measured -->", "<!-- /measured -->"


@dataclasses.dataclass
class Figures:
    answers: int = 0
    not_served: dict = dataclasses.field(default_factory=dict)    # "503 unavailable" -> how many
    slowest_s: float = 0.0            # of all answers
    slowest_refusal_s: float = 0.0
    recovery_s: float = 0.0           # from "it is back" to "every client is served"
    acknowledged: int = 0             # changes, each found in the database
    calls: int = 0
    events: int = 0                   # each delivered, in order
    repeats: int = 0                  # delivered more than once

    def write(self, fault, rounds, note=""):
        """Adds a line to the file TGO_FIGURES names, if it names one; returns self."""
        where = os.environ.get("TGO_FIGURES")
        if where:
            line = json.dumps({"fault": fault, "rounds": rounds, "note": note, **dataclasses.asdict(self)},
                              ensure_ascii=False)
            with open(where, "a", encoding="utf-8") as f:
                f.write(line + "\n")
        return self


def not_served(lines):
    total = collections.Counter()
    for line in lines:
        total.update(line["not_served"])
    return ", ".join(f"{n:,} × {what}" for what, n in total.most_common()) or "none"


def row(fault, lines):
    def worst(name):
        return f"{max(line[name] for line in lines):.2f}"

    def whole(name):
        return f"{sum(line[name] for line in lines):,}"

    cells = [fault, whole("rounds"), whole("answers"), not_served(lines), worst("slowest_s"), worst("recovery_s"),
             whole("acknowledged"), f"{whole('events')} / {whole('repeats')}", lines[-1]["note"]]
    return "| " + " | ".join(cells) + " |"


def rows(paths):
    """fault -> its row; of several runs of a fault the sums, and the worst times."""
    faults = {}
    for path in paths:
        for text in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            faults.setdefault(line["fault"], []).append(line)
    return {fault: row(fault, lines) for fault, lines in faults.items()}


def put_into(page, new):
    """Between its marks: rows of the same faults are replaced, others stay, new ones come last."""
    head, begin, rest = page.partition(BEGIN)
    old, end, tail = rest.partition(END)
    assert begin and end, f"a page without {BEGIN} and {END}"
    title, line, *lines = old.strip().splitlines()
    kept = {text.split("|")[1].strip(): text for text in lines}
    kept.update(new)
    return head + begin + "\n" + "\n".join([title, line, *kept.values()]) + "\n" + end + tail


def main(args):
    if "--into" not in args:
        print("\n".join(rows(args).values()))
        return
    at = args.index("--into")
    new = rows(args[:at])
    for page in map(pathlib.Path, args[at + 1:]):
        page.write_text(put_into(page.read_text(encoding="utf-8"), new), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
