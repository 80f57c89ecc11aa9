"""Taking over a living database of the Go server in place, and the way back.

SPDX-License-Identifier: MIT
"""
import datetime
import json
import time
import zoneinfo

import pymysql
import pytest

from support import fcgi_client as fcgi
from support.ctl import Ctl
from support.go_database import COLUMNS, GoDatabase
from support.stack import ROOT
from support.worker_process import Service

ZONE = "Asia/Shanghai"
RING_S, MAX_CALL_S = 60, 86400
NEWEST = max(int(file.name[:4]) for file in (ROOT / "sql/migrations").glob("*.sql"))


@pytest.fixture
def go(stack):
    database = GoDatabase(stack, ZONE)
    yield database
    database.close()


@pytest.fixture
def ctl(stack, go, tmp_path):
    return Ctl.of(stack, tmp_path, DB_NAME=go.name, TZ=ZONE, LIVEKIT_TIMEOUT=RING_S, MAX_CALL_S=MAX_CALL_S,
                  LOG_FILE=tmp_path / "log")


def fill(go):
    """Calls of every kind; returns the moment they are counted from."""
    now = time.time() - 2
    go.insert_room("done", "ann", now - 7200, status=2, updated=now - 7000)
    go.insert_participant("done", "ann", now - 7200, status=3, join_time=int(now - 7190), leave_time=int(now - 7000))
    go.insert_participant("done", "bob", now - 7200, status=3, join_time=int(now - 7180), leave_time=int(now - 7000))
    go.insert_room("ringing", "cai", now)
    go.insert_participant("ringing", "cai", now, device_type="ios")
    go.insert_participant("ringing", "dan", now)
    go.insert_room("overdue", "eve", now - 3600)
    go.insert_participant("overdue", "eve", now - 3600)
    go.insert_participant("overdue", "fay", now - 3600)
    go.insert_room("group", "gus", now - 300, status=1, max_participants=9, invite_on=1)
    go.insert_participant("group", "gus", now - 300, status=1, device_type="web", join_time=int(now - 299))
    go.insert_participant("group", "hal", now - 10)
    go.insert_participant("group", "ivy", now - 300, status=4)
    # Rows that stayed behind: active ones of a final room, of a room that is not there, of one in other letters.
    go.insert_room("stale", "jon", now - 9000, status=6)
    go.insert_participant("stale", "jon", now - 9000, status=1, join_time=int(now - 8990))
    go.insert_participant("stale", "kim", now - 9000)
    go.insert_participant("nowhere", "lea", now - 9000, status=1, join_time=int(now - 8990))
    go.insert_room("CaSe", "uB", now - 5000, status=3)
    go.insert_participant("case", "wim", now - 5000, status=1)
    go.insert_participant("CaSe", "uB", now - 5000, status=6)
    go.insert_participant("done", "UB", now - 7200, status=3)
    # Ids and types no rule of ours allows today.
    go.insert_room("trailing ", "mia ", now - 4000, status=4, rtc_type=7, max_participants=1)
    go.insert_participant("trailing ", "mia ", now - 4000, status=2)
    go.insert_room("中文房间", "用户", now - 4200, status=5, max_participants=100000)
    go.insert_participant("中文房间", "用户", now - 4200, status=5, device_type="安卓")
    go.run("INSERT INTO rtc_room (creator, room_id, status) VALUES ('nobody', 'undated', 2)")
    go.run("INSERT INTO business_webhook_log (event_type, event_id, url, status, request, error) VALUES"
           " ('room.finished', '1-1', 'http://x/y?event_type=room.finished', 500, '{}', 'HTTP 500')")
    return now


def sums(go):
    return {table: go.run(f"SELECT status, COUNT(*) n FROM {table} GROUP BY status ORDER BY status")
            for table in ("rtc_room", "rtc_participant")}


def utc_ms(value, zone=ZONE):
    return round(value.replace(tzinfo=zoneinfo.ZoneInfo(zone)).timestamp() * 1000)


class Worker:
    """A worker on the taken-over database."""

    def __init__(self, service, go):
        self.service, self.go = service, go

    def ask(self, method, path, body=None):
        sent = json.dumps(body).encode() if body is not None else b""
        answer = fcgi.request(self.service.sock, method, "/api/v1" + path, sent)
        return answer.status, json.loads(answer.body)


@pytest.fixture
def serve(stack, go, tmp_path, monkeypatch):
    monkeypatch.setenv("TGO_BIN", stack.env["TGO_BIN"])
    folder = tmp_path / "w"
    folder.mkdir()
    service = Service(folder, {"DB_SOCKET": stack.env["DB_SOCKET"], "DB_USER": stack.env["DB_USER"],
                               "DB_PASSWORD": stack.env["DB_PASSWORD"], "DB_NAME": go.name, "TZ": ZONE,
                               "REDIS_SOCKET": stack.env["REDIS_SOCKET"], "LIVEKIT_TIMEOUT": RING_S,
                               "LIVEKIT_API_KEY": stack.env["LIVEKIT_API_KEY"],
                               "LIVEKIT_API_SECRET": stack.env["LIVEKIT_API_SECRET"]})
    yield lambda: Worker(service.start(), go)
    service.stop()
    service.clean_up()
    said = service.err.read_text(errors="replace") if service.err.exists() else ""
    assert "Sanitizer" not in said and "runtime error:" not in said, said


class TestDryRun:
    def test_changes_nothing_and_says_what_it_would_do(self, go, ctl):
        fill(go)
        before = go.everything()
        said = ctl.messages("migrate", "--dry-run")
        assert go.everything() == before
        n_rooms, n_people = (len(go.go_rows(t)) for t in ("rtc_room", "rtc_participant"))
        assert f"rtc_room: {n_rooms} rows; may copy the table; writers wait meanwhile" in said
        assert f"rtc_participant: {n_people} rows; may copy the table; writers wait meanwhile" in said
        assert f"rtc_room: {n_rooms} rows would get their times in UTC" in said
        assert "rtc_participant: 5 ringing rows would get a deadline" in said
        assert "rtc_room: 3 active calls would get their next deadline" in said
        assert f"local time of {ZONE} (UTC+08:00); its newest row is" in said

    def test_after_the_migration_there_is_nothing_to_say(self, go, ctl):
        fill(go)
        ctl.messages("migrate")
        before = go.everything()
        assert ctl.messages("migrate", "--dry-run") == f"the schema is at version {NEWEST}: nothing to do"
        assert go.everything() == before

    def test_of_a_database_that_is_not_there(self, stack, go, ctl):
        said = ctl.messages("migrate", "--dry-run", DB_NAME=go.name + "_no")
        assert "does not exist and would be created" in said
        assert go.run("SHOW DATABASES LIKE %s", go.name + "_no") == ()


class TestMigrate:
    def test_the_go_servers_columns_keep_every_value(self, go, ctl):
        fill(go)
        before = {t: go.go_rows(t) for t in COLUMNS}
        before_sums = sums(go)
        said = ctl.messages("migrate")
        assert f"the schema is at version {NEWEST}" in said
        assert {t: go.go_rows(t) for t in COLUMNS} == before
        assert sums(go) == before_sums

    def test_times_become_utc(self, go, ctl):
        now = fill(go)
        ctl.messages("migrate")
        rows = go.run("SELECT * FROM rtc_room WHERE room_id <> 'undated'")
        for row in rows:
            assert row["created_at_ms"] == utc_ms(row["created_at"]), row
            assert row["updated_at_ms"] == utc_ms(row["updated_at"]), row
        assert abs(go.room("ringing")["created_at_ms"] - now * 1000) <= 1
        # A row without any time is dated now.
        assert abs(go.room("undated")["created_at_ms"] - time.time() * 1000) < 60000

    def test_ringing_rows_get_a_deadline_and_active_calls_the_least(self, go, ctl):
        fill(go)
        began = time.time() * 1000
        said = ctl.messages("migrate")
        ended = time.time() * 1000
        assert "rtc_participant: 5 ringing rows got a deadline" in said
        assert "rtc_room: 3 active calls got their next deadline" in said
        for room, uid in (("ringing", "cai"), ("ringing", "dan"), ("group", "hal")):
            row = go.participant(room, uid)
            assert row["deadline_ms"] == utc_ms(row["created_at"]) + RING_S * 1000
        for uid in ("eve", "fay"):
            assert began + 5000 <= go.participant("overdue", uid)["deadline_ms"] <= ended + 5000
        assert go.room("ringing")["next_deadline_ms"] == go.participant("ringing", "cai")["deadline_ms"]
        assert go.room("overdue")["next_deadline_ms"] == min(go.participant("overdue", u)["deadline_ms"]
                                                            for u in ("eve", "fay"))
        assert go.room("group")["next_deadline_ms"] == go.participant("group", "hal")["deadline_ms"]

    def test_what_is_over_or_stale_gets_none(self, go, ctl):
        fill(go)
        ctl.messages("migrate")
        left = go.run("SELECT room_id, uid FROM rtc_participant WHERE deadline_ms <> 0 AND"
                      " (status <> 0 OR room_id NOT IN ('ringing', 'overdue', 'group'))")
        assert left == ()
        assert go.run("SELECT room_id FROM rtc_room WHERE status > 1 AND next_deadline_ms <> 0") == ()
        assert go.run("SELECT room_id FROM rtc_room WHERE status > 1 AND version <> 0") == ()

    def test_a_call_nobody_rings_in_ends_by_max_call_s(self, go, ctl):
        now = time.time()
        go.insert_room("talk", "ann", now - 100, status=1)
        go.insert_participant("talk", "ann", now - 100, status=1, join_time=int(now))
        ctl.messages("migrate")
        row = go.room("talk")
        assert row["next_deadline_ms"] == row["created_at_ms"] + MAX_CALL_S * 1000

    def test_without_max_call_s_it_has_no_deadline(self, go, ctl):
        now = time.time()
        go.insert_room("talk", "ann", now - 100, status=1)
        go.insert_participant("talk", "ann", now - 100, status=1, join_time=int(now))
        ctl.messages("migrate", MAX_CALL_S=0)
        assert go.room("talk")["next_deadline_ms"] == 0
        before = go.everything()
        ctl.messages("migrate", MAX_CALL_S=0)
        assert go.everything() == before

    def test_again_is_a_no_op(self, go, ctl):
        fill(go)
        ctl.messages("migrate")
        before = go.everything()
        assert ctl.messages("migrate") == f"the schema is at version {NEWEST}: nothing to do"
        assert go.everything() == before

    def test_two_at_once(self, go, ctl):
        fill(go)
        both = [ctl.start("migrate") for _ in range(2)]
        for one in both:
            out, err = one.communicate(timeout=120)
            assert one.returncode == 0, out + err
        for row in go.run("SELECT * FROM rtc_room WHERE room_id <> 'undated'"):
            assert row["created_at_ms"] == utc_ms(row["created_at"])
        assert go.run("SELECT * FROM schema_migrations WHERE status <> 'success'") == ()
        assert go.one("SELECT holder FROM schema_lock")["holder"] == ""

    def test_many_rows_in_steps(self, go, ctl):
        now = int(time.time())
        go.run("INSERT INTO rtc_room (creator, room_id, status, created_at, updated_at)"
               " SELECT 'x', CONCAT('r', seq), seq %% 7, %s - INTERVAL seq MINUTE, %s FROM seq_1_to_1700",
               go.local(now), go.local(now))
        go.run("INSERT INTO rtc_participant (room_id, uid, status, created_at, updated_at)"
               " SELECT room_id, 'x', 0, created_at, updated_at FROM rtc_room")
        ctl.messages("migrate")
        wrong = go.run("SELECT room_id FROM rtc_room WHERE created_at_ms <> ROUND(1000 * (TIMESTAMPDIFF("
                       "MICROSECOND, '1970-01-01', created_at) / 1000000 - 8 * 3600))")
        assert wrong == ()
        assert go.run("SELECT p.id FROM rtc_participant p JOIN rtc_room r ON r.room_id = p.room_id"
                      " WHERE (p.deadline_ms > 0) <> (r.status < 2)") == ()
        assert go.run("SELECT id FROM rtc_room WHERE (next_deadline_ms > 0) <> (status < 2)") == ()

    def test_times_are_exact_where_the_clocks_change(self, stack, tmp_path):
        """Around both changes of New York's clocks in 2025, minute by minute."""
        zone = "America/New_York"
        go = GoDatabase(stack, zone)
        moments = []
        for change in (datetime.datetime(2025, 3, 9, 7), datetime.datetime(2025, 11, 2, 6)):
            at = change.replace(tzinfo=datetime.timezone.utc).timestamp()
            moments += [at + 60 * m for m in range(-150, 150, 7)]
        for i, at in enumerate(moments):
            go.insert_room(f"r{i}", "ann", at, status=2, updated=at + 3600)
        try:
            Ctl.of(stack, tmp_path, DB_NAME=go.name, TZ=zone).messages("migrate")
            for i, at in enumerate(moments):
                row = go.room(f"r{i}")
                # An hour that came twice reads as the first.
                twice = row["created_at"].month == 11 and row["created_at"].hour == 1
                assert row["created_at_ms"] in ((at * 1000, at * 1000 - 3600000) if twice else (at * 1000,))
                assert row["created_at_ms"] == utc_ms(row["created_at"], zone)
                assert row["updated_at_ms"] == utc_ms(row["updated_at"], zone)
        finally:
            go.close()


class TestTimeZone:
    def test_a_newest_row_from_the_future_is_refused(self, go, ctl):
        fill(go)
        before = go.everything()
        said = ctl.messages("migrate", code=1, TZ="UTC")
        assert "refused" in said and "--tz" in said
        assert "479 minutes in the future" in said or "480 minutes in the future" in said
        assert go.everything() == before
        assert "refused" in ctl.messages("migrate", "--dry-run", code=1, TZ="UTC")
        assert go.everything() == before

    def test_tz_names_another(self, go, ctl):
        fill(go)
        said = ctl.messages("migrate", "--tz", ZONE, TZ="UTC")
        assert f"local time of {ZONE} (UTC+08:00)" in said
        row = go.room("ringing")
        assert row["created_at_ms"] == utc_ms(row["created_at"])

    def test_a_wrong_one_that_makes_rows_older_is_told(self, go, ctl):
        fill(go)
        said = ctl.messages("migrate", "--dry-run", "--tz", "Pacific/Kiritimati")
        assert "its newest row is 6 h 0 min old" in said
        assert "if calls were made since then, this is not the Go server's time zone" in said
        assert "if calls were made" not in ctl.messages("migrate", "--dry-run")

    def test_clocks_may_differ_by_a_minute(self, go, ctl):
        go.insert_room("r", "ann", time.time() + 40, status=2)
        ctl.messages("migrate")

    @pytest.mark.parametrize("zone", ["Asia/Shanghia", "", "/etc/passwd"])
    def test_an_unknown_one_is_wrong_use(self, go, ctl, zone):
        before = go.everything()
        done = ctl("migrate", "--tz", zone)
        assert done.returncode == 2 and "--tz" in done.stderr, done.stderr
        assert go.everything() == before


class TestServing:
    def test_room_sync_and_join(self, go, ctl, serve):
        fill(go)
        ctl.messages("migrate")
        w = serve()
        status, room = w.ask("GET", "/rooms/ringing")
        assert (status, room["status"], room["creator"], room["uids"]) == (200, 0, "cai", ["cai", "dan"])
        assert room["created_at"] == go.room("ringing")["created_at"].strftime("%Y-%m-%d %H:%M:%S")
        status, done = w.ask("GET", "/rooms/done")
        assert (status, done["status"]) == (200, 2)

        status, rooms = w.ask("GET", "/rooms/sync?uid=dan")
        assert status == 200 and [r["room_id"] for r in rooms] == ["ringing"]
        assert rooms[0]["deadline"] == go.participant("ringing", "dan")["deadline_ms"]

        status, joined = w.ask("POST", "/rooms/ringing/join", {"uid": "dan", "device_type": "app"})
        assert status == 200 and joined["token"] and joined["my_status"] == 1
        row = go.participant("ringing", "dan")
        assert (row["status"], row["deadline_ms"], row["device_type"]) == (1, 0, "app")
        status, _ = w.ask("POST", "/rooms/ringing/join", {"uid": "cai", "device_type": "ios"})
        assert status == 200
        status, left = w.ask("POST", "/rooms/ringing/leave", {"uid": "dan"})
        assert (status, left["status"], left["end_reason"]) == (200, 2, "hangup")
        assert go.participant("ringing", "cai")["status"] == 3

    def test_active_rows_of_final_or_missing_rooms_block_nobody(self, go, ctl, serve):
        fill(go)
        ctl.messages("migrate")
        w = serve()
        for creator, callee in (("jon", "kim"), ("lea", "someone")):
            status, body = w.ask("POST", "/rooms", {"creator": creator, "uids": [callee]})
            assert status == 200, body
        status, body = w.ask("POST", "/rooms", {"creator": "new", "uids": ["gus"]})
        assert (status, body["error"]) == (409, "participant_in_call")

    def test_a_status_that_is_none(self, go, ctl, serve):
        """Early Go servers stored what they were told: such a call is over, such a person is gone."""
        now = time.time() - 300
        go.insert_room("odd", "ann", now, status=9)
        go.insert_participant("odd", "ann", now, status=1, join_time=int(now))
        go.insert_participant("odd", "bob", now)
        go.insert_room("on", "cai", now, status=1, max_participants=5)
        go.insert_participant("on", "cai", now, status=1, join_time=int(now))
        go.insert_participant("on", "dan", now, status=8)
        ctl.messages("migrate")
        w = serve()
        status, body = w.ask("PUT", "/rooms/odd/status", {"status": 3})
        assert (status, body["error"]) == (409, "illegal_transition")
        assert w.ask("POST", "/rooms/odd/join", {"uid": "bob"})[1]["error"] == "room_not_active"
        assert w.ask("POST", "/rooms/odd/end")[0] == 200
        assert w.ask("POST", "/rooms/on/leave", {"uid": "dan"})[0] == 200
        status, body = w.ask("POST", "/rooms/on/join", {"uid": "dan"})
        assert (status, body["my_status"]) == (200, 1)
        go.run("UPDATE rtc_participant SET status = 8 WHERE uid = 'dan'")
        assert w.ask("PUT", "/rooms/on/participants/dan/status", {"status": 2})[0] == 200

    def test_ids_are_compared_byte_for_byte(self, go, ctl, serve):
        fill(go)
        ctl.messages("migrate")
        w = serve()
        assert w.ask("GET", "/rooms/CaSe")[0] == 200
        assert w.ask("GET", "/rooms/case")[0] == 404
        status, body = w.ask("POST", "/rooms", {"creator": "DAN", "uids": ["Dan"], "room_id": "RINGING"})
        assert status == 200, body


class TestTheWayBack:
    """The Go server on the migrated database, then migrate once more."""

    def test_its_statements_still_work(self, go, ctl):
        fill(go)
        ctl.messages("migrate")
        now = time.time()
        go.insert_room("back", "zoe", now)
        go.insert_participant("back", "zoe", now, device_type="ios")
        go.insert_participant("back", "yan", now)
        go.join_participant("back", "yan", "web", now)
        go.update_room_status("back", 1, now)
        go.invite_again("group", "ivy", now)
        with pytest.raises(pymysql.err.IntegrityError):
            go.insert_room("back", "zoe", now)
        with pytest.raises(pymysql.err.IntegrityError):
            go.insert_participant("back", "zoe", now)
        row = go.room("back")
        assert row["status"] == 1 and abs(row["created_at"] - go.local(now)) < datetime.timedelta(seconds=1)
        row = go.participant("back", "yan")
        assert (row["status"], row["device_type"], row["join_time"]) == (1, "web", int(now))

    def test_what_it_wrote_is_taken_over_by_the_next_migrate(self, go, ctl, serve):
        fill(go)
        ctl.messages("migrate")
        untouched = go.room("done")
        now = time.time()
        go.insert_room("back", "zoe", now)
        go.insert_participant("back", "zoe", now)
        go.insert_participant("back", "yan", now)
        go.invite_again("group", "ivy", now)
        said = ctl.messages("migrate")
        assert "rtc_room: 1 rows got their times in UTC" in said
        assert "rtc_participant: 3 ringing rows got a deadline" in said
        # The group's own next deadline is earlier and stays.
        assert "rtc_room: 1 active calls got their next deadline" in said
        row = go.room("back")
        assert row["created_at_ms"] == utc_ms(row["created_at"])
        assert row["next_deadline_ms"] == row["created_at_ms"] + RING_S * 1000
        assert go.participant("group", "ivy")["deadline_ms"] > go.participant("group", "hal")["deadline_ms"]
        assert go.room("group")["next_deadline_ms"] == go.participant("group", "hal")["deadline_ms"]
        assert go.room("done") == untouched
        status, rooms = serve().ask("GET", "/rooms/sync?uid=yan")
        assert status == 200 and [r["room_id"] for r in rooms] == ["back"]

    def test_a_future_row_is_refused_then_too(self, go, ctl):
        fill(go)
        ctl.messages("migrate")
        go.insert_room("back", "zoe", time.time())
        assert "refused" in ctl.messages("migrate", code=1, TZ="UTC")
        assert go.room("back")["created_at_ms"] == 0


class TestTrouble:
    def test_a_server_that_is_away_is_told(self, ctl, tmp_path):
        said = ctl.messages("migrate", code=1, DB_SOCKET=tmp_path / "none")
        assert "the database cannot be reached" in said

    def test_a_refused_user_is_told(self, ctl):
        said = ctl.messages("migrate", code=1, DB_PASSWORD="wrong")
        assert "Access denied" in said

    def test_a_fresh_database_is_made(self, go, ctl):
        name = go.name + "_new"
        try:
            assert "created the database" in ctl.messages("migrate", DB_NAME=name)
        finally:
            go.run(f"DROP DATABASE IF EXISTS {name}")
