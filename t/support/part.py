"""A process of a stack that a test kills, freezes and starts again by itself, exactly as scripts/run had started it.

SPDX-License-Identifier: MIT
"""
import os
import pathlib
import signal
import subprocess

from support.stack import process_runs
from support.wait import wait_until


class Part:
    def __init__(self, stack, name):
        self.stack, self.name = stack, name
        proc = pathlib.Path(f"/proc/{self.pid}")
        self.argv = proc.joinpath("cmdline").read_text().rstrip("\0").split("\0")
        self.cwd = os.readlink(proc / "cwd")
        pairs = (one.partition("=") for one in proc.joinpath("environ").read_text().split("\0"))
        self.environ = {name: value for name, _, value in pairs if name}
        self.child = None

    @property
    def pid(self):
        return self.stack.pid(self.name)

    def kill(self, sig=signal.SIGKILL):
        pid = self.pid
        os.kill(pid, sig)
        wait_until(lambda: not process_runs(pid), 30, what=f"the end of {self.name}")
        if self.child is not None:
            self.child.wait()

    def freeze(self):
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.pid, signal.SIGCONT)

    def start(self):
        """Does not wait until it answers. scripts/stop finds it as if scripts/run had started it."""
        with open(self.stack.var / "log" / f"{self.name}.log", "ab") as log:
            self.child = subprocess.Popen(self.argv, cwd=self.cwd, env=self.environ, stdin=subprocess.DEVNULL,
                                          stdout=log, stderr=log, start_new_session=True)
        stat = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text()
        began = stat.rpartition(")")[2].split()[19]
        (self.stack.var / "run" / f"{self.name}.pid").write_text(f"{self.child.pid} {began}\n")
