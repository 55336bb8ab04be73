"""The asyncio parent: like `worker`, for the server's event loop. Cancelling a task kills the child."""

from __future__ import annotations

import asyncio
import os
import pickle
from collections.abc import AsyncIterator

from onnx_lsp.work import frames, limits
from onnx_lsp.work.child import DONE, FAILED
from onnx_lsp.work.worker import ChildDied, command


class AsyncWorker:
    """A supervised child for asyncio callers; one task at a time.

    Args:
        timeout: seconds without a step after which the child is killed.
        memory: private memory limit in MB.
    """

    def __init__(self, timeout: float, memory: int) -> None:
        self.timeout = timeout
        self.memory = memory
        self._process: asyncio.subprocess.Process | None = None

    async def steps(self, task: str, **arguments: object) -> AsyncIterator[object]:
        """Runs a task and yields its steps.

        Raises:
            ChildDied: the child crashed, ran out of time or memory, or the task failed.
        """
        finished = False
        try:
            process = await self._start()
            process.stdin.write(frames.pack((task, arguments, self.memory)))
            while True:
                kind, value = await asyncio.wait_for(self._frame(process), self.timeout)
                finished = kind in (DONE, FAILED)
                if kind == DONE:
                    return
                if kind == FAILED:
                    raise ChildDied(value)
                yield value
        except TimeoutError:
            raise ChildDied(f"took longer than {self.timeout:g} s") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise ChildDied(limits.describe_exit(await self._process.wait())) from None
        finally:
            if not finished:
                await self.close()

    async def _start(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            starting = asyncio.ensure_future(_spawn())
            try:
                self._process = await asyncio.shield(starting)
            except asyncio.CancelledError:
                # Cancelled between fork and the last pipe, asyncio would wait for the pipes for ever (Python 3.11).
                self._process = await starting
                raise
        return self._process

    @staticmethod
    async def _frame(process: asyncio.subprocess.Process) -> tuple[str, object]:
        header = await process.stdout.readexactly(frames.HEADER.size)
        return pickle.loads(await process.stdout.readexactly(frames.HEADER.unpack(header)[0]))

    async def close(self) -> None:
        """Kills the child."""
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()
            self._process = None


async def _spawn() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=None if os.environ.get("ONNX_LINT_DEBUG") else asyncio.subprocess.DEVNULL,
    )
