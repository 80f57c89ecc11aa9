"""The database of a stack, for tests that hurt it. SPDX-License-Identifier: MIT"""
import contextlib
import threading

import pymysql

from support.part import Part
from support.wait import wait_until


class Mysql(Part):
    def __init__(self, stack):
        super().__init__(stack, "mariadb")
        self.line = None

    def root(self, **options):
        """A connection as the server's own administrator."""
        return pymysql.connect(unix_socket=self.stack.env["DB_SOCKET"], user="root", autocommit=True,
                               cursorclass=pymysql.cursors.DictCursor, **options)

    def say(self, statement):
        """As the administrator, over a connection that is kept: there may be no other to be had. The rows."""
        self.line = self.line or self.root()
        try:
            with self.line.cursor() as c:
                c.execute(statement)
                return c.fetchall()
        except pymysql.OperationalError:
            self.hang_up()
            raise

    def hang_up(self):
        if self.line is not None:
            self.line.close()
        self.line = None

    def answers(self):
        """A new connection is served."""
        try:
            self.root().close()
        except pymysql.Error:
            return False
        return True

    def back(self):
        """Returns as soon as it answers."""
        wait_until(self.answers, 60, 0.01, what="the database")

    def connections_of_ours(self):
        rows = self.say("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'tgo'")
        return [row["ID"] for row in rows]

    def cut_all(self):
        """Ends each connection of the application, as an administrator might."""
        for one in self.connections_of_ours():
            # Gone by itself meanwhile.
            with contextlib.suppress(pymysql.Error):
                self.say(f"KILL {one}")


class Disorder(threading.Thread):
    """An outsider that locks the rows of living calls in the wrong order: people first, then their room."""

    ROWS = ("SELECT p.room_id, p.uid FROM rtc_participant p JOIN rtc_room r ON r.room_id = p.room_id"
            " WHERE r.status IN (0, 1) AND p.room_id LIKE %s ORDER BY r.id DESC LIMIT 8")
    ROW = "SELECT uid FROM rtc_participant WHERE room_id = %s AND uid = %s FOR UPDATE"
    ROOM = "SELECT room_id FROM rtc_room WHERE room_id = %s FOR UPDATE"

    def __init__(self, mysql, database, prefix):
        super().__init__(daemon=True)
        self.connection = mysql.root(database=database)
        self.prefix, self.over = prefix, threading.Event()
        self.rounds = 0

    def run(self):
        with contextlib.closing(self.connection), self.connection.cursor() as c:
            c.execute("SET SESSION innodb_lock_wait_timeout = 1")
            while not self.over.is_set():
                self.lock_a_few(c)
                self.rounds += 1

    def lock_a_few(self, c):
        c.execute(self.ROWS, (self.prefix + "%",))
        rows = c.fetchall()
        c.execute("START TRANSACTION")
        with contextlib.suppress(pymysql.OperationalError):
            for row in rows:
                c.execute(self.ROW, (row["room_id"], row["uid"]))
            self.over.wait(0.01)
            for row in rows:
                c.execute(self.ROOM, (row["room_id"],))
        c.execute("ROLLBACK")

    def stop(self):
        self.over.set()
        self.join(10)
        assert not self.is_alive()
