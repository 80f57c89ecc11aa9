"""A client of the call API: requests, with the caller chosen per call. SPDX-License-Identifier: MIT"""
import re
import socket
import time

import jwt
import requests

_DEFAULT = object()


class Api:
    """api.post("/rooms", {...}): the path is under /api/v1 unless it begins with /api/ or root=True.

    key: an API key, None for no header at all; default: the stack's. ticket: a uid, for whom a ticket is
    made, or a ready ticket. lang: X-Language.
    """

    def __init__(self, stack):
        self.stack = stack
        self.session = requests.Session()
        self.session.trust_env = False

    def request(self, method, path, json=None, *, key=_DEFAULT, ticket=None, lang=None, headers=None,
                root=False, timeout=30, **kwargs):
        url = self.stack.url + path
        if not root and not path.startswith("/api/"):
            url = self.stack.url + "/api/v1" + path
        sent = dict(headers or {})
        if ticket is not None:
            token = ticket if ticket.count(".") == 2 else self.ticket(ticket)
            sent.setdefault("Authorization", f"Bearer {token}")
        elif key is _DEFAULT:
            sent.setdefault("Authorization", f"Bearer {self.stack.env['TGO_KEY']}")
        elif key is not None:
            sent.setdefault("Authorization", f"Bearer {key}")
        if lang is not None:
            sent.setdefault("X-Language", lang)
        return self.session.request(method, url, json=json, headers=sent, timeout=timeout, **kwargs)

    def get(self, path, **kwargs):
        return self.request("GET", path, **kwargs)

    def post(self, path, json=None, **kwargs):
        return self.request("POST", path, json, **kwargs)

    def put(self, path, json=None, **kwargs):
        return self.request("PUT", path, json, **kwargs)

    def delete(self, path, **kwargs):
        return self.request("DELETE", path, **kwargs)

    def ticket(self, uid, ttl=3600, secret=None, **claims):
        now = int(time.time())
        return jwt.encode({"sub": uid, "iat": now, "exp": now + ttl, **claims},
                          secret or self.stack.ticket_secret, "HS256")

    @property
    def ops_key(self):
        return self.stack.env["TGO_OPS_KEY"]


def raw_http(stack, data, timeout=15):
    """Bytes to nginx as they are, the whole answer as bytes: for requests no library would send."""
    with socket.create_connection(("127.0.0.1", stack.port), timeout) as s:
        s.sendall(data)
        answer = b""
        while not is_whole(answer) and (chunk := s.recv(65536)):
            answer += chunk
        return answer


def is_whole(answer):
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: (\d+)", head, re.I)
    return bool(end and length) and len(body) >= int(length[1])
