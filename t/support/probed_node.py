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
import socket
import threading
import time

from support.fake_livekit import node_record
from support.ports import free_port

BEAT_S, FRESH_S = 0.5, 5


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256

    def __init__(self, where, handler):
        self.connections = []
        super().__init__(where, handler)

    def process_request(self, request, client_address):
        self.connections.append(request)
        super().process_request(request, client_address)

    def hang_up(self):
        for one in self.connections:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def handle_error(self, *_):
        """A client that went away is no news."""


class NodeHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def is_served(self, node):
        """False: the node is frozen; nothing is said while it is, nor of this request afterwards."""
        if node.awake.is_set():
            return True
        node.awake.wait(30)
        self.close_connection = True
        return False

    def say(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


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
        self.server = Server((self.ip, self.port), self.handler())
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def handler(self):
        node = self

        class Handler(NodeHandler):
            def do_GET(self):
                node.n_asked += 1
                if self.is_served(node):
                    self.say(node.status, b"OK")

        return Handler

    def refuse(self):
        """As if its process had died: connections that stand are closed, too."""
        self.server.shutdown()
        self.server.server_close()
        self.server.hang_up()
        self.server = None

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
