"""The logs as operators grep them: the three lines whose text and order of fields are fixed, one closing line
for each request, nginx's log beside it, and never a secret. SPDX-License-Identifier: MIT"""
import base64
import hashlib
import json
import pathlib
import re
import subprocess
import time

import jwt
import pytest
import requests

from support.client import Api
from support.fake_livekit import FakeLiveKit, with_media
from support.logs import AppLog

FIRST = ["level", "timestamp", "msg", "request_id"]
TOKEN = [*FIRST, "room_id", "uid", "device_type", "livekit_url", "backend_url", "timeout", "livekit_node",
         "event"]
CREATED = [*FIRST, "room_id", "creator", "source_channel_id", "livekit_url", "invited_uids", "status", "language",
           "livekit_node", "event"]
JOINED = [*FIRST, "room_id", "uid", "creator", "livekit_url", "room_status", "language", "livekit_node", "event"]
DONE = [*FIRST, "method", "route", "status", "ms", "db_ms", "n_sql", "uid", "room_id", "livekit_url",
        "livekit_node", "error", "event"]
ACCESS = ["time", "remote_addr", "method", "uri", "status", "upstream_addr", "upstream_status", "livekit_url",
          "livekit_node", "room", "request_time", "request_id", "service", "rpc"]
WHEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+08:00")


@pytest.fixture(scope="module")
def own(make_stack):
    return make_stack(LOG_LEVEL="debug", TZ="Asia/Shanghai")


class Watched(Api):
    """A client that remembers every secret it sent or was given."""

    def __init__(self, stack):
        super().__init__(stack)
        self.secrets = set()

    def request(self, method, path, json=None, **kwargs):
        answer = super().request(method, path, json, **kwargs)
        sent = answer.request.headers.get("Authorization", "")
        self.secrets.add(sent.removeprefix("Bearer ").strip())
        self.secrets.update(re.findall(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", answer.text))
        return answer


@pytest.fixture(scope="module")
def api(own):
    return Watched(own)


@pytest.fixture
def logs(own):
    return AppLog(own.env["APP_LOG"])


@pytest.fixture
def access(own):
    return AppLog(own.env["NGINX_ACCESS_LOG"])


def keys_of(line):
    """In the order they stand in the file; json keeps it."""
    return list(line)


def lines_of(logs, answer, msg=None):
    """The lines of one request, once the last is there."""
    request_id = answer.headers["X-Request-Id"]
    logs.wait_for(request_id=request_id, msg="请求完成")
    return [one for one in logs.lines(request_id=request_id) if msg in (None, one["msg"])]


def check_frame(line):
    """Lines that belong to no request have no request_id."""
    first = [key for key in FIRST if key != "request_id" or key in line]
    assert keys_of(line)[:len(first)] == first
    assert WHEN.fullmatch(line["timestamp"]), line["timestamp"]
    assert line["level"] in ("debug", "info", "warn", "error")


# ---- the three lines ----

def test_create(api, own, logs, fresh):
    alice, bob = fresh("爱丽丝"), fresh("bob")
    answer = api.post("/rooms", {"creator": alice, "uids": [bob, "", alice], "source_channel_id": "channel/ios",
                                 "device_type": "ios"}, lang="ja-JP")
    room, url = answer.json()["room_id"], f"ws://127.0.0.1:{own.port}"
    lines = {line["msg"]: line for line in lines_of(logs, answer)}
    assert set(lines) == {"房间创建成功", "LiveKit Token 生成成功", "请求完成"}
    created, token, done = (lines[msg] for msg in ("房间创建成功", "LiveKit Token 生成成功", "请求完成"))
    for line in lines.values():
        check_frame(line)
    assert (keys_of(created), keys_of(token), keys_of(done)) == (CREATED, TOKEN, DONE)
    wanted = {"level": "info", "room_id": room, "creator": alice, "source_channel_id": "channel/ios",
              "livekit_url": url, "invited_uids": [bob], "status": 0,
              "language": "ja-JP", "livekit_node": "", "event": "room_created"}
    assert {k: created[k] for k in wanted} == wanted
    wanted = {"level": "info", "room_id": room, "uid": alice, "device_type": "ios", "livekit_url": url,
              "backend_url": f"http://127.0.0.1:{own.port}", "timeout": 3600,
              "livekit_node": "", "event": "token_minted"}
    assert {k: token[k] for k in wanted} == wanted
    wanted = {"level": "info", "method": "POST", "route": "/api/v1/rooms", "status": 200, "uid": alice,
              "room_id": room, "livekit_url": url, "error": ""}
    assert {k: done[k] for k in wanted} == wanted
    assert 0 < done["db_ms"] < done["ms"] and done["n_sql"] >= 3


def test_join(api, own, logs, fresh):
    alice, bob = fresh("alice"), fresh("bob")
    room = api.post("/rooms", {"creator": alice, "uids": [bob]}).json()["room_id"]
    answer = api.post(f"/rooms/{room}/join", {"uid": bob, "device_type": "web", "ttl_s": 60},
                      headers={"Accept-Language": "fr"})
    lines = {line["msg"]: line for line in lines_of(logs, answer)}
    joined, token, done = (lines[msg] for msg in ("参与者加入房间成功", "LiveKit Token 生成成功", "请求完成"))
    assert (keys_of(joined), keys_of(token), keys_of(done)) == (JOINED, TOKEN, DONE)
    wanted = {"level": "info", "room_id": room, "uid": bob, "creator": alice,
              "livekit_url": f"ws://127.0.0.1:{own.port}", "room_status": 0, "language": "fr-FR",
              "livekit_node": "", "event": "participant_joined"}
    assert {k: joined[k] for k in wanted} == wanted
    assert (token["uid"], token["device_type"], token["timeout"]) == (bob, "web", 60)
    assert (done["route"], done["uid"], done["room_id"]) == ("/api/v1/rooms/{room_id}/join", bob, room)


def test_a_token_line_on_every_path(api, logs, fresh):
    """create, join by path and body, each call of sync, refresh, /token."""
    bob, rooms = fresh("bob"), []
    for _ in range(3):
        answer = api.post("/rooms", {"creator": fresh("alice"), "max_participants": 9})
        rooms.append(answer.json()["room_id"])
        assert len(lines_of(logs, answer, "LiveKit Token 生成成功")) == 1
    answers = [api.post(f"/rooms/{rooms[0]}/join", {"uid": bob}),
               api.post("/participants/join", {"room_id": rooms[1], "uid": bob}),
               api.post("/token", {"room_name": rooms[2], "participant_identity": bob}),
               api.post(f"/rooms/{rooms[0]}/token", {"uid": bob})]
    for answer in answers:
        [line] = lines_of(logs, answer, "LiveKit Token 生成成功")
        assert (line["uid"], keys_of(line)) == (bob, TOKEN)
    answer = api.get(f"/rooms/sync?uid={bob}")
    assert len(answer.json()) == 3
    assert [line["room_id"] for line in lines_of(logs, answer, "LiveKit Token 生成成功")] == rooms
    # Made by /token, an open call is told as every other.
    answer = api.post("/token", {"room_name": fresh("room"), "participant_identity": fresh()})
    assert [len(lines_of(logs, answer, msg)) for msg in ("房间创建成功", "参与者加入房间成功", "LiveKit Token 生成成功")] == [1, 1, 1]


def test_livekit_url_on_every_request_that_assigned_one(api, own, logs, fresh):
    bob = fresh("bob")
    room = api.post("/rooms", {"creator": fresh("alice"), "uids": [bob]}).json()["room_id"]
    url = f"ws://127.0.0.1:{own.port}"
    asked = [("POST", f"/rooms/{room}/join", {"uid": bob}, url),
             ("POST", f"/rooms/{room}/token", {"uid": bob}, url), ("GET", f"/rooms/sync?uid={bob}", None, url),
             ("GET", f"/rooms/{room}", None, ""), ("GET", "/rooms", None, ""),
             ("POST", f"/rooms/{room}/leave", {"uid": bob}, ""), ("GET", "/health", None, "")]
    for method, path, body, wanted in asked:
        answer = api.request(method, path, body)
        [done] = lines_of(logs, answer, "请求完成")
        assert (done["livekit_url"], done["level"]) == (wanted, "info" if wanted else "debug"), path
        for line in lines_of(logs, answer):
            if line["msg"] != "请求完成":
                assert line["livekit_url"] == url


def test_one_closing_line_for_every_request(api, own, logs, fresh):
    """Also for those that were refused, before or after a route was found."""
    room = fresh("none")
    asked = [
        ("GET", f"/rooms/{room}", {}, "/api/v1/rooms/{room_id}", 404, "room_not_found", "info"),
        ("GET", "/nothing", {}, "", 404, "not_found", "info"),
        ("PATCH", "/rooms", {}, "", 405, "method_not_allowed", "info"),
        ("GET", "/rooms", {"key": None}, "/api/v1/rooms", 401, "unauthorized", "info"),
        ("GET", "/rooms", {"ticket": "x"}, "/api/v1/rooms", 403, "forbidden", "info"),
        ("POST", "/rooms", {"json": {}}, "/api/v1/rooms", 400, "invalid_parameters", "info"),
        ("POST", "/rooms", {"data": b"<", "headers": {"Content-Type": "text/xml"}}, "/api/v1/rooms", 415,
         "unsupported_media_type", "info"),
        ("OPTIONS", "/rooms", {}, "", 204, "", "debug"),
        ("HEAD", "/rooms", {}, "/api/v1/rooms", 200, "", "debug"),
        ("GET", "/api/rooms/sync?uid=x", {}, "/api/v1/rooms/sync", 200, "", "debug"),
        ("GET", "/migrations/status/", {}, "/api/v1/migrations/status", 200, "", "debug")]
    for method, path, more, route, status, error, level in asked:
        answer = api.request(method, path, **more)
        assert answer.status_code == status
        [done] = lines_of(logs, answer)
        assert keys_of(done) == DONE
        said = tuple(done[key] for key in ("method", "route", "status", "error", "level"))
        assert said == (method, route, status, error, level), path
    answer = api.get("/readyz", root=True, key=None)
    assert lines_of(logs, answer, "请求完成")[0]["route"] == "/readyz"


def test_a_peers_failure_is_a_warning(api, own, logs, fresh):
    bob = fresh("bob")
    room = api.post("/rooms", {"creator": fresh(), "uids": [bob]}).json()["room_id"]
    with own.db() as db:
        with_media(db, room, bob)
    answer = api.post(f"/rooms/{room}/participants/{bob}/mute", {})
    assert answer.status_code == 503
    lines = lines_of(logs, answer)
    wanted = [("warn", "livekit_api_failed"), ("warn", "request_done")]
    assert [(one["level"], one["event"]) for one in lines] == wanted
    assert lines[1]["error"] == "unavailable"


def test_livekits_events(api, own, logs, fresh):
    bob = fresh("bob")
    room = api.post("/rooms", {"creator": fresh(), "uids": [bob]}).json()["room_id"]
    body = json.dumps({"event": "participant_joined", "id": fresh("EV"), "createdAt": str(int(time.time())),
                       "room": {"name": room, "sid": "RM_1"},
                       "participant": {"identity": bob, "sid": "PA_1",
                                       "joinedAtMs": str(int(time.time() * 1000))}}).encode()
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    token = jwt.encode({"iss": own.env["LIVEKIT_API_KEY"], "exp": int(time.time()) + 60, "sha256": digest},
                       own.env["LIVEKIT_API_SECRET"], "HS256")
    answer = api.post("/webhooks/livekit", data=body, key=None,
                      headers={"Authorization": token, "Content-Type": "application/webhook+json"})
    assert answer.status_code == 200
    [line] = lines_of(logs, answer, "LiveKit 事件")
    check_frame(line)
    wanted = {"level": "info", "event": "participant_joined", "room_id": room, "uid": bob, "node": ""}
    assert {k: line[k] for k in wanted} == wanted


# ---- as operators look ----

def grep(*args):
    done = subprocess.run(["grep", *args], text=True, capture_output=True)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.splitlines()


def test_grep_finds_them(api, own, logs, fresh):
    """Raw UTF-8, no escaped slashes: the texts, a user, a room, as they are written."""
    alice, bob = fresh("用户"), fresh("bob")
    answer = api.post("/rooms", {"creator": alice, "uids": [bob], "room_id": fresh("房间")})
    room, log = answer.json()["room_id"], own.env["APP_LOG"]
    lines_of(logs, answer)
    assert len(grep(alice, log)) == 3 and len(grep(room, log)) == 3
    mine = [line for line in grep("-E", "LiveKit|livekit_url", log) if alice in line]
    assert len(mine) == 3
    assert [line for line in grep("LiveKit Token 生成成功", log) if room in line]
    url = f'"livekit_url":"ws://127.0.0.1:{own.port}"'
    assert [line for line in grep("房间创建成功", log) if url in line and room in line]
    lines_of(logs, api.post(f"/rooms/{room}/join", {"uid": bob}))
    assert [line for line in grep("参与者加入房间成功", log) if bob in line]


def test_every_line_is_one_object(own, api):
    for line in pathlib.Path(own.env["APP_LOG"]).read_text().splitlines():
        pairs = json.loads(line, object_pairs_hook=list)
        assert len({key for key, _ in pairs}) == len(pairs), "a key twice"
        check_frame(dict(pairs))
        assert dict(pairs)["event"]


# ---- nginx's log beside it ----

def test_access_log(api, own, logs, access, fresh):
    alice = fresh("爱丽丝")
    answer = api.post("/rooms?lang=fr&secret=hidden", {"creator": alice})
    room, request_id = answer.json()["room_id"], answer.headers["X-Request-Id"]
    line = access.wait_for(request_id=request_id)
    assert keys_of(line) == ACCESS
    wanted = {"remote_addr": "127.0.0.1", "method": "POST", "uri": "/api/v1/rooms", "status": 200,
              "livekit_url": f"ws://127.0.0.1:{own.port}", "livekit_node": "",
              "room": room, "upstream_status": "200"}
    assert {k: line[k] for k in wanted} == wanted
    assert line["upstream_addr"].startswith("unix:") and type(line["request_time"]) is float
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00", line["time"])
    # The three names are the log's: clients do not see them.
    assert not {"X-LiveKit-Url", "X-LiveKit-Node", "X-Room-Id"} & set(answer.headers)


def test_access_log_of_the_rest(api, own, access, fresh):
    """Errors of nginx's own, and media signalling, whose query holds the token."""
    made = api.post("/rooms", {"creator": fresh()}).json()
    token, its_room = made["token"], made["room_id"]
    asked = [("GET", "/rtc?access_token=" + token, 503, its_room),
             ("GET", "/rtc/validate?access_token=" + token, 503, its_room),
             ("POST", "/api/v1/tickets", 413, ""), ("GET", "/api/v1/none?x=" + token, 404, "")]
    for method, path, status, room in asked:
        answer = api.request(method, path, root=True, data=b"x" * 70000 if status == 413 else None, key=None)
        assert answer.status_code == status
        line = access.wait_for(request_id=answer.headers["X-Request-Id"])
        assert keys_of(line) == ACCESS
        said = tuple(line[key] for key in ("method", "uri", "status", "room"))
        assert said == (method, path.partition("?")[0], status, room)


def test_one_request_can_be_followed(api, own, logs, access, fresh):
    """One id in the answer's header, in an error's body, in the application's log and in nginx's."""
    for path, status in (("/health", 200), ("/rooms/none", 404)):
        answer = api.get(path, headers={"X-Request-Id": "chosen-by-the-client"})
        request_id = answer.headers["X-Request-Id"]
        assert re.fullmatch("[0-9a-f]{32}", request_id) and answer.status_code == status
        assert answer.json().get("request_id", request_id) == request_id
        assert len(lines_of(logs, answer)) == 1
        assert access.wait_for(request_id=request_id)["status"] == status
    assert len({api.get("/health").headers["X-Request-Id"] for _ in range(5)}) == 5


# ---- levels ----

def test_log_level_filters(worker, stack, fresh):
    at = worker(LOG_LEVEL="warn")
    assert at.post("/rooms", {"creator": fresh()}, key=stack.env["TGO_KEY"]).status_code == 200
    assert at.get("/rooms").status_code == 401
    assert all(line["level"] in ("warn", "error") for line in at.service.lines())
    at = worker(LOG_LEVEL="info")
    assert at.get("/health").status_code == 200
    assert at.get("/rooms").status_code == 401
    assert [line["status"] for line in at.service.lines("request_done")] == [401]


# ---- and never a secret ----

def test_no_secret_in_any_log(api, own, fresh, logs):
    """Everything this module sent and got, and everything it is configured with, in no file below log/."""
    key, ops = own.env["TGO_KEY"], own.env["TGO_OPS_KEY"]
    ticket = api.post("/tickets", {"uid": fresh()}).json()["ticket"]
    room = api.post("/rooms", {"creator": fresh("alice"), "metadata": {"note": "metadata-secret-note"}}).json()
    api.secrets.add("metadata-secret-note")
    # Where people put them by mistake, and where something fails afterwards.
    for secret in (key, ticket, room["token"]):
        api.get(f"/rooms?access_token={secret}&limit=x")
        api.get(f"/rooms/sync?uid=a&token={secret}")
        api.get("/rooms", key=None, headers={"Authorization": secret})
        api.get("/rooms", key=None, headers={"Authorization": f"Basic {secret}"})
        api.get("/rooms", key=None, headers={"Authorization": f"Bearer {secret}x"})
        api.post("/rooms", {"creator": 1, "token": secret})
        api.post("/rooms", data=('{"creator":"' + secret).encode())
        api.post("/webhooks/livekit", {"event": "x"}, key=None, headers={"Authorization": secret})
        api.request("PATCH", "/rooms", headers={"X-Api-Key": secret})
        requests.get(f"{own.url}/rtc?access_token={secret}", timeout=10)
        requests.post(f"{own.url}/twirp/livekit.RoomService/ListRooms",
                      headers={"Authorization": f"Bearer {secret}"}, timeout=10)
    api.post(f"/rooms/{room['room_id']}/participants/{room['creator']}/mute", {})
    lines_of(logs, api.get("/health"))
    secrets = {s for s in api.secrets if len(s) > 8} | {key, ops, ticket, own.ticket_secret,
                                                        own.env["LIVEKIT_API_SECRET"], own.env["DB_PASSWORD"]}
    assert len(secrets) > 20
    files = [path for path in (own.var / "log").rglob("*") if path.is_file()]
    assert {own.env["APP_LOG"], own.env["NGINX_ACCESS_LOG"]} <= {str(path) for path in files}
    for path in files:
        text = path.read_text(errors="replace")
        for secret in secrets:
            assert secret not in text, (path.name, secret[:12])
        assert not re.search(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", text), path.name


def test_no_token_of_our_calls_to_livekit(worker, stack, fresh, db):
    """Nor the one that a worker shows to LiveKit, when LiveKit answers oddly."""
    livekit = FakeLiveKit(stack.env["LIVEKIT_API_SECRET"])
    try:
        at = worker(LIVEKIT_URL=livekit.url)
        bob, key = fresh("bob"), stack.env["TGO_KEY"]
        room = at.post("/rooms", {"creator": fresh(), "uids": [bob]}, key=key).json()["room_id"]
        livekit.people[room, bob] = [{"sid": "TR", "source": "CAMERA", "muted": False}]
        with_media(db, room, bob)
        livekit.refuse = 500
        assert at.post(f"/rooms/{room}/participants/{bob}/mute", {}, key=key).status_code == 503
        text = at.service.log.read_text()
        assert "livekit_api_failed" in text and "eyJ" not in text
    finally:
        livekit.stop()
