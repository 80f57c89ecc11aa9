"""A worker of a test's own on a stack's database and Redis, asked over FastCGI: for configurations that the
stack does not have, without nginx between. SPDX-License-Identifier: MIT"""
import hashlib
import itertools
import json as jsonlib
import os

from support import fcgi_client as fcgi
from support.worker_process import Service

_ids = itertools.count(1)


class Answer:
    """What came back, as a requests.Response shows it."""

    def __init__(self, response):
        self.status_code, self.content = response.status, response.body
        self.headers = CaseBlind(response.raw_headers)

    @property
    def text(self):
        return self.content.decode()

    def json(self):
        return jsonlib.loads(self.content)


class CaseBlind:
    def __init__(self, pairs):
        self.pairs = {name.lower(): value for name, value in pairs}

    def __getitem__(self, name):
        return self.pairs[name.lower()]

    def __contains__(self, name):
        return name.lower() in self.pairs

    def get(self, name, default=None):
        return self.pairs.get(name.lower(), default)


class Direct:
    def __init__(self, folder, stack, **settings):
        env = stack.env
        self.stack = stack
        os.environ.setdefault("TGO_BIN", env["TGO_BIN"])
        self.service = Service(folder, {
            **{k: env[k] for k in ("DB_SOCKET", "DB_USER", "DB_PASSWORD", "DB_NAME", "REDIS_SOCKET",
                                   "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")},
            "LIVEKIT_URL": stack.url, "LIVEKIT_CLIENT_URL": stack.url.replace("http", "ws"),
            "API_KEYS": f"test:{digest(env['TGO_KEY'])},ops-test:{digest(env['TGO_OPS_KEY'])}",
            "TICKET_SECRET": stack.ticket_secret, "AUTH_MODE": "key", "WORKERS": 1, **settings})

    def start(self):
        self.service.start()
        return self

    def request(self, method, path, json=None, *, key=None, ticket=None, data=None, headers=None,
                address="127.0.0.1", content_type=None, root=False):
        """As Api.request, but: no key unless one is given; a ticket is a whole one."""
        body = data if data is not None else b"" if json is None else jsonlib.dumps(json).encode()
        found = list((headers or {}).items())
        token = ticket or key
        if token is not None:
            found.append(("Authorization", f"Bearer {token}"))
        params = fcgi.params_of(method, path if root else "/api/v1" + path, body, found,
                                REQUEST_ID=f"direct-{next(_ids)}")
        params = [(k, v) for k, v in params if k != "REMOTE_ADDR"] + [("REMOTE_ADDR", address)]
        if content_type is not None:
            params = [(k, v) for k, v in params if k != "CONTENT_TYPE"] + [("CONTENT_TYPE", content_type)]
        with self.service.connect() as c:
            c.begin(params)
            c.body(body)
            return Answer(c.response())

    def get(self, path, **kwargs):
        return self.request("GET", path, **kwargs)

    def post(self, path, json=None, **kwargs):
        return self.request("POST", path, json, **kwargs)

    def put(self, path, json=None, **kwargs):
        return self.request("PUT", path, json, **kwargs)

    def delete(self, path, **kwargs):
        return self.request("DELETE", path, **kwargs)


def digest(key):
    return hashlib.sha256(key.encode()).hexdigest()
