"""A disk of a test's own that can be filled. SPDX-License-Identifier: MIT"""
import contextlib
import os
import subprocess


@contextlib.contextmanager
def disk(folder, megabytes):
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder):
    """A file that takes all that is free, while the database takes of it, too."""
    ballast, size, step = folder / "ballast", 0, 1 << 20
    with ballast.open("wb") as f:
        while step >= 4096:
            try:
                os.posix_fallocate(f.fileno(), size, step)
                size += step
            except OSError:
                step //= 2
    return ballast
