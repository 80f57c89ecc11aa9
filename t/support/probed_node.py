"""A media node as the node watch sees one: a port that answers GET / well, badly or not at all, and a record in LiveKit's
Redis of any age. (fake_node.py has one that is a process of its own.)

    node = ProbedNode(redis, "127.0.0.31")  listens there, on a port of its own
    node.status = 406                       what it answers
    node.freeze() / node.thaw()             takes connections and says nothing
    node.refuse() / node.listen()           nobody listens / somebody does again
    node.record(age=0)                      its record is so many seconds old; forget() takes it away

SPDX-License-Identifier: MIT
"""
import http.server
import secrets
import threading
import time

from support.fake_livekit import node_record
from support.ports import free_port

BEAT_S, FRESH_S = 0.5, 5


class ProbedNode:
    def __init__(self, redis, ip="127.0.0.1"):
        self.redis, self.ip, self.port = redis, ip, free_port([ip])
        self.addr, self.id = f"{self.ip}:{self.port}", "ND_" + secrets.token_hex(6)
        self.status, self.n_asked = 200, 0
        self.age, self.server = None, None
        self.awake, self.stopping = threading.Event(), threading.Event()
        self.awake.set()
        self.listen()
        threading.Thread(target=self._beat, daemon=True).start()

    def listen(self):
        node, connections = self, []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                node.n_asked += 1
                if not node.awake.is_set():
                    node.awake.wait(30)
                    self.close_connection = True
                    return
                self.send_response(node.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"OK")

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 256

            def process_request(self, request, client_address):
                connections.append(request)
                super().process_request(request, client_address)

            def handle_error(self, *_):
                """A client that went away is no news."""

        self.server, self.connections = Server((self.ip, self.port), Handler), connections
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def refuse(self):
        """As if its process had died: connections that stand are closed, too."""
        self.server.shutdown()
        self.server.server_close()
        self.server = None
        for one in self.connections:
            try:
                one.shutdown(2)
            except OSError:
                pass

    def freeze(self):
        self.awake.clear()

    def thaw(self):
        self.awake.set()

    def record(self, age=0):
        """A fresh one is kept fresh."""
        self.age = age
        self._write()

    def forget(self):
        self.age = None
        self.redis.hdel("nodes", self.id)

    def _write(self):
        self.redis.hset("nodes", self.id, node_record(self.id, time.time() - self.age, self.ip))

    def _beat(self):
        while not self.stopping.wait(BEAT_S):
            if self.age is not None and self.age < FRESH_S:
                self._write()

    def stop(self):
        self.stopping.set()
        self.awake.set()
        if self.server is not None:
            self.refuse()
        if self.age is not None:
            self.forget()
