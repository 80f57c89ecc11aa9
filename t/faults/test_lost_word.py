"""What the route answers when the word to Redis of a change was lost, and Redis goes on saying what was true before: a
worker died or was cut off between its commit and that word, the answer to the commit was lost, Redis was frozen, full, or
came back with what it once knew. Whoever asks again sets it right at once; the jobs set it right by themselves.

SPDX-License-Identifier: MIT
"""
import contextlib

import pytest
from redis_server import RedisServer

from support.at_route import IN, OUT, OVER, Call, ask
from support.client import Api
from support.cutter import AFTER, BEFORE, Cutter
from support.direct import Direct
from support.jobs_process import Jobs, rows
from support.routed_node import RoutedNode
from support.stack import Stack
from support.wait import wait_until

# The jobs look by themselves every five seconds, and a Redis that was away is tried every second.
HEALED_S = 15


@pytest.fixture(scope="module")
def one():
    node = RoutedNode("127.0.0.44")
    with Stack(nodes=0, jobs=False, LIVEKIT_NODES=node.addr, LIVEKIT_DOWN_S="1") as running:
        node.redis = running.redis()
        node.record()
        running.node, running.api = node, Api(running)
        wait_until(lambda: ask(running, "/settings").text == node.addr, 10, 0.2)
        yield running
        node.stop()


@pytest.fixture(scope="module")
def make_worker(one, tmp_path_factory):
    """make_worker(CONFIG=...): a worker of its own, asked with the stack's key."""
    made = []

    def make(**settings):
        worker = Direct(tmp_path_factory.mktemp("worker"), one, LIVEKIT_NODES=one.node.addr, **settings).start()
        made.append(worker)
        return worker

    yield make
    for worker in made:
        worker.service.clean_up()


@pytest.fixture(scope="module")
def mute(make_worker):
    """A worker whose words reach nobody."""
    return make_worker(REDIS_SOCKET="/nowhere")


@pytest.fixture(scope="module")
def talker(make_worker, one):
    """The one process of its worker is the one that is asked."""
    return make_worker()


@pytest.fixture(scope="module")
def cut(make_worker, one, tmp_path_factory):
    """A worker whose wire to the database may be cut, and the cutter."""
    cutter = Cutter(tmp_path_factory.mktemp("cut") / "s", one.env["DB_SOCKET"])
    yield make_worker(DB_SOCKET=cutter.path), cutter
    cutter.close()


@pytest.fixture
def make_jobs(one, tmp_path):
    """Started; nobody answers them for LiveKit."""
    made = []

    def make(**settings):
        folder = tmp_path / f"jobs{len(made)}"
        folder.mkdir()
        made.append(Jobs(one, folder, LIVEKIT_URL="http://127.0.0.1:9", **settings))
        return made[-1].start()

    yield make
    for jobs in made:
        jobs.clean_up()


def end(call):
    return "POST", f"/rooms/{call.room}/end", None


def set_finished(call):
    return "PUT", f"/rooms/{call.room}/status", {"status": 3}


def remove(call):
    return "DELETE", f"/rooms/{call.room}/participants/{call.bob}", None


def invite(call):
    return "POST", f"/rooms/{call.room}/invite", {"uids": [call.bob]}


def by(worker, what, **kwargs):
    method, path, body = what
    answer = worker.request(method, path, body, key=worker.stack.env["TGO_KEY"], **kwargs)
    assert answer.status_code == 200, answer.text


# what is done, what the route says before and after it
CASES = {"ended": (end, IN, OVER), "set to finished": (set_finished, IN, OVER), "removed": (remove, IN, OUT),
         "invited again": (invite, OUT, IN)}


def call_for(one, what):
    call = Call(one)
    if what is invite:
        by(one.api, remove(call))
    return call


@pytest.mark.parametrize("case", CASES)
def test_asking_again(one, mute, case):
    what, before, after = CASES[case]
    call = call_for(one, what)
    by(mute, what(call))
    assert call.says(call.bob) == before, "the word came through"
    by(one.api, what(call))
    call.always_says(call.bob, after)


@pytest.mark.parametrize("case", CASES)
def test_asking_again_under_its_key(one, mute, case):
    """An answer that was kept is given again; it stands for a change all the same."""
    what, before, after = CASES[case]
    call = call_for(one, what)
    headers = {"Idempotency-Key": f"again-{call.room}"}
    by(mute, what(call), headers=headers)
    assert call.says(call.bob) == before, "the word came through"
    by(one.api, what(call), headers=headers)
    call.always_says(call.bob, after)


@pytest.mark.parametrize("how", [AFTER, BEFORE])
@pytest.mark.parametrize("case", CASES)
def test_a_commit_without_an_answer(one, cut, case, how):
    """Nobody knows what became of it, so nobody trusts Redis."""
    what, before, after = CASES[case]
    (worker, cutter), call = cut, call_for(one, what)
    cutter.armed = how
    method, path, body = what(call)
    answer = worker.request(method, path, body, key=one.env["TGO_KEY"])
    assert (answer.status_code, answer.json()["error"]) == (503, "outcome_unknown")
    # The server undoes what it was not told to commit when it sees that the connection is gone.
    wait_until(lambda: call.says(call.bob) == (after if how == AFTER else before), 5)
    call.always_says(call.bob, after if how == AFTER else before)


# ---- nobody asks again ----

HEALS = ["ended", "set to finished", "removed"]
# Where a case takes seconds.
HEALS_SLOWLY = [*(pytest.param(one, marks=pytest.mark.full) for one in HEALS[:2]), HEALS[2]]


def heals(call, wanted):
    wait_until(lambda: call.says(call.bob) == wanted, HEALED_S, 0.2)
    call.always_says(call.bob, wanted)


@pytest.mark.parametrize("case", HEALS)
def test_the_jobs_tell(one, mute, make_jobs, case):
    """Before LiveKit is asked for anything, and here it never answers."""
    what, before, after = CASES[case]
    make_jobs()
    call = Call(one)
    by(mute, what(call))
    heals(call, after)


@contextlib.contextmanager
def quiet_node(one):
    """Its record is not written while Redis is away."""
    age, one.node.age = one.node.age, None
    try:
        yield
    finally:
        one.node.redis, one.node.age = one.redis(), age
        one.node.record()


@pytest.fixture
def server(one):
    made = RedisServer(one)
    yield made
    made.clean_up()


def tried(one, call):
    """The jobs have had the call's action in hands, and will not for the rest of the test."""
    db = one.db()
    try:
        wait_until(lambda: rows(db, "SELECT attempts FROM livekit_action WHERE room_id = %s", call.room)[0]["attempts"], 15)
        rows(db, "UPDATE livekit_action SET state = 'done' WHERE room_id = %s", call.room)
    finally:
        db.close()


@pytest.mark.parametrize("case", HEALS_SLOWLY)
def test_a_frozen_redis_comes_back(one, talker, make_jobs, server, case):
    what, before, after = CASES[case]
    jobs = make_jobs()
    call, other = Call(one), Call(one)
    with quiet_node(one):
        server.freeze()
        try:
            # What waits in a socket would be read in the end. After a failure, a second long nothing is sent at all.
            by(talker, end(other))
            by(talker, what(call))
            tried(one, call)
        finally:
            server.thaw()
        server.back()
    heals(call, after)
    assert jobs.full()


@pytest.mark.parametrize("case", HEALS_SLOWLY)
def test_redis_comes_back_with_what_it_once_knew(one, make_jobs, server, case):
    what, before, after = CASES[case]
    call = Call(one)
    assert call.says(call.bob) == before
    make_jobs()
    server.own.save()
    by(one.api, what(call))
    tried(one, call)
    with quiet_node(one):
        server.kill()
        server.start()
        server.back()
    heals(call, after)


@pytest.mark.parametrize("case", HEALS_SLOWLY)
def test_jobs_that_died_meanwhile(one, mute, make_jobs, case):
    """The first have no Redis, and are killed when the action is carried out: those that follow look back."""
    what, before, after = CASES[case]
    first = make_jobs(REDIS_SOCKET="/nowhere")
    call = Call(one)
    by(mute, what(call))
    tried(one, call)
    first.crash()
    assert call.says(call.bob) == before, "the word came through"
    make_jobs()
    heals(call, after)


@pytest.mark.parametrize("case", CASES)
def test_a_full_redis(one, server, case):
    """It takes nothing any more, and answers reads as ever: what it cannot be told is not asked of it."""
    what, before, after = CASES[case]
    call = call_for(one, what)
    limit = server.own.config_get("maxmemory")["maxmemory"]
    policy = server.own.config_get("maxmemory-policy")["maxmemory-policy"]
    with quiet_node(one):
        server.own.config_set("maxmemory-policy", "noeviction")
        server.own.config_set("maxmemory", "1")
        try:
            by(one.api, what(call))
            assert call.says(call.bob) == after
        finally:
            server.own.config_set("maxmemory", limit)
            server.own.config_set("maxmemory-policy", policy)
    call.always_says(call.bob, after)
