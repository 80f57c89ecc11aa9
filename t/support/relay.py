"""What a container of the tests finds in its network: servers of a stack under the ports they have in a compose
project, and a receiver of events. Run in a network namespace of its own; SPDX-License-Identifier: MIT

Argument: JSON {"relays": {"3306": "/path/of/a/socket"}, "receiver": {"port": 9000, "file": "/where/to/write"}}.
"""
import fcntl
import http.server
import json
import socket
import struct
import sys
import threading


def bring_up(name=b"lo"):
    SIOCSIFFLAGS, IFF_UP = 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", name, IFF_UP))


def carry(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for one in (source, target):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def relay(port, path):
    listener = socket.create_server(("127.0.0.1", port))
    while True:
        client, _ = listener.accept()
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(path)
        except OSError:
            client.close()
            continue
        for pair in ((client, server), (server, client)):
            threading.Thread(target=carry, args=pair, daemon=True).start()


class Receiver(http.server.BaseHTTPRequestHandler):
    path_of_file = None

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        line = json.dumps({"headers": dict(self.headers.items()), "body": body.decode()})
        with open(self.path_of_file, "a", encoding="utf-8") as f:
            f.write(line + "\n")
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


def main(settings):
    bring_up()
    for port, path in settings["relays"].items():
        threading.Thread(target=relay, args=(int(port), path), daemon=True).start()
    Receiver.path_of_file = settings["receiver"]["file"]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", settings["receiver"]["port"]), Receiver)
    print("ready", flush=True)
    server.serve_forever()


main(json.loads(sys.argv[1]))
