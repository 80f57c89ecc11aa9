"""What the benches measure on: a stack, the programs that ask it, and what it cost. SPDX-License-Identifier: MIT"""
import json
import os
import pathlib
import resource
import secrets
import shutil
import signal
import statistics
import subprocess
import tempfile

import pymysql

from support.ports import free_port
from support.stack import Stack
from support.wait import wait_until
from support.worker_process import children_of

CONNECTIONS = int(os.environ.get("CONNECTIONS", 32))
LOOP_CONNECTIONS = int(os.environ.get("LOOP_CONNECTIONS", 8))
WORKERS = int(os.environ.get("WORKERS", 16))
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def bench_stack(log_level="info", **more):
    """Not started yet. Rate limits count callers, and here all of them are one."""
    return Stack(nodes=0, WORKERS=str(WORKERS), LOG_LEVEL=os.environ.get("LOG_LEVEL", log_level), RATE_LIMITS="off", **more)


def cpu_s(pids):
    """What these processes have used of the processors."""
    used = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        used += int(fields[11]) + int(fields[12])
    return used * TICK_S


class Stage:
    def __init__(self, stack):
        self.stack = stack
        self.bin = pathlib.Path(stack.env["TGO_BIN"]) / "bench"
        self.env = {**os.environ, **stack.env}
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=stack.var, prefix="bench-"))
        self.root = pymysql.connect(unix_socket=stack.env["DB_SOCKET"], user="root", autocommit=True)

    def close(self):
        self.root.close()

    def ask(self, text):
        with self.root.cursor() as c:
            c.execute(text)
            return c.fetchall()

    def processes(self):
        """{what: pids}; those of nginx and the worker with their children."""
        pids = {what: self.stack.pid(part) for what, part in
                (("worker", "worker"), ("nginx", "nginx"), ("database", "mariadb"), ("redis", "redis"))}
        return {what: [pid, *children_of(pid)] for what, pid in pids.items()}

    def questions(self):
        """Statements the server has carried out; this one counts, too."""
        return int(self.ask("SHOW GLOBAL STATUS LIKE 'Questions'")[0][1])

    def run(self, *args):
        """A program's line of JSON."""
        done = subprocess.run([str(a) for a in args], env=self.env, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise SystemExit(f"{args}: its figure would mean nothing\n{done.stderr[-2000:]}{done.stdout[-500:]}")
        return json.loads(done.stdout)

    def load(self, op, prefix, *more, port=None, connections=CONNECTIONS):
        return self.run(self.bin / "load", "-a", port or self.stack.port, "-c", connections, "-p", prefix, *more, op)

    def loop(self, tape, op, prefix, *more):
        return self.run(self.bin / "loop", "-c", LOOP_CONNECTIONS, "-p", prefix, *more, tape, op)

    def costed(self, op, prefix, *more):
        """load(), with what one op cost: CPU in us by process, statements."""
        groups = self.processes()
        before = {what: cpu_s(pids) for what, pids in groups.items()}
        asked, own = self.questions(), resource.getrusage(resource.RUSAGE_CHILDREN)
        out = self.load(op, prefix, *more)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        out["statements"] = (self.questions() - asked - 1) / out["ops"]
        out["cpu_us"] = {what: (cpu_s(pids) - before[what]) * 1e6 / out["ops"] for what, pids in groups.items()}
        out["cpu_us"]["client"] = (after.ru_utime + after.ru_stime - own.ru_utime - own.ru_stime) * 1e6 / out["ops"]
        return out

    def pool(self, n):
        """So many calls with somebody in them, for what only reads; their prefix."""
        prefix = "pool-" + secrets.token_hex(4)
        for op in ("create", "join"):
            self.load(op, prefix, "-s", 3600, "-m", n)
        return prefix


BARE = """{user}
pid {dir}/nginx.pid;
error_log {dir}/error.log;
worker_processes auto;
events {{ worker_connections 1024; }}
http {{
	access_log off;
	client_body_temp_path {dir}/body; fastcgi_temp_path {dir}/fcgi; proxy_temp_path {dir}/proxy;
	uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
	server {{
		listen 127.0.0.1:{port};
		location / {{ include /etc/nginx/fastcgi_params; fastcgi_pass unix:{socket}; }}
	}}
}}
"""


class Echo:
    """The bare FastCGI program, as many processes as there are workers, behind two nginx: a bare one (.port), and one
    with the product's own configuration (.port_ours), which tells how much of a difference is nginx's."""

    def __init__(self, stage):
        self.stage, self.dir = stage, stage.folder / "echo"
        self.socket, self.port, self.port_ours = self.dir / "sock", free_port(), free_port()
        self.pids = []

    def __enter__(self):
        try:
            return self.begin()
        except BaseException:
            self.__exit__()
            raise

    def begin(self):
        self.dir.mkdir()
        subprocess.run(["spawn-fcgi", "-s", self.socket, "-M", "0666", "-F", str(WORKERS), "-P", self.dir / "pids", "--",
                        self.stage.bin / "echo"], check=True, stdout=subprocess.DEVNULL)
        self.pids = [int(pid) for pid in (self.dir / "pids").read_text().split()]
        self.bare()
        self.ours()
        for port in (self.port, self.port_ours):
            wait_until(lambda: self.answers(port), 10, what=f"nginx on {port}")
        return self

    def answers(self, port):
        done = subprocess.run([str(self.stage.bin / "load"), "-a", str(port), "-c", "1", "-m", "1", "health"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return done.returncode == 0

    def bare(self):
        found = (self.stage.stack.var / "nginx/nginx.conf").read_text().splitlines()
        user = next((line for line in found if line.startswith("user ")), "")
        (self.dir / "bare").mkdir()
        text = BARE.format(user=user, dir=self.dir / "bare", port=self.port, socket=self.socket)
        (self.dir / "bare/nginx.conf").write_text(text)
        self.start(self.dir / "bare")

    def ours(self):
        var, to = self.stage.stack.var, self.dir / "ours"
        shutil.copytree(var / "nginx", to)
        for name in ("log", "nginx-tmp"):
            (to / name).mkdir()
        for path in to.rglob("*.conf"):
            text = path.read_text().replace(f"{var}/run/fcgi.sock", str(self.socket)).replace("daemon off;", "")
            text = text.replace(f"127.0.0.1:{self.stage.stack.port}", f"127.0.0.1:{self.port_ours}")
            text = text.replace(f"{var}/run/nginx.self", f"{to}/nginx.pid")
            path.write_text(text.replace(f"{var}/log", f"{to}/log").replace(f"{var}/nginx-tmp", f"{to}/nginx-tmp"))
        self.start(to)

    @staticmethod
    def start(folder):
        subprocess.run(["nginx", "-p", folder, "-c", folder / "nginx.conf"], check=True, stderr=subprocess.DEVNULL)

    def __exit__(self, *_):
        for file in self.dir.glob("*/nginx.pid"):
            self.pids.append(int(file.read_text()))
        for pid in self.pids:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass


def median(found, *keys):
    """Of what stands under these keys in each of them."""
    values = []
    for one in found:
        for key in keys:
            one = one[key]
        values.append(one)
    return statistics.median(values)


def machine():
    names = [line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    return {"cores": os.cpu_count(), "processor": names[0] if names else "", "load_before": os.getloadavg()[0]}


def say_machine(found):
    print(f"{found['cores']} cores ({found['processor']}), {WORKERS} workers, {CONNECTIONS} connections; load average before: "
          f"{found['load_before']:.1f}{' - NOT QUIET' if found['load_before'] > 0.5 else ''}", flush=True)


def keep(kind, figures):
    """For bench/rows: OUT names the file."""
    if os.environ.get("OUT"):
        pathlib.Path(os.environ["OUT"]).write_text(json.dumps({"kind": kind, **figures}, indent=1) + "\n")
