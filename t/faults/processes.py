"""Masters and their children, for tests that kill them. SPDX-License-Identifier: MIT"""
import pathlib
import subprocess

from support.part import Part
from support.stack import process_runs
from support.wait import wait_until

WORKERS = 8                   # of a stack, unless it is told otherwise


def children_of(pid):
    """Asked of the kernel at once: searching /proc takes long beside 16 busy clients."""
    pids = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in pids if process_runs(int(one))]


def alive(stack, part):
    return children_of(stack.pid(part))


def whole(stack, part, n):
    return wait_until(lambda: len(alive(stack, part)) == n and alive(stack, part), 30, what=f"{n} processes of {part}")


def worker_part(stack):
    """With the command that scripts/run starts it by: it has become the worker since."""
    part = Part(stack, "worker")
    part.argv = ["spawn-fcgi", "-n", "-s", str(stack.var / "run" / "fcgi.sock"), "-M", "0660", "-F", "1", "--",
                 *part.argv]
    return part


def revive(part):
    """As a supervisor does, as soon as the old processes have let go of the socket."""
    def started():
        part.start()
        return not wait_ended(part.child)

    wait_until(started, 20, what=f"{part.name} started again")


def wait_ended(child):
    try:
        return child.wait(0.3) is not None
    except subprocess.TimeoutExpired:
        return False
