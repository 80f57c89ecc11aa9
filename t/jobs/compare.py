"""What is stored, and what the model says, brought to the same shape and held against each other.

SPDX-License-Identifier: MIT
"""
import json

from model import JOINED

# A step may take so long: a deadline nearer than this is none for a test, and may be off by as much.
SOON_MS = 5000


class Mismatch(AssertionError):
    pass


def same(what, found, expected):
    if found == expected:
        return
    if isinstance(found, list):
        for i, (a, b) in enumerate(zip(found + [None] * len(expected), expected + [None] * len(found))):
            if a != b:
                raise Mismatch(f"{what} {i + 1}:\n  system {a}\n  model  {b}")
    raise Mismatch(f"{what}:\n  system {found}\n  model  {expected}")


def stored_room(row, actions):
    return {"status": row["status"], "reason": row["end_reason"], "by": row["ended_by"],
            "seats": row["max_participants"],
            "answered": row["answered_at_ms"] > 0, "started": row["started_at_ms"] > 0, "seq": row["seq"],
            "ended": row["ended_at_ms"] > 0,
            "closing": any(one["kind"] == "delete_room" for one in actions),
            "put_out": {(one["uid"], one["sid"]) for one in actions if one["kind"] == "remove_participant"}}


def expected_room(room):
    return {"status": room.status, "reason": room.reason, "by": room.ended_by, "seats": room.seats,
            "answered": room.answered, "started": room.started, "seq": len(room.events), "ended": not room.live,
            "closing": room.closing, "put_out": room.put_out}


def stored_row(row, live):
    said = {"uid": row["uid"], "status": row["status"], "removed": bool(row["removed"]),
            "claimed": bool(row["claimed"]), "ever_joined": row["join_time"] > 0, "device": (row["device_type"], row["device_id"])}
    return {**said, "sid": row["sid"], "last_left": row["last_left_sid"]} if live else said


def expected_row(row, live):
    said = {"uid": row.uid, "status": row.status, "removed": row.removed, "claimed": row.claimed,
            "ever_joined": row.ever_joined, "device": (row.device.type, row.device.id)}
    return {**said, "sid": row.sid, "last_left": row.last_left_sid} if live else said


def same_deadlines(rows, room):
    for row in rows if room.live else []:
        expected = room.row(row["uid"]).deadline
        if (expected == 0) != (row["deadline_ms"] == 0) or abs(expected - row["deadline_ms"]) > SOON_MS:
            raise Mismatch(f"deadline of {row['uid']}: system {row['deadline_ms']}, model {expected}")


def told(row):
    data = json.loads(row["data"])
    said = {"type": row["type"], "uid": row["uid"], "room": data["room_id"], "seq": data["seq"],
            "status": data["status"], "uids": data["uids"]}
    for key in ("invited_uids", "missed_uids", "busy_uids"):
        said[key] = data.get(key)
    if row["type"] in ("room.finished", "participant.invited"):
        said["participants"] = [(one["uid"], one["status"]) for one in data["participants"]]
    if row["type"] == "participant.invited":
        said["reason"] = data["reason"]
    if row["type"] == "room.finished":
        said["ended"] = (data["end_reason"], data["ended_by"])
    if row["type"] in ("participant.accepted", "participant.joined"):
        said["device"] = (data["device_type"], data["device_id"])
    return said


def expected_event(room, seq, one):
    said = {"type": one.type, "uid": one.uid, "room": room.room_id, "seq": seq, "status": one.status,
            "uids": [uid for uid, status in one.rows if one.type != "participant.invited" or status == JOINED]}
    for key in ("invited_uids", "missed_uids", "busy_uids"):
        said[key] = one.lists.get(key)
    if one.type in ("room.finished", "participant.invited"):
        said["participants"] = one.rows
    if one.type == "participant.invited":
        said["reason"] = one.reason
    if one.type == "room.finished":
        said["ended"] = (room.reason, room.ended_by)
    if one.type in ("participant.accepted", "participant.joined"):
        said["device"] = (one.device.type, one.device.id)
    return said
