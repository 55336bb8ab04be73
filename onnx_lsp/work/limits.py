"""How a child is held: it dies with its parent and cannot eat the machine's memory."""

from __future__ import annotations

import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def die_with_parent(parent: int) -> None:
    """Asks Linux to kill this process when the parent ends, however it ends.

    Elsewhere the child ends when its standard input closes, which happens at the latest after the current task.
    """
    if sys.platform != "linux":
        return
    import ctypes
    import os

    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def cap_memory(megabytes: int) -> None:
    """Limits this process's private memory (heap and anonymous mappings); mapped files do not count.

    Windows has no such limit per process without a job object; there only the time limit holds.
    """
    try:
        import resource
    except ImportError:
        return
    limit = megabytes * 1024 * 1024
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def describe_exit(code: int | None) -> str:
    """How a child ended, in words: `was killed by signal 11 (SIGSEGV)`."""
    if code is None or code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    return f"was killed by signal {-code} ({name})"
