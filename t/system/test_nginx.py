"""nginx-conf: what nginx answers by itself, what it lets through, what it logs.

SPDX-License-Identifier: MIT
"""
import json
import os
import re
import shutil
import socket
import subprocess

import pytest
import requests

from support.client import raw_http
from support.logs import AppLog
from support.ports import free_port
from support.stack import ROOT
from support.wait import wait_until

LANGUAGES = ["zh-CN", "zh-TW", "en-US", "fr-FR", "ja-JP"]
KEY_BY_STATUS = {400: "invalid_parameters", 404: "not_found", 405: "method_not_allowed",
                 413: "body_too_large", 414: "invalid_parameters", 503: "unavailable"}
BIG = b"a" * 20000


def split_answer(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    return int(lines[0].split()[1]), dict(line.lower().split(": ", 1) for line in lines[1:]), body


def check_error(status, headers, body):
    error = json.loads(body)
    assert list(error) == ["code", "message", "error", "request_id"]
    assert error["code"] == status and error["error"] == KEY_BY_STATUS[status]
    assert error["message"]
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert re.fullmatch("[0-9a-f]{32}", error["request_id"])
    assert headers["x-request-id"] == error["request_id"]
    return error


@pytest.mark.parametrize("status, request_bytes", [
    (400, b"NONSENSE\r\n\r\n"),
    (400, b"GET /api/v1/rooms HTTP/1.1\r\n\r\n"),
    (400, b"GET /api/v1/rooms HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    (400, b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, b"POST /api/v1/rooms HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
    (400, b"POST /api/v1/rooms HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
    (400, b"GET /api/v1/rooms HTTP/1.1\r\nHost: a\r\nX-Long: " + BIG + b"\r\n\r\n"),
    (414, b"GET /api/v1/" + BIG + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    (405, b"TRACE /api/v1/rooms HTTP/1.1\r\nHost: a\r\n\r\n"),
    (404, b"GET /_tgo/error HTTP/1.1\r\nHost: a\r\n\r\n"),
    (413, b"POST /api/v1/rooms/sync HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n"),
    (503, b"GET /health-of-a-node HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    (503, b"POST /twirp/livekit.RoomService/ListRooms HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
    (404, b"GET /_tgo/route HTTP/1.1\r\nHost: a\r\n\r\n"),
])
def test_own_errors(stack, status, request_bytes):
    got, headers, body = split_answer(raw_http(stack, request_bytes))
    assert got == status
    check_error(status, headers, body)
    assert ("allow" in headers) == (status == 405)
    assert headers.get("retry-after") == ("1" if status == 503 else None)


@pytest.mark.parametrize("path, limit", [
    ("/api/v1/rooms", 256), ("/api/rooms/", 256), ("/api/v1/rooms/r1/invite", 256),
    ("/api/v1/rooms/r1/join", 64), ("/api/v1/rooms/r1/invite/x", 64), ("/api/v1/token", 64),
    ("/api/v1/webhooks/livekit", 2048), ("/api/webhooks/livekit/", 2048),
])
def test_body_limits(api, path, limit):
    over = api.post(path, root=True, data=b" " * (limit * 1024 + 1))
    assert over.status_code == 413
    check_error(413, {k.lower(): v for k, v in over.headers.items()}, over.text)
    at = api.post(path, root=True, data=b" " * (limit * 1024))
    assert at.status_code != 413 and "error" in at.json()


def languages_of(**kwargs):
    return {"key": None, "root": True, "data": b" " * 65537, **kwargs}


@pytest.mark.parametrize("number, lang", list(enumerate(LANGUAGES)))
def test_languages(api, number, lang):
    text = catalogue()["body_too_large"][number]
    asked = [api.post("/docs", **languages_of(lang=lang)),
             api.post(f"/docs?lang={lang}", **languages_of()),
             api.post("/docs?lang=xx", **languages_of(lang="de", headers={"Accept-Language": f"de,{lang}"}))]
    assert [one.json()["message"] for one in asked] == [text] * 3


@pytest.mark.parametrize("accept, lang", [
    ("", "zh-CN"), ("de-DE", "zh-CN"), ("en", "en-US"), ("en-GB,fr;q=0.9", "en-US"), ("zh", "zh-CN"),
    ("zh-HK", "zh-TW"), ("zh-Hant", "zh-TW"), ("de, ja;q=0.5", "ja-JP"), ("fr-CA", "fr-FR"),
    ("de, fr;q=0.9, en;q=0.8", "fr-FR"), ("de,\t ja, zh-TW, zh, en, fr", "ja-JP"), ("de , en, zh-TW", "en-US"),
    ("de, it, zh, zh-TW", "zh-CN"), ("de, it,  zh-TW, zh, en", "zh-TW"), ("de, it, zhx", "zh-CN"),
])
def test_accept_language(api, accept, lang):
    got = api.post("/docs", **languages_of(headers={"Accept-Language": accept})).json()["message"]
    assert got == catalogue()["body_too_large"][LANGUAGES.index(lang)]


def catalogue():
    text = (ROOT / "src/i18n/messages.def").read_text()
    rows = re.findall(r'MESSAGE\("(\w+)",(.*?)\)\n', text + "\n", re.S)
    return {key: re.findall(r'"((?:[^"\\]|\\.)*)"', rest) for key, rest in rows}


def test_sentences_are_the_apis():
    conf = (ROOT / "nginx-conf/tgo-call/messages.conf").read_text()
    found = re.findall(r'^\t([\w-]+):(\w+) +"(.*)";$', conf, re.M)
    texts = {(lang, key): text for lang, key, text in found}
    keys = {key for _, key in texts}
    assert len(found) == len(texts) == len(keys) * 5
    known = catalogue()
    assert {"invalid_parameters", "body_too_large", "unavailable", "internal"} <= keys & set(known)
    for (lang, key), text in texts.items():
        assert key not in known or text == known[key][LANGUAGES.index(lang)], (lang, key)
    said = set(re.findall(r"^\t(?:\S+) +([a-z_]+);$", conf, re.M))
    assert said <= keys, "a key without sentences"


def test_cors_on_own_errors(api):
    api_error = api.post("/docs", **languages_of(headers={"Origin": "https://app.example"}))
    node_error = api.get("/settings", root=True, headers={"Origin": "https://app.example"})
    for answer in (api_error, node_error):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Expose-Headers"] == "X-Request-Id"


def test_cors_origins_named(make_stack):
    stack = make_stack(CORS_ORIGINS="https://one.example,https://two.example")
    for origin, allowed in [("https://two.example", True), ("https://three.example", False)]:
        request = f"POST /docs HTTP/1.1\r\nHost: a\r\nOrigin: {origin}\r\nContent-Length: 99999\r\n\r\n"
        _, headers, _ = split_answer(raw_http(stack, request.encode()))
        assert headers.get("access-control-allow-origin") == (origin if allowed else None)
        assert headers["vary"] == "origin"


def test_without_a_worker(make_stack):
    stack = make_stack()
    stack.stop("worker")
    status, headers, body = split_answer(raw_http(
        stack, b"GET /api/v1/rooms HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
    assert status == 503 and check_error(status, headers, body) and headers["retry-after"] == "1"


def test_one_id_from_nginx_to_the_worker(stack, api, logs):
    access = AppLog(stack.env["NGINX_ACCESS_LOG"])
    answer = api.post("/rooms", {"creator": "nginx-log-1"})
    assert answer.status_code == 200
    request_id = answer.headers["X-Request-Id"]
    line = access.wait_for(request_id=request_id)
    assert list(line) == ["time", "remote_addr", "method", "uri", "status", "upstream_addr", "upstream_status",
                          "livekit_url", "livekit_node", "room", "request_time", "request_id", "service", "rpc"]
    assert (line["method"], line["uri"], line["status"]) == ("POST", "/api/v1/rooms", 200)
    assert line["room"] == answer.json()["room_id"] and line["livekit_url"] == answer.json()["url"]
    assert line["upstream_addr"].startswith("unix:")
    logs.wait_for(request_id=request_id, room_id=answer.json()["room_id"])
    for hidden in ("X-LiveKit-Url", "X-LiveKit-Node", "X-Room-Id"):
        assert hidden not in answer.headers


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/rtc?access_token=SECRET", 401), ("GET", "/rtc/v1?join_request=SECRET&access_token=SECRET", 401),
    ("GET", "/settings?access_token=SECRET", 503), ("GET", "/agent?access_token=SECRET", 503),
    ("POST", "/whip/v1?access_token=SECRET", 401),
    ("GET", "/api/v1/rooms?token=SECRET", None), ("POST", "/api/v1/nothing#x?token=SECRET", None),
])
def test_no_query_in_any_log(stack, method, path, status):
    access = AppLog(stack.env["NGINX_ACCESS_LOG"])
    errors = AppLog(stack.env["NGINX_ACCESS_LOG"].replace("access", "error"))
    got, headers, _ = split_answer(raw_http(
        stack, f"{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()))
    assert status in (None, got)
    line = access.wait_for(request_id=headers["x-request-id"])
    assert line["uri"] == re.split("[?#]", path)[0] and line["method"] == method and line["status"] == got
    assert "SECRET" not in access.text() + errors.text()


def test_every_line_is_json(stack):
    for line in open(stack.env["NGINX_ACCESS_LOG"]):
        json.loads(line)


def test_templates_as_installed(tmp_path):
    """With the values of the packages, and with TLS: nginx takes them."""
    conf = tmp_path / "nginx"
    shutil.copytree(ROOT / "nginx-conf", conf)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=a",
                    "-keyout", "privkey.pem", "-out", "fullchain.pem"],
                   cwd=tmp_path, check=True, capture_output=True)
    for file in conf.rglob("*.conf"):
        text = file.read_text()
        for name, value in {
            "@LISTEN@": "127.0.0.1:1443 ssl http2", "@FCGI_SOCKET@": "/run/tgo-call/fcgi.sock",
            "@ROUTE_SOCKET@": "/run/tgo-call/route.sock",
            "@LOG_DIR@": str(tmp_path), "@SWAGGER_UI@": "/usr/share/swagger-ui",
            "# include tgo-call/tls.conf": "include tgo-call/tls.conf",
            "/etc/ssl/private/tgo-call": str(tmp_path),
        }.items():
            text = text.replace(name, value)
        for name, value in {"@LIVEKIT_SERVERS@": "server 10.0.0.11:7880 max_fails=2 fail_timeout=5s;",
                            "@CORS_ORIGINS@": '"https://app.example" $http_origin;'}.items():
            text = re.sub(f"^(\\s*){name}", f"\\1{value}", text, flags=re.M)
        assert not re.search(r"^[^#]*@[A-Z_]+@", text, re.M), f"{file.name}: a value nobody fills in"
        file.write_text(text)
    (conf / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/e; events {{}} http {{ access_log off;"
        + "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in
                  ("client_body", "fastcgi", "proxy", "uwsgi", "scgi"))
        + "include livekit-cluster.conf; include tgo-call.conf; }")
    tried = subprocess.run(["/usr/sbin/nginx", "-t", "-c", conf / "nginx.conf"], capture_output=True, text=True)
    assert tried.returncode == 0 and "warn" not in tried.stderr, tried.stderr


def print_conf(stack, tmp_path, *args, nodes=""):
    env = {"PATH": os.environ["PATH"], "DB_SOCKET": stack.env["DB_SOCKET"], "DB_USER": stack.env["DB_USER"],
           "DB_PASSWORD": stack.env["DB_PASSWORD"], "DB_NAME": stack.env["DB_NAME"], "LIVEKIT_NODES": nodes,
           "REDIS_SOCKET": stack.env["REDIS_SOCKET"], "CORS_ORIGINS": "https://app.example"}
    return subprocess.run([f"{stack.env['TGO_BIN']}/tgo-call", "nginx", "--log-dir", tmp_path, *args], env=env,
                          cwd=tmp_path, capture_output=True, text=True, timeout=60)


def printed(stack, tmp_path, *args, nodes=""):
    """nginx.conf around what the command prints."""
    done = print_conf(stack, tmp_path, *args, nodes=nodes)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    (tmp_path / "site.conf").write_text(done.stdout)
    user = "user root root;" if os.geteuid() == 0 else ""
    (tmp_path / "nginx.conf").write_text(
        f"{user} pid {tmp_path}/pid; error_log {tmp_path}/e; events {{}} http {{"
        + "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in
                  ("client_body", "fastcgi", "proxy", "uwsgi", "scgi")) + "include site.conf; }")
    return tmp_path / "nginx.conf"


def test_the_configuration_as_printed(stack, tmp_path):
    """`tgo-call nginx`: one file with which nginx serves."""
    port = free_port()
    conf = printed(stack, tmp_path, "--listen", f"127.0.0.1:{port}", "--fcgi-socket", f"{stack.var}/run/fcgi.sock",
                   "--route-socket", f"{stack.var}/run/route.sock")
    server = subprocess.Popen(["/usr/sbin/nginx", "-c", conf, "-g", "daemon off;"])
    try:
        def ask(path):
            try:
                return requests.get(f"http://127.0.0.1:{port}{path}", timeout=5)
            except requests.ConnectionError:
                return None

        assert wait_until(lambda: ask("/health")).json() == {"status": "ok"}
        assert ask("/rtc/validate").text == "no permissions to access the room"
        assert ask("/settings").json()["error"] == "unavailable"
        assert AppLog(tmp_path / "livekit-cluster-access.log").path.exists()
    finally:
        server.terminate()
        server.wait(10)


def test_two_names_of_one_node(stack, tmp_path):
    """It stands in the configuration once; what is refused is a name that nobody can find."""
    done = print_conf(stack, tmp_path, nodes="localhost:7880,127.0.0.1:7880,127.0.0.1:7881")
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^\s*server (127\S+) max_fails", done.stdout, re.M) == ["127.0.0.1:7880", "127.0.0.1:7881"]
    done = print_conf(stack, tmp_path, nodes="nobody.invalid:7880,localhost:7880,127.0.0.1:7880,no.invalid:7880")
    assert (done.returncode, done.stdout) == (1, "")
    assert "2 of the 4 names in LIVEKIT_NODES have no address" in done.stderr


@pytest.fixture
def limited(stack, tmp_path):
    """limited((what stands there, what the test needs), ...): the printed configuration with other figures, served;
    its port."""
    servers = []

    def serve(*changes):
        port = free_port()
        conf = printed(stack, tmp_path, "--listen", f"127.0.0.1:{port}", "--fcgi-socket",
                       f"{stack.var}/run/fcgi.sock", "--route-socket", f"{stack.var}/run/route.sock")
        site = (tmp_path / "site.conf").read_text()
        for old, new in changes:
            assert old in site
            site = site.replace(old, new)
        (tmp_path / "site.conf").write_text(site)
        servers.append(subprocess.Popen(["/usr/sbin/nginx", "-c", conf, "-g", "daemon off;"]))
        wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip(), 10)
        return port

    yield serve
    for server in servers:
        server.terminate()
        server.wait(10)


COUNTED = ('"~^127[.]"   "";', '"~^nobody$"  "";')


def ask_bare(port, path="/health", **headers):
    return requests.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=10)


def check_429(answer, lang="zh-CN"):
    assert answer.status_code == 429 and answer.headers["Retry-After"] == "1"
    error = check_429_body(answer)
    assert error["message"] == catalogue()["rate_limited"][LANGUAGES.index(lang)]


def check_429_body(answer):
    error = answer.json()
    assert (list(error), error["code"], error["error"]) == (
        ["code", "message", "error", "request_id"], 429, "rate_limited")
    assert answer.headers["X-Request-Id"] == error["request_id"]
    return error


def test_the_rate_of_an_address(limited, tmp_path):
    port = limited(COUNTED, ("rate=2000r/s", "rate=1r/m"), ("burst=4000", "burst=3"))
    first = [ask_bare(port).status_code for _ in range(5)]
    assert first == [200] * 4 + [429]
    for lang in LANGUAGES:
        answer = ask_bare(port, "/api/v1/rooms?token=SECRET", **{"X-Language": lang, "Origin": "https://app.example"})
        check_429(answer, lang)
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
    # The clients' door to the nodes has the same fence.
    check_429(ask_bare(port, "/rtc/validate?access_token=SECRET"))
    # A flood fills no error log, and no query gets there.
    assert (tmp_path / "livekit-cluster-error.log").read_text() == ""
    assert "SECRET" not in (tmp_path / "livekit-cluster-access.log").read_text()


def test_this_host_is_not_counted(limited):
    port = limited(("rate=2000r/s", "rate=1r/m"), ("burst=4000", "burst=1"))
    assert {ask_bare(port).status_code for _ in range(20)} == {200}


def half_a_post(port):
    c = socket.create_connection(("127.0.0.1", port), timeout=20)
    c.sendall(b"POST /api/v1/rooms HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{")
    return c


def test_how_much_an_address_has_under_way(limited):
    port = limited(("limit_conn tgo_call_addr 4096", "limit_conn tgo_call_addr 2"))
    assert ask_bare(port).status_code == 200
    held = [half_a_post(port) for _ in range(2)]
    wait_until(lambda: ask_bare(port).status_code == 429)
    check_429(ask_bare(port, "/health", **{"X-Language": "fr-FR"}), "fr-FR")
    for c in held:
        c.close()
    wait_until(lambda: ask_bare(port).status_code == 200)


def is_hung_up_on(c):
    try:
        return c.recv(1000) == b""
    except ConnectionResetError:
        return True


def test_who_is_slow_is_hung_up_on(limited, logs):
    """Half a header, half a body: the connection ends after its time, and no worker heard of it."""
    port = limited(("client_header_timeout 10s", "client_header_timeout 1s"),
                   ("client_body_timeout 10s", "client_body_timeout 1s"))
    with socket.create_connection(("127.0.0.1", port), timeout=9) as c:
        c.sendall(b"GET /health HTTP/1.1\r\nHost:")
        assert is_hung_up_on(c)
    begun = logs.text()
    with half_a_post(port) as c:
        c.settimeout(9)
        assert is_hung_up_on(c)
    assert logs.text() == begun


def test_the_configuration_as_printed_with_tls(stack, tmp_path):
    conf = printed(stack, tmp_path, "--listen", "127.0.0.1:1443 ssl http2", nodes="10.0.0.11,10.0.0.12:7890")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=a",
                    "-keyout", "privkey.pem", "-out", "fullchain.pem"],
                   cwd=tmp_path, check=True, capture_output=True)
    site = (tmp_path / "site.conf").read_text()
    assert "server 10.0.0.11:7880 max" in site and "server 10.0.0.12:7890 max" in site
    (tmp_path / "site.conf").write_text(site.replace("/etc/ssl/private/tgo-call", str(tmp_path)))
    tried = subprocess.run(["/usr/sbin/nginx", "-t", "-c", conf], capture_output=True, text=True)
    assert tried.returncode == 0 and "warn" not in tried.stderr, tried.stderr
