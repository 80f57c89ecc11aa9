"""Calls that nobody answers, to see when they stop ringing. SPDX-License-Identifier: MIT"""
import contextlib
import secrets

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from support.client import Api
from support.time_passes import run_down
from support.wait import wait_until

MISSED = 6                    # rtc_room.status
LATE_MS = 5000                # without any word from Redis a task looks at least so often
LIVEKIT_SILENT_MS = 10000     # a ring is not ended over a LiveKit that does not answer, for so long


class Rings:
    def __init__(self, stack):
        self.stack, self.api, self.prefix = stack, Api(stack), f"ring-{secrets.token_hex(3)}-"
        self.rooms, self.ends_at = [], {}

    def begin(self, n=3, seconds=1.0):
        """So many calls that ring so long from now on; a refused one is asked again."""
        rooms = [self.create(f"{self.prefix}{len(self.rooms) + i}") for i in range(n)]
        with contextlib.closing(self.stack.db()) as db:
            at = run_down(db, rooms, late_ms=-int(1000 * seconds))
        # As the worker that wrote such a deadline would say it, if anybody hears.
        with contextlib.suppress(redis.RedisError), contextlib.closing(self.redis()) as one:
            one.publish("tgo:wake", at)
        self.rooms += rooms
        self.ends_at.update((room, at) for room in rooms)
        return self

    def redis(self):
        return redis.Redis(unix_socket_path=self.stack.env["REDIS_SOCKET"], socket_timeout=0.2,
                           retry=Retry(NoBackoff(), 0))

    def create(self, room):
        body = {"room_id": room, "creator": f"{room}-ann", "uids": [f"{room}-bob"], "timeout": 600}
        said = []

        def done():
            answer = self.api.post("/rooms", body)
            said[:] = [f"{answer.status_code} {answer.text}"]
            return answer.status_code in (200, 409)

        wait_until(done, 20, what=said)
        return room

    def rows(self):
        with contextlib.closing(self.stack.db()) as db, db.cursor() as c:
            c.execute("SELECT room_id, status, ended_at_ms FROM rtc_room WHERE room_id IN %s", (self.rooms,))
            return c.fetchall()

    def on_time(self, late_ms=LATE_MS, within=30):
        """The end of all of them: no ring ends early, none late, by the database's clock. The latest, in ms."""
        wait_until(lambda: all(row["status"] > 1 for row in self.rows()), within, 0.1, what="the end of every ring")
        rows = self.rows()
        assert {row["status"] for row in rows} == {MISSED}, rows
        late = [row["ended_at_ms"] - self.ends_at[row["room_id"]] for row in rows]
        assert min(late) >= 0, f"a ring ended {-min(late)} ms early"
        assert max(late) <= late_ms, f"a ring ended {max(late)} ms late"
        return max(late)
