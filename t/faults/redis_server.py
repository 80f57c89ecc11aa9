"""The Redis of a stack, for tests that hurt it. SPDX-License-Identifier: MIT"""
import os

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from support.part import Part
from support.wait import wait_until

SETTINGS = ("bind", "port", "dir", "unixsocket", "unixsocketperm", "save", "appendonly", "maxmemory-policy")
KEYS, KEY_BYTES, LOAD_DELAY_US = 300, 1024, 10000


class RedisServer(Part):
    def __init__(self, stack):
        super().__init__(stack, "redis")
        self.own = redis.Redis(unix_socket_path=stack.env["REDIS_SOCKET"], socket_timeout=1,
                               retry=Retry(NoBackoff(), 0))
        # It writes a title over what it was started with.
        self.argv, self.environ = ["redis-server"], {"PATH": os.environ["PATH"]}
        for name in SETTINGS:
            self.argv += [f"--{name}", self.own.config_get(name)[name]]

    def answers(self):
        try:
            return self.own.ping()
        except redis.RedisError:
            return False

    def back(self):
        """Returns as soon as it serves."""
        # Told to load slowly, it does so by its own count of work, on a busy machine for minutes.
        wait_until(self.answers, 120, 0.01, what="Redis")

    def start_slowly(self):
        """With much to load: for some seconds it answers everything with LOADING. Returns when it does."""
        self.own.mset({f"ballast:{i}": bytes(KEY_BYTES) for i in range(KEYS)})
        self.own.config_set("rdbcompression", "no")
        self.own.save()
        self.kill()
        usual = self.argv
        self.argv = [*usual, "--key-load-delay", str(LOAD_DELAY_US), "--loading-process-events-interval-bytes", "1024"]
        self.start()
        self.argv = usual
        wait_until(self.is_loading, 10, 0.01, what="a Redis that loads")

    def is_loading(self):
        try:
            self.own.ping()
        except redis.BusyLoadingError:
            return True
        except redis.RedisError:
            return False
        return False

    def clean_up(self):
        self.own.close()
