"""LiveKit's webhooks as the tests send them: its wire format, signed with the stack's key.

SPDX-License-Identifier: MIT
"""
import base64
import hashlib
import json
import time
import uuid

import jwt

CONTENT_TYPE = "application/webhook+json"


def now_ms():
    return int(time.time() * 1000)


def person(identity, sid, joined_at_ms, reason=None, device=None, **more):
    """ParticipantInfo in protojson: 64-bit numbers as text, defaults left out."""
    info = {"sid": sid, "identity": identity, "state": "ACTIVE", "joinedAt": str(joined_at_ms // 1000),
            "joinedAtMs": str(joined_at_ms), "version": 2, "permission": {"canPublish": True}, **more}
    if device is not None:
        info["attributes"] = {"device_type": device}
    if reason is not None:
        info.update(state="DISCONNECTED", disconnectReason=reason)
    return info


def event(kind, room_id, room_sid, participant=None, created_at_ms=None, id=None):
    body = {"event": kind, "room": {"sid": room_sid, "name": room_id, "emptyTimeout": 300},
            "id": id or f"EV_{uuid.uuid4().hex[:12]}", "createdAt": str((created_at_ms or now_ms()) // 1000)}
    if participant is not None:
        body["participant"] = participant
    return body


def sign(body, key, secret, **claims):
    """The Authorization header's value for exactly these bytes."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    now = int(time.time())
    return jwt.encode({"iss": key, "nbf": now, "exp": now + 300, "sha256": digest, **claims}, secret, "HS256")


class Hook:
    """Sends to one stack; api is anything with post()."""

    def __init__(self, env, api):
        self.key, self.secret, self.api = env["LIVEKIT_API_KEY"], env["LIVEKIT_API_SECRET"], api

    def send(self, body, **kwargs):
        data = json.dumps(body, separators=(",", ":")).encode()
        headers = {"Authorization": sign(data, self.key, self.secret), "Content-Type": CONTENT_TYPE}
        return self.api.post("/webhooks/livekit", key=None, data=data, headers=headers, **kwargs)

    def tell(self, *args, **kwargs):
        answer = self.send(event(*args, **kwargs))
        assert answer.status_code == 200, answer.text
        return answer
