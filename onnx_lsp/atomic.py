"""Writes a file completely or not at all."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

PREFIX = ".onnx-lint-"
SURELY_OVER = 60  # seconds after which a temporary file of a process that is gone is nobody's


def write(path: str, chunks: Iterable[bytes]) -> None:
    """Replaces the file `path` by `chunks`: a temporary file beside it, synced, then renamed over it.

    A link is followed, and the file's mode is kept. Where the system has files without names, the temporary file gets
    one only for the moment before it is renamed. What a process that was killed left behind, `sweep` removes.

    Raises:
        OSError: it cannot be written; the original is untouched.
    """
    target = os.path.realpath(path)
    temporary = os.path.join(os.path.dirname(target), f"{PREFIX}{os.getpid()}-{os.urandom(8).hex()}")
    permissions = mode(target)
    handle = _nameless(os.path.dirname(target))
    named = handle is None
    if handle is None:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(handle)
            if not named:
                os.fchmod(handle, permissions)
                os.link(f"/proc/self/fd/{handle}", temporary, src_dir_fd=handle)  # with a dir_fd, links are followed
                named = True
            else:
                os.chmod(temporary, permissions)
        os.replace(temporary, target)
    except BaseException:
        if named:
            os.unlink(temporary)
        raise


def keep(path: str) -> None:
    """Keeps a file that is about to be replaced, as `NAME.bak` beside it: the file itself, where the system can link.

    Raises:
        OSError: it cannot be kept.
    """
    target = os.path.realpath(path)
    temporary = os.path.join(os.path.dirname(target), f"{PREFIX}{os.getpid()}-{os.urandom(8).hex()}")
    try:
        os.link(target, temporary)
    except OSError:  # a file system without links
        import shutil

        shutil.copy2(target, temporary)
    os.replace(temporary, f"{target}.bak")


def sweep(folder: str) -> None:
    """Removes the temporary files that killed processes left in a folder."""
    try:
        names = [name for name in os.listdir(folder or ".") if name.startswith(PREFIX)]
    except OSError:
        return
    for name in names:
        path = os.path.join(folder, name)
        pid = name.removeprefix(PREFIX).partition("-")[0]
        try:
            if pid.isdigit() and not _runs(int(pid)) and time.time() - os.stat(path).st_mtime > SURELY_OVER:
                os.unlink(path)
        except OSError:
            continue


def _runs(pid: int) -> bool:
    if not hasattr(os, "fork"):
        return True  # Windows: asking would end the process
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _nameless(folder: str) -> int | None:
    """A file without a name in the folder; None where the system, or this file system, has none."""
    if not hasattr(os, "O_TMPFILE") or not os.path.exists("/proc/self/fd"):
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o600)
    except OSError:
        return None


def mode(target: str) -> int:
    """The permissions of a file, or those that it would have if it were made now."""
    try:
        return os.stat(target).st_mode & 0o7777
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask
