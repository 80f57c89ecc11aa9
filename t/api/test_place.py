"""Which media node a call is given: chosen at create, told in every answer and line, announced to LiveKit before the token
leaves, moved when the node is gone; one node for everybody, whoever asks at the same moment.
SPDX-License-Identifier: MIT
"""
import collections
import concurrent.futures
import itertools
import json
import threading
import time

import pytest

from support.direct import Direct
from support.fake_node import FakeNode
from support.rounds import rounds
from support.wait import wait_until

CLIENTS = 32
REGISTRY_S = 0.7                     # a worker reads the records again at least so often
ROUNDS = rounds(4, 30)

_ip = itertools.count(51)


@pytest.fixture(scope="module")
def own(make_stack):
    """A stack whose Redis holds the records of nobody else's nodes."""
    return make_stack()


@pytest.fixture(scope="module")
def cluster(own, tmp_path_factory):
    """cluster(n, CONFIG="value", ...): n nodes, a worker that knows them, and what they share."""
    made = []

    class Cluster:
        def __init__(self, n, regions=(), **settings):
            self.redis = own.redis()
            self.redis.delete("room_node_map", "rooms", "tgo:nodes:down", "tgo:nodes:drained")
            self.nodes = [FakeNode(self.redis, f"127.0.0.{next(_ip)}", region)
                          for _, region in itertools.zip_longest(range(n), regions, fillvalue="")]
            listed = ",".join(node.addr for node in self.nodes)
            self.worker = Direct(tmp_path_factory.mktemp("place"), own, LIVEKIT_NODES=listed, WORKERS=8, **settings)
            self.worker.start()
            self.key = own.env["TGO_KEY"]
            made.append(self)

        def post(self, path, body, **kwargs):
            answer = self.worker.post(path, body, key=self.key, **kwargs)
            assert answer.status_code == 200, answer.text
            return answer

        def get(self, path):
            return self.worker.get(path, key=self.key).json()

        def lines(self, **fields):
            found = map(json.loads, self.worker.service.log.read_text().splitlines())
            return [one for one in found if all(one.get(k) == v for k, v in fields.items())]

        def node(self, addr):
            return next(node for node in self.nodes if node.addr == addr)

        def heal(self, node):
            """It lives again, and the workers have heard of its new id."""
            node.start()
            self.redis.delete("tgo:nodes:down")
            time.sleep(REGISTRY_S)

        def close(self):
            self.worker.service.clean_up()
            for node in self.nodes:
                node.stop()

    yield Cluster
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def three(cluster):
    return cluster(3)


def node_of(db, room):
    with db.cursor() as c:
        c.execute("SELECT livekit_node, livekit_url FROM rtc_room WHERE room_id = %s", (room,))
        return c.fetchone()["livekit_node"]


@pytest.fixture
def db(own):
    connection = own.db()
    yield connection
    connection.close()


# ---- at create, and in every line ----

def test_it_is_told_everywhere(three, db, fresh):
    ann, bob = fresh("ann"), fresh("bob")
    answer = three.post("/rooms", {"creator": ann, "uids": [bob]})
    room = answer.json()["room_id"]
    addr = node_of(db, room)
    node = three.node(addr)
    assert answer.headers["X-LiveKit-Node"] == addr
    assert three.redis.hget("room_node_map", room) == node.id
    assert three.redis.hget(f"tgo:room:{room}", "node") == addr
    joined = three.post(f"/rooms/{room}/join", {"uid": bob})
    assert joined.headers["X-LiveKit-Node"] == addr
    assert joined.json()["url"] == three.worker.service.settings["LIVEKIT_CLIENT_URL"]
    assert three.get(f"/rooms/{room}")["livekit_node"] == addr
    for uid in (ann, bob):
        synced = three.worker.get(f"/rooms/sync?uid={uid}", key=three.key)
        assert [one["room_id"] for one in synced.json()] == [room]
        assert synced.headers["X-LiveKit-Node"] == addr
    told = three.lines(room_id=room)
    events = collections.Counter(one["event"] for one in told)
    assert events["room_created"] == 1 and events["participant_joined"] == 1
    for line in told:
        if "livekit_node" in line and line.get("livekit_url"):
            assert line["livekit_node"] == addr, line
    assert {one["event"] for one in told if one.get("livekit_node") == addr} >= {
        "room_created", "participant_joined", "request_done"}


def test_a_call_that_is_busy_from_the_start_has_none(three, db, fresh):
    ann, bob = fresh("ann"), fresh("bob")
    three.post("/rooms", {"creator": ann, "uids": [bob]})
    refused = three.worker.post("/rooms", {"creator": fresh("carl"), "uids": [bob]}, key=three.key)
    assert refused.status_code == 409
    room = refused.json()["room_id"]
    assert node_of(db, room) == "" and three.redis.hget("room_node_map", room) is None


def test_regions(cluster, fresh):
    one = cluster(2, regions=("eu", "us"), LIVEKIT_NODE_SELECTOR="regionaware", LIVEKIT_NODE_SYSLOAD_LIMIT="100",
                  LIVEKIT_REGIONS="eu:50.1:8.7,us:38.9:-77.0,uk:51.5:-0.1",
                  LIVEKIT_REGION_HEADER="CF-Region")
    cases = [({"region": "eu"}, {}, "eu"), ({"region": "us"}, {}, "us"), ({"region": "uk"}, {}, "eu"),
             ({}, {"X-Region": "us"}, "us"), ({}, {"CF-Region": "us"}, "us"),
             ({}, {"CF-Region": "us", "X-Region": "uk"}, "eu"), ({"region": "us"}, {"X-Region": "eu"}, "us")]
    for body, headers, region in cases * 3:
        answer = one.post("/rooms", {"creator": fresh("ann"), "uids": [fresh("bob")], **body}, headers=headers)
        assert one.node(answer.headers["X-LiveKit-Node"]).region == region, (body, headers)


def test_a_region_is_text(three, fresh):
    for bad in (7, "x" * 65, " eu", ["eu"]):
        answer = three.worker.post("/rooms", {"creator": fresh("ann"), "region": bad}, key=three.key)
        assert answer.status_code == 400 and "region" in answer.text, answer.text


# ---- later ----

def test_drained_before_anybody_came(cluster, db, fresh):
    two = cluster(2)
    bob = fresh("bob")
    room = two.post("/rooms", {"creator": fresh("ann"), "uids": [bob]}).json()["room_id"]
    was = two.node(node_of(db, room))
    was.state = 2
    was.beat()
    other = next(node for node in two.nodes if node is not was)

    def moved():
        return two.post(f"/rooms/{room}/join", {"uid": bob}).headers["X-LiveKit-Node"] == other.addr

    wait_until(moved)
    assert node_of(db, room) == other.addr
    assert two.redis.hget("room_node_map", room) == other.id
    line, = two.lines(event="room_moved", room_id=room)
    assert (line["from"], line["livekit_node"], line["reason"]) == (was.addr, other.addr, "drained")


def test_without_nodes_nothing_is_assigned(cluster, db, fresh):
    none = cluster(1, LIVEKIT_PLACEMENT="off")
    answer = none.post("/rooms", {"creator": fresh("ann"), "uids": [fresh("bob")]})
    assert "X-LiveKit-Node" not in answer.headers
    room = answer.json()["room_id"]
    assert node_of(db, room) == "" and none.redis.hget("room_node_map", room) is None


# ---- races: whoever asks, and whenever the node dies, there is one node ----

@pytest.fixture(scope="module")
def racing(cluster):
    """Clients go to the nodes' own addresses: so each token's node is asked first whether it lives. These are slow to say
    so beside 32 clients, and none of them is meant to be silent."""
    return cluster(4, LIVEKIT_URL_MODE="node", LIVEKIT_PROBE_TIMEOUT_S="2")


def at_once(jobs):
    barrier = threading.Barrier(len(jobs))

    def work(job):
        barrier.wait(30)
        return job()

    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(work, jobs))


@pytest.mark.parametrize("_", range(ROUNDS))
def test_joins_while_the_node_dies(racing, db, fresh, _):
    people = [fresh("p") for _ in range(CLIENTS)]
    room = racing.post("/rooms", {"creator": people[0], "uids": people[1:], "invite_on": 0,
                                  "max_participants": CLIENTS}).json()["room_id"]
    was = racing.node(node_of(db, room))

    def moved():
        named = racing.post(f"/rooms/{room}/join", {"uid": people[0]}).headers["X-LiveKit-Node"]
        return named if named != was.addr else ""

    jobs = [lambda uid=uid: racing.post(f"/rooms/{room}/join", {"uid": uid}) for uid in people]
    answers = at_once([*jobs, was.kill])[:-1]
    try:
        # Some were answered before it died; who is answered after it names one and the same. An answer it gave just before
        # counts for a tenth of a second.
        later = wait_until(moved, 5, 0.1, what="a join to a living node")
        named = {answer.headers["X-LiveKit-Node"] for answer in answers}
        assert named <= {was.addr, later}
        assert node_of(db, room) == later
        assert racing.redis.hget("room_node_map", room) == racing.node(later).id
        assert len(racing.lines(event="room_moved", room_id=room)) == 1
    finally:
        racing.heal(was)


@pytest.mark.parametrize("_", range(ROUNDS))
def test_creates_of_one_call_while_a_node_dies(racing, db, fresh, _):
    room, victim = fresh("room"), racing.nodes[_ % len(racing.nodes)]

    def create():
        return racing.worker.post("/rooms", {"creator": fresh("ann"), "uids": [fresh("bob")], "room_id": room},
                                  key=racing.key)

    answers = at_once([create] * CLIENTS + [victim.kill])[:-1]
    try:
        said = collections.Counter(answer.status_code for answer in answers)
        assert said == {200: 1, 409: CLIENTS - 1}
        winner = next(answer for answer in answers if answer.status_code == 200)
        assert node_of(db, room) == winner.headers["X-LiveKit-Node"]
        assert racing.redis.hget("room_node_map", room) == racing.node(node_of(db, room)).id
    finally:
        racing.heal(victim)
