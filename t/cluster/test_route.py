"""The way of a client through nginx to the node of its room: who is let through, where to, what becomes of it when a
node, Redis or the routing workers are away, and what stands in the logs. Two nodes that remember what came to them; what
a real node says, it is asked itself. SPDX-License-Identifier: MIT
"""
import os
import secrets
import signal
import time

import jwt
import pytest
import requests

from support import cluster
from support.client import Api
from support.logs import AppLog
from support.routed_node import RoutedNode
from support.stack import Stack
from support.wait import wait_until
from support.worker_process import children_of

NODES = "two"
STALE_S = 0.2                       # a routing worker asks a node again after 0.1 s
JOIN_PATHS = ["/rtc", "/rtc/v1", "/rtc/validate", "/rtc/v1/validate"]


@pytest.fixture(scope="module")
def pair():
    """Two nodes of ours behind one nginx."""
    found = [RoutedNode(ip) for ip in ("127.0.0.41", "127.0.0.42")]
    with Stack(nodes=0, LIVEKIT_NODES=",".join(n.addr for n in found), LIVEKIT_DOWN_S="1") as running:
        for node in found:
            node.redis = running.redis()
            node.record()
        running.pair = found
        yield running
        for node in found:
            node.stop()


@pytest.fixture
def routes(pair):
    """Both nodes well and known to be, nothing in their memory; what was stopped is started again afterwards."""
    pair.routed, pair.access = AppLog(pair.env["APP_LOG"]), AppLog(pair.env["NGINX_ACCESS_LOG"])
    for node in pair.pair:
        node.came()
    yield pair
    for node in pair.pair:
        node.cuts = False
        if node.server is None:
            node.listen()
    pair.start()
    pair.redis().delete("tgo:nodes:down")
    for node in pair.pair:
        node.record()
        # nginx leaves a node alone for a while that refused it.
        wait_until(lambda: node.addr in {ask(pair, "/settings").text for _ in range(4)}, 10, 0.2)


def token_of(stack, room="r1", uid="ann", **claims):
    return cluster.access_token(stack, room, uid, **claims)


def ask(stack, path="/rtc/validate", token=None, method="GET", **kwargs):
    return requests.request(method, stack.url + path, params={"access_token": token} if token else None, timeout=20,
                            **kwargs)


def home_of(stack, room):
    connection = stack.db()
    try:
        return cluster.room_row(connection, room)["livekit_node"]
    finally:
        connection.close()


def a_call(stack, n=2):
    """A call, its creator's token, and the node that it lives on."""
    room, people, answer = cluster.new_call(stack, n)
    return room, people, answer["token"], home_of(stack, room)


def node_at(stack, addr):
    return next(n for n in stack.pair if n.addr == addr)


def came(stack):
    return [one for node in stack.pair for one in node.came()]


# ---- who is let through ----

def refused_tokens(key, secret):
    """(name, headers, query) of tokens that no node lets in."""
    now = int(time.time())
    video = {"roomJoin": True, "room": "r1"}

    def made(secret=secret, algorithm="HS256", **claims):
        return jwt.encode({"iss": key, "sub": "ann", "exp": now + 600, "video": video, **claims}, secret, algorithm)

    tokens = {
        "garbage": "x.y.z", "expired": made(exp=now - 70), "not yet": made(nbf=now + 70), "stranger's": made("s" * 40),
        "stranger's key": made(iss="somebody"), "no grants": made(video=None), "no join": made(video={"room": "r1"}),
        "no room": made(video={"roomJoin": True}), "nobody": made(sub=""),
    }
    cases = [(name, {}, {"access_token": token}) for name, token in tokens.items()]
    cases += [(name + " in the header", {"Authorization": f"Bearer {token}"}, {}) for name, token in tokens.items()]
    cases += [("none", {}, {}), ("empty", {}, {"access_token": ""}), ("another parameter", {}, {"token": made()}),
              ("lower case", {"Authorization": f"bearer {made()}"}, {"access_token": made()}),
              ("the header wins", {"Authorization": "Bearer x"}, {"access_token": made()})]
    return cases


def test_refused_tokens_reach_no_node(routes):
    for name, headers, query in refused_tokens(routes.env["LIVEKIT_API_KEY"], routes.env["LIVEKIT_API_SECRET"]):
        for path in JOIN_PATHS + ["//rtc", "/rtc/../rtc/v1", "/%72tc"]:
            url = requests.Request("GET", routes.url + path, params=query).prepare()
            url.url, url.headers = f"{routes.url}{path}?{url.url.partition('?')[2]}", headers
            answer = requests.Session().send(url, timeout=20)
            assert answer.status_code in (400, 401), (name, path, answer.text)
            assert answer.headers["Content-Type"].startswith("text/plain") and "{" not in answer.text
    assert came(routes) == []
    assert {line["livekit_node"] + line["upstream_addr"] for line in routes.access.lines()} == {""}


def test_as_a_node_would(two):
    """Status, words and the headers a browser looks at are a real node's own; only the token is not said back."""
    node = "http://" + cluster.addresses(two)[0]
    for name, headers, query in refused_tokens(two.env["LIVEKIT_API_KEY"], two.env["LIVEKIT_API_SECRET"]):
        for origin in ({}, {"Origin": "https://page.example"}):
            answers = [requests.get(base + "/rtc/validate", params=query, headers={**headers, **origin}, timeout=20)
                       for base in (node, two.url)]
            theirs, ours = [seen(a) for a in answers]
            token = query.get("access_token") or headers.get("Authorization", "").removeprefix("Bearer ")
            theirs["text"] = theirs["text"].replace(f": {token}, error", ", error").strip()
            assert ours == theirs, name


def seen(answer):
    kept = ("content-type", "vary", "access-control-allow-origin", "access-control-expose-headers")
    return {"status": answer.status_code, "text": answer.text, **{k: answer.headers.get(k) for k in kept}}


def test_a_page_is_told_as_a_node_tells_it(two):
    """/rtc answers the page that asks, /rtc/validate every page; a page that asks beforehand needs no token."""
    node = "http://" + cluster.addresses(two)[0]
    page = {"Origin": "https://page.example"}
    for path, query in [("/rtc", "x"), ("/rtc/v1", "x"), ("/rtc/v1/validate", "x")]:
        answers = [seen(requests.get(base + path, params={"access_token": query}, headers=page, timeout=20))
                   for base in (node, two.url)]
        assert answers[0] == answers[1]
    asked = {**page, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    for path in JOIN_PATHS + ["/twirp/livekit.RoomService/ListRooms", "/whip/v1"]:
        answer = requests.options(two.url + path, headers=asked, timeout=20)
        assert answer.status_code == 204 and answer.headers["Access-Control-Allow-Origin"] == page["Origin"]


def test_removed_and_over(routes):
    room, people, token, _ = a_call(routes, 3)
    bob = cluster.joined(routes, room, people[1])["token"]
    api = Api(routes)
    for forget in (False, True):
        assert ask(routes, token=bob).status_code == 200
        assert api.delete(f"/rooms/{room}/participants/{people[1]}").status_code == 200
        if forget:
            routes.redis().delete(f"tgo:room:{room}")
        came(routes)
        answer = ask(routes, token=bob)
        assert (answer.status_code, answer.text) == (401, "permissions denied: removed from the call")
        assert routes.routed.wait_for(event="route_refused", uid=people[1])["error"] == "participant_removed"
        routes.routed.mark()
        assert came(routes) == []
        assert api.post(f"/rooms/{room}/invite", {"uids": [people[1]]}).status_code == 200
    assert ask(routes, token=bob).status_code == 200, "invited again"
    assert api.post(f"/rooms/{room}/end").status_code == 200
    for forget in (False, True):
        if forget:
            routes.redis().delete(f"tgo:room:{room}")
        came(routes)
        answer = ask(routes, token=token)
        assert (answer.status_code, answer.text) == (401, "permissions denied: the call is over")
        assert came(routes) == []


# ---- where to ----

def test_to_the_rooms_own_node(routes):
    homes = set()
    for _ in range(12):
        room, people, token, home = a_call(routes)
        homes.add(home)
        for path in JOIN_PATHS:
            assert ask(routes, path, token).text == home
        line = routes.access.wait_for(room=room, uri="/rtc/v1/validate")
        assert (line["upstream_addr"], line["livekit_node"], line["status"]) == (home, home, 200)
        assert line["livekit_url"].startswith("ws://")
        routed = routes.routed.wait_for(event="routed", request_id=line["request_id"])
        assert (routed["room_id"], routed["uid"], routed["livekit_node"]) == (room, people[0], home)
        assert routed["livekit_url"] == line["livekit_url"]
    # The registry asks the database now and then; the rooms are found without.
    asked = [line["n_sql"] for line in routes.routed.lines(event="routed")]
    assert len(asked) == 48 and asked.count(0) >= 40
    assert homes == {n.addr for n in routes.pair}


def test_what_a_client_says_of_nodes_does_not_count(routes):
    room, _, token, home = a_call(routes)
    answer = ask(routes, f"/rtc/validate?bad_node={home}&access_token={token}",
                 headers={"X-LiveKit-Node": "127.0.0.1:1", "X-Route-Status": "200"})
    assert answer.text == home
    assert "X-LiveKit-Node" not in answer.headers and "X-Room-Id" not in answer.headers
    assert routes.routed.wait_for(event="routed", room_id=room)["bad_node"] == ""


def test_rooms_of_others(routes):
    """A token of another backend with LiveKit's key: any node, or the one that LiveKit has the room on."""
    known = {n.addr for n in routes.pair}
    assert {ask(routes, token=token_of(routes, f"theirs-{i}")).text for i in range(8)} <= known
    for node in routes.pair:
        room = f"theirs-{secrets.token_hex(4)}"
        node.redis.hset("room_node_map", room, node.id)
        assert {ask(routes, token=token_of(routes, room)).text for _ in range(4)} == {node.addr}
        node.redis.hset("room_node_map", room, "ND_gone")
        assert ask(routes, token=token_of(routes, room)).text in known
    odd = ["a room", "空间", "x" * 250, "%2e%2e", 'q"uote\\', "*"]
    for room in odd:
        assert ask(routes, token=token_of(routes, room)).status_code == 200
        assert routes.access.wait_for(room=room)["status"] == 200


def test_whip_goes_to_the_rooms_node(routes):
    _, _, token, home = a_call(routes)
    answer = ask(routes, "/whip/v1", method="POST", data="v=0", headers={
        "Authorization": f"Bearer {token}", "Content-Type": "application/sdp"})
    assert answer.text == home and node_at(routes, home).bodies == [b"v=0"]
    assert came(routes) == ["POST /whip/v1"]
    assert ask(routes, "/whip/v1", "x", method="POST").text == "invalid authorization token"
    assert came(routes) == []
    # What names no room is the node's to refuse, in its own words.
    assert ask(routes, "/whip/v1", method="POST").status_code == 200
    assert ask(routes, "/whip/v1/PA_1", method="DELETE").status_code == 200
    assert sorted(came(routes)) == ["DELETE /whip/v1/PA_1", "POST /whip/v1"]


def test_the_api_passes_with_an_audit_line(routes):
    room = "audited"
    holds = token_of(routes, room, video={"roomAdmin": True, "room": room})
    forged = token_of(routes, room, secret="s" * 40)
    for token, named in [(holds, room), (forged, ""), (None, "")]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        path = "/twirp/livekit.RoomService/ListParticipants"
        answer = ask(routes, path, method="POST", json={"room": room}, headers=headers)
        assert answer.status_code == 200, "the node decides"
        line = routes.access.wait_for(uri=path, request_id=answer.headers["X-Request-Id"])
        assert (line["service"], line["rpc"], line["room"], line["method"], line["status"]) == (
            "RoomService", "ListParticipants", named, "POST", 200)
        assert line["livekit_node"] == line["upstream_addr"] == answer.text
    assert came(routes) == ["POST /twirp/livekit.RoomService/ListParticipants"] * 3
    for path in ("/agent", "/settings/regions"):
        line = routes.access.wait_for(request_id=ask(routes, path).headers["X-Request-Id"])
        assert (line["uri"], line["service"], line["rpc"]) == (path, "", "")


def test_the_api_goes_to_living_nodes(routes):
    """The node that is known to be down is asked by nobody."""
    down, up = routes.pair
    down.refuse()
    now_ms = int(time.time() * 1000)
    routes.redis().hset("tgo:nodes:down", down.addr, now_ms + 60000)
    time.sleep(0.6)                                   # the registry is read anew
    answers = [ask(routes, "/twirp/livekit.RoomService/ListRooms", method="POST") for _ in range(8)]
    assert {a.text for a in answers} == {up.addr}
    assert {line["upstream_addr"] for line in routes.access.lines(rpc="ListRooms")} == {up.addr}


# ---- what fails ----

def test_a_node_that_died(routes):
    """Whoever joins is led to another node, whether we knew of the death or nginx was the first to."""
    for wait_s in (0, STALE_S):
        room, _, token, home = a_call(routes)
        assert ask(routes, token=token).text == home
        time.sleep(wait_s)
        node_at(routes, home).refuse()
        began = time.monotonic()
        answer = ask(routes, token=token)
        assert time.monotonic() - began < 1
        other = next(n.addr for n in routes.pair if n.addr != home)
        assert (answer.status_code, answer.text) == (200, other)
        line = routes.access.wait_for(request_id=answer.headers["X-Request-Id"])
        assert line["livekit_node"] == other and line["upstream_addr"] in (other, f"{home} : {other}")
        assert home_of(routes, room) == other
        node_at(routes, home).listen()
        routes.redis().delete("tgo:nodes:down")
        time.sleep(1.2)


def test_a_node_that_hangs_up(routes):
    """It lives, so the room stays there; the client is led there once more, and then told in words."""
    room, _, token, home = a_call(routes)
    node_at(routes, home).cuts = True
    answer = ask(routes, token=token, headers={"Origin": "https://page.example"})
    assert (answer.status_code, answer.text) == (503, "no response from servers")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert came(routes) == ["GET /rtc/validate"] * 2
    line = routes.access.wait_for(request_id=answer.headers["X-Request-Id"])
    assert (line["upstream_addr"], line["upstream_status"]) == (f"{home} : {home}", "502 : 502")
    again = routes.routed.lines(event="routed", request_id=line["request_id"])
    assert [one["bad_node"] for one in again] == ["", home] and home_of(routes, room) == home


@pytest.mark.parametrize("path", ["/whip/v1", "/twirp/livekit.RoomService/SendData"])
def test_what_a_node_took_is_not_sent_twice(routes, path):
    _, _, token, home = a_call(routes)
    for node in routes.pair:
        node.cuts = True
    answer = ask(routes, path, token, method="POST", data="x")
    assert answer.status_code == 503 and came(routes) == [f"POST {path}"]


def test_what_no_node_took_is_sent_to_another(routes):
    """Unknown to everybody, one of the two does not listen."""
    routes.pair[0].refuse()
    for _ in range(6):
        assert ask(routes, "/twirp/livekit.RoomService/ListRooms", method="POST", data="x").text == routes.pair[1].addr


def test_no_node_at_all(routes):
    room, _, token, _ = a_call(routes)
    for node in routes.pair:
        node.refuse()
    answers = [ask(routes, token=token), ask(routes, token=token_of(routes, "theirs"))]
    assert {a.status_code for a in answers} == {503}
    assert {a.text for a in answers} <= {"no response from servers", "request timed out"}
    assert ask(routes, token="x").status_code == 401


def test_the_routing_workers_are_away(routes):
    """Then any node takes the client, and looks at the token itself."""
    _, _, token, _ = a_call(routes)
    routes.stop("route")
    addresses = {n.addr for n in routes.pair}
    for wanted in (token, "x", None):
        assert ask(routes, token=wanted).text in addresses
    assert ask(routes, "/twirp/livekit.RoomService/ListRooms", method="POST", data="x").text in addresses
    assert ask(routes, "/agent").text in addresses
    assert len(came(routes)) == 5
    line = routes.access.wait_for(uri="/agent")
    assert (line["livekit_node"], line["status"]) == ("", 200) and line["upstream_addr"] in addresses


def test_the_routing_workers_stand_still(routes):
    _, _, token, _ = a_call(routes)
    pids = [*children_of(routes.pid("route")), routes.pid("route")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert ask(routes, token=token).text in {n.addr for n in routes.pair}
        assert time.monotonic() - began < 3
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_redis_is_gone(routes):
    """Where rooms live stands in MySQL, and who was removed."""
    room, people, token, home = a_call(routes, 3)
    bob = cluster.joined(routes, room, people[1])["token"]
    gone, _, over, _ = a_call(routes)
    assert Api(routes).post(f"/rooms/{gone}/end").status_code == 200
    assert Api(routes).delete(f"/rooms/{room}/participants/{people[1]}").status_code == 200
    beating = [n.age for n in routes.pair]
    for node in routes.pair:
        node.age = None
    routes.stop("redis")
    try:
        routes.routed.mark()
        for _ in range(3):
            assert ask(routes, token=token).text == home
            assert ask(routes, token=bob).status_code == 401
            assert ask(routes, token=over).text == "permissions denied: the call is over"
            assert ask(routes, token="x").status_code == 401
        assert routes.routed.wait_for(event="routed", room_id=room)["n_sql"] > 0
        fresh, _, its, at = a_call(routes)
        assert at != "" and ask(routes, token=its).text == at
    finally:
        routes.start()
        for node, age in zip(routes.pair, beating):
            node.redis, node.age = routes.redis(), age

    def from_redis():
        routes.routed.mark()
        assert ask(routes, token=token).text == home
        return routes.routed.wait_for(event="routed", room_id=room)["n_sql"] == 0
    wait_until(from_redis, 10, 0.3)


# ---- the workers themselves ----

def test_they_serve_nothing_else(pair):
    from support import fcgi_client as fcgi
    where = str(pair.var / "run/route.sock")
    for path in ("/health", "/api/v1/rooms", "/_route", "/_route/", "/_route/joins", "/_route/join/x"):
        assert fcgi.request(where, "GET", path).status == 404
    answer = fcgi.request(where, "GET", "/_route/join?bad_node=&access_token=x")
    assert (answer.status, answer.headers["x-route-status"]) == (401, "401")
    assert fcgi.request(str(pair.var / "run/fcgi.sock"), "GET", "/_route/join").status == 404


def test_a_question_that_cannot_be_trusted(pair):
    """nginx takes anything but 401 and 403 for no word at all, and then any node would do."""
    from support import fcgi_client as fcgi
    routed, where = AppLog(pair.env["APP_LOG"]), str(pair.var / "run/route.sock")
    for path in ("/_route/join", "/_route/whip", "/_route/name"):
        uri = f"{path}?bad_node=&access_token={token_of(pair)}"
        for more in ([(f"HTTP_X{i}", "") for i in range(600)], [("REQUEST_URI", uri)], [("A=B", "c")]):
            routed.mark()
            question = [("REQUEST_METHOD", "GET"), ("REQUEST_URI", uri), ("CONTENT_LENGTH", ""), *more]
            with fcgi.Connection(where) as worker:
                worker.begin(question)
                worker.body(b"")
                answer = worker.response()
            assert (answer.status, answer.headers["x-route-status"], answer.headers["x-route-text"]) == \
                (403, "400", "malformed request")
            line = routed.wait_for(event="route_refused", route=path)
            assert (line["status"], line["error"], line["told"]) == (400, "malformed_request", "malformed request")


def test_no_token_in_any_log(pair):
    """After everything above: no part of a token that could be used stands anywhere."""
    secret_ends = [token_of(pair, f"log-{i}") for i in range(3)]
    for token in secret_ends:
        ask(pair, "/rtc", token)
        ask(pair, "/rtc", token + "x")
        ask(pair, "/twirp/livekit.RoomService/ListRooms", token, method="POST", data="x")
        ask(pair, "/" + "x", token)
    for node in pair.pair:
        node.cuts = True
    for token in secret_ends:
        ask(pair, "/rtc", token)
    for node in pair.pair:
        node.cuts = False
    for file in sorted((pair.var / "log").glob("*.log")):
        text = file.read_text(errors="replace")
        assert "access_token" not in text and "eyJ" not in text, file.name
