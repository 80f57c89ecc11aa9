"""What answers look like: every key with its JSON type, and the demo apps' decoders, strict as they are.

A table says: key -> type, or [type] for an array of it, or a table for an array of objects.
SPDX-License-Identifier: MIT
"""
import re

COMMON = {
    "room_id": str, "creator": str, "url": str, "status": int, "created_at": str, "max_participants": int,
    "timeout": int, "uids": [str], "rtc_type": int, "source_channel_id": str, "source_channel_type": int,
    "invite_on": int, "seq": int, "server_time": int, "metadata": dict, "busy_uids": [str],
}
ROOM_RESP = {**COMMON, "token": str, "my_status": int, "deadline": int}
PARTICIPANT = {
    "room_id": str, "uid": str, "name": str, "status": int, "device_type": str, "device_id": str,
    "join_time": int, "leave_time": int, "deadline": int, "reconnecting": bool, "room_status": int,
}
ROOM = {
    **COMMON, "started_at": int, "answered_at": int, "ended_at": int, "updated_at": int, "duration": int,
    "end_reason": str, "ended_by": str, "livekit_node": str, "participants": PARTICIPANT,
}
ERROR = {"code": int, "message": str, "error": str, "request_id": str}
ERROR_MORE = {"field": str, "room_id": str, "busy_uids": [str]}


def check(value, table):
    """value has exactly the table's keys, each of exactly its type: no null, no number as text, no 1 for true."""
    assert type(value) is dict, value
    assert set(value) == set(table), set(value) ^ set(table)
    for key, kind in table.items():
        if isinstance(kind, dict):
            assert type(value[key]) is list
            for one in value[key]:
                check(one, kind)
        elif isinstance(kind, list):
            assert type(value[key]) is list, (key, value[key])
            assert all(type(one) is kind[0] for one in value[key]), (key, value[key])
        else:
            assert type(value[key]) is kind, (key, value[key])
    return value


def check_error(answer, status, key, field=None):
    """An error's whole body; returns it."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    body = answer.json()
    check(body, {**ERROR, **{k: v for k, v in ERROR_MORE.items() if k in body}})
    assert (body["code"], body["error"]) == (status, key), body
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert body["message"]
    if field is not None:
        assert body.get("field") == field, body
    return body


# ---- the demo apps, as they read an answer ----

def no_null(value):
    """Objective-C: a null anywhere ends the app. What is in metadata is the backend's own."""
    assert value is not None
    if isinstance(value, dict):
        value = [{} if key == "metadata" and one is not None else one for key, one in value.items()]
    for one in value if isinstance(value, list) else ():
        no_null(one)


def swift_room_resp(answer):
    """Swift: status exactly 200; these keys, of these types; others are ignored."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    no_null(body)
    for key in ("room_id", "creator", "token", "url", "created_at", "source_channel_id"):
        assert type(body[key]) is str, (key, body)
    for key in ("status", "max_participants", "timeout", "rtc_type", "source_channel_type"):
        assert type(body[key]) is int, (key, body)
    assert type(body["uids"]) is list and all(type(uid) is str for uid in body["uids"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", body["created_at"])
    assert re.fullmatch(r"(wss?|https?)://.*[^/]", body["url"])
    return body


def flutter_error(answer):
    """Flutter: an error is a JSON object, whose message is shown."""
    body = answer.json()
    assert type(body) is dict and type(body["message"]) is str and body["message"]
    return body
