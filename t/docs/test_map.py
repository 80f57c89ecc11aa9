"""What the documents name is there: files, endpoints, headings, links. SPDX-License-Identifier: MIT"""
import os
import re
import subprocess

import pytest

from support.stack import ROOT

DOCUMENTS = sorted(path.relative_to(ROOT).as_posix() for path in
                   [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("packaging/*.md"), *ROOT.glob("t/*.md"),
                    *ROOT.glob("sql/**/*.md")])
# What is made by a build or a run, and so is not in the tree.
MADE = re.compile(r"^(\./)?(var|build|build-\w+)(/|$)|^\.\./configure$|^migrations\.c$")
# Programs and files of a machine we are installed on.
ELSEWHERE = re.compile(r"^(/etc|/run|/usr|/var|/tmp|/dev|/proc)(/|$)|^(nginx|journald|docker|rotated)\b"
                       # nginx's own name for /metrics of the workers of /_route
                       r"|^/metrics/route$")
# A path: something with a slash or a known ending, and no blanks.
PATH = re.compile(r"^[\w.@-]+(/[\w.@*-]+)*/?$")
ENDINGS = (".c", ".h", ".py", ".md", ".sh", ".sql", ".json", ".def", ".conf", ".service", ".socket", ".mjs", ".go")
# What LiveKit's nodes answer, behind the same nginx.
OF_LIVEKIT = ("/rtc", "/twirp", "/agent", "/whip", "/settings")


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def without_blocks(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def quoted(name):
    return re.findall(r"`([^`\n]+)`", without_blocks(read(name)))


def is_path(text):
    if not PATH.match(text) or MADE.match(text) or ELSEWHERE.match(text):
        return False
    if text.startswith("@"):
        return False                                  # an npm package's name
    return text.endswith(ENDINGS) or ("/" in text and not text.startswith(("/", "application/", "text/")))


def exists(text):
    """From the root, or as the code itself names it, from src/ (base/err.h)."""
    return any(any(ROOT.glob(prefix + text.rstrip("/"))) for prefix in ("", "src/"))


@pytest.fixture(scope="module")
def routes():
    program = os.environ.get("TGO_BIN")
    assert program, "TGO_BIN: the folder of the build (scripts/test sets it)"
    done = subprocess.run([f"{program}/t/routes"], stdout=subprocess.PIPE, text=True, check=True)
    return {(method, pattern(path)) for method, path, *_ in (line.split("\t") for line in done.stdout.splitlines())}


def pattern(path):
    return re.sub(r"\{\w+\}", "{}", path)


def known(routes, method, path):
    """The full path, or one under /api/v1."""
    wanted = {pattern(path.rstrip("/") or "/"), "/api/v1" + pattern(path.rstrip("/"))}
    return any(m == (method or m) and p in wanted for m, p in routes)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files(name):
    assert [text for text in quoted(name) if is_path(text) and not exists(text)] == []


def test_enough_is_looked_at():
    """The rule for what a path is has not gone blind."""
    counts = {name: sum(map(is_path, quoted(name))) for name in DOCUMENTS}
    assert counts["docs/map.md"] > 60 and counts["docs/architecture.md"] > 10 and counts["CONTRIBUTING.md"] > 3
    assert is_path("src/nothing/here.c") and not exists("src/nothing/here.c")
    assert exists("base/err.h") and exists("t/api/test_*.py") and not is_path("GET /rooms")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links(name):
    """Relative links lead to a file, and where they name a heading, to one that is there."""
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_blocks(read(name))):
        if re.match(r"\w+:", target):
            continue
        file, _, heading = target.partition("#")
        path = (ROOT / name).parent / file if file else ROOT / name
        if not path.exists() or (heading and heading not in headings(path)):
            wrong.append(target)
    assert wrong == []


def headings(path):
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_endpoints(routes, name):
    """METHOD /path, and a quoted /path alone."""
    text = read(name)
    named = re.findall(r"\b(GET|POST|PUT|DELETE) `?(/[\w{}/.-]+)", text)
    named += [("", one) for one in quoted(name) if re.match(r"^/[\w{}/.-]+$", one)]
    assert [one for one in named
            if not one[1].startswith(OF_LIVEKIT) and not ELSEWHERE.match(one[1]) and not known(routes, *one)] == []


def test_map_rows_name_something_or_say_why(routes):
    """Each row of the map leads to a file or an endpoint of ours, or says why it is left to the media node."""
    lines = read("docs/map.md").splitlines()
    rows = [line for line in lines if line.startswith("| ") and not line.startswith("| there")]
    assert len(rows) >= 30
    for row in rows:
        ours = row.split("|")[2]
        files = [text for text in re.findall(r"`([^`]+)`", ours) if is_path(text)]
        endpoints = re.findall(r"(GET|POST|PUT|DELETE) (/[\w{}/-]+)", ours)
        assert files or endpoints or ("because" in ours and ("left to" in ours or "passed through" in ours)), row


# The words of the work this map was asked for: each is somewhere in it.
MAP_COVERS = """handlers services models token router RoomManager RTCService signal RoomAllocator RoomService Twirp auth
    stores TURN ingress egress SIP agents webhook reconciler jobs scheduler Dockerfile""".split()


def test_map_covers():
    text = read("docs/map.md").lower()
    assert [word for word in MAP_COVERS if word.lower() not in text] == []


def test_rooms_of_the_house():
    """CONTRIBUTING.md's table of rooms, tools/check-includes and the folders are one thing."""
    table = {m[1]: set(m[2].split()) for m in re.finditer(r"^\| (\w+) \|[^|]*\| ([^|]*) \|$", read("CONTRIBUTING.md"),
                                                         re.M) if m[1] != "room"}
    checked = {m[1]: set(m[2].split()) for m in re.finditer(r"^(\w+):((?: \w+)*)$", read("tools/check-includes"), re.M)}
    folders = {path.name for path in (ROOT / "src").iterdir() if path.is_dir() and any(path.glob("*.[ch]"))}
    assert set(table) == set(checked) == folders
    # Where the table lists rooms by name it lists the checked ones.
    listed = {room: names for room, names in table.items() if names <= folders}
    assert len(listed) > 10
    assert listed == {room: checked[room] for room in listed}
