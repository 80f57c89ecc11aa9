"""packaging/: the image in the Go server's compose project, on a living database of that server.

The image's root is made from the Dockerfile itself (t/support/container.py); the container gets the environment that
compose would give it. SPDX-License-Identifier: MIT
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
import yaml

from support.container import Container, Image, Network, stages
from support.go_database import GoDatabase
from support.stack import ROOT
from support.wait import wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces and chroot need root")
# The server in the compose file that the Go server's deploy script writes: what an override has to fit.
GO_COMPOSE = """
services:
  tgo-rtc-server:
    image: ${DOCKER_IMAGE}
    container_name: tgo-rtc-server
    restart: always
    ports: ["8080:8080"]
    environment:
      - DB_HOST=mysql
      - DB_PORT=3306
      - DB_USER=${DB_USER}
      - DB_PASSWORD=${DB_PASSWORD}
      - DB_NAME=${DB_NAME}
      - REDIS_HOST=redis
      - REDIS_PORT=6379
      - REDIS_PASSWORD=${REDIS_PASSWORD}
      - REDIS_DB=0
      - LIVEKIT_URL=http://nginx:80
      - LIVEKIT_CLIENT_URL=${LIVEKIT_CLIENT_URL:-ws://localhost:80}
      - LIVEKIT_API_KEY=${LIVEKIT_API_KEY}
      - LIVEKIT_API_SECRET=${LIVEKIT_API_SECRET}
      - LIVEKIT_TIMEOUT=${LIVEKIT_TIMEOUT:-10}
      - PARTICIPANT_TIMEOUT_CHECK_INTERVAL=${PARTICIPANT_TIMEOUT_CHECK_INTERVAL:-5}
      - PORT=8080
      - BUSINESS_WEBHOOK_ENDPOINTS=${BUSINESS_WEBHOOK_ENDPOINTS}
    healthcheck: {test: ["CMD", "curl", "-f", "http://localhost:8080/health"]}
"""
OVERRIDE = yaml.safe_load((ROOT / "packaging/compose.override.yml").read_text(encoding="utf-8"))
SERVICE = "tgo-rtc-server"
API = "http://localhost:8080/api/v1"


def interpolated(value, env):
    """${NAME} and ${NAME:-default}, as compose reads them."""
    return re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", lambda m: env.get(m[1]) or m[2] or "", str(value))


def environment(dotenv):
    """What the container's environment is once the override lies beside the Go server's compose file."""
    base = yaml.safe_load(GO_COMPOSE)["services"][SERVICE]["environment"]
    merged = dict(line.split("=", 1) for line in base)
    merged.update(OVERRIDE["services"][SERVICE]["environment"])
    return {name: interpolated(value, dotenv) for name, value in merged.items()}


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """With the programs of this build; in the full tier with those the Dockerfile builds."""
    return Image(tmp_path_factory.mktemp("image"), None if os.environ.get("TGO_FULL") else os.environ["TGO_BIN"])


@pytest.fixture(scope="module")
def go(stack):
    """In UTC: the Go server's container has no TZ."""
    database = GoDatabase(stack, "UTC")
    database.insert_room("old", "ann", time.time() - 600, status=2)
    database.insert_participant("old", "ann", time.time() - 600, status=3)
    yield database
    database.close()


@pytest.fixture(scope="module")
def network(stack, tmp_path_factory):
    folder = tmp_path_factory.mktemp("network")
    made = Network(folder, {"relays": {"3306": stack.env["DB_SOCKET"], "6379": stack.env["REDIS_SOCKET"]},
                            "receiver": {"port": 9000, "file": str(folder / "received")}})
    made.received = folder / "received"
    yield made
    made.close()


@pytest.fixture
def dotenv(stack, go):
    env = stack.env
    return {"DB_USER": env["DB_USER"], "DB_PASSWORD": env["DB_PASSWORD"], "DB_NAME": go.name, "REDIS_PASSWORD": "",
            "LIVEKIT_API_KEY": env["LIVEKIT_API_KEY"], "LIVEKIT_API_SECRET": env["LIVEKIT_API_SECRET"],
            "LIVEKIT_CLIENT_URL": "ws://rtc.example:80", "DOCKER_IMAGE": "theirs", "AUTH_OPEN_NETWORKS": "127.0.0.0/8",
            "BUSINESS_WEBHOOK_ENDPOINTS": '[{"url":"http://127.0.0.1:9000/hook","secret":"s","timeout":10}]'}


@pytest.fixture
def container(image, network, tmp_path):
    made = []

    def make(env):
        # Always in the same layer, like a container that is started again: what one left behind the next one finds.
        made.append(Container(image, network, env, ["mysql", "redis", "nginx"], tmp_path))
        return made[-1]

    yield make
    for one in made:
        one.kill()


def curl(network, *args):
    done = subprocess.run(network.inside("curl", "-sS", "-m", "10", *args), capture_output=True, text=True)
    return done.returncode, done.stdout


def healthy(container, network):
    assert container.process.poll() is None, container.out.read_text() + container.err.read_text()
    return curl(network, "-f", "-o", "/dev/null", "http://localhost:8080/health")[0] == 0


def json_lines(container):
    return [json.loads(line) for line in container.out.read_text(encoding="utf-8").splitlines()]


def test_the_override_replaces_only_the_server():
    assert set(OVERRIDE["services"]) == {SERVICE}
    service = OVERRIDE["services"][SERVICE]
    assert service["container_name"] == SERVICE
    # What the Go server's compose file says of it stays: nothing of the same name but who may call.
    there = {line.split("=")[0] for line in yaml.safe_load(GO_COMPOSE)["services"][SERVICE]["environment"]}
    assert not there & set(service["environment"])
    assert not {"ports", "networks", "depends_on", "healthcheck", "volumes"} & set(service)


def test_the_image_is_one_of_the_packages_named(image):
    steps = [rest for name, rest in stages()[-1] if name == "RUN"]
    assert "PACKAGES_IMAGE" in steps[0] and image.user == "1000:1000"
    assert "http://localhost:${PORT:-8080}/health" in image.health


def test_a_call_through_port_8080(container, network, dotenv, go, image):
    box = container(environment(dotenv)).start()
    wait_until(lambda: healthy(box, network), 30, 0.1, "/health")
    call = json.dumps({"creator": "ann", "uids": ["bob"], "room_id": "boxed", "device_type": "app"})
    rc, text = curl(network, "-f", f"{API}/rooms", "-H", "Content-Type: application/json", "-d", call)
    made = json.loads(text)
    assert rc == 0 and (made["room_id"], made["url"], made["timeout"]) == ("boxed", "ws://rtc.example:80", 10)
    rc, text = curl(network, "-f", f"{API}/rooms/boxed/join", "-d", '{"uid": "bob"}')
    assert rc == 0 and json.loads(text)["my_status"] == 1
    # The database of the Go server was taken over on the way.
    assert go.room("old")["created_at_ms"] > 0 and go.room("boxed")["status"] == 0
    # What is not ours goes on to LiveKit, which is not there.
    for path, status in [("/rtc/validate", "401"), ("/settings", "503")]:
        assert curl(network, "-o", "/dev/null", "-w", "%{http_code}", f"http://localhost:8080{path}")[1] == status
    wait_until(network.received.exists, 15, what="an event at the business backend")
    event = json.loads(network.received.read_text().splitlines()[0])
    assert json.loads(event["body"])["room_id"] == "boxed"

    began = time.monotonic()
    assert box.stop() == 0 and time.monotonic() - began < 25
    lines = json_lines(box)
    assert {"房间创建成功", "LiveKit Token 生成成功", "参与者加入房间成功"} <= {line.get("msg") for line in lines}
    assert any(line.get("uri") == "/api/v1/rooms" and line["status"] == 200 for line in lines)
    assert dotenv["DB_PASSWORD"] not in box.out.read_text() + box.err.read_text()


def test_nobody_may_call_is_said_and_ends_it(container, dotenv):
    del dotenv["AUTH_OPEN_NETWORKS"]
    box = container(environment(dotenv)).start()
    assert box.wait() == 78
    assert "API_KEYS=" in box.out.read_text()


def test_one_that_dies_ends_the_container(container, network, dotenv):
    for name in ("tgo-call-worker", "tgo-call-jobs", "nginx"):
        box = container(environment(dotenv)).start()
        wait_until(lambda: healthy(box, network), 30, 0.1, "/health")
        os.kill(child_named(box, name), signal.SIGKILL)
        assert box.wait() == 128 + signal.SIGKILL, name


def child_named(box, name):
    """The process of that name whose parent is the entry point."""
    children = open(f"/proc/{box.first}/task/{box.first}/children").read().split()
    return next(int(pid) for pid in children if open(f"/proc/{pid}/comm").read().strip() == name[:15])


def test_behind_a_proxy_the_client_counts(container, network, dotenv):
    """And its origin, where pages of somebody else's may call."""
    dotenv.update(TRUSTED_PROXIES="127.0.0.0/8", AUTH_OPEN_NETWORKS="10.0.0.0/8")
    box = container({**environment(dotenv), "CORS_ORIGINS": "https://a.example,https://b.example"}).start()
    wait_until(lambda: healthy(box, network), 30, 0.1, "/health")

    def status(*args):
        return curl(network, "-o", "/dev/null", "-w", "%{http_code}", f"{API}/rooms", *args)[1]

    assert status("-H", "X-Forwarded-For: 10.1.2.3") == "200"
    assert status("-H", "X-Forwarded-For: 10.1.2.3, 192.0.2.1") == status() == "401"
    said = curl(network, "-D", "-", "-X", "TRACE", "http://localhost:8080/api", "-H", "Origin: https://b.example")[1]
    assert "Access-Control-Allow-Origin: https://b.example" in said


# In the network of the container: media nodes on the addresses named, as far as nginx sees them. They say which they are,
# and echo what comes after an upgrade.
MEDIA = """
import socket, sys, threading
def serve(one, address):
    head = b""
    while not head.endswith(b"\\r\\n\\r\\n"):
        if not (byte := one.recv(1)):
            return one.close()
        head += byte
    if b"upgrade: websocket" not in head.lower():
        one.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\n" + address.encode())
        return one.close()
    one.sendall(b"HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n\\r\\n")
    while data := one.recv(1000):
        one.sendall(data)
def listen(address):
    listener = socket.create_server((address, 7880))
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0], address), daemon=True).start()
for address in sys.argv[1:]:
    threading.Thread(target=listen, args=(address,), daemon=True).start()
print("up", flush=True)
sys.stdin.read()
"""
# A WebSocket through the container's nginx: each line that comes in goes to the node and back.
SIGNALLING = """
import socket, sys
s = socket.create_connection(("127.0.0.1", 8080), 10)
s.sendall(b"GET /signalling HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n")
f = s.makefile("rb")
print(f.readline().decode().strip(), flush=True)
while f.readline().strip():
    pass
for line in sys.stdin:
    s.sendall(line.encode())
    print(f.readline().decode().strip() or "closed", flush=True)
"""
# What a name server says stands in /fake/answers, a name and its addresses a line.
GETENT = """#!/bin/sh
echo "$2" >>/run/tgo-call/lookups
[ ! -e /fake/hangs ] || exec sleep 60
awk -v name="$2" '$1 == name { for (i = 2; i <= NF; i++) print $i, "STREAM", name; n++ } END { exit n ? 0 : 2 }' /fake/answers
"""


class Names:
    """The name server of a container that is started with PATH=`path`."""

    def __init__(self, image):
        self.folder, self.path = image.layer / "upper/fake", f"/fake:{image.env['PATH']}"
        self.folder.mkdir()
        (self.folder / "getent").write_text(GETENT)
        (self.folder / "getent").chmod(0o755)
        self.box = None

    def within(self, path):
        """A path of the running container, as seen from here."""
        return pathlib.Path(f"/proc/{self.box.first}/root{path}") if self.box else self.folder.parent / path.lstrip("/")

    def say(self, *addresses):
        self.within("/fake/answers.new").write_text(f"media {' '.join(addresses)}\n" if addresses else "")
        self.within("/fake/answers.new").rename(self.within("/fake/answers"))

    def wait_for_lookups(self, n):
        """Those that begin from now on; the first of them may still have the answer of before."""
        asked = self.within("/run/tgo-call/lookups")
        seen = len(asked.read_text().split())
        wait_until(lambda: len(asked.read_text().split()) >= seen + n, 30, 0.1, f"{n} lookups")


@pytest.fixture
def names(image):
    made = Names(image)
    yield made
    made.box = None
    shutil.rmtree(made.folder)


@pytest.fixture
def inside(network):
    """inside(script, ...) runs Python in the container's network; a line in, a line out."""
    running = []

    def begin(script, *args):
        running.append(subprocess.Popen(network.inside(sys.executable, "-c", script, *args), text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def echo(process, word):
    process.stdin.write(word + "\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


@pytest.mark.full
def test_signalling_outlives_what_names_do(container, network, dotenv, image, names, inside):
    """A node that moves, a name server that fails, answers that rotate: nginx learns the first, and nobody is cut off."""
    A, B, C = "127.0.0.20", "127.0.0.21", "127.0.0.22"
    assert inside(MEDIA, A, B, C).stdout.readline() == "up\n"
    names.say(A)
    box = names.box = container({**environment(dotenv), "PATH": names.path, "LIVEKIT_NODES": "media:7880"}).start()
    wait_until(lambda: healthy(box, network), 30, 0.1, "/health")

    def leads_to():
        return curl(network, "http://localhost:8080/any")[1]

    def nginx_workers():
        pid = child_named(box, "nginx")
        return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()

    assert leads_to() == A
    call = inside(SIGNALLING)
    assert "101" in call.stdout.readline() and echo(call, "before") == "before"
    names.say(B)
    wait_until(lambda: leads_to() == B, 30, 0.1, "the new address")
    until = time.monotonic() + 7
    while time.monotonic() < until:
        assert echo(call, "there?") == "there?"
        time.sleep(0.2)
    workers = nginx_workers()
    for said in ((), (B, A), (A, B)):
        names.say(*said)
        names.wait_for_lookups(2)
        assert (leads_to(), nginx_workers()) == (B, workers), said
    names.say(C, A)
    wait_until(lambda: leads_to() == A, 30, 0.1, "one of several that are all new")
    assert echo(call, "after all of it") == "after all of it"
    # Told to stop while a name server does not answer and somebody is still connected.
    names.within("/fake/hangs").touch()
    names.wait_for_lookups(1)
    began = time.monotonic()
    assert box.stop() == 0 and time.monotonic() - began < 25
    assert echo(call, "now?") == "closed"


def test_commands_of_the_operator(container, dotenv):
    box = container(environment(dotenv)).start("tgo-call", "config")
    assert box.wait() == 0
    assert "ws://rtc.example:80" in box.out.read_text()


def test_what_later_runs_use_again_is_as_it_was(image):
    for lower in image.lower.split(":"):
        assert os.path.isdir(lower) and not os.path.exists(f"{lower}/usr/local/bin/tgo-call-worker")
