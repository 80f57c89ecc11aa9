"""Idempotency-Key: whatever is sent twice happens once. SPDX-License-Identifier: MIT"""
import concurrent.futures
import hashlib
import itertools
import json
import os
import re
import secrets
import signal
import threading

import pytest

from support.client import Api, raw_http
from support.cutter import AFTER, BEFORE, Cutter
from support.rounds import rounds
from support.shapes import check_error
from support.wait import wait_until

CLIENTS = 16
CROWD = 32
TOKEN = re.compile(r'"(token|participant_token)":"([^"]*)"')
_keys = itertools.count(1)


def a_key():
    return f"key-{secrets.token_hex(4)}-{next(_keys)}"


def with_key(key):
    return {"Idempotency-Key": key}


def replayed(answer):
    return answer.headers.get("Idempotency-Replayed") == "true"


def told(answer):
    """What every replay must say: all of it but the token, of which only counts whether there is one."""
    return answer.status_code, TOKEN.sub(lambda found: f'"{found[1]}":{bool(found[2])}', answer.text)


# ---- what is sent: each makes a scene of its own, and says what is asked in it ----

class Ask:
    def __init__(self, path, body, room=None, status=200, uid=None):
        self.path, self.body, self.room, self.status, self.uid = path, body, room, status, uid

    def send(self, api, idempotency_key, /, **how):
        headers = {} if idempotency_key is None else with_key(idempotency_key)
        return api.post(self.path, self.body, headers=headers, **how)


class Scene:
    def __init__(self, api, fresh):
        self.api, self.fresh = api, fresh

    def room(self, n=2, **more):
        ann, room = self.fresh("ann"), self.fresh("room")
        uids = [self.fresh("bob") for _ in range(n)]
        answer = self.api.post("/rooms", {"creator": ann, "uids": uids, "room_id": room, "max_participants": 9, **more})
        assert answer.status_code == 200, answer.text
        return room, ann, uids

    def create(self):
        ann = self.fresh("ann")
        return Ask("/rooms", {"creator": ann, "uids": [self.fresh("bob"), self.fresh("cat")]}, uid=ann)

    def create_named(self):
        ann, room = self.fresh("ann"), self.fresh("room")
        return Ask("/rooms", {"creator": ann, "uids": [self.fresh("bob")], "room_id": room}, room, uid=ann)

    def create_busy(self):
        """Stored, and refused all the same."""
        _, _, [bob, _] = self.room()
        room = self.fresh("room")
        return Ask("/rooms", {"creator": self.fresh("dan"), "uids": [bob], "room_id": room}, room, 409)

    def join(self):
        room, _, [bob, _] = self.room()
        return Ask(f"/rooms/{room}/join", {"uid": bob}, room, uid=bob)

    def participants_join(self):
        room, _, [bob, _] = self.room()
        return Ask("/participants/join", {"room_id": room, "uid": bob}, room, uid=bob)

    def leave(self):
        room, _, [bob, _] = self.room()
        assert self.api.post(f"/rooms/{room}/join", {"uid": bob}).status_code == 200
        return Ask(f"/rooms/{room}/leave", {"uid": bob}, room, uid=bob)

    def participants_leave(self):
        room, _, [bob, _] = self.room()
        return Ask("/participants/leave", {"room_id": room, "uid": bob}, room, uid=bob)

    def reject(self):
        room, _, [bob, _] = self.room()
        return Ask(f"/rooms/{room}/reject", {"uid": bob, "reason": "busy"}, room, uid=bob)

    def invite(self):
        room, ann, _ = self.room()
        return Ask(f"/rooms/{room}/invite", {"uids": [self.fresh("dan")], "by": ann}, room, uid=ann)

    def end(self):
        room, _, _ = self.room()
        return Ask(f"/rooms/{room}/end", {}, room)

    def token(self):
        room, _, [bob, _] = self.room()
        return Ask("/token", {"room_name": room, "participant_identity": bob}, room, 201, uid=bob)

    def token_of_an_open_call(self):
        ann, room = self.fresh("ann"), self.fresh("room")
        return Ask("/token", {"room_name": room, "participant_identity": ann}, room, 201, uid=ann)


KEPT = [name for name, what in vars(Scene).items() if not name.startswith("_") and name != "room"]
WITH_TOKEN = ["create", "create_named", "join", "participants_join", "token", "token_of_an_open_call"]


@pytest.fixture
def scene(call, fresh):
    return Scene(call, fresh)


class Rows:
    def __init__(self, db):
        self.db = db

    def ask(self, text, *args):
        with self.db.cursor() as c:
            c.execute(text, args)
            return c.fetchall()

    def one(self, text, *args):
        return self.ask(text, *args)[0]

    def kept(self, room):
        return self.ask("SELECT * FROM idempotency WHERE room_id = %s", room)

    def effect(self, room):
        """What happened in a call, without the names of who was in it."""
        events = [row["type"] for row in self.ask("SELECT type FROM event WHERE room_id = %s ORDER BY seq", room)]
        people = [row["status"] for row in self.ask("SELECT status FROM rtc_participant WHERE room_id = %s ORDER BY id",
                                                    room)]
        return events, people, self.one("SELECT COUNT(*) AS n FROM rtc_room WHERE room_id = %s", room)["n"]


@pytest.fixture
def rows(db):
    return Rows(db)


def room_of(ask, answer):
    body = answer.json()
    return ask.room or body.get("room_id") or body.get("room_name")


# ---- one after the other ----

@pytest.mark.parametrize("name", KEPT)
def test_a_repeat_is_told_the_same_and_does_nothing(scene, call, rows, name):
    ask, key = getattr(scene, name)(), a_key()
    first = ask.send(call, key)
    assert first.status_code == ask.status, first.text
    assert not replayed(first)
    room = room_of(ask, first)
    effect, version = rows.effect(room), rows.one("SELECT version FROM rtc_room WHERE room_id = %s", room)
    for _ in range(3):
        again = ask.send(call, key)
        assert replayed(again) and told(again) == told(first)
        assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    assert rows.effect(room) == effect
    assert rows.one("SELECT version FROM rtc_room WHERE room_id = %s", room) == version
    [row] = rows.kept(room)
    assert (row["status"], row["caller"]) == (ask.status, "key:run")
    assert "eyJ" not in row["answer"], "a token was stored"


@pytest.mark.parametrize("name", WITH_TOKEN)
def test_each_repeat_has_a_token_of_its_own(scene, call, name):
    ask, key = getattr(scene, name)(), a_key()
    tokens = [TOKEN.search(ask.send(call, key).text)[2] for _ in range(3)]
    assert all(tokens) and len(set(tokens)) == 3


@pytest.mark.parametrize("name", KEPT)
def test_another_body_is_refused(scene, call, rows, name):
    ask, key = getattr(scene, name)(), a_key()
    first = ask.send(call, key)
    effect = rows.effect(room_of(ask, first))
    for other in ({**ask.body, "nonsense": 1}, None):
        data = json.dumps(other) if other else json.dumps(ask.body) + " "
        refused = call.post(ask.path, data=data, headers={**with_key(key), "Content-Type": "application/json"})
        check_error(refused, 409, "idempotency_mismatch")
        assert not replayed(refused)
    assert rows.effect(room_of(ask, first)) == effect
    assert replayed(ask.send(call, key))


def test_refused_in_five_languages(scene, call):
    ask, key = scene.join(), a_key()
    assert ask.send(call, key).status_code == 200
    other = Ask(ask.path, {**ask.body, "name": "x"})
    langs = ("zh-CN", "zh-TW", "en-US", "fr-FR", "ja-JP")
    assert len({other.send(call, key, lang=lang).json()["message"] for lang in langs}) == 5
    # What is kept stays in the language of the first.
    busy, key = scene.create_busy(), a_key()
    first = busy.send(call, key, lang="fr-FR")
    assert told(busy.send(call, key, lang="ja-JP")) == told(first)


def test_the_alias_and_a_trailing_slash_are_the_same_path(scene, call):
    ask, key = scene.join(), a_key()
    first = ask.send(call, key)
    for path in (f"/api{ask.path}", f"/api/v1{ask.path}/", f"/api/v1{ask.path}?lang=fr-FR"):
        again = call.post(path, ask.body, headers=with_key(key))
        assert replayed(again) and told(again) == told(first)


def test_another_path_is_another_request(scene, call):
    first, second, key = scene.join(), scene.join(), a_key()
    assert first.send(call, key).json()["room_id"] == first.room
    other = second.send(call, key)
    assert not replayed(other) and other.json()["room_id"] == second.room


def test_another_caller_is_another_request(scene, call, rows):
    """An ops key, a ticket and a key under the same Idempotency-Key: each is answered for itself."""
    ask, key = scene.join(), a_key()
    for who in ({}, {"key": call.ops_key}, {"ticket": ask.uid}):
        assert not replayed(ask.send(call, key, **who))
        assert replayed(ask.send(call, key, **who))
    assert sorted(row["caller"] for row in rows.kept(ask.room)) == ["key:ops-run", "key:run", f"ticket:{ask.uid}"]


def test_a_ticket_of_somebody_else_gets_nothing(scene, call):
    ask, key = scene.join(), a_key()
    assert ask.send(call, key, ticket=ask.uid).status_code == 200
    check_error(ask.send(call, key, ticket=scene.fresh("eve")), 403, "forbidden")


def test_open_callers_are_told_apart_by_address(scene, worker, rows):
    at = worker(AUTH_MODE="open", AUTH_OPEN_NETWORKS="")
    ask, key = scene.join(), a_key()
    for address in ("192.0.2.7", "192.0.2.8"):
        assert not replayed(ask.send(at, key, address=address))
        assert replayed(ask.send(at, key, address=address))
    assert sorted(row["caller"] for row in rows.kept(ask.room)) == ["open:192.0.2.7", "open:192.0.2.8"]


@pytest.mark.parametrize("key", ["", "a b", "a\tb", "é", "x" * 256, "\x7f"])
def test_a_key_that_is_none(scene, worker, stack, rows, key):
    ask = scene.join()
    at = worker_of(worker)
    answer = at.post(ask.path, ask.body, key=stack.env["TGO_KEY"], headers=with_key(key))
    assert check_error(answer, 400, "invalid_parameters")["field"] == "Idempotency-Key"
    assert rows.effect(ask.room)[1] == [0, 0, 0]


_workers = {}


def worker_of(worker):
    """One worker without nginx, which has its own mind about bytes in headers."""
    return _workers.setdefault("direct", worker())


@pytest.mark.parametrize("key", ["a", "x" * 255, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"])
def test_keys_there_can_be(scene, worker, stack, key):
    ask, at = scene.join(), worker_of(worker)
    for repeat in (False, True):
        answer = at.post(ask.path, ask.body, key=stack.env["TGO_KEY"], headers=with_key(key))
        assert answer.status_code == 200 and replayed(answer) == repeat


def test_two_keys_are_one_too_many(scene, call, stack):
    ask = scene.join()
    body = json.dumps(ask.body)
    head = (f"POST /api/v1{ask.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {stack.env['TGO_KEY']}\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\n"
            f"Content-Length: {len(body)}\r\n\r\n")
    answer = raw_http(stack, (head + body).encode())
    assert answer.startswith(b"HTTP/1.1 400") and b'"field":"Idempotency-Key"' in answer


def test_who_may_not_is_told_so_before_the_key_is_looked_at(scene, call):
    ask, key = scene.join(), a_key()
    assert ask.send(call, key).status_code == 200
    for sent in (key, "a b"):
        check_error(call.post(ask.path, ask.body, key=None, headers=with_key(sent)), 401, "unauthorized")


# ---- what is kept, and what not ----

def test_what_changed_nothing_is_asked_anew(scene, call, rows):
    """A refusal, and a leave of who is not in: they may come out otherwise the next time."""
    room, _, [bob, _] = scene.room()
    eve, key = scene.fresh("eve"), a_key()
    for _ in range(2):
        answer = call.post(f"/rooms/{room}/leave", {"uid": eve}, headers=with_key(key))
        check_error(answer, 404, "participant_not_found")
    ask = Ask(f"/rooms/{room}/invite", {"uids": [bob]})
    for _ in range(2):
        assert not replayed(ask.send(call, key)) and ask.send(call, key).status_code == 200
    assert rows.kept(room) == ()
    # Then it is somebody's, and the same key does it.
    assert call.post(f"/rooms/{room}/invite", {"uids": [eve]}).status_code == 200
    answer = call.post(f"/rooms/{room}/leave", {"uid": eve}, headers=with_key(key))
    assert answer.status_code == 200 and not replayed(answer)
    assert len(rows.kept(room)) == 1


@pytest.mark.parametrize("name", WITH_TOKEN)
def test_no_token_once_the_call_is_over(scene, call, name):
    ask, key = getattr(scene, name)(), a_key()
    first = ask.send(call, key)
    room = room_of(ask, first)
    assert call.post(f"/rooms/{room}/end").status_code == 200
    again = ask.send(call, key)
    assert replayed(again) and again.status_code == first.status_code
    assert TOKEN.search(first.text)[2] and TOKEN.search(again.text)[2] == ""
    assert told(again)[1].replace(":False", ":True", 1) == told(first)[1]


@pytest.mark.parametrize("how", ["left", "removed", "elsewhere", "deleted"])
def test_no_token_for_who_is_out(scene, call, rows, how):
    room, _, [bob, _] = scene.room()
    ask, key = Ask(f"/rooms/{room}/join", {"uid": bob, "device_id": "d1"}, room), a_key()
    assert ask.send(call, key).json()["token"]
    if how == "left":
        call.post(f"/rooms/{room}/leave", {"uid": bob})
    elif how == "removed":
        call.delete(f"/rooms/{room}/participants/{bob}")
    elif how == "elsewhere":
        assert call.post(f"/rooms/{room}/join", {"uid": bob, "device_id": "d2", "takeover": True}).status_code == 200
    else:
        rows.ask("DELETE FROM rtc_participant WHERE room_id = %s", room)
        rows.ask("DELETE FROM event WHERE room_id = %s", room)
        rows.ask("DELETE FROM rtc_room WHERE room_id = %s", room)
    again = ask.send(call, key)
    assert replayed(again) and again.json()["token"] == "" and again.json()["my_status"] == 1


def test_an_answer_that_is_too_old_is_none(scene, worker, stack, rows):
    at = worker(IDEMPOTENCY_TTL=60)
    ask, key = scene.invite(), a_key()
    assert ask.send(at, key, **keyed(stack)).status_code == 200
    for age_s, expected in ((58, True), (61, False), (0, True)):
        rows.ask("UPDATE idempotency SET created_at_ms = created_at_ms - %s WHERE room_id = %s", age_s * 1000, ask.room)
        if not expected:
            # Anew, with another body: nobody remembers the first.
            ask.body = {**ask.body, "uids": [scene.fresh("eve")]}
        answer = ask.send(at, key, **keyed(stack))
        assert answer.status_code == 200 and replayed(answer) == expected
    assert len(rows.kept(ask.room)) == 1


def keyed(stack):
    return {"key": stack.env["TGO_KEY"]}


def test_not_kept(scene, call, rows):
    """Nothing of theirs could be given again, and to do it again does no harm."""
    room, _, [bob, _] = scene.room()
    assert call.post(f"/rooms/{room}/join", {"uid": bob}).status_code == 200
    before = rows.one("SELECT COUNT(*) AS n FROM idempotency")["n"]
    for path, body, who in ((f"/rooms/{room}/token", {"uid": bob}, {}), ("/tickets", {"uid": bob}, {}),
                            ("/participants/calling", {"uids": [bob]}, {}),
                            ("/webhooks/logs/cleanup", {"retention_days": 30000}, {"key": call.ops_key}),
                            ("/events/redeliver", {"since": 4000000000}, {"key": call.ops_key})):
        key = a_key()
        for _ in range(2):
            answer = call.post(path, body, headers=with_key(key), **who)
            assert answer.status_code == 200 and not replayed(answer), answer.text
    assert rows.one("SELECT COUNT(*) AS n FROM idempotency")["n"] == before


def test_put_and_delete_have_no_use_for_a_key(scene, call, rows):
    room, _, [bob, _] = scene.room()
    for method, path, body in (("PUT", f"/rooms/{room}/participants/{bob}/status", {"status": 1}),
                               ("DELETE", f"/rooms/{room}/participants/{bob}", None)):
        assert call.request(method, path, body, headers=with_key("a b")).status_code == 200
    assert rows.kept(room) == ()


# ---- operators' requests ----

def test_redeliver(scene, worker, stack, rows, fresh):
    url = "http://127.0.0.1:9/idempotent"
    at = worker(BUSINESS_WEBHOOK_ENDPOINTS=json.dumps([{"url": url, "secret": "s", "events": ["*"]}]))
    ops = {"key": stack.env["TGO_OPS_KEY"]}
    endpoint = hashlib.sha256(url.encode()).hexdigest()[:16]
    rows.ask("INSERT INTO webhook_endpoint (id, url) VALUES (%s, %s)", endpoint, url)
    room, _, _ = scene.room()
    event = rows.one("SELECT * FROM event WHERE room_id = %s LIMIT 1", room)
    pos = rows.one("SELECT COALESCE(MAX(pos), 0) + 1 AS n FROM event")["n"]
    rows.ask("UPDATE event SET pos = %s WHERE id = %s", pos, event["id"])
    ask, key = Ask(f"/events/{event['event_id']}/redeliver", {}), a_key()
    try:
        first = ask.send(at, key, **ops)
        assert first.json() == {"queued": 1} and not replayed(first)
        # It was delivered since: a late repeat of the request does not deliver it again.
        rows.ask("UPDATE event_delivery SET state = 2, attempts = 1 WHERE event_no = %s", event["id"])
        again = ask.send(at, key, **ops)
        assert replayed(again) and told(again) == told(first)
        assert rows.one("SELECT state FROM event_delivery WHERE event_no = %s", event["id"])["state"] == 2

        ask, key = Ask(f"/webhooks/endpoints/{endpoint}/enable", {}), a_key()
        rows.ask("UPDATE webhook_endpoint SET state = 'disabled' WHERE id = %s", endpoint)
        first = ask.send(at, key, **ops)
        assert first.status_code == 200 and not replayed(first)
        rows.ask("UPDATE webhook_endpoint SET state = 'disabled' WHERE id = %s", endpoint)
        again = ask.send(at, key, **ops)
        assert replayed(again) and told(again) == told(first)
        assert rows.one("SELECT state FROM webhook_endpoint WHERE id = %s", endpoint)["state"] == "disabled"
    finally:
        rows.ask("DELETE FROM event_delivery WHERE endpoint_id = %s", endpoint)
        rows.ask("DELETE FROM webhook_endpoint WHERE id = %s", endpoint)
        rows.ask("UPDATE event SET pos = 0 WHERE id = %s", event["id"])


def test_drain(call, rows):
    addr = "10.78.0.1:7880"
    rows.ask("INSERT INTO livekit_node (addr, drained) VALUES (%s, 1)", addr)
    ops = {"key": call.ops_key}
    try:
        key = a_key()
        for drained, path in ((True, "drain"), (False, "undrain")):
            ask = Ask(f"/nodes/{addr}/{path}", {})
            first = ask.send(call, key, **ops)
            assert first.status_code == 200 and first.json()["drained"] == drained, first.text
            assert not replayed(first)
        # Undrained, and so forgotten: a late repeat of the first request must not drain it again.
        again = Ask(f"/nodes/{addr}/drain", {}).send(call, key, **ops)
        assert replayed(again) and again.json()["drained"], again.text
        assert rows.one("SELECT drained FROM livekit_node WHERE addr = %s", addr)["drained"] == 0
    finally:
        rows.ask("DELETE FROM livekit_node WHERE addr = %s", addr)


# ---- LEGACY_STATUS ----

def test_a_stored_refusal_with_legacy_status(scene, worker, stack):
    at = worker(LEGACY_STATUS="true")
    ask, key = scene.create_busy(), a_key()
    first = ask.send(at, key, **keyed(stack))
    assert (first.status_code, first.json()["code"], first.json()["error"]) == (400, 400, "participant_in_call")
    again = ask.send(at, key, **keyed(stack))
    assert replayed(again) and told(again) == told(first)
    check = at.post(ask.path, {**ask.body, "x": 1}, headers=with_key(key), **keyed(stack))
    assert (check.status_code, check.json()["error"]) == (400, "idempotency_mismatch")


# ---- at the same time ----

@pytest.fixture(scope="module")
def pool():
    with concurrent.futures.ThreadPoolExecutor(CROWD) as made:
        yield made


@pytest.fixture(scope="module")
def apis(stack):
    return [Api(stack) for _ in range(CROWD)]


def at_once(pool, apis, jobs):
    barrier = threading.Barrier(len(jobs))

    def work(pair):
        api, job = pair
        barrier.wait(30)
        return job(api)

    return list(pool.map(work, zip(apis, jobs)))


@pytest.mark.parametrize("name", KEPT)
def test_twins_have_one_effect(scene, rows, pool, apis, invariants, name):
    model = getattr(scene, name)()
    wanted = rows.effect(room_of(model, model.send(apis[0], None)))
    for _ in range(rounds(2, 20)):
        ask, key = getattr(scene, name)(), a_key()
        answers = at_once(pool, apis, [lambda api: ask.send(api, key)] * CLIENTS)
        assert {told(one) for one in answers} == {told(answers[0])}
        assert answers[0].status_code == ask.status, answers[0].text
        assert [replayed(one) for one in answers].count(False) == 1
        room = room_of(ask, answers[0])
        assert rows.effect(room) == wanted
        if name == "create":
            made = rows.one("SELECT COUNT(*) AS n FROM rtc_room WHERE creator = %s", ask.uid)
            assert made["n"] == 1
    invariants()


def test_twins_of_what_is_refused_all_go_on_themselves(scene, rows, pool, apis):
    """The first rolls back: each of those that waited for it tries itself, and is told the same.

    They go one after the other, and a lock is waited for a second: on a busy machine the last of them may be
    told to come again, and does.
    """
    for _ in range(rounds(2, 20)):
        room, _, _ = scene.room()
        ask, key = Ask(f"/rooms/{room}/leave", {"uid": scene.fresh("eve")}, room), a_key()

        def until_told(api):
            return next(answer for answer in (ask.send(api, key) for _ in range(10)) if answer.status_code != 503)

        answers = at_once(pool, apis, [until_told] * CLIENTS)
        assert {(one.status_code, one.json()["error"]) for one in answers} == {(404, "participant_not_found")}
        assert rows.kept(room) == ()


def test_a_crowd_with_keys(scene, rows, pool, apis, invariants):
    """Thirty-two clients in one call, each request sent twice or thrice under its key, in any order."""
    for _ in range(rounds(2, 10)):
        room, ann, uids = scene.room(n=8)
        asks = [Ask(f"/rooms/{room}/join", {"uid": uid}) for uid in uids]
        asks += [Ask(f"/rooms/{room}/invite", {"uids": [scene.fresh("dan")], "by": ann}) for _ in range(3)]
        jobs = [(ask, key) for ask, key in ((ask, a_key()) for ask in asks) for _ in range(3)][:CROWD]
        answers = at_once(pool, apis, [lambda api, a=ask, k=key: a.send(api, k) for ask, key in jobs])
        by_key = {}
        for (_, key), answer in zip(jobs, answers):
            by_key.setdefault(key, []).append(answer)
        for same in by_key.values():
            # Kept once it changed something. A refusal may differ from one to the next, and be none at last.
            kept = [one for one in same if one.status_code == 200]
            assert len({told(one) for one in kept}) <= 1
            assert [replayed(one) for one in kept].count(False) <= 1
            assert {one.status_code for one in same} <= {200, 409}
        joined = rows.one("SELECT COUNT(*) AS n FROM rtc_participant WHERE room_id = %s AND status = 1", room)["n"]
        accepted = rows.one("SELECT COUNT(*) AS n FROM event WHERE room_id = %s AND type = 'participant.accepted'", room)
        assert joined == accepted["n"] == len(uids)
    invariants()


# ---- the link that went while it was committed ----

@pytest.fixture(scope="module")
def cutter(stack, tmp_path_factory):
    made = Cutter(tmp_path_factory.mktemp("cut") / "s", stack.env["DB_SOCKET"])
    yield made
    made.close()


@pytest.fixture(scope="module")
def cut(worker, cutter):
    return worker(DB_SOCKET=cutter.path)


@pytest.mark.parametrize("when", [BEFORE, AFTER])
@pytest.mark.parametrize("name", KEPT)
def test_a_retry_with_the_key_finds_the_truth(scene, stack, cut, cutter, rows, invariants, when, name):
    model = getattr(scene, name)()
    wanted = rows.effect(room_of(model, model.send(cut, None, **keyed(stack))))
    for _ in range(rounds(3, 50)):
        ask, key = getattr(scene, name)(), a_key()
        cutter.armed = when
        lost = ask.send(cut, key, **keyed(stack))
        check_error(lost, 503, "outcome_unknown")
        answer = ask.send(cut, key, **keyed(stack))
        # An open call was made by a transaction of its own, which is the one that was cut.
        kept = when == AFTER and name != "token_of_an_open_call"
        assert answer.status_code == ask.status and replayed(answer) == kept, answer.text
        room = room_of(ask, answer)
        assert rows.effect(room) == wanted and len(rows.kept(room)) == 1
    invariants()


@pytest.mark.parametrize("when", [BEFORE, AFTER])
def test_a_retry_with_the_room_id_finds_the_truth(scene, stack, cut, cutter, rows, when):
    """Without a key: a call that is there is 409 and can be asked for, one that is not is made."""
    for _ in range(rounds(3, 50)):
        ask = scene.create_named()
        cutter.armed = when
        check_error(ask.send(cut, None, **keyed(stack)), 503, "outcome_unknown")
        answer = ask.send(cut, None, **keyed(stack))
        if when == AFTER:
            assert check_error(answer, 409, "room_already_exists")["room_id"] == ask.room
        else:
            assert answer.status_code == 200
        found = cut.get(f"/rooms/{ask.room}", **keyed(stack)).json()
        assert (found["creator"], found["status"]) == (ask.body["creator"], 0)
        assert rows.effect(ask.room)[2] == 1


def test_a_worker_that_dies_between_commit_and_answer(scene, stack, cut, cutter, rows, pool):
    """Killed while the database's answer to COMMIT is under way to it: nobody heard of the call, and it is there."""
    for name in rounds(["create_named", "join", "create_busy"], KEPT * 3):
        if name == "token_of_an_open_call":
            continue
        ask, key = getattr(scene, name)(), a_key()
        [child] = cut.service.full(1)
        cutter.hold()
        under_way = pool.submit(lambda: ask.send(cut, key, **keyed(stack)))
        assert cutter.holding.wait(10)
        os.kill(child, signal.SIGKILL)
        assert under_way.result(20).content == b"", "it was answered"
        cutter.let_go()
        wait_until(lambda: cut.service.children() not in ([], [child]), 10)
        answer = ask.send(cut, key, **keyed(stack))
        assert answer.status_code == ask.status and replayed(answer), answer.text
        assert len(rows.kept(room_of(ask, answer))) == 1


# ---- LIVEKIT_CREATE_ROOM ----

def test_a_call_that_could_not_be_had_is_tried_anew(scene, worker, stack, rows):
    """The call was stored, LiveKit made no room for it, so it was undone; and with it the answer that was kept."""
    at = worker(LIVEKIT_CREATE_ROOM="true", LIVEKIT_URL="http://127.0.0.1:9")
    ask, key = scene.create(), a_key()
    for _ in range(2):
        check_error(ask.send(at, key, **keyed(stack)), 503, "unavailable")
    made = rows.ask("SELECT room_id, status, end_reason FROM rtc_room WHERE creator = %s", ask.uid)
    assert [(row["status"], row["end_reason"]) for row in made] == [(3, "lost")] * 2
    assert all(rows.kept(row["room_id"]) == () for row in made)
    # LiveKit is back, as far as this worker knows: the same key makes the call.
    answer = ask.send(worker(), key, **keyed(stack))
    assert answer.status_code == 200 and not replayed(answer)


def test_nor_is_one_that_the_token_endpoint_made(worker, call, stack, rows, fresh):
    """Nobody stays behind in it, busy for everybody else."""
    at = worker(LIVEKIT_CREATE_ROOM="true", LIVEKIT_URL="http://127.0.0.1:9")
    uid, room = fresh("uid"), fresh("room")
    answer = at.post("/token", {"room_name": room, "participant_identity": uid}, **keyed(stack))
    check_error(answer, 503, "unavailable")
    [made] = rows.ask("SELECT status, end_reason FROM rtc_room WHERE room_id = %s", room)
    assert (made["status"], made["end_reason"]) == (3, "lost")
    assert call.post("/rooms", {"creator": uid}).status_code == 200


# ---- what it leaves ----

def test_the_log_says_so_and_the_meter_counts(scene, call, logs):
    ask, key = scene.join(), a_key()
    answers = [ask.send(call, key) for _ in range(2)]
    lines = [logs.wait_for(event="request_done", request_id=one.headers["X-Request-Id"]) for one in answers]
    assert ["replayed" in line for line in lines] == [False, True]
    assert lines[1]["room_id"] == ask.room
