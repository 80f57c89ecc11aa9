"""Every error key the API has, provoked; in five languages; what was refused has stored nothing.

Not here: rate_limited and idempotency_mismatch, which have files of their own.
SPDX-License-Identifier: MIT
"""
import dataclasses
import os
import pathlib
import re
import subprocess

import pytest
import requests

from support.cutter import Cutter
from support.shapes import check_error, flutter_error, no_null

LANGS = ("zh-CN", "zh-TW", "en-US", "fr-FR", "ja-JP")
ROOT = pathlib.Path(__file__).resolve().parents[2]
MESSAGES = {found[0]: dict(zip(LANGS, re.findall(r'"([^"]*)"', found[1])))
            for found in re.findall(r'MESSAGE\("(\w+)",([^)]*)\)', (ROOT / "src/i18n/messages.def").read_text())}


@dataclasses.dataclass
class Refused:
    """A request that is refused, and how."""
    status: int
    method: str
    path: str
    json: object = None
    data: bytes | None = None
    type: str | None = None
    who: str | None = "key"           # "key", None, or a ticket's uid
    more: dict = dataclasses.field(default_factory=dict)    # what the error says besides
    stores: bool = False

    def send(self, call, headers=None, query=""):
        headers = dict(headers or {})
        if self.type:
            headers["Content-Type"] = self.type
        who = {} if self.who == "key" else {"key": None} if self.who is None else {"ticket": self.who}
        return call.request(self.method, self.path + query, self.json, data=self.data, headers=headers, **who)


class Scene:
    """Calls to be refused in."""

    def __init__(self, call, fresh):
        self.call, self.fresh = call, fresh

    def room(self, n=1, **more):
        body = {"creator": self.fresh("alice"), "uids": [self.fresh("bob") for _ in range(n)], **more}
        answer = self.call.post("/rooms", body)
        assert answer.status_code == 200, answer.text
        room = answer.json()
        return room["room_id"], room["uids"]

    def do(self, method, path, body=None):
        answer = self.call.request(method, path, body)
        assert answer.status_code == 200, answer.text

    # ---- one for each key ----

    def invalid_parameters(self):
        return Refused(400, "POST", "/rooms", {"uids": []}, more={"field": "creator"})

    def room_full_at_create(self):
        uids = [self.fresh() for _ in range(3)]
        return Refused(400, "POST", "/rooms", {"creator": self.fresh(), "uids": uids, "max_participants": 3})

    def unauthorized(self):
        return Refused(401, "GET", "/rooms", who=None)

    def forbidden(self):
        return Refused(403, "GET", "/rooms", who=self.fresh())

    def participant_not_invited(self):
        room, _ = self.room(invite_on=1)
        return Refused(403, "POST", f"/rooms/{room}/join", {"uid": self.fresh()}, more={"room_id": room})

    def participant_removed(self):
        room, (bob, *_) = self.room(n=2)
        self.do("DELETE", f"/rooms/{room}/participants/{bob}")
        return Refused(403, "POST", f"/rooms/{room}/join", {"uid": bob}, more={"room_id": room})

    def room_not_found(self):
        room = self.fresh("none")
        return Refused(404, "GET", f"/rooms/{room}", more={"room_id": room})

    def participant_not_found(self):
        room, _ = self.room()
        return Refused(404, "POST", f"/rooms/{room}/leave", {"uid": self.fresh()}, more={"room_id": room})

    def not_found(self):
        return Refused(404, "GET", "/nothing/here")

    def method_not_allowed(self):
        return Refused(405, "DELETE", "/rooms")

    def room_already_exists(self):
        room, _ = self.room()
        return Refused(409, "POST", "/rooms", {"creator": self.fresh(), "room_id": room}, more={"room_id": room})

    def creator_in_another_call(self):
        _, (_, alice) = self.room()
        return Refused(409, "POST", "/rooms", {"creator": alice, "uids": [self.fresh()]})

    def participant_in_call(self):
        _, (bob, _) = self.room()
        room, _ = self.room(max_participants=9)
        return Refused(409, "POST", f"/rooms/{room}/invite", {"uids": [bob]},
                       more={"busy_uids": [bob], "room_id": room})

    def room_not_active(self):
        room, (bob, _) = self.room()
        self.do("POST", f"/rooms/{room}/end")
        return Refused(409, "POST", f"/rooms/{room}/join", {"uid": bob}, more={"room_id": room})

    def room_full(self):
        room, _ = self.room()
        return Refused(409, "POST", f"/rooms/{room}/join", {"uid": self.fresh()}, more={"room_id": room})

    def joined_elsewhere(self):
        room, (bob, _) = self.room()
        self.do("POST", f"/rooms/{room}/join", {"uid": bob, "device_id": "one"})
        return Refused(409, "POST", f"/rooms/{room}/join", {"uid": bob, "device_id": "two", "takeover": False},
                       more={"room_id": room})

    def illegal_transition(self):
        room, (bob, _) = self.room()
        self.do("POST", f"/rooms/{room}/join", {"uid": bob})
        return Refused(409, "POST", f"/rooms/{room}/reject", {"uid": bob}, more={"room_id": room})

    def body_too_large(self):
        return Refused(413, "POST", "/tickets", data=b" " * 65537, type="application/json")

    def unsupported_media_type(self):
        return Refused(415, "POST", "/rooms", data=b'<creator/>', type="application/xml")


CALLERS = [name for name in vars(Scene) if name in MESSAGES or name == "room_full_at_create"]
OURS = ["internal", "unavailable", "outcome_unknown"]


def key_of(name):
    return name.removesuffix("_at_create")


@pytest.fixture(scope="module")
def scene(call, fresh):
    return Scene(call, fresh)


def test_no_key_is_forgotten(document):
    """Every key of the program is provoked below or in a file of its own, and the document has no other."""
    keys = set(MESSAGES) - {"ok"}
    assert {key_of(name) for name in CALLERS + OURS} == keys - {"rate_limited", "idempotency_mismatch"}
    described = set(document.raw["components"]["schemas"]["Error"]["properties"]["error"]["enum"])
    assert described == keys
    assert all(len(set(texts.values())) == 5 for key, texts in MESSAGES.items() if key != "ok")


@pytest.mark.parametrize("name", CALLERS)
def test_caller_errors(scene, call, stored, name):
    refused = getattr(scene, name)()
    before = stored()
    for lang in LANGS:
        wanted = MESSAGES[key_of(name)][lang]
        for headers, query in (({"X-Language": lang}, ""), ({}, f"?lang={lang}"),
                               ({"Accept-Language": f"de, {lang};q=0.5"}, "")):
            answer = refused.send(call, headers, query)
            body = check_error(answer, refused.status, key_of(name))
            assert body["message"] == wanted
            assert {k: body[k] for k in set(body) - {"code", "message", "error", "request_id"}} == refused.more
            assert "Retry-After" not in answer.headers
            assert flutter_error(answer) == body
            no_null(body)
    assert stored() == before


def test_everybody_busy_is_kept_as_a_busy_call(scene, call, db):
    _, (bob, _) = scene.room()
    alice, room = scene.fresh("alice"), scene.fresh("room")
    answer = call.post("/rooms", {"creator": alice, "uids": [bob], "room_id": room})
    body = check_error(answer, 409, "participant_in_call")
    assert (body["room_id"], body["busy_uids"]) == (room, [bob])
    with db.cursor() as c:
        c.execute("SELECT status, end_reason FROM rtc_room WHERE room_id = %s", (room,))
        assert c.fetchall() == [{"status": 5, "end_reason": "busy"}]
    # Without a name of its own the call says the one it was given.
    body = check_error(call.post("/rooms", {"creator": alice, "uids": [bob]}), 409, "participant_in_call")
    assert call.get(f"/rooms/{body['room_id']}").json()["status"] == 5


@pytest.mark.parametrize("method, path, allow", [
    ("DELETE", "/rooms", "GET, HEAD, POST, OPTIONS"), ("POST", "/rooms/sync", "GET, HEAD, OPTIONS"),
    ("GET", "/rooms/x/join", "POST, OPTIONS"), ("POST", "/rooms/x/status", "PUT, OPTIONS"),
    ("POST", "/rooms/x/participants/y", "GET, HEAD, DELETE, OPTIONS"), ("PATCH", "/token", "POST, OPTIONS")])
def test_405_says_what_is_allowed(call, method, path, allow):
    answer = call.request(method, path)
    check_error(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == allow


# ---- languages ----

@pytest.mark.parametrize("header, query, accept, lang", [
    (None, None, None, "zh-CN"),
    ("ja-JP", "fr-FR", "en-US", "ja-JP"), (None, "fr-FR", "en-US", "fr-FR"), (None, None, "en-US", "en-US"),
    ("en", None, None, "en-US"), ("EN-us", None, None, "en-US"), ("en_GB", None, None, "en-US"),
    ("fr-CA", None, None, "fr-FR"),
    ("ja", None, None, "ja-JP"), ("zh", None, None, "zh-CN"), ("zh-Hans-TW", None, None, "zh-CN"),
    ("zh-Hant", None, None, "zh-TW"),
    ("zh-HK", None, None, "zh-TW"), ("zh-MO", None, None, "zh-TW"), ("zh-Hant-HK", None, None, "zh-TW"),
    ("zh-SG", None, None, "zh-CN"),
    # A source that names none of ours passes on to the next.
    ("de-DE", "ja", "en", "ja-JP"), ("xx", "yy", "fr", "fr-FR"), ("", "", "ja", "ja-JP"),
    ("de", "it", "es", "zh-CN"),
    ("english", None, "fr", "fr-FR"), ("*", None, "fr", "fr-FR"),
    # q-values and prefixes.
    (None, None, "en;q=0.5, fr;q=0.9, ja;q=0.1", "fr-FR"), (None, None, "de, en;q=0.2", "en-US"),
    (None, None, "en-GB,en;q=0.9", "en-US"),
    (None, None, "fr;q=0, ja;q=0.001", "ja-JP"), (None, None, "zh-TW;q=0.8,zh;q=0.9", "zh-CN"),
    (None, None, "ja;q=0.5,en;q=0.5", "ja-JP"),
    (None, None, "fr ; q=0.3 , en ; q=0.7", "en-US"), (None, None, "en;q=oops, ja;q=0.1", "ja-JP"),
    (None, None, ";;,,q=1", "zh-CN"),
    (None, "%ff", "en", "en-US"), (None, "zh%2DTW", None, "zh-TW"),
])
def test_language(call, header, query, accept, lang):
    # None takes out what the library would send by itself.
    headers = {"Accept-Language": accept, **({"X-Language": header} if header is not None else {})}
    path = "/nothing" + ("" if query is None else f"?a=b&lang={query}")
    answer = call.get(path, headers=headers)
    assert answer.json()["message"] == MESSAGES["not_found"][lang]


# ---- ours: the database is away, broken, or gone at the worst moment ----

@pytest.fixture(scope="module")
def away(worker, tmp_path_factory):
    return worker(DB_SOCKET=tmp_path_factory.mktemp("away") / "none")


@pytest.fixture(scope="module")
def broken(worker, stack):
    """A database that lost a table behind the worker's back."""
    name = "tgo_broken"
    env = {**os.environ, **{k: v for k, v in stack.env.items() if k.startswith(("DB_", "LIVEKIT_", "REDIS_"))},
           "DB_NAME": name, "AUTH_MODE": "open", "LOG_FILE": ""}
    with stack.db() as db, db.cursor() as c:
        c.execute(f"CREATE DATABASE {name}")
        subprocess.run([pathlib.Path(stack.env["TGO_BIN"]) / "tgo-call", "migrate"], env=env, check=True,
                       capture_output=True, cwd=stack.var)
        at = worker(DB_NAME=name)
        c.execute(f"DROP TABLE {name}.event")
        yield at
        c.execute(f"DROP DATABASE {name}")


@pytest.fixture(scope="module")
def cutter(stack, tmp_path_factory):
    made = Cutter(tmp_path_factory.mktemp("cut") / "s", stack.env["DB_SOCKET"])
    yield made
    made.close()


@pytest.fixture(scope="module")
def cut(worker, cutter):
    return worker(DB_SOCKET=cutter.path)


def check_ours(document, answer, status, key, lang):
    document.check_answer("POST", "/api/v1/rooms", answer)
    body = check_error(answer, status, key)
    assert body["message"] == MESSAGES[key][lang]
    assert set(body) <= {"code", "message", "error", "request_id", "room_id"}
    no_null(body)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("source", ["header", "query", "accept"])
def test_our_errors(stack, document, away, broken, cut, cutter, fresh, lang, source):
    headers = {"header": {"X-Language": lang}, "accept": {"Accept-Language": f"xx,{lang};q=0.1"}}.get(source, {})
    path = "/rooms" + (f"?lang={lang}" if source == "query" else "")
    ask = {"key": stack.env["TGO_KEY"], "headers": headers}
    answer = away.post(path, {"creator": fresh()}, **ask)
    check_ours(document, answer, 503, "unavailable", lang)
    assert answer.headers["Retry-After"] == "1"

    answer = broken.post(path, {"creator": fresh(), "uids": [fresh()]}, **ask)
    check_ours(document, answer, 500, "internal", lang)
    assert "event" not in answer.json()["message"] and "Retry-After" not in answer.headers

    cutter.armed = True
    answer = cut.post(path, {"creator": fresh(), "uids": [fresh()]}, **ask)
    check_ours(document, answer, 503, "outcome_unknown", lang)
    assert "Retry-After" not in answer.headers


def test_after_a_cut_all_is_well(stack, cut, cutter, fresh):
    for _ in range(3):
        cutter.armed = True
        alice, room = fresh("alice"), fresh("room")
        check_error(cut.post("/rooms", {"creator": alice, "room_id": room}, key=stack.env["TGO_KEY"]), 503,
                    "outcome_unknown")
        assert cutter.armed is False
        # Cut before it reached the database: nothing happened, and asking again works on a new link.
        assert cut.post("/rooms", {"creator": alice, "room_id": room},
                        key=stack.env["TGO_KEY"]).status_code == 200
    assert cutter.cuts >= 3


def test_readyz_without_database(away, document):
    answer = away.get("/readyz", root=True)
    document.check_answer("GET", "/readyz", answer)
    assert answer.status_code == 503
    body = answer.json()
    assert body["status"] == "unavailable"
    assert (body["checks"]["mysql"]["status"], body["checks"]["redis"]["status"]) == ("unavailable", "ok")
    assert away.get("/health", root=True).json() == {"status": "ok"}


def test_redis_away_is_no_error(worker, stack, fresh, tmp_path):
    at = worker(REDIS_SOCKET=tmp_path / "none")
    answer = at.post("/rooms", {"creator": fresh()}, key=stack.env["TGO_KEY"])
    assert answer.status_code == 200
    body = at.get("/readyz", root=True).json()
    assert (body["status"], body["checks"]["redis"]["status"]) == ("degraded", "unavailable")


# ---- LEGACY_STATUS ----

@pytest.fixture(scope="module")
def legacy(worker):
    return worker(LEGACY_STATUS="true")


@pytest.mark.parametrize("name", CALLERS)
def test_legacy_status(scene, stack, legacy, name):
    """As the Go server: what the caller did wrong is 400, whatever it was; the key still tells."""
    refused = getattr(scene, name)()
    who = {"key": stack.env["TGO_KEY"]} if refused.who == "key" else {}
    if refused.who not in ("key", None):
        who = {"ticket": scene.call.ticket(refused.who)}
    answer = legacy.request(refused.method, refused.path, refused.json, data=refused.data,
                            content_type=refused.type, **who)
    status = 400 if refused.status <= 409 else refused.status
    body = check_error(answer, status, key_of(name))
    assert {k: body[k] for k in refused.more} == refused.more
    if name == "method_not_allowed":
        assert answer.headers["Allow"] == "GET, HEAD, POST, OPTIONS"


# ---- nginx, before a worker is reached ----

def test_nginx_errors_have_the_same_shape(call, stack):
    """Too large for every path: nginx's own answer, in the language asked for."""
    for lang in LANGS:
        answer = call.post("/rooms/x/leave", data=b" " * 65537, lang=lang,
                           headers={"Origin": "https://app.example"})
        assert check_error(answer, 413, "body_too_large")["message"] == MESSAGES["body_too_large"][lang]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_no_worker(make_stack):
    own = make_stack()
    own.stop("worker")
    for lang in LANGS:
        answer = requests.get(own.url + "/api/v1/rooms", headers={"X-Language": lang}, timeout=10)
        assert check_error(answer, 503, "unavailable")["message"] == MESSAGES["unavailable"][lang]
        assert answer.headers["Retry-After"] == "1"
