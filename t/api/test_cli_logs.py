"""tgo-call logs: what is chosen, in which order, out of which files, and what follows.

SPDX-License-Identifier: MIT
"""
import gzip
import json
import os
import time

import pytest

from support.ctl import Ctl
from support.wait import wait_until

DAY = 86400
T0 = 1763674516                       # 2025-11-20T21:35:16Z


def line(i, at=None, **fields):
    at = T0 + i if at is None else at
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + ".500+00:00"
    return json.dumps({"level": "info", "timestamp": stamp, "msg": f"第{i}行", **fields},
                      ensure_ascii=False, separators=(",", ":")) + "\n"


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log" / "app.log"


@pytest.fixture
def ctl(stack, tmp_path, log):
    log.parent.mkdir()
    return Ctl(f"{stack.env['TGO_BIN']}/tgo-call", tmp_path, LOG_FILE=log, TZ="UTC")


def put(path, text):
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    newest = max((json.loads(one)["timestamp"] for one in text.splitlines() if one[:1] == "{"), default=None)
    if newest is not None:
        at = time.mktime(time.strptime(newest[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone + 1
        os.utime(path, (at, at))


def numbers(done):
    assert done.returncode == 0, done.stderr
    return [int(json.loads(one)["msg"][1:-1]) for one in done.stdout.splitlines()]


@pytest.fixture
def rotated(log, ctl):
    put(log.with_name("app.log.11.gz"), "".join(line(i) for i in range(0, 3)))
    put(log.with_name("app.log.2.gz"), "".join(line(i) for i in range(3, 6)))
    put(log.with_name("app.log.1"), "".join(line(i) for i in range(6, 9)))
    put(log, "".join(line(i) for i in range(9, 12)))
    for stranger in ("app.log.old", "app.log.1.bak", "app.log2", "other.log.1", "app.log.1.gz.tmp", "app.log-x"):
        log.with_name(stranger).write_text(line(99))
    return log


class TestWhat:
    def test_all_of_it_oldest_first(self, ctl, rotated):
        assert numbers(ctl("logs")) == list(range(12))

    def test_the_lines_are_those_of_the_files(self, ctl, rotated):
        assert ctl("logs").stdout == "".join(line(i) for i in range(12))

    def test_dated_names(self, ctl, log):
        put(log.with_name("app.log-20251118.gz"), line(0))
        put(log.with_name("app.log-20251119.gz"), line(1))
        put(log.with_name("app.log-20251120"), line(2))
        put(log, line(3))
        assert numbers(ctl("logs")) == [0, 1, 2, 3]

    @pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 8, 12, 500])
    def test_tail(self, ctl, rotated, n):
        assert numbers(ctl("logs", "--tail", n)) == list(range(12))[max(0, 12 - n):]

    def test_tail_written_as_docker_takes_it(self, ctl, rotated):
        assert numbers(ctl("logs", "-n5")) == numbers(ctl("logs", "-n", 5)) == [7, 8, 9, 10, 11]
        assert numbers(ctl("logs", "--tail=all")) == list(range(12))

    def test_tail_counts_lines_that_were_asked_for(self, ctl, log):
        put(log.with_name("app.log.1"), line(0, uid="ann") + line(1))
        put(log, line(2, uid="ann") + line(3) + line(4))
        assert numbers(ctl("logs", "--tail", 2, "--uid", "ann")) == [0, 2]
        assert numbers(ctl("logs", "--tail", 1, "--uid", "ann")) == [2]

    @pytest.mark.parametrize("since, until, expected", [
        (f"{T0 + 4}", None, range(4, 12)), (None, f"{T0 + 4}", range(0, 4)), (f"{T0 + 2}", f"{T0 + 10}", range(2, 10)),
        (f"{T0 + 4}.6", None, range(5, 12)), ("2025-11-20T21:35:20Z", None, range(4, 12)),
        ("2025-11-21T05:35:20+08:00", None, range(4, 12)), ("2025-11-20T21:35:20", None, range(4, 12)),
        ("2025-11-20 21:35:20", None, range(4, 12)), ("2025-11-21", None, []), ("2025-11-20", None, range(12)),
        ("1h", None, []), (None, "1h", range(12)), ("36500d", None, range(12)),
    ])
    def test_times(self, ctl, rotated, since, until, expected):
        options = (["--since", since] if since else []) + (["--until", until] if until else [])
        assert numbers(ctl("logs", *options)) == list(expected)

    def test_local_time_is_that_of_tz(self, ctl, rotated):
        assert numbers(ctl("logs", "--since", "2025-11-21T05:35:20", TZ="Asia/Shanghai")) == list(range(4, 12))

    def test_a_file_that_is_older_is_not_even_read(self, ctl, rotated):
        rotated.with_name("app.log.11.gz").write_bytes(b"\x1f\x8b damaged")
        os.utime(rotated.with_name("app.log.11.gz"), (T0, T0))
        done = ctl("logs", "--since", T0 + 4)
        assert numbers(done) == list(range(4, 12)) and done.stderr == ""

    def test_a_damaged_file_is_told_and_the_rest_shown(self, ctl, rotated):
        whole = rotated.with_name("app.log.2.gz").read_bytes()
        rotated.with_name("app.log.2.gz").write_bytes(whole[:-12])
        done = ctl("logs")
        assert done.stdout.startswith("".join(line(i) for i in range(4)))
        assert done.stdout.endswith("\n" + "".join(line(i) for i in range(6, 12)))
        assert "app.log.2.gz: damaged" in done.stderr

    def test_an_unfinished_line_is_shown(self, ctl, log):
        put(log, line(0) + line(1)[:-1])
        assert numbers(ctl("logs")) == [0, 1]

    def test_a_very_long_line(self, ctl, log):
        put(log, line(0) + line(1, uids=["u" * 40] * 20000) + line(2))
        assert numbers(ctl("logs")) == [0, 1, 2]
        assert numbers(ctl("logs", "--uid", "u" * 40)) == [1]


class TestFilters:
    LINES = [
        {"room_id": "r1", "uid": "ann", "livekit_node": "ND_1", "request_id": "q1"},
        {"room_id": "r2", "uid": "bob", "livekit_node": "ND_2", "request_id": "q2", "level": "warn"},
        {"room_id": "r2", "creator": "ann", "invited_uids": ["bob", "c\"d", "张三"], "level": "error"},
        {"room_id": "r11", "uid": "an", "node": "ND_1", "level": "debug"},
        {"room_id": "r1", "uid": "c\"d", "msg2": "\"uid\":\"ann\""},
        {"busy_uids": ["ann"], "uids": []},
    ]

    @pytest.mark.parametrize("options, expected", [
        (["--room", "r1"], [0, 4]), (["--room", "r2"], [1, 2]), (["--room", "R1"], []),
        (["--uid", "ann"], [0, 2, 5]), (["--uid", "bob"], [1, 2]), (["--uid", "c\"d"], [2, 4]),
        (["--uid", "张三"], [2]), (["--uid", "an"], [3]), (["--node", "ND_1"], [0, 3]),
        (["--request", "q2"], [1]), (["--level", "warn"], [1, 2]), (["--level", "error"], [2]),
        (["--level", "info"], [0, 1, 2, 4, 5]), (["--level", "debug"], [0, 1, 2, 3, 4, 5]),
        (["--room", "r2", "--uid", "ann"], [2]), (["--room", "r1", "--node", "ND_2"], []),
    ])
    def test_each(self, ctl, log, options, expected):
        put(log, "".join(line(i, **fields) for i, fields in enumerate(self.LINES)))
        assert numbers(ctl("logs", *options)) == expected

    def test_other_peoples_words_stay_with_the_line_before(self, ctl, log):
        log.write_text("before\n" + line(0, uid="ann") + "stack\n trace {\n" + line(1, uid="bob") + "{\"half\n")
        assert ctl("logs").stdout == log.read_text()
        assert ctl("logs", "--uid", "ann").stdout == line(0, uid="ann") + "stack\n trace {\n"
        assert ctl("logs", "--uid", "bob").stdout == line(1, uid="bob") + "{\"half\n"

    def test_what_the_worker_writes(self, stack, ctl, call, fresh, logs):
        alice, bob = fresh("alice"), fresh("bob")
        room = call.post("/rooms", {"creator": alice, "uids": [bob]}).json()["room_id"]
        logs.wait_for(event="token_minted", room_id=room)
        for options in (["--room", room], ["--uid", alice], ["--uid", bob]):
            text = ctl("logs", *options, "--since", "5m", LOG_FILE=stack.env["APP_LOG"]).stdout
            assert "房间创建成功" in text
            found = [json.loads(one) for one in text.splitlines()]
            assert found == [one for one in logs.lines() if room in json.dumps(one) and (
                options[1] in json.dumps(one))]


class TestTerminal:
    def test_lines_are_set_for_reading(self, ctl, log):
        put(log, line(0, room_id="r1", ms=1.5, uids=["a", "b"], why="x\x1b[31m"))
        code, text = ctl.on_a_terminal("logs")
        assert code == 0
        assert text == "2025-11-20T21:35:16.500+00:00  info   第0行  room_id=r1 ms=1.5 uids=[\"a\",\"b\"] " \
            "why=x\\u001b[31m\n"
        assert ctl.on_a_terminal("logs", "--json")[1] == log.read_text()

    def test_there_is_no_log(self, ctl):
        done = ctl("logs")
        assert done.returncode == 1 and "No such file" in done.stderr
        done = ctl("logs", LOG_FILE=None)
        assert done.returncode == 1 and "LOG_FILE is not set" in done.stderr


class TestFollow:
    @pytest.fixture
    def follow(self, ctl, log):
        running = []

        def start(*options):
            process = ctl.start("logs", "-f", *options)
            os.set_blocking(process.stdout.fileno(), False)
            running.append(process)
            seen = []

            def text():
                try:
                    while piece := os.read(process.stdout.fileno(), 65536):
                        seen.append(piece)
                except BlockingIOError:
                    pass
                return b"".join(seen).decode()

            def got():
                return [int(json.loads(one)["msg"][1:-1]) for one in text().splitlines() if one.endswith("}")]

            process.got = got
            return process

        yield start
        for process in running:
            process.kill()
            process.wait()
            assert "Sanitizer" not in process.stderr.read()

    def test_what_is_written_later(self, follow, log):
        put(log, line(0))
        p = follow()
        wait_until(lambda: p.got() == [0])
        with log.open("a") as f:
            f.write(line(1))
            f.flush()
            wait_until(lambda: p.got() == [0, 1])
            f.write(line(2)[:20])
            f.flush()
            time.sleep(0.5)
            assert p.got() == [0, 1]
            f.write(line(2)[20:])
            f.flush()
            wait_until(lambda: p.got() == [0, 1, 2])

    def test_tail_and_filters_go_on(self, follow, log):
        put(log, "".join(line(i, uid="ann" if i % 2 else "bob") for i in range(10)))
        p = follow("--tail", 2, "--uid", "ann")
        wait_until(lambda: p.got() == [7, 9])
        with log.open("a") as f:
            f.write(line(10, uid="bob") + line(11, uid="ann"))
        wait_until(lambda: p.got() == [7, 9, 11])

    def test_over_a_rotation_with_a_straggler(self, follow, log):
        put(log, line(0))
        p = follow()
        wait_until(lambda: p.got() == [0])
        time.sleep(1.2)                   # the log has been quiet before, as logs are at night
        with log.open("a") as old:
            log.rename(log.with_name("app.log.1"))
            log.write_text(line(2))
            time.sleep(0.5)               # longer than it takes to see the new file
            old.write(line(1))
        wait_until(lambda: p.got() == [0, 1, 2], 10)
        log.rename(log.with_name("app.log.2"))
        log.write_text(line(3))
        wait_until(lambda: p.got() == [0, 1, 2, 3], 10)

    def test_over_a_truncation(self, follow, log):
        put(log, line(0) + line(1))
        p = follow()
        wait_until(lambda: p.got() == [0, 1])
        log.write_text(line(2))
        wait_until(lambda: p.got() == [0, 1, 2])

    def test_a_file_that_comes_later(self, follow, log):
        p = follow()
        time.sleep(0.3)
        log.write_text(line(0))
        wait_until(lambda: p.got() == [0])

    def test_until_ends_it(self, follow, log):
        log.write_text("".join(line(i, at=time.time() - 10 + i) for i in range(3)))
        p = follow("--until", int(time.time()) + 2)
        wait_until(lambda: p.got() == [0, 1, 2])
        assert p.wait(10) == 0

    def test_it_ends_when_nobody_reads(self, follow, log):
        put(log, line(0))
        p = follow()
        wait_until(lambda: p.got() == [0])
        p.stdout.close()
        p.wait(10)
