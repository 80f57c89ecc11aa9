"""The measuring part of bench/delivery. SPDX-License-Identifier: MIT"""
import hashlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

from support.jobs_process import Jobs
from support.ports import free_port
from support.stack import Stack
from support.wait import wait_until

NGINX = """pid {dir}/nginx.pid;
error_log {dir}/error.log;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
	access_log off; keepalive_requests 100000000; client_body_buffer_size 64k;
	client_body_temp_path {dir}/body; fastcgi_temp_path {dir}/f; proxy_temp_path {dir}/p; uwsgi_temp_path {dir}/u;
	scgi_temp_path {dir}/s;
	server {{ listen 127.0.0.1:{port}; location / {{ return 204; }} }}
}}
"""
ROUNDS = 3
PADDING = "x" * 300               # an event of a call of two is about that large


class Backend:
    def __init__(self, folder, name):
        self.dir, self.port = folder / name, free_port()
        self.dir.mkdir()
        self.url = f"http://127.0.0.1:{self.port}/{name}"
        (self.dir / "conf").write_text(NGINX.format(dir=self.dir, port=self.port))

    @property
    def id(self):
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]

    def start(self):
        subprocess.run(["nginx", "-c", self.dir / "conf"], check=True, stderr=subprocess.DEVNULL)
        wait_until(lambda: socket.create_connection(("127.0.0.1", self.port), 1), 5)

    def stop(self):
        pid_file = self.dir / "nginx.pid"
        if pid_file.exists():
            os.kill(int(pid_file.read_text()), signal.SIGTERM)

    def endpoint(self, **more):
        return {"url": self.url, "secret": "whsec_c2VjcmV0", "timeout": 5, "events": ["*"], **more}


class Silent:
    """Accepts connections, and never says a word."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/silent"

    id, endpoint = Backend.id, Backend.endpoint


class Bench:
    """Processes that deliver to these receivers."""

    def __init__(self, stack, folder, receivers):
        self.stack, self.db, self.receivers = stack, stack.db(), receivers
        endpoints = json.dumps([one.endpoint() for one in receivers])
        self.all = [Jobs(stack, self.folder(folder), BUSINESS_WEBHOOK_ENDPOINTS=endpoints, LOG_LEVEL="error",
                         WEBHOOK_PROBE_MIN_S="1", WEBHOOK_PROBE_MAX_S="5")
                    for _ in range(int(os.environ.get("PROCESSES", 1)))]

    @staticmethod
    def folder(folder):
        return pathlib.Path(tempfile.mkdtemp(dir=folder, prefix="jobs-"))

    def one(self, text, *args):
        with self.db.cursor() as c:
            c.execute(text, args)
            return next(iter((c.fetchone() or {"": None}).values()))

    def start(self):
        """Returns when all receivers are somebody's."""
        for jobs in self.all:
            jobs.spawn()
        names = {f"endpoint:{one.id}" for one in self.receivers}

        def held():
            with self.db.cursor() as c:
                c.execute("SELECT l.name FROM jobs_lease l JOIN jobs_process p ON p.id = l.holder"
                          " JOIN webhook_endpoint w ON l.name = CONCAT('endpoint:', w.id) AND w.state = 'active'")
                return names <= {row["name"] for row in c.fetchall()}
        wait_until(held, 30, what="all receivers' leases")

    def stop(self):
        for jobs in self.all:
            jobs.stop(30)

    def fill(self, n, *receivers):
        """n events in calls of ten, numbered, and queued for these; nothing else may be numbered meanwhile."""
        batch = self.one("SELECT COUNT(*) FROM event")
        first, now = self.one("SELECT COALESCE(MAX(pos), 0) FROM event"), int(time.time() * 1000)
        with self.db.cursor() as c:
            c.execute("START TRANSACTION")
            c.execute("INSERT INTO event (event_id, room_id, seq, type, data, created_at_ms, pos)"
                      f" SELECT CONCAT('{batch:08d}-0000-7000-8000-', LPAD(seq, 12, '0')),"
                      f" CONCAT('room-{batch}-', (seq - 1) DIV 10), (seq - 1) % 10 + 1, 'participant.joined',"
                      f" CONCAT('{{\"seq\":', seq, ',\"padding\":\"{PADDING}\"}}'), {now}, {first} + seq"
                      f" FROM seq_1_to_{n}")
            for one in receivers:
                c.execute("INSERT INTO event_delivery (endpoint_id, pos, event_no, room_id, type, created_at_ms)"
                          f" SELECT '{one.id}', pos, id, room_id, type, {now} FROM event WHERE pos > {first}")
            c.execute("UPDATE jobs_lease SET value = %s WHERE name = 'sequence'", (first + n,))
            c.execute("COMMIT")
        self.stack.redis().publish("tgo:numbered", first + n)

    def delivered(self, receiver):
        return self.one("SELECT COUNT(*) FROM event_delivery WHERE endpoint_id = %s AND state = 2", receiver.id)

    def measure(self, what, receiver, n):
        """From the first to the last of n more; events a second."""
        before = self.delivered(receiver)
        self.fill(n, receiver)
        wait_until(lambda: self.delivered(receiver) > before, 60, interval=0.01)
        began, had = time.monotonic(), self.delivered(receiver)
        wait_until(lambda: self.delivered(receiver) == before + n, 600, interval=0.05)
        rate = (before + n - had) / (time.monotonic() - began)
        print(f"{what}: {n} events, {rate:.0f}/s  ({' '.join(self.cpu())})", flush=True)
        return rate

    def cpu(self):
        for jobs in self.all:
            pid = jobs.tasks().get("deliver")
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            peak = next(line.split()[1] for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
                        if line.startswith("VmHWM"))
            yield f"cpu {(int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK'):.1f} s, {int(peak) // 1024} MiB"


def run(stack, folder, n, waiting):
    healthy, dead, silent, late = Backend(folder, "healthy"), Backend(folder, "dead"), Silent(), Backend(folder, "late")
    alone, beside = Bench(stack, folder, [healthy]), Bench(stack, folder, [healthy, dead, silent])
    healthy.start()
    try:
        beside.start()
        beside.stop()
        beside.fill(waiting, dead, silent)
        rates = {alone: [], beside: []}
        for i in range(ROUNDS + 1):
            one_round(alone, healthy, n, rates, "alone")
            one_round(beside, healthy, n, rates, f"beside two dead ones with {waiting} waiting each")
        # The first of each warms up.
        for what, of in (("median", lambda r: sorted(r)[len(r) // 2]), ("best", max)):
            a, b = (of(rates[one][1:]) for one in (alone, beside))
            print(f"{what}: alone {a:.0f}/s, beside {b:.0f}/s: {b / a:.2f}", flush=True)
        outage(Bench(stack, folder, [late]), late, n)
    finally:
        healthy.stop()
        late.stop()


def one_round(bench, receiver, n, rates, what):
    bench.start()
    down = len(bench.receivers) - 1
    wait_until(lambda: bench.one("SELECT COUNT(*) FROM webhook_endpoint WHERE down_since_ms > 0 AND state = 'active'")
               == down, 60)
    rates[bench].append(bench.measure(what, receiver, n))
    bench.stop()


def outage(bench, late, n):
    bench.start()
    bench.fill(n, late)
    wait_until(lambda: bench.one("SELECT down_since_ms FROM webhook_endpoint WHERE id = %s", late.id) > 0, 60)
    late.start()
    began = time.monotonic()
    wait_until(lambda: bench.delivered(late) == n, 600, interval=0.05)
    print(f"after an outage: {n} events in {time.monotonic() - began:.1f} s from the return on", flush=True)
    bench.stop()


def main():
    n, waiting = [int(a) for a in sys.argv[1:]] + [50000, 100000][len(sys.argv) - 1:]
    with tempfile.TemporaryDirectory(prefix="tgo-bench.") as folder, Stack(nodes=0, jobs=False) as stack:
        run(stack, pathlib.Path(folder), n, waiting)


if __name__ == "__main__":
    main()
