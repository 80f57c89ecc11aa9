"""What the worker makes of the database at its start, and of one that comes and goes.

Takes TGO_BIN, the folder with the programs, and a MariaDB of its own.
SPDX-License-Identifier: MIT
"""
import getpass
import os
import signal
import subprocess

import pytest
from support.worker_process import until

pytestmark = pytest.mark.skipif("TGO_BIN" not in os.environ, reason="TGO_BIN is not set")

MAX_CONNECTIONS = 30


class Server:
    def __init__(self, folder):
        self.folder, self.sock, self.proc = folder, folder / "s", None
        self.data = folder / "data"
        subprocess.run(["mariadb-install-db", "--no-defaults", f"--datadir={self.data}", f"--user={getpass.getuser()}",
                        "--auth-root-authentication-method=normal", "--skip-test-db"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.env())

    @staticmethod
    def env():
        return {"PATH": os.environ["PATH"] + ":/usr/sbin:/usr/bin"}

    def start(self):
        self.proc = subprocess.Popen(
            ["mariadbd", "--no-defaults", f"--datadir={self.data}", f"--socket={self.sock}", "--skip-networking",
             f"--user={getpass.getuser()}", f"--max-connections={MAX_CONNECTIONS}", "--innodb-buffer-pool-size=32M"],
            stdout=subprocess.DEVNULL, stderr=(self.folder / "log").open("ab"), env=self.env())
        until(lambda: self.sql("SELECT 1", check=False).returncode == 0, 30)

    def stop(self):
        if self.proc is not None:
            self.proc.terminate()
            self.proc.wait(30)
        self.proc = None

    def sql(self, text, database="", check=True):
        argv = ["mariadb", "--no-defaults", f"--socket={self.sock}", "-uroot", "-N", "-e", text]
        return subprocess.run([*argv, database], check=check, capture_output=True, text=True, env=self.env())


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("db"))
    s.start()
    yield s
    s.stop()


@pytest.fixture
def database(server):
    """A running server, the database migrated; whatever a test did to it is undone."""
    if server.proc is None:
        server.start()
    server.sql("DROP DATABASE IF EXISTS tgo")
    migrate(server)
    yield server
    if server.proc is None:
        server.start()


def settings(server, **more):
    return {"DB_SOCKET": server.sock, "DB_USER": "root", "DB_NAME": "tgo", "AUTH_MODE": "open",
            "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s" * 40, **more}


def migrate(server):
    subprocess.run([os.path.join(os.environ["TGO_BIN"], "tgo-call"), "migrate"], check=True, capture_output=True,
                   env={**server.env(), **{k: str(v) for k, v in settings(server).items()}})


def refuses(service, server):
    """Starts, and returns what it said when it refused."""
    s = service(**settings(server))
    s.spawn([s.binary, "--listen", f"unix:{s.sock}", "--env-file", str(s.env_file)])
    assert s.proc.wait(15) == 78
    said = [line for line in s.err.read_text().splitlines() if line.startswith("tgo-call-worker:")]
    assert len(said) == 1
    return said[0]


def spoil(server, how):
    server.sql({
        "absent": "DROP DATABASE tgo",
        "empty": "DROP DATABASE tgo; CREATE DATABASE tgo",
        "older": "DELETE FROM tgo.schema_migrations ORDER BY version DESC LIMIT 1",
        "failed": "UPDATE tgo.schema_migrations SET status = 'failed' ORDER BY version DESC LIMIT 1",
        "newer": "INSERT INTO tgo.schema_migrations (version, name, status) VALUES (9999, '9999_later', 'success')",
    }[how])


@pytest.mark.parametrize("how", ["absent", "empty", "older", "failed", "newer"])
def test_another_schema_is_refused(service, database, how):
    spoil(database, how)
    assert "`tgo-call migrate`" in refuses(service, database)


def test_our_schema_is_served(service, database):
    s = service(**settings(database)).start()
    assert s.get("/readyz").status == 200
    assert s.stop() == 0


def test_hup_refuses_another_schema(service, database):
    s = service(**settings(database)).start()
    before = s.full(2)
    spoil(database, "newer")
    s.signal(signal.SIGHUP)
    refused = until(lambda: s.lines("config_refused"))[0]
    assert "tgo-call migrate" in refused["detail"]
    assert s.children() == before


@pytest.mark.parametrize("wanted, made", [(4, 4), (10, 10), (11, 10), (200, 10)])
def test_twenty_connections_are_left_to_others(service, database, wanted, made):
    s = service(**settings(database), WORKERS=wanted).start()
    assert s.lines("started")[0]["workers"] == made
    s.full(made)
    assert [line["level"] for line in s.lines("workers_reduced")] == (["warn"] if made < wanted else [])


def test_comes_back_with_the_database(service, database):
    s = service(**settings(database), WORKERS=2).start()
    pids = s.full(2)
    for _ in range(2):
        database.stop()
        assert s.get("/readyz").status == 503
        assert s.get("/health").status == 200
        database.start()
        until(lambda: s.get("/readyz").status == 200)
    assert s.children() == pids


def test_starts_without_the_database(service, database):
    database.stop()
    s = service(**settings(database), WORKERS=1).start()
    assert s.lines("database_away")[0]["level"] == "warn"
    assert s.get("/readyz").status == 503
    database.start()
    until(lambda: s.get("/readyz").status == 200)
    assert not s.lines("schema_mismatch")


def test_database_that_comes_back_with_another_schema_is_told_once(service, database):
    spoil(database, "newer")
    database.stop()
    s = service(**settings(database), WORKERS=1).start()
    database.start()

    def told():
        s.get("/readyz")
        return s.lines("schema_mismatch")

    until(told)
    s.get("/readyz")
    assert [line["level"] for line in s.lines("schema_mismatch")] == ["error"]
