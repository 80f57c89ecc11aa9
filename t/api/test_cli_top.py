"""tgo-call top: what it shows agrees with what is there, it says what is away, and on a terminal it lives, ends on q, and
leaves the terminal as it was.

SPDX-License-Identifier: MIT
"""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios

import pytest

from support.client import Api
from support.ctl import Ctl
from support.receiver import Receiver
from support.stack import Stack
from support.wait import wait_until

TASKS = {"deadlines", "sequence", "deliver", "actions", "reconcile", "keeper", "nodes"}


@pytest.fixture(scope="module")
def receiver():
    one = Receiver()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def busy(receiver):
    """With jobs, a receiver, and a port where the jobs tell what they did."""
    with Stack(jobs=True, BUSINESS_WEBHOOK_ENDPOINTS=json.dumps([receiver.endpoint()])) as running:
        yield running


@pytest.fixture
def ctl(busy, tmp_path):
    return Ctl.of(busy, tmp_path, JOBS_METRICS_LISTEN=busy.env["JOBS_METRICS_LISTEN"])


def number(db, statement):
    with db.cursor() as c:
        c.execute(statement)
        return next(iter(c.fetchone().values()))


def ring(stack, fresh, n=1):
    for _ in range(n):
        answer = Api(stack).post("/rooms", {"creator": fresh("ann"), "uids": [fresh("bob")]})
        assert answer.status_code == 200, answer.text


def test_the_figures_are_those_of_the_database(busy, ctl, fresh):
    ring(busy, fresh, 3)
    db = busy.db()
    seen = ctl.ok("top", "--interval", "0.2")
    assert seen["mysql"] == {"up": True} and seen["redis"] == {"up": True}
    assert seen["calls"]["ringing"] == number(db, "SELECT COUNT(*) FROM rtc_room WHERE status = 0") >= 3
    assert set(seen["jobs"]) == TASKS and set(seen["jobs"].values()) == {1}
    assert seen["workers"]["alive"] == seen["workers"]["configured"] > 0
    assert [e["state"] for e in seen["endpoints"]] == ["ok"] and seen["nodes"] == []
    db.close()


def test_rates_are_of_the_time_between_two_rounds(busy, ctl, fresh):
    watching = ctl.start("top", "-n", 12, "--interval", 0.5)
    first = json.loads(watching.stdout.readline())
    assert set(first["a_second"]) == {"created", "joined", "ended", "requests", "deliveries"}
    ring(busy, fresh, 20)
    rounds = [json.loads(line) for line in watching.stdout]
    assert watching.wait(30) == 0 and len(rounds) == 11
    spans = [(b["at"] - a["at"]) / 1000 for a, b in zip([first, *rounds], rounds)]
    created = sum(one["a_second"]["created"] * span for one, span in zip(rounds, spans))
    # The first round may have seen some of them already.
    assert 10 <= created <= 21 and sum(one["a_second"]["requests"] for one in rounds) > 0


def test_deliveries_are_counted_by_receiver(busy, ctl, receiver, fresh):
    before = len(receiver.taken())
    watching = ctl.start("top", "-n", 10, "-i", 0.5)
    watching.stdout.readline()
    answer = Api(busy).post("/rooms", {"creator": fresh("ann"), "uids": [fresh("bob")], "room_id": fresh("told")})
    assert Api(busy).post(f"/rooms/{answer.json()['room_id']}/end").status_code == 200
    wait_until(lambda: len(receiver.taken()) > before, 10, what="events that are taken")
    rounds = [json.loads(line) for line in watching.stdout]
    assert watching.wait(30) == 0
    assert any(one["a_second"]["deliveries"] > 0 for one in rounds)
    assert any(e["delivered_a_second"] > 0 for one in rounds for e in one["endpoints"] if e["id"] == receiver.id)


def test_text_for_people(busy, ctl, fresh):
    ring(busy, fresh)
    done = ctl("top", "--text", "--interval", "0.2")
    assert done.returncode == 0 and "\033" not in done.stdout and "\001" not in done.stdout
    for word in ("MySQL up", "Redis up", "created", "deliveries", "ringing", "in progress", "waiting", "deadlines 1",
                 "NODE", "no node is known", "RECEIVER", "PENDING"):
        assert word in done.stdout, word
    assert re.search(r"workers \d+ of \d+", done.stdout)
    twice = ctl("top", "--text", "--interval", "0.2", "-n", "2")
    assert twice.stdout.count("MySQL up") == 2


def test_what_cannot_be_read_is_unknown_not_zero(busy, ctl):
    seen = ctl.ok("top", "--interval", "0.2", "--url", "http://127.0.0.1:1", JOBS_METRICS_LISTEN="127.0.0.1:1")
    assert seen["workers"] == {"configured": None, "alive": None}
    assert seen["a_second"]["requests"] is None and seen["a_second"]["deliveries"] is None
    assert seen["a_second"]["created"] == 0
    assert "--url" in ctl("top", "--text", "--interval", "0.2", "--url", "http://127.0.0.1:1").stdout
    # Somebody else's answer is none of ours.
    assert ctl.ok("top", "--interval", "0.2", "--url", busy.url + "/health")["workers"]["alive"] is None


@pytest.mark.parametrize("line, word", [
    (["-n", "0"], "--rounds"), (["-n", "x"], "--rounds"), (["--interval", "0.1"], "--interval"),
    (["--interval", "4000"], "--interval"), (["more"], "usage: tgo-call top"),
])
def test_wrong_use(ctl, line, word):
    done = ctl("top", *line)
    assert done.returncode == 2 and word in done.stderr


@pytest.fixture(scope="module")
def broken():
    with Stack(jobs=True) as running:
        yield running


class TestAway:
    @pytest.fixture
    def look(self, broken, tmp_path):
        one = Ctl.of(broken, tmp_path)

        def look():
            done = one("top", "--interval", "0.2")
            return done.returncode, json.loads(done.stdout), one("top", "--text", "--interval", "0.2").stdout

        return look

    def test_redis(self, broken, look):
        broken.kill("redis")
        code, seen, text = look()
        assert code == 0 and not seen["redis"]["up"] and seen["mysql"]["up"] and "calls" in seen
        assert "Redis DOWN" in text and seen["nodes_partial"]
        broken.start()

    def test_jobs(self, broken, look):
        broken.stop("jobs")
        code, seen, text = look()
        assert code == 0 and set(seen["jobs"].values()) == {0} and "start tgo-call-jobs" in text
        broken.start()

    def test_workers_and_nginx(self, broken, look):
        broken.stop("nginx")
        code, seen, text = look()
        assert code == 0 and seen["workers"]["alive"] is None and not seen["livekit"]["up"] and "LiveKit DOWN" in text
        broken.start()

    def test_mysql(self, broken, look):
        broken.kill("mariadb")
        code, seen, text = look()
        assert code == 1 and not seen["mysql"]["up"] and seen["mysql"]["why"] and "calls" not in seen
        assert "MySQL DOWN" in text and "the database cannot be reached" in text and "Redis up" in text
        assert seen["workers"]["alive"] > 0
        broken.start()


# --- on a terminal ---

class Terminal:
    """The command on a terminal of rows x columns, and what it has on its page."""

    def __init__(self, ctl, *args, size=(30, 120)):
        self.ours, self.theirs = pty.openpty()
        self.resize(*size)
        self.before = termios.tcgetattr(self.theirs)
        self.text = ""
        self.process = subprocess.Popen([ctl.program, "top", *map(str, args)], env=ctl.environment({}), cwd=ctl.folder,
                                        stdin=self.theirs, stdout=self.theirs, stderr=self.theirs,
                                        preexec_fn=self.become_its_own, close_fds=True)

    def become_its_own(self):
        os.setsid()
        fcntl.ioctl(self.theirs, termios.TIOCSCTTY, 0)

    def resize(self, rows, columns):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        while select.select([self.ours], [], [], 0)[0]:
            try:
                piece = os.read(self.ours, 65536)
            except OSError:
                break
            self.text += piece.decode()
        return self.text

    def pages(self):
        return self.read().split("\033[H")[1:]

    def next_page(self):
        n = len(self.pages())
        wait_until(lambda: len(self.pages()) > n + 1, 20, what="another page")
        return [line.rstrip("\r") for line in self.pages()[-2].split("\n")]

    def type(self, keys):
        os.write(self.ours, keys.encode())

    def ends(self, code=0):
        def gone():
            self.read()
            return self.process.poll() is not None

        wait_until(gone, 15, what="the end")
        assert self.process.returncode == code, self.read()[-2000:]
        self.read()
        assert termios.tcgetattr(self.theirs) == self.before
        assert self.text.count("\033[?1049h") == self.text.count("\033[?1049l") >= 1
        assert self.text.rindex("\033[?25h") > self.text.rindex("\033[?25l")
        assert self.text.rindex("\033[?7h") > self.text.rindex("\033[?7l")
        os.close(self.ours)
        os.close(self.theirs)


@pytest.fixture
def terminal(ctl):
    made = []

    def start(*args, **how):
        made.append(Terminal(ctl, "-i", "0.2", *args, **how))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def plain(line):
    return re.sub(r"\033\[[0-9;?]*[A-Za-z]", "", line)


def test_live_until_q(terminal, busy, fresh):
    one = terminal()
    first = one.next_page()
    assert any("MySQL up" in line for line in first) and not (termios.tcgetattr(one.theirs)[3] & termios.ECHO)
    ring(busy, fresh)
    before = len(one.pages())
    wait_until(lambda: len(one.pages()) > before + 3, 20, what="pages that go on")
    one.type("xyz q")
    one.ends()
    # The last figures stay in sight.
    assert "MySQL up" in one.text.rpartition("\033[?1049l")[2]


@pytest.mark.parametrize("how", ["ctrl-c", "TERM", "HUP", "QUIT"])
def test_however_it_ends_the_terminal_is_as_it_was(terminal, how):
    one = terminal()
    one.next_page()
    if how == "ctrl-c":
        one.type("\x03")
    else:
        os.kill(one.process.pid, getattr(signal, "SIG" + how))
    one.ends()


def test_the_page_fits_the_window(terminal):
    one = terminal(size=(30, 120))
    assert any(len(plain(line)) > 60 for line in one.next_page())
    for rows, columns in ((5, 40), (1, 1), (50, 200), (3, 10)):
        one.resize(rows, columns)

        def fits():
            page = one.next_page()
            return len(page) <= rows and all(len(plain(line)) <= columns for line in page)

        wait_until(fits, 20, what=f"{rows} x {columns}")
    one.type("q")
    one.ends()


def test_a_window_that_changes_is_drawn_at_once(ctl, terminal):
    one = Terminal(ctl, "-i", "600")
    wait_until(lambda: one.pages(), 20)
    one.resize(10, 50)
    wait_until(lambda: len(one.pages()) == 2, 10, what="a page for the new window")
    one.type("q")
    one.ends()


def test_stopped_and_continued(terminal):
    one = terminal()
    one.next_page()
    os.kill(one.process.pid, signal.SIGTSTP)
    wait_until(lambda: one.read().count("\033[?1049l") == 1, 10, what="the terminal given back")
    wait_until(lambda: state_of(one.process.pid) == "T", 10, what="a process that stands still")
    assert termios.tcgetattr(one.theirs) == one.before
    os.kill(one.process.pid, signal.SIGCONT)
    wait_until(lambda: one.read().count("\033[?1049h") == 2, 10)
    one.next_page()
    one.type("q")
    one.ends()


def state_of(pid):
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rpartition(")")[2].split()[0]


def test_so_many_rounds(terminal):
    one = terminal("-n", 3)
    one.ends()
    assert one.text.count("\033[H") == 3


def test_json_on_a_terminal(ctl):
    code, text = ctl.on_a_terminal("top", "--json", "--interval", "0.2")
    assert code == 0 and json.loads(text)["mysql"] == {"up": True} and "\033" not in text


def test_a_database_away_is_said_on_the_page_and_back_again(tmp_path):
    with Stack(jobs=False) as stack:
        one = Terminal(Ctl.of(stack, tmp_path), "-i", "0.2")
        one.next_page()
        stack.kill("mariadb")
        wait_until(lambda: any("MySQL DOWN" in line for line in one.next_page()), 20)
        stack.start()
        wait_until(lambda: any("MySQL up" in line for line in one.next_page()), 20)
        one.type("q")
        one.ends()
