"""Started as root, --user makes the programs somebody else for good: before the configuration is read, in the master and
in all of its processes. And who is not root, or names nobody, is told so.

SPDX-License-Identifier: MIT
"""
import grp
import os
import pwd
import signal
import subprocess
from pathlib import Path

import pytest

from support.worker_process import Service, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
USER, GROUP = "nobody", "www-data"


@pytest.fixture
def folder(tmp_path):
    """As the user may use it: its way there, too, is everybody's to go."""
    for part in (tmp_path, *tmp_path.parents):
        if part.stat().st_uid == 0 and not part.stat().st_mode & 0o001:
            part.chmod(part.stat().st_mode | 0o011)
    place = tmp_path / "p"
    place.mkdir()
    os.chown(place, pwd.getpwnam(USER).pw_uid, grp.getgrnam(GROUP).gr_gid)
    return place


@pytest.fixture
def service(folder):
    made = Service(folder, {})
    os.chown(made.env_file, pwd.getpwnam(USER).pw_uid, 0)
    made.env_file.chmod(0o400)
    yield made
    made.clean_up()


def status(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return {line.partition(":")[0]: line.partition(":")[2].split() for line in text.splitlines()}


def is_user(pid, group):
    s = status(pid)
    uid, gid = str(pwd.getpwnam(USER).pw_uid), str(grp.getgrnam(group).gr_gid)
    assert s["Uid"] == [uid] * 4 and s["Gid"] == [gid] * 4
    assert "0" not in s["Groups"]
    assert all(int(s[name][0], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"))
    assert s["NoNewPrivs"] == ["1"]


def test_all_of_it_is_the_user(service):
    service.start("--user", f"{USER}:{GROUP}")
    for pid in (service.pid, *service.full(2)):
        is_user(pid, GROUP)
    for made in (service.sock, service.log):
        about = os.stat(made)
        assert (about.st_uid, about.st_gid) == (pwd.getpwnam(USER).pw_uid, grp.getgrnam(GROUP).gr_gid), made
    # What it opened as that user it can open again: nothing is left to root.
    service.log.rename(service.folder / "old")
    service.signal(signal.SIGUSR1)
    until(service.log.exists)
    before = service.full(2)
    service.signal(signal.SIGHUP)
    until(lambda: not set(before) & set(service.children()))
    for pid in service.full(2):
        is_user(pid, GROUP)
    assert service.get().status == 200
    assert service.stop() == 0


def test_without_a_group_it_is_the_users_own(service):
    service.start("--user=" + USER, "--no-master")
    is_user(service.pid, grp.getgrgid(pwd.getpwnam(USER).pw_gid).gr_name)
    assert service.get().status == 200


def test_its_memory_is_closed_to_the_same_user(service):
    """Another process of that user may not read what this one knows."""
    service.start("--user", f"{USER}:{GROUP}")
    for pid in (service.pid, *service.full(2)):
        for name in ("environ", "mem", "maps", "fd"):
            look = "ls" if name == "fd" else "cat"
            done = subprocess.run([look, f"/proc/{pid}/{name}"], user=USER, group=GROUP, extra_groups=[],
                                  capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
            assert done.returncode != 0 and "Permission denied" in done.stderr, (name, done.stderr)


@pytest.mark.parametrize("who, says", [
    ("no-such-user-here", "no such user"), (f"{USER}:no-such-group-here", "no such group"), ("root", "root again"),
    (":" + GROUP, "no such user"), (USER + ":", "no such user"), ("u" * 200, "no such user"),
])
def test_nobody_of_that_name(service, who, says):
    done = subprocess.run([service.binary, "--listen", f"unix:{service.sock}", "--env-file", service.env_file,
                           "--user", who], capture_output=True, text=True, timeout=20)
    assert done.returncode == 78 and says in done.stderr and len(done.stderr.splitlines()) == 1
    assert not os.path.exists(service.sock)


def test_only_root_can(service, folder):
    binary = folder / "worker"
    binary.write_bytes(Path(service.binary).read_bytes())
    binary.chmod(0o755)
    done = subprocess.run([binary, "--user", "daemon"], capture_output=True, text=True, timeout=20, user=USER, group=GROUP,
                          extra_groups=[], stdin=subprocess.DEVNULL)
    assert done.returncode == 78 and "only root" in done.stderr


def test_a_file_that_is_roots_alone(service):
    """The configuration is read as the user: what only root may read is out of reach, and the start says so."""
    os.chown(service.env_file, 0, 0)
    done = subprocess.run([service.binary, "--listen", f"unix:{service.sock}", "--env-file", service.env_file,
                           "--user", USER], capture_output=True, text=True, timeout=20)
    assert done.returncode == 78 and "Permission denied" in done.stderr


def test_jobs_too(folder, service):
    jobs = Path(service.binary).with_name("tgo-call-jobs")
    process = subprocess.Popen([jobs, "--env-file", service.env_file, "--user", f"{USER}:{GROUP}"], cwd=folder,
                               stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]})
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        until(lambda: len(children.read_text().split()) > 3)
        for pid in (process.pid, *children.read_text().split()):
            is_user(pid, GROUP)
    finally:
        process.terminate()
        assert process.wait(20) == 0
