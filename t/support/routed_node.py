"""A media node as a client's request sees one: it says which node it is, and remembers what came to it.

    node = RoutedNode("127.0.0.41")     listens on a port of its own; node.redis = ..., node.record() once there is one
    node.came()                         what reached it since the last time, as "GET /rtc"; probes (GET /) do not count
    node.cuts = True                    takes every request but probes, and hangs up

SPDX-License-Identifier: MIT
"""
import http.server
import threading

from support.probed_node import ProbedNode


class RoutedNode(ProbedNode):
    def __init__(self, ip):
        self.cuts, self.requests, self.bodies = False, [], []
        super().__init__(None, ip)

    def listen(self):
        node, connections = self, []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                probe = (self.command, self.path) == ("GET", "/")
                if not node.awake.is_set():
                    node.awake.wait(30)
                    self.close_connection = True
                    return
                if not probe:
                    node.requests.append(f"{self.command} {self.path.partition('?')[0]}")
                    node.bodies.append(body)
                if node.cuts and not probe:
                    self.close_connection = True
                    return
                text = b"OK" if probe else node.addr.encode()
                self.send_response(node.status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_OPTIONS = do_DELETE = answer

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

    def came(self):
        found, self.requests, self.bodies = self.requests, [], []
        return found
