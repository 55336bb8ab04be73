"""Writes a file completely or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable


def write(path: str, chunks: Iterable[bytes]) -> None:
    """Replaces the file `path` by `chunks`: a temporary file beside it, synced, then renamed over it.

    A link is followed, and the file's mode is kept.

    Raises:
        OSError: it cannot be written; the original is untouched.
    """
    target = os.path.realpath(path)
    handle, temporary = tempfile.mkstemp(prefix=".onnx-lint-", dir=os.path.dirname(target))
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _mode(target))
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _mode(target: str) -> int:
    try:
        return os.stat(target).st_mode & 0o7777
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask
