"""docs/openapi.json, and whether an answer is one of those it describes. SPDX-License-Identifier: MIT"""
import json
import pathlib
import re

import jsonschema_rs

from support.client import Api

FILE = pathlib.Path(__file__).resolve().parents[2] / "docs/openapi.json"
METHODS = ("get", "post", "put", "delete")


class Document:
    def __init__(self):
        self.raw = json.loads(FILE.read_text())
        self._validators = {}

    def resolve(self, node):
        while "$ref" in node:
            found = self.raw
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    def operations(self):
        """(METHOD, full path, operation): one for each server of the path, /api (an alias) left out."""
        for path, item in self.raw["paths"].items():
            for server in item.get("servers", self.raw["servers"]):
                base = server["url"].rstrip("/")
                if base == "/api":
                    continue
                for method in METHODS:
                    if method in item:
                        yield method.upper(), base + path, item[method]

    def find(self, method, path):
        """The operation that path (without a query) is answered by."""
        path = path.removesuffix("/")
        method = "GET" if method == "HEAD" else method
        path = path if not path.startswith("/api/") or path.startswith(("/api/v1", "/api/docs")) \
            else "/api/v1" + path.removeprefix("/api")
        found = [(template.count("{"), operation) for m, template, operation in self.operations()
                 if m == method and re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", template), path)]
        return min(found, key=lambda one: one[0])[1] if found else None

    def validator(self, schema):
        text = json.dumps(schema, sort_keys=True)
        if text not in self._validators:
            self._validators[text] = jsonschema_rs.Draft202012Validator(
                {**schema, "components": self.raw["components"]})
        return self._validators[text]

    def check_answer(self, method, path, answer):
        """An answer of an operation the document has: its status is there, its body fits."""
        operation = self.find(method, path)
        if operation is None or answer.status_code == 405:
            return
        described = operation["responses"].get(str(answer.status_code))
        assert described is not None, f"{method} {path}: {answer.status_code} is not in the document: {answer.text}"
        content = self.resolve(described).get("content", {})
        kind = answer.headers["Content-Type"].partition(";")[0]
        assert kind in content, f"{method} {path}: {kind} is not in the document"
        if kind == "application/json" and answer.content:
            problems = [str(e) for e in self.validator(content[kind]["schema"]).iter_errors(answer.json())]
            assert problems == [], f"{method} {path} {answer.status_code}: {problems[0]}\n{answer.text}"


class CheckedApi(Api):
    """The client, each of whose answers has to be as the document says."""

    def __init__(self, stack, document):
        super().__init__(stack)
        self.document = document

    def request(self, method, path, *args, **kwargs):
        answer = super().request(method, path, *args, **kwargs)
        full = answer.request.path_url.partition("?")[0]
        self.document.check_answer(method, full, answer)
        return answer
