"""RATE_LIMITS and KEY_RATE_LIMITS: exact over many workers, each caller for itself, and no obstacle when Redis is away.

The windows here are long where refusals are counted and short where one has to pass: no test depends on being quick.
SPDX-License-Identifier: MIT
"""
import collections
import concurrent.futures
import re
import signal
import threading
import time

import pytest

from support.client import Api
from support.shapes import check_error
from support.wait import wait_until

LONG_S = 3600
CLIENTS = 16


def limits(text, keys=""):
    return {"RATE_LIMITS": text, "KEY_RATE_LIMITS": keys}


@pytest.fixture(scope="module")
def strict(make_stack):
    """Eight workers, few of everything, for an hour."""
    return make_stack(**limits(f"create=5/{LONG_S}s,invite=4/{LONG_S}s,token=6/{LONG_S}s",
                               f"run:create=200/{LONG_S}s,other:create=1/1s"))


@pytest.fixture
def strict_api(strict):
    return Api(strict)


def counted(stack, family):
    """The sum of a counter over all processes, as /metrics says."""
    text = Api(stack).get("/metrics", key=None, root=True).text
    return sum(int(n) for n in re.findall(rf"^{family}(?:{{[^}}]*}})? (\d+)$", text, re.M))


def refused(answer, window_s=LONG_S):
    check_error(answer, 429, "rate_limited")
    assert 1 <= int(answer.headers["Retry-After"]) <= window_s
    return int(answer.headers["Retry-After"])


def at_once(stack, jobs):
    barrier = threading.Barrier(CLIENTS)
    apis = [Api(stack) for _ in range(CLIENTS)]

    def work(i):
        barrier.wait(30)
        return [job(apis[i]) for job in jobs[i::CLIENTS]]

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        return [answer for answers in pool.map(work, range(CLIENTS)) for answer in answers]


def statuses(answers):
    return dict(collections.Counter(one.status_code for one in answers))


def room_with(api, *people):
    """A call made with the key, which has room for more."""
    answer = api.post("/rooms", {"creator": people[0], "uids": list(people[1:]), "max_participants": 900,
                                 "room_id": f"room-{people[0]}"})
    assert answer.status_code == 200, answer.text
    return answer.json()["room_id"]


def test_exactly_as_many_creates_over_all_workers(strict, fresh):
    ann = fresh("ann")
    before = counted(strict, "tgo_rate_limited_total")
    tickets = [lambda api: api.post("/rooms", {"uids": [fresh("bob")], "invite_on": 0}, ticket=ann)] * 48
    answers = at_once(strict, tickets)
    # One is made; the others that may are refused for other reasons, and count.
    assert statuses(answers) == {200: 1, 409: 4, 429: 43}
    for one in answers:
        if one.status_code == 429:
            assert refused(one) > LONG_S - 60
    assert counted(strict, "tgo_rate_limited_total") == before + 43


def test_invites_and_tokens_are_counted_apart(strict, strict_api, fresh):
    ann = fresh("ann")
    room = room_with(strict_api, ann, fresh("bob"))
    answers = at_once(strict, [lambda api: api.post(f"/rooms/{room}/invite", {"uids": [fresh("cat")]}, ticket=ann)] * 32)
    assert statuses(answers) == {200: 4, 429: 28}
    # Every way to a media token is one and the same.
    ways = [(f"/rooms/{room}/join", {}), ("/participants/join", {"room_id": room}), (f"/rooms/{room}/token", {}),
            ("/token", {"room_name": room})]
    answers = [strict_api.post(path, body, ticket=ann) for path, body in ways * 3]
    assert [one.status_code for one in answers] == [200, 200, 200, 201, 200, 200] + [429] * 6
    # What is not limited goes on.
    assert strict_api.post(f"/rooms/{room}/leave", {}, ticket=ann).status_code == 200
    assert strict_api.get("/rooms/sync", ticket=ann).status_code == 200


def test_a_token_that_makes_the_call_counts_as_making_one(strict, strict_api, fresh):
    ann = fresh("ann")
    rooms = [fresh("room") for _ in range(6)]
    for room in rooms[:5]:
        assert strict_api.post("/token", {"room_name": room}, ticket=ann).status_code == 201
        assert strict_api.post(f"/rooms/{room}/leave", {}, ticket=ann).status_code == 200
    refused(strict_api.post("/token", {"room_name": rooms[5]}, ticket=ann))
    assert strict_api.get(f"/rooms/{rooms[5]}").status_code == 404
    # It is not about tokens: a call that is there is still joined, but for those asked for already.
    assert strict_api.post("/rooms", {}, ticket=ann).status_code == 429
    bob = fresh("bob")
    room = room_with(strict_api, fresh("cat"), bob)
    assert strict_api.post("/token", {"room_name": room}, ticket=bob).status_code == 201


def test_each_person_for_itself(strict, strict_api, fresh):
    ann, bob = fresh("ann"), fresh("bob")
    room = room_with(strict_api, ann, bob)
    for _ in range(7):
        last = strict_api.post(f"/rooms/{room}/join", {}, ticket=ann)
    refused(last)
    assert strict_api.post(f"/rooms/{room}/join", {}, ticket=bob).status_code == 200


def test_who_may_not_is_not_counted(strict_api, fresh):
    """401, 403 and 400 come first, and a refusal does not make the next wait longer."""
    ann, eve = fresh("ann"), fresh("eve")
    room = room_with(strict_api, ann, fresh("bob"))
    for _ in range(20):
        assert strict_api.post(f"/rooms/{room}/join", {"uid": ann}, key=None).status_code == 401
        assert strict_api.post(f"/rooms/{room}/join", {"uid": ann}, ticket=eve).status_code == 403
        assert strict_api.post(f"/rooms/{room}/join", {"ttl_s": 1}, ticket=ann).status_code == 400
    answers = [strict_api.post(f"/rooms/{room}/join", {}, ticket=ann) for _ in range(12)]
    assert statuses(answers) == {200: 6, 429: 6}
    waits = [refused(one) for one in answers if one.status_code == 429]
    assert waits == sorted(waits, reverse=True)


def test_a_key_has_limits_of_its_own(strict, strict_api, fresh):
    """Keys without a rule have none; "run" has one for create alone, over whatever people it names."""
    left = 200 - int(strict.redis().get("tgo:rate:create:k:run") or 0)
    assert left > 60
    answers = at_once(strict, [lambda api: api.post("/rooms", {"creator": fresh("ann")})] * (left + 8))
    assert statuses(answers) == {200: left, 429: 8}
    assert strict_api.post("/rooms", {"creator": fresh("ann")}, key=strict_api.ops_key).status_code == 200
    # Nobody else is held up by it.
    assert strict_api.post("/rooms", {}, ticket=fresh("ann")).status_code == 200


@pytest.fixture
def open_api(worker):
    return worker(AUTH_MODE="open", AUTH_OPEN_NETWORKS="10.9.0.0/16", TOKEN_CREATES_ROOM="true",
                  **limits(f"create=2/{LONG_S}s,token=3/{LONG_S}s", f"lan:create=1/{LONG_S}s"))


def test_open_callers_by_whom_they_name(open_api, redis_client, fresh):
    """All of them come from one address: a proxy's, or a backend's."""
    redis_client.delete("tgo:rate:create:k:lan")
    for ann in (fresh("ann"), fresh("ann")):
        assert [open_api.post("/rooms", {"creator": ann}).status_code for _ in range(3)] == [200, 409, 429]
    # Who names nobody is an address: for making calls, and for tokens.
    address = f"2001:db8::{int(time.time()) % 65536:x}"
    rooms = [fresh("room") for _ in range(3)]
    asked = [open_api.post("/token", {"room_name": room}, address=address) for room in rooms]
    assert [one.status_code for one in asked] == [201] * 2 + [429]
    assert open_api.get(f"/rooms/{rooms[2]}").status_code == 404
    assert open_api.post("/token", {"room_name": rooms[0]}, address=address).status_code == 429
    assert open_api.post("/token", {"room_name": rooms[0]}, address="192.0.2.99").status_code == 201
    # An open network is a key, named lan.
    asked = [open_api.post("/rooms", {"creator": fresh("bob")}, address="10.9.1.1") for _ in range(2)]
    assert [one.status_code for one in asked] == [200, 429]
    redis_client.delete("tgo:rate:create:k:lan")


def test_a_window_passes(worker, stack, redis_client, call, fresh):
    at = worker(**limits("create=2/1s"))
    ann = fresh("ann")
    ticket = call.ticket(ann)

    def ask():
        return at.post("/rooms", {}, ticket=ticket).status_code

    def three():
        return [ask() for _ in range(3)]

    # On a slow machine a window may pass between two of them.
    wait_until(lambda: three().count(429) == 1, 30, interval=1.1)
    last = at.post("/rooms", {}, ticket=ticket)
    if last.status_code == 429:
        assert int(last.headers["Retry-After"]) == 1
    wait_until(lambda: redis_client.get(f"tgo:rate:create:t:{ann}") is None, 5)
    assert ask() != 429


def test_a_counter_without_an_end_gets_one(worker, redis_client, call, fresh):
    """As a Redis that was restored may have it: nobody is shut out for ever."""
    at, ann = worker(**limits("create=1/2s")), fresh("ann")
    key = f"tgo:rate:create:t:{ann}"
    redis_client.set(key, 5)
    refused(at.post("/rooms", {}, ticket=call.ticket(ann)), 2)
    wait_until(lambda: redis_client.get(key) is None, 10)
    assert at.post("/rooms", {}, ticket=call.ticket(ann)).status_code == 200


def test_the_script_is_told_again(worker, redis_client, call, fresh):
    at = worker(**limits(f"create=2/{LONG_S}s"))
    ann = fresh("ann")
    for expected in (200, 409, 429, 429):
        assert at.post("/rooms", {}, ticket=call.ticket(ann)).status_code == expected
        redis_client.script_flush()


def test_redis_away_is_no_obstacle(make_stack, fresh):
    stack = make_stack(**limits(f"create=1/{LONG_S}s"))
    api, ann = Api(stack), fresh("ann")

    def ask():
        return api.post("/rooms", {}, ticket=ann).status_code

    assert [ask(), ask()] == [200, 429]
    assert counted(stack, "tgo_rate_unchecked_total") == 0
    stack.kill("redis", signal.SIGKILL)
    try:
        # All of them pass: what they say is the operation's own answer.
        assert {ask() for _ in range(30)} == {409}
        assert counted(stack, "tgo_rate_unchecked_total") == 30
    finally:
        stack.start()
    wait_until(lambda: ask() == 429, 10, what="limits again, in a window of its own")


def test_off_is_off(worker, call, fresh, redis_client):
    at, ann = worker(**limits("off")), fresh("ann")
    assert all(at.post("/rooms", {}, ticket=call.ticket(ann)).status_code != 429 for _ in range(150))
    assert redis_client.get(f"tgo:rate:create:t:{ann}") is None


def test_every_counter_ends(strict):
    client = strict.redis()
    keys = list(client.scan_iter("tgo:rate:*"))
    assert keys and all(0 < client.ttl(key) <= LONG_S for key in keys)
