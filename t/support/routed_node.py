"""A media node as a client's request sees one: it says which node it is, and remembers what came to it.

    node = RoutedNode("127.0.0.41")     listens on a port of its own; node.redis = ..., node.record() once there is one
    node.came()                         what reached it since the last time, as "GET /rtc"; probes (GET /) do not count
    node.cuts = True                    takes every request but probes, and hangs up

SPDX-License-Identifier: MIT
"""
from support.probed_node import NodeHandler, ProbedNode


class RoutedNode(ProbedNode):
    def __init__(self, ip):
        self.cuts, self.requests, self.bodies = False, [], []
        super().__init__(None, ip)

    def handler(self):
        node = self

        class Handler(NodeHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if not self.is_served(node):
                    return
                if (self.command, self.path) == ("GET", "/"):
                    self.say(node.status, b"OK")
                    return
                node.requests.append(f"{self.command} {self.path.partition('?')[0]}")
                node.bodies.append(body)
                if node.cuts:
                    self.close_connection = True
                else:
                    self.say(node.status, node.addr.encode())

            do_GET = do_POST = do_OPTIONS = do_DELETE = answer

        return Handler

    def came(self):
        found, self.requests, self.bodies = self.requests, [], []
        return found
