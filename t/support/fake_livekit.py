"""LiveKit's RoomService in a thread, as far as we call it: for what real nodes do only with media, and for faults
that real nodes cannot be made to have.

    fake = FakeLiveKit(secret, redis=stack.redis())    redis: it writes its records there, too, as a node does
    fake.join("room", "bob")                           bob is connected now; leave() is the opposite
    fake.fail("ListRooms", 500)                        answers that from now on; fail("*", ...) to everything
    fake.silent("ListParticipants")                    takes the request and says nothing
    fake.heal()                                        no fault any more
    fake.node_dies() / fake.node_lives()               its record in Redis grows old / is fresh again

SPDX-License-Identifier: MIT
"""
import http.server
import json
import secrets
import struct
import threading
import time

import jwt

# What of video a token has to carry, by method; the others ask for roomAdmin of the room.
GRANTS = {"CreateRoom": {"roomCreate"}, "DeleteRoom": {"roomCreate"}, "ListRooms": {"roomList"}}
SILENCE_S = 30


class FakeLiveKit:
    def __init__(self, secret, redis=None, node="ND_fake"):
        self.secret, self.calls, self.refuse = secret, [], None
        self.people = {}                 # (room, uid): tracks, for muting
        self.rooms = {}                  # room: {uid: ParticipantInfo}; the lists are made from it
        self.counts = {}                 # room: num_participants, where it is to be another than the truth
        self.lists = {}                  # room: uids in its list, where that is to be another than the truth
        self.wiped = set()               # rooms missing from Redis though a node has them
        self.absent_s = 0.2              # a room or a person that no node has: so long until LiveKit says so
        self.probed = False              # answers GET /, so that it is held to be a whole node
        self.faults, self.stopping = {}, threading.Event()
        self.redis, self.node, self.alive = redis, node, True
        self.lock = threading.RLock()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                method = self.path.rpartition("/")[2]
                claims = jwt.decode(self.headers["Authorization"].removeprefix("Bearer "), fake.secret, ["HS256"])
                with fake.lock:
                    fake.calls.append((method, body, claims["video"]))
                    fault = fake.faults.get(method) or fake.faults.get("*")
                if fault == "silent":
                    fake.stopping.wait(SILENCE_S)
                if fault in ("silent", "close"):
                    self.close_connection = True
                    return
                self.say(*(fault or fake.allowed(method, body, claims["video"])))

            def do_GET(self):
                self.say(200 if fake.probed else 501, "OK")

            def say(self, status, answer):
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 256

            def handle_error(self, *_):
                """A client that went away is no news."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        if redis is not None:
            self.beat()
            threading.Thread(target=self.keep_beating, daemon=True).start()

    # ---- what a test says ----

    def join(self, room, uid, sid=None, joined_at_ms=None, **more):
        """A media session of that person; its sid. more: fields of ParticipantInfo (kind, attributes, ...)."""
        at = int(time.time() * 1000) if joined_at_ms is None else joined_at_ms
        sid = sid or f"PA_{secrets.token_hex(6)}"
        with self.lock:
            if room not in self.rooms and self.redis is not None:
                self.redis.hset("room_node_map", room, self.node)
                self.redis.hset("rooms", room, "x")
            self.rooms.setdefault(room, {})[uid] = {
                "sid": sid, "identity": uid, "state": "ACTIVE", "tracks": [], "metadata": "", "name": "",
                "joined_at": str(at // 1000), "joined_at_ms": str(at), "version": 2, "region": "",
                "is_publisher": False, "kind": "STANDARD", "attributes": {}, "disconnect_reason": "UNKNOWN_REASON",
                "permission": {"can_subscribe": True, "can_publish": True, "hidden": False}, **more}
        return sid

    def leave(self, room, uid):
        """Gone from the lists; the room stays until it is closed."""
        with self.lock:
            self.rooms.get(room, {}).pop(uid, None)

    def close(self, room):
        with self.lock:
            known = self.rooms.pop(room, None) is not None
            if known and self.redis is not None:
                self.redis.hdel("room_node_map", room)
                self.redis.hdel("rooms", room)
            return known

    def fail(self, method, status, code="internal"):
        self.faults[method] = (status, {"code": code, "msg": "as the test wants it"})

    def silent(self, method):
        self.faults[method] = "silent"

    def hang_up(self, method):
        self.faults[method] = "close"

    def heal(self):
        self.faults = {}

    def asked(self, method, room=None):
        """The bodies of the calls to that method (about that room) so far."""
        with self.lock:
            return [body for m, body, _ in self.calls
                    if m == method and room in (None, body.get("room"))]

    # ---- its record in Redis ----

    def beat(self):
        self.redis.hset("nodes", self.node, node_record(self.node, time.time() if self.alive else time.time() - 60))

    def keep_beating(self):
        while not self.stopping.wait(1):
            if self.alive:
                self.beat()

    def node_dies(self):
        self.alive = False
        self.beat()

    def node_lives(self):
        self.alive = True
        self.beat()

    # ---- what it answers ----

    def allowed(self, method, body, video):
        wanted = GRANTS.get(method, {"roomAdmin"})
        room_ok = method in GRANTS or video.get("room") == body["room"]
        if not all(video.get(one) for one in wanted) or not room_ok:
            return 401, {"code": "unauthenticated", "msg": "permissions denied"}
        return self.answer(method, body)

    def answer(self, method, body):
        if method == "ListParticipants" and body["room"] not in self.rooms:
            return self.no_node()
        if method == "UpdateSubscriptions":
            return (200, {}) if body["identity"] in self.rooms.get(body["room"], {}) else self.no_node()
        with self.lock:
            if method == "ListRooms":
                names = [r for r in body.get("names") or self.rooms if r in self.rooms and r not in self.wiped]
                return 200, {"rooms": [self.room_info(r) for r in names]}
            if method == "ListParticipants":
                people = self.rooms[body["room"]]
                return 200, {"participants": [people[u] for u in self.lists.get(body["room"], people) if u in people]}
            if method == "CreateRoom":
                self.rooms.setdefault(body["name"], {})
                return 200, self.room_info(body["name"])
            if method == "DeleteRoom":
                return (200, {}) if self.close(body["room"]) else not_found("room does not exist")
            return self.answer_about_a_person(method, body)

    def no_node(self):
        time.sleep(self.absent_s)
        return 503, {"code": "unavailable", "msg": "twirp error unknown: no response from servers"}

    def answer_about_a_person(self, method, body):
        room, uid = body["room"], body["identity"]
        info, tracks = self.rooms.get(room, {}).get(uid), self.people.get((room, uid))
        if info is None and tracks is None:
            return not_found("participant does not exist")
        if method == "GetParticipant":
            return 200, {**(info or {"sid": "PA_1", "identity": uid}), "tracks": tracks or []}
        if method == "RemoveParticipant":
            self.leave(room, uid)
            return 200, {}
        if self.refuse:
            return self.refuse, {"code": "failed_precondition", "msg": "remote unmute not enabled"}
        track = next(t for t in tracks if t["sid"] == body["track_sid"])
        track["muted"] = body["muted"]
        return 200, {"track": track}

    def room_info(self, name):
        return {"sid": f"RM_{name}"[:64], "name": name, "empty_timeout": 300, "departure_timeout": 20,
                "max_participants": 0, "creation_time": str(int(time.time())), "metadata": "",
                "num_participants": self.counts.get(name, len(self.rooms[name])), "num_publishers": 0,
                "active_recording": False, "enabled_codecs": []}

    def stop(self):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()


def not_found(msg):
    return 404, {"code": "not_found", "msg": msg}


def varint(n):
    out = b""
    while n > 127:
        out += struct.pack("B", n & 127 | 128)
        n >>= 7
    return out + struct.pack("B", n)


def node_record(node, updated_at, ip="127.0.0.1", region="", state=1):
    """livekit.Node in protobuf: 1 id, 2 ip, 4 stats {1 started_at, 2 updated_at, 3 num_rooms}, 6 state (1 SERVING),
    7 region."""
    stats = b"".join(varint(number << 3) + varint(value)
                     for number, value in ((1, int(updated_at) - 60), (2, int(updated_at)), (3, 1)))
    text = lambda number, value: varint(number << 3 | 2) + varint(len(value)) + value  # noqa: E731
    return (text(1, node.encode()) + text(2, ip.encode()) + text(4, stats) + varint(6 << 3) + varint(state)
            + text(7, region.encode()))


def person_record(uid, joined_at_ms):
    """livekit.ParticipantInfo in protobuf: 1 sid, 2 identity, 3 state ACTIVE, 17 joined_at_ms."""
    text = lambda number, value: varint(number << 3 | 2) + varint(len(value)) + value  # noqa: E731
    return (text(1, b"PA_x") + text(2, uid.encode()) + varint(3 << 3) + varint(2) + varint(17 << 3)
            + varint(joined_at_ms))


def with_media(db, room, uid):
    """As if LiveKit had told of a media session of that person."""
    with db.cursor() as c:
        assert c.execute("UPDATE rtc_participant SET sid = 'PA_1' WHERE room_id = %s AND uid = %s", (room, uid)) == 1
