"""The stream of events, what became of them, sending them once more, and the receivers: over HTTP, with rows put
in by SQL, so that every state there is can be seen. No jobs run here. SPDX-License-Identifier: MIT"""
import hashlib
import json
import secrets
import time

import pytest

from support.shapes import check, check_error

EVENT = {"pos": int, "event_id": str, "type": str, "room_id": str, "seq": int, "uid": str, "created_at": int,
         "data": dict}
DELIVERY = {"event_id": str, "event_type": str, "room_id": str, "seq": int, "endpoint": str, "url": str,
            "outcome": str, "attempts": int, "status": int, "answer": str, "created_at": int, "last_try_at": int,
            "next_try_at": int}
ENDPOINT = {"id": str, "url": str, "state": str, "added_at": int, "down_since": int, "pending": int,
            "oldest_pending_s": int, "last_ok_at": int, "last_failed_at": int, "last_status": int,
            "last_error": str, "events": [str]}
GO_TYPES = {"room.started", "room.finished", "participant.joined", "participant.left", "participant.rejected",
            "participant.missed", "participant.cancelled", "participant.invited"}
URLS = ["http://user:pass@127.0.0.1:9/all?a=b", "http://127.0.0.1:9/go"]
ALL, GO = (hashlib.sha256(url.encode()).hexdigest()[:16] for url in URLS)


def now_ms():
    return time.time_ns() // 1_000_000


class Rows:
    """Rows of events and deliveries, as the jobs would leave them."""

    def __init__(self, db):
        self.db = db

    def ask(self, text, *args):
        with self.db.cursor() as c:
            c.execute(text, args)
            return c.fetchall()

    def clear(self):
        """What other tests look at is as it was: these events have no calls."""
        self.ask("DELETE FROM event_delivery")
        self.ask("DELETE FROM webhook_endpoint")
        self.ask("DELETE FROM event WHERE room_id NOT IN (SELECT room_id FROM rtc_room)")

    def event(self, room, kind="participant.joined", at_ms=None, numbered=True, data=None):
        """An event of the call, the newest of the stream; its row."""
        seq = self.ask("SELECT COALESCE(MAX(seq), 0) + 1 AS n FROM event WHERE room_id = %s", room)[0]["n"]
        pos = self.ask("SELECT COALESCE(MAX(pos), 0) + 1 AS n FROM event")[0]["n"] if numbered else 0
        event_id = "%s-%s-7000-8000-%s" % (secrets.token_hex(4), secrets.token_hex(2), secrets.token_hex(6))
        self.ask("INSERT INTO event (event_id, room_id, seq, type, uid, data, created_at_ms, pos)"
                 " VALUES (%s, %s, %s, %s, 'ann', %s, %s, %s)", event_id, room, seq, kind,
                 data or json.dumps({"room_id": room, "seq": seq}), at_ms or now_ms(), pos)
        return self.ask("SELECT * FROM event WHERE event_id = %s", event_id)[0]

    def delivery(self, event, endpoint, state=0, **more):
        row = {"endpoint_id": endpoint, "pos": event["pos"], "event_no": event["id"], "room_id": event["room_id"],
               "type": event["type"], "state": state, "created_at_ms": event["created_at_ms"], **more}
        self.ask(f"INSERT INTO event_delivery ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})",
                 *row.values())

    def of(self, event):
        """The event's deliveries by receiver."""
        rows = self.ask("SELECT * FROM event_delivery WHERE event_no = %s", event["id"])
        return {row["endpoint_id"]: row for row in rows}

    def endpoint(self, endpoint_id, url, **more):
        row = {"id": endpoint_id, "url": url, "added_at_ms": 1, **more}
        self.ask(f"REPLACE INTO webhook_endpoint ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})",
                 *row.values())
        return row


@pytest.fixture
def rows(db):
    made = Rows(db)
    made.clear()
    yield made
    made.clear()


@pytest.fixture
def room(fresh):
    return fresh("room")


@pytest.fixture(scope="module")
def configured(worker, stack, document):
    """A worker with two receivers, asked as an operator; every answer is one of the document's."""
    at = worker(BUSINESS_WEBHOOK_ENDPOINTS=json.dumps([{"url": URLS[0], "secret": "s", "events": ["*"]},
                                                       {"url": URLS[1], "secret": "s"}]))

    def ask(method, path, json=None):
        answer = at.request(method, path, json, key=stack.env["TGO_OPS_KEY"])
        document.check_answer(method, "/api/v1" + path.partition("?")[0], answer)
        return answer

    return ask


@pytest.fixture
def two(rows):
    rows.endpoint(ALL, URLS[0])
    rows.endpoint(GO, URLS[1])


# ---- the stream ----

def page(call, query):
    answer = call.get("/events?" + query)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    check(body, {"events": EVENT, "next": int})
    return body


def test_stream_in_order(call, rows, room):
    made = [rows.event(room, kind) for kind in ("room.started", "participant.joined", "room.finished")]
    first = made[0]["pos"]
    body = page(call, f"after={first - 1}&limit=2")
    assert [(e["pos"], e["type"]) for e in body["events"]] == [(first, "room.started"),
                                                               (first + 1, "participant.joined")]
    one = body["events"][0]
    assert one["event_id"] == made[0]["event_id"] and one["created_at"] == made[0]["created_at_ms"]
    assert one["data"] == {"room_id": room, "seq": 1} and (one["seq"], one["uid"], one["room_id"]) == (1, "ann", room)
    rest = page(call, f"after={body['next']}")
    assert [e["pos"] for e in rest["events"]] == [first + 2] and rest["next"] == first + 2
    assert page(call, f"after={first + 2}") == {"events": [], "next": first + 2}
    assert page(call, f"after={first + 999}") == {"events": [], "next": first + 999}


def test_stream_without_what_has_no_number(call, rows, room):
    first = rows.event(room)
    rows.event(room, numbered=False)
    assert [e["seq"] for e in page(call, f"after={first['pos'] - 1}")["events"]] == [1]
    assert [e["seq"] for e in page(call, f"room_id={room}")["events"]] == [1]


def test_stream_of_a_call_and_of_types(call, rows, room, fresh):
    other = fresh("other")
    made = [rows.event(one, kind) for one in (room, other)
            for kind in ("room.started", "participant.left", "room.finished")]
    first = made[0]["pos"] - 1
    mine = page(call, f"room_id={room}")
    assert [e["seq"] for e in mine["events"]] == [1, 2, 3] and mine["next"] == made[2]["pos"]
    assert page(call, f"room_id={room}&after={made[1]['pos']}")["events"][0]["seq"] == 3
    assert [e["room_id"] for e in page(call, f"after={first}&types=room.started")["events"]] == [room, other]
    kinds = page(call, f"after={first}&types=room.finished,room.started&limit=3")
    assert [e["type"] for e in kinds["events"]] == ["room.started", "room.finished", "room.started"]
    assert [e["type"] for e in page(call, f"room_id={other}&types=room.finished")["events"]] == ["room.finished"]
    # What was passed over is not looked at again.
    assert page(call, f"after={first}&types=nobody.knows") == {"events": [], "next": made[-1]["pos"]}


def test_stream_beyond_a_window(call, rows, room):
    """A rare type is found behind thousands of others, in one request."""
    first = rows.event(room, "room.started")
    rows.ask("INSERT INTO event (event_id, room_id, seq, type, data, created_at_ms, pos)"
             " SELECT CONCAT('fill-', %s, '-', seq), %s, seq + 1, 'participant.left', '{}', 1, %s + seq"
             " FROM seq_1_to_5000", secrets.token_hex(6), room, first["pos"])
    last = rows.event(room, "room.finished")
    body = page(call, f"after={first['pos'] - 1}&types=room.finished,room.started")
    assert [e["pos"] for e in body["events"]] == [first["pos"], last["pos"]]
    assert page(call, f"after={first['pos']}&limit=1000")["next"] == first["pos"] + 1000
    rows.ask("DELETE FROM event WHERE room_id = %s", room)
    # Nor does a gap stop it: retention leaves them.
    later = rows.event(room)
    rows.ask("UPDATE event SET pos = pos + 1000000 WHERE id = %s", later["id"])
    assert [e["pos"] for e in page(call, f"after={first['pos']}")["events"]] == [later["pos"] + 1000000]


def test_stream_of_large_events(call, rows, room):
    """A page ends where its data would grow too large; nothing is left out."""
    big = json.dumps({"x": "y" * 1_000_000})
    made = [rows.event(room, data=big) for _ in range(9)]
    seen, after = [], made[0]["pos"] - 1
    while page_of := page(call, f"after={after}&limit=1000")["events"]:
        assert len(page_of) <= 4
        seen += [e["pos"] for e in page_of]
        after = seen[-1]
    assert seen == [e["pos"] for e in made]
    rows.ask("DELETE FROM event WHERE room_id = %s", room)


@pytest.mark.parametrize("query, field", [
    ("after=-1", "after"), ("after=x", "after"), ("limit=0", "limit"), ("limit=1001", "limit"), ("types=A", "types"),
    ("types=a,,b", "types"), ("types=" + "a" * 41, "types"), ("types=" + ",".join(["a"] * 51), "types"),
    ("room_id=" + "x" * 41, "room_id")])
def test_stream_bad_wishes(call, query, field):
    check_error(call.get("/events?" + query), 400, "invalid_parameters", field)


# ---- what became of them ----

def logs(call, query=""):
    answer = call.get("/webhooks/logs" + query)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    check(body, {"logs": DELIVERY, "next_cursor": str})
    return body


def downwards(*deliveries):
    return sorted(deliveries, key=lambda d: d[1], reverse=True)


def test_deliveries(call, rows, two, room):
    event = rows.event(room, "room.finished")
    rows.delivery(event, ALL, 0, attempts=2, last_try_at_ms=5, next_try_at_ms=9, last_status=500, last_answer="oh no")
    rows.delivery(event, GO, 1, attempts=1, due_at_ms=77, last_status=400)
    newer = rows.event(room)
    rows.delivery(newer, ALL, 2, attempts=1, last_status=204, last_try_at_ms=6)
    rows.delivery(newer, GO, 0)
    third = rows.event(room)
    rows.delivery(third, GO, 3, attempts=10)
    body = logs(call, f"?room_id={room}")
    assert body["next_cursor"] == ""
    assert [(d["event_id"], d["endpoint"], d["outcome"]) for d in body["logs"]] == [
        (third["event_id"], GO, "exhausted"),
        *downwards((newer["event_id"], ALL, "delivered"), (newer["event_id"], GO, "pending")),
        *downwards((event["event_id"], ALL, "retrying"), (event["event_id"], GO, "retrying"))]
    one = next(d for d in body["logs"] if d["endpoint"] == ALL and d["outcome"] == "retrying")
    assert one == {"event_id": event["event_id"], "event_type": "room.finished", "room_id": room, "seq": 1,
                   "endpoint": ALL, "url": "http://***@127.0.0.1:9/all?***", "outcome": "retrying", "attempts": 2,
                   "status": 500, "answer": "oh no", "created_at": event["created_at_ms"], "last_try_at": 5,
                   "next_try_at": 9}
    assert next(d for d in body["logs"] if d["endpoint"] == GO and d["outcome"] == "retrying")["next_try_at"] == 77
    for query, n in (("outcome=pending", 1), ("outcome=retrying", 2), ("outcome=delivered,exhausted", 2),
                     (f"endpoint={GO}", 3), (f"endpoint={GO}&outcome=retrying", 1), ("event_type=room.finished", 2),
                     ("event_type=room.started", 0), ("endpoint=" + "0" * 16, 0)):
        assert len(logs(call, f"?room_id={room}&{query}")["logs"]) == n, query
        assert len([d for d in logs(call, f"?limit=100&{query}")["logs"] if d["room_id"] == room]) == n, query


@pytest.mark.parametrize("of_room", [True, False])
def test_deliveries_by_pages(call, rows, two, room, of_room):
    """Every delivery once, newest first, however large the page: also where one ends within an event."""
    rows.ask("DELETE FROM event_delivery")
    for _ in range(7):
        event = rows.event(room)
        rows.delivery(event, ALL)
        rows.delivery(event, GO)
    query = f"room_id={room}&" if of_room else ""
    whole = [(d["seq"], d["endpoint"]) for d in logs(call, f"?{query}limit=100")["logs"]]
    assert whole == [(seq, one) for seq in range(7, 0, -1) for one in sorted((ALL, GO), reverse=True)]
    for limit in (1, 3, 14):
        seen, cursor = [], ""
        while True:
            body = logs(call, f"?{query}limit={limit}&cursor={cursor}")
            seen += [(d["seq"], d["endpoint"]) for d in body["logs"]]
            if not (cursor := body["next_cursor"]):
                break
        assert seen == whole, (limit, seen, whole)


def test_deliveries_beyond_a_window(call, rows, two, room):
    """What is rare is found behind thousands of others."""
    first = rows.event(room)
    rows.delivery(first, ALL, 3)
    rows.ask("INSERT INTO event (event_id, room_id, seq, type, data, created_at_ms, pos)"
             " SELECT CONCAT('many-', %s, '-', seq), %s, seq + 1, 'participant.left', '{}', 1, %s + seq"
             " FROM seq_1_to_5000", secrets.token_hex(6), room, first["pos"])
    rows.ask("INSERT INTO event_delivery (endpoint_id, pos, event_no, room_id, type, state)"
             " SELECT %s, pos, id, room_id, type, 2 FROM event WHERE room_id = %s AND seq > 1", ALL, room)
    found = [d["seq"] for d in logs(call, f"?outcome=exhausted&endpoint={ALL}")["logs"]]
    assert found == [1]
    rows.ask("DELETE FROM event WHERE room_id = %s", room)


@pytest.mark.parametrize("query, field", [
    ("outcome=lost", "outcome"), ("outcome=pending,", "outcome"), ("limit=101", "limit"), ("limit=0", "limit"),
    ("endpoint=ab", "endpoint"), ("endpoint=" + "G" * 16, "endpoint"), ("event_type=Room", "event_type"),
    ("cursor=%21", "cursor"), ("cursor=AAAA", "cursor"), ("room_id=%0A", "room_id")])
def test_deliveries_bad_wishes(call, query, field):
    check_error(call.get("/webhooks/logs?" + query), 400, "invalid_parameters", field)


# ---- the Go server's record ----

@pytest.fixture
def failures(rows):
    rows.ask("DELETE FROM business_webhook_log")

    def add(kind, days_old=0):
        rows.ask("INSERT INTO business_webhook_log (event_type, event_id, created_at) VALUES"
                 " (%s, 'x', FROM_UNIXTIME(%s))", kind, int(time.time() - days_old * 86400))

    yield add
    rows.ask("DELETE FROM business_webhook_log")


def test_stats(call, rows, two, failures, room):
    empty = {"failure_by_event": {}, "max_id": 0, "total_failure_count": 0, "pending": 0, "oldest_pending_s": 0}
    answer = call.get("/webhooks/logs/stats").json()
    assert answer == {"code": 200, "message": "ok", "data": empty}
    for kind in ("room.started", "room.finished", "room.started"):
        failures(kind)
    event = rows.event(room, at_ms=now_ms() - 90_000)
    rows.delivery(event, ALL, 0)
    rows.delivery(event, GO, 2)
    rows.delivery(rows.event(room), GO, 1)
    rows.endpoint("f" * 16, "http://gone.test/", state="removed")
    rows.delivery(event, "f" * 16, 0)
    data = call.get("/webhooks/logs/stats").json()["data"]
    assert data["failure_by_event"] == {"room.finished": 1, "room.started": 2}
    assert data["total_failure_count"] == 3 and data["max_id"] > 0
    assert data["pending"] == 2 and 90 <= data["oldest_pending_s"] < 120


def test_cleanup(configured, rows, failures):
    for days in (0, 1, 6.9, 7.1, 30):
        failures("room.started", days)
    answer = configured("POST", "/webhooks/logs/cleanup", {"retention_days": 7})
    assert answer.json() == {"code": 200, "message": "日志清理成功", "deleted": 2, "more": False}
    assert rows.ask("SELECT COUNT(*) AS n FROM business_webhook_log")[0]["n"] == 3
    rows.ask("INSERT INTO business_webhook_log (event_type, created_at)"
             " SELECT 'a', '2020-01-01 00:00:00' FROM seq_1_to_1700")
    assert configured("POST", "/webhooks/logs/cleanup", {"retention_days": 36500}).json()["deleted"] == 0
    assert configured("POST", "/webhooks/logs/cleanup", {"retention_days": 30}).json()["deleted"] == 1700
    assert rows.ask("SELECT COUNT(*) AS n FROM business_webhook_log")[0]["n"] == 3


@pytest.mark.parametrize("tz", ["Asia/Shanghai", "America/New_York"])
def test_cleanup_knows_no_time_zone(worker, stack, rows, failures, tz):
    for days in (7 - 1 / 24, 7 + 1 / 24):
        failures("room.started", days)
    answer = worker(TZ=tz).request("POST", "/webhooks/logs/cleanup", {"retention_days": 7}, key=stack.env["TGO_OPS_KEY"])
    assert answer.json()["deleted"] == 1
    assert rows.ask("SELECT COUNT(*) AS n FROM business_webhook_log WHERE created_at > NOW() - INTERVAL 7 DAY")[0]["n"] == 1


@pytest.mark.parametrize("body", [{}, {"retention_days": 0}, {"retention_days": -1}, {"retention_days": "7"},
                                  {"retention_days": 1.5}, {"retention_days": 36501}, {"retention_days": None}])
def test_cleanup_bad_wishes(configured, body):
    check_error(configured("POST", "/webhooks/logs/cleanup", body), 400, "invalid_parameters", "retention_days")


# ---- receivers ----

def test_endpoints(configured, call, rows, room):
    rows.endpoint(ALL, URLS[0], down_since_ms=5, last_ok_at_ms=2, last_failed_at_ms=6, last_status=503,
                  last_error="HTTP 503")
    rows.endpoint(GO, URLS[1], state="disabled", added_at_ms=2)
    rows.endpoint("f" * 16, "http://gone.test/x", state="removed", added_at_ms=3)
    event = rows.event(room, at_ms=now_ms() - 50_000)
    for one in (ALL, GO, "f" * 16):
        rows.delivery(event, one)
    rows.delivery(rows.event(room), ALL, 1)
    found = configured("GET", "/webhooks/endpoints").json()["endpoints"]
    for one in found:
        check(one, ENDPOINT)
    assert [one["id"] for one in found] == [ALL, GO, "f" * 16]
    assert 50 <= found[0].pop("oldest_pending_s") < 70
    assert found[0] == {"id": ALL, "url": "http://***@127.0.0.1:9/all?***", "state": "active", "added_at": 1,
                        "down_since": 5, "pending": 2, "last_ok_at": 2, "last_failed_at": 6, "last_status": 503,
                        "last_error": "HTTP 503", "events": ["*"]}
    assert (found[1]["state"], found[1]["pending"], set(found[1]["events"])) == ("disabled", 1, GO_TYPES)
    assert (found[2]["state"], found[2]["pending"], found[2]["events"]) == ("removed", 0, [])
    # A worker that has none configured still shows how they do.
    assert [one["events"] for one in call.get("/webhooks/endpoints").json()["endpoints"]] == [[], [], []]


def test_enable(configured, rows, room):
    rows.endpoint(ALL, URLS[0], state="disabled", down_since_ms=5, probe_at_ms=now_ms() + 50_000)
    rows.endpoint(GO, URLS[1])
    later = now_ms() + 3600_000
    events = [rows.event(room) for _ in range(4)]
    rows.delivery(events[0], ALL, 0, attempts=3, next_try_at_ms=later)
    rows.delivery(events[1], ALL, 1, attempts=2, due_at_ms=later)
    rows.delivery(events[2], ALL, 2, attempts=1)
    rows.delivery(events[0], GO, 1, due_at_ms=later)
    assert configured("POST", f"/webhooks/endpoints/{ALL}/enable").json() == {"code": 200, "message": "ok"}
    row = rows.ask("SELECT * FROM webhook_endpoint WHERE id = %s", ALL)[0]
    assert (row["state"], row["down_since_ms"], row["probe_at_ms"]) == ("active", 0, 0)
    assert rows.of(events[0])[ALL]["next_try_at_ms"] == 0 and rows.of(events[0])[ALL]["state"] == 0
    assert 0 < rows.of(events[1])[ALL]["due_at_ms"] <= now_ms()
    assert rows.of(events[2])[ALL]["state"] == 2
    assert rows.of(events[0])[GO]["due_at_ms"] == later
    # Once more is no harm.
    assert configured("POST", f"/webhooks/endpoints/{ALL}/enable").status_code == 200


def test_enable_many(configured, rows, two, room):
    """However many wait, all of them are due."""
    first = rows.event(room)
    for state, kind in ((0, "next_try_at_ms"), (1, "due_at_ms")):
        rows.ask(f"INSERT INTO event_delivery (endpoint_id, pos, event_no, room_id, type, state, {kind})"
                 " SELECT %s, %s + seq, %s, %s, 'a', %s, 9000000000000 FROM seq_1_to_1300", ALL,
                 first["pos"] + 2000 * state, first["id"], room, state)
    assert configured("POST", f"/webhooks/endpoints/{ALL}/enable").status_code == 200
    assert rows.ask("SELECT COUNT(*) AS n FROM event_delivery WHERE next_try_at_ms > 0 OR due_at_ms >= 9000000000000"
                    )[0]["n"] == 0
    rows.ask("DELETE FROM event_delivery")


@pytest.mark.parametrize("which", ["0" * 16, "removed", "x", "%20", "A" * 16])
def test_enable_nobody(configured, rows, which):
    if which == "removed":
        which = "e" * 16
        rows.endpoint(which, "http://gone.test/", state="removed")
    check_error_of(configured("POST", f"/webhooks/endpoints/{which}/enable"), 404, "not_found")


def check_error_of(answer, status, key):
    """Without nginx the request's id is not the header's."""
    assert (answer.status_code, answer.json()["error"]) == (status, key), answer.text


# ---- once more ----

def test_redeliver_one(configured, rows, two, room):
    event = rows.event(room, "room.finished")
    rows.delivery(event, ALL, 2, attempts=4, last_status=204, first_try_at_ms=7, last_answer="fine")
    before = now_ms()
    assert configured("POST", f"/events/{event['event_id']}/redeliver").json() == {"queued": 2}
    for endpoint in (ALL, GO):
        row = rows.of(event)[endpoint]
        assert (row["state"], row["attempts"], row["first_try_at_ms"], row["next_try_at_ms"]) == (1, 0, 0, 0)
        assert before - 5 <= row["due_at_ms"] <= now_ms() + 5
        assert (row["pos"], row["room_id"], row["type"]) == (event["pos"], room, "room.finished")
    assert rows.of(event)[ALL]["last_answer"] == "fine"


def test_redeliver_goes_where_it_is_wanted(configured, rows, two, room):
    """A type of ours is none of the eight; a receiver that was removed gets nothing."""
    event = rows.event(room, "participant.accepted")
    assert configured("POST", f"/events/{event['event_id']}/redeliver").json() == {"queued": 1}
    assert set(rows.of(event)) == {ALL}
    rows.endpoint(ALL, URLS[0], state="removed")
    event = rows.event(room, "room.started")
    assert configured("POST", f"/events/{event['event_id']}/redeliver").json() == {"queued": 1}
    assert set(rows.of(event)) == {GO}


@pytest.mark.parametrize("state, attempts, becomes", [(0, 0, 0), (0, 3, 1), (1, 3, 1), (2, 1, 1), (3, 10, 1)])
def test_redeliver_every_state(configured, rows, two, room, state, attempts, becomes):
    """What still waits for its first try keeps its place."""
    event = rows.event(room)
    rows.delivery(event, ALL, state, attempts=attempts, due_at_ms=9 if state == 1 else 0)
    assert configured("POST", f"/events/{event['event_id']}/redeliver").json() == {"queued": 2}
    row = rows.of(event)[ALL]
    assert (row["state"], row["attempts"]) == (becomes, 0)
    assert (row["due_at_ms"] > 9) == (becomes == 1)


def test_redeliver_what_is_not_there(configured, rows, two, room):
    unknown = "00000000-0000-7000-8000-000000000000"
    for event_id in (unknown, "x", unknown + "0", unknown.upper().replace("0", "G")):
        check_error_of(configured("POST", f"/events/{event_id}/redeliver"), 404, "not_found")
    # It has no number yet: it is on its way.
    event = rows.event(room, numbered=False)
    assert configured("POST", f"/events/{event['event_id']}/redeliver").json() == {"queued": 0}
    assert rows.of(event) == {}


def test_redeliver_many(configured, rows, two, room):
    base = 1_700_000_000
    made = [rows.event(room, kind, at_ms=(base + i) * 1000 + 500) for i, kind in
            enumerate(("room.started", "participant.joined", "participant.accepted", "room.finished"))]

    def redeliver(**body):
        rows.ask("DELETE FROM event_delivery")
        answer = configured("POST", "/events/redeliver", body)
        assert answer.status_code == 200, answer.text
        queued = {(d["room_id"], d["pos"] - made[0]["pos"], d["endpoint_id"])
                  for d in rows.ask("SELECT * FROM event_delivery WHERE state = 1 AND attempts = 0")}
        assert answer.json() == {"queued": len(queued), "next": 0}
        return {(i, one) for where, i, one in queued if where == room}

    until = base + 100
    assert redeliver(since=base, until=until) == {(0, ALL), (1, ALL), (2, ALL), (3, ALL), (0, GO), (1, GO), (3, GO)}
    assert redeliver(since=base + 1, until=base + 3) == {(1, ALL), (2, ALL), (1, GO)}
    assert redeliver(since=base, until=until, endpoint=GO) == {(0, GO), (1, GO), (3, GO)}
    assert redeliver(since=base, until=until, types=["room.started", "participant.accepted"]) == {
        (0, ALL), (0, GO), (2, ALL)}
    assert redeliver(since=base, until=base) == set()
    assert redeliver(since=base, until=until, endpoint=GO, types=["participant.accepted"]) == set()


def test_redeliver_thousands(configured, rows, two, room):
    """In chunks; many of the same moment, too."""
    base = 1_600_000_000
    first = rows.event(room, at_ms=base * 1000)
    rows.ask("INSERT INTO event (event_id, room_id, seq, type, data, created_at_ms, pos)"
             " SELECT CONCAT('again-', %s, '-', seq), %s, seq + 1, 'participant.left', '{}', %s + seq DIV 900, %s + seq"
             " FROM seq_1_to_2600", secrets.token_hex(6), room, base * 1000, first["pos"])
    answer = configured("POST", "/events/redeliver", {"since": base, "until": base + 10, "endpoint": ALL})
    assert answer.json() == {"queued": 2601, "next": 0}
    assert rows.ask("SELECT COUNT(*) AS n FROM event_delivery WHERE state = 1")[0]["n"] == 2601
    rows.ask("DELETE FROM event_delivery")
    rows.ask("DELETE FROM event WHERE room_id = %s", room)


@pytest.mark.parametrize("body, field", [
    ({}, "since"), ({"since": -1}, "since"), ({"since": "1"}, "since"), ({"since": 1, "until": -1}, "until"),
    ({"since": 1, "endpoint": "x"}, "endpoint"), ({"since": 1, "endpoint": "0" * 16}, "endpoint"),
    ({"since": 1, "types": ["A"]}, "types"), ({"since": 1, "types": "a"}, "types")])
def test_redeliver_bad_wishes(configured, two, body, field):
    answer = configured("POST", "/events/redeliver", body)
    check_error_of(answer, 400, "invalid_parameters")
    assert answer.json()["field"] == field


def test_whoever_delivers_is_told(configured, rows, two, room, redis_client):
    ear = redis_client.pubsub()
    ear.subscribe("tgo:numbered")
    assert ear.get_message(timeout=5)["type"] == "subscribe"
    event = rows.event(room)
    for path in (f"/events/{event['event_id']}/redeliver", f"/webhooks/endpoints/{ALL}/enable"):
        assert configured("POST", path).status_code == 200
        assert ear.get_message(timeout=5)["type"] == "message", path
    ear.close()
