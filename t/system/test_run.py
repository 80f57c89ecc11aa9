"""scripts/run and scripts/stop: what they start, keep, bring back and leave behind.

SPDX-License-Identifier: MIT
"""
import os
import shutil
import signal
import socket
import stat
import subprocess

import pytest

from support.client import Api
from support.stack import ROOT, Stack, process_runs
from support.wait import wait_until

PARTS = ["mariadb", "redis", "worker", "route", "nginx"]
ENV = ["TGO_URL", "TGO_KEY", "TGO_OPS_KEY", "TGO_BIN", "DB_SOCKET", "DB_USER", "DB_PASSWORD", "DB_NAME",
       "REDIS_SOCKET", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "LIVEKIT_NODES", "APP_LOG",
       "NGINX_ACCESS_LOG", "LIVEKIT_LOGS", "JOBS_METRICS_LISTEN", "JOBS_METRICS_URL"]


def pids(stack, parts=PARTS):
    return {part: stack.pid(part) for part in parts}


def run_script(stack, name, *args, **extra):
    return subprocess.run([ROOT / "scripts" / name, *args], env=stack._environment(extra), text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=200)


def test_env_file(stack):
    assert list(stack.env) == ENV
    shell = subprocess.run(["sh", "-c", '. "$1" && env', "sh", stack.var / "env"], capture_output=True, text=True)
    said = dict(line.split("=", 1) for line in shell.stdout.splitlines() if "=" in line)
    assert {name: said[name] for name in ENV} == stack.env
    assert (stack.db().ping(), stack.redis().ping()) == (None, True)


def test_first_call_as_printed(stack):
    _, _, command = stack.output.partition("A first call:\n")
    answer = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30).stdout
    assert '"token"' in answer and '"alice"' in answer


def test_nobody_else_can_look(stack):
    for name in ("", "run", "log"):
        assert stat.S_IMODE((stack.var / name).stat().st_mode) == 0o750
    for name in ("env", "stack"):
        assert stat.S_IMODE((stack.var / name).stat().st_mode) == 0o600
    for name in ("fcgi", "route"):
        assert stat.S_IMODE((stack.var / f"run/{name}.sock").stat().st_mode) == 0o660


def test_starting_twice_keeps_what_runs(stack):
    before = pids(stack)
    env = (stack.var / "env").read_text()
    stack.start()
    assert pids(stack) == before and (stack.var / "env").read_text() == env


def test_what_died_is_started_again(make_stack):
    stack = make_stack(jobs=True)
    parts = [*PARTS, "jobs"]
    before = pids(stack, parts)
    for part in ("redis", "worker", "route", "jobs"):
        stack.kill(part)
    status = run_script(stack, "run", "--status")
    assert status.returncode == 1 and status.stdout.count("not running") == 4
    stack.start()
    after = pids(stack, parts)
    assert {part: after[part] == before[part] for part in parts} == {
        "mariadb": True, "redis": False, "worker": False, "route": False, "nginx": True, "jobs": False}
    assert run_script(stack, "run", "--status").returncode == 0
    assert Api(stack).get("/readyz", root=True).status_code == 200


def test_stop_leaves_nothing_and_keeps_the_data(make_stack):
    stack = make_stack(jobs=True)
    room = Api(stack).post("/rooms", {"creator": "kept", "uids": ["also-kept"]}).json()["room_id"]
    old = dict(stack.env)
    before = pids(stack, [*PARTS, "jobs"])
    assert run_script(stack, "stop").returncode == 0
    assert not [part for part, pid in before.items() if process_runs(pid)]
    assert not list((stack.var / "run").glob("*.pid"))
    assert run_script(stack, "stop").returncode == 0, "stopping twice is harmless"
    stack.start()
    assert stack.env == old
    assert Api(stack).get(f"/rooms/{room}").json()["creator"] == "kept"


def test_part_of_it_stops(make_stack):
    stack = make_stack()
    worker = stack.pid("worker")
    stack.stop("worker")
    assert not process_runs(worker) and process_runs(stack.pid("nginx"))


def test_with_and_without_jobs(make_stack):
    """JOBS=0 is remembered, as the other settings of a stack are, until it is said otherwise."""
    stack = make_stack()
    assert "jobs" not in run_script(stack, "run", "--status").stdout
    stack.start(JOBS="1")
    assert "jobs         running" in run_script(stack, "run", "--status").stdout
    assert Api(stack).get("/readyz", root=True).json()["checks"]["jobs"]["status"] == "ok"
    stack.settings.pop("JOBS")
    stack.stop("jobs")
    stack.start()
    assert "jobs         running" in run_script(stack, "run", "--status").stdout
    jobs = stack.pid("jobs")
    stack.stop("worker")
    assert process_runs(jobs)


def test_configuration_passes_on(make_stack):
    assert Api(make_stack(AUTH_MODE="open")).post("/rooms", {"creator": "open"}, key=None).status_code == 200
    assert Api(make_stack()).post("/rooms", {"creator": "open"}, key=None).status_code == 401


def test_a_bad_value_stops_the_start_with_its_name():
    stack = Stack(LIVEKIT_TIMEOUT="soon")
    try:
        tried = run_script(stack, "run", "--detach")
        assert tried.returncode != 0 and "LIVEKIT_TIMEOUT" in tried.stdout
    finally:
        stack.stop()


def test_a_port_that_is_taken(make_stack):
    stack = Stack()
    with socket.socket() as other:
        other.bind(("127.0.0.1", stack.port))
        other.listen()
        tried = run_script(stack, "run", "--detach")
        assert tried.returncode != 0 and f"127.0.0.1:{stack.port} is taken" in tried.stdout
    stack.stop()


def test_ctrl_c_stops_all_of_it():
    stack = Stack()
    said = open(stack.var / "said", "w+")
    script = subprocess.Popen([ROOT / "scripts/run"], env=stack._environment({}), stdin=subprocess.DEVNULL,
                              stdout=said, stderr=subprocess.STDOUT, start_new_session=True)
    wait_until(lambda: "A first call" in (stack.var / "said").read_text() or script.poll() is not None, 60)
    running = pids(stack)
    os.killpg(script.pid, signal.SIGINT)
    assert script.wait(60) == 0
    assert not [part for part, pid in running.items() if process_runs(pid)]
    shutil.rmtree(stack.var)


@pytest.mark.parametrize("args", [["--what"], ["now"]])
def test_wrong_arguments(stack, args):
    tried = run_script(stack, "run", *args)
    assert tried.returncode == 2 and "usage:" in tried.stdout


def test_two_nodes_behind_one_nginx(livekit_stack):
    nodes = livekit_stack.env["LIVEKIT_NODES"].split(",")
    assert [node.split(":")[0] for node in nodes] == ["127.0.0.11", "127.0.0.12"]
    assert len(livekit_stack.redis().hkeys("nodes")) == 2
    for log in livekit_stack.env["LIVEKIT_LOGS"].split():
        assert os.path.getsize(log) > 0
    api = Api(livekit_stack)
    for _ in range(6):
        answer = api.get("/", root=True, key=None)
        assert (answer.status_code, answer.text) == (200, "OK") and "X-Request-Id" in answer.headers
    seen = open(livekit_stack.env["NGINX_ACCESS_LOG"]).read()
    assert [node for node in nodes if node not in seen] == []


def test_a_dead_node_is_passed_over(make_stack):
    stack = make_stack(nodes=2)
    stack.kill("livekit-1")
    api = Api(stack)
    assert [api.get("/", root=True, key=None).status_code for _ in range(8)] == [200] * 8
