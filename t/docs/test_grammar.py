"""Every statement we send is MySQL 8's SQL as well, and none of a request reads a whole table.

No MySQL can be installed beside MariaDB here; its grammar can (t/mysql8). It is fed with the migrations, with
every statement of the stores, and with what MariaDB itself says we sent while everything was called once.
SPDX-License-Identifier: MIT
"""
import json
import os
import re
import secrets
import subprocess
import time

import pymysql
import pytest

from support.client import Api
from support.ctl import Ctl
from support.direct import Direct
from support.fake_livekit import FakeLiveKit
from support.fake_livekit import node_record, person_record
from support.fake_node import FakeNode
from support.go_database import GoDatabase
from support.jobs_process import Jobs, jobs_of
from support.livekit_hook import Hook, now_ms, person
from support.logs import AppLog
from support.ports import free_port
from support.receiver import Receiver, Stream
from support.stack import ROOT
from support.time_passes import run_down
from support.wait import wait_until

GO_FIND = 'cd scripts/lib && for part in common packages process livekit; do . ./$part.sh; done && go_find'


@pytest.fixture(scope="session")
def refused(tmp_path_factory):
    """refused(statements): those that MySQL 8 would not take, with the reason."""
    folder = tmp_path_factory.mktemp("mysql8")
    go = subprocess.run(["bash", "-euo", "pipefail", "-c", GO_FIND], cwd=ROOT, text=True, check=True,
                        stdout=subprocess.PIPE).stdout.strip()
    subprocess.run([go, "build", "-o", folder / "mysql8", "."], cwd=ROOT / "t/mysql8", check=True, timeout=900,
                   env={**os.environ, "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local"})

    def ask(statements):
        # One a line; the program takes a line that ends in ";" for the end of a statement.
        text = "".join(" ".join(one.split()).rstrip(";") + ";\n" for one in statements)
        done = subprocess.run([folder / "mysql8"], input=text, stdout=subprocess.PIPE, text=True, timeout=60)
        assert done.stdout.splitlines()[-1] == f"1..{len(statements)}"
        bad = re.findall(r"^not ok \d+ - (.*\n# .*)$", done.stdout, re.M)
        assert (done.returncode == 0) == (bad == [])
        return bad

    return ask


def store_statements():
    done = subprocess.run([f"{os.environ['TGO_BIN']}/t/statements", "--names"], stdout=subprocess.PIPE, text=True,
                          check=True)
    pairs = [line.split("\t", 1) for line in done.stdout.splitlines()]
    assert len({name for name, _ in pairs}) == len(pairs) > 20
    return dict(pairs)


def migration_statements():
    """As `tgo-call migrate` cuts them: at a ";" that ends a line."""
    out = []
    for path in sorted((ROOT / "sql/migrations").glob("*.sql")):
        lines = [line for line in path.read_text().splitlines() if not line.startswith("--")]
        out += [one for one in re.split(r";$", "\n".join(lines), flags=re.M) if one.strip()]
    return out


MARIADB_ONLY = [
    "INSERT INTO rtc_user (uid) VALUES (?) RETURNING uid",
    "DELETE FROM rtc_user WHERE uid = ? RETURNING version",
    "REPLACE INTO rtc_user (uid) VALUES (?) RETURNING uid",
    "CREATE OR REPLACE TABLE x (a INT)",
    "ALTER TABLE rtc_room ADD COLUMN IF NOT EXISTS x INT",
    "ALTER TABLE rtc_room ADD KEY IF NOT EXISTS x (creator)",
    "ALTER TABLE rtc_room DROP INDEX IF EXISTS idx_status",
    "CREATE INDEX IF NOT EXISTS x ON rtc_room (creator)",
    "CREATE TABLE x (a UUID)",
    "CREATE TABLE x (a INT) WITH SYSTEM VERSIONING",
    "CREATE TABLE x (a VARCHAR(9) COLLATE utf8mb4_uca1400_ai_ci)",
    "SELECT room_id FROM rtc_room LIMIT 5 ROWS EXAMINED 10",
    "SELECT room_id FROM rtc_room FETCH FIRST 5 ROWS ONLY",
    "SELECT NEXT VALUE FOR x",
    "SELECT NVL(metadata, '') FROM rtc_room",
    "SET STATEMENT max_statement_time = 1 FOR SELECT 1",
    "SET SESSION max_statement_time = 1",
    "SELECT @@tx_isolation",
]


@pytest.mark.parametrize("statement", MARIADB_ONLY)
def test_what_only_mariadb_takes_is_refused(refused, statement):
    good = ["SELECT 1", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"]
    assert len(refused([*good, statement, *good])) == 1


def test_migrations_and_stores(refused):
    assert refused(migration_statements()) == []
    assert refused(list(store_statements().values())) == []


# ---- what MariaDB says we sent ----

class Recorder:
    """The server's general log, of connections of the application's user."""

    def __init__(self, stack):
        self.root = pymysql.connect(unix_socket=stack.env["DB_SOCKET"], user="root", charset="utf8mb4",
                                    autocommit=True)
        self.user = stack.env["DB_USER"]
        self.ours = []
        self.ask("SET GLOBAL log_output = 'TABLE'")
        self.ask("SET GLOBAL general_log = 1")

    def ask(self, text, *args):
        with self.root.cursor() as cursor:
            cursor.execute(text, args or None)
            return cursor.fetchall()

    def leave_out(self, connection):
        """A connection of the test itself."""
        self.ours.append(connection.thread_id())

    def statements(self):
        rows = self.ask("SELECT thread_id, CONVERT(argument USING utf8mb4) FROM mysql.general_log"
                        " WHERE command_type IN ('Prepare', 'Query') AND user_host LIKE %s", self.user + "[%")
        return sorted({text.strip() for thread, text in rows if thread not in self.ours and text.strip()})

    def close(self):
        self.ask("SET GLOBAL general_log = 0")
        self.root.close()


class Story:
    """Every endpoint that reads or writes calls, once at least."""

    def __init__(self, stack):
        self.api = Api(stack)
        self.hook = Hook(stack.env, self.api)
        tail = secrets.token_hex(4)
        self.uid = lambda name: f"{name}-{tail}"
        self.room = lambda name: f"{name}-{tail}"

    def post(self, path, wanted=200, **body):
        answer = self.api.post(path, body)
        assert answer.status_code == wanted, (path, answer.text)
        return answer.json()

    def get(self, path):
        answer = self.api.get(path)
        assert answer.status_code == 200, (path, answer.text)

    def a_call_of_two(self):
        room, ann, bob = self.room("two"), self.uid("ann"), self.uid("bob")
        self.post("/rooms", creator=ann, uids=[bob], room_id=room, metadata={"a": 1})
        self.post("/rooms", 409, creator=ann, uids=[self.uid("cyd")])
        self.post(f"/rooms/{room}/join", uid=bob)
        self.hook.tell("room_started", room, "RM_" + room)
        self.hook.tell("participant_joined", room, "RM_" + room, person(bob, "PA_" + bob, now_ms()))
        self.get(f"/rooms/sync?uid={bob}")
        self.post(f"/rooms/{room}/token", uid=bob)
        self.post("/token", 201, room_name=room, participant_identity=bob)
        self.post("/participants/calling", uids=[ann, bob])
        self.post(f"/rooms/{room}/leave", uid=bob)
        self.hook.tell("participant_left", room, "RM_" + room, person(bob, "PA_" + bob, now_ms()))
        self.hook.tell("room_finished", room, "RM_" + room)

    def a_call_of_many(self):
        room, ann, bob, cyd = self.room("many"), self.uid("ann2"), self.uid("bob2"), self.uid("cyd2")
        self.post("/rooms", creator=ann, uids=[bob, cyd], room_id=room, max_participants=9)
        self.post(f"/rooms/{room}/join", uid=ann)
        self.post(f"/rooms/{room}/invite", uids=[self.uid("dan2"), bob], by=ann)
        self.post(f"/rooms/{room}/reject", uid=cyd)
        self.post("/participants/join", room_id=room, uid=bob)
        self.hook.tell("participant_joined", room, "RM_" + room, person(bob, "PA_" + bob, now_ms()))
        assert self.api.delete(f"/rooms/{room}/participants/{bob}").status_code == 200
        self.post(f"/rooms/{room}/invite", uids=[bob], by=ann)
        self.get(f"/rooms/{room}")
        self.get(f"/rooms/{room}/participants")
        self.get(f"/rooms/{room}/participants/{ann}")
        self.post(f"/rooms/{room}/end")

    def time(self, recorder):
        """Calls nobody answers; one of them cannot be written for a while."""
        rooms = [self.room(f"late{i}") for i in range(3)]
        for i, room in enumerate(rooms):
            self.post("/rooms", creator=self.uid(f"ann{i}-3"), uids=[self.uid(f"bob{i}-3")], room_id=room)
        name = self.api.stack.env["DB_NAME"]
        recorder.ask(f"CREATE TRIGGER {name}.poison BEFORE INSERT ON {name}.event FOR EACH ROW"
                     f" IF NEW.room_id = '{rooms[0]}' THEN SIGNAL SQLSTATE '45000'; END IF")
        db = self.api.stack.db()
        recorder.leave_out(db)
        log = AppLog(self.api.stack.env["APP_LOG"])
        run_down(db, rooms)
        log.wait_for(event="deadline_failed", timeout=15)
        recorder.ask(f"DROP TRIGGER {name}.poison")
        for room in rooms:
            wait_until(lambda: self.api.get(f"/rooms/{room}").json()["status"] == 6, 15)
        db.close()

    def actions(self, recorder):
        """One that is done because the person is back, one that LiveKit does not hear of, one that is given up."""
        room, ann, bob = self.room("act"), self.uid("ann4"), self.uid("bob4")
        self.post("/rooms", creator=ann, uids=[bob], room_id=room, max_participants=9)
        self.post(f"/rooms/{room}/join", uid=bob)
        db = self.api.stack.db()
        recorder.leave_out(db)
        now = now_ms()
        with db.cursor() as c:
            for number, (uid, created) in enumerate(((bob, now), ("x", now), ("y", 1))):
                c.execute("INSERT INTO livekit_action (kind, room_id, uid, due_at_ms, created_at_ms)"
                          " VALUES ('remove_participant', %s, %s, %s, %s)", (room, uid, number, created))
            wait_until(lambda: c.execute("SELECT id FROM livekit_action WHERE room_id = %s AND (state <> 'open'"
                                         " OR last_error <> '')", (room,)) == 3, 20)
        db.close()

    def looks(self, recorder, folder):
        """A call that LiveKit's lists know more about than we do, and rows that nobody's call has."""
        db = self.api.stack.db()
        recorder.leave_out(db)
        fake = FakeLiveKit(self.api.stack.env["LIVEKIT_API_SECRET"])
        with db.cursor() as c:
            c.execute("INSERT INTO rtc_participant (room_id, uid, status) VALUES (%s, 'ann', 1)", (self.room("stale"),))
        # The stack's own, which has no LiveKit to ask, would take the looks.
        deaf, jobs = jobs_of(self.api.stack), Jobs(self.api.stack, folder, LIVEKIT_URL=fake.url)
        recorder.leave_out(deaf.db)
        recorder.leave_out(jobs.db)
        deaf.freeze("reconcile")
        jobs.start()
        room, ann, bob = self.room("looked"), self.uid("ann9"), self.uid("bob9")
        self.post("/rooms", creator=ann, uids=[bob], room_id=room)
        for uid in (ann, bob):
            fake.join(room, uid)
        wait_until(lambda: self.api.get(f"/rooms/{room}/participants/{bob}").json()["status"] == 1, 20)
        fake.leave(room, bob)
        wait_until(lambda: self.api.get(f"/rooms/{room}").json()["status"] == 2, 20)
        with db.cursor() as c:
            wait_until(lambda: c.execute("SELECT 1 FROM rtc_room WHERE room_id = %s AND look_at_ms > ended_at_ms + 2000",
                                         (room,)), 20, what="looked at again after its end")
        deaf.thaw("reconcile")
        deaf.close()
        jobs.clean_up()
        fake.stop()
        db.close()

    def events(self, recorder):
        """The stream of events and what becomes of them, with a receiver nobody configured."""
        room = self.room("told")
        self.post("/rooms", creator=self.uid("ann5"), uids=[self.uid("bob5")], room_id=room)
        self.post(f"/rooms/{room}/end")
        events = wait_until(lambda: self.api.get(f"/events?room_id={room}").json()["events"], 15)
        db = self.api.stack.db()
        recorder.leave_out(db)
        endpoint = "c" * 16
        with db.cursor() as c:
            c.execute("INSERT INTO webhook_endpoint (id, url) VALUES (%s, 'http://127.0.0.1:9/')", (endpoint,))
            c.execute("INSERT INTO event_delivery (endpoint_id, pos, event_no, room_id, type, state, due_at_ms)"
                      " SELECT %s, pos, id, room_id, type, 1, %s FROM event WHERE room_id = %s",
                      (endpoint, 2**50, room))
        db.close()
        for path in ("/events?types=room.finished,room.started", "/webhooks/logs", f"/webhooks/logs?room_id={room}",
                     "/webhooks/logs/stats", "/webhooks/endpoints"):
            self.get(path)
        for path, body in ((f"/webhooks/endpoints/{endpoint}/enable", None),
                           (f"/events/{events[0]['event_id']}/redeliver", None), ("/events/redeliver", {"since": 1})):
            answer = self.api.post(path, body, key=self.api.ops_key)
            assert answer.status_code == 200, answer.text

    def deliveries(self, recorder, receiver):
        """A large event that is let go before it is taken, and an outage."""
        names = iter(range(100))
        stream = Stream(self.api.stack, lambda _: self.room(f"sent{next(names)}"))
        recorder.leave_out(stream.db)
        receiver.answer = lambda got: 500 if (got.room, got.seq, got.tries) == (large, 1, 0) else 204
        large = stream.room()
        [first] = stream.emit(large, more={"text": "x" * 50000})
        stream.emit(large)
        wait_until(lambda: receiver.seqs(large) == [2, 1], 20, what=f"the follower, then {first}")
        receiver.stop()
        stream.emit(*[stream.room() for _ in range(8)])
        wait_until(lambda: stream.endpoint(receiver)["down_since_ms"] > 0, 20)
        receiver.start()
        wait_until(lambda: not {0, 1} & set(stream.states(receiver)), 20, what="everything taken")
        stream.close()

    def retention(self, recorder):
        """A row of everything that is old enough to go."""
        room, tables = self.room("old"), ("event", "event_delivery", "idempotency", "livekit_action", "rtc_room",
                                          "rtc_participant")
        db = self.api.stack.db()
        recorder.leave_out(db)
        with db.cursor() as c:
            for text in ("INSERT INTO rtc_room (room_id, creator, status, created_at_ms) VALUES (%s, 'ann', 2, 1)",
                         "INSERT INTO rtc_participant (room_id, uid, status) VALUES (%s, 'ann', 3)",
                         "INSERT INTO livekit_action (kind, room_id, state, due_at_ms) VALUES ('x', %s, 'done', 1)",
                         "INSERT INTO livekit_action (kind, room_id, state, due_at_ms) VALUES ('x', %s, 'failed', 1)",
                         "INSERT INTO livekit_event (id, room_id, received_at_ms) VALUES ('old', %s, 1)",
                         "INSERT INTO jobs_process (id, instance, task, beat_at_ms) VALUES (%s, '', '', 1)",
                         "INSERT INTO business_webhook_log (event_id, created_at) VALUES (%s, '2020-01-01')",
                         "INSERT INTO idempotency (id, body_sha256, answer, created_at_ms, room_id) VALUES"
                         " ('old', '', '', 1, %s)",
                         "INSERT INTO event (event_id, room_id, seq, type, data, created_at_ms, pos) VALUES"
                         " ('old', %s, 1, 'room.started', '{}', 1, 1)"):
                c.execute(text, (room,))
            for table in tables:
                wait_until(lambda: c.execute(f"SELECT 1 FROM {table} WHERE room_id = %s", (room,)) == 0, 15)
        db.close()

    def nodes(self, recorder):
        """A node that lives, and what another left: a call that is over, and one that moved."""
        over, moved, cache = self.room("over"), self.room("moved"), self.api.stack.redis()
        db = self.api.stack.db()
        recorder.leave_out(db)
        self.placed(db, cache)
        cache.hset("nodes", "ND_a", node_record("ND_a", time.time() + 60))
        with db.cursor() as c:
            c.execute("INSERT INTO rtc_room (room_id, creator, status, started_at_ms, host_since_ms, look_at_ms) VALUES"
                      " (%s, 'ann', 2, 1, 1, 0), (%s, 'ann', 1, 1, 2, %s)", (over, moved, 2**62))
            cache.hset("room_node_map", mapping={over: "ND_b", moved: "ND_a"})
            cache.hset(f"room_participants:{moved}", "bob", person_record("bob", 1))
            wait_until(lambda: not cache.hexists("room_node_map", over), 20)
            wait_until(lambda: not cache.exists(f"room_participants:{moved}"), 20)
            wait_until(lambda: c.execute("SELECT 1 FROM livekit_node WHERE livekit_id = 'ND_a'"), 20)
            c.execute("DELETE FROM rtc_room WHERE room_id = %s", (moved,))
        self.api.get("/nodes")
        # Each worker learns of the node by itself, and which one answers is open.
        for path in ("/nodes/ND_a/drain", "/nodes/ND_a/undrain"):
            wait_until(lambda: self.api.post(path, key=self.api.ops_key).status_code == 200, 5)
        cache.delete("nodes", "room_node_map")
        db.close()

    def placed(self, db, cache):
        """A call that was made when there was no node yet."""
        room, ann = self.room("placed"), self.uid("ann8")
        self.post("/rooms", creator=ann, room_id=room)
        node = FakeNode(cache, NODE_IP, port=NODE_PORT)
        with db.cursor() as c:
            def has_node():
                self.post(f"/rooms/{room}/join", uid=ann)
                return c.execute("SELECT 1 FROM rtc_room WHERE room_id = %s AND livekit_node = %s", (room, node.addr))

            wait_until(has_node, 10)
        node.stop()

    def once(self, folder):
        """A request that is sent twice, and one whose call cannot be had."""
        body = {"creator": self.uid("ann-once"), "room_id": self.room("once")}
        for replayed in (None, "true"):
            answer = self.api.post("/rooms", body, headers={"Idempotency-Key": "k"})
            assert answer.headers.get("Idempotency-Replayed") == replayed
        worker = Direct(folder, self.api.stack, LIVEKIT_CREATE_ROOM="true", LIVEKIT_URL="http://127.0.0.1:9").start()
        answer = worker.post("/rooms", {"creator": self.uid("bob-once")}, key=self.api.stack.env["TGO_KEY"],
                             headers={"Idempotency-Key": "k"})
        assert answer.status_code == 503
        worker.service.clean_up()

    def lists(self):
        ann = self.uid("ann")
        for query in ("", f"?uid={ann}", f"?creator={ann}", f"?uid={ann}&creator={ann}", "?status=0,1&limit=5"):
            self.get("/rooms" + query)
        for path in (f"/users/{ann}/calls", "/migrations/history", "/migrations/status", "/readyz"):
            self.get(path)
        assert self.api.get("/metrics", root=True).status_code == 200


def run_commands(stack, recorder, folder):
    """The operator's commands, on a database made new and on one of the Go server."""
    name = "tgo_docs_" + secrets.token_hex(4)
    fresh = Ctl.of(stack, folder, DB_NAME=name)
    go = GoDatabase(stack)
    recorder.leave_out(go.db)
    try:
        now = time.time() - 60
        for i in range(3):
            go.insert_room(f"go{i}", f"ann{i}", now, status=i)
            go.insert_participant(f"go{i}", f"bob{i}", now)
        for ctl in (fresh, Ctl.of(stack, folder, DB_NAME=go.name, TZ="Asia/Shanghai")):
            for _ in range(2):
                ctl.messages("migrate", "--dry-run")
                ctl.messages("migrate")
        go.run(f"DROP DATABASE {name}")
    finally:
        go.close()
    ctl = Ctl.of(stack, folder)
    ctl("check")
    ctl.ok("top", "--interval", "0.2")
    room = ctl.ok("rooms", "--limit", 1)["rooms"][0]["room_id"]
    ctl.ok("room", room)
    ctl("end", room)


NODE_IP = "127.0.0.91"
NODE_PORT = free_port([NODE_IP])
JOBS = {
    "LIVEKIT_NODE_PORT": str(NODE_PORT),
    "BUSINESS_WEBHOOK_ENDPOINTS": json.dumps([{"url": "http://127.0.0.1:9/all", "secret": "s", "events": ["*"]},
                                              {"url": "http://127.0.0.1:9/eight", "secret": "s"}]),
    "RECONCILE_INTERVAL": "1", "LOOK_AGAIN_S": "0.3", "JOIN_GRACE": "0.5", "KEEP_INTERVAL_S": "0.2", "CALL_RETENTION_DAYS": "1000", "BUSINESS_WEBHOOK_LOG_CLEANUP_ENABLED": "true",
    "BUSINESS_WEBHOOK_LOG_CLEANUP_INTERVAL": "1",
    "WEBHOOK_RETRY_S": "1,1,1,1", "WEBHOOK_HOLD_S": "0.3", "WEBHOOK_PROBE_MIN_S": "0.2", "WEBHOOK_PROBE_MAX_S": "0.2",
}


@pytest.fixture(scope="module")
def sent(make_stack, tmp_path_factory):
    if os.environ.get("DB_HOST"):
        pytest.skip("the general log of a database server that is not ours")
    receiver = Receiver()
    endpoints = json.loads(JOBS["BUSINESS_WEBHOOK_ENDPOINTS"]) + [receiver.endpoint()]
    stack = make_stack(WORKERS="1", jobs=True, **{**JOBS, "BUSINESS_WEBHOOK_ENDPOINTS": json.dumps(endpoints)})
    recorder = Recorder(stack)
    stack.restart("worker", "jobs")
    story = Story(stack)
    story.a_call_of_two()
    story.a_call_of_many()
    story.once(tmp_path_factory.mktemp("worker"))
    story.lists()
    story.time(recorder)
    story.actions(recorder)
    story.looks(recorder, tmp_path_factory.mktemp("jobs"))
    story.events(recorder)
    story.deliveries(recorder, receiver)
    story.retention(recorder)
    story.nodes(recorder)
    run_commands(stack, recorder, tmp_path_factory.mktemp("ctl"))
    yield recorder.statements()
    recorder.close()
    receiver.stop()


def same_list(text):
    """A statement with its lists shortened to one element: how many there are differs from run to run."""
    text = " ".join(text.split())
    return re.sub(r"(\((?:\?|1|,|NULLIF\(\?,''\))+\)|\?)(,\s?\1)+", r"\1", text)


def test_what_was_sent(refused, sent):
    assert refused(sent) == []


def test_the_recording_is_whole(sent):
    """Each statement of the stores was seen, and those of the schema and of a transaction."""
    seen = {same_list(text) for text in sent}
    assert [name for name, text in store_statements().items() if same_list(text) not in seen] == []
    for begin in ("START TRANSACTION", "COMMIT", "ROLLBACK", "SET SESSION", "SET NAMES", "CREATE DATABASE",
                  "CREATE TABLE rtc_user", "ALTER TABLE rtc_room", "UPDATE schema_lock",
                  "INSERT INTO schema_migrations", "UPDATE rtc_participant p JOIN rtc_room"):
        assert any(text.startswith(begin) for text in sent), begin


# ---- plans ----

N_ROOMS = 20000
# Of 20,000 calls one in a hundred is under way; two people a call, 10,000 people.
FILL = [
    "CREATE TABLE digit (n INT NOT NULL PRIMARY KEY)",
    "INSERT INTO digit VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)",
    "CREATE TABLE number (i INT NOT NULL PRIMARY KEY)",
    "INSERT INTO number SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n"
    " FROM digit a, digit b, digit c, digit d, digit e WHERE e.n < 2",
    "INSERT INTO rtc_room (room_id, creator, status, created_at_ms, updated_at_ms, next_deadline_ms,"
    " look_at_ms) SELECT CONCAT('room-', i), CONCAT('u', i MOD 5000), IF(i MOD 100 = 0, i DIV 100 MOD 2, 2 + i MOD 5),"
    " 1795000000000 + i * 1000, 1795000000000 + i * 1000, IF(i MOD 100 = 0, 1796000000000, 0),"
    " IF(i MOD 100 = 0 OR i MOD 1000 = 1, 1796000000000 + i, 0) FROM number",
    "INSERT INTO rtc_participant (room_id, uid, status, claimed) SELECT CONCAT('room-', i), CONCAT(w.who, i MOD 5000),"
    " IF(i MOD 100 = 0, i DIV 100 MOD 2, 2 + i MOD 5), i MOD 100 = 0"
    " FROM number, (SELECT 'u' AS who UNION SELECT 'v') w",
    "INSERT INTO event (event_id, room_id, seq, type, uid, data, created_at_ms) SELECT CONCAT('e', i, '-', d.n),"
    " CONCAT('room-', i), d.n, 'participant.joined', CONCAT('u', i MOD 5000), '{}', 1795000000000 + i * 1000"
    " FROM number JOIN digit d WHERE d.n BETWEEN 1 AND 3",
    # Nearly all of them are numbered.
    "UPDATE event SET pos = id WHERE id MOD 1000 <> 0",
    # One in fifty waits.
    "INSERT INTO event_delivery (endpoint_id, pos, event_no, room_id, type, state, due_at_ms) SELECT CONCAT('e', id MOD 2),"
    " pos, id, room_id, type, IF(id MOD 50 < 2, id DIV 50 MOD 2, 2), IF(id MOD 50 < 2, id DIV 50 MOD 2, 0) FROM event"
    " WHERE pos > 0",
    "INSERT INTO livekit_action (kind, room_id, state) SELECT 'delete_room', CONCAT('room-', i),"
    " IF(i MOD 500 = 0, 'open', 'done') FROM number",
    "INSERT INTO idempotency (id, body_sha256, answer, created_at_ms) SELECT CONCAT('k', i), '', '{}', 1795000000000 + i"
    " FROM number",
    "DROP TABLE number",
    "DROP TABLE digit",
    "ANALYZE TABLE rtc_room, rtc_participant, event, event_delivery, livekit_action, idempotency",
]
FOREVER = 2**63 - 1
PAGE = [255, 0, FOREVER, FOREVER, FOREVER, 0, 10, 0]
# Ringing or in progress, of the seven: the others have LIMIT 0.
UNDER_WAY = [50, 50, 0, 0, 0, 0, 0]
# What each statement is called with. None: a plain INSERT of rows, which looks for nothing.
ARGUMENTS = {
    "room_lock": ["room-700"],
    "rooms_get": ["room-700", "room-800"],
    "rooms_free": [701, 801],
    "rooms_lock": [701, 801],
    "room_insert": None,
    "room_update": [1, 2, "2026-11-21 08:00:00.000", 3, 4, 5, 0, "", "", 6, "RM_x", 7, 0, 8, 701],
    "rooms_update": None,
    "room_place": ["127.0.0.11:7880", "wss://rtc.example", 701],
    "participants_insert": None,
    "participants_update": None,
    "rooms_by_time": PAGE[1:],
    "rooms_by_status": [one for n in UNDER_WAY for one in (0, FOREVER, FOREVER, FOREVER, 0, n)] + [50, 0],
    "rooms_by_creator": ["u700", *PAGE],
    "rooms_by_uid": ["u700", *PAGE],
    "rooms_by_uid_creator": ["u700", "u700", *PAGE],
    "rooms_total_by_time": [0, FOREVER, 10001],
    "rooms_total_by_status": [one for n in UNDER_WAY for one in (0, FOREVER, n * 200)],
    "rooms_total_by_creator": ["u700", 255, 0, FOREVER, 10001],
    "rooms_total_by_uid": ["u700", 255, 0, FOREVER, 10001],
    "rooms_total_by_uid_creator": ["u700", "u700", 255, 0, FOREVER, 10001],
    "participants_of_rooms": ["room-700", "room-800"],
    "event_insert": None,
    "action_remove": ["u700", "PA_x", 1, 2, "room-700", "room-700", "u700", "PA_x"],
    "action_close": [1, 2, "room-700", "room-800", 3],
    "action_forget": ["room-700", "u700", "v700"],
    "action_due": [16],
    "action_claim": [10000, 701, 801],
    "action_read": [701, 801],
    "action_next": [],
    "action_done": [701, 801],
    "action_again": [1000, "500", 701],
    "action_failed": ["500", 701],
    "actions_past": [FOREVER, 200],
    "cache_rooms": ["room-700", "room-800"],
    "cache_removed": ["room-700", "room-800"],
    "livekit_event_insert": None,
    "users_lock": None,
    "people_busy": ["u700", "v800", "room-700"],
    "create_look": ["room-700", "u700", "v800"],
    "people_calling": ["u700", "v800"],
    "people_active_rooms": ["u700"],
    "looks_now": [],
    "pace_mark": [],
    "pace_between": [700, 750, 7000, 7100],
    "looks_due": [1796000002000, 200],
    "looks_due_final": [1796000002000, 200],
    "looks_next": [1, 701, 801],
    "looks_next_final": [1, 2, 3, 2, 701, 801],
    "looks_counts": [1, "room-700", "room-800"],
    "looks_doubted": [1, "room-700", "room-800"],
    "looks_listed": [701, 801],
    "stale_rows": [1, 0, 200],
    "stale_rows_close": [701, 801],
    "due_next": [],
    "due_rooms": [1796000000001, 100],
    "due_push": [1000, 701, 7],
    "events_unnumbered": [500],
    "events_number": [7, "701,801", 701, 801],
    "events_newest": [],
    "events_queue_all": ["e0", 1, 700, 710],
    "events_queue_types": ["e0", 1, 700, 710, "room.started", "room.finished"],
    "events_window": [700, 2000],
    "events_sizes": [700, 710, 1, "room.started", "room.finished", 100],
    "events_sizes_of_room": ["room-700", 0, FOREVER, 1, "room.started", "room.finished", 100],
    "events_list": [700, 710, 1, "room.started", "room.finished", 100],
    "events_list_of_room": ["room-700", 0, FOREVER, 1, "room.started", "room.finished", 100],
    "endpoints_add": None,
    "endpoints_remove": ["e0", "e1"],
    "endpoints_list": [200],
    "endpoint_get": ["e0"],
    "endpoint_waiting": ["e0", 100001, "e0", FOREVER, "e0", 100000, FOREVER],
    "endpoint_enable": ["e0"],
    "endpoint_later_queued": ["e0", 0, 500],
    "endpoint_later_again": ["e0", 0, 500],
    "endpoint_make_due": [1, "e0", 701, 801],
    "deliveries_list": [700, 710, 710, "~", 15, "", "", "", "", 20],
    "deliveries_list_of_room": ["room-700", 0, FOREVER, FOREVER, "~", 15, "", "", "", "", 20],
    "deliveries_window": [FOREVER, 2000],
    "webhook_failures": [],
    "webhook_failures_max_id": [],
    "redeliver_find": ["e700-1"],
    "redeliver_list": [1795000700000, 1795000710000, 1795000700000, 0, 500],
    "redeliver_queue": ["e0", 701, 801],
    "keep_livekit_events": [1, 500],
    "keep_actions_done": [1, 500],
    "keep_actions_failed": [1, 500],
    "keep_processes": [1, 500],
    "keep_webhook_log": [1577836800000, 500],
    "drop_livekit_events": ["a", "b"],
    "drop_actions": [701, 801],
    "drop_processes": ["a", "b"],
    "drop_webhook_log": [701, 801],
    "keep_answers": [1795000000070, 500],
    "drop_answers": [1795000000070, "k7", "k8"],
    "keep_events": [0, 1795000001000, 0, 0, 500],
    "keep_events_waited_for": [701, 801],
    "drop_deliveries": [701, 801],
    "drop_events": [701, 801],
    "keep_rooms": [2, 1795000900000, FOREVER, 100],
    "drop_rooms": [701, 801],
    "drop_participants": ["room-700", "room-800"],
    "nodes_list": [2000],
    "node_drain": None,
    "node_undrain": ["10.0.0.1:7880"],
    "node_found": None,
    "once_take": None,
    "once_get": ["k700"],
    "once_keep": ["a", "key:run", "POST /api/v1/rooms", "room-700", 200, "{}", 1, 0, "k700"],
    "once_drop": ["k700"],
    "nodes_calls": [2000],
    "nodes_forget": [1000],
    "rooms_final": ["room-700", "room-800"],
    "rooms_hosted": [700, 1000],
    "people_active_in_room": ["room-700"],
    "lease_read": ["sequence"],
    "lease_renew": [5000, 5000, "sequence", "me"],
    "lease_take": None,
    "lease_hold": ["sequence", "me"],
    "lease_set_value": [7, "sequence"],
    "lease_release": ["sequence", "me"],
    "jobs_beat": None,
    "jobs_gone": ["me"],
    "jobs_lag": [15000],
    "state_calls": [],
    "state_people": [],
    "state_rejoining": [60000],
    "state_lags": [100000, 100000],
    "state_tasks": [15000],
    "deliveries_queued": [16384, "e0", 700, 50],
    "deliveries_due": [16384, "e0", 50],
    "delivery_data": [701],
    "deliveries_taken": [1, 204, "e0", 701, 801],
    "delivery_failed": [1, 2, 3, 4, 5, 6, 500, "no", "e0", 701],
    "deliveries_let_go": ["e0", 701, 801],
    "webhook_log_insert": None,
    "deliveries_requeue": ["e0", 50],
    "deliveries_untried": ["e0", 701, 801],
    "delivery_endpoint": ["e0"],
    "delivery_note": [0, 1, 2, 1, 3, 4, 5, 1, 500, "no", "no", "e0"],
}
# Not of one call or person, each with the reason. They follow an index all the same: none may read a table by itself.
_PAGE = "an operator's list over everything: a page of it, or a count that stops at 10,001"
_QUEUE = "the newest or oldest of a queue by its own index, LIMIT as many as one pass takes"
_DUE = "the calendar of deadlines: what is due by now, LIMIT a pass; nothing lies before it in the index"
_KEEPER = "housekeeping, a chunk at a time, the oldest first"
_LIVE = "all calls under way, which is what is asked: by status, once in a pass or for a scraper"
OVER_EVERYTHING = {
    "rooms_by_time": _PAGE, "rooms_total_by_time": _PAGE, "rooms_by_status": _PAGE, "rooms_total_by_status": _PAGE,
    "events_unnumbered": _QUEUE, "events_window": _QUEUE, "deliveries_window": _QUEUE, "deliveries_queued": _QUEUE,
    "deliveries_due": _QUEUE, "deliveries_requeue": _QUEUE, "endpoint_waiting": _QUEUE, "endpoint_later_queued": _QUEUE,
    "endpoint_later_again": _QUEUE,
    "due_next": _DUE, "due_rooms": _DUE, "jobs_lag": _DUE, "state_lags": _DUE,
    "keep_actions_done": _KEEPER, "keep_rooms": _KEEPER, "stale_rows": _KEEPER,
    "rooms_hosted": _LIVE, "nodes_calls": _LIVE, "state_calls": _LIVE, "state_people": _LIVE,
    "actions_past": "the newest of all actions, by their row number, LIMIT a part of a look back",
    "webhook_failures": "an operator's exact count of failed deliveries, the Go server's: as many as are kept",
}
# A row for each receiver, process or node: these may be read whole.
SMALL = {"webhook_endpoint", "w", "jobs_process", "livekit_node"}
# Of one call, or of one person's calls.
FEW_ROWS = 100


@pytest.fixture(scope="module")
def plans(stack, tmp_path_factory):
    name = "tgo_plans_" + secrets.token_hex(4)
    Ctl.of(stack, tmp_path_factory.mktemp("ctl"), DB_NAME=name).messages("migrate")
    connection = stack.db(database=name)
    with connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement)
        cursor.execute("SELECT COUNT(*) AS n FROM rtc_room")
        assert cursor.fetchone()["n"] == N_ROOMS
    yield connection
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")
    connection.close()


def plan(connection, text, arguments):
    """(table, how it is read, how many rows are expected) of each table the statement reads."""
    assert text.count("?") == len(arguments)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + text.replace("%", "%%").replace("?", "%s"), arguments)
        rows = cursor.fetchall()
    # The table inserted into is listed, too; a derived one (<derived2>) is none.
    return [(row["table"], row["type"], int(str(row["rows"]).split()[0])) for row in rows
            if row["table"] and row["select_type"] != "INSERT" and not row["table"].startswith("<")]


def wide_reads(connection, text, arguments):
    """What is read from end to end, or by the hundred."""
    return [f"{table}: {how}, {n} rows" for table, how, n in plan(connection, text, arguments)
            if (how in ("ALL", "index") and table not in SMALL) or n > FEW_ROWS]


def test_no_statement_of_a_request_reads_a_whole_table(plans):
    statements = store_statements()
    # A take-over goes through everything once, in small steps.
    requests = [name for name in statements if not name.startswith("takeover_")]
    assert sorted(ARGUMENTS) == sorted(requests), "a new statement: what is it called with?"
    found = {}
    for name, arguments in ARGUMENTS.items():
        if arguments is None:
            assert re.match(r"INSERT INTO \w+ \([^)]+\) VALUES", statements[name])
        elif name in OVER_EVERYTHING:
            found[name] = [one for one in plan(plans, statements[name], arguments)
                           if one[1] == "ALL" and one[0] not in SMALL]
        else:
            found[name] = wide_reads(plans, statements[name], arguments)
    assert {name: bad for name, bad in found.items() if bad} == {}


def read_rows(connection, text, arguments):
    """How many rows and entries of indexes the statement makes the server read."""
    def count():
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
        # Of a temporary table, and what the question itself reads.
        return sum(int(row["Value"]) for row in cursor.fetchall()
                   if "rnd" not in row["Variable_name"] and "deleted" not in row["Variable_name"])
    with connection.cursor() as cursor:
        before = count()
        cursor.execute(text.replace("%", "%%").replace("?", "%s"), arguments)
        found = cursor.fetchall()
        return count() - before, found


def test_calls_under_way_are_found_without_those_that_are_over(plans):
    """Two hundred among 20,000."""
    statements = store_statements()
    n, found = read_rows(plans, statements["rooms_by_status"], ARGUMENTS["rooms_by_status"])
    assert len(found) == 50 and n < 500, n
    assert [row["created_at_ms"] for row in found] == [1795000000000 + i * 100_000 for i in range(199, 149, -1)]
    n, found = read_rows(plans, statements["rooms_total_by_status"], ARGUMENTS["rooms_total_by_status"])
    assert list(found[0].values()) == [200] and n < 500, n
    # And this is what a count in vain looks like.
    n, _ = read_rows(plans, "SELECT COUNT(*) FROM rtc_room WHERE ((? >> status) & 1) = 1", [3])
    assert n > N_ROOMS / 2


@pytest.mark.parametrize("text", [
    "SELECT id FROM rtc_room WHERE livekit_sid = ?",
    "UPDATE rtc_room SET seq = 1 WHERE livekit_sid = ?",
    "SELECT r.id FROM rtc_participant p JOIN rtc_room r ON r.room_id = p.room_id WHERE p.device_id = ?",
    "SELECT seq FROM event WHERE uid = ?",
    "SELECT p.uid FROM rtc_participant p JOIN rtc_room r ON r.room_id = p.room_id"
    " WHERE p.status IN (0, 1) AND CONCAT(p.uid, '') = ?",
    "SELECT id FROM rtc_room WHERE CONCAT(room_id, '') = ?",
])
def test_a_whole_table_read_is_seen(plans, text):
    assert wide_reads(plans, text, ["x"]) != []


def test_a_lost_index_is_seen(plans):
    text, arguments = store_statements()["rooms_get"], ARGUMENTS["rooms_get"]
    with plans.cursor() as cursor:
        cursor.execute("ALTER TABLE rtc_room DROP INDEX uk_room_id")
        seen = wide_reads(plans, text, arguments)
        cursor.execute("ALTER TABLE rtc_room ADD UNIQUE KEY uk_room_id (room_id)")
    assert len(seen) == 1 and seen[0].startswith("r: ALL, ")
    assert wide_reads(plans, text, arguments) == []
