"""LiveKit's nodes over HTTP and by tgo-call: who they are, how they do, draining them. The records stand in Redis as
nodes write them; no node runs. SPDX-License-Identifier: MIT"""
import json
import struct
import time

import pytest

from support.ctl import Ctl
from support.fake_livekit import varint
from support.shapes import check, check_error
from support.wait import wait_until

NODE = {"addr": str, "name": str, "ip": str, "livekit_id": str, "state": str, "takes_rooms": bool, "url": str,
        "region": str, "weight": int, "calls": int, "just_assigned": int, "rooms": int, "participants": int,
        "tracks_in": int, "tracks_out": int, "cpus": int, "cpu": float, "load": float, "bytes_in": int,
        "bytes_out": int, "age_s": int, "started_at": int, "seen_at": int, "down_since": int, "drained": bool,
        "drained_at": int, "drained_by": str}
A, B = "10.77.0.1", "10.77.0.2"
A_ADDR, B_ADDR = f"{A}:7880", f"{B}:7880"


def text(number, value):
    return varint(number << 3 | 2) + varint(len(value)) + value


def number(n, value):
    return varint(n << 3) + varint(value)


def real(n, value):
    return varint(n << 3 | 5) + struct.pack("<f", value)


def record(node_id, ip, age_s=0, state=1):
    """livekit.Node in protobuf: 7 rooms, 12 people, a quarter of 4 processors, 1000 bytes in and 3000 out."""
    now = int(time.time())
    stats = (number(1, now - 60) + number(2, now - age_s) + number(3, 7) + number(4, 12) + number(5, 20) +
             number(6, 30) + number(17, 4) + real(18, 1.5) + real(21, 0.25) +
             text(50, real(8, 1000.0) + real(9, 3000.0)))
    return (text(1, node_id.encode()) + text(2, ip.encode()) + number(3, 4) + text(4, stats) + number(6, state) +
            text(7, b"eu"))


class Cluster:
    def __init__(self, stack, redis, db, ask):
        self.stack, self.redis, self.db, self.ask = stack, redis, db, ask

    def put(self, node_id, ip, **how):
        self.redis.hset("nodes", node_id, record(node_id, ip, **how))

    def sql(self, statement, *args):
        with self.db.cursor() as c:
            c.execute(statement, args)
            return c.fetchall()

    def clear(self):
        self.redis.delete("nodes", "tgo:nodes:down", "tgo:nodes:drained")
        self.sql("DELETE FROM livekit_node")

    def list(self):
        answer = self.ask("GET", "/nodes")
        assert answer.status_code == 200, answer.text
        body = answer.json()
        for one in body["nodes"]:
            check({**one, "cpu": float(one["cpu"]), "load": float(one["load"])}, NODE)
        return body

    def by_addr(self):
        return {one["addr"]: one for one in self.list()["nodes"]}

    def state(self, addr):
        return self.by_addr().get(addr, {}).get("state")

    def wait_state(self, addr, state):
        """Each worker reads the records anew twice a second."""
        wait_until(lambda: self.state(addr) == state, 5, what=f"{addr} {state}")


@pytest.fixture(scope="module")
def ask(worker, stack, document):
    """A worker of its own, asked with the operator's key; every answer is one of the document's."""
    at = worker()

    def ask(method, path, key="ops"):
        keys = {"ops": stack.env["TGO_OPS_KEY"], "key": stack.env["TGO_KEY"], None: None}
        answer = at.request(method, path, {} if method == "POST" else None, key=keys[key])
        document.check_answer(method, "/api/v1" + path, answer)
        return answer

    return ask


@pytest.fixture
def cluster(stack, redis_client, db, ask):
    made = Cluster(stack, stack.redis(), db, ask)
    made.clear()
    yield made
    made.clear()
    wait_until(lambda: made.list()["nodes"] == [], 5)


@pytest.fixture
def two(cluster):
    """Two that live, and known to be so."""
    cluster.put("ND_a", A)
    cluster.put("ND_b", B)
    wait_until(lambda: {A_ADDR, B_ADDR} <= set(cluster.by_addr()), 5)
    return cluster


@pytest.fixture
def ctl(stack, tmp_path):
    return Ctl.of(stack, tmp_path)


def test_none(cluster):
    body = cluster.list()
    assert (body["nodes"], body["partial"], body["placement"]) == ([], False, "on")


def test_what_is_said_of_one(two):
    one = two.by_addr()[A_ADDR]
    assert (one["name"], one["ip"], one["livekit_id"], one["state"], one["takes_rooms"]) == \
        (A_ADDR, A, "ND_a", "ok", True)
    assert (one["rooms"], one["participants"], one["tracks_in"], one["tracks_out"], one["cpus"]) == (7, 12, 20, 30, 4)
    assert (one["cpu"], one["load"], one["bytes_in"], one["bytes_out"]) == (0.25, 1.5, 1000, 3000)
    assert one["region"] == "eu" and 0 <= one["age_s"] < 6
    assert (one["drained"], one["drained_at"], one["drained_by"]) == (False, 0, "")


def test_calls_that_are_not_over_are_counted(two, fresh):
    before = two.list()["unassigned"]
    for status, node in ((0, A_ADDR), (1, A_ADDR), (2, A_ADDR), (1, "10.77.9.9:1")):
        two.sql("INSERT INTO rtc_room (room_id, creator, status, livekit_node) VALUES (%s, 'ann', %s, %s)",
                fresh("room"), status, node)
    try:
        assert (two.by_addr()[A_ADDR]["calls"], two.by_addr()[B_ADDR]["calls"]) == (2, 0)
        assert two.list()["unassigned"] == before + 1
    finally:
        two.sql("DELETE FROM rtc_room WHERE livekit_node LIKE '10.77.%%'")


def test_states(cluster):
    cluster.put("ND_stale", A, age_s=30)
    cluster.put("ND_going", B, state=2)
    cluster.put("ND_twin1", "10.77.0.3")
    cluster.put("ND_twin2", "10.77.0.3")
    cluster.put("ND_down", "10.77.0.4")
    cluster.redis.hset("tgo:nodes:down", "10.77.0.4:7880", int(time.time() * 1000) + 60000)
    cluster.wait_state("10.77.0.4:7880", "down")
    found = {addr: (one["state"], one["takes_rooms"]) for addr, one in cluster.by_addr().items()}
    assert found == {B_ADDR: ("draining", False), "10.77.0.3:7880": ("twin", False),
                     "10.77.0.4:7880": ("down", False)} | \
        ({A_ADDR: ("stale", False)} if A_ADDR in found else {})


@pytest.mark.parametrize("name", [A_ADDR, A, "ND_a"])
def test_names_of_a_node(two, name):
    answer = two.ask("GET", f"/nodes/{name}")
    assert answer.status_code == 200 and answer.json()["addr"] == A_ADDR


@pytest.mark.parametrize("name", ["10.77.0.9:7880", "ND_c", "10.77.0", "7880", "%20"])
def test_no_such_node(two, name):
    check_error(two.ask("GET", f"/nodes/{name}"), 404, "not_found")
    check_error(two.ask("POST", f"/nodes/{name}/drain"), 404, "not_found")
    assert two.sql("SELECT * FROM livekit_node") == ()


def test_a_name_of_several_is_none(cluster, worker, stack):
    """An ip with two ports; each has a name of its own, with its port, and settings of its own."""
    at = worker(LIVEKIT_NODES=f"{A}:7880;region=eu;weight=200,{A}:7881;url=wss://b.example,localhost:7882")
    get = lambda name: at.request("GET", f"/nodes/{name}", key=stack.env["TGO_KEY"])  # noqa: E731
    check_error(get(A), 404, "not_found")
    first, second = get(f"{A}:7880").json(), get(f"{A}:7881").json()
    assert (first["region"], first["weight"], first["url"]) == ("eu", 200, "")
    assert (second["region"], second["weight"], second["url"]) == ("", 100, "wss://b.example")
    wait_until(lambda: get("localhost").status_code == 200, 5, what="its address is known")
    by_name = get("localhost").json()
    assert by_name["name"] == "localhost:7882" and by_name["addr"] in ("127.0.0.1:7882", "[::1]:7882")
    assert get("localhost:7882").json()["addr"] == by_name["addr"]


def test_who_may(two):
    check_error(two.ask("GET", "/nodes", key=None), 401, "unauthorized")
    assert two.ask("GET", "/nodes", key="key").status_code == 200
    check_error(two.ask("POST", f"/nodes/{A}/drain", key="key"), 403, "forbidden")
    check_error(two.ask("POST", f"/nodes/{A}/undrain", key="key"), 403, "forbidden")
    assert two.state(A_ADDR) == "ok"


def test_drain_and_undrain(two):
    drained = two.ask("POST", f"/nodes/{A}/drain")
    assert drained.status_code == 200, drained.text
    body = drained.json()
    assert (body["state"], body["drained"], body["takes_rooms"]) == ("drained", True, False)
    assert body["drained_by"].startswith("ops-") and abs(body["drained_at"] - time.time() * 1000) < 60000
    assert two.redis.hget("tgo:nodes:drained", A_ADDR) == "1"
    assert two.state(B_ADDR) == "ok"
    # Again: when and who stay.
    again = two.ask("POST", f"/nodes/{A}/drain").json()
    assert (again["drained_at"], again["state"]) == (body["drained_at"], "drained")
    # LiveKit forgets it, Redis forgets everything: it is drained all the same.
    two.redis.delete("tgo:nodes:drained")
    time.sleep(0.6)
    assert two.state(A_ADDR) == "drained"
    undrained = two.ask("POST", f"/nodes/{A}/undrain").json()
    assert (undrained["state"], undrained["drained"], undrained["drained_at"], undrained["drained_by"]) == \
        ("ok", False, 0, "")
    assert two.redis.hget("tgo:nodes:drained", A_ADDR) is None


def test_new_calls_avoid_a_drained_node(two, worker, stack, fresh):
    """And go there again afterwards."""
    at = worker(LIVEKIT_NODE_ALGORITHM="lowest", LIVEKIT_NODE_SORT_BY="random")

    def nodes(n):
        made = [at.request("POST", "/rooms", {"creator": fresh("a"), "uids": [fresh("b")]}, key=stack.env["TGO_KEY"])
                for _ in range(n)]
        assert {one.status_code for one in made} == {200}
        rooms = [one.json()["room_id"] for one in made]
        rows = two.sql(f"SELECT livekit_node FROM rtc_room WHERE room_id IN ({','.join(['%s'] * n)})", *rooms)
        return {row["livekit_node"] for row in rows}

    two.ask("POST", f"/nodes/{A}/drain")
    two.put("ND_a", A), two.put("ND_b", B)
    time.sleep(0.6)
    assert nodes(12) == {B_ADDR}
    two.ask("POST", f"/nodes/{A}/undrain")
    two.put("ND_a", A), two.put("ND_b", B)
    time.sleep(0.6)
    assert A_ADDR in nodes(24)


def test_one_that_is_gone_can_be_undrained(two):
    two.ask("POST", f"/nodes/{B}/drain")
    two.redis.hdel("nodes", "ND_b")
    two.wait_state(B_ADDR, "stale")
    one = two.by_addr()[B_ADDR]
    assert one["drained"] is True and one["age_s"] == -1
    assert two.ask("POST", f"/nodes/{B_ADDR}/undrain").json()["drained"] is False
    wait_until(lambda: B_ADDR not in two.by_addr(), 5)
    check_error(two.ask("POST", f"/nodes/{B_ADDR}/undrain"), 404, "not_found")


# ---- the command line ----

def test_nodes_command(two, ctl):
    done = ctl("nodes")
    assert done.returncode == 0, done.stderr
    assert {one["addr"] for one in json.loads(done.stdout)["nodes"]} == {A_ADDR, B_ADDR}


def test_drain_command(two, ctl, logs):
    done = ctl("drain", A)
    assert done.returncode == 0, done.stderr
    one = json.loads(done.stdout)
    assert (one["addr"], one["state"], one["drained_by"]) == (A_ADDR, "drained", "cli")
    line = logs.wait_for(event="node_drained", livekit_node=A_ADDR)
    assert line["by"] == "cli"
    two.wait_state(A_ADDR, "drained")
    assert json.loads(ctl("undrain", "ND_a").stdout)["state"] == "ok"
    logs.wait_for(event="node_undrained", livekit_node=A_ADDR)


def test_drain_command_without_such_a_node(two, ctl):
    done = ctl("drain", "10.77.0.9")
    assert (done.returncode, done.stdout) == (1, "") and "no such node" in done.stderr


def test_check_names_twins_and_an_untested_version(two, ctl):
    two.put("ND_a2", A)
    before = two.redis.get("livekit_version")
    two.redis.set("livekit_version", "9.0.0")
    try:
        found = {one["name"]: one for one in json.loads(ctl("check").stdout)["checks"]}
    finally:
        two.redis.delete("livekit_version")
        if before:
            two.redis.set("livekit_version", before)
    assert found["nodes"]["status"] == "warn" and "two live nodes on this ip" in found["nodes"]["message"]
    assert "rtc.node_ip" in found["nodes"]["cure"]
    assert found["livekit version"]["status"] == "warn" and "9.0.0" in found["livekit version"]["message"]
    assert "LIVEKIT_PLACEMENT=off" in found["livekit version"]["cure"]
