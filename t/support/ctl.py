"""tgo-call, run with a configuration of the test's own. SPDX-License-Identifier: MIT"""
import json
import os
import pathlib
import pty
import select
import subprocess

KEPT = ("ASAN_", "UBSAN_", "LSAN_", "GCOV_")


class Ctl:
    """ctl("rooms", "--limit", 5): exit code, stdout, stderr. Settings go through the environment."""

    def __init__(self, program, folder, **settings):
        self.program, self.folder = str(program), pathlib.Path(folder)
        self.settings = {k: str(v) for k, v in settings.items() if v is not None}

    @classmethod
    def of(cls, stack, folder, **settings):
        """With the settings of a running stack."""
        names = ("DB_SOCKET", "DB_USER", "DB_PASSWORD", "DB_NAME", "REDIS_SOCKET", "LIVEKIT_API_KEY",
                 "LIVEKIT_API_SECRET")
        url = stack.env["TGO_URL"]
        return cls(f"{stack.env['TGO_BIN']}/tgo-call", folder, **{
            **{name: stack.env[name] for name in names}, "LOG_FILE": stack.env["APP_LOG"],
            "LIVEKIT_URL": url, "LIVEKIT_CLIENT_URL": url.replace("http", "ws"), "AUTH_MODE": "open",
            "TICKET_SECRET": stack.ticket_secret, **settings})

    def environment(self, settings):
        base = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        base.update((k, v) for k, v in os.environ.items() if k.startswith(KEPT))
        merged = {**base, **self.settings, **{k: v if v is None else str(v) for k, v in settings.items()}}
        return {k: v for k, v in merged.items() if v is not None}

    def start(self, *args, **settings):
        return subprocess.Popen([self.program, *map(str, args)], env=self.environment(settings),
                                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def __call__(self, *args, **settings):
        process = self.start(*args, **settings)
        out, err = process.communicate(timeout=120)
        assert "Sanitizer" not in err and "runtime error:" not in err, err
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def ok(self, *args, **settings):
        """Its stdout as JSON, where it ended well."""
        done = self(*args, **settings)
        assert done.returncode == 0, f"{args}: {done.returncode}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def messages(self, *args, code=0, **settings):
        """What migrate said, its lines joined."""
        done = self(*args, **settings)
        assert done.returncode == code, f"{args}: {done.returncode}\n{done.stdout}{done.stderr}"
        return "\n".join(json.loads(line)["message"] for line in done.stdout.splitlines())

    def on_a_terminal(self, *args, **settings):
        """Exit code and text as somebody at a terminal sees it."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen([self.program, *map(str, args)], env=self.environment(settings),
                                   cwd=self.folder, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        text = b""
        while True:
            ready, _, _ = select.select([ours], [], [], 60)
            assert ready, "nothing more comes"
            try:
                piece = os.read(ours, 65536)
            except OSError:
                break
            if not piece:
                break
            text += piece
        os.close(ours)
        return process.wait(60), text.decode().replace("\r\n", "\n")
