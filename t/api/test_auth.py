"""Who may call what: the who-column of the contract as a table, and what makes a key or a ticket one.

The table is written here from the contract and not from the program. SPDX-License-Identifier: MIT
"""
import base64
import hashlib
import hmac
import json
import subprocess
import time

import jwt
import pytest

from support.client import Api
from support.direct import digest
from support.fake_livekit import with_media
from support.shapes import ERROR, check, check_error

# In the call R: alice created it and is in it, bob is in it, dave rings, carol refused. zoe and erin have
# no place in it. SELF is who the request is about (bob where nothing else is said).
#
# self: SELF's ticket      stranger: erin's ticket     row: carol's      creator: alice's
# K routes know no tickets: 403. R routes tell who has no place nothing: 404.
T = {"self": True, "stranger": 403, "row": 403, "creator": 403, "open": True, "lan": True}
K = {"self": 403, "stranger": 403, "row": 403, "creator": 403, "open": True, "lan": True}
R = {"self": True, "stranger": 404, "row": True, "creator": True, "open": True, "lan": True}
R_ACTIVE = {**R, "row": 403}
C = {**R, "self": 403, "row": 403}
R_ITSELF_OR_C = {**R, "row": 403}
REAL_KEY = {**K, "open": 403}
# An operator's key alone.
O = {**K, "key": 403, "open": 403, "lan": 403}

ENDPOINTS = [
    # method, path, body, who, what an allowed caller is answered, SELF
    ("POST", "/rooms", {"creator": "ZOE"}, T, 200, "ZOE"),
    ("GET", "/rooms", None, K, 200, "BOB"),
    ("GET", "/rooms/sync?uid=BOB", None, T, 200, "BOB"),
    ("GET", "/rooms/R", None, R, 200, "BOB"),
    ("GET", "/rooms/R/participants", None, R, 200, "BOB"),
    ("GET", "/rooms/R/participants/ALICE", None, R, 200, "BOB"),
    ("POST", "/rooms/R/join", {"uid": "BOB"}, T, 200, "BOB"),
    ("POST", "/rooms/R/leave", {"uid": "BOB"}, T, 200, "BOB"),
    ("POST", "/rooms/R/reject", {"uid": "DAVE"}, T, 200, "DAVE"),
    ("POST", "/rooms/R/invite", {"uids": ["ZOE"]}, R_ACTIVE, 200, "BOB"),
    ("POST", "/rooms/R/token", {"uid": "BOB"}, T, 200, "BOB"),
    ("POST", "/rooms/R/end", None, C, 200, "BOB"),
    ("DELETE", "/rooms/R/participants/BOB", None, C, 200, "BOB"),
    # No media node here: who may mute learns that, who may not does not.
    ("POST", "/rooms/R/participants/BOB/mute", {}, R_ITSELF_OR_C, 503, "BOB"),
    ("PUT", "/rooms/R/status", {"status": 1}, K, 200, "BOB"),
    ("PUT", "/rooms/R/participants/BOB/status", {"status": 3}, K, 200, "BOB"),
    ("POST", "/participants/join", {"room_id": "R", "uid": "BOB"}, T, 200, "BOB"),
    ("POST", "/participants/leave", {"room_id": "R", "uid": "BOB"}, T, 200, "BOB"),
    ("POST", "/participants/calling", {"uids": ["BOB"]}, K, 200, "BOB"),
    ("GET", "/users/BOB/calls", None, T, 200, "BOB"),
    ("POST", "/token", {"room_name": "R", "participant_identity": "BOB"}, T, 201, "BOB"),
    ("POST", "/tickets", {"uid": "BOB"}, REAL_KEY, 200, "BOB"),
    ("GET", "/webhooks/logs", None, K, 200, "BOB"),
    ("GET", "/webhooks/logs/stats", None, K, 200, "BOB"),
    ("POST", "/webhooks/logs/cleanup", {"retention_days": 36500}, O, 200, "BOB"),
    ("GET", "/webhooks/endpoints", None, K, 200, "BOB"),
    # Nobody has such a receiver, or such an event: who may ask learns that.
    ("POST", "/webhooks/endpoints/0000000000000000/enable", None, O, 404, "BOB"),
    ("GET", "/events", None, K, 200, "BOB"),
    ("POST", "/events/redeliver", {"since": 1, "until": 2}, O, 200, "BOB"),
    ("POST", "/events/00000000-0000-7000-8000-000000000000/redeliver", None, O, 404, "BOB"),
    ("GET", "/nodes", None, K, 200, "BOB"),
    # Nor is there such a node.
    ("GET", "/nodes/none", None, K, 404, "BOB"),
    ("POST", "/nodes/none/drain", None, O, 404, "BOB"),
    ("POST", "/nodes/none/undrain", None, O, 404, "BOB"),
    ("GET", "/migrations/history", None, K, 200, "BOB"),
    ("GET", "/migrations/status", None, K, 200, "BOB"),
]
PUBLIC = ["/health", "/readyz", "/metrics", "/docs", "/openapi.json", "/api/v1/health", "/api/v1/readyz", "/api/v1/docs",
          "/api/v1/openapi.json",
          "/swagger/index.html", "/api/docs/swagger.json"]
CALLERS = ["none", "wrong-key", "no-bearer", "key", "ops", "self", "stranger", "row", "creator", "expired",
           "forged", "open", "lan"]
KEYS = {401: "unauthorized", 403: "forbidden", 404: "room_not_found"}


@pytest.fixture
def scene(call, fresh, db):
    """The people and the call of the table."""
    names = {name: fresh(name.lower()) for name in ("ALICE", "BOB", "CAROL", "DAVE", "ERIN", "ZOE")}
    answer = call.post("/rooms", {"creator": names["ALICE"],
                                  "uids": [names["BOB"], names["CAROL"], names["DAVE"]], "max_participants": 9})
    room = names["R"] = answer.json()["room_id"]
    for path, who in (("join", "ALICE"), ("join", "BOB"), ("reject", "CAROL")):
        assert call.post(f"/rooms/{room}/{path}", {"uid": names[who]}).status_code == 200
    with_media(db, room, names["BOB"])
    return names


@pytest.fixture(scope="module")
def open_worker(worker):
    return worker(AUTH_MODE="open")


@pytest.fixture(scope="module")
def lan_worker(worker):
    return worker(AUTH_OPEN_NETWORKS="127.0.0.0/8, 10.1.2.0/24, fd00::/8")


def put(value, names):
    if isinstance(value, dict):
        return {k: put(v, names) for k, v in value.items()}
    if isinstance(value, list):
        return [put(v, names) for v in value]
    return names.get(value, value) if isinstance(value, str) else value


def path_of(path, names):
    path, _, query = path.partition("?")
    path = "/".join(names.get(part, part) for part in path.split("/"))
    name, _, value = query.partition("=")
    return f"{path}?{name}={names.get(value, value)}" if query else path


def ask(call, caller, who, method, path, body, **more):
    """The request as that caller sends it, through nginx."""
    uid = {"self": who["SELF"], "stranger": who["ERIN"], "row": who["CAROL"], "creator": who["ALICE"]}.get(caller)
    header = {
        "none": None,
        "wrong-key": "Bearer " + "x" * 48,
        "no-bearer": call.stack.env["TGO_KEY"],
        "key": "Bearer " + call.stack.env["TGO_KEY"],
        "ops": "Bearer " + call.stack.env["TGO_OPS_KEY"],
        "expired": "Bearer " + call.ticket(who["SELF"], ttl=-61),
        "forged": "Bearer " + call.ticket(who["SELF"], secret="x" * 64),
    }[caller] if uid is None else "Bearer " + call.ticket(uid)
    return call.request(method, path, body, key=None, headers={"Authorization": header} if header else {}, **more)


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("method, path, body, who, status, self", ENDPOINTS,
                         ids=[f"{e[0]}{e[1]}" for e in ENDPOINTS])
def test_who(call, scene, stored, open_worker, lan_worker, caller, method, path, body, who, status, self):
    names = {**scene, "SELF": scene[self]}
    path, body = path_of(path, names), put(body, names)
    before = stored()
    if caller in ("open", "lan"):
        answer = (open_worker if caller == "open" else lan_worker).request(method, path, body)
        call.document.check_answer(method, "/api/v1" + path.partition("?")[0], answer)
    else:
        answer = ask(call, caller, names, method, path, body)
    wanted = {"key": True, "ops": True}.get(caller, 401) if caller not in who else who[caller]
    if wanted is True:
        assert answer.status_code == status, answer.text
        return
    error = check_error(answer, wanted, KEYS[wanted])
    check(error, {**ERROR, "room_id": str} if "room_id" in error else ERROR)
    assert stored() == before


def test_the_table_is_whole(document):
    """Every route of the document is in the table, with the who the document says."""
    words = {frozenset(("ticket", "key")): T, frozenset(("key",)): K, frozenset(("row", "key")): R,
             frozenset(("active-row", "key")): R_ACTIVE,
             frozenset(("creator", "key")): C, frozenset(("own-row", "creator", "key")): R_ITSELF_OR_C,
             frozenset(("real-key",)): REAL_KEY, frozenset(("ops",)): O}
    seen = set()
    for method, path, _, who, _, _ in ENDPOINTS:
        operation = document.find(method, "/api/v1" + path.partition("?")[0])
        assert words[frozenset(operation["x-who"])] == who, (method, path)
        seen.add(operation["operationId"])
    public = {document.find("GET", path)["operationId"] for path in PUBLIC} | {"receiveLiveKitEvent"}
    assert seen | public == {o["operationId"] for _, _, o in document.operations()}
    assert all(document.find("GET", path)["x-who"] == ["public"] for path in PUBLIC)


@pytest.mark.parametrize("caller", CALLERS[:-2])
@pytest.mark.parametrize("path", PUBLIC)
def test_public(call, scene, caller, path):
    assert ask(call, caller, {**scene, "SELF": scene["BOB"]}, "GET", path, None, root=True).status_code == 200
    assert call.get(path, root=True, key="nonsense").status_code == 200


@pytest.mark.parametrize("caller", CALLERS[:-2])
def test_webhooks_know_signatures_only(call, scene, caller):
    """A key of ours is none of LiveKit's."""
    answer = ask(call, caller, {**scene, "SELF": scene["BOB"]}, "POST", "/webhooks/livekit",
                 {"event": "room_started"})
    check_error(answer, 401, "unauthorized")


# ---- every refusal says the same ----

def test_refusals_tell_nothing(call, scene):
    """Why it was refused stands in no answer: not whether a key exists, a ticket is old, a call is there."""
    names = {**scene, "SELF": scene["BOB"]}
    bodies = []
    for caller in ("none", "wrong-key", "no-bearer", "expired", "forged"):
        for method, path, body in (("GET", f"/rooms/{scene['R']}", None), ("GET", "/rooms/no-such-call", None),
                                   ("POST", "/rooms", {"creator": 1})):
            answer = ask(call, caller, names, method, path, body)
            bodies.append({k: v for k, v in answer.json().items() if k != "request_id"})
    assert all(body == bodies[0] for body in bodies)
    for method, path, body in (("GET", "", None), ("GET", "/participants", None),
                               ("GET", "/participants/x", None), ("POST", "/invite", {"uids": []}),
                               ("POST", "/end", None), ("DELETE", "/participants/x", None),
                               ("POST", "/leave", {}), ("POST", "/reject", {}),
                               ("POST", "/participants/x/mute", {})):
        said = []
        for room in (scene["R"], "no-such-call"):
            answer = call.request(method, f"/rooms/{room}{path}", body, ticket=scene["ERIN"])
            said.append({**check_error(answer, 404, "room_not_found"), "request_id": 0})
            assert said[-1].pop("room_id") == room
        assert said[0] == said[1]


def test_a_stranger_learns_nothing_of_a_call_that_is_over(call, scene):
    """Leaving such a call is no error, and answers with the call: to those who were in it."""
    assert call.post(f"/rooms/{scene['R']}/end").status_code == 200
    for path, body in ((f"/rooms/{scene['R']}/leave", {}), (f"/rooms/{scene['R']}/reject", {}),
                       ("/participants/leave", {"room_id": scene["R"]})):
        check_error(call.post(path, body, ticket=scene["ERIN"]), 404, "room_not_found")
        answer = call.post(path, body, ticket=scene["BOB"])
        assert answer.status_code == 200 and answer.json()["room_id"] == scene["R"]
        assert call.post(path, {**body, "uid": scene["ERIN"]}).status_code == 200


def test_unauthorized_before_the_body_is_read(call, worker):
    """Nobody's megabytes are looked at."""
    at = worker()
    check_error(at.post("/rooms", data=b"{" * 300_000), 401, "unauthorized")
    check_error(at.post("/rooms", data=b"x", content_type="text/plain"), 401, "unauthorized")


# ---- tickets ----

CLAIMS = [
    ({}, True), ({"exp": 30}, True), ({"exp": -30}, True), ({"exp": -61}, False), ({"exp": None}, False),
    ({"exp": "later"}, False),
    ({"nbf": 30}, True), ({"nbf": 90}, False), ({"nbf": "soon"}, False), ({"iat": None}, True),
    ({"sub": None}, False), ({"sub": 17}, False), ({"sub": ""}, False),
    ({"sub": "x" * 41}, False), ({"sub": " x"}, False), ({"sub": "a\nb"}, False), ({"sub": ["x"]}, False),
    ({"sub": "字" * 40}, True),
    ({"device_id": "phone"}, True), ({"device_id": "x" * 65}, False), ({"device_id": 1}, False),
    ({"device_id": ""}, False), ({"aud": "someone", "iss": "any"}, True),
]


@pytest.mark.parametrize("change, good", CLAIMS, ids=range(len(CLAIMS)))
def test_claims(call, stack, change, good):
    now = int(time.time())
    claims = {"sub": "claimant", "exp": now + 60, "iat": now}
    for name, value in change.items():
        if value is None:
            claims.pop(name, None)
        else:
            claims[name] = now + value if name in ("exp", "nbf") and isinstance(value, int) else value
    answer = call.get("/rooms/sync", ticket=signed_anyway(claims, stack.ticket_secret))
    if good:
        assert answer.status_code == 200, answer.text
    else:
        check_error(answer, 401, "unauthorized")


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed_anyway(claims, secret):
    """PyJWT refuses to sign what it knows to be wrong."""
    return jwt.api_jws.encode(json.dumps(claims).encode(), secret, "HS256")


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_other_algorithms(call, stack, algorithm):
    claims = {"sub": "claimant", "exp": int(time.time()) + 60}
    token = jwt.encode(claims, None if algorithm == "none" else stack.ticket_secret, algorithm)
    check_error(call.get("/rooms/sync", headers={"Authorization": f"Bearer {token}"}), 401, "unauthorized")


def test_ticket_of_ours_is_one(call, fresh):
    uid = fresh()
    made = call.post("/tickets", {"uid": uid, "device_id": "phone-1"}).json()
    claims = jwt.decode(made["ticket"], call.stack.ticket_secret, ["HS256"])
    assert claims == {"sub": uid, "exp": made["expires_at"], "iat": made["expires_at"] - 3600,
                      "device_id": "phone-1"}
    room = call.post("/rooms", {}, ticket=made["ticket"]).json()
    assert room["creator"] == uid
    assert call.get(f"/rooms/{room['room_id']}/participants/{uid}").json()["device_id"] == "phone-1"


def test_a_tickets_device_is_the_default(call, fresh):
    uid = fresh()
    one, two = call.ticket(uid, device_id="one"), call.ticket(uid, device_id="two")
    room = call.post("/rooms", {"max_participants": 9}, ticket=one).json()["room_id"]
    call.post(f"/rooms/{room}/join", {}, ticket=one)
    assert len(call.get("/rooms/sync", ticket=one).json()) == 1
    assert call.get("/rooms/sync", ticket=two).json() == []
    assert call.post(f"/rooms/{room}/leave", {}, ticket=two).json()["participants"][0]["status"] == 1
    assert call.post(f"/rooms/{room}/leave", {}, ticket=one).json()["participants"][0]["status"] == 3


def test_creator_who_left_is_none(call, scene):
    room = scene["R"]
    call.post(f"/rooms/{room}/leave", {"uid": scene["ALICE"]})
    check_error(call.post(f"/rooms/{room}/end", ticket=scene["ALICE"]), 403, "forbidden")
    check_error(call.delete(f"/rooms/{room}/participants/{scene['BOB']}", ticket=scene["ALICE"]), 403,
                "forbidden")


def test_invitations_are_of_who_sends_them(call, scene):
    path = f"/rooms/{scene['R']}/invite"
    check_error(call.post(path, {"uids": [scene["ZOE"]], "by": scene["ALICE"]}, ticket=scene["BOB"]), 403,
                "forbidden")
    assert call.post(path, {"uids": [scene["ZOE"]], "by": scene["BOB"]}, ticket=scene["BOB"]).status_code == 200


# ---- keys ----

@pytest.mark.parametrize("header, good", [
    ("Bearer {key}", True), ("bearer {key}", True), ("BEARER {key}", True), ("Bearer  {key}", True),
    ("Bearer {key} ", True),
    ("{key}", False), ("Basic {key}", False), ("Bearer{key}", False), ("Bearer", False), ("Bearer ", False),
    ("Bearer {sha}", False), ("Bearer {upper}", False),
    ("Bearer {key}x", False), ("Bearer {short}", False), ("Bearer {key} {key}", False), ("Token {key}", False)])
def test_header(call, header, good):
    key = call.stack.env["TGO_KEY"]
    value = header.format(key=key, sha=digest(key), upper=key.upper(), short=key[:-1])
    answer = call.get("/migrations/status", key=None, headers={"Authorization": value})
    if good:
        assert answer.status_code == 200
    else:
        check_error(answer, 401, "unauthorized")


def test_several_keys(worker):
    """Rotation without a gap: both keys are good until one is taken out."""
    keys = ["first-key-first-key", "second-key-second-key"]
    at = worker(API_KEYS=",".join(f"k{i}:{digest(k)}" for i, k in enumerate(keys)))
    assert [at.get("/rooms", key=k).status_code for k in (*keys, "third")] == [200, 200, 401]
    at = worker(API_KEYS=f"k:{digest(keys[1])}")
    assert [at.get("/rooms", key=k).status_code for k in keys] == [401, 200]


def test_no_secret_no_tickets(worker, stack, fresh):
    """Anybody can sign with an empty secret."""
    at = worker(TICKET_SECRET="")
    claims = {"sub": fresh(), "exp": int(time.time()) + 60}
    head_and_claims = jwt.encode(claims, "x" * 32, "HS256").rpartition(".")[0]
    empty = head_and_claims + "." + base64url(hmac.digest(b"", head_and_claims.encode(), "sha256"))
    check_error(at.get("/rooms/sync", ticket=empty), 401, "unauthorized")
    check_error(at.get("/rooms/sync", ticket=jwt.encode(claims, stack.ticket_secret, "HS256")), 401,
                "unauthorized")
    check_error(at.post("/tickets", {"uid": fresh()}, key=stack.env["TGO_KEY"]), 503, "unavailable")


# ---- the other ways in ----

@pytest.mark.parametrize("address, good", [
    ("127.0.0.1", True), ("127.9.9.9", True), ("10.1.2.0", True), ("10.1.2.255", True), ("10.1.3.0", False),
    ("fd00::1", True), ("fdff::1", True),
    ("fe80::1", False), ("::1", False), ("::ffff:127.0.0.1", True), ("192.0.2.1", False), ("", False),
    ("unix:", False)])
def test_open_networks(lan_worker, stack, fresh, address, good):
    answer = lan_worker.post("/rooms", {"creator": fresh()}, address=address)
    if good:
        assert answer.status_code == 200, answer.text
        assert lan_worker.post("/tickets", {"uid": fresh()}, address=address).status_code == 200
        # Who shows something shows something good.
        check_error(lan_worker.get("/rooms", key="wrong", address=address), 401, "unauthorized")
    else:
        check_error(answer, 401, "unauthorized")
        assert lan_worker.get("/rooms", key=stack.env["TGO_KEY"], address=address).status_code == 200


def test_open_mode(open_worker, stack, call, fresh):
    assert open_worker.post("/rooms", {"creator": fresh()}).status_code == 200
    assert open_worker.get("/rooms").status_code == 200
    check_error(open_worker.post("/tickets", {"uid": fresh()}), 403, "forbidden")
    assert open_worker.post("/tickets", {"uid": fresh()}, key=stack.env["TGO_KEY"]).status_code == 200
    check_error(open_worker.get("/rooms", key="wrong"), 401, "unauthorized")
    check_error(open_worker.get("/rooms", ticket=call.ticket(fresh())), 403, "forbidden")
    assert [line["level"] for line in open_worker.service.lines("auth_open")] == ["warn"]


@pytest.fixture(scope="module")
def closed_join(worker):
    return worker(TICKET_OPEN_JOIN="false")


def test_ticket_open_join_false(closed_join, call, scene, stack, fresh):
    """Who knows the id of an open call may come in with a key, not with a ticket."""
    room, erin = scene["R"], scene["ERIN"]
    for path, body in ((f"/rooms/{room}/join", {}), ("/participants/join", {"room_id": room})):
        check_error(closed_join.post(path, body, ticket=call.ticket(erin)), 403, "forbidden")
    check_error(closed_join.post("/token", {"room_name": room}, ticket=call.ticket(erin)), 403, "forbidden")
    check_error(closed_join.post("/token", {"room_name": fresh("new")}, ticket=call.ticket(erin)), 403,
                "forbidden")
    # With a place in the call, invited or refused before, the door is open.
    for name in ("DAVE", "CAROL", "BOB"):
        assert closed_join.post(f"/rooms/{room}/join", {}, ticket=call.ticket(scene[name])).status_code == 200
    assert closed_join.post("/token", {"room_name": room}, ticket=call.ticket(scene["BOB"])).status_code == 201
    assert closed_join.post(f"/rooms/{room}/join", {"uid": erin}, key=stack.env["TGO_KEY"]).status_code == 200
    assert call.post(f"/rooms/{room}/join", {}, ticket=scene["ZOE"]).status_code == 200


def test_open_stack_through_nginx(make_stack, fresh):
    """An old demo app on a closed network: no header, through nginx."""
    own = make_stack(AUTH_MODE="open")
    api = Api(own)
    assert api.post("/rooms", {"creator": fresh()}, key=None).status_code == 200
    check_error(api.post("/tickets", {"uid": fresh()}, key=None), 403, "forbidden")


# ---- nobody may call: no start ----

def refused_start(stack, folder, **env):
    """What a worker says that must not start."""
    done = subprocess.run([f"{stack.env['TGO_BIN']}/tgo-call-worker", "--listen", f"unix:{folder}/s"], cwd=folder,
                          timeout=20, text=True, capture_output=True, stdin=subprocess.DEVNULL,
                          env={"DB_SOCKET": stack.env["DB_SOCKET"], "LOG_FILE": str(folder / "log"), **env})
    assert done.returncode != 0
    assert not (folder / "s").exists()
    return done.stderr


@pytest.mark.parametrize("env", [{}, {"AUTH_MODE": "key"}, {"API_KEYS": "", "AUTH_OPEN_NETWORKS": ""},
                                 {"TICKET_SECRET": "x" * 40}])
def test_refuses_to_start(stack, tmp_path, env):
    said = refused_start(stack, tmp_path, **env)
    assert "API_KEYS=" in said and "AUTH_OPEN_NETWORKS=" in said and "AUTH_MODE=open" in said


def test_the_lines_to_paste_work(stack, tmp_path, worker):
    """What the refusal says to paste makes it start."""
    line = next(line for line in refused_start(stack, tmp_path).splitlines() if "AUTH_OPEN_NETWORKS=" in line)
    networks = line.partition("AUTH_OPEN_NETWORKS=")[2].split("#")[0].strip()
    at = worker(API_KEYS="", AUTH_OPEN_NETWORKS=networks)
    assert at.service.get().status == 200


@pytest.mark.parametrize("name, value", [
    ("API_KEYS", "nocolon"), ("API_KEYS", "a:short"), ("API_KEYS", "a:" + "g" * 64),
    ("AUTH_OPEN_NETWORKS", "10.0.0.0/33"), ("AUTH_OPEN_NETWORKS", "all"),
    ("AUTH_MODE", "closed"), ("LEGACY_STATUS", "perhaps")])
def test_bad_settings_do_not_start(stack, tmp_path, name, value):
    """One line that names it; a key's line does not say the key."""
    said = refused_start(stack, tmp_path, **{"API_KEYS": "a:" + hashlib.sha256(b"x").hexdigest(), name: value})
    assert name in said
    assert name != "API_KEYS" or value not in said
