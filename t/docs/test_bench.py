"""What the benches rest on: no statement of a hot path reads a whole table, and the bare loop that is the limit of a
path sends what the product sends and leaves what the product leaves. No figure is looked at.

SPDX-License-Identifier: MIT
"""
import json
import os
import re
import subprocess
import sys

import pymysql
import pytest

from support.invariants import check_invariants
from support.rounds import rounds
from support.stack import ROOT

sys.path.append(str(ROOT / "bench"))
import fill  # noqa: E402
import record  # noqa: E402

N_CALLS = 20000
# Of one call, or of one person's calls that are under way.
FEW_ROWS = 20
KEY_DOES_NOT_EXIST = 1176


@pytest.fixture(scope="module")
def programs():
    """bench/load, bench/loop and bench/echo are built with the benches only."""
    folder = os.environ["TGO_BIN"]
    subprocess.run(["make", "-s", "-C", folder, "bench/load", "bench/loop", "bench/echo"], check=True,
                   stdout=subprocess.DEVNULL)
    return f"{folder}/bench"


@pytest.fixture(scope="module")
def stack(make_stack):
    """One of our own: all of its calls are looked at."""
    return make_stack(WORKERS="2")


@pytest.fixture(scope="module")
def recording(stack, programs, tmp_path_factory):
    if os.environ.get("DB_HOST"):
        pytest.skip("the general log of a database server that is not ours")
    made = record.Recording(stack, tmp_path_factory.mktemp("tape"), lambda db: fill.fill(db, 1, N_CALLS))
    yield made
    made.close()


@pytest.fixture(scope="module")
def tape(recording):
    return recording.make()


def same_list(text):
    """Lists of rows and of values shortened to one element."""
    text = re.sub(r"(\((?:[?,\s\d]|NULLIF\(\?,''\))+\))(,\1)+", r"\1", " ".join(text.split()))
    return re.sub(r"\?(,\s?\?)+", "?", text)


@pytest.fixture(scope="module")
def names():
    """{statement: its name}, of all there are in the stores."""
    out = subprocess.run([f"{os.environ['TGO_BIN']}/t/statements", "--names"], stdout=subprocess.PIPE, text=True,
                         check=True).stdout
    return {same_list(text): name for name, text in (line.split("\t", 1) for line in out.splitlines())}


def statements(tape):
    """(op, statement) of every prepared one."""
    return [(op, one) for op, found in tape.ops.items() for one in found if one.kind == "stmt"]


def test_a_recording_is_made_of_the_stores_statements(tape, names):
    assert set(record.OPS) < set(tape.ops)
    assert [one.text for _, one in statements(tape) if same_list(one.text) not in names] == []
    for op in ("create", "join", "leave"):
        frame = [one.text for one in tape.ops[op] if one.kind == "query"]
        assert frame == ["START TRANSACTION", "COMMIT"], op
    assert [one.text for one in tape.ops["call"] if one.kind == "query"] == ["START TRANSACTION", "COMMIT"] * 4
    assert all(0 < tape.turns[op] <= len(tape.ops[op]) for op in record.OPS)


# ---- plans ----

def wide_reads(recorder, text):
    """What a statement reads from end to end, or more of than a call has, and what it sorts or sets aside: with a
    text of any length in the rows the server does that in a file."""
    with recorder.root.cursor() as c:
        c.execute("EXPLAIN " + text)
        columns = [one[0] for one in c.description]
        rows = [dict(zip(columns, row)) for row in c.fetchall()]
    # The table inserted into is listed, too; a derived one is none.
    read = [row for row in rows if row["table"] and row["select_type"] != "INSERT" and not row["table"].startswith("<")]
    return [f"{row['table']}: {row['type']} by {row['key']}, {row['rows']} rows" for row in read
            if row["type"] in ("ALL", "index") or int(str(row["rows"]).split()[0]) > FEW_ROWS] + [
                f"{row['table']}: {row['Extra']}" for row in rows
                if re.search("Using (temporary|filesort)", row["Extra"] or "")]


def test_no_statement_of_a_hot_path_scans(recording, tape, names):
    """With what it was sent with, on tables that have statistics; there is none that is allowed to."""
    found = {}
    for op, one in statements(tape):
        if wide := wide_reads(recording.recorder, one.sent):
            found[op, names.get(same_list(one.text), one.text)] = wide
    assert found == {}


def is_lost(recorder, text):
    """Wide reads, or a statement that names an index which is not there."""
    try:
        return wide_reads(recorder, text)
    except pymysql.err.OperationalError as error:
        return error.args[0] == KEY_DOES_NOT_EXIST


@pytest.mark.parametrize("table, index, column, path", [
    ("rtc_room", "uk_room_id", "room_id", "get"),
    ("rtc_participant", "idx_uid_status", "uid, status, room_id", "sync"),
])
def test_a_lost_index_of_a_hot_path_is_seen(recording, tape, table, index, column, path):
    ask = recording.recorder.ask
    others = {row[2] for row in ask(f"SHOW INDEX FROM {table}") if row[4] == column.split(",")[0]}
    shape = {name: ", ".join(row[4] for row in ask(f"SHOW INDEX FROM {table} WHERE Key_name = %s", name))
             for name in others}
    try:
        ask(f"ALTER TABLE {table} " + ", ".join(f"DROP INDEX {name}" for name in shape))
        assert any(is_lost(recording.recorder, one.sent) for one in tape.ops[path] if one.kind == "stmt")
    finally:
        ask(f"ALTER TABLE {table} " + ", ".join(
            f"ADD {'UNIQUE ' if name.startswith('uk_') else ''}KEY {name} ({columns})" for name, columns in shape.items()))
    assert index in shape and shape[index] == column


# ---- the loop ----

TABLES = {"rtc_room": "id", "rtc_participant": "id", "event": "seq", "livekit_action": "id"}


def left_behind(db, ids):
    """All rows of one call; ids as r, a and b, times as whether there are any."""
    def plain(name, value):
        text = str(value)
        for letter in ("room", "a", "b"):
            text = text.replace(ids[letter], letter)
        if name == "event_id" or name == "id":
            return bool(value)
        text = re.sub(record.UUID, "an event's id", text)
        text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?", "a time", text)
        return re.sub(r"\b\d{10,13}\b", "a time", text)

    out = {}
    with db.cursor() as c:
        for table, order in TABLES.items():
            c.execute(f"SELECT * FROM {table} WHERE room_id = %s ORDER BY {order}", (ids["room"],))
            out[table] = [{name: plain(name, value) for name, value in row.items()} for row in c.fetchall()]
    return out


@pytest.mark.parametrize("ops", [("create",), ("create", "join"), ("create", "join", "leave"), ("call",)])
def test_the_loop_leaves_what_the_product_leaves(stack, programs, tape, tmp_path, ops):
    path = tape.write(tmp_path / "tape")
    env = {**os.environ, **stack.env}
    prefix = "-".join(ops)
    for op in ops:
        subprocess.run([f"{programs}/load", "-a", str(stack.port), "-c", "1", "-m", "1", "-p", "p-" + prefix, op], check=True,
                       env=env, stdout=subprocess.DEVNULL)
        out = subprocess.run([f"{programs}/loop", "-c", "2", "-m", "20", "-p", "l-" + prefix, path, op], check=True, env=env,
                             stdout=subprocess.PIPE).stdout
        assert json.loads(out)["ops"] == 20
    theirs, _ = record.described(f"{programs}/load", "p-" + prefix, ops[0])
    loops, _ = record.described(f"{programs}/load", "l-" + prefix, ops[0])
    with stack.db() as db:
        product = left_behind(db, theirs)
        assert len(product["rtc_participant"]) == 2 and product["event"]
        assert left_behind(db, loops) == product
        assert check_invariants(db) == []


def rows_sent(stack):
    with stack.db() as db, db.cursor() as c:
        c.execute("SHOW GLOBAL STATUS LIKE 'Rows_sent'")
        return int(c.fetchone()["Value"])


def test_the_loop_reads_what_is_there(stack, programs, tape, tmp_path):
    """Of a call with two people, whatever the statements are, at least two rows."""
    path = tape.write(tmp_path / "tape")
    env = {**os.environ, **stack.env}
    for op in ("create", "join", "get", "sync"):
        before = rows_sent(stack)
        out = subprocess.run([f"{programs}/loop", "-c", "2", "-m", "10", "-p", "reads", path, op], check=True, env=env,
                             stdout=subprocess.PIPE).stdout
        assert json.loads(out)["ops"] == 10
        assert rows_sent(stack) - before >= {"get": 20, "sync": 20}.get(op, 0)


# ---- the instruments as a whole ----

BENCHES = [
    ("speed", ["0.2", "1"], {"health", "sync", "get", "create", "join", "leave", "call"}),
    ("latency", ["0.5", "1"], None),
    ("memory", ["400"], None),
    ("growth", ["0.1", "300", "600"], None),
]


@pytest.mark.parametrize("name, args, wanted", rounds(BENCHES[:1], BENCHES))
def test_a_bench_runs(programs, tmp_path, name, args, wanted):
    env = {**os.environ, "PYTHONPATH": str(ROOT / "t"), "BIN": os.environ["TGO_BIN"], "WORKERS": "2", "CONNECTIONS": "4",
           "OUT": str(tmp_path / "out"), "BUFFER_POOL": "128M"}
    done = subprocess.run([sys.executable, ROOT / f"bench/{name}.py", *args], env=env, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:]
    figures = json.loads((tmp_path / "out").read_text())
    assert figures["kind"] == name
    if wanted:
        assert set(figures["paths"]) == wanted
        assert all(one["ratio"] > 0 and one["p99_ms"] > 0 for one in figures["paths"].values())
    rows = subprocess.run([sys.executable, ROOT / "bench/rows.py", tmp_path / "out"], text=True, check=True,
                          stdout=subprocess.PIPE).stdout
    assert rows.count("|") > 10
