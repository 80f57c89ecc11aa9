"""packaging/Dockerfile without a container engine: its stages are carried out, instruction by instruction, on a bare
Debian made by mmdebstrap, in chroot; what it makes is run in namespaces of its own, as an engine would. Needs root.

What the image installs is kept in the cache of the tests; each run gets a layer of its own above it (overlayfs).
SPDX-License-Identifier: MIT
"""
import fcntl
import fnmatch
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess

from support.stack import ROOT
from support.wait import wait_until

DOCKERFILE = ROOT / "packaging/Dockerfile"
CACHE = pathlib.Path(os.environ.get("TGO_CACHE") or pathlib.Path.home() / ".cache/tgo-call-server")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# In a mount namespace: the layers as one root, with the kernel's own folders; then the command, with that root in $M.
MOUNTED = """
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
M=$2/root
mount -t proc proc "$M/proc"
mount --rbind /dev "$M/dev"
shift 2
"""


def instructions(path=DOCKERFILE):
    """(stage, NAME, rest) of each instruction; stages are counted from 0."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.M)
    stage = -1
    for line in re.sub(r"\\\n", " ", text).splitlines():
        name, _, rest = line.strip().partition(" ")
        if name == "FROM":
            stage += 1
        if name:
            yield stage, name, rest.strip()


def stages(path=DOCKERFILE):
    """Of each stage its instructions."""
    found = list(instructions(path))
    return [[(name, rest) for at, name, rest in found if at == stage] for stage in range(found[-1][0] + 1)]


def context():
    """The files an engine would be sent: those of the source that .dockerignore lets through."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True, check=True,
                            stdout=subprocess.PIPE).stdout.splitlines()
    rules = [line for line in DOCKERFILE.with_name("Dockerfile.dockerignore").read_text().splitlines()
             if line and not line.startswith("#")]
    return [name for name in listed if (ROOT / name).exists() and not any(fnmatch.fnmatch(part, rule) for rule in rules
            for part in (name, name.split("/")[0]))]


def run(argv, **more):
    done = subprocess.run([str(a) for a in argv], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=1500, **more)
    assert done.returncode == 0, f"{argv}: {done.returncode}\n{done.stdout[-4000:]}"
    return done.stdout


def make_base(folder):
    """What debian:bookworm-slim is, and how this machine reaches Debian's packages and names."""
    settings = run(["apt-config", "dump"])
    kept = [line for line in settings.splitlines() if re.match(r"Acquire::(http|https|Check|Retries|ForceIPv)", line)]
    conf = folder / "apt.conf"
    conf.write_text("\n".join(kept) + "\n")
    sources = pathlib.Path("/etc/apt/sources.list.d/debian.sources")
    root = folder / "base"
    run(["mmdebstrap", "--quiet", "--variant=minbase", f"--aptopt={conf}", "bookworm", root,
         sources if sources.exists() else "/etc/apt/sources.list"])
    for name in ("resolv.conf", "hosts"):
        shutil.copy(f"/etc/{name}", root / "etc" / name)
    shutil.copy(conf, root / "etc/apt/apt.conf.d/99host")
    return root


def layer_at(folder):
    folder = pathlib.Path(folder)
    for name in ("upper", "work", "root", "out"):
        (folder / name).mkdir(parents=True)
    return folder


class Image:
    """The image's root: `lower` is kept, `layer` is this run's own. build: the folder whose programs it gets; None:
    they are built as the Dockerfile says, which takes its time."""

    def __init__(self, folder, build=None):
        self.layer, self.build, self.workdir = layer_at(folder), build, "/"
        steps = stages()[-1]
        first = next(i for i, (name, rest) in enumerate(steps) if name == "RUN")
        self.env, self.user, self.entry, self.health = {"PATH": PATH}, "0:0", None, None
        self.lower = self._packages(steps[:first + 1])
        for name, rest in steps[first + 1:]:
            self._step(name, rest)

    def _packages(self, steps):
        """The stage as far as its first RUN, from the cache."""
        key = hashlib.sha256(repr(steps).encode() + (ROOT / "scripts/lib/packages.sh").read_bytes()).hexdigest()
        folder = CACHE / f"image-{key[:12]}"
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "ready").exists():
                for name in ("base", "made"):
                    shutil.rmtree(folder / name, ignore_errors=True)
                base, made = make_base(folder), layer_at(folder / "made")
                for name, rest in steps:
                    self._step(name, rest, base, made)
                (folder / "ready").touch()
        self.base = folder / "base"
        return f"{folder}/made/upper:{self.base}"

    def _built(self):
        """What the stage `build` leaves in /out."""
        if self.build is not None:
            run(["make", "-C", self.build, "install", f"DESTDIR={self.layer / 'out'}"])
            return self.layer / "out"
        layer = layer_at(self.layer / "build")
        for name, rest in stages()[0]:
            self._step(name, rest, self.base, layer)
        self.workdir = "/"
        return layer / "upper/out"

    def _inside(self, script, *args, lower=None, layer=None):
        run(["unshare", "--mount", "bash", "-euc", MOUNTED + script, "image", lower or self.lower,
             layer or self.layer, *args])

    def _step(self, name, rest, lower=None, layer=None):
        if name == "RUN":
            self._inside(f'exec chroot "$M" env -i PATH={PATH} DEBIAN_FRONTEND=noninteractive sh -ec "$1"',
                         f"cd {self.workdir}; {rest}", lower=lower, layer=layer)
        elif name == "COPY":
            self._copy(rest.split(), lower, layer)
        elif name == "WORKDIR":
            self.workdir = rest
        elif name == "USER":
            self.user = self.numbers(rest)
        elif name == "ENV":
            self.env.update(one.split("=", 1) for one in shlex.split(rest))
        elif name == "ENTRYPOINT":
            self.entry = json.loads(rest)
        elif name == "HEALTHCHECK":
            self.health = rest.partition(" CMD ")[2]
        else:
            assert name in ("FROM", "EXPOSE"), name

    def _copy(self, args, lower, layer):
        copied, folder = 'mkdir -p "$M$(dirname "$1")"; cp -a --no-preserve=ownership -T "$2" "$M$1"', args[-1]
        if args[0] == "--from=build":
            self._inside(copied, folder, self._built(), lower=lower, layer=layer)
        elif args[0] == ".":
            self._inside('mkdir -p "$M$1"; root=$2 M=$M/$1; shift 2; cd "$root"; printf "%s\\0" "$@" |'
                         ' tar -c --null -T - | tar -x --no-same-owner -C "$M"', folder, ROOT, *context(),
                         lower=lower, layer=layer)
        else:
            self._inside(copied, folder, ROOT / args[0], lower=lower, layer=layer)

    def numbers(self, name):
        text = (self.layer / "upper/etc/passwd").read_text()
        row = next(line.split(":") for line in text.splitlines() if line.startswith(name + ":"))
        return f"{row[2]}:{row[3]}"


class Network:
    """A network namespace with nothing but a loopback, and in it what t/support/relay.py serves."""

    def __init__(self, folder, settings):
        self.out = folder / "relay.out"
        self.process = subprocess.Popen(["unshare", "--net", "python3", str(ROOT / "t/support/relay.py"),
                                         json.dumps(settings)], stdout=self.out.open("wb"), stdin=subprocess.DEVNULL)
        wait_until(lambda: b"ready" in self.out.read_bytes(), 20, what="the relay")

    def inside(self, *argv):
        return ["nsenter", f"--net=/proc/{self.process.pid}/ns/net", *map(str, argv)]

    def close(self):
        self.process.kill()
        self.process.wait(10)


class Container:
    """One process tree in the image's root; output as an engine gets it, through pipes."""

    def __init__(self, image, network, env, hosts, folder):
        self.image, self.network, self.folder = image, network, folder
        self.out, self.err = folder / "stdout", folder / "stderr"
        self.env = {**image.env, "HOSTNAME": "container", **env}
        self.hosts = "127.0.0.1 localhost " + " ".join(hosts)
        self.process = None

    def argv(self, entry, user):
        env = [f"{name}={value}" for name, value in self.env.items()]
        uid, gid = user.split(":")
        # `exec`: the entry point is process 1 of its namespace.
        script = MOUNTED + f"""
            echo {shlex.quote(self.hosts)} >"$M/etc/hosts"
            exec chroot "$M" setpriv --reuid={uid} --regid={gid} --clear-groups --no-new-privs "$@"
        """
        return self.network.inside("unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-euc", script,
                                   "container", self.image.lower, self.image.layer, "env", "-i", *env, *entry)

    def start(self, *args):
        pipes = [os.pipe() for _ in range(2)]
        for _, end in pipes:
            # Engines give the container's user its own output.
            os.fchown(end, *map(int, self.image.user.split(":")))
        argv = self.argv([*self.image.entry, *args], self.image.user)
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=pipes[0][1], stderr=pipes[1][1],
                                        start_new_session=True)
        self.readers = []
        for (end, other), path in zip(pipes, (self.out, self.err)):
            os.close(other)
            self.readers.append(subprocess.Popen(["cat"], stdin=end, stdout=path.open("wb")))
            os.close(end)
        return self

    @property
    def first(self):
        """Process 1 of the namespace, as seen from here."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def signal(self, signo):
        os.kill(self.first, signo)

    def wait(self, timeout=40):
        rc = self.process.wait(timeout)
        for reader in self.readers:
            reader.wait(10)
        return rc

    def stop(self):
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.wait()
