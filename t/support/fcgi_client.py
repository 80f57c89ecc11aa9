"""A small FastCGI client: speaks to a worker's socket as nginx does, and where a test wants it, as nginx never would.

SPDX-License-Identifier: MIT
"""
import socket
import struct

BEGIN_REQUEST, ABORT_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR = 1, 2, 3, 4, 5, 6, 7
DATA, GET_VALUES, UNKNOWN_TYPE = 8, 9, 11
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
KEEP_CONN = 1


def record(kind, content=b"", request_id=1):
    pad = -len(content) % 8
    return struct.pack(">BBHHBx", 1, kind, request_id, len(content), pad) + content + bytes(pad)


def stream(kind, content, request_id=1):
    """A stream of records, ended by an empty one."""
    chunks = [content[i:i + 65528] for i in range(0, len(content), 65528)]
    return b"".join(record(kind, c, request_id) for c in chunks) + record(kind, b"", request_id)


def _length(n):
    return bytes([n]) if n < 128 else struct.pack(">I", n | 0x80000000)


def pairs(params):
    """params: a dict, or a list of pairs where a name comes twice."""
    out = b""
    for name, value in params.items() if isinstance(params, dict) else params:
        name, value = name.encode(), value.encode() if isinstance(value, str) else value
        out += _length(len(name)) + _length(len(value)) + name + value
    return out


def begin(role=RESPONDER, keep=False, request_id=1):
    return record(BEGIN_REQUEST, struct.pack(">HB5x", role, KEEP_CONN if keep else 0), request_id)


def head(params, keep=False, request_id=1):
    """What comes before the body."""
    return begin(RESPONDER, keep, request_id) + stream(PARAMS, pairs(params), request_id)


class Response:
    def __init__(self, stdout, stderr, ended):
        head, _, self.body = stdout.partition(b"\r\n\r\n")
        self.stderr, self.ended = stderr, ended
        self.raw_headers = [tuple(part.strip() for part in line.split(":", 1))
                            for line in head.decode("latin-1").split("\r\n") if line]
        self.headers = {name.lower(): value for name, value in self.raw_headers}
        self.status = int(self.headers.pop("status", "200").split()[0]) if self.raw_headers else None


class Connection:
    """One request on one connection, step by step. where: a path, or (host, port)."""

    def __init__(self, where, timeout=10):
        family = socket.AF_INET if isinstance(where, tuple) else socket.AF_UNIX
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self.sock.connect(where if isinstance(where, tuple) else str(where))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def begin(self, params, keep=False):
        self.send(head(params, keep))

    def body(self, content, end=True):
        self.send(stream(STDIN, content) if end else record(STDIN, content))

    def _exactly(self, n):
        data = b""
        while len(data) < n:
            part = self.sock.recv(n - len(data))
            if not part:
                return None
            data += part
        return data

    def response(self):
        """Reads to the end of request 1; `ended` is False when the worker hung up before it."""
        out, err = b"", b""
        while True:
            start = self._exactly(8)
            if start is None:
                return Response(out, err, False)
            _, kind, request_id, length, pad = struct.unpack(">BBHHBx", start)
            content = (self._exactly(length + pad) or b"")[:length]
            if request_id != 1:
                continue
            if kind == STDOUT:
                out += content
            elif kind == STDERR:
                err += content
            elif kind == END_REQUEST:
                return Response(out, err, True)

    def is_closed(self):
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True


def params_of(method="GET", uri="/health", body=b"", headers=None, content_length=None, **more):
    """The parameters nginx would send. headers: a dict or a list of pairs."""
    length = str(len(body)) if content_length is None else str(content_length)
    found = [("REQUEST_METHOD", method), ("REQUEST_URI", uri), ("CONTENT_TYPE", "application/json" if body else ""),
             ("CONTENT_LENGTH", length if body or content_length is not None else ""),
             ("REMOTE_ADDR", "127.0.0.1"), ("SERVER_PROTOCOL", "HTTP/1.1")]
    for name, value in headers.items() if isinstance(headers, dict) else headers or []:
        found.append(("HTTP_" + name.upper().replace("-", "_"), value))
    return found + list(more.items())


def request(where, method="GET", uri="/health", body=b"", headers=None, timeout=10, **more):
    """A whole request; more: content_length, or further parameters such as REQUEST_ID."""
    with Connection(where, timeout) as c:
        c.begin(params_of(method, uri, body, headers, **more))
        c.body(body)
        return c.response()
