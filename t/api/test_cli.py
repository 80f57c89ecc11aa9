"""tgo-call against a running stack: output, exit codes, the doctor, calls and tokens.

SPDX-License-Identifier: MIT
"""
import http.server
import json
import os
import socket as socketlib
import threading
import time

import jwt
import pytest

from support.ctl import Ctl


@pytest.fixture
def ctl(stack, tmp_path):
    return Ctl.of(stack, tmp_path)


@pytest.fixture
def ringing(call, fresh):
    """A call of alice to bob; its RoomResp."""
    answer = call.post("/rooms", {"creator": fresh("alice"), "uids": [fresh("bob")]})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def answering():
    """answering(status, body): a server that says only that; its URL."""
    servers = []

    def make(status, body="{}"):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            do_POST = do_GET

            def log_message(self, *_):
                pass

        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_address[1]}"

    yield make
    for one in servers:
        one.shutdown()
        one.server_close()


class TestUse:
    @pytest.mark.parametrize("line, word", [
        (["nonsense"], "unknown command: nonsense"), (["rooms", "--limt", "3"], "unknown option: --limt"),
        (["rooms", "--limit"], "--limit needs a value"), (["rooms", "--limit="], "--limit needs a value"),
        (["rooms", "--limit", "0"], "--limit"), (["rooms", "--limit", "1001"], "--limit"),
        (["rooms", "--status", "7"], "--status"), (["rooms", "--status", "a"], "--status"),
        (["rooms", "--since", "yesterday"], "--since"), (["rooms", "more"], "usage: tgo-call rooms"),
        (["room"], "usage: tgo-call room ID"), (["room", "a", "b"], "usage: tgo-call room ID"),
        (["token", "a"], "usage: tgo-call token ROOM UID"), (["token", "a", "b", "c", "d"], "one word too many"),
        (["token", "a", "b", "--ttl", "59"], "--ttl"), (["token", "a", "b", "--ttl", "86401"], "--ttl"),
        (["end"], "usage: tgo-call end ID"), (["logs", "--tail", "-1"], "--tail"),
        (["logs", "--level", "loud"], "--level"), (["logs", "--until", "x"], "--until"),
        (["migrate", "--dry-run=yes"], "--dry-run takes no value"), (["logs", "-x"], "unknown option: -x"),
        (["--json"], None), ([], None),
    ])
    def test_wrong_use_is_2(self, ctl, line, word):
        done = ctl(*line)
        assert done.returncode == 2
        assert word is None or word in done.stderr, done.stderr

    def test_help_names_every_command(self, ctl):
        for line in (["help"], ["--help"], ["-h"]):
            done = ctl(*line)
            assert done.returncode == 0
            for name in ("migrate", "check", "config", "logs", "rooms", "room ID", "token ROOM UID", "end ID",
                         "version"):
                assert name in done.stdout
        for name in ("migrate", "check", "config", "logs", "rooms", "room", "token", "end", "version"):
            done = ctl(name, "--help")
            assert done.returncode == 0 and done.stdout.startswith(f"Usage: tgo-call {name}")

    def test_version(self, ctl):
        version = ctl.ok("version")["version"]
        assert ctl.ok("--version") == {"version": version}
        assert ctl.on_a_terminal("version") == (0, f"tgo-call {version}\n")
        assert ctl.on_a_terminal("version", "--json") == (0, json.dumps({"version": version}, separators=(",", ":"))
                                                          + "\n")

    def test_the_environment_file(self, stack, ctl, tmp_path):
        (tmp_path / "e").write_text("ENV=from-the-file\nLOG_LEVEL=loud\n")
        done = ctl("config", "--env-file", tmp_path / "e")
        assert done.returncode == 1 and "LOG_LEVEL" in done.stderr
        assert ctl.ok("--env-file", tmp_path / "e", "config", LOG_LEVEL="warn")["General"]["ENV"] == "from-the-file"
        done = ctl("rooms", "--env-file", tmp_path / "none")
        assert done.returncode == 1 and "No such file" in done.stderr


class TestConfig:
    def test_secrets_are_masked(self, stack, ctl):
        done = ctl("config")
        shown = json.loads(done.stdout)
        assert shown["Database"]["DB_NAME"] == stack.env["DB_NAME"]
        assert shown["Database"]["DB_PASSWORD"] == "***"
        assert shown["LiveKit"]["LIVEKIT_API_KEY"] == stack.env["LIVEKIT_API_KEY"]
        assert shown["Calls"]["TOKEN_TTL"] == "3600"
        _, text = ctl.on_a_terminal("config")
        for secret in (stack.env["DB_PASSWORD"], stack.env["LIVEKIT_API_SECRET"], stack.ticket_secret):
            assert secret not in done.stdout and secret not in text
        assert "## Database\n" in text and f"DB_NAME={stack.env['DB_NAME']}\n" in text

    def test_the_example_file_starts_us_unchanged(self, ctl, tmp_path):
        text = ctl("config", "--example", LOG_LEVEL="loud").stdout
        (tmp_path / "e").write_text(text)
        assert "\n#DB_HOST=localhost\n" in text
        ctl.ok("config", "--env-file", tmp_path / "e")
        (tmp_path / "e").write_text("".join(line.removeprefix("#") if line[:1] == "#" and line[1:2].isupper()
                                            else line for line in text.splitlines(True)))
        ctl.ok("config", "--env-file", tmp_path / "e")

    def test_the_manual_page(self, ctl):
        text = ctl("config", "--man").stdout
        assert text.startswith(".SH OPTIONS\n") and "\n.B LIVEKIT_TIMEOUT\n" in text

    def test_a_bad_value_is_named(self, ctl):
        done = ctl("config", LIVEKIT_TIMEOUT=0)
        assert done.returncode == 1 and "LIVEKIT_TIMEOUT takes a whole number from 1 to 86400" in done.stderr


def checks(done):
    found = json.loads(done.stdout)
    assert found["ok"] == (done.returncode == 0) == all(one["status"] != "fail" for one in found["checks"])
    return {one["name"]: one for one in found["checks"]}


class TestCheck:
    def test_all_is_well(self, ctl, answering, stored):
        before = stored()
        done = ctl("check", LIVEKIT_URL=answering(200, '{"rooms":[]}'))
        found = checks(done)
        assert done.returncode == 0, done.stdout
        assert {name for name, one in found.items() if one["status"] == "ok"} >= {
            "configuration", "secrets", "log", "mysql", "connections", "schema", "clock", "time zone", "redis",
            "livekit", "nginx"}
        assert "MariaDB" in found["mysql"]["message"] or found["mysql"]["message"].startswith("8")
        assert stored() == before

    def test_on_a_terminal_a_line_each(self, ctl):
        code, text = ctl.on_a_terminal("check", "--env-file", "/dev/null", LIVEKIT_API_SECRET="short")
        assert code == 1
        lines = text.splitlines()
        assert all(line.split()[0] in ("ok", "warn", "fail") for line in lines), text
        assert any(line.startswith("fail  secrets") and "-> make one by `openssl rand -hex 32`" in line
                   for line in lines)

    @pytest.mark.parametrize("name, status, word, settings", [
        ("configuration", "fail", "LOG_LEVEL", {"LOG_LEVEL": "loud"}),
        ("callers", "fail", "nobody may call", {"AUTH_MODE": "key"}),
        ("callers", "warn", "everybody may call", {"AUTH_MODE": "open"}),
        ("secrets", "fail", "shorter than 32", {"LIVEKIT_API_SECRET": "x" * 31}),
        ("secrets", "ok", "long enough", {"LIVEKIT_API_SECRET": "x" * 32}),
        ("secrets", "fail", "TICKET_SECRET is shorter", {"TICKET_SECRET": "x" * 31}),
        ("secrets", "fail", "no key of LiveKit", {"LIVEKIT_API_KEY": None, "LIVEKIT_API_SECRET": None}),
        ("log", "ok", "can be made", {"LOG_FILE": "new.log"}),
        ("log", "fail", "No such file", {"LOG_FILE": "no/folder/log"}),
        ("mysql", "fail", "Access denied", {"DB_PASSWORD": "wrong"}),
        ("mysql", "fail", "Can't connect", {"DB_SOCKET": "none"}),
        ("mysql", "fail", "tgo_none does not exist", {"DB_NAME": "tgo_none"}),
        ("connections", "warn", "for 1000 workers", {"WORKERS": 1000}),
        ("redis", "fail", "does not answer", {"REDIS_SOCKET": "none"}),
        ("livekit", "fail", "127.0.0.1:1:", {"LIVEKIT_URL": "http://127.0.0.1:1"}),
        ("jobs", "warn", "no tgo-call-jobs", {}),
        ("nginx", "warn", "127.0.0.1:1/health", {"LIVEKIT_CLIENT_URL": "ws://127.0.0.1:1"}),
    ])
    def test_what_is_wrong_and_the_cure(self, ctl, name, status, word, settings):
        found = checks(ctl("check", **settings))
        assert found[name]["status"] == status, found[name]
        assert word in found[name]["message"]
        assert (found[name]["cure"] == "") == (status == "ok")

    @pytest.mark.parametrize("socket, folder, status, word", [
        (0o660, 0o750, "ok", "0660"), (0o600, 0o700, "ok", "0600"), (0o660, 0o755, "warn", "wider"),
        (0o666, 0o750, "warn", "wider"), (0o662, 0o751, "fail", "everybody"), (0o777, 0o777, "fail", "everybody"),
        (None, 0o750, "warn", "No such file"),
    ])
    def test_who_may_connect_to_the_workers(self, ctl, tmp_path, socket, folder, status, word):
        path = tmp_path / "run" / "fcgi.sock"
        path.parent.mkdir()
        if socket is not None:
            with socketlib.socket(socketlib.AF_UNIX) as listening:
                listening.bind(os.path.relpath(path))
            path.chmod(socket)
        path.parent.chmod(folder)
        done = json.loads(ctl("check", "--fcgi-socket", path).stdout)
        found = [one for one in done["checks"] if one["name"] == "sockets"]
        assert len(found) == 2 and (found[0]["status"], word in found[0]["message"]) == (status, True), found
        assert str(path) in found[0]["message"] and (found[0]["cure"] == "") == (status == "ok")

    def test_the_sockets_of_scripts_run(self, ctl, stack):
        done = json.loads(ctl("check", "--fcgi-socket", stack.var / "run/fcgi.sock", "--route-socket",
                              stack.var / "run/route.sock").stdout)
        assert [(one["status"], "0660" in one["message"], "0750" in one["message"]) for one in done["checks"]
                if one["name"] == "sockets"] == [("ok", True, True)] * 2

    @pytest.mark.parametrize("status, body, word", [
        (401, '{"code":"unauthenticated"}', "refuses the key"), (404, "not found", "answers 404: not found"),
        (500, "", "answers 500"), (502, "x" * 5000, "answers 502"),
    ])
    def test_livekit_that_answers_wrongly(self, ctl, answering, status, body, word):
        found = checks(ctl("check", LIVEKIT_URL=answering(status, body)))["livekit"]
        assert found["status"] == "fail" and word in found["message"] and len(found["message"]) < 400

    def test_nginx_that_leads_elsewhere(self, ctl, answering):
        url = answering(200, "OK").replace("http", "ws") + "/some/path"
        found = checks(ctl("check", LIVEKIT_CLIENT_URL=url))["nginx"]
        assert found["status"] == "warn" and "not as we do" in found["message"]
        assert "/some/path" not in found["message"]

    def test_a_schema_that_is_not_ours(self, stack, ctl, db):
        db.cursor().execute("CREATE DATABASE IF NOT EXISTS tgo_check_empty")
        try:
            found = checks(ctl("check", DB_NAME="tgo_check_empty"))["schema"]
            assert found["status"] == "fail" and "run tgo-call migrate" in found["cure"]
            ctl.messages("migrate", DB_NAME="tgo_check_empty")
            assert checks(ctl("check", DB_NAME="tgo_check_empty"))["schema"]["status"] == "ok"
            db.cursor().execute("INSERT INTO tgo_check_empty.schema_migrations (version, name, status)"
                                " VALUES (999, 'later', 'success')")
            found = checks(ctl("check", DB_NAME="tgo_check_empty"))["schema"]
            assert found["status"] == "fail" and "install the release" in found["cure"]
        finally:
            db.cursor().execute("DROP DATABASE tgo_check_empty")

    def test_redis_that_throws_keys_out(self, ctl, redis_client):
        before = redis_client.config_get("maxmemory-policy")["maxmemory-policy"]
        try:
            for policy, status in (("allkeys-lru", "warn"), ("volatile-ttl", "ok"), ("noeviction", "ok")):
                redis_client.config_set("maxmemory-policy", policy)
                found = checks(ctl("check"))["redis"]
                assert found["status"] == status and policy in found["message"]
        finally:
            redis_client.config_set("maxmemory-policy", before)

    def test_a_call_written_in_another_time_zone(self, ctl, db, ringing):
        with db.cursor() as c:
            c.execute("UPDATE rtc_room SET created_at = created_at + INTERVAL 8 HOUR, created_at_ms ="
                      " created_at_ms + 1000 WHERE room_id = %s", (ringing["room_id"],))
        found = checks(ctl("check"))["time zone"]
        assert found["status"] == "warn" and "479 minutes off" in found["message"]
        with db.cursor() as c:
            c.execute("UPDATE rtc_room SET created_at = created_at - INTERVAL 8 HOUR, created_at_ms ="
                      " created_at_ms - 1000 WHERE room_id = %s", (ringing["room_id"],))
        assert checks(ctl("check"))["time zone"]["status"] == "ok"

    def test_whether_livekit_has_told_anything(self, ctl, db):
        with db.cursor() as c:
            c.execute("SELECT COUNT(*) n FROM livekit_event")
            if c.fetchone()["n"] == 0:
                assert checks(ctl("check"))["webhooks"]["status"] == "warn"
            c.execute("INSERT INTO livekit_event (id, event, received_at_ms) VALUES ('check', 'room_started', %s)",
                      (int(time.time() * 1000) - 5000,))
        try:
            found = checks(ctl("check"))["webhooks"]
            assert found["status"] == "ok" and "s ago" in found["message"]
        finally:
            db.cursor().execute("DELETE FROM livekit_event WHERE id = 'check'")


class TestRooms:
    def test_room_is_the_apis_room(self, ctl, call, ringing):
        theirs = call.get(f"/rooms/{ringing['room_id']}").json()
        ours = ctl.ok("room", ringing["room_id"])
        for room in (ours, theirs):
            room.pop("server_time")
        assert {k: theirs.get(k) for k in ours} == ours

    def test_room_on_a_terminal(self, ctl, ringing):
        code, text = ctl.on_a_terminal("room", ringing["room_id"])
        assert code == 0
        for word in (ringing["room_id"], ringing["creator"], "0 ringing", "0 inviting", "UID", ringing["uids"][0]):
            assert word in text

    def test_what_a_database_holds_cannot_drive_a_terminal(self, ctl, db, ringing):
        with db.cursor() as c:
            c.execute("UPDATE rtc_participant SET device_type = %s WHERE room_id = %s",
                      ("\x1b[31mred\x07", ringing["room_id"]))
        _, text = ctl.on_a_terminal("room", ringing["room_id"])
        assert "\x1b" not in text and "\x07" not in text and "?[31mred?" in text

    @pytest.mark.parametrize("line", [["room", "none"], ["end", "none"], ["token", "none", "ann"]])
    def test_an_unknown_call_is_1(self, ctl, line):
        done = ctl(*line)
        assert done.returncode == 1 and "none: no such call" in done.stderr and done.stdout == ""

    def test_a_database_that_is_away_is_told(self, ctl):
        done = ctl("rooms", DB_SOCKET="none")
        assert done.returncode == 1 and "the database cannot be reached: 2002" in done.stderr

    def test_filters(self, ctl, call, fresh):
        alice, bob, began = fresh("alice"), fresh("bob"), time.time()
        ids = []
        for creator, callee in ((alice, fresh("x")), (fresh("y"), bob), (alice, bob)):
            room = call.post("/rooms", {"creator": creator, "uids": [callee], "max_participants": 3}).json()
            ids.append(room["room_id"])
            assert call.post(f"/rooms/{room['room_id']}/end").status_code == 200

        def found(*line):
            answer = ctl.ok("rooms", *line)
            assert answer["total"] >= len(answer["rooms"])
            return [r["room_id"] for r in answer["rooms"]]

        assert found("--creator", alice) == [ids[2], ids[0]]
        assert found("--uid", bob) == [ids[2], ids[1]]
        assert found("--uid", bob, "--creator", alice) == [ids[2]]
        assert found("--uid", alice, "--status", "3") == [ids[2], ids[0]]
        assert found("--uid", alice, "--status", "0,1") == []
        assert found("--uid", alice, "--limit=1") == [ids[2]]
        assert found("--uid", alice, "-n", "1") == [ids[2]]
        assert found("--uid", alice, "--since", "1h", "--until", int(time.time()) + 5) == [ids[2], ids[0]]
        assert found("--uid", alice, "--until", int(began) - 5) == []
        assert found("--uid", alice, "--since", int(time.time()) + 60) == []
        assert ctl.ok("rooms", "--uid", alice, "--limit", 1)["total"] == 2
        _, text = ctl.on_a_terminal("rooms", "--uid", alice)
        assert text.splitlines()[0].split() == ["ROOM", "STATUS", "CREATOR", "PEOPLE", "CREATED", "SECONDS",
                                                "REASON", "NODE"]
        assert text.splitlines()[-1] == "2 of 2" and "3 cancelled" in text

    def test_end(self, ctl, call, ringing, logs, invariants):
        ended = ctl.ok("end", ringing["room_id"])
        assert (ended["status"], ended["end_reason"]) == (3, "ended")
        assert call.get(f"/rooms/{ringing['room_id']}").json()["status"] == 3
        assert ctl.ok("end", ringing["room_id"])["status"] == 3
        logs.wait_for(event="cli_end", room_id=ringing["room_id"])
        invariants()


class TestToken:
    def test_for_who_rings_and_who_is_joined(self, stack, ctl, call, ringing, logs):
        bob = ringing["uids"][0]
        for ttl in (None, 120):
            made = ctl.ok("token", ringing["room_id"], bob, *(["--ttl", ttl] if ttl else []))
            claims = jwt.decode(made["token"], stack.env["LIVEKIT_API_SECRET"], ["HS256"])
            assert (claims["sub"], claims["iss"]) == (bob, stack.env["LIVEKIT_API_KEY"])
            assert claims["exp"] - claims["nbf"] == (ttl or 3600) == made["ttl_s"]
            assert claims["video"] == {"room": ringing["room_id"], "roomJoin": True, "canPublish": True,
                                       "canSubscribe": True, "canPublishData": True}
            assert made["url"] == ringing["url"]
            line = logs.wait_for(lambda one: one["timeout"] == made["ttl_s"], msg="LiveKit Token 生成成功", uid=bob)
            assert list(line)[:2] == ["level", "timestamp"]
            assert [k for k in line if k in ("room_id", "uid", "device_type", "livekit_url", "backend_url",
                                             "timeout", "livekit_node")] == \
                ["room_id", "uid", "device_type", "livekit_url", "backend_url", "timeout", "livekit_node"]
            assert made["token"] not in logs.text()
            assert call.post(f"/rooms/{ringing['room_id']}/join", {"uid": bob}).status_code == 200
        people = ctl.ok("room", ringing["room_id"])["participants"]
        assert {one["uid"]: one["status"] for one in people}[bob] == 1

    def test_changes_nothing(self, ctl, ringing, stored):
        before = stored()
        ctl.ok("token", ringing["room_id"], ringing["creator"])
        assert stored() == before

    def test_on_a_terminal(self, ctl, ringing):
        code, text = ctl.on_a_terminal("token", ringing["room_id"], ringing["creator"])
        assert code == 0
        assert [line.split()[0] for line in text.splitlines()] == ["url", "token"]

    def test_for_nobody_else(self, ctl, call, ringing):
        bob = ringing["uids"][0]
        done = ctl("token", ringing["room_id"], "stranger")
        assert done.returncode == 1 and "neither joined nor ringing" in done.stderr
        assert ctl("token", ringing["room_id"], bob.upper()).returncode == 1
        assert call.post(f"/rooms/{ringing['room_id']}/end").status_code == 200
        done = ctl("token", ringing["room_id"], bob)
        assert done.returncode == 1 and "the call is over" in done.stderr and done.stdout == ""

    def test_without_a_key(self, ctl, ringing):
        done = ctl("token", ringing["room_id"], ringing["creator"], LIVEKIT_API_KEY=None, LIVEKIT_API_SECRET=None)
        assert done.returncode == 1 and "LIVEKIT_API_KEY" in done.stderr

    def test_a_uid_that_looks_like_an_option(self, ctl, call, fresh):
        dash = "-" + fresh("dash")
        room = call.post("/rooms", {"creator": fresh("alice"), "uids": [dash]}).json()
        assert ctl.ok("token", "--", room["room_id"], dash)["uid"] == dash
