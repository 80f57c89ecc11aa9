"""docs/data.md against the database it describes. SPDX-License-Identifier: MIT"""
import os
import re
import secrets
import subprocess

import pytest

from support.ctl import Ctl
from support.go_database import GoDatabase
from support.stack import ROOT

# Where we write no comments: the Go server's own list of migrations, and its log on a taken-over database.
STRANGERS = ["migrations", "business_webhook_log"]


@pytest.fixture(scope="module")
def fresh(stack, tmp_path_factory):
    """The name of a database that only `tgo-call migrate` has touched."""
    name = "tgo_docs_" + secrets.token_hex(4)
    Ctl.of(stack, tmp_path_factory.mktemp("ctl"), DB_NAME=name).messages("migrate")
    yield name
    connection = stack.db(database=None)
    connection.cursor().execute(f"DROP DATABASE {name}")
    connection.close()


def columns_without_comment(stack, database):
    connection = stack.db(database=database)
    with connection.cursor() as cursor:
        cursor.execute("SELECT CONCAT(table_name, '.', column_name) AS c, column_comment AS said"
                       " FROM information_schema.columns WHERE table_schema = DATABASE()")
        rows = cursor.fetchall()
    connection.close()
    assert len(rows) > 90
    return [row["c"] for row in rows if len(row["said"]) < 4]


def data_doc(stack, database):
    return subprocess.run([ROOT / "tools/data-doc"], env={**os.environ, **stack.env, "DB_NAME": database},
                          stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout


def test_every_column_and_table_has_a_comment(stack, fresh):
    assert columns_without_comment(stack, fresh) == []
    connection = stack.db(database=fresh)
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name AS t FROM information_schema.tables"
                       " WHERE table_schema = DATABASE() AND table_comment = ''")
        assert cursor.fetchall() == ()
    connection.close()


def test_on_a_taken_over_database_too(stack, tmp_path):
    go = GoDatabase(stack)
    try:
        Ctl.of(stack, tmp_path, DB_NAME=go.name).messages("migrate")
        missing = columns_without_comment(stack, go.name)
    finally:
        go.close()
    assert [c for c in missing if c.partition(".")[0] not in STRANGERS] == []


def test_the_file_is_what_the_database_says(stack, fresh):
    assert (ROOT / "docs/data.md").read_text() == data_doc(stack, fresh), \
        "run: . var/env && tools/data-doc > docs/data.md"


def test_redis_holds_no_other_names(stack, fresh):
    """A call, then every key there is in Redis against the patterns of the table."""
    from support.client import Api

    room = "redis-" + secrets.token_hex(4)
    assert Api(stack).post("/rooms", {"creator": "r" + room, "uids": ["s" + room], "room_id": room}).status_code == 200
    text = data_doc(stack, fresh)
    patterns = re.findall(r"^\| `(tgo:[^`]+)` \|", text, re.M)
    assert len(patterns) >= 2
    allowed = [re.compile(re.sub(r"<\w+>", ".+", p) + "$") for p in patterns]
    client = stack.redis()
    keys = list(client.scan_iter("*"))
    assert f"tgo:room:{room}" in keys
    assert [k for k in keys if not any(a.match(k) for a in allowed)] == []
    assert all(client.ttl(k) > 0 for k in keys)
