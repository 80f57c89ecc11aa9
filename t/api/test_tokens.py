"""LiveKit tokens: what is in them and what is not, by LiveKit's own verifier; refresh, the standard token
endpoint, tickets. SPDX-License-Identifier: MIT"""
import json
import time

import jwt
import pytest
from livekit.api import TokenVerifier

from support.shapes import check_error

GRANTS = {"roomJoin": True, "canPublish": True, "canSubscribe": True, "canPublishData": True}


@pytest.fixture(scope="module")
def verifier(stack):
    return TokenVerifier(stack.env["LIVEKIT_API_KEY"], stack.env["LIVEKIT_API_SECRET"])


@pytest.fixture(scope="module")
def claims_of(stack, verifier):
    """The claims, after the official verifier took the token."""

    def read(token):
        verified = verifier.verify(token)
        claims = jwt.decode(token, stack.env["LIVEKIT_API_SECRET"], ["HS256"],
                            issuer=stack.env["LIVEKIT_API_KEY"])
        assert verified.identity == claims["sub"]
        return claims

    return read


def check_claims(claims, room, uid, device_type="app", device_id=None, ttl=3600):
    """All of a token, and nothing else."""
    assert set(claims) <= {"iss", "sub", "nbf", "iat", "exp", "jti", "name", "metadata", "attributes", "video",
                           "roomConfig"}
    assert (claims["sub"], claims["video"]) == (uid, {"room": room, **GRANTS})
    assert claims["nbf"] == claims["iat"] and claims["exp"] - claims["iat"] == ttl
    assert abs(claims["iat"] - time.time()) < 5
    assert all(type(claims[name]) is int for name in ("nbf", "iat", "exp"))
    assert json.loads(claims["metadata"]) == {"device_type": device_type}
    assert claims["attributes"] == {"device_type": device_type, **({"device_id": device_id} if device_id else {})}
    assert "roomConfig" not in claims


def test_create_join_refresh_sync(call, fresh, claims_of):
    alice, bob = fresh("爱丽丝"), fresh("bob")
    room = call.post("/rooms", {"creator": alice, "uids": [bob], "name": "A \"quoted\" 名", "device_type": "ios",
                                "device_id": "i-1"}).json()
    claims = claims_of(room["token"])
    check_claims(claims, room["room_id"], alice, "ios", "i-1")
    assert claims["name"] == 'A "quoted" 名'
    seen = {claims["jti"]}
    path = f"/rooms/{room['room_id']}"
    claims = claims_of(call.post(path + "/join", {"uid": bob, "ttl_s": 60}).json()["token"])
    check_claims(claims, room["room_id"], bob, ttl=60)
    assert "name" not in claims
    seen.add(claims["jti"])
    claims = claims_of(call.post(path + "/token", {"uid": bob, "ttl_s": 86400}).json()["token"])
    check_claims(claims, room["room_id"], bob, ttl=86400)
    seen.add(claims["jti"])
    for _ in range(2):
        claims = claims_of(call.get(f"/rooms/sync?uid={bob}").json()[0]["token"])
        check_claims(claims, room["room_id"], bob)
        seen.add(claims["jti"])
    assert len(seen) == 5, "each token is one of its own"


def test_no_token_may_do_more_than_join(call, fresh, verifier):
    """roomCreate would let any participant delete rooms."""
    alice, bob, room_id = fresh("alice"), fresh("bob"), fresh("room")
    tokens = [call.post("/rooms", {"creator": alice, "uids": [bob], "room_id": room_id}).json()["token"],
              call.post(f"/rooms/{room_id}/join", {"uid": bob}).json()["token"],
              call.post("/token", {"room_name": fresh("room"),
                                   "room_config": {"max_participants": 3}}).json()["participant_token"]]
    for token in tokens:
        grants = verifier.verify(token).video
        assert grants.room_join is True and grants.room
        for may in ("room_create", "room_list", "room_record", "room_admin", "ingress_admin",
                    "can_update_own_metadata", "recorder", "agent", "hidden",
                    "destination_room", "can_subscribe_metrics"):
            assert not getattr(grants, may, None), may


def test_token_ttl_setting(worker, stack, fresh, claims_of):
    at = worker(TOKEN_TTL="120")
    room = at.post("/rooms", {"creator": fresh()}, key=stack.env["TGO_KEY"]).json()
    claims = claims_of(room["token"])
    assert claims["exp"] - claims["iat"] == 120


def test_first_key_signs(worker, stack, fresh):
    old = f"{stack.env['LIVEKIT_API_KEY']}:{stack.env['LIVEKIT_API_SECRET']}"
    at = worker(LIVEKIT_KEYS=f"newkey:{'n' * 32},{old}")
    token = at.post("/rooms", {"creator": fresh()}, key=stack.env["TGO_KEY"]).json()["token"]
    assert TokenVerifier("newkey", "n" * 32).verify(token).video.room_join


# ---- refresh ----

def test_refresh_is_for_who_is_joined(call, fresh):
    alice, bob = fresh("alice"), fresh("bob")
    room = call.post("/rooms", {"creator": alice, "uids": [bob]}).json()["room_id"]
    path = f"/rooms/{room}/token"
    check_error(call.post(path, {"uid": bob}), 403, "forbidden")                    # rings
    check_error(call.post(path, {"uid": fresh("eve")}), 403, "forbidden")           # nobody
    call.post(f"/rooms/{room}/join", {"uid": bob})
    assert call.post(path, {"uid": bob}).status_code == 200
    assert call.post(path, {}, ticket=bob).status_code == 200
    check_error(call.post(path, {"uid": bob}, ticket=alice), 403, "forbidden")
    call.post(f"/rooms/{room}/leave", {"uid": bob})
    check_error(call.post(path, {"uid": bob}), 403, "forbidden")
    check_error(call.post("/rooms/none/token", {"uid": bob}), 404, "room_not_found")


def test_refresh_changes_nothing(call, fresh, stored):
    bob = fresh("bob")
    room = call.post("/rooms", {"creator": fresh("alice"), "uids": [bob]}).json()["room_id"]
    call.post(f"/rooms/{room}/join", {"uid": bob})
    before = stored()
    assert call.post(f"/rooms/{room}/token", {"uid": bob}).status_code == 200
    assert stored() == before


# ---- LiveKit's standard token endpoint ----

def made(answer):
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_unknown_room_becomes_an_open_call(call, fresh, claims_of):
    room, uid = fresh("room"), fresh("uid")
    body = made(call.post("/token", {"room_name": room, "participant_identity": uid}))
    check_claims(claims_of(body["participant_token"]), room, uid)
    assert body["participant_name"] == ""
    got = call.get(f"/rooms/{room}").json()
    assert (got["creator"], got["invite_on"], got["max_participants"], got["status"]) == (uid, 0, 1000, 0)
    assert [(p["uid"], p["status"]) for p in got["participants"]] == [(uid, 1)]
    other = fresh("other")
    made(call.post("/token", {"room_name": room, "participant_identity": other}))
    assert call.get(f"/rooms/{room}").json()["answered_at"] > 0


def test_everything_the_request_can_say(call, fresh, claims_of, verifier):
    room, uid = fresh("room"), fresh("uid")
    body = made(call.post("/token", {
        "room_name": room, "participant_identity": uid, "participant_name": "名字",
        "participant_metadata": "any text: {\"a\"",
        "participant_attributes": {"device_type": "web", "device_id": "tab-1", "mood": "好"},
        "room_config": {"name": "x", "max_participants": 7, "metadata": "m", "agents": [{"agent_name": "a"}]},
        "unknown": 1}))
    claims = claims_of(body["participant_token"])
    assert claims["metadata"] == "any text: {\"a\""
    assert claims["attributes"] == {"device_type": "web", "device_id": "tab-1", "mood": "好"}
    assert (claims["name"], body["participant_name"]) == ("名字", "名字")
    assert claims["roomConfig"] == {"name": "x", "max_participants": 7, "metadata": "m",
                                    "agents": [{"agent_name": "a"}]}
    config = verifier.verify(body["participant_token"]).room_config
    assert (config.max_participants, config.agents[0].agent_name) == (7, "a")
    row = call.get(f"/rooms/{room}/participants/{uid}").json()
    assert (row["device_type"], row["device_id"], row["name"]) == ("web", "tab-1", "名字")


def test_attributes_without_a_device(call, fresh, claims_of):
    room, uid = fresh("room"), fresh("uid")
    claims = claims_of(made(call.post("/token", {"room_name": room, "participant_identity": uid,
                                                 "participant_attributes": {"a": "b"}}))["participant_token"])
    assert claims["attributes"]["a"] == "b"
    assert json.loads(claims["metadata"])["device_type"] == "app"
    assert call.get(f"/rooms/{room}/participants/{uid}").json()["device_type"] == "app"


def test_identity_is_made_for_a_key(call, fresh, claims_of):
    room = fresh("room")
    one, two = (claims_of(made(call.post("/token",
                                         {"room_name": room}))["participant_token"])["sub"] for _ in range(2))
    assert one != two and 1 <= len(one) <= 40
    assert set(call.get(f"/rooms/{room}").json()["uids"]) == {one, two}


def test_identity_of_a_ticket_is_its_own(call, fresh, claims_of):
    room, uid = fresh("room"), fresh("uid")
    body = made(call.post("/token", {"room_name": room, "room_config": {}},
                          ticket=call.ticket(uid, device_id="phone")))
    check_claims(claims_of(body["participant_token"]), room, uid, device_id="phone")
    made(call.post("/token", {"room_name": room, "participant_identity": uid},
                   ticket=call.ticket(uid, device_id="phone")))
    check_error(call.post("/token", {"room_name": room, "participant_identity": fresh()}, ticket=uid), 403,
                "forbidden")
    check_error(call.post("/token", {"room_name": room, "room_config": {"max_participants": 1}}, ticket=uid), 403,
                "forbidden")


def test_empty_room_config_is_none(call, fresh, claims_of):
    claims = claims_of(made(call.post("/token", {"room_name": fresh("room"),
                                                 "room_config": {}}))["participant_token"])
    assert "roomConfig" not in claims


def test_the_rules_of_join(call, fresh):
    alice, bob, eve = fresh("alice"), fresh("bob"), fresh("eve")

    def ask(room, uid):
        return call.post("/token", {"room_name": room, "participant_identity": uid})

    room = call.post("/rooms", {"creator": alice, "uids": [bob], "invite_on": 1}).json()["room_id"]
    check_error(ask(room, eve), 403, "participant_not_invited")
    made(ask(room, bob))
    assert call.get(f"/rooms/{room}/participants/{bob}").json()["status"] == 1
    call.delete(f"/rooms/{room}/participants/{bob}")
    call.post(f"/rooms/{room}/end")
    check_error(ask(room, bob), 409, "room_not_active")
    room = call.post("/rooms", {"creator": alice, "uids": [bob]}).json()["room_id"]
    check_error(ask(room, eve), 409, "room_full")
    # Making a call is create's: who is in one cannot make another.
    check_error(ask(fresh("room"), alice), 409, "creator_in_another_call")


def test_removed_stays_out(call, fresh):
    alice, bob, carol = fresh("alice"), fresh("bob"), fresh("carol")
    room = call.post("/rooms", {"creator": alice, "uids": [bob, carol]}).json()["room_id"]
    call.delete(f"/rooms/{room}/participants/{bob}")
    check_error(call.post("/token", {"room_name": room, "participant_identity": bob}), 403, "participant_removed")


def test_token_creates_room_off(worker, stack, fresh, call, document):
    at = worker(TOKEN_CREATES_ROOM="false")
    answer = at.post("/token", {"room_name": fresh("room")}, key=stack.env["TGO_KEY"])
    document.check_answer("POST", "/api/v1/token", answer)
    check_error(answer, 404, "room_not_found")
    room = call.post("/rooms", {"creator": fresh()}).json()["room_id"]
    assert at.post("/token", {"room_name": room}, key=stack.env["TGO_KEY"]).status_code == 201


def test_one_room_for_many_who_come_at_once(call, fresh, stack):
    """Whoever is first makes it, the others join it."""
    import concurrent.futures
    room = fresh("room")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda uid: call.__class__(stack, call.document).post("/token",
            {"room_name": room, "participant_identity": uid}),
                                [fresh("p") for _ in range(16)]))
    assert {a.status_code for a in answers} == {201}
    assert len([p for p in call.get(f"/rooms/{room}").json()["participants"] if p["status"] == 1]) == 16


# ---- tickets ----

@pytest.mark.parametrize("asked, ttl", [({}, 3600), ({"ttl_s": 60}, 60), ({"ttl_s": 86400}, 86400),
                                        ({"ttl_s": None}, 3600)])
def test_ticket_life(call, fresh, stack, asked, ttl):
    uid = fresh("用户")
    body = call.post("/tickets", {"uid": uid, **asked}).json()
    claims = jwt.decode(body["ticket"], stack.ticket_secret, ["HS256"])
    assert claims["sub"] == uid and claims["exp"] == body["expires_at"] == claims["iat"] + ttl
    assert "device_id" not in claims
    assert call.get(f"/users/{uid}/calls", ticket=body["ticket"]).status_code == 200


def test_a_livekit_token_is_no_ticket_and_the_other_way_round(call, fresh, verifier):
    token = call.post("/rooms", {"creator": fresh()}).json()["token"]
    check_error(call.get("/rooms/sync", ticket=token), 401, "unauthorized")
    ticket = call.post("/tickets", {"uid": fresh()}).json()["ticket"]
    with pytest.raises(jwt.InvalidTokenError):
        verifier.verify(ticket)
