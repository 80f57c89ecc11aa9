"""What one request of each kind sends to the database, as a tape for bench/loop.

A worker of its own, on a database of its own, is asked once; the server's general log tells what it was sent, and a
wire between the two counts the round trips. What differs from call to call becomes a hole (bench/tape.h).
SPDX-License-Identifier: MIT
"""
import json
import pathlib
import re
import secrets
import socket
import subprocess
import threading
import time

import pymysql

from support import fcgi_client
from support.ctl import Ctl
from support.worker_process import Service

# op: what has to be asked before, about the same call.
OPS = {"create": (), "join": ("create",), "get": ("create", "join"), "sync": ("create", "join"),
       "leave": ("create", "join"), "call": ()}
# Row numbers no other number of a statement looks like.
FIRST_ID = {"livekit_action": 600000001, "rtc_room": 700000001, "rtc_participant": 800000001, "event": 900000001}
LITERAL = r"('(?:[^'\\]|\\.|'')*'|-?\d+|NULL)"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
BEGINS, ENDS = re.compile(r"START TRANSACTION|BEGIN"), re.compile(r"COMMIT|ROLLBACK")
ESCAPED = {"0": "\0", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}
TEN_DAYS_MS = 10 * 86400 * 1000


class Wire:
    """Between a worker and the database; .turns counts how often the worker spoke after it had listened."""

    def __init__(self, path, target):
        self.path, self.target, self.turns = str(path), target, 0
        self.heard = True
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.target)
            for pair in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, source, target, from_worker):
        try:
            while data := source.recv(65536):
                self.turns += from_worker and self.heard
                self.heard = not from_worker
                target.sendall(data)
        except OSError:
            pass
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()


def unquoted(literal):
    """A literal of the log as (kind, text)."""
    if not literal.startswith("'"):
        return "int", "0" if literal == "NULL" else literal
    return "str", re.sub(r"\\(.)|''", lambda m: ESCAPED.get(m[1], m[1]) if m[1] else "'", literal[1:-1], flags=re.S)


def split_marks(text):
    """A prepared statement's text around its marks; one inside quotes is none."""
    parts = re.split(r"('(?:[^'\\]|\\.)*')|(\?)", text)
    out = [""]
    for i, part in enumerate(parts):
        if part and i % 3 == 2:
            out.append("")
        elif part:
            out[-1] += part
    return out


def arguments(prepared, sent):
    """What a prepared statement was called with, None when it is another's text."""
    pattern = LITERAL.join(re.escape(part) for part in split_marks(prepared))
    found = re.fullmatch(pattern, sent, re.S)
    return None if found is None else [unquoted(one) for one in found.groups()]


class Statement:
    def __init__(self, kind, text, args, sent):
        self.kind, self.text, self.args, self.sent = kind, text, args, sent


class Recorder:
    """The log of the connections to one database."""

    def __init__(self, stack, database):
        self.root = pymysql.connect(unix_socket=stack.env["DB_SOCKET"], user="root", database=database, autocommit=True,
                                    charset="utf8mb4")
        self.database, self.prepared, self.threads = database, [], set()
        self.ask("SET GLOBAL log_output = 'TABLE'")
        self.ask("TRUNCATE mysql.general_log")
        self.ask("SET GLOBAL general_log = 1")

    def ask(self, text, *args):
        with self.root.cursor() as c:
            c.execute(text, args or None)
            return c.fetchall()

    def take(self):
        """What was sent since the last time: [(command, text)]."""
        rows = self.ask("SELECT thread_id, command_type, CONVERT(argument USING utf8mb4) FROM mysql.general_log"
                        " WHERE thread_id <> CONNECTION_ID()")
        self.ask("TRUNCATE mysql.general_log")
        self.threads |= {t for t, command, text in rows if command == "Connect" and f" on {self.database} " in text}
        ours = [(command, text) for t, command, text in rows if t in self.threads]
        self.prepared += [text for command, text in ours if command == "Prepare"]
        return ours

    def statement(self, command, sent):
        if command == "Query":
            return Statement("query", sent, [], sent)
        found = [(text, args) for text in self.prepared if (args := arguments(text, sent)) is not None]
        assert found, f"no prepared statement for: {sent}"
        return Statement("stmt", *found[0], sent)

    def close(self):
        self.ask("SET GLOBAL general_log = 0")
        self.root.close()


class Holes:
    """Puts holes into the statements of one op about one call."""

    def __init__(self, recorder, ids, now_ms, statements):
        self.recorder, self.ids, self.now_ms, self.statements = recorder, ids, now_ms, statements
        self.uuids, self.results = {}, {}

    def text(self, text, at):
        for letter, name in (("r", "room"), ("a", "a"), ("b", "b")):
            text = text.replace(self.ids[name], f"${{{letter}}}")
        text = re.sub(UUID, lambda m: "${u%d}" % self.uuids.setdefault(m[0], len(self.uuids)), text)
        text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", "${d}", text)
        return re.sub(r"(?<![\w{.-])\d{9,13}(?![\w.])", lambda m: self.number(m[0], at), text)

    def number(self, digits, at):
        value = int(digits)
        if len(digits) == 13 and abs(value - self.now_ms) < TEN_DAYS_MS:
            return "${n%d}" % round(value - self.now_ms, -3)
        if len(digits) == 10 and abs(value * 1000 - self.now_ms) < TEN_DAYS_MS:
            return "${s%d}" % round(value - self.now_ms / 1000, -1)
        table = next((t for t, first in FIRST_ID.items() if first <= value < first + 10**6), None)
        return digits if table is None else self.row_number(table, value, at)

    def row_number(self, table, value, at):
        """Where the statement before `at` has it from."""
        for i in range(at):
            for row, columns in enumerate(self.rows(i)):
                if value in columns:
                    return "${c%d.%d.%d}" % (i, row, columns.index(value))
        makers = [i for i in range(at) if re.match(rf"INSERT INTO {table}\b", self.statements[i].text)]
        assert makers, f"{value} of {table} comes from nowhere before statement {at}"
        first = self.recorder.ask(f"SELECT MIN(id) FROM {table} WHERE room_id = %s", self.ids["room"])[0][0]
        return "${i%d.%d}" % (makers[-1], value - first)

    def rows(self, i):
        """A SELECT's rows: which numbers stand where in them does not change as the call goes on."""
        if i not in self.results:
            sent = self.statements[i].sent
            self.results[i] = self.recorder.ask(sent.replace("%", "%%")) if sent.startswith("SELECT") else ()
        return self.results[i]

    def fill(self):
        for at, one in enumerate(self.statements):
            one.args = [(kind, self.text(text, at)) for kind, text in one.args]
            if one.kind == "query":
                one.text = self.text(one.text, at)
        return self.statements


def of_the_request(statements, ids):
    """Without what a worker asks now and then for itself (its list of nodes): about nobody, and in no transaction."""
    out, inside = [], False
    for one in statements:
        inside = (inside or BEGINS.match(one.sent)) and not ENDS.match(one.sent)
        if one.kind == "query" or inside or any(value in one.sent for value in ids.values()):
            out.append(one)
    return out


class Tape:
    """.ops: {op: statements}, .turns: {op: round trips}."""

    def __init__(self, ops, turns):
        self.ops, self.turns = ops, turns

    def write(self, path):
        def line(kind, text):
            escaped = text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
            return f"{kind}\t{escaped}\n"

        with open(path, "w", encoding="utf-8") as f:
            for op, statements in self.ops.items():
                f.write(line("op", op))
                for one in statements:
                    f.write(line(one.kind, one.text))
                    f.writelines(line(kind, text) for kind, text in one.args)
        return path


def described(program, prefix, op):
    """The ids and requests of bench/load for the first call of a prefix."""
    out = subprocess.run([program, "-w", "-p", prefix, op], check=True, stdout=subprocess.PIPE, text=True).stdout
    first, *steps = out.splitlines()
    return json.loads(first), [step.split("\t") for step in steps]


class Recording:
    """prepare(connection): fills the database before anything is asked."""

    def __init__(self, stack, folder, prepare=None):
        self.stack, self.folder = stack, pathlib.Path(folder)
        self.load = f"{stack.env['TGO_BIN']}/bench/load"
        self.name = "tgo_tape_" + secrets.token_hex(4)
        Ctl.of(stack, self.folder, DB_NAME=self.name).messages("migrate")
        if prepare is not None:
            with stack.db(database=self.name) as db:
                prepare(db)
        self.recorder = Recorder(stack, self.name)
        for table, first in FIRST_ID.items():
            self.recorder.ask(f"ALTER TABLE {table} AUTO_INCREMENT = {first}")
        self.wire = Wire(self.folder / "wire", stack.env["DB_SOCKET"])
        names = ("DB_USER", "DB_PASSWORD", "REDIS_SOCKET", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "LIVEKIT_NODES")
        self.worker = Service(self.folder, {
            **{name: stack.env[name] for name in names if stack.env.get(name)}, "DB_NAME": self.name, "WORKERS": 1,
            "DB_SOCKET": self.wire.path, "LIVEKIT_URL": stack.url, "LIVEKIT_CLIENT_URL": stack.url.replace("http", "ws"),
            "LOG_LEVEL": "error", "RATE_LIMITS": "off"}).start()

    def ask(self, prefix, op):
        """The op's requests, each with what it made the worker send: ids, statements, round trips."""
        ids, steps = described(self.load, prefix, op)
        before = self.wire.turns
        for method, path, body in steps:
            answer = fcgi_client.request(self.worker.where, method, path, body.encode())
            assert answer.status == 200, (path, answer.body)
        return ids, self.recorder.take(), self.wire.turns - before

    def op(self, op):
        prefix = secrets.token_hex(4)
        for before in OPS[op]:
            self.ask(prefix, before)
        now_ms = int(time.time() * 1000)
        ids, sent, turns = self.ask(prefix, op)
        assert not any(command == "Prepare" for command, _ in sent), f"{op}: prepared anew each time"
        all_of = [self.recorder.statement(*one) for one in sent if one[0] in ("Query", "Execute")]
        found = of_the_request(all_of, ids)
        return Holes(self.recorder, ids, now_ms, found).fill(), turns - (len(all_of) - len(found))

    def session(self, sent):
        """What a new connection is set up with, before its first work."""
        first = next(i for i, (command, text) in enumerate(sent)
                     if command == "Prepare" or BEGINS.match(text))
        return [Statement("query", text, [], text) for command, text in sent[:first] if command == "Query"]

    def make(self):
        ops, turns = {}, {}
        # Once for the connection and its prepared statements.
        _, sent, _ = self.ask("warm", "call")
        ops["session"] = self.session(sent)
        for op, before in OPS.items():
            for one in (*before, op):
                self.ask("warm-" + op, one)
        for op in OPS:
            ops[op], turns[op] = self.op(op)
        return Tape(ops, turns)

    def close(self):
        self.worker.clean_up()
        self.wire.close()
        self.recorder.ask(f"DROP DATABASE {self.name}")
        self.recorder.close()


def record(stack, folder):
    recording = Recording(stack, folder)
    try:
        return recording.make()
    finally:
        recording.close()
