"""A LiveKit that a test speaks for: its lists say what the worlds say. SPDX-License-Identifier: MIT"""
from support.fake_livekit import FakeLiveKit


class Media(FakeLiveKit):
    """LiveKit's lists: who is connected in the worlds. What it is asked to do it does not do: a world decides
    when somebody goes."""

    def __init__(self, secret, redis):
        self.connected = {}
        super().__init__(secret, redis)

    def show(self, room, people):
        self.redis.hset("room_node_map", room, self.node)
        self.connected[room] = people

    def answer(self, method, body):
        if method == "ListRooms":
            names = body.get("names") or list(self.connected)
            return 200, {"rooms": [self.room(name) for name in names if self.connected.get(name)]}
        if method == "ListParticipants":
            return 200, {"participants": [self.info(one) for one in self.connected.get(body["room"], [])]}
        if "identity" in body:
            found = [one for one in self.connected.get(body["room"], []) if one[0] == body["identity"]]
            if not found and method == "UpdateSubscriptions":
                return self.no_node()
            if not found:
                return 404, {"code": "not_found", "msg": "participant does not exist"}
            return 200, self.info(found[0]) if method == "GetParticipant" else {}
        return 200, {}

    def room(self, name):
        return {"sid": f"RM_{name}", "name": name, "num_participants": len(self.connected[name])}

    @staticmethod
    def info(one):
        uid, sid, joined_at = one
        return {"sid": sid, "identity": uid, "state": "ACTIVE", "tracks": [], "metadata": "", "attributes": {},
                "kind": "STANDARD", "permission": {"hidden": False},
                "joined_at": str(joined_at // 1000), "joined_at_ms": str(joined_at)}
