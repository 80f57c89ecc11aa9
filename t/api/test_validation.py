"""What must not come in: bad values of every field of every endpoint, JSON that is none, bodies too long.

A refusal names the field and stores nothing; what is just within the limits is taken.
SPDX-License-Identifier: MIT
"""
import base64
import hashlib
import json
import time
import urllib.parse

import jwt
import pytest

from support import fcgi_client as fcgi
from support.shapes import check_error

NOT_TEXT = [0, 1.5, True, [], {}, ["a"]]
DIRTY = ["\n", "a\n", "\ta", "a\x00b", "\x1f", "a\x7f", "\x85", "a\u009f", "\u2028", "a\u2029b", " a", "a ", " "]


def text(limit, lowest=1):
    """Bad values of a text of `lowest` to `limit` characters."""
    bad = NOT_TEXT + DIRTY + ["a" * (limit + 1), "字" * (limit + 1), "😀" * (limit + 1)]
    return bad + [""] if lowest else bad


def number(low, high):
    bad = ["1", "", 1.5, 1e3, True, [], {}, 2 ** 63, -2 ** 63, 2 ** 64 - 1]
    return bad + [low - 1, high + 1]


FLAG = [0, 1, "true", "", [], {}]
WORD = NOT_TEXT + ["", "x", "Busy", "busy "]
UIDS = ["bob", 1, True, {}, [1], [None], [["a"]], [True], ["ok", "x" * 41], ["字" * 41], ["a "], [" a"], ["a\nb"],
        ["u"] * 1000]
OBJECT = ["{}", 1, True, [], [{}]]
ROOM_ID = text(40) + ["a/b", "a?b", "a#b", "a%b", "sync", ".", "..", "/"]
DEVICE = {"device_type": text(20), "device_id": text(64)}
TTL = number(60, 86400)
MOMENT = number(0, 4102444800)
ENDPOINT = NOT_TEXT + ["", "x", "0" * 15, "0" * 17, "A" * 16, "g" * 16, "0" * 15 + "\n"]
TYPES = ["a", 1, True, {}, [1], [None], [["a"]], ["A"], ["a b"], ["a,b"], ["a" * 41], ["ok", "é"], ["a"] * 51]

# (method, path, a good body, field -> bad values); R is a call of alice's (in it) with bob and carol, who ring.
BODIES = [
    ("POST", "/rooms", {"creator": "ALICE"}, {
        "creator": text(40), "room_id": ROOM_ID, "rtc_type": number(0, 1), "call_type": number(0, 1),
        "invite_on": number(0, 1),
        "max_participants": number(-2 ** 31, 1000), "uids": UIDS, "timeout": number(5, 600), "name": text(128),
        "source_channel_id": text(100, lowest=0), "source_channel_type": number(0, 255), "region": text(64, lowest=0),
        "metadata": OBJECT + [{"a": "x" * 4096}], **DEVICE}),
    ("POST", "/rooms/R/join", {"uid": "BOB"}, {"uid": text(40), "name": text(128), "takeover": FLAG, "ttl_s": TTL,
                                               **DEVICE}),
    ("POST", "/rooms/R/leave", {"uid": "BOB"}, {"uid": text(40), **DEVICE}),
    ("POST", "/rooms/R/reject", {"uid": "BOB"}, {"uid": text(40), "reason": WORD, **DEVICE}),
    ("POST", "/rooms/R/invite", {"uids": []}, {"uids": UIDS, "by": text(40), "timeout": number(5, 600)}),
    ("POST", "/rooms/R/token", {"uid": "ALICE"}, {"uid": text(40), "ttl_s": TTL}),
    ("POST", "/rooms/R/participants/BOB/mute", {}, {"source": WORD, "muted": FLAG}),
    ("PUT", "/rooms/R/status", {"status": 0}, {"status": number(0, 6)}),
    ("PUT", "/rooms/R/participants/BOB/status", {"status": 0}, {"status": number(0, 6)}),
    ("POST", "/participants/join", {"room_id": "R", "uid": "BOB"}, {
        "room_id": text(40), "uid": text(40), "name": text(128), "takeover": FLAG, "ttl_s": TTL, **DEVICE}),
    ("POST", "/participants/leave", {"room_id": "R", "uid": "BOB"},
     {"room_id": text(40), "uid": text(40), **DEVICE}),
    ("POST", "/participants/calling", {"uids": []}, {"uids": UIDS}),
    ("POST", "/token", {"room_name": "R", "participant_identity": "BOB"}, {
        "room_name": ROOM_ID, "participant_identity": text(40), "participant_name": text(128),
        "participant_metadata": NOT_TEXT + ["x" * 4097],
        "participant_attributes": OBJECT + [{"a": 1}, {"a": None}, {"a": {}}, {"device_type": "x" * 21},
                                            {"device_id": "x" * 65}, {"device_type": " x"}],
        "room_config": OBJECT}),
    ("POST", "/tickets", {"uid": "BOB"}, {"uid": text(40), "device_id": text(64), "ttl_s": TTL}),
    ("POST", "/webhooks/logs/cleanup", {"retention_days": 36500}, {"retention_days": number(1, 36500)}),
    ("POST", "/events/redeliver", {"since": 1, "until": 2}, {
        "since": MOMENT, "until": MOMENT, "endpoint": ENDPOINT, "types": TYPES}),
]
REQUIRED = {
    "/rooms": ["creator"], "/rooms/R/join": ["uid"], "/rooms/R/leave": ["uid"], "/rooms/R/reject": ["uid"],
    "/rooms/R/invite": ["uids"], "/rooms/R/token": ["uid"], "/rooms/R/status": ["status"],
    "/rooms/R/participants/BOB/status": ["status"], "/participants/join": ["room_id", "uid"],
    "/participants/leave": ["room_id", "uid"], "/participants/calling": ["uids"], "/token": ["room_name"],
    "/tickets": ["uid"], "/webhooks/logs/cleanup": ["retention_days"], "/events/redeliver": ["since"],
}
QUERIES = {
    "/rooms": {"uid": ["x" * 41, "%20a", "a%0a", "%ff", "%00", "%zz"], "creator": ["x" * 41, "a%20", "%c0%80"],
               "status": ["7", "-1", "a", "0,", ",0", "0,7", "0 1", "%ff"],
               "since": ["-1", "x", "1.5", "4102444801", "1e3", "%2b1"],
               "until": ["-1", "x", "4102444801"], "limit": ["0", "101", "-1", "x", "1.0", "%ff"],
               "offset": ["-1", "1000001", "x"],
               "cursor": ["x", "!!", "MQ", "x" * 65, "LjEuMQ", "MS4tMQ", "%ff"]},
    "/rooms/sync": {"uid": ["x" * 41, "%20a", "%ff", "字" * 41], "device_type": ["x" * 21, "%20a", "%ff"],
                    "device_id": ["x" * 65, "a%20", "%ff"]},
    "/users/BOB/calls": {"limit": ["0", "101", "x"], "cursor": ["x", "%ff", "MQ"]},
    "/webhooks/logs": {"event_type": ["A", "a" * 41, "a%20b", "%ff"], "endpoint": ["x", "0" * 17, "A" * 16, "%ff"],
                       "outcome": ["lost", "pending,", ",pending", "Pending", "%ff"],
                       "room_id": ["x" * 41, "%20a", "a%0a", "%ff"], "limit": ["0", "101", "x"],
                       "cursor": ["x", "!!", "MQ", "x" * 65, "Ln4", "LTEufg", "MS4", "MS5hYg", "%ff"]},
    "/events": {"after": ["-1", "x", "1.5", "9223372036854775808"], "limit": ["0", "1001", "x"],
                "types": ["A", "a,", ",a", "a,,b", "a" * 41, ",".join(["a"] * 51), "%ff"],
                "room_id": ["x" * 41, "%20a", "%ff"]},
}


@pytest.fixture(scope="module")
def names(call, fresh):
    """What R, ALICE, BOB stand for."""
    alice, bob = fresh("alice"), fresh("bob")
    room = call.post("/rooms", {"creator": alice, "uids": [bob, fresh("carol")]}).json()["room_id"]
    assert call.post(f"/rooms/{room}/join", {"uid": alice}).status_code == 200
    return {"R": room, "ALICE": alice, "BOB": bob}


@pytest.fixture(scope="module")
def worker_here(worker):
    return worker()


def filled(value, names):
    if isinstance(value, dict):
        return {k: filled(v, names) for k, v in value.items()}
    return names.get(value, value) if isinstance(value, str) else value


def at(path, names):
    return "/".join(names.get(part, part) for part in path.split("/"))


def key_for(call, method, path):
    """That of somebody who may."""
    who = call.document.find(method, "/api/v1" + path)["x-who"]
    return {"key": call.ops_key} if who == ["ops"] else {}


FIELDS = [(m, p, good, field, bad) for m, p, good, fields in BODIES for field, bad in fields.items()]


@pytest.mark.parametrize("method, path, good, field, bad", FIELDS, ids=[f"{p}-{f}" for _, p, _, f, _ in FIELDS])
def test_bad_values(call, names, stored, method, path, good, field, bad):
    before = stored()
    for value in bad:
        answer = call.request(method, at(path, names), {**filled(good, names), field: value},
                              **key_for(call, method, path))
        try:
            check_error(answer, 400, "invalid_parameters", field)
        except AssertionError as e:
            raise AssertionError(f"{field} = {value!r}") from e
    assert stored() == before


@pytest.mark.parametrize("path, fields", REQUIRED.items())
def test_missing_and_null(call, names, stored, path, fields):
    method, good = next((m, g) for m, p, g, _ in BODIES if p == path)
    before = stored()
    key = key_for(call, method, path)
    for field in fields:
        body = filled(good, names)
        check_error(call.request(method, at(path, names), {k: v for k, v in body.items() if k != field}, **key),
                    400, "invalid_parameters", field)
        check_error(call.request(method, at(path, names), {**body, field: None}, **key), 400,
                    "invalid_parameters", field)
    assert stored() == before


def test_every_field_of_the_document_is_here(document):
    """So that a new field cannot come in unvalidated."""
    for method, path, _, fields in BODIES:
        full = "/api/v1" + path
        schema = document.find(method, full)["requestBody"]["content"]["application/json"]["schema"]

        def properties(schema):
            schema = document.resolve(schema)
            found = set(schema.get("properties", {}))
            for part in schema.get("allOf", []):
                found |= properties(part)
            return found

        assert properties(schema) == set(fields), path
    with_body = {(m,
                  p) for m,
                  p, o in document.operations() if "requestBody" in o and not p.endswith("/webhooks/livekit")}
    here = {(m, next(t for mm, t, o in document.operations() if mm == m and o is document.find(m,
        "/api/v1" + p))) for m, p, _, _ in BODIES}
    assert here == with_body


QUERY_CASES = [(p, name, bad) for p, fields in QUERIES.items() for name, bad in fields.items()]


@pytest.mark.parametrize("path, name, bad", QUERY_CASES, ids=[f"{p}-{n}" for p, n, _ in QUERY_CASES])
def test_bad_queries(worker_here, names, path, name, bad):
    """Without a library that would mend them."""
    for value in bad:
        more = f"&uid={names['BOB']}" if path == "/rooms/sync" and name != "uid" else ""
        raw = value if "%" in value else urllib.parse.quote(value)
        url = f"{at(path, names)}?{name}={raw}{more}"
        answer = worker_here.get(url, key=worker_here.stack.env["TGO_KEY"])
        try:
            check_error(answer, 400, "invalid_parameters", name)
        except AssertionError as e:
            raise AssertionError(f"{name} = {value!r}") from e


def test_sync_needs_a_uid(call):
    check_error(call.get("/rooms/sync"), 400, "invalid_parameters", "uid")
    check_error(call.get("/rooms/sync?uid="), 400, "invalid_parameters", "uid")


# ---- ids in paths ----

@pytest.mark.parametrize("room_id", ["x" * 41, "字" * 41, "%20a", "a%20", "a%0ab", "%7f"])
def test_a_room_that_cannot_be_is_none(call, room_id):
    for method, path, body in [("GET", "", None), ("GET", "/participants", None), ("POST", "/join", {"uid": "a"}),
                               ("POST", "/leave", {"uid": "a"}),
                               ("POST", "/reject", {"uid": "a"}), ("POST", "/end", None),
                               ("POST", "/invite", {"uids": []}), ("POST", "/token", {"uid": "a"}),
                               ("PUT", "/status", {"status": 1}), ("DELETE", "/participants/a", None),
                               ("POST", "/participants/a/mute", {})]:
        check_error(call.request(method, f"/rooms/{room_id}{path}", body), 404, "room_not_found")


@pytest.mark.parametrize("uid", ["x" * 41, "%20a", "a%0ab"])
def test_a_person_that_cannot_be_is_none(call, names, uid):
    room = names["R"]
    check_error(call.get(f"/rooms/{room}/participants/{uid}"), 404, "participant_not_found")
    check_error(call.delete(f"/rooms/{room}/participants/{uid}"), 404, "participant_not_found")
    check_error(call.put(f"/rooms/{room}/participants/{uid}/status", {"status": 3}), 404, "participant_not_found")
    check_error(call.put(f"/rooms/{room}/participants/{uid}/status", {"status": 1}), 404, "participant_not_found")
    check_error(call.post(f"/rooms/{room}/participants/{uid}/mute", {}), 404, "participant_not_found")
    check_error(call.get(f"/users/{uid}/calls"), 400, "invalid_parameters", "uid")


# ---- limits are characters, and what is within them is taken ----

@pytest.mark.parametrize("char", ["a", "é", "字", "😀"])
def test_longest_texts(call, fresh, db, char):
    def long(n):
        tail = fresh("")
        return char * (n - len(tail)) + tail

    creator, room_id, bob = long(40), long(40), long(40)
    sent = {"creator": creator, "room_id": room_id, "uids": [bob], "device_type": char * 20,
            "device_id": char * 64, "name": char * 128,
            "source_channel_id": char * 100, "metadata": {"m": char * (4000 // len(char.encode()))},
            "timeout": 600, "source_channel_type": 255}
    answer = call.post("/rooms", sent)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["uids"] == [bob, creator]
    assert {k: body[k] for k in ("room_id", "creator", "source_channel_id", "metadata", "timeout")} == \
        {k: sent[k] for k in ("room_id", "creator", "source_channel_id", "metadata", "timeout")}
    with db.cursor() as c:
        c.execute("SELECT name, device_type, device_id FROM rtc_participant WHERE room_id = %s AND uid = %s",
                  (room_id, creator))
        assert c.fetchone() == {"name": char * 128, "device_type": char * 20, "device_id": char * 64}
    answer = call.post(f"/rooms/{urllib.parse.quote(room_id)}/join",
                       {"uid": bob, "name": char * 128, "device_id": char * 64, "ttl_s": 86400})
    assert answer.status_code == 200 and answer.json()["my_status"] == 1
    assert call.post("/tickets", {"uid": bob, "device_id": char * 64, "ttl_s": 60}).status_code == 200
    assert call.post("/token", {"room_name": room_id, "participant_identity": bob,
                                "participant_metadata": char * 4096,
                                "participant_attributes": {"device_id": char * 64,
                                                           "device_type": char * 20}}).status_code in (201, 409)


@pytest.mark.parametrize("field, value", [
    ("timeout", 5), ("max_participants", 1000), ("max_participants", -2 ** 31), ("rtc_type", 0), ("invite_on", 1),
    ("source_channel_type", 0),
    ("source_channel_id", ""), ("uids", []), ("metadata", {}), ("uids", ["", ""]), ("name", "a b"),
    ("device_type", "x"), ("device_id", "\u00a0x")])
def test_just_within(call, fresh, field, value):
    assert call.post("/rooms", {"creator": fresh(), field: value}).status_code == 200


def test_metadata_to_4_kib(call, fresh):
    def padded(n):
        return {"a": "x" * (n - len('{"a":""}'))}

    assert call.post("/rooms", {"creator": fresh(), "metadata": padded(4096)}).json()["metadata"] == padded(4096)
    check_error(call.post("/rooms", {"creator": fresh(), "metadata": padded(4097)}), 400, "invalid_parameters",
                "metadata")


# ---- JSON and no more (RFC 8259) ----

def nested(depth, inner="1"):
    return '{"x":' * (depth - 1) + inner + "}" * (depth - 1)


STRICT = [
    (b"", None), (b" ", None), (b"null", None), (b"[]", None), (b"1", None), (b'"x"', None), (b"true", None),
    (b"{", None), (b"}", None),
    (b"{}", "creator"), (b'{"creator":"a"', None), (b'{"creator":"a",}', None), (b'{"creator":"a"}}', None),
    (b'{"creator":"a"} x', None),
    (b'{"creator":"a"}{"creator":"b"}', None), (b'{"creator":"a"}\x00', None),
    (b"\xef\xbb\xbf{\"creator\":\"a\"}", None),
    (b"{'creator':'a'}", None), (b"{creator:\"a\"}", None), (b'{"creator":"a" /* x */}', None),
    (b'{"creator":"a"} // x', None),
    (b'{"creator":NaN}', "creator"), (b'{"creator":Infinity}', "creator"),
    (b'{"timeout":+5,"creator":"a"}', "timeout"),
    (b'{"timeout":05,"creator":"a"}', None), (b'{"timeout":5.,"creator":"a"}', "timeout"),
    (b'{"timeout":.5,"creator":"a"}', "timeout"),
    (b'{"timeout":0x10,"creator":"a"}', None), (b'{"timeout":1e400,"creator":"a"}', "timeout"),
    (b'{"timeout":99999999999999999999,"creator":"a"}', "timeout"), (b'{"creator":tru}', "creator"),
    (b'{"creator":TRUE}', "creator"),
    (b'{"creator":"a\nb"}', "creator"), (b'{"creator":"a\tb"}', "creator"), (b'{"creator":"a\x00b"}', "creator"),
    (b'{"creator":"a\\u0000b"}', "creator"),
    (b'{"creator":"\\x41"}', "creator"), (b'{"creator":"\\ud800"}', "creator"),
    (b'{"creator":"\\udc00\\ud800"}', "creator"),
    (b'{"creator":"\\u12"}', "creator"), (b'{"creator":"\xff"}', "creator"),
    (b'{"creator":"\xc0\x80"}', "creator"),
    (b'{"creator":"\xed\xa0\x80"}', "creator"), (b'{"creator":"\xf4\x90\x80\x80"}', "creator"),
    (b'{"creator":"\xe5\xad"}', "creator"),
    (b'{"creator":"a","creator":"b"}', "creator"), (b'{"creator":"a","cr\\u0065ator":"b"}', "creator"),
    (b'{"creator":"a","zz":1,"zz":2}', "zz"),
    (b'{"creator":"a","metadata":{"k":1,"k":2}}', "k"), (b'{"creator":"a","zz":"\xff"}', "zz"),
    (b'{"creator":"a","zz":[1,]}', "zz"),
    (nested(18).encode(), "x"), (b'{"creator":"a","metadata":' + nested(17).encode() + b"}", "metadata"),
    (b"[" * 100000, None), (b'{"a":' * 10000, "a"),
]


@pytest.mark.parametrize("body, field", STRICT, ids=range(len(STRICT)))
def test_strict_json(call, stored, body, field):
    before = stored()
    answer = call.post("/rooms", data=body, headers={"Content-Type": "application/json"})
    check_error(answer, 400, "invalid_parameters")
    assert answer.json().get("field") == field
    assert stored() == before


@pytest.mark.parametrize("body", [
    '{{"creator":"{u}"}}', ' \t\r\n{{ "creator" : "{u}" }} \n', '{{"creator":"\\u007a{u}\\ud83d\\ude00"}}',
    '{{"creator":"{u}","unknown":{{"deep":[1,2.5e-3,null,true]}}}}',
    '{{"creator":"{u}","metadata":' + nested(15).replace("{", "{{").replace("}", "}}") + "}}",
    '{{"creator":"{u}","zz":18446744073709551615}}', '{{"creator":"{u}","timeout":5e0,"timeout2":1}}'])
def test_good_json(call, fresh, body):
    answer = call.post("/rooms", data=body.format(u=fresh()).encode(),
                       headers={"Content-Type": "application/json"})
    if "5e0" in body:
        check_error(answer, 400, "invalid_parameters",
                    "timeout")       # a number, and none that is written as an integer
    else:
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("kind, status", [
    ("application/json", 200), ("application/json; charset=utf-8", 200), ("APPLICATION/JSON", 200),
    ("application/problem+json", 200),
    ("application/vnd.x+json;v=1", 200), (None, 200), ("application/x-www-form-urlencoded", 200),
    ("text/plain", 415), ("text/json", 415),
    ("application/xml", 415), ("multipart/form-data; boundary=x", 415), ("application/jsonp", 415),
    ("+json", 415), ("json", 415)])
def test_content_types(call, fresh, kind, status):
    answer = call.post("/rooms", data=json.dumps({"creator": fresh()}).encode(), headers={"Content-Type": kind})
    if status == 200:
        assert answer.status_code == 200, answer.text
    else:
        check_error(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("method, path", [(m, p) for m, p, _, _ in BODIES] + [("POST", "/rooms/R/end"),
    ("DELETE", "/rooms/R/participants/BOB")])
def test_content_type_of_every_body(call, names, stored, method, path):
    before = stored()
    answer = call.request(method, at(path, names), data=b"<xml/>", headers={"Content-Type": "text/xml"},
                          **key_for(call, method, path))
    check_error(answer, 415, "unsupported_media_type")
    assert stored() == before


def test_form_that_is_one(call):
    answer = call.post("/rooms", data=b"creator=alice",
                       headers={"Content-Type": "application/x-www-form-urlencoded"})
    check_error(answer, 415, "unsupported_media_type")


# ---- how long a body may be ----

def padded(body, n):
    """The body with an unknown field that makes it n bytes long."""
    text = json.dumps({**body, "pad": ""}).encode()
    return text[:-2] + b"x" * (n - len(text)) + text[-2:]


LIMITS = [("POST", "/rooms", {"creator": "FRESH"}, 256), ("POST", "/rooms/R/invite", {"uids": []}, 256),
          ("POST", "/rooms/R/join", {"uid": "BOB"}, 64),
          ("POST", "/rooms/R/reject", {"uid": "nobody"}, 64), ("POST", "/participants/calling", {"uids": []}, 64),
          ("POST", "/tickets", {"uid": "BOB"}, 64),
          ("POST", "/token", {"room_name": "R", "participant_identity": "BOB"}, 64),
          ("PUT", "/rooms/R/status", {"status": 0}, 64), ("POST", "/rooms/R/end", {}, 64)]


@pytest.mark.parametrize("method, path, body, kib", LIMITS, ids=[p for _, p, _, _ in LIMITS])
def test_body_limits(call, names, fresh, worker_here, method, path, body, kib):
    """The longest is read (and may be refused for what it says), one byte more is not: by nginx, by the worker."""
    longest = kib * 1024
    body = {k: fresh() if v == "FRESH" else v for k, v in filled(body, names).items()}
    json_type = {"Content-Type": "application/json"}
    # Into a call that is none: nothing happens to R.
    path = at(path, names) if path != "/rooms/R/end" else "/rooms/none/end"
    assert call.request(method, path, data=padded(body, longest), headers=json_type).status_code in (200, 201,
        404)
    check_error(call.request(method, path, data=padded(body, longest + 1), headers=json_type), 413,
                "body_too_large")
    key = {"key": call.stack.env["TGO_KEY"]}
    assert worker_here.request(method, path, data=padded(body, longest), **key).status_code in (200, 201, 404,
        409)
    check_error(worker_here.request(method, path, data=padded(body, longest + 1), **key), 413, "body_too_large")


def signed(stack, body):
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    now = int(time.time())
    return jwt.encode({"iss": stack.env["LIVEKIT_API_KEY"], "nbf": now, "exp": now + 60, "sha256": digest},
                      stack.env["LIVEKIT_API_SECRET"], "HS256")


@pytest.mark.parametrize("base", ["/api/v1", "/api"])
def test_webhook_to_2_mib(call, stack, base):
    headers = {"Content-Type": "application/webhook+json"}
    body = padded({"event": "egress_started", "id": "EV_long"}, 2048 * 1024)
    answer = call.post(base + "/webhooks/livekit", root=True, data=body,
                       headers={**headers, "Authorization": signed(stack, body)})
    assert answer.json() == {"code": 200, "message": "ok"}
    body += b" "
    answer = call.post(base + "/webhooks/livekit", root=True, data=body,
                       headers={**headers, "Authorization": signed(stack, body)})
    check_error(answer, 413, "body_too_large")


@pytest.mark.parametrize("body", [b"", b"[]", b"x", b'{"event":'])
def test_signed_nonsense(call, stack, body):
    answer = call.post("/webhooks/livekit", data=body,
                       headers={"Authorization": signed(stack, body), "Content-Type": "application/webhook+json"})
    check_error(answer, 400, "invalid_parameters")


@pytest.mark.parametrize("authorization", [None, "", "Bearer x", "x.y.z", "Bearer "])
def test_unsigned_webhook(call, authorization):
    check_error(call.post("/webhooks/livekit", {"event": "room_started"}, key=None,
                          headers={"Authorization": authorization}), 401, "unauthorized")


def test_a_body_to_get_is_ignored(call):
    assert call.request("GET", "/rooms", data=b"\xff{not json").status_code == 200


def test_length_that_lies(worker_here, fresh):
    """Less or more than was said: no half request is carried out."""
    body = json.dumps({"creator": fresh()}).encode()
    for said in (len(body) - 1, len(body) + 1, "x", "-1", "99999999999999999999"):
        answer = fcgi.request(worker_here.service.where, "POST", "/api/v1/rooms", body,
                              {"Authorization": "Bearer " + worker_here.stack.env["TGO_KEY"]},
                              content_length=said)
        assert (answer.status, json.loads(answer.body)["error"]) == (400, "invalid_parameters"), said


def test_authorization_twice(worker_here):
    key = "Bearer " + worker_here.stack.env["TGO_KEY"]
    answer = fcgi.request(worker_here.service.where, "GET", "/api/v1/rooms",
                          headers=[("Authorization", key), ("Authorization", key)])
    assert (answer.status, json.loads(answer.body)["field"]) == (400, "Authorization")
