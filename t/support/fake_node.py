"""A media node as far as a probe and our registry see one: it answers GET / on an address of its own, and has a record in
LiveKit's Redis that it keeps fresh.

    node = FakeNode(redis, "127.0.0.21")     node.addr is "127.0.0.21:port"
    node.kill() / node.freeze() / node.wake() / node.start()
    node.state = 2                            its record says SHUTTING_DOWN from now on

SPDX-License-Identifier: MIT
"""
import secrets
import signal
import subprocess
import sys
import threading
import time

from support.fake_livekit import node_record
from support.ports import free_port

SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"OK")
    def log_message(self, *_):
        pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256
server = Server((sys.argv[1], int(sys.argv[2])), Handler)
print("up", flush=True)
server.serve_forever()
"""
BEAT_S = 0.5


class FakeNode:
    def __init__(self, redis, ip, region="", port=None):
        self.redis, self.ip, self.region = redis, ip, region
        self.port = port or free_port([ip])
        self.addr, self.state, self.id = f"{ip}:{self.port}", 1, None
        self.stopping = threading.Event()
        self.start()
        threading.Thread(target=self.keep_beating, daemon=True).start()

    def start(self):
        """A life: a process and an id of its own."""
        if self.id is not None:
            self.redis.hdel("nodes", self.id)
        self.process = subprocess.Popen([sys.executable, "-c", SERVER, self.ip, str(self.port)],
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "up\n"
        self.frozen, self.id = False, f"ND_{secrets.token_hex(6)}"
        self.beat()

    def beat(self):
        self.redis.hset("nodes", self.id, node_record(self.id, time.time(), self.ip, self.region, self.state))

    def keep_beating(self):
        while not self.stopping.wait(BEAT_S):
            if self.process.poll() is None and not self.frozen:
                self.beat()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def freeze(self):
        self.frozen = True
        self.process.send_signal(signal.SIGSTOP)

    def wake(self):
        self.process.send_signal(signal.SIGCONT)
        self.frozen = False

    def stop(self):
        self.stopping.set()
        self.kill()
        self.process.stdout.close()
        self.redis.hdel("nodes", self.id)
