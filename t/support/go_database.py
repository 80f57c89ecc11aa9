"""A database as the Go server leaves it: its tables with their types, collations and doubled indexes, and
its statements with their exact column lists. SPDX-License-Identifier: MIT
"""
import datetime
import secrets
import zoneinfo

TABLES = [
    """CREATE TABLE rtc_room (
      id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
      creator VARCHAR(40) NOT NULL DEFAULT '',
      room_id VARCHAR(40) NOT NULL DEFAULT '',
      rtc_type TINYINT UNSIGNED NOT NULL DEFAULT 0,
      invite_on TINYINT UNSIGNED NOT NULL DEFAULT 0,
      status TINYINT UNSIGNED NOT NULL DEFAULT 0,
      max_participants BIGINT NOT NULL DEFAULT 2,
      created_at DATETIME(3) NULL,
      updated_at DATETIME(3) NULL,
      UNIQUE KEY room_id (room_id), UNIQUE KEY uk_room_id (room_id),
      UNIQUE KEY idx_rtc_room_room_id (room_id), KEY idx_creator (creator), KEY idx_status (status)
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci""",
    """CREATE TABLE rtc_participant (
      id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
      room_id VARCHAR(40) NOT NULL DEFAULT '',
      uid VARCHAR(40) NOT NULL DEFAULT '',
      device_type VARCHAR(20) NOT NULL DEFAULT '',
      status TINYINT UNSIGNED NOT NULL DEFAULT 0,
      join_time BIGINT NOT NULL DEFAULT 0,
      leave_time BIGINT NOT NULL DEFAULT 0,
      created_at DATETIME(3) NULL,
      updated_at DATETIME(3) NULL,
      UNIQUE KEY uk_room_uid (room_id, uid), UNIQUE KEY idx_room_uid (room_id, uid),
      KEY idx_room_id (room_id), KEY idx_status (status), KEY idx_uid (uid)
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci""",
    """CREATE TABLE business_webhook_log (
      id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
      event_type VARCHAR(100) NOT NULL DEFAULT '',
      event_id VARCHAR(100) NOT NULL DEFAULT '',
      url VARCHAR(500) NOT NULL DEFAULT '',
      status INT NOT NULL DEFAULT 0,
      request LONGTEXT NULL,
      response LONGTEXT NULL,
      error VARCHAR(500) NULL,
      retry INT NOT NULL DEFAULT 0,
      created_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
      updated_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
      KEY idx_event_id (event_id), KEY idx_event_type (event_type), KEY idx_url (url),
      KEY idx_created_at (created_at)
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci""",
    """CREATE TABLE migrations (
      id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
      version VARCHAR(50) NOT NULL,
      name VARCHAR(255) NOT NULL,
      `sql` LONGTEXT NOT NULL,
      status VARCHAR(20) NOT NULL DEFAULT 'pending',
      error TEXT NULL,
      executed_at DATETIME(3) NULL,
      created_at DATETIME(3) NULL,
      updated_at DATETIME(3) NULL,
      UNIQUE KEY version (version)
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci""",
]
# What the Go server reads and writes; a migrated database must still give and take exactly that.
COLUMNS = {
    "rtc_room": ["id", "creator", "room_id", "rtc_type", "invite_on", "status", "max_participants",
                 "created_at", "updated_at"],
    "rtc_participant": ["id", "room_id", "uid", "device_type", "status", "join_time", "leave_time",
                        "created_at", "updated_at"],
    "business_webhook_log": ["id", "event_type", "event_id", "url", "status", "request", "response", "error",
                             "retry", "created_at", "updated_at"],
    "migrations": ["id", "version", "name", "sql", "status", "error", "executed_at", "created_at", "updated_at"],
}


class GoDatabase:
    """A database of its own on the stack's server; zone: where the Go server believed to be."""

    def __init__(self, stack, zone="Asia/Shanghai", name=None):
        self.stack, self.zone = stack, zoneinfo.ZoneInfo(zone)
        self.name = name or "tgo_go_" + secrets.token_hex(6)
        self.db = stack.db(database=None)
        self.run(f"CREATE DATABASE {self.name} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
        self.run(f"USE {self.name}")
        for table in TABLES:
            self.run(table)
        for version in ("20251027-01", "20251027-02", "20251030-04", "20260104-05"):
            self.run("INSERT INTO migrations (version, name, `sql`, status, executed_at) VALUES (%s, %s, %s,"
                     " 'success', NOW(3))", version, version + ".sql", "-- done")

    def close(self):
        self.run(f"DROP DATABASE IF EXISTS {self.name}")
        self.db.close()

    def run(self, text, *args):
        with self.db.cursor() as cursor:
            cursor.execute(text, args or None)
            return cursor.fetchall()

    def one(self, text, *args):
        rows = self.run(text, *args)
        assert len(rows) == 1, rows
        return rows[0]

    def local(self, at):
        """A moment (Unix s) as that server writes it."""
        return datetime.datetime.fromtimestamp(at, self.zone).replace(tzinfo=None)

    # ---- the Go server's own statements: all of its columns, nothing else ----

    def insert_room(self, room_id, creator, at, status=0, **more):
        row = {"rtc_type": 1, "invite_on": 0, "max_participants": 2, "updated": at, **more}
        self.run("INSERT INTO `rtc_room` (`creator`,`room_id`,`rtc_type`,`invite_on`,`status`,"
                 "`max_participants`,`created_at`,`updated_at`) VALUES (%s,%s,%s,%s,%s,%s,%s,%s)",
                 creator, room_id, row["rtc_type"], row["invite_on"], status, row["max_participants"],
                 self.local(at), self.local(row["updated"]))

    def insert_participant(self, room_id, uid, at, status=0, **more):
        row = {"device_type": "", "join_time": 0, "leave_time": 0, **more}
        self.run("INSERT INTO `rtc_participant` (`room_id`,`uid`,`device_type`,`status`,`join_time`,"
                 "`leave_time`,`created_at`,`updated_at`) VALUES (%s,%s,%s,%s,%s,%s,%s,%s)",
                 room_id, uid, row["device_type"], status, row["join_time"], row["leave_time"],
                 self.local(at), self.local(at))

    def update_room_status(self, room_id, status, at):
        self.run("UPDATE `rtc_room` SET `status`=%s,`updated_at`=%s WHERE room_id = %s", status,
                 self.local(at), room_id)

    def join_participant(self, room_id, uid, device, at):
        self.run("UPDATE `rtc_participant` SET `device_type`=%s,`join_time`=%s,`status`=%s,`updated_at`=%s"
                 " WHERE room_id = %s AND uid = %s", device, int(at), 1, self.local(at), room_id, uid)

    def invite_again(self, room_id, uid, at):
        self.run("UPDATE `rtc_participant` SET `created_at`=%s,`status`=%s,`updated_at`=%s"
                 " WHERE room_id = %s AND uid = %s", self.local(at), 0, self.local(at), room_id, uid)

    # ---- what is in it ----

    def go_rows(self, table):
        """The Go server's columns of all rows."""
        columns = ", ".join(f"`{c}`" for c in COLUMNS[table])
        return self.run(f"SELECT {columns} FROM {table} ORDER BY id")

    def everything(self):
        """Every table with its definition and all of its rows, to see whether anything changed."""
        tables = sorted(next(iter(row.values())) for row in self.run("SHOW TABLES"))
        return {t: (self.one(f"SHOW CREATE TABLE `{t}`"), self.run(f"SELECT * FROM `{t}` ORDER BY 1"))
                for t in tables}

    def room(self, room_id):
        return self.one("SELECT * FROM rtc_room WHERE room_id = %s", room_id)

    def participant(self, room_id, uid):
        return self.one("SELECT * FROM rtc_participant WHERE room_id = %s AND uid = %s", room_id, uid)
