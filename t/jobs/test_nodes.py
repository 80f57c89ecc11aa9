"""The node watch: who answers, who is told of it, and what dead nodes leave behind. SPDX-License-Identifier: MIT"""
import os
import secrets
import signal
import time

import pytest

from support.fake_livekit import person_record
from support.jobs_process import rows
from support.probed_node import ProbedNode
from support.wait import wait_until

FAST = {"LIVEKIT_PROBE_S": "0.05", "LIVEKIT_PROBE_TIMEOUT_S": "0.3", "LIVEKIT_DOWN_S": "1"}


@pytest.fixture
def redis(quiet_stack):
    client = quiet_stack.redis()
    keys = ("tgo:nodes:down", "tgo:nodes:drained", "nodes", "room_node_map", "rooms", "room_internal", "livekit_version")
    client.delete(*keys)
    yield client
    client.delete(*keys)


@pytest.fixture
def db(quiet_stack):
    connection = quiet_stack.db()
    for text in ("DELETE FROM livekit_node", "DELETE FROM jobs_lease", "DELETE FROM rtc_room",
                 "DELETE FROM rtc_participant"):
        rows(connection, text)
    yield connection
    connection.close()


@pytest.fixture
def make_node(redis):
    made = []

    def make(ip="127.0.0.31", **more):
        made.append(ProbedNode(redis, ip, **more))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def watch(quiet_stack, make_jobs, db):
    """watch(nodes, CONFIG="value", ...): the task alone, over these nodes."""

    def run(nodes, **settings):
        jobs = make_jobs(quiet_stack, **{**FAST, "LIVEKIT_NODES": ",".join(n.addr for n in nodes), **settings})
        return jobs.spawn("--task", "nodes")

    return run


def row(db, node):
    found = rows(db, "SELECT * FROM livekit_node WHERE addr = %s", node.addr)
    return found[0] if found else None


def is_seen(db, node):
    return lambda: (row(db, node) or {}).get("seen_at_ms")


def works(db, jobs):
    return rows(db, "SELECT 1 FROM jobs_process WHERE task = 'nodes' AND pid = %s", jobs.pid)


# ---- who answers ----

def test_a_node_that_refuses(watch, make_node, redis, db):
    good, bad = make_node(), make_node("127.0.0.32")
    for node in (good, bad):
        node.record()
    jobs = watch([good, bad])
    wait_until(is_seen(db, bad), 10)
    assert row(db, bad)["livekit_id"] == bad.id and row(db, bad)["host"] == "127.0.0.32"
    assert redis.hgetall("tgo:nodes:down") == {}
    bad.refuse()
    until = int(wait_until(lambda: redis.hget("tgo:nodes:down", bad.addr), 5))
    # Renewed as long as it stays so.
    wait_until(lambda: int(redis.hget("tgo:nodes:down", bad.addr)) > until + 1000, 5)
    wait_until(lambda: row(db, bad)["down_since_ms"] > 0, 5)
    bad.listen()
    wait_until(lambda: redis.hgetall("tgo:nodes:down") == {}, 5)
    wait_until(lambda: row(db, bad)["down_since_ms"] == 0, 5)
    assert [line["livekit_node"] for line in jobs.lines("node_down")] == [bad.addr]
    assert [line["livekit_node"] for line in jobs.lines("node_up")] == [bad.addr]
    assert jobs.lines("node_down")[0]["found_by"] == "probe refused" and row(db, good)["down_since_ms"] == 0


def test_a_node_that_is_silent(watch, make_node, redis, db):
    node = make_node()
    node.record()
    jobs = watch([node])
    wait_until(is_seen(db, node), 10)
    node.freeze()
    wait_until(lambda: redis.hget("tgo:nodes:down", node.addr), 5)
    assert jobs.lines("node_down")[0]["found_by"] == "probe without answer"
    node.thaw()
    wait_until(lambda: redis.hgetall("tgo:nodes:down") == {} and jobs.lines("node_up"), 5)


def test_one_that_is_not_ready_is_neither(watch, make_node, redis, db):
    node = make_node()
    node.status = 406
    jobs = watch([node])
    wait_until(lambda: node.n_asked > 10, 10)
    assert redis.hgetall("tgo:nodes:down") == {} and row(db, node)["seen_at_ms"] == row(db, node)["down_since_ms"] == 0
    assert jobs.lines("node_down") + jobs.lines("node_up") == []


def test_a_mark_of_somebody_else_goes_when_it_answers(watch, make_node, redis, db):
    node = make_node()
    jobs = watch([node])
    wait_until(is_seen(db, node), 10)
    redis.hset("tgo:nodes:down", node.addr, int(time.time() * 1000) + 60000)
    wait_until(lambda: redis.hgetall("tgo:nodes:down") == {}, 5)
    assert jobs.lines("node_up")


def test_a_node_by_name(watch, make_node, redis, db):
    node = make_node("127.0.0.1")
    watch([node], LIVEKIT_NODES=f"localhost:{node.port}")
    wait_until(is_seen(db, node), 10)
    assert row(db, node)["host"] == "localhost"


def test_nodes_nobody_listed(watch, make_node, redis, db):
    node = make_node("127.0.0.33")
    node.record()
    watch([], LIVEKIT_NODE_PORT=node.port)
    wait_until(is_seen(db, node), 10)
    assert (row(db, node)["host"], row(db, node)["livekit_id"]) == ("", node.id)
    # Started anew.
    node.forget()
    node.id = "ND_new"
    node.record()
    wait_until(lambda: row(db, node)["livekit_id"] == "ND_new", 10)


def test_drains_come_back_into_an_emptied_redis(watch, make_node, redis, db):
    node = make_node()
    rows(db, "INSERT INTO livekit_node (addr, drained, drained_by) VALUES (%s, 1, 'ops')", node.addr)
    watch([node])
    wait_until(lambda: redis.hgetall("tgo:nodes:drained") == {node.addr: "1", "": "1"}, 10)
    redis.delete("tgo:nodes:drained")
    wait_until(lambda: redis.hgetall("tgo:nodes:drained") == {node.addr: "1", "": "1"}, 10)
    rows(db, "UPDATE livekit_node SET drained = 0")
    wait_until(lambda: redis.hgetall("tgo:nodes:drained") == {"": "1"}, 10)


def test_a_version_nobody_tested_is_told_once(watch, make_node, redis, db):
    redis.set("livekit_version", "2.0.1")
    node = make_node()
    jobs = watch([node])
    told = wait_until(lambda: jobs.lines("livekit_version_untested"), 10)
    assert told[0]["version"] == "2.0.1" and told[0]["level"] == "warn"
    n = node.n_asked
    wait_until(lambda: node.n_asked > n + 30, 10)
    assert len(jobs.lines("livekit_version_untested")) == 1


def test_one_process_watches_and_another_takes_over(watch, make_node, redis, db):
    node = make_node()
    one = watch([node])
    wait_until(is_seen(db, node), 10)
    other = watch([node])
    wait_until(lambda: works(db, other), 10)
    node.refuse()
    wait_until(lambda: one.lines("node_down"), 5)
    assert one.stop() == 0
    wait_until(lambda: other.lines("node_down"), 10)
    node.listen()
    wait_until(lambda: other.lines("node_up"), 5)
    # And from one that is frozen.
    third = watch([node])
    wait_until(lambda: works(db, third), 10)
    os.kill(other.pid, signal.SIGSTOP)
    node.refuse()
    wait_until(lambda: third.lines("node_down"), 15)


def test_without_the_database_it_goes_on(make_stack, make_jobs, tmp_path):
    stack = make_stack(jobs=False)
    node = ProbedNode(stack.redis(), "127.0.0.34")
    jobs = make_jobs(stack, **FAST, LIVEKIT_NODES=node.addr).spawn("--task", "nodes")
    try:
        wait_until(lambda: node.n_asked > 3, 15)
        stack.kill("mariadb")
        node.refuse()
        wait_until(lambda: stack.redis().hget("tgo:nodes:down", node.addr), 15)
        node.listen()
        wait_until(lambda: stack.redis().hgetall("tgo:nodes:down") == {}, 15)
        assert jobs.proc.poll() is None
    finally:
        node.stop()


# ---- what dead nodes leave ----

class Left:
    """Rooms as LiveKit writes them."""

    def __init__(self, redis, db):
        self.redis, self.db = redis, db
        self.tail = secrets.token_hex(4)

    def room(self, name, node, status=None, **columns):
        room = f"{name}-{self.tail}"
        self.redis.hset("room_node_map", room, node)
        for key in ("rooms", "room_internal"):
            self.redis.hset(key, room, "x")
        for key in ("room_participants", "agent_dispatch", "agent_job"):
            self.redis.hset(f"{key}:{room}", "one", "x")
        if status is not None:
            columns = {"room_id": room, "creator": "u", "status": status, **columns}
            rows(self.db, f"INSERT INTO rtc_room ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})",
                 *columns.values())
        return room

    def keys(self, room):
        return [self.redis.hexists(k, room) for k in ("room_node_map", "rooms", "room_internal")] + [
            bool(self.redis.exists(f"{k}:{room}")) for k in ("room_participants", "agent_dispatch", "agent_job")]

    def is_whole(self, room):
        return all(self.keys(room))

    def is_gone(self, room):
        return not any(self.keys(room))


@pytest.fixture
def left(redis, db):
    return Left(redis, db)


def test_final_rooms_of_dead_nodes_are_cleared(watch, make_node, left, db):
    good = make_node()
    good.record()
    final = [left.room(f"final{i}", "ND_dead", status=2 + i % 5) for i in range(30)]
    kept = [left.room("ringing", "ND_dead", status=0), left.room("active", "ND_dead", status=1),
            left.room("stranger", "ND_dead"), left.room("alive", good.id, status=2)]
    jobs = watch([good])
    for room in final:
        wait_until(lambda: left.is_gone(room), 10)
    assert all(left.is_whole(room) for room in kept)
    assert sorted(room for line in jobs.lines("leftovers_cleared") for room in line["rooms"]) == sorted(final)
    # Once its call is over.
    rows(db, "UPDATE rtc_room SET status = 2 WHERE room_id = %s", kept[1])
    wait_until(lambda: left.is_gone(kept[1]), 10)
    assert all(left.is_whole(room) for room in (kept[0], *kept[2:]))


def test_a_stale_record_is_no_proof_while_somebody_answers(watch, make_node, left, db):
    good, stale, young = make_node(), make_node("127.0.0.32"), make_node("127.0.0.33")
    good.record()
    stale.record(age=90)
    young.record(age=20)
    kept, soon = left.room("a", stale.id, status=2), left.room("b", young.id, status=2)
    young.refuse()
    watch([good, stale, young])
    n = stale.n_asked
    wait_until(lambda: stale.n_asked > n + 40, 15)
    assert left.is_whole(kept) and left.is_whole(soon)
    stale.refuse()
    wait_until(lambda: left.is_gone(kept), 10)
    assert left.is_whole(soon), "its record is not old enough"


def test_where_no_node_lives_nothing_is_cleared(watch, make_node, left, db):
    node = make_node()
    room = left.room("a", "ND_dead", status=2)
    watch([node])
    wait_until(lambda: node.n_asked > 60, 15)
    assert left.is_whole(room)
    node.record()
    wait_until(lambda: left.is_gone(room), 10)


def test_many_rooms(watch, make_node, left, db, redis):
    good = make_node()
    good.record()
    with redis.pipeline() as pipe:
        for i in range(3000):
            pipe.hset("room_node_map", f"many{i}", "ND_dead" if i % 2 else good.id)
        pipe.execute()
    rows(db, "INSERT INTO rtc_room (room_id, creator, status) SELECT CONCAT('many', seq), 'u', 3 FROM seq_0_to_2999")
    watch([good])
    wait_until(lambda: redis.hlen("room_node_map") == 1500, 30)
    assert set(redis.hvals("room_node_map")) == {good.id}


def test_ghosts_of_a_call_that_moved(watch, make_node, left, db, redis):
    good = make_node()
    good.record()
    moved_at = 1_795_000_000_000
    room = left.room("moved", good.id, status=1, started_at_ms=moved_at - 60000, host_since_ms=moved_at)
    dead = left.room("unhosted", "ND_dead", status=1, started_at_ms=moved_at - 60000, host_since_ms=moved_at)
    still = left.room("never-moved", good.id, status=1, started_at_ms=moved_at + 60000, host_since_ms=moved_at)
    for one in (room, dead, still):
        redis.hset(f"room_participants:{one}", mapping={
            "ghost": person_record("ghost", moved_at - 5000), "back": person_record("back", moved_at + 5000),
            "late": person_record("late", moved_at - 5000)})
        rows(db, "INSERT INTO rtc_participant (room_id, uid, status) VALUES (%s, 'ghost', 3), (%s, 'late', 1)", one, one)
    jobs = watch([good])
    wait_until(lambda: not redis.hexists(f"room_participants:{room}", "ghost"), 10)
    wait_until(lambda: jobs.lines("leftovers_cleared"), 5)
    n = good.n_asked
    wait_until(lambda: good.n_asked > n + 60, 15)
    assert sorted(redis.hkeys(f"room_participants:{room}")) == ["back", "late", "one"], "who rings or is joined stays"
    assert all("ghost" in redis.hkeys(f"room_participants:{one}") for one in (dead, still))
    assert [(line["what"], line["rooms"]) for line in jobs.lines("leftovers_cleared")] == [("people", [room])]
