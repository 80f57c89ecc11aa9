"""tgo-call-jobs as processes: how it starts and ends, lives through crashes, signals, and servers that come and go.

SPDX-License-Identifier: MIT
"""
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support.client import Api
from support.ctl import Ctl
from support.jobs_process import TASKS, Jobs, rows
from support.receiver import Receiver
from support.rounds import rounds
from support.stack import Stack
from support.wait import wait_until
from support.worker_process import is_alive

LEASE_S = 5
# Nobody is asked who is connected: there are no media nodes here, and a ring is not held up by that.
SOON = {"LIVEKIT_TIMEOUT": "1", "RING_OVERDUE_S": "0", "DEADLINE_RETRY_S": "0.1"}


@pytest.fixture(scope="module")
def stack():
    with Stack(jobs=True, **SOON) as running:
        yield running


@pytest.fixture(scope="module")
def quiet_stack():
    """Its jobs are the tests' own."""
    with Stack(jobs=False, **SOON) as running:
        yield running



def ready(stack):
    return Api(stack).get("/readyz", root=True).json()["checks"]["jobs"]


def holder(db, name):
    """The task's process that holds a lease, or None."""
    found = rows(db, "SELECT p.pid, p.instance FROM jobs_lease l JOIN jobs_process p ON p.id = l.holder"
                     " WHERE l.name = %s AND l.until_ms > UNIX_TIMESTAMP(NOW(3)) * 1000", name)
    return found[0] if found else None


def ring(stack, fresh):
    """A call that nobody answers: its room."""
    room = fresh("room")
    answer = Api(stack).post("/rooms", {"creator": fresh("ann"), "uids": [fresh("bob")], "room_id": room})
    assert answer.status_code == 200, answer.text
    return room


def is_missed(db, room):
    return rows(db, "SELECT status FROM rtc_room WHERE room_id = %s", room)[0]["status"] == 6


def await_missed(db, room, seconds=20):
    wait_until(lambda: is_missed(db, room), seconds, what=f"{room} is missed")


def await_work(stack, db, fresh):
    """Each task that leaves a trace does its work: a call is missed, its events are numbered."""
    room = ring(stack, fresh)
    await_missed(db, room)
    wait_until(lambda: rows(db, "SELECT MIN(pos) AS pos FROM event WHERE room_id = %s", room)[0]["pos"] > 0, 15,
               what="events that are numbered")


@pytest.fixture
def quiet_db(quiet_stack):
    connection = quiet_stack.db()
    with connection.cursor() as c:
        c.execute("DELETE FROM jobs_process")
        c.execute("DELETE FROM jobs_lease WHERE holder <> '' AND name <> 'sequence'")
        c.execute("UPDATE jobs_lease SET holder = '', until_ms = 0")
    yield connection
    connection.close()


# --- the command line ---

def program(stack, *args):
    return subprocess.run([Path(stack.env["TGO_BIN"]) / "tgo-call-jobs", *args], capture_output=True, text=True,
                          timeout=10, cwd=stack.var, env={"PATH": os.environ["PATH"]})


@pytest.mark.parametrize("args, status, says", [
    (["--version"], 0, "tgo-call-jobs "), (["--help"], 0, "--task"), (["--workers", "2"], 64, "--workers"),
    (["--task"], 64, "--task"),
])
def test_command_line(stack, args, status, says):
    done = program(stack, *args)
    assert done.returncode == status and says in done.stdout + done.stderr


def test_help_names_the_tasks(stack, jobs):
    assert sorted(jobs.full()) == sorted(TASKS)
    assert [task for task in TASKS if task not in program(stack, "--help").stdout] == []


def test_an_unknown_task(quiet_stack, make_jobs):
    one = make_jobs(quiet_stack).spawn("--task", "dishes")
    assert one.proc.wait(10) == 64 and "dishes" in one.err.read_text()


def test_one_task_in_the_foreground(quiet_stack, quiet_db, make_jobs, fresh):
    one = make_jobs(quiet_stack).spawn("--task", "deadlines")
    wait_until(lambda: rows(quiet_db, "SELECT 1 FROM jobs_process WHERE pid = %s AND task = 'deadlines'", one.pid), 10)
    assert one.children() == []
    room = ring(quiet_stack, fresh)
    await_missed(quiet_db, room)
    assert one.stop() == 0
    assert rows(quiet_db, "SELECT 1 FROM jobs_process") == ()


@pytest.mark.parametrize("settings, says", [
    ({"LIVEKIT_API_KEY": ""}, "LIVEKIT_API_KEY"), ({"LIVEKIT_TIMEOUT": "soon"}, "LIVEKIT_TIMEOUT"),
    ({"LOG_FILE": "/no/such/folder/log"}, "/no/such/folder/log"),
])
def test_refuses_to_start(quiet_stack, make_jobs, settings, says):
    one = make_jobs(quiet_stack, **settings).spawn()
    assert one.proc.wait(10) == 78 and says in one.err.read_text()


def test_needs_nobody_who_may_call(quiet_stack, quiet_db, make_jobs):
    """Neither API_KEYS nor AUTH_MODE is its business."""
    assert not {"API_KEYS", "AUTH_MODE"} & set(make_jobs(quiet_stack).start().settings)


# --- schemas ---

@pytest.mark.parametrize("how", ["DELETE FROM schema_migrations ORDER BY version DESC LIMIT 1",
                                 "INSERT INTO schema_migrations (version, name, status) VALUES (9999, 'x', 'success')"])
def test_another_schema_is_refused(quiet_stack, quiet_db, make_jobs, how):
    kept = rows(quiet_db, "SELECT * FROM schema_migrations")
    try:
        rows(quiet_db, how)
        one = make_jobs(quiet_stack).spawn()
        assert one.proc.wait(15) == 78 and "`tgo-call migrate`" in one.err.read_text() or "release" in one.err.read_text()
    finally:
        rows(quiet_db, "DELETE FROM schema_migrations")
        for row in kept:
            rows(quiet_db, f"INSERT INTO schema_migrations ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})",
                 *row.values())


# --- a life ---

def test_rows_and_readyz(stack, jobs, db):
    tasks = jobs.full()
    found = rows(db, "SELECT * FROM jobs_process WHERE instance = %s", jobs.instance())
    assert {row["task"]: row["pid"] for row in found} == tasks
    for row in found:
        assert row["host"] == os.uname().nodename[:64] and re.fullmatch(r"\d+\.\d+\.\d+", row["version"])
        assert abs(row["started_at_ms"] / 1000 - time.time()) < 3600 and row["beat_at_ms"] >= row["started_at_ms"]
    first = {row["task"]: row["beat_at_ms"] for row in found}

    def all_beat():
        now = rows(db, "SELECT task, beat_at_ms FROM jobs_process WHERE instance = %s", jobs.instance())
        return all(row["beat_at_ms"] > first[row["task"]] for row in now)

    wait_until(all_beat, 15, what="a heartbeat of each")
    said = ready(stack)
    assert (said["status"], said["alive"]) == ("ok", 1)
    assert said["oldest_deadline_s"] <= 30 and said["oldest_event_s"] <= 30


@pytest.mark.parametrize("how, status, says", [
    ("SELECT 1", "ok", "1 alive"),
    ("UPDATE jobs_process SET version = '0.0.1'", "warn", "are not of release"),
    ("UPDATE rtc_room SET status = 0, next_deadline_ms = 1000 WHERE room_id = 'late'", "warn", "a deadline is "),
    ("UPDATE jobs_process SET beat_at_ms = 0", "warn", "no tgo-call-jobs"),
])
def test_check_says_how_the_jobs_are(quiet_stack, quiet_db, tmp_path, how, status, says):
    """Rows of a process that does nothing: what is late stays late."""
    rows(quiet_db, "INSERT INTO rtc_room (room_id, creator, status) VALUES ('late', 'ann', 2)")
    version = program(quiet_stack, "--version").stdout.split()[1]
    rows(quiet_db, "INSERT INTO jobs_process (id, instance, task, version, beat_at_ms) VALUES ('x', 'y', 'deliver', %s,"
                   " UNIX_TIMESTAMP(NOW(3)) * 1000)", version)
    try:
        rows(quiet_db, how)
        done = Ctl.of(quiet_stack, tmp_path)("check")
        found = {one["name"]: one for one in json.loads(done.stdout)["checks"]}["jobs"]
        assert (found["status"], found["cure"] == "") == (status, status == "ok") and says in found["message"], found
        said = ready(quiet_stack)
        assert said["status"] == ("ok" if status == "ok" or "version" in how else "degraded")
    finally:
        rows(quiet_db, "DELETE FROM rtc_room WHERE room_id = 'late'")
        rows(quiet_db, "DELETE FROM jobs_process")


def test_a_graceful_stop_leaves_nothing_behind(quiet_stack, quiet_db, make_jobs, fresh):
    one = make_jobs(quiet_stack).start()
    await_work(quiet_stack, quiet_db, fresh)
    wait_until(lambda: holder(quiet_db, "sequence"), 10)
    begun = time.monotonic()
    assert one.stop() == 0
    assert time.monotonic() - begun < 5
    assert rows(quiet_db, "SELECT task FROM jobs_process") == ()
    assert rows(quiet_db, "SELECT name FROM jobs_lease WHERE holder <> ''") == ()
    assert ready(quiet_stack)["alive"] == 0
    assert [line["event"] for line in one.lines() if line["event"] in ("started", "stopping", "stopped")] == [
        "started", "stopping", "stopped"]
    assert not one.lines("worker_died")


def test_what_was_due_meanwhile_is_done_at_the_next_start(quiet_stack, quiet_db, make_jobs, fresh):
    room = ring(quiet_stack, fresh)
    wait_until(lambda: ready(quiet_stack)["oldest_deadline_s"] >= 1, 10)
    assert not is_missed(quiet_db, room)
    make_jobs(quiet_stack).start()
    await_missed(quiet_db, room)
    assert len(rows(quiet_db, "SELECT 1 FROM event WHERE room_id = %s AND type = 'participant.missed'", room)) == 1


def test_a_deadline_is_not_waited_for_by_polling(stack, jobs, db, fresh):
    """The call was made while everybody slept: the word on Redis, or the next look, came before its deadline."""
    jobs.full()
    room = ring(stack, fresh)
    deadline = rows(db, "SELECT deadline_ms FROM rtc_participant WHERE room_id = %s ORDER BY id DESC LIMIT 1",
                    room)[0]["deadline_ms"]
    await_missed(db, room)
    assert rows(db, "SELECT ended_at_ms FROM rtc_room WHERE room_id = %s", room)[0]["ended_at_ms"] - deadline < 3000


def test_a_stop_in_the_middle_of_deliveries(quiet_stack, quiet_db, make_jobs, fresh):
    """What was under way or waited is delivered by the next one, in order, and nothing is missing."""
    receiver = Receiver(answer=lambda got: time.sleep(0.3) or 204)
    settings = {"BUSINESS_WEBHOOK_ENDPOINTS": json.dumps([receiver.endpoint()]), "WEBHOOK_PARALLEL": 2}
    try:
        one = make_jobs(quiet_stack, **settings).start()
        rooms = [ring(quiet_stack, fresh) for _ in range(6)]
        wait_until(receiver.all, 10)
        for _ in range(3):
            wait_until(lambda n=len(receiver.all()): len(receiver.all()) > n, 15)
            begun = time.monotonic()
            assert one.stop() == 0
            assert time.monotonic() - begun < 6 and not one.lines("worker_died")
            one.start()
        for room in rooms:
            await_missed(quiet_db, room)
            n = rows(quiet_db, "SELECT COUNT(*) AS n FROM event WHERE room_id = %s", room)[0]["n"]
            wait_until(lambda: len(set(receiver.seqs(room))) == n, 30, what=f"{n} events of {room}")
            once = list(dict.fromkeys(receiver.seqs(room)))
            assert once == list(range(1, n + 1))
        assert receiver.problems == []
        assert one.stop() == 0
    finally:
        receiver.stop()


# --- crashes ---

@pytest.mark.parametrize("task", TASKS)
def test_a_killed_process_is_replaced(stack, jobs, db, fresh, task):
    before = jobs.full()
    after = jobs.kill(task)
    assert after != before[task]
    assert {k: v for k, v in jobs.full().items() if k != task} == {k: v for k, v in before.items() if k != task}
    await_work(stack, db, fresh)
    assert ready(stack)["alive"] == 1


def test_a_lease_of_the_dead_is_free_within_seconds(quiet_stack, quiet_db, make_jobs, fresh):
    """Both ways out: the successor in the same instance, and another instance when all of the first is frozen."""
    one, two = make_jobs(quiet_stack).start(), make_jobs(quiet_stack).start()
    by_instance = {one.instance(): one, two.instance(): two}
    assert len(by_instance) == 2 and ready(quiet_stack)["alive"] == 2
    held = wait_until(lambda: holder(quiet_db, "sequence"), 10)
    holds, waits = by_instance[held["instance"]], by_instance[next(i for i in by_instance if i != held["instance"])]
    begun = time.monotonic()
    os.kill(held["pid"], signal.SIGKILL)
    taken = wait_until(lambda: (lambda h: h if h and h["pid"] != held["pid"] else None)(holder(quiet_db, "sequence")),
                       LEASE_S + 10)
    assert time.monotonic() - begun < LEASE_S + 8
    holds.full()
    holds, waits = (holds, waits) if taken["instance"] == holds.instance() else (waits, holds)
    holds.freeze()
    try:
        wait_until(lambda: (holder(quiet_db, "sequence") or {}).get("instance") == waits.instance(), LEASE_S + 10)
        await_work(quiet_stack, quiet_db, fresh)
    finally:
        holds.thaw()
    await_work(quiet_stack, quiet_db, fresh)
    wait_until(lambda: ready(quiet_stack)["alive"] == 2, 15)


def test_children_do_not_outlive_the_master(quiet_stack, quiet_db, make_jobs, fresh):
    one = make_jobs(quiet_stack).start()
    left = one.children()
    one.proc.kill()
    one.proc.wait()
    wait_until(lambda: not any(is_alive(pid) for pid in left), 10)
    # They were told, and so ended in order.
    assert rows(quiet_db, "SELECT task FROM jobs_process") == ()
    one.start()
    await_work(quiet_stack, quiet_db, fresh)


def test_killed_again_and_again_under_load(quiet_stack, quiet_db, make_jobs, fresh):
    """Every call is missed once, whatever dies when."""
    one, two = make_jobs(quiet_stack).start(), make_jobs(quiet_stack).start()
    rooms = []
    for i in range(rounds(8, 60)):
        rooms += [ring(quiet_stack, fresh) for _ in range(5)]
        for victim in (one, two):
            pids = victim.children()
            os.kill(pids[i % len(pids)], signal.SIGKILL)
    one.crash()
    one.start()
    for room in rooms:
        await_missed(quiet_db, room, 60)
    missed = rows(quiet_db, "SELECT room_id, COUNT(*) AS n FROM event WHERE type = 'participant.missed'"
                            " GROUP BY room_id HAVING n <> 1")
    assert missed == ()


# --- signals ---

def test_hup_renews_each_process_with_the_new_configuration(quiet_stack, quiet_db, make_jobs, fresh):
    one = make_jobs(quiet_stack, LOG_LEVEL="info").start()
    before, instance = one.full(), one.instance()
    one.configure(LOG_LEVEL="debug")
    one.signal(signal.SIGHUP)
    wait_until(lambda: one.lines("workers_renewed"), 20)
    after = wait_until(lambda: (lambda t: t if not set(t.values()) & set(before.values()) else None)(one.full()), 20)
    wait_until(lambda: sorted(one.children()) == sorted(after.values()), 15)
    assert one.instance() == instance and not one.lines("worker_died")
    assert one.lines("config_reloaded")[0]["program"] == "tgo-call-jobs"
    assert len(rows(quiet_db, "SELECT 1 FROM jobs_process WHERE instance = %s", instance)) == len(TASKS)
    await_work(quiet_stack, quiet_db, fresh)


@pytest.mark.parametrize("bad", [{"RECONCILE_INTERVAL": "never"}, {"LOG_FILE": "/no/such/folder/log"}])
def test_hup_refuses_a_bad_configuration(quiet_stack, quiet_db, make_jobs, bad):
    one = make_jobs(quiet_stack).start()
    before = one.full()
    one.configure(**bad)
    one.signal(signal.SIGHUP)
    refused = wait_until(lambda: one.lines("config_refused"), 10)[0]
    assert refused["level"] == "error" and next(iter(bad.values())) in str(refused) + next(iter(bad))
    assert one.full() == before


def test_usr1_opens_the_log_again(quiet_stack, quiet_db, make_jobs, fresh):
    one = make_jobs(quiet_stack).start()
    pids = one.full()
    old = one.log.rename(one.log.with_suffix(".1"))
    one.signal(signal.SIGUSR1)
    wait_until(one.log.exists, 10)

    def open_there(pid):
        """Which of the two files the process has open."""
        links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        return {link for link in links if link in (str(one.log), str(old))}

    wait_until(lambda: all(open_there(pid) == {str(one.log)} for pid in [one.pid, *pids.values()]), 10)
    assert one.full() == pids
    await_work(quiet_stack, quiet_db, fresh)


def test_nothing_is_leaked_to_the_children(quiet_stack, quiet_db, make_jobs):
    """A child has its own connections and signals; of the master's it has standard streams and the log."""
    one = make_jobs(quiet_stack).start()

    def links(pid):
        return {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}

    masters = {link for link in links(one.pid) if link.startswith(("pipe:", "socket:", "anon_inode:[signalfd"))}
    for pid in one.full().values():
        shared = {link for link in links(pid) & masters if not link.startswith("anon_inode")}
        assert shared == set()
        assert sum(os.readlink(f"/proc/{pid}/fd/{fd}") == "anon_inode:[signalfd]"
                   for fd in os.listdir(f"/proc/{pid}/fd")) == 1


# --- servers that come and go ---

def test_without_the_database_at_the_start_and_in_between(make_stack, make_jobs, fresh):
    stack = make_stack(jobs=False, **SOON)
    db = stack.db()
    room = ring(stack, fresh)
    db.close()
    stack.stop("mariadb")
    one = make_jobs(stack).spawn()
    wait_until(lambda: one.lines("database_away"), 10)
    wait_until(lambda: len(one.children()) == len(TASKS), 10)
    pids = one.children()
    for again in range(2):
        stack.start()
        db = stack.db()
        await_missed(db, room, 30)
        assert sorted(one.full().values()) == sorted(pids), "none of them died of it"
        if again:
            break
        room = ring(stack, fresh)
        db.close()
        stack.stop("mariadb")
        # They keep trying, and not in a loop that eats a processor.
        used = sum(cpu_s(pid) for pid in pids)
        time.sleep(3)
        assert sum(cpu_s(pid) for pid in pids) - used < 1.0
        assert one.children() == pids
    assert not one.lines("schema_mismatch")
    assert one.stop() == 0


def test_a_stop_without_the_database(make_stack, make_jobs):
    stack = make_stack(jobs=False, **SOON)
    one = make_jobs(stack).start()
    stack.stop("mariadb")
    begun = time.monotonic()
    assert one.stop() == 0
    assert time.monotonic() - begun < 9, "nobody had to be killed"
    assert not one.lines("worker_died")


def test_a_database_that_comes_back_with_another_schema(make_stack, make_jobs, fresh):
    stack = make_stack(jobs=False, **SOON)
    room = ring(stack, fresh)
    rows(stack.db(), "INSERT INTO schema_migrations (version, name, status) VALUES (9999, 'later', 'success')")
    stack.stop("mariadb")
    one = make_jobs(stack).spawn()
    wait_until(lambda: one.lines("database_away"), 10)
    # scripts/run would stop here, too: the worker's /readyz says no.
    start_database(stack)
    told = wait_until(lambda: (lambda found: found if len(found) == len(TASKS) else None)(
        one.lines("schema_mismatch")), 20)
    assert {line["level"] for line in told} == {"error"} and "9999" in told[0]["detail"]
    db = stack.db()
    time.sleep(1.5)
    assert rows(db, "SELECT 1 FROM jobs_process") == () and not is_missed(db, room)
    assert len(one.lines("schema_mismatch")) == len(TASKS), "once each"
    rows(db, "DELETE FROM schema_migrations WHERE version = 9999")
    one.full()
    await_missed(db, room)


def start_database(stack):
    subprocess.run(["bash", "-euo", "pipefail", "-c",
                    'cd "$1" && for part in common process stack services; do . scripts/lib/$part.sh; done;'
                    " VAR=$2; stack_load; mariadb_start; proc_await mariadb 60 mariadb_answers", "bash",
                    str(Path(__file__).parents[2]), str(stack.var)], check=True, timeout=90)


def cpu_s(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_without_redis(make_stack, make_jobs, fresh):
    """A short poll instead of words, and back."""
    stack = make_stack(jobs=False, **SOON)
    db = stack.db()
    one = make_jobs(stack).start()
    pids = one.full()
    stack.stop("redis")
    used = sum(cpu_s(pid) for pid in pids.values())
    await_work(stack, db, fresh)
    begun = time.monotonic()
    room = ring(stack, fresh)
    await_missed(db, room)
    assert time.monotonic() - begun < 6
    assert sum(cpu_s(pid) for pid in pids.values()) - used < 3.0
    stack.start()
    await_work(stack, db, fresh)
    assert one.full() == pids


# --- valgrind ---

WRAPPER = """#!/bin/sh
exec {valgrind} -q --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \\
	--child-silent-after-fork=no --log-file={folder}/%p.txt {program} "$@"
"""


@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="a program watches its memory in one way at a time")
def test_valgrind_finds_nothing(quiet_stack, quiet_db, tmp_path, fresh):
    reports = tmp_path / "reports"
    reports.mkdir()
    wrapper = tmp_path / "jobs"
    one = Jobs(quiet_stack, tmp_path, RECONCILE_INTERVAL="1")
    wrapper.write_text(WRAPPER.format(valgrind=shutil.which("valgrind"), folder=reports, program=one.binary))
    wrapper.chmod(0o755)
    one.spawn(argv=[wrapper])
    try:
        wait_until(lambda: sorted(one.tasks()) == sorted(TASKS), 60)
        await_work(quiet_stack, quiet_db, fresh)
        one.signal(signal.SIGHUP)
        wait_until(lambda: one.lines("workers_renewed"), 60)
        await_work(quiet_stack, quiet_db, fresh)
        assert one.stop(30) == 0
    finally:
        one.clean_up()
    said = {f.name: f.read_text() for f in reports.glob("*.txt")}
    assert len(said) >= 1 + 2 * len(TASKS)
    assert not [text for text in said.values() if re.search(r"\S", text)], said
