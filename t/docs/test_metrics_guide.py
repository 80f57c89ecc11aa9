"""docs/metrics.md, the program's table of series, and what is printed: the same names, types and labels.

SPDX-License-Identifier: MIT
"""
import re

import pytest

from support.client import Api
from support.scrape import read
from support.stack import ROOT

TEXT = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(tgo_\w+)` \| (\w+) \| ([\w, ]*?) ?\| (.+?) \| (.+) \|$", re.M)
# What a name has in the text that its family has not.
SUFFIXES = r"(?:_bucket|_sum|_count)?"


def documented(heading):
    """Series of a chapter -> (type, labels, use)."""
    chapter = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", TEXT, re.M | re.S)[1]
    rows = ROW.findall(chapter)
    assert len(rows) == len(re.findall(r"^\| `", chapter, re.M)), "a row that cannot be read"
    assert len({name for name, *_ in rows}) == len(rows)
    return {name: (kind, {label for label in labels.split(", ") if label}, use) for name, kind, labels, _, use in rows}


COUNTED, THERE = documented("What is counted"), documented("What there is")


def table():
    """METER_ROWS of src/base/meter.h."""
    header = (ROOT / "src/base/meter.h").read_text()
    words = dict(re.findall(r'X\((\w+), +"(\w*)", +\d+\)', header))
    types = {"COUNTER": "counter", "GAUGE": "gauge", "HISTOGRAM": "histogram", "SPAN": "histogram"}
    rows = re.findall(r'X\(\w+, +"(\w+)", +(\w+), +(\w+), +(\w+),', header)
    assert len(rows) > 25
    return {name: (types[kind], {words[one] for one in (l1, l2)} - {""}) for name, kind, l1, l2 in rows}


@pytest.fixture(scope="module")
def printed(stack):
    api = Api(stack)
    assert api.post("/rooms", {"creator": "metrics-ann", "uids": ["metrics-bob"]}).status_code == 200
    return read(api).types()


def test_what_is_counted():
    assert {name: (kind, labels) for name, (kind, labels, _) in COUNTED.items()} == table()


def test_what_is_printed(printed):
    assert {name: kind for name, (kind, _) in printed.items()} == \
        {name: kind for name, (kind, *_) in {**COUNTED, **THERE}.items()}
    for name, (_, labels) in printed.items():
        assert labels in (set(), {**COUNTED, **THERE}[name][1]), name


def test_labels_of_what_there_is():
    """Not all of them have a series on a small stack: their labels stand in the source."""
    source = (ROOT / "src/api/state_text.c").read_text() + (ROOT / "src/api/metrics.c").read_text()
    named = {label for _, labels, _ in THERE.values() for label in labels}
    assert named == {"service", "status", "node", "state", "task", "endpoint"}
    assert all(f'"{label}"' in source for label in named)


@pytest.mark.parametrize("name", sorted({**COUNTED, **THERE}))
def test_every_use_is_one_of_it(name):
    """The line of PromQL names the series, with the suffix and the labels its type has."""
    kind, labels, use = {**COUNTED, **THERE}[name]
    used = re.findall(r"`([^`]+)`", use)
    assert used, "no PromQL"
    text = used[0].replace("\\|", "|")
    assert re.search(rf"\b{name}{SUFFIXES if kind == 'histogram' else ''}\b(?!_)", text)
    if kind == "histogram":
        assert re.search(rf"\b{name}_(bucket|sum)\b", text)
    known = {**COUNTED, **THERE}
    for found, selector in re.findall(r"\b(tgo_\w+?)(?:_bucket|_sum|_count)?(?:\{([^}]*)\})?(?=[\[\s)]|$)", text):
        assert found in known, found
        assert set(re.findall(r"(\w+)(?:=~|!~|!=|=)", selector)) <= known[found][1] | {"le"}
    assert text.count("(") == text.count(")") and text.count("[") == text.count("]")


def test_answer_rate_is_answered_by_created():
    assert re.search(r"sum\(increase\(tgo_calls_answered_total\[1h\]\)\) / sum\(increase\(tgo_calls_created_total", TEXT)


def test_the_targets_are_the_programs():
    assert {"`/metrics` on nginx", "`/metrics/route` on nginx", "`/metrics` on JOBS_METRICS_LISTEN"} <= \
        set(re.findall(r"^\| (`/metrics.*?) \|", TEXT, re.M))
