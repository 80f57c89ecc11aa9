"""The programs as files and as processes: what the compiler and linker were told is in them, no page can be written and
run, and all of it works under the filter of system calls that the units set.

SPDX-License-Identifier: MIT
"""
import ctypes
import os
import pathlib
import re
import shutil
import struct
import subprocess

import pytest

from support.client import Api
from support.direct import Direct
from support.stack import ROOT
from support.worker_process import children_of, until

PROGRAMS = ["tgo-call-worker", "tgo-call-jobs", "tgo-call"]
X86 = os.uname().machine == "x86_64"


@pytest.fixture(params=PROGRAMS)
def program(request):
    return pathlib.Path(os.environ["BIN"]) / request.param


def readelf(program, *options):
    return subprocess.run(["readelf", "-W", *options, program], check=True, capture_output=True, text=True).stdout


def is_sanitized(program):
    return "libasan" in readelf(program, "-d") or "__asan_init" in readelf(program, "--dyn-syms")


# ---- the files ----

def test_position_independent(program):
    assert re.search(r"Type:\s+DYN", readelf(program, "-h"))
    assert re.search(r"\(FLAGS_1\).*\bPIE\b", readelf(program, "-d"))


def test_relocations_are_read_only(program):
    """Full RELRO: the segment, and everything bound at the start."""
    assert "GNU_RELRO" in readelf(program, "-l")
    dynamic = readelf(program, "-d")
    assert "BIND_NOW" in dynamic and re.search(r"\(FLAGS_1\).*\bNOW\b", dynamic)


def test_no_segment_can_be_written_and_run(program):
    segments = re.findall(r"^\s+(\w+)\s+0x\S+ 0x\S+ 0x\S+ 0x\S+ 0x\S+ ([R ][W ][E ])", readelf(program, "-l"), re.M)
    assert len(segments) > 5 and dict(segments)["GNU_STACK"] == "RW "
    assert all("W" not in flags or "E" not in flags for _, flags in segments)
    assert "TEXTREL" not in readelf(program, "-d")


def test_no_path_of_the_builder(program):
    """Libraries come from where the system keeps them."""
    assert not re.search(r"RPATH|RUNPATH", readelf(program, "-d"))


def test_guarded(program):
    """Stack protector and checked string functions."""
    if is_sanitized(program):
        pytest.skip("the sanitizers take their place")
    symbols = readelf(program, "--dyn-syms")
    assert "__stack_chk_fail" in symbols
    assert len(set(re.findall(r"__\w+_chk\b", symbols)) - {"__stack_chk_fail"}) >= 3


@pytest.mark.skipif(not X86, reason="an instruction of x86")
def test_indirect_jumps_land_where_they_may(program):
    """Each function that can be jumped to begins with endbr64 (CET)."""
    symbols = re.findall(r"([0-9a-f]{16})\s+\d+ FUNC\s+GLOBAL DEFAULT\s+\d+ (main|api_serve\w*|jobs_run|cli_main)$",
                         readelf(program, "-s"), re.M)
    if not symbols:
        pytest.skip("stripped")
    loads = [tuple(int(x, 16) for x in found) for found in re.findall(
        r"LOAD\s+(0x\S+) (0x\S+) 0x\S+ (0x\S+) 0x\S+", readelf(program, "-l"))]
    content = program.read_bytes()
    for address, name in symbols:
        at = next(int(address, 16) - where + offset for offset, where, size in loads
                  if where <= int(address, 16) < where + size)
        assert content[at:at + 4] == b"\xf3\x0f\x1e\xfa", name


def test_nothing_is_set_user_id(program):
    assert program.stat().st_mode & 0o6000 == 0


# ---- the processes ----

@pytest.fixture(scope="module")
def running(make_stack):
    return make_stack(jobs=True, WORKERS="2")


def processes(stack):
    for part in ("worker", "route", "jobs"):
        master = stack.pid(part)
        yield from (master, *children_of(master))


def test_no_page_can_be_written_and_run(running):
    pids = list(processes(running))
    assert len(pids) > 8
    for pid in pids:
        maps = pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines()
        assert maps and [line for line in maps if re.search(r" .w.?x", line.replace(" rw-p", " ")) or " rwx" in line] == []


def test_no_core_and_no_new_rights(running):
    for pid in processes(running):
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"Max core file size\s+0\s+0", limits)
        assert "NoNewPrivs:\t1" in pathlib.Path(f"/proc/{pid}/status").read_text()
        # Not dumpable: what is in /proc of it is root's.
        assert os.stat(f"/proc/{pid}/environ").st_uid == 0


# ---- the units' filter ----

def calls_of(name, seen=None):
    """The calls of a set of systemd's, sets within it resolved."""
    done = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", name], check=True, capture_output=True, text=True)
    found = set()
    for line in done.stdout.splitlines()[1:]:
        word = line.split("#")[0].strip()
        if word.startswith("@"):
            found |= calls_of(word)
        elif word:
            found.add(word)
    return found


def allowed_by(unit):
    allowed = set()
    for value in re.findall(r"^SystemCallFilter=(.*)$", unit.read_text(), re.M):
        names = value.removeprefix("~").split()
        calls = set().union(*(calls_of(n) if n.startswith("@") else {n} for n in names))
        allowed = allowed - calls if value.startswith("~") else allowed | calls
    # What systemd always lets pass.
    return allowed | calls_of("@default")


def numbers():
    text = subprocess.run(["cc", "-E", "-dM", "-include", "sys/syscall.h", "-x", "c", "/dev/null"], check=True,
                          capture_output=True, text=True).stdout
    return {name: int(n) for name, n in re.findall(r"#define __NR_(\w+) (\d+)", text)}


def bpf(allowed):
    """A seccomp program: another architecture and every other call get EPERM, as SystemCallErrorNumber= says."""
    known = numbers()
    wanted = sorted(known[name] for name in allowed if name in known)
    load, equal, give = 0x20, 0x15, 0x06
    code = [(load, 0, 0, 4), (equal, 1, 0, 0xC000003E), (give, 0, 0, 0x00050001), (load, 0, 0, 0)]
    for n in wanted:
        code += [(equal, 0, 1, n), (give, 0, 0, 0x7FFF0000)]
    code.append((give, 0, 0, 0x00050001))
    return b"".join(struct.pack("HBBI", *one) for one in code), len(code)


def filtered(unit):
    """A preexec_fn that puts the unit's filter on what is started."""
    program, n = bpf(allowed_by(unit))
    libc = ctypes.CDLL(None, use_errno=True)
    code = ctypes.create_string_buffer(program, len(program))
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxP", n, ctypes.addressof(code)), 16)

    def apply(_keep=code):                       # what `head` points at lives as long as this function
        if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, ctypes.byref(head), 0, 0) != 0:
            os._exit(99)

    return apply


needs_tables = pytest.mark.skipif(shutil.which("systemd-analyze") is None or not X86, reason="no systemd-analyze, or not x86")


@needs_tables
def test_the_filter_filters():
    """Of this test itself: what the units forbid is forbidden, what they allow is not."""
    allowed = allowed_by(ROOT / "systemd/tgo-call.service")
    assert {"read", "epoll_wait", "accept4", "execve"} <= allowed
    assert not {"ptrace", "mount", "bpf", "kexec_load", "reboot", "init_module", "chown", "setuid"} & allowed
    done = subprocess.run(["mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True,
                          preexec_fn=filtered(ROOT / "systemd/tgo-call.service"))
    assert done.returncode != 0


@needs_tables
@pytest.mark.parametrize("unit", ["tgo-call.service", "tgo-call-socket.service", "tgo-call-route.service"])
def test_a_worker_works_under_the_filter(running, tmp_path, monkeypatch, unit):
    start = subprocess.Popen
    filter_on = filtered(ROOT / "systemd" / unit)
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: start(*a, preexec_fn=filter_on, **k))
    at = Direct(tmp_path, running)
    if "route" in unit:
        at.service.spawn([at.service.binary, "--listen", f"unix:{at.service.sock}", "--env-file",
                          str(at.service.env_file), "--only", "route"])
        until(lambda: os.path.exists(at.service.sock) and at.service.children())
        assert at.service.get("/_route/join?access_token=x").status == 401
    else:
        at.start()
        use_it(at, running)
    monkeypatch.undo()
    try:
        for pid in (at.service.pid, *at.service.children()):
            assert "Seccomp:\t2" in pathlib.Path(f"/proc/{pid}/status").read_text()
        at.service.signal(1)
        until(lambda: any("reload" in line["event"] or line["event"] == "renewed" for line in at.service.lines())
              or at.service.get("/health").status in (200, 404))
        assert [line for line in at.service.lines() if line["level"] == "error"] == []
        assert at.service.stop() == 0
    finally:
        at.service.clean_up()


def use_it(at, stack):
    key = stack.env["TGO_KEY"]
    made = at.post("/rooms", {"creator": "sec-a", "uids": ["sec-b"]}, key=key)
    assert made.status_code == 200, made.text
    room = made.json()["room_id"]
    for path in (f"/rooms/{room}/join", f"/rooms/{room}/leave"):
        assert at.post(path, {"uid": "sec-b"}, key=key).status_code == 200
    assert at.get("/readyz").status_code in (200, 503)
    assert at.get(f"/rooms/{room}", key=key).status_code == 200


@needs_tables
def test_jobs_work_under_the_filter(running, tmp_path):
    """Every task begins its work; what ran out is ended by them."""
    settings = {k: running.env[k] for k in ("DB_SOCKET", "DB_USER", "DB_PASSWORD", "DB_NAME", "REDIS_SOCKET",
                                            "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")}
    settings |= {"LIVEKIT_URL": running.url, "API_KEYS": "x:" + "0" * 64, "LOG_FILE": tmp_path / "log"}
    (tmp_path / "env").write_text("".join(f"{k}={v}\n" for k, v in settings.items()))
    running.stop("jobs")
    process = subprocess.Popen([f"{os.environ['BIN']}/tgo-call-jobs", "--env-file", tmp_path / "env"], cwd=tmp_path,
                               preexec_fn=filtered(ROOT / "systemd/tgo-call-jobs.service"),
                               env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL)
    try:
        api = Api(running)
        room = api.post("/rooms", {"creator": "sec-c", "uids": ["sec-d"], "timeout": 5}).json()["room_id"]
        until(lambda: api.get(f"/rooms/{room}").json()["status"] > 1, 30, 0.2)
        for pid in (process.pid, *children_of(process.pid)):
            assert "Seccomp:\t2" in pathlib.Path(f"/proc/{pid}/status").read_text()
    finally:
        process.terminate()
        assert process.wait(20) == 0
        running.start()
