"""GET /metrics: exact over workers and their deaths, open to nobody else, and without anything that is nobody's business.

SPDX-License-Identifier: MIT
"""
import base64
import concurrent.futures
import hashlib
import math
import os
import re
import secrets
import signal
import time

import pytest

from support.client import Api
from support.direct import Direct
from support.fake_livekit import FakeLiveKit, node_record
from support.fake_node import FakeNode
from support.livekit_hook import Hook, now_ms, person
from support.scrape import read
from support.wait import wait_until

USER, PASSWORD = "prometheus", "a:b c-é"
CREDENTIALS = {"METRICS_USER": USER, "METRICS_PASSWORD_SHA256": hashlib.sha256(PASSWORD.encode()).hexdigest()}
FAR = "203.0.113.9"
STATE_EVERY_S = 5


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture(scope="module")
def four(worker):
    return worker(WORKERS=4)


class Keyed:
    """A Direct with the stack's key."""

    def __init__(self, direct):
        self.direct, self.key = direct, direct.stack.env["TGO_KEY"]

    def post(self, path, json=None, **kwargs):
        return self.direct.post(path, json, **{"key": self.key, **kwargs})

    def done(self, path, json=None, wanted=200):
        answer = self.post(path, json)
        assert answer.status_code == wanted, answer.text
        return answer.json()


def difference(before, after, name, **labels):
    return after.sum(name, **labels) - before.sum(name, **labels)


# ---- the text ----

def test_prometheus_reads_it(four):
    seen = read(four)
    assert len(seen.families) == len({family.name for family in seen.families}) > 40
    assert all(family.documentation and family.type in ("counter", "gauge", "histogram") for family in seen.families)
    assert len({(one.name, tuple(sorted(one.labels.items()))) for one in seen.samples}) == len(seen.samples)
    assert seen.value("tgo_build_info") == 1
    assert time.time() - 300 < seen.value("tgo_start_time_seconds") <= time.time() + 1
    assert seen.value("tgo_workers", state="configured") == 4
    wait_until(lambda: read(four).value("tgo_workers", state="alive") == 4, 10)


def test_histograms_add_up(four, fresh):
    keyed = Keyed(four)
    keyed.done("/rooms", {"creator": fresh("ann"), "uids": [fresh("bob")]})
    seen, checked = read(four), 0
    for family in seen.families:
        if family.type != "histogram":
            continue
        for count in seen.of(family.name + "_count"):
            buckets = [one for one in seen.of(family.name + "_bucket", **count.labels)]
            bounds = [float(one.labels["le"]) for one in buckets]
            values = [one.value for one in buckets]
            assert bounds == sorted(bounds) and bounds[-1] == math.inf and len(bounds) == 18
            assert values == sorted(values) and values[-1] == count.value
            assert seen.value(family.name + "_sum", **count.labels) >= 0
            checked += count.value > 0
    assert checked >= 5


# ---- exact ----

def many(direct, n, path="/health"):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: direct.get(path, root=True).status_code, range(n)))
    assert answers == [200] * n


def test_every_request_of_every_worker_is_counted(four):
    before = read(four)
    many(four, 500)
    after = read(four)
    assert difference(before, after, "tgo_http_requests_total", route="GET /health", status="200") == 500
    assert difference(before, after, "tgo_http_request_seconds_count", route="GET /health") == 500
    assert difference(before, after, "tgo_http_requests_total", route="GET /metrics") == 1


def test_a_killed_worker_takes_nothing_with_it(worker):
    four = worker(WORKERS=4)
    children = four.service.full(4)
    many(four, 200)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(set(four.service.children()) - set(children)) == 4, what="four others")
    many(four, 100)
    assert read(four).sum("tgo_http_requests_total", route="GET /health") == \
        read(four).sum("tgo_http_request_seconds_count", route="GET /health") >= 301
    # The one that told us that it is up, and no other.
    assert read(four).sum("tgo_http_requests_total", route="GET /health") <= 310
    wait_until(lambda: read(four).sum("tgo_process_deaths_total", kind="crashed") == 4)


def test_what_is_no_route_has_one_name(four):
    tail = secrets.token_hex(4)
    before = read(four)
    for path in (f"/nowhere-{tail}", f"/api/v1/{tail}", f"/rooms/%22%7d%201%0atgo_fake_{tail}", f"/%zz{tail}"):
        assert four.get(path, root=True).status_code in (400, 404)
    assert four.put("/rooms", {tail: tail}).status_code == 405
    assert four.request("BREW-" + tail, "/rooms").status_code == 405
    after = read(four)
    assert difference(before, after, "tgo_http_requests_total", route="unknown") == 4
    assert difference(before, after, "tgo_http_requests_total", route="other method", status="405") == 2
    assert tail not in after.text
    assert {one.labels["route"] for one in after.of("tgo_http_requests_total")} <= \
        {"unknown", "other method"} | {f"{m} {p}" for m, p in routes()}


def routes():
    from support.document import Document
    return {(method, path) for method, path, _ in Document().operations()}


# ---- calls ----

def test_each_step_of_a_call_once(four, fresh):
    keyed, before = Keyed(four), read(four)
    ann, bob = fresh("ann"), fresh("bob")
    room = keyed.done("/rooms", {"creator": ann, "uids": [bob], "rtc_type": 1})["room_id"]
    keyed.done(f"/rooms/{room}/join", {"uid": ann})
    keyed.done(f"/rooms/{room}/join", {"uid": bob})
    keyed.done(f"/rooms/{room}/join", {"uid": bob})
    keyed.done(f"/rooms/{room}/token", {"uid": bob})
    keyed.done("/rooms", {"creator": fresh("cyd"), "uids": [bob]}, 409)         # everybody is busy: stored, and over
    keyed.done(f"/rooms/{room}/leave", {"uid": bob})
    keyed.done(f"/rooms/{room}/leave", {"uid": bob})
    keyed.done(f"/rooms/{room}/end")
    after = read(four)
    assert difference(before, after, "tgo_calls_created_total", kind="video") == 1
    assert difference(before, after, "tgo_calls_created_total", kind="voice") == 1
    assert difference(before, after, "tgo_calls_answered_total") == 1
    assert difference(before, after, "tgo_call_ring_seconds_count") == 1
    assert difference(before, after, "tgo_call_duration_seconds_count") == 1
    assert difference(before, after, "tgo_calls_ended_total", kind="finished", reason="hangup") == 1
    assert difference(before, after, "tgo_calls_ended_total", kind="busy", reason="busy") == 1
    assert difference(before, after, "tgo_calls_ended_total") == 2
    assert difference(before, after, "tgo_tokens_total") == 5
    assert difference(before, after, "tgo_sql_seconds_count", step="commit") >= 4
    assert difference(before, after, "tgo_redis_seconds_count") >= 4


def test_transactions_that_ran_again_count_once(four, fresh):
    """Many at once on one call: deadlocks and lock waits repeat the body, nothing else."""
    keyed, before = Keyed(four), read(four)
    ann, people = fresh("ann"), [fresh("p") for _ in range(12)]
    room = keyed.done("/rooms", {"creator": ann, "uids": people, "max_participants": 13})["room_id"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda uid: keyed.post(f"/rooms/{room}/join", {"uid": uid}).status_code, [ann, *people]))
        assert answers == [200] * 13
        ends = list(pool.map(lambda _: keyed.post(f"/rooms/{room}/end").status_code, range(8)))
    assert 200 in ends and set(ends) <= {200, 409}
    after = read(four)
    assert [difference(before, after, f"tgo_calls_{what}_total") for what in ("created", "answered", "ended")] == [1] * 3


def test_webhooks_by_what_became_of_them(four, fresh):
    keyed = Keyed(four)
    room, bob = fresh("room"), fresh("bob")
    keyed.done("/rooms", {"creator": fresh("ann"), "uids": [bob], "room_id": room})
    keyed.done(f"/rooms/{room}/join", {"uid": bob})
    hook, before = Hook(four.stack.env, four), read(four)
    hook.tell("room_started", room, "RM_" + room, id="EV_" + room)
    hook.tell("room_started", room, "RM_" + room, id="EV_" + room)
    hook.tell("participant_joined", room, "RM_" + room, person(bob, "PA_1", now_ms()))
    hook.tell("room_started", fresh("stranger"), "RM_x")
    hook.tell("track_published", room, "RM_" + room)
    hook.tell('x"} 1\ntgo_fake 1', room, "RM_" + room)
    assert four.post("/webhooks/livekit", data=b"{}", headers={"Authorization": "x"}).status_code == 401
    after = read(four)
    seen = {(one.labels["kind"], one.labels["outcome"]): one.value - before.sum(one.name, **one.labels)
            for one in after.of("tgo_livekit_events_total")}
    assert {key: n for key, n in seen.items() if n} == {
        ("room_started", "applied"): 1, ("room_started", "repeated"): 1, ("room_started", "not_ours"): 1,
        ("participant_joined", "applied"): 1, ("other", "ignored"): 2, ("other", "refused"): 1}


def test_nodes_and_livekit(make_stack, tmp_path_factory, fresh):
    """Two nodes, one of which dies: rooms given, moved, routed; and LiveKit's API, answering and not."""
    stack = make_stack()
    redis = stack.redis()
    nodes = [FakeNode(redis, f"127.0.0.{n}") for n in (76, 77)]
    livekit = FakeLiveKit(stack.env["LIVEKIT_API_SECRET"])
    settings = {"LIVEKIT_NODES": ",".join(node.addr for node in nodes), "LIVEKIT_URL": livekit.url}
    one = Direct(tmp_path_factory.mktemp("nodes"), stack, WORKERS=2, **settings).start()
    try:
        keyed = Keyed(one)
        bob, cyd = fresh("bob"), fresh("cyd")
        room = keyed.done("/rooms", {"creator": fresh("ann"), "uids": [bob, cyd], "max_participants": 5})
        with stack.db() as db, db.cursor() as c:
            c.execute("SELECT livekit_node AS node FROM rtc_room WHERE room_id = %s", (room["room_id"],))
            addr = c.fetchone()["node"]
        home = next(node for node in nodes if node.addr == addr)
        other = next(node for node in nodes if node is not home)
        seen = read(one)
        assert {(s.labels["node"], s.labels["kind"]): s.value for s in seen.of("tgo_node_assignments_total")} == \
            {(home.addr, "new"): 1}
        assert {s.labels["node"]: s.value for s in seen.of("tgo_tokens_total")} == {home.addr: 1}
        for node in nodes:
            assert seen.value("tgo_node_state", node=node.addr, state="ok") == 1
            assert seen.value("tgo_node_rooms", node=node.addr) == 1      # as its record says
            assert 0 <= seen.value("tgo_node_report_age_seconds", node=node.addr) <= 5
            assert seen.value("tgo_node_calls", node=node.addr) == (node is home)
        home.kill()
        wait_until(lambda: keyed.done(f"/rooms/{room['room_id']}/join", {"uid": bob}) and
                   read(one).sum("tgo_node_assignments_total", node=other.addr, kind="moved") == 1, 20)
        wait_until(lambda: read(one).sum("tgo_node_state", node=home.addr, state="down") == 1, 4 * STATE_EVERY_S)
        assert keyed.post(f"/rooms/{room['room_id']}/participants/{bob}/mute", {}).status_code in (200, 404)
        livekit.faults["*"] = (500, {"code": "internal", "msg": "no"})
        assert keyed.post(f"/rooms/{room['room_id']}/participants/{bob}/mute", {}).status_code in (404, 503)
        seen = read(one)
        assert seen.value("tgo_livekit_api_seconds_count", method="GetParticipant") == 2
        assert seen.value("tgo_livekit_api_errors_total", method="GetParticipant") == 1
    finally:
        one.service.clean_up()
        livekit.stop()
        for node in nodes:
            node.stop()


# ---- who may read it ----

@pytest.mark.parametrize("settings", [{}, CREDENTIALS, {"METRICS_USER": USER},
                                      {**CREDENTIALS, "LEGACY_STATUS": "true", "AUTH_MODE": "open"}])
def test_who_may(worker, settings):
    one = worker(**settings)
    asked = {name: one.get("/metrics", root=True, address=address, headers=headers) for name, address, headers in (
        ("near", "127.0.0.1", {}), ("near6", "::1", {}), ("near, wrong", "127.0.0.1", {"Authorization": basic("x", "y")}),
        ("far", FAR, {}), ("far, forwarded", FAR, {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1",
                                                   "X-Real-IP": "127.0.0.1"}),
        ("far, wrong", FAR, {"Authorization": basic(USER, PASSWORD + "x")}),
        ("far, key", FAR, {"Authorization": "Bearer " + one.stack.env["TGO_OPS_KEY"]}),
        ("far, right", FAR, {"Authorization": basic(USER, PASSWORD)}))}
    whole = "METRICS_PASSWORD_SHA256" in settings
    refused = 401 if whole else 403
    assert {name: answer.status_code for name, answer in asked.items()} == {
        "near": 200, "near6": 200, "near, wrong": 200, "far": refused, "far, forwarded": refused, "far, wrong": refused,
        "far, key": refused, "far, right": 200 if whole else refused}
    for name, answer in asked.items():
        assert (answer.headers.get("WWW-Authenticate", "").startswith("Basic ")) == (answer.status_code == 401), name
        if answer.status_code != 200:
            assert answer.json()["error"] == ("unauthorized" if whole else "forbidden") and "tgo_" not in answer.text


def test_by_way_of_nginx(call, stack):
    """Both targets of a scraper on this host, and a connection of a client that was refused."""
    assert "tgo_calls" in {family.name for family in read(call).families}
    before = read(call, "/metrics/route")
    assert call.get("/rtc?access_token=none", root=True, key=None).status_code == 401
    after = read(call, "/metrics/route")
    assert difference(before, after, "tgo_routed_total", node="", outcome="invalid_token") == 1
    assert difference(before, after, "tgo_http_requests_total", route="/_route/join", status="401") == 1
    assert after.of("tgo_calls") == []
    assert call.get("/metrics/route/", root=True, key=None).status_code != 200


# ---- what there is ----

def expected_state(db):
    with db.cursor() as c:
        def one(text):
            c.execute(text)
            return int(list(c.fetchone().values())[0] or 0)

        return {
            ("tgo_calls", "ringing"): one("SELECT SUM(status = 0) FROM rtc_room"),
            ("tgo_calls", "in_progress"): one("SELECT SUM(status = 1) FROM rtc_room"),
            ("tgo_participants", "ringing"): one("SELECT SUM(status = 0) FROM rtc_participant"),
            ("tgo_participants", "joined"): one("SELECT SUM(status = 1 AND deadline_ms = 0) FROM rtc_participant"),
            ("tgo_participants", "rejoining"): one("SELECT SUM(status = 1 AND deadline_ms > 0) FROM rtc_participant"),
            "tgo_calls_unassigned": one("SELECT SUM(status IN (0, 1)) FROM rtc_room"),
            "tgo_events_pending": one("SELECT SUM(pos = 0) FROM event"),
        }


def overdue(db):
    with db.cursor() as c:
        c.execute("SELECT COUNT(*) n FROM rtc_room WHERE status IN (0, 1) AND next_deadline_ms BETWEEN 1 AND"
                  " UNIX_TIMESTAMP(NOW(3)) * 1000")
        return c.fetchone()["n"]


@pytest.fixture
def receivers(db):
    """Three receivers, one of each state, with 0, 1 and 2 events that wait."""
    ids = [secrets.token_hex(8) for _ in range(3)]
    with db.cursor() as c:
        for n, (one, state, down) in enumerate(zip(ids, ("active", "active", "disabled"), (0, 1, 0))):
            c.execute("INSERT INTO webhook_endpoint (id, url, state, down_since_ms) VALUES (%s, %s, %s, %s)",
                      (one, "http://secret-host/" + one, state, down))
            for i in range(n):
                c.execute("INSERT INTO event_delivery (endpoint_id, pos, event_no, room_id, type, state, due_at_ms,"
                          " created_at_ms) VALUES (%s, %s, 1, 'r', 't', %s, %s, UNIX_TIMESTAMP() * 1000 - 90000)",
                          (one, i + 1, i, i))
    yield ids
    with db.cursor() as c:
        c.execute("DELETE FROM event_delivery WHERE endpoint_id IN %s", (ids,))
        c.execute("DELETE FROM webhook_endpoint WHERE id IN %s", (ids,))


def test_state_is_what_the_database_says(stack, worker, db, fresh, receivers):
    api = Api(stack)
    rooms = [api.post("/rooms", {"creator": fresh("ann"), "uids": [fresh("bob")]}).json() for _ in range(5)]
    for room in rooms[:3]:
        for uid in room["uids"]:
            assert api.post(f"/rooms/{room['room_id']}/join", {"uid": uid}).status_code == 200
    names = [room["room_id"] for room in rooms]
    with db.cursor() as c:
        c.execute("SELECT status, next_deadline_ms, room_id FROM rtc_room WHERE room_id IN %s", (names,))
        before = [tuple(row.values()) for row in c.fetchall()]
        # LiveKit's part: the call is under way, one of its people lost the media; and two deadlines nobody looked at.
        c.execute("UPDATE rtc_room SET status = 1, next_deadline_ms = UNIX_TIMESTAMP() * 1000 + 20000"
                  " WHERE room_id = %s", (rooms[0]["room_id"],))
        c.execute("UPDATE rtc_participant SET deadline_ms = UNIX_TIMESTAMP() * 1000 + 20000 WHERE room_id = %s"
                  " AND uid = %s", (rooms[0]["room_id"], rooms[0]["creator"]))
        c.execute("UPDATE rtc_room SET next_deadline_ms = UNIX_TIMESTAMP() * 1000 - 30000 WHERE room_id IN %s",
                  ([room["room_id"] for room in rooms[3:]],))
        c.execute("INSERT INTO jobs_process (id, instance, task, beat_at_ms) VALUES ('m1', 'm', 'sequence',"
                  " UNIX_TIMESTAMP() * 1000), ('m2', 'm', 'keeper', 1)")
    try:
        fewest = overdue(db)
        seen = read(worker())
        most, wanted = overdue(db), expected_state(db)
    finally:
        with db.cursor() as c:
            c.executemany("UPDATE rtc_room SET status = %s, next_deadline_ms = %s WHERE room_id = %s", before)
            c.execute("UPDATE rtc_participant SET deadline_ms = 0 WHERE room_id = %s AND status = 1", (names[0],))
            c.execute("DELETE FROM jobs_process WHERE instance = 'm'")
    assert wanted["tgo_participants", "rejoining"] >= 1 and wanted["tgo_calls", "in_progress"] >= 1
    assert {key: seen.value(key) if isinstance(key, str) else seen.value(key[0], status=key[1]) for key in wanted} == wanted
    assert 2 <= fewest <= seen.value("tgo_deadlines_overdue") <= most
    assert 29 < seen.value("tgo_deadline_oldest_seconds") and 0 < seen.value("tgo_event_oldest_seconds")
    assert (seen.value("tgo_jobs_processes", task="sequence"), seen.value("tgo_jobs_processes", task="keeper")) == (1, 0)
    for n, (one, state) in enumerate(zip(receivers, ("ok", "down", "disabled"))):
        assert seen.value("tgo_deliveries_pending", endpoint=one) == n
        assert (seen.value("tgo_delivery_oldest_seconds", endpoint=one) > 80) == (n > 0)
        assert [s.labels["state"] for s in seen.of("tgo_endpoint_state", endpoint=one) if s.value == 1] == [state]
    assert seen.value("tgo_dependency_up", service="mysql") == seen.value("tgo_dependency_up", service="redis") == 1


def test_looked_at_once_for_all_workers(worker, fresh):
    """Whoever is asked: the figures are one look, and the next look comes by itself."""
    four = worker(WORKERS=4)
    first = read(four)
    keyed = Keyed(four)
    for _ in range(3):
        keyed.done("/rooms", {"creator": fresh("ann"), "uids": [fresh("bob")]})
    before = time.monotonic()
    seen = [read(four) for _ in range(12)]
    if time.monotonic() - before < STATE_EVERY_S - 2:
        assert {one.value("tgo_calls", status="ringing") for one in seen} == {first.value("tgo_calls", status="ringing")}
        ages = [one.value("tgo_state_age_seconds") for one in seen]
        assert ages == sorted(ages)
    wait_until(lambda: read(four).value("tgo_calls", status="ringing") == first.value("tgo_calls", status="ringing") + 3,
               4 * STATE_EVERY_S, what="the next look")
    assert read(four).value("tgo_state_age_seconds") <= STATE_EVERY_S + 1


@pytest.mark.parametrize("part, stop, go_on", [("mariadb", signal.SIGSTOP, signal.SIGCONT),
                                               ("redis", signal.SIGSTOP, signal.SIGCONT)])
def test_frozen_servers_hold_no_scrape(make_stack, part, stop, go_on):
    stack = make_stack()
    api, service = Api(stack), {"mariadb": "mysql", "redis": "redis"}[part]
    room = api.post("/rooms", {"creator": "ann", "uids": ["bob"]}).json()["room_id"]
    before = read(api)
    assert before.value("tgo_dependency_up", service=service) == 1
    os.kill(stack.pid(part), stop)
    try:
        worst, down = 0, False
        end = time.monotonic() + 4 * STATE_EVERY_S
        while not down and time.monotonic() < end:
            began = time.monotonic()
            seen = read(api)
            worst = max(worst, time.monotonic() - began)
            down = seen.value("tgo_dependency_up", service=service) == 0
            time.sleep(0.1)
        assert down and worst < 3           # the promise is 2 s
        # What was last seen stays, and says how old it is.
        assert seen.value("tgo_calls", status="ringing") == before.value("tgo_calls", status="ringing") == 1
        if part == "mariadb":
            assert seen.value("tgo_state_age_seconds") >= STATE_EVERY_S
    finally:
        os.kill(stack.pid(part), go_on)
    wait_until(lambda: read(api).value("tgo_dependency_up", service=service) == 1, 4 * STATE_EVERY_S)
    assert api.post(f"/rooms/{room}/end").status_code == 200


# ---- what it must not tell ----

def test_neither_people_nor_secrets(stack, worker, fresh):
    one = worker(**CREDENTIALS)
    keyed, tail = Keyed(one), secrets.token_hex(6)
    ann, bob = "ann-" + tail, "bob-" + tail
    room = keyed.done("/rooms", {"creator": ann, "uids": [bob], "room_id": "room-" + tail, "name": "n-" + tail,
                                 "device_id": "d-" + tail, "source_channel_id": "s-" + tail,
                                 "metadata": {"m": tail}, "region": "reg-" + tail})
    keyed.done(f"/rooms/{room['room_id']}/join", {"uid": bob})
    keyed.done(f"/rooms/{room['room_id']}/reject", {"uid": "nobody-" + tail}, 404)
    keyed.done(f"/rooms/{room['room_id']}/end")
    text = read(one).text
    kept = [stack.env["TGO_KEY"], stack.env["TGO_OPS_KEY"], stack.env["LIVEKIT_API_SECRET"], stack.ticket_secret,
            room["token"], USER, PASSWORD, CREDENTIALS["METRICS_PASSWORD_SHA256"], stack.env["DB_PASSWORD"] or tail]
    assert tail not in text
    assert [secret for secret in kept if secret and secret in text] == []


EVIL = ['10.9.9.9"} 1\ntgo_fake 1\nx{a="', "back\\slash\\", "a\x00\x01\x7f", "节点🎉" * 9, "x" * 60, '"', "{}=,# HELP"]


@pytest.mark.parametrize("name", EVIL)
def test_names_of_others_stay_names(stack, worker, db, fresh, name):
    """A node's name comes from LiveKit's Redis and the database: whoever writes there writes no series."""
    one = worker(LIVEKIT_PLACEMENT="off")
    keyed = Keyed(one)
    room = keyed.done("/rooms", {"creator": fresh("ann"), "uids": [fresh("bob")]})
    keyed.done(f"/rooms/{room['room_id']}/join", {"uid": room["creator"]})
    with db.cursor() as c:
        c.execute("UPDATE rtc_room SET livekit_node = %s WHERE room_id = %s", (name[:64], room["room_id"]))
    keyed.done(f"/rooms/{room['room_id']}/token", {"uid": room["creator"]})
    redis = stack.redis()
    redis.hset("nodes", "ND_evil", node_record("ND_evil", time.time(), ip=name, region=name))
    try:
        seen = read(one)
        fresh_worker = read(worker())
    finally:
        redis.hdel("nodes", "ND_evil")
    for scrape in (seen, fresh_worker):
        assert "tgo_fake" not in {family.name for family in scrape.families}
        assert all(re.fullmatch(r'(# .*|tgo_[a-z_]+(\{.*\})? [-+0-9.e]+(Inf)?)', line) for line in scrape.text.splitlines())
    assert len(seen.of("tgo_tokens_total")) == 2
