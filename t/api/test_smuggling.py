"""Values that try to be more than values: in every text field of every operation of docs/openapi.json, in paths, queries
and headers. Each is refused, or comes back byte for byte wherever it was written to; none of them becomes a header, a
second log line, a part of an SQL text or another key in Redis.

SPDX-License-Identifier: MIT
"""
import json
import os
import re
import subprocess
import time
import urllib.parse

import jwt
import pytest

from support import fcgi_client as fcgi
from support.client import Api, raw_http
from support.direct import Direct
from support.logs import AppLog
from support.shapes import check_error
from support.stack import ROOT
from support.wait import wait_until

MARK = "zq7"
# No field takes these.
POISON = {
    "cr lf": MARK + "\r\nX-Injected: 1\r\n\r\n", "lf": MARK + "\n{\"level\":\"error\"}", "nul": MARK + "\0x",
    "escape": MARK + "\x1b[2J", "del": MARK + "\x7f", "c1": MARK + "\x9b31m", "line separator": MARK + "\u2028x",
    "paragraph separator": MARK + "\u2029x", "64 KiB": MARK + "n" * 65536, "blank at the end": MARK + " ",
}
# Text like any other, as long as the field has place for it.
TRICKY = {
    "quotes": MARK + "'\"`", "sql": MARK + "') OR 1=1;-- ", "backslash": MARK + "\\", "backslashes": MARK + "\\'\\\\",
    "format": MARK + "%s%n%d", "like": MARK + "%_%", "star": MARK + "*?[a]", "redis": MARK + " SET a 1",
    "rtl mark": MARK + "\u202etxt\u200f", "zero width": MARK + "\u200b\ufeff", "emoji": MARK + "👩‍👩‍👧", "html": MARK + "<b>&amp;",
    "template": MARK + "${jndi:x}{{7}}", "nfc": MARK + "e\u0301é", "shell": MARK + "$(id)`id`|&", "comma": MARK + ",a;b:c=d",
    "u0000 in letters": MARK + "\\u0000", "crlf in letters": MARK + "%0d%0a", "surrogate": MARK + "\U0010fffd",
}
TRICKY["sql"] = TRICKY["sql"].strip()
ALL = {**POISON, **TRICKY}
# Bytes of a body that are no JSON text of ours.
RAW = {"overlong slash": b"\xc0\xaf", "overlong nul": b"\xc0\x80", "lone half": b"\\ud800", "nul escape": b"\\u0000",
       "cut short": b"\xe5\xad", "latin-1": b"\xe9", "above the last": b"\xf4\x90\x80\x80", "raw newline": b"a\nb",
       "raw tab": b"a\tb", "coded half": b"\xed\xa0\x80"}
OURS = re.compile(r"tgo:(room:.*|nodes:(given:\d+|down|drained)|hook-trouble|rate:\w+:.*)", re.S)


@pytest.fixture(scope="module")
def own(make_stack):
    return make_stack(LOG_LEVEL="debug", RATE_LIMITS="off")


@pytest.fixture(scope="module")
def api(own):
    return Api(own)


@pytest.fixture(scope="module")
def watched(own):
    """The stack's logs from here on, and what MariaDB is sent in the meantime."""
    root(own, f"SET GLOBAL general_log_file = '{own.var}/log/general.log'; SET GLOBAL general_log = 1")
    yield AppLog(own.env["APP_LOG"]), AppLog(own.env["NGINX_ACCESS_LOG"]), AppLog(own.var / "log/general.log")
    root(own, "SET GLOBAL general_log = 0")


def root(stack, statement):
    if not stack.env["DB_SOCKET"]:
        pytest.skip("a database of somebody else")
    subprocess.run(["mariadb", "--no-defaults", f"--socket={stack.var}/run/mariadb.sock", "--user=root", "-e", statement],
                   check=True, timeout=30)


# ---- every field there is, from the document ----

def texts_of(document, schema, above=()):
    """Paths to the texts of a schema: ("creator",), ("uids", 0), ..."""
    schema = document.resolve(schema)
    for part in schema.get("allOf", []) + schema.get("anyOf", []) + schema.get("oneOf", []):
        yield from texts_of(document, part, above)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "string" in kinds and above:
        yield above
    if "array" in kinds:
        yield from texts_of(document, schema.get("items", {}), (*above, 0))
    if "object" in kinds and above and "properties" not in schema:
        yield (*above, "key"), "key"
    for name, one in schema.get("properties", {}).items():
        yield from texts_of(document, one, (*above, name))


def body_with(path, value):
    *parents, last = path
    found = value
    for step in (last, *reversed(parents)):
        found = [found] if step == 0 else {step: found}
    return found


def places(document):
    """(method, path, kind, where) of every text that a request of the document may hold."""
    for method, path, operation in document.operations():
        item = next(i for p, i in document.raw["paths"].items() if path.endswith(p))
        for parameter in map(document.resolve, operation.get("parameters", []) + item.get("parameters", [])):
            yield method, path, parameter["in"], parameter["name"]
        body = document.resolve(operation.get("requestBody", {}))
        for content in body.get("content", {}).values():
            seen = set()
            for where in texts_of(document, content["schema"]):
                where = where[0] if isinstance(where[0], tuple) else where
                if where not in seen:
                    seen.add(where)
                    yield method, path, "body", where


def good_body(path):
    """What makes a request whole but for the value that is tried."""
    if path.endswith("/token") and "/rooms/" not in path:
        return {"room_name": "none", "participant_identity": "somebody"}
    return {"creator": "somebody", "uid": "somebody", "room_id": "none", "uids": ["somebody"], "by": "somebody"} \
        if not path.endswith("/rooms") else {"creator": f"somebody-{time.monotonic_ns()}"}


def send(api, method, path, kind, where, value):
    url = path
    for name in re.findall(r"\{(\w+)\}", path):
        filled = urllib.parse.quote(value, safe="") if (kind, where) == ("path", name) else "none"
        url = url.replace("{%s}" % name, filled)
    query = f"?{urllib.parse.quote(where)}={urllib.parse.quote(value, safe='')}" if kind == "query" else ""
    body = None
    if method in ("POST", "PUT"):
        body = {**good_body(path), **(body_with(where, value) if kind == "body" else {})}
    headers = {where: value.encode()} if kind == "header" else {}
    return api.request(method, url + query, body, key=api.ops_key, root=True, headers=headers)


def check_tame(answer, name):
    """Nothing of a value became a header, and what failed says so in JSON."""
    assert "X-Injected" not in answer.headers and "Set-Cookie" not in answer.headers
    assert all(MARK not in value for value in answer.headers.values()), answer.headers
    if answer.status_code >= 400:
        assert answer.status_code < 500 or answer.json()["error"] in ("unavailable",), (name, answer.text[:300])
        assert answer.status_code in (400, 401, 403, 404, 409, 413, 414, 422, 429, 431, 503), (name, answer.status_code)
        assert "error" in answer.json(), name


def test_every_field_of_every_operation(api, document, watched, own):
    n = 0
    for method, path, kind, where in places(document):
        for name, value in ALL.items():
            if kind == "header" and (not value.isprintable() or len(value) > 1024 or value != value.strip()):
                continue                       # no client can send it; test_headers does
            if kind in ("path", "query") and len(value) > 4096:
                value = value[:7000]
            answer = send(api, method, path, kind, where, value)
            check_tame(answer, (method, path, kind, where, name))
            if name in POISON and kind == "body" and answer.status_code < 400:
                assert "metadata" in where or "participant_metadata" in where or where[-1] == "key" \
                    or "room_config" in where or is_ignored(path, where), (path, where, name, answer.text[:200])
            n += 1
    assert n > 1000
    check_logs(*watched[:2])
    assert {"Prepare", "Execute"} <= check_statements(watched[2])
    check_keys(own)


def is_ignored(path, where):
    """LiveKit's webhooks are refused for their signature, not for what they say."""
    return path.endswith("/webhooks/livekit")


def check_logs(app, access):
    lines = app.text().rstrip("\n").split("\n")
    assert len(lines) == len(app.text().splitlines()), "a line is one for every reader"
    assert lines and all("\r" not in line and "\0" not in line and "\x1b" not in line for line in lines)
    for line in lines:
        one = json.loads(line)
        assert {"level", "timestamp", "msg", "event"} <= set(one), line
        assert one["level"] in ("debug", "info", "warn") or MARK not in line, line
    raw = access.path.read_bytes()[access.offset:]
    for line in raw.decode("utf-8").rstrip("\n").split("\n"):
        assert set(json.loads(line)) >= {"time", "method", "uri", "status", "request_id"}, line


def check_statements(general):
    """A prepared text never holds a value, and nothing but EXECUTE does. The kinds of entries there were."""
    text = general.path.read_bytes()[general.offset:].decode("utf-8", "replace")
    seen = set()
    for entry in re.split(r"\n(?=[\d: ]*\t)", text):
        found = re.search(r"\s(Prepare|Execute|Query|Close stmt|Connect|Quit|Reset stmt|Init DB|Statistics)\b", entry)
        kind = found[1] if found else "?"
        seen.add(kind)
        assert MARK not in entry or kind == "Execute", entry[:500]
        if kind == "Execute" and MARK in entry:
            assert not re.search(r"(?<!\\)(?:\\\\)*'\) OR 1=1", entry), entry[:500]
    return seen


def check_keys(stack):
    for key in stack.redis().scan_iter("tgo:*", count=1000):
        assert OURS.fullmatch(key), key
    assert stack.redis().get("a") is None


# ---- what is taken comes back ----

FITS_PATH = {k: v for k, v in TRICKY.items() if not set(v) & set("/?#%")}


@pytest.mark.parametrize("name", TRICKY)
def test_faithful(api, own, watched, name):
    """One call in which every text is such a value, read wherever it was written to."""
    app = watched[0].mark()
    value = TRICKY[name]
    room = FITS_PATH.get(name, MARK)[:20] + f"-r{time.monotonic_ns() % 10 ** 9}"
    creator, guest = value[:20] + f"-c{time.monotonic_ns() % 10 ** 9}", value[:20] + f"-g{time.monotonic_ns() % 10 ** 9}"
    sent = {"creator": creator, "uids": [guest], "room_id": room, "device_type": value[:20], "device_id": value,
            "source_channel_id": value, "name": value, "metadata": {value: [value, {"a": value}]}, "region": value[:20],
            "max_participants": 9, "invite_on": 0}
    answer = api.post("/rooms", sent)
    assert answer.status_code == 200, answer.text
    made = answer.json()
    at = "/rooms/" + urllib.parse.quote(room, safe="")
    for seen in (made, api.get(at).json()):
        assert (seen["room_id"], seen["creator"], seen["source_channel_id"]) == (room, creator, value)
    assert api.get(at).json()["metadata"] == sent["metadata"]
    assert {one["uid"] for one in api.get(at + "/participants").json()} == {creator, guest}
    person = f"{at}/participants/{urllib.parse.quote(guest, safe='')}"
    assert api.get(person).json()["uid"] == guest
    joined = api.post(at + "/join", {"uid": guest, "device_type": value[:20], "device_id": value, "name": value})
    assert joined.status_code == 200, joined.text
    claims = jwt.decode(joined.json()["token"], options={"verify_signature": False})
    assert (claims["sub"], claims["name"], claims["video"]["room"]) == (guest, value, room)
    assert claims["attributes"] == {"device_type": value[:20], "device_id": value}
    asked = api.get("/rooms/sync", params={"uid": guest, "device_id": value}).json()
    assert [one["room_id"] for one in asked] == [room]
    assert [one["room_id"] for one in api.get("/rooms", params={"creator": creator}).json()["rooms"]] == [room]
    assert api.get(f"/users/{urllib.parse.quote(guest, safe='')}/calls").json()["calls"][0]["room_id"] == room
    assert api.delete(person).status_code == 200
    assert own.redis().hget(f"tgo:room:{room}", "removed") == guest
    check_statements(watched[2])
    with own.db() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT creator, source_channel_id FROM rtc_room WHERE room_id = %s", (room,))
        assert cursor.fetchall() == [{"creator": creator, "source_channel_id": value}]
        cursor.execute("SELECT uid, device_id FROM rtc_participant WHERE room_id = %s AND uid = %s", (room, guest))
        assert cursor.fetchall() == [{"uid": guest, "device_id": value}]
        cursor.execute("SELECT DISTINCT room_id FROM event WHERE room_id = %s", (room,))
        assert cursor.fetchall() == [{"room_id": room}]
    line = app.wait_for(event="participant_joined", room_id=room)
    assert line["uid"] == guest
    check_logs(*watched[:2])
    watched[2].mark()                          # what this test asked MariaDB itself is no statement of ours


@pytest.mark.parametrize("name", RAW)
def test_bytes_that_are_no_text(api, own, watched, name):
    for before, after in ((b'{"creator":"', b'"}'), (b'{"creator":"a","', b'":1}'), (b'{"creator":"a","metadata":{"k":"', b'"}}')):
        body = before + MARK.encode() + RAW[name] + after
        answer = api.session.post(own.url + "/api/v1/rooms", data=body, timeout=20, headers={
            "Authorization": f"Bearer {own.env['TGO_KEY']}", "Content-Type": "application/json"})
        check_error(answer, 400, "invalid_parameters")
    for path in ("/rooms/" + "".join(f"%{b:02x}" for b in RAW[name] if name not in ("lone half", "nul escape")) + "x",):
        answer = api.get(path)
        assert answer.status_code in (400, 404), answer.text
    check_logs(*watched[:2])


# ---- headers ----

HEADERS = ["X-Request-Id", "X-Region", "X-Language", "Accept-Language", "Origin", "Authorization", "Idempotency-Key",
           "User-Agent", "Content-Type", "Referer", "X-Forwarded-For", "Cookie", "Host"]
HEADER_VALUES = {
    "quotes": b"zq7'\"`\\", "utf-8": MARK.encode() + "字\u2028\u202e".encode(), "overlong": b"zq7\xc0\xaf\xc0\x80",
    "latin-1": b"zq7\xe9", "tab": b"zq7\tx", "format": b"zq7%s%n%0d%0aX-Injected:%201", "json": b'zq7","level":"error',
    "long": b"zq7" + b"h" * 6000, "c1": b"zq7\x9b\x85", "empty": b"", "del": b"zq7\x7f",
}


@pytest.mark.parametrize("header", HEADERS)
def test_headers(own, watched, header):
    """Through nginx as bytes: what it lets pass is a value for us, and never more."""
    for name, value in HEADER_VALUES.items():
        sent = {"Host": b"x", "Connection": b"close", "Authorization": b"Bearer " + own.env["TGO_KEY"].encode(),
                "Content-Type": b"application/json", "Content-Length": b"15"}
        sent[header] = value
        head = b"".join(k.encode() + b": " + v + b"\r\n" for k, v in sent.items())
        answer = raw_http(own, b"POST /api/v1/rooms HTTP/1.1\r\n" + head + b'\r\n{"creator":"h"}')
        status = int(answer.split()[1])
        top = answer.partition(b"\r\n\r\n")[0]
        assert b"X-Injected" not in top, (header, name, answer)
        assert status in (200, 400, 401, 409, 415, 431), (header, name, answer)
        if not (header == "Origin" and status == 200):
            assert MARK.encode() not in top, (header, name, top)
        for line in top.split(b"\r\n")[1:]:
            assert re.fullmatch(rb"[A-Za-z-]+: [\x20-\x7e\x80-\xff]*", line), (header, name, line)
    check_logs(*watched[:2])
    check_statements(watched[2])
    check_keys(own)


DIRECT = ["REQUEST_ID", "HTTP_X_REGION", "HTTP_X_LANGUAGE", "HTTP_ACCEPT_LANGUAGE", "HTTP_ORIGIN", "HTTP_AUTHORIZATION",
          "HTTP_IDEMPOTENCY_KEY", "HTTP_USER_AGENT", "REQUEST_URI", "REQUEST_METHOD", "REMOTE_ADDR", "CONTENT_TYPE"]


@pytest.mark.parametrize("name", DIRECT)
def test_parameters_that_nginx_would_never_send(own, worker, name):
    """A line break in a parameter: whoever may write to the socket gets no header of his own out of it."""
    at = worker(CORS_ORIGINS="*", LOG_LEVEL="debug")
    values = [b"zq7\r\nX-Injected: 1", b"zq7\nX-Injected: 1", b"zq7\r\n\r\n<html>", b"\x1b[2J\x7fzq7", b"zq7\xff\xfe", b"\r\n" * 50]
    for value in values:
        if name == "REQUEST_URI":
            value = b"/api/v1/rooms/" + value
        params = dict(fcgi.params_of("GET", "/api/v1/rooms/none", headers={"Authorization": "Bearer " + own.env["TGO_KEY"]}))
        params[name] = value
        with at.service.connect() as c:
            c.begin(params)
            c.body(b"")
            answer = c.response()
        assert answer.ended and "x-injected" not in answer.headers, (name, value, answer.raw_headers)
        assert answer.status < 500 and json.loads(answer.body)["error"], (name, value)
        assert all(re.fullmatch(r"[A-Za-z-]+", k) and v.isprintable() for k, v in answer.raw_headers), answer.raw_headers
    for line in at.service.log.read_text("utf-8").rstrip("\n").split("\n"):
        json.loads(line)
        assert line.isprintable() or "\x7f" in line


EVIL_NAMES = ["zq7\r\nX-Injected: 1", "zq7\nX-Injected: 1", "zq7\r\n\r\nbody", "zq7\x1b[2J\x7f", "zq7\u2028", "zq7\n{\"level\":\"error\"}",
              "zq7" + "r" * 3000]


def test_names_in_a_token_that_others_signed(own, tmp_path):
    """Whoever has LiveKit's key writes any room and any name into a token; the route tells nginx of both in headers, and
    of a key that it does not know in words."""
    at = Direct(tmp_path, own, LOG_LEVEL="debug")
    at.service.spawn([at.service.binary, "--listen", f"unix:{at.service.sock}", "--env-file", str(at.service.env_file),
                      "--only", "route"])
    try:
        wait_until(lambda: os.path.exists(at.service.sock), 20)
        claims = [{"iss": own.env["LIVEKIT_API_KEY"], "sub": "ann", "video": {"roomJoin": True, "room": name}} for name in EVIL_NAMES]
        claims += [{"iss": own.env["LIVEKIT_API_KEY"], "sub": name, "video": {"roomJoin": True, "room": "zq7"}} for name in EVIL_NAMES]
        claims += [{"iss": name, "sub": "ann", "video": {"roomJoin": True, "room": "zq7"}} for name in EVIL_NAMES]
        for one in claims:
            token = jwt.api_jws.encode(json.dumps({**one, "exp": int(time.time()) + 60}).encode(),
                                       own.env["LIVEKIT_API_SECRET"], "HS256")
            answer = fcgi.request(at.service.sock, "GET", "/_route/join?access_token=" + token)
            assert answer.ended and answer.status in (200, 401, 403), answer.raw_headers
            assert "x-injected" not in answer.headers and b"Injected" not in answer.body
            for header, value in answer.raw_headers:
                assert re.fullmatch(r"[A-Za-z-]+", header) and re.fullmatch(r"[\x20-\x7e\x80-\xff]*", value), (header, value)
        lines = at.service.log.read_text("utf-8")
        assert len(lines.splitlines()) == len([json.loads(line) for line in lines.rstrip("\n").split("\n")])
    finally:
        at.service.clean_up()


def test_ids_of_requests_are_ours(own, api, watched):
    """X-Request-Id of a client is one only in the form of one, and the answer names what the log does."""
    for value in ("zq7 x", "zq7\tx", "a" * 65, "zq7/../x", "zq7\"x", "字".encode()):
        answer = api.get("/rooms/no-such-call", headers={"X-Request-Id": value})
        assert re.fullmatch(r"[A-Za-z0-9-]{1,64}", answer.headers["X-Request-Id"])
        assert answer.json()["request_id"] == answer.headers["X-Request-Id"]
        watched[0].wait_for(request_id=answer.headers["X-Request-Id"])


def test_the_page_of_docs_is_whole(api):
    """Nothing that a client says stands in a page that a browser shows."""
    for path in (f"/docs?{MARK}=<script>", f"/swagger/index.html?x={MARK}"):
        answer = api.get(path, root=True, headers={"X-Language": MARK, "Referer": MARK})
        assert answer.status_code == 200 and MARK not in answer.text
    assert (ROOT / "docs/openapi.json").exists()
