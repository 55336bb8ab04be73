"""The server never outlives its client: end of input ends it (pygls), and so does the death of the editor."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable

INTERVAL = 0.4  # seconds between two looks
GRACE = 0.3  # seconds that closing may take


async def end_with(pid: int, close: Callable[[], Awaitable[None]]) -> None:
    """Calls `close`, which ends the children, and ends this process once the process `pid` is gone.

    Only call it for a process that is alive: one that cannot be seen from the start lives in another PID namespace
    (a container), and only the end of input tells when that ends.
    """
    while alive(pid):
        await asyncio.sleep(INTERVAL)
    try:
        await asyncio.wait_for(close(), GRACE)
    finally:
        # The thread that reads stdin may be blocked for ever when someone else holds the pipe: do not wait for it.
        os._exit(1)


def alive(pid: int) -> bool:
    """Whether a process exists."""
    if sys.platform == "win32":
        return _alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _alive_on_windows(pid: int) -> bool:
    import ctypes

    synchronize, timeout = 0x00100000, 0x102  # SYNCHRONIZE, WAIT_TIMEOUT
    kernel = ctypes.windll.kernel32
    handle = kernel.OpenProcess(synchronize, False, pid)
    if not handle:
        return False
    try:
        return kernel.WaitForSingleObject(handle, 0) == timeout
    finally:
        kernel.CloseHandle(handle)
