"""docs/openapi.json and the program's own table of routes say the same. SPDX-License-Identifier: MIT"""
import os
import pathlib
import subprocess

import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from support.document import METHODS, Document


@pytest.fixture(scope="module")
def routes(stack):
    """(method, path) -> (words of who, longest body), as the program has them."""
    folder = pathlib.Path(stack.env["TGO_BIN"])
    if not (folder / "t/routes").exists():
        subprocess.run(["make", "-s", "-C", folder, "t/routes"], check=True, stdin=subprocess.DEVNULL)
    out = subprocess.run([folder / "t/routes"], check=True, text=True, capture_output=True).stdout
    rows = [line.split("\t") for line in out.splitlines()]
    return {(method, path): (set(who.split(",")), int(limit)) for method, path, who, limit in rows}


def test_is_openapi_3_1(document):
    assert [str(e) for e in OpenAPIV31SpecValidator(document.raw).iter_errors()] == []


def test_same_routes(document, routes):
    assert {(method, path) for method, path, _ in document.operations()} == set(routes)


def test_same_who_and_body_limit(document, routes):
    said = {(method, path): (set(o["x-who"]), o.get("x-max-body-bytes", 0)) for method, path,
            o in document.operations()}
    assert said == routes


def test_security_follows_from_who(document):
    for method, path, operation in document.operations():
        who = set(operation["x-who"])
        schemes = {name for one in operation["security"] for name in one}
        if who == {"public"}:
            assert schemes <= {"livekitSignature"}, (method, path)
        else:
            assert ("apiKey" in schemes) == bool(who & {"key", "real-key", "ops"}), (method, path)
            assert ("ticket" in schemes) == bool(who - {"key", "real-key", "ops"}), (method, path)


def test_every_operation_is_whole(document):
    ids = set()
    for path, item in document.raw["paths"].items():
        parameters = [document.resolve(p) for p in item["parameters"]]
        for method in METHODS:
            if method not in item:
                continue
            o = item[method]
            assert o["operationId"] not in ids
            ids.add(o["operationId"])
            named = {p["name"] for p in parameters + [document.resolve(p) for p in o.get("parameters", [])]
                     if p["in"] == "path"}
            assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}, path
            assert o["summary"] and o["tags"]
            for status, response in o["responses"].items():
                response = document.resolve(response)
                assert response["description"], (method, path, status)
                if int(status) >= 400:
                    assert "application/json" in response["content"], (method, path, status)


def test_examples_fit_their_schemas(document):
    """Every example of the document is one that its own schema takes."""
    n = 0
    for name, schema in document.raw["components"]["schemas"].items():
        for example in schema.get("examples", []):
            jsonschema_rs.Draft202012Validator({**schema,
                                                "components": document.raw["components"]}).validate(example)
            n += 1
        for field, one in schema.get("properties", {}).items():
            for example in one.get("examples", []):
                assert document.validator(one).is_valid(example), (name, field)
                n += 1
    assert n > 30


def test_request_examples_work(document, call, fresh):
    """The first example of the document is a request that is answered 200."""
    body = dict(document.raw["components"]["schemas"]["CreateRequest"]["examples"][0])
    body["creator"], body["uids"] = fresh("alice"), [fresh("bob")]
    assert call.post("/rooms", body).status_code == 200


@pytest.mark.parametrize("path", ["/openapi.json", "/api/v1/openapi.json", "/api/openapi.json",
                                  "/api/docs/swagger.json"])
def test_served_as_it_is(call, path):
    answer = call.get(path, root=True, key=None)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.json() == Document().raw


@pytest.mark.parametrize("path", ["/docs", "/api/v1/docs", "/api/docs", "/swagger/index.html"])
def test_page(call, path):
    answer = call.get(path, root=True, key=None)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "/openapi.json" in answer.text
